//! Media files by plan: tracks, fragments and samples, written as the protocol sheet describes.

use bytes::Bytes;
use smooth_origin::base::{FourCc, Limits};
use smooth_origin::bmff::{
    AnyBox, AvcC, Boxes, FullBox, Hdlr, Mdhd, Mfhd, Mfro, SampleEntry, Stsd, Tfhd, Tfra, Tkhd,
    Trex, Trun, VisualSampleEntry, uuid::Tfxd,
};
use smooth_origin::codec::Description;
use smooth_origin::manifest::ClientManifest;
pub use smooth_origin::manifest::StreamKind;

/// A track: its fragments in order.
#[derive(Clone, Debug)]
pub struct Track {
    pub id: u32,
    pub kind: StreamKind,
    pub timescale: u32,
    pub language: [u8; 3],
    pub fragments: Vec<Fragment>,
}

/// A fragment: when it starts, and the duration and size of each sample.
#[derive(Clone, Debug)]
pub struct Fragment {
    pub time: i64,
    pub samples: Vec<(u32, u32)>,
}

/// Form in which a file is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub tfxd: bool,
    pub mfra: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { tfxd: true, mfra: true }
    }
}

/// A media file: what is written of it, by offset. The rest is zeros, which may be holes.
#[derive(Clone, Debug, Default)]
pub struct Media {
    pub parts: Vec<(u64, Vec<u8>)>,
    pub len: u64,
    /// Track, time and range of each fragment.
    pub fragments: Vec<(u32, i64, std::ops::Range<u64>)>,
    /// Offset of the `mfra`.
    pub mfra: u64,
    /// Bytes of the `moov`.
    pub moov: u64,
}

impl Track {
    /// `count` fragments of `duration` ticks, of one sample of `size` bytes each.
    pub fn regular(id: u32, kind: StreamKind, count: u32, duration: u32, size: u32) -> Self {
        let fragment = |i: u32| Fragment {
            time: i64::from(i) * i64::from(duration),
            samples: vec![(duration, size)],
        };
        Self::new(id, kind, (0..count).map(fragment).collect())
    }

    pub fn new(id: u32, kind: StreamKind, fragments: Vec<Fragment>) -> Self {
        Self { id, kind, timescale: 10_000_000, language: *b"und", fragments }
    }

    pub fn language(mut self, language: &[u8; 3]) -> Self {
        self.language = *language;
        self
    }

    fn trak(&self) -> AnyBox {
        let tkhd = Tkhd {
            full: FullBox { version: 1, flags: 7 },
            creation_time: 0,
            modification_time: 0,
            track_id: self.id,
            reserved: 0,
            duration: 0,
            layout: [0; 52],
            width: 0,
            height: 0,
        };
        let packed = self.language.iter().fold(0, |packed, &c| packed << 5 | u16::from(c - 0x60));
        let mdhd = Mdhd { timescale: self.timescale, packed_language: packed, ..Mdhd::default() };
        let handler_type = match self.kind {
            StreamKind::Video => *b"vide",
            StreamKind::Audio => *b"soun",
            StreamKind::Text => *b"text",
        };
        let hdlr =
            Hdlr { full: FullBox::default(), pre_defined: 0, handler_type: FourCc(handler_type) };
        let stsd = Stsd::new(FullBox::default(), [entry(self.kind)]);
        let stbl = AnyBox::container(*b"stbl", [AnyBox::new(stsd)]);
        let minf = AnyBox::container(*b"minf", [stbl]);
        let mdia = AnyBox::container(*b"mdia", [AnyBox::new(mdhd), AnyBox::new(hdlr), minf]);
        AnyBox::container(*b"trak", [AnyBox::new(tkhd), mdia])
    }

    /// The `moof` of a fragment.
    pub fn moof(&self, fragment: &Fragment, number: u32, style: Style) -> AnyBox {
        let moof = |data_offset| {
            let mut boxes = vec![
                AnyBox::new(Tfhd { track_id: self.id, ..Tfhd::default() }),
                AnyBox::new(trun(&fragment.samples, data_offset)),
            ];
            if style.tfxd {
                let duration = fragment.samples.iter().map(|s| u64::from(s.0)).sum();
                let full = FullBox { version: 1, flags: 0 };
                boxes.push(AnyBox::new(Tfxd { full, time: fragment.time as u64, duration }));
            }
            let mfhd = Mfhd { sequence_number: number, ..Mfhd::default() };
            AnyBox::container(*b"moof", [AnyBox::new(mfhd), AnyBox::container(*b"traf", boxes)])
        };
        let len = moof(0).len();
        moof(len as i32 + 8)
    }
}

pub fn trun(samples: &[(u32, u32)], data_offset: i32) -> Trun {
    let words = samples.iter().flat_map(|&(duration, size)| [duration, size]);
    Trun {
        full: FullBox { version: 0, flags: Trun::DURATION | Trun::SIZE },
        sample_count: samples.len() as u32,
        data_offset: Some(data_offset),
        first_sample_flags: None,
        entries: words.flat_map(u32::to_be_bytes).collect(),
    }
}

/// A sample entry that a manifest can announce.
fn entry(kind: StreamKind) -> SampleEntry {
    let quality = match kind {
        StreamKind::Video => {
            let avcc = AvcC {
                configuration_version: 1,
                profile: 66,
                level: 30,
                length_size: 0xff,
                sps_reserved: 0xe0,
                sps: [Bytes::from_static(&[0x67, 66, 0, 30, 1])].into_iter().collect(),
                pps: [Bytes::from_static(&[0x68, 1])].into_iter().collect(),
                ..AvcC::default()
            };
            let visual = VisualSampleEntry {
                format: FourCc(*b"avc1"),
                width: 640,
                height: 360,
                boxes: [AnyBox::new(avcc)].into_iter().collect(),
            };
            return visual.to_entry();
        }
        StreamKind::Audio => {
            r#"FourCC="AACL" CodecPrivateData="1190" SamplingRate="48000" Channels="2""#
        }
        StreamKind::Text => r#"FourCC="TTML""#,
    };
    let text = format!(
        r#"<SmoothStreamingMedia><StreamIndex Type="{kind}"><QualityLevel Bitrate="1" {quality}/></StreamIndex></SmoothStreamingMedia>"#
    );
    let manifest = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
    let stream = &manifest.streams[0];
    Description::of(stream, &stream.qualities[0]).unwrap().sample_entry().unwrap()
}

impl Media {
    pub fn push(&mut self, bytes: Vec<u8>) {
        self.len += bytes.len() as u64;
        self.parts.push((self.len - bytes.len() as u64, bytes));
    }

    fn push_boxes(&mut self, boxes: impl IntoIterator<Item = AnyBox>) {
        let boxes: Boxes = boxes.into_iter().collect();
        self.push(boxes.to_bytes().to_vec());
    }

    /// Part of the file, with zeros for payloads.
    pub fn read(&self, range: std::ops::Range<u64>) -> Vec<u8> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let first =
            self.parts.partition_point(|(offset, part)| offset + part.len() as u64 <= range.start);
        for (offset, part) in self.parts[first..].iter().take_while(|(at, _)| *at < range.end) {
            let from = range.start.max(*offset);
            let to = range.end.min(offset + part.len() as u64);
            let part = &part[(from - offset) as usize..(to - offset) as usize];
            bytes[(from - range.start) as usize..][..part.len()].copy_from_slice(part);
        }
        bytes
    }

    /// The whole file. Payloads count from the number of their fragment, byte by byte.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len as usize];
        for (offset, part) in &self.parts {
            bytes[*offset as usize..][..part.len()].copy_from_slice(part);
        }
        for (number, (.., range)) in self.fragments.iter().enumerate() {
            let fragment = &mut bytes[range.start as usize..range.end as usize];
            let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
            for (i, byte) in fragment[moof + 8..].iter_mut().enumerate() {
                *byte = (number + i) as u8;
            }
        }
        bytes
    }

    /// The whole file, its payloads of one value: versions of it differ in nothing else.
    pub fn filled(&self, value: u8) -> Vec<u8> {
        let mut bytes = self.to_bytes();
        for (.., range) in &self.fragments {
            let fragment = &mut bytes[range.start as usize..range.end as usize];
            let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
            fragment[moof + 8..].fill(value);
        }
        bytes
    }

    /// Writes the file with holes for the payloads.
    pub fn write_sparse(&self, path: &std::path::Path) -> std::io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        let mut file = std::fs::File::create(path)?;
        file.set_len(self.len)?;
        for (offset, part) in &self.parts {
            file.seek(SeekFrom::Start(*offset))?;
            file.write_all(part)?;
        }
        Ok(())
    }
}

/// The `moov` for these tracks.
pub fn moov(tracks: &[Track]) -> AnyBox {
    let trexs = tracks.iter().map(|track| {
        let track_id = track.id;
        let index = 1;
        AnyBox::new(Trex { track_id, default_sample_description_index: index, ..Trex::default() })
    });
    let mvex = AnyBox::container(*b"mvex", trexs.collect::<Vec<_>>());
    let traks = tracks.iter().map(Track::trak).chain([mvex]);
    AnyBox::container(*b"moov", traks.collect::<Vec<_>>())
}

/// A file of these tracks, their fragments interleaved by time, with an index at the end.
pub fn media(tracks: &[Track], style: Style) -> Media {
    let mut media = Media::default();
    media.push(b"\0\0\0\x18ftypisml\0\0\0\x01piffiso2".to_vec());
    media.push_boxes([moov(tracks)]);
    media.moov = media.len - 24;
    let mut order: Vec<(f64, usize, usize)> = Vec::new();
    for (t, track) in tracks.iter().enumerate() {
        for (f, fragment) in track.fragments.iter().enumerate() {
            order.push((fragment.time as f64 / f64::from(track.timescale), t, f));
        }
    }
    order.sort_by(|a, b| a.partial_cmp(b).unwrap());
    for (number, (_, t, f)) in order.into_iter().enumerate() {
        let (track, fragment) = (&tracks[t], &tracks[t].fragments[f]);
        let start = media.len;
        media.push_boxes([track.moof(fragment, number as u32 + 1, style)]);
        let payload: u32 = fragment.samples.iter().map(|sample| sample.1).sum();
        media.push([&(payload + 8).to_be_bytes()[..], b"mdat"].concat());
        media.len += u64::from(payload);
        media.fragments.push((track.id, fragment.time, start..media.len));
    }
    media.mfra = media.len;
    if style.mfra {
        let entries = index(&media);
        push_mfra(&mut media, &entries);
    }
    media
}

/// Time and offset of each fragment, by track.
pub type Index = Vec<(u32, Vec<(u64, u64)>)>;

pub fn index(media: &Media) -> Index {
    let mut index: Index = Vec::new();
    for (track, time, range) in &media.fragments {
        let entry = (*time as u64, range.start);
        match index.iter_mut().find(|(id, _)| id == track) {
            Some((_, entries)) => entries.push(entry),
            None => index.push((*track, vec![entry])),
        }
    }
    index
}

pub fn push_mfra(media: &mut Media, index: &Index) {
    let tfra = |(track_id, entries): &(u32, Vec<(u64, u64)>)| {
        let entry = |&(time, offset): &(u64, u64)| {
            [&time.to_be_bytes()[..], &offset.to_be_bytes(), &[1, 1, 1]].concat()
        };
        let full = FullBox { version: 1, flags: 0 };
        let bytes = entries.iter().flat_map(entry).collect();
        AnyBox::new(Tfra { full, track_id: *track_id, widths: 0, bytes })
    };
    let tfras: Vec<_> = index.iter().map(tfra).collect();
    let size = 8 + tfras.iter().map(AnyBox::len).sum::<u64>() + 16;
    let mfro = AnyBox::new(Mfro { size: size as u32, ..Mfro::default() });
    media.push_boxes([AnyBox::container(*b"mfra", tfras.into_iter().chain([mfro]))]);
}

/// A server manifest of these tracks: element, file, bitrate, track id, name.
pub fn ism(client: Option<&str>, tracks: &[(&str, &str, u32, u32, &str)]) -> Vec<u8> {
    let head = client.map(|client| {
        format!(r#"<head><meta name="clientManifestRelativePath" content="{client}"/></head>"#)
    });
    let track = |(element, src, bitrate, id, name): &(&str, &str, u32, u32, &str)| {
        let name = match *name {
            "" => String::new(),
            name => format!(r#"<param name="trackName" value="{name}"/>"#),
        };
        format!(
            r#"<{element} src="{src}" systemBitrate="{bitrate}"><param name="trackID" value="{id}"/>{name}</{element}>"#
        )
    };
    let tracks: String = tracks.iter().map(track).collect();
    format!("<smil>{}<body><switch>{tracks}</switch></body></smil>", head.unwrap_or_default())
        .into_bytes()
}

/// A client manifest of these streams: kind, name, bitrates, starts; the last chunk lasts 5 ticks.
pub fn ismc(streams: &[(StreamKind, &str, &[u32], &[u64])]) -> Vec<u8> {
    let stream = |(kind, name, bitrates, starts): &(StreamKind, &str, &[u32], &[u64])| {
        let quality = |bitrate: &u32| format!("  <QualityLevel Bitrate=\"{bitrate}\"/>\n");
        let qualities: String = bitrates.iter().map(quality).collect();
        let chunk = |start: &u64| format!("  <c t=\"{start}\"/>\n");
        let chunks: String = starts.iter().map(chunk).collect();
        format!(
            "<StreamIndex Type=\"{kind}\" Name=\"{name}\" QualityLevels=\"{}\" \
             Url=\"QualityLevels({{bitrate}})/Fragments({name}={{start time}})\">\n{qualities}{chunks}</StreamIndex>\n",
            bitrates.len()
        )
    };
    let streams: String = streams.iter().map(stream).collect();
    format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"5\">\n{streams}</SmoothStreamingMedia>"
    )
    .into_bytes()
}
