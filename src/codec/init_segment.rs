//! Initialization segments: the header of one track, as players of DASH and HLS need it.

use bytes::Bytes;

use super::{CodecTag, Description, Format, ProtectionSystem, indications, protected};
use crate::base::{Error, ErrorKind, FourCc, Guid, Limits, Timescale};
use crate::bmff::{
    AnyBox, Boxes, Ftyp, FullBox, Hdlr, Mdhd, Mvhd, SampleEntry, Stsd, Stsz, Tkhd, Trex,
    VisualSampleEntry,
};
use crate::manifest::StreamKind;

/// The header of a track, as CMAF stores it: `ftyp`, and a `moov` with one track and no samples.
///
/// It has no edit list: times are those of the fragments.
///
/// Spec: ISO/IEC 23000-19, 7.3.1; ISO/IEC 14496-12, 8.8.
pub(crate) struct InitSegment<'a> {
    /// The number of the track in its fragments.
    pub(crate) track_id: u32,
    pub(crate) kind: StreamKind,
    /// Units of the times in its fragments.
    pub(crate) timescale: Timescale,
    /// A code of ISO 639-2.
    pub(crate) language: Option<[u8; 3]>,
    /// The stored sample entries. They take precedence over the manifest, because the samples were
    /// made with them.
    pub(crate) entries: Vec<&'a SampleEntry>,
    /// The coding by the manifest. It counts if there is no stored entry.
    pub(crate) description: Option<&'a Description>,
    /// Width and height of a pixel.
    pub(crate) pixel_aspect: Option<(u32, u32)>,
    /// Duration, size and flags of samples whose fragments do not say.
    pub(crate) defaults: (u32, u32, u32),
    /// Systems that give licences for the track, if its samples are encrypted.
    pub(crate) systems: &'a [ProtectionSystem],
}

/// `und`.
const UNDETERMINED: [u8; 3] = *b"und";

/// Rate 1, volume 1, the identity matrix, no preview; the number of the next track follows.
const MOVIE: [u8; 76] = {
    let mut fields = [0; 76];
    (fields[1], fields[4]) = (1, 1);
    (fields[17], fields[33], fields[48]) = (1, 1, 0x40);
    fields
};

impl InitSegment<'_> {
    /// Returns the segment.
    ///
    /// # Errors
    /// [`ErrorKind::NotServed`] if there is neither a stored sample entry nor one that can be made
    /// from the manifest, or if the key of encrypted samples is not known; and
    /// [`ErrorKind::Invalid`] if the manifest's private data is not what the codec needs.
    pub(crate) fn to_bytes(&self, limits: &Limits) -> Result<Bytes, Error> {
        let entries = self.entries(limits)?;
        let is_encrypted =
            entries.iter().any(|entry| protected::encryption(entry, limits).is_some());
        let systems = if is_encrypted { self.systems } else { &[] };
        let mvex = AnyBox::container(*b"mvex", [AnyBox::new(self.trex())]);
        let mvhd = movie_header(self.ticks()?, self.track_id.saturating_add(1));
        let moov = [mvhd, self.trak(entries, limits)?, mvex].into_iter();
        let pssh = systems.iter().map(|system| AnyBox::new(system.as_box()));
        let ftyp = AnyBox::new(Ftyp {
            major_brand: FourCc(*b"cmfc"),
            minor_version: 0,
            compatible_brands: [*b"cmfc", *b"iso6", *b"isom"].map(FourCc).to_vec(),
        });
        Ok(Boxes::from_iter([ftyp, AnyBox::container(*b"moov", moov.chain(pssh))]).to_bytes())
    }

    /// Returns the `trak` and the `trex` of the track, for a file of several tracks.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    #[cfg(feature = "package")]
    pub(crate) fn track(&self, limits: &Limits) -> Result<(AnyBox, AnyBox), Error> {
        let trak = self.trak(self.entries(limits)?, limits)?;
        Ok((trak, AnyBox::new(self.trex())))
    }

    /// Checks that [`to_bytes`](Self::to_bytes) has no error, without writing the segment.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Error> {
        self.entries(limits)?;
        self.ticks().map(|_| ())
    }

    /// Returns the sample entries: the stored ones, or one by the manifest.
    fn entries(&self, limits: &Limits) -> Result<Vec<SampleEntry>, Error> {
        if self.entries.is_empty() {
            return Ok(vec![self.of_manifest()?]);
        }
        let entry = |entry: &&SampleEntry| {
            // `dfxp` is the name of PIFF for documents that others call `stpp`, whose namespace has to be
            // there.
            if entry.format() == *b"dfxp" || (entry.format() == *b"stpp" && entry.body.is_empty()) {
                let ttml = Description::new(CodecTag::TTML, Bytes::new(), Format::Text);
                return ttml.sample_entry();
            }
            // The one reference is to the segment's own file.
            let common = protected::common(entry, limits);
            let common = match self.kind {
                StreamKind::Video => indications::by_parameter_sets(common, limits),
                StreamKind::Audio | StreamKind::Text => common,
            };
            Ok(SampleEntry { data_reference_index: 1, ..common })
        };
        self.entries.iter().map(entry).collect()
    }

    /// Returns a sample entry by the manifest, encrypted if the manifest has a protection header.
    fn of_manifest(&self) -> Result<SampleEntry, Error> {
        let unknown = ErrorKind::NotServed("a track whose codec is not known");
        let entry = self.description.ok_or(unknown)?.sample_entry()?;
        // Text is in the clear beside encrypted pictures and sound.
        if self.systems.is_empty() || self.kind == StreamKind::Text {
            return Ok(entry);
        }
        let key = self.only_key();
        let key = key.ok_or(ErrorKind::NotServed("an encrypted track whose key is not known"))?;
        protected::encrypted(&entry, self.kind, key)
            .ok_or_else(|| ErrorKind::NotServed("encrypted text of this kind").into())
    }

    fn only_key(&self) -> Option<Guid> {
        let mut keys = self.systems.iter().flat_map(ProtectionSystem::keys);
        let first = keys.next()?;
        keys.all(|key| key == first).then_some(first)
    }

    fn trak(&self, entries: Vec<SampleEntry>, limits: &Limits) -> Result<AnyBox, Error> {
        let (handler, media_header) = self.handler(&entries);
        let (width, height) = self.shown(&entries, limits);
        let mut layout = [0; 52];
        // The volume, and the matrix behind it.
        layout[12] = u8::from(self.kind == StreamKind::Audio);
        layout[16..].copy_from_slice(&MOVIE[16..52]);
        let tkhd = Tkhd {
            // Enabled, in the movie, in its preview.
            full: FullBox { version: 0, flags: 7 },
            creation_time: 0,
            modification_time: 0,
            track_id: self.track_id,
            reserved: 0,
            duration: 0,
            layout,
            width,
            height,
        };
        let language = self.language.unwrap_or(UNDETERMINED);
        let mdhd = Mdhd {
            timescale: self.ticks()?,
            packed_language: language
                .iter()
                .fold(0, |packed, letter| packed << 5 | u16::from(letter & 0x1f)),
            ..Mdhd::default()
        };
        let hdlr = Hdlr { full: FullBox::default(), pre_defined: 0, handler_type: FourCc(handler) };
        // Reserved bytes and an empty name.
        let hdlr = AnyBox { rest: Bytes::from_static(&[0; 13]), ..AnyBox::new(hdlr) };
        let dref = Bytes::from_static(b"\0\0\0\0\0\0\0\x01\0\0\0\x0curl \0\0\0\x01");
        let dinf = boxed(*b"dref", dref);
        let empty = |kind, len| AnyBox::other(kind, vec![0; len]);
        let stbl = AnyBox::container(
            *b"stbl",
            [
                AnyBox::new(Stsd::new(FullBox::default(), entries)),
                empty(*b"stts", 8),
                empty(*b"stsc", 8),
                AnyBox::new(Stsz::default()),
                empty(*b"stco", 8),
            ],
        );
        let minf = AnyBox::container(*b"minf", [media_header, AnyBox::other(*b"dinf", dinf), stbl]);
        // Two bytes that are not used.
        let mdhd = AnyBox { rest: Bytes::from_static(&[0; 2]), ..AnyBox::new(mdhd) };
        let mdia = AnyBox::container(*b"mdia", [mdhd, hdlr, minf]);
        Ok(AnyBox::container(*b"trak", [AnyBox::new(tkhd), mdia]))
    }

    /// Returns the handler of the track, and its media header.
    ///
    /// Spec: ISO/IEC 14496-12, 12; ISO/IEC 14496-30, 4 and 7.
    fn handler(&self, entries: &[SampleEntry]) -> ([u8; 4], AnyBox) {
        let text = entries.first().map_or([0; 4], |entry| entry.format().0);
        match (self.kind, &text) {
            (StreamKind::Video, _) => {
                let flags = [&[0, 0, 0, 1][..], &[0; 8]].concat();
                (*b"vide", AnyBox::other(*b"vmhd", flags))
            }
            (StreamKind::Audio, _) => (*b"soun", AnyBox::other(*b"smhd", vec![0; 8])),
            (StreamKind::Text, b"stpp" | b"encu") => {
                (*b"subt", AnyBox::other(*b"sthd", vec![0; 4]))
            }
            (StreamKind::Text, b"wvtt" | b"enct" | b"stxt" | b"tx3g") => {
                (*b"text", AnyBox::other(*b"nmhd", vec![0; 4]))
            }
            (StreamKind::Text, _) => (*b"meta", AnyBox::other(*b"nmhd", vec![0; 4])),
        }
    }

    /// Returns the size at which pictures are shown, as 16.16 fixed point.
    fn shown(&self, entries: &[SampleEntry], limits: &Limits) -> (u32, u32) {
        if self.kind != StreamKind::Video {
            return (0, 0);
        }
        let coded = entries.first().and_then(|entry| {
            let visual = VisualSampleEntry::parse(entry, limits).ok()?;
            Some((u64::from(visual.width), u64::from(visual.height)))
        });
        let (width, height) = coded.unwrap_or((0, 0));
        let (across, down) = self.pixel_aspect.unwrap_or((1, 1));
        // Factors of 16, 16 and 32 bits.
        let wide =
            (width << 16).checked_mul(u64::from(across)).map(|wide| wide / u64::from(down.max(1)));
        let wide = wide.and_then(|wide| u32::try_from(wide).ok());
        (wide.unwrap_or((width << 16) as u32), (height << 16) as u32)
    }

    fn trex(&self) -> Trex {
        let (duration, size, flags) = self.defaults;
        Trex {
            full: FullBox::default(),
            track_id: self.track_id,
            default_sample_description_index: 1,
            default_sample_duration: duration,
            default_sample_size: size,
            default_sample_flags: flags,
        }
    }

    fn ticks(&self) -> Result<u32, Error> {
        let ticks = u32::try_from(self.timescale.get());
        ticks.map_err(|_| ErrorKind::NotServed("a timescale of more than 32 bits").into())
    }
}

/// The `mvhd` of a movie without samples.
pub(crate) fn movie_header(timescale: u32, next_track: u32) -> AnyBox {
    // The fields that are not read.
    let rest = [&MOVIE[..], &next_track.to_be_bytes()].concat().into();
    AnyBox { rest, ..AnyBox::new(Mvhd { timescale, ..Mvhd::default() }) }
}

/// Returns a box of a type that is not read here.
fn boxed(kind: [u8; 4], body: Bytes) -> Bytes {
    Boxes::from_iter([AnyBox::other(kind, body)]).to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::Pssh;
    use crate::codec::hex;

    const KEY: Guid = Guid::from_u128(0x09e36702_8f33_436c_a5dd_60ffe6671e70);

    fn segment(kind: StreamKind, description: &Description) -> InitSegment<'_> {
        InitSegment {
            track_id: 7,
            kind,
            timescale: Timescale::SMOOTH,
            language: None,
            entries: Vec::new(),
            description: Some(description),
            pixel_aspect: None,
            defaults: (1, 2, 3),
            systems: &[],
        }
    }

    fn parse(segment: &InitSegment<'_>) -> Boxes {
        let bytes = segment.to_bytes(&Limits::default()).unwrap();
        Boxes::parse(&bytes, 0, &Limits::default()).unwrap()
    }

    fn formats(boxes: &Boxes) -> Vec<String> {
        let stbl = boxes.path(&[*b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl"]).unwrap();
        let entries = stbl.get::<Stsd>().unwrap().entries();
        entries.map(|entry| entry.format().to_string()).collect()
    }

    fn sound(tag: CodecTag, data: &str) -> Description {
        let format = Format::Audio {
            sampling_rate: 48_000,
            channels: 2,
            bits_per_sample: 16,
            packet_size: 4,
            audio_tag: 0,
        };
        Description::new(tag, hex(data).unwrap(), format)
    }

    #[test]
    fn every_codec_that_has_private_data_gives_a_segment_without_a_file() {
        let dolby = "00063F000000AF87FBA7022DFB42A4D405CD93843BDD0700200F00";
        let text = |tag| Description::new(tag, Bytes::new(), Format::Text);
        for (kind, description, format, handler) in [
            (StreamKind::Audio, sound(CodecTag::AACL, "1190"), "mp4a", b"soun"),
            (StreamKind::Audio, sound(CodecTag::EC_3, dolby), "ec-3", b"soun"),
            (StreamKind::Text, text(CodecTag::TTML), "stpp", b"subt"),
            (StreamKind::Text, text(CodecTag::WVTT), "wvtt", b"text"),
        ] {
            let boxes = parse(&segment(kind, &description));
            assert_eq!(formats(&boxes), [format]);
            let mdia = boxes.path(&[*b"moov", *b"trak", *b"mdia"]).unwrap();
            assert_eq!(mdia.get::<Hdlr>().unwrap().handler_type, *handler);
            assert_eq!(mdia.get::<Mdhd>().unwrap().language().unwrap(), "und");
            let trex = boxes.path(&[*b"moov", *b"mvex"]).unwrap().get::<Trex>().unwrap();
            let defaults = (trex.default_sample_duration, trex.default_sample_size);
            assert_eq!((trex.track_id, defaults, trex.default_sample_flags), (7, (1, 2), 3));
        }
        let error =
            segment(StreamKind::Audio, &sound(CodecTag::AC_3, "")).to_bytes(&Limits::default());
        assert!(matches!(error.unwrap_err().kind, ErrorKind::NotServed(_)));
    }

    #[test]
    fn stored_entries_take_precedence_and_several_are_kept() {
        let (stored, said) = (sound(CodecTag::AACL, "119056E500"), sound(CodecTag::AACL, "1210"));
        let clear = stored.sample_entry().unwrap();
        let encrypted = protected::encrypted(&clear, StreamKind::Audio, KEY).unwrap();
        let system = ProtectionSystem::new(ProtectionSystem::PLAY_READY, Bytes::from_static(b"x"));
        let systems = [system];
        let mut segment = segment(StreamKind::Audio, &said);
        segment.systems = &systems;
        // The beginning may be in the clear.
        segment.entries = vec![&encrypted, &clear];
        let boxes = parse(&segment);
        assert_eq!(formats(&boxes), ["enca", "mp4a"]);
        assert_eq!(boxes.inside(*b"moov").unwrap().all::<Pssh>().count(), 1);
        segment.entries = vec![&clear];
        let boxes = parse(&segment);
        assert_eq!(
            boxes.inside(*b"moov").unwrap().all::<Pssh>().count(),
            0,
            "nothing is encrypted"
        );
        let found = segment.to_bytes(&Limits::default()).unwrap();
        assert!(found.windows(5).any(|bytes| bytes == [0x11, 0x90, 0x56, 0xe5, 0]));
    }

    #[test]
    fn an_entry_of_text_without_a_namespace_is_written_with_it() {
        let stored = SampleEntry::new(FourCc(*b"stpp"), Bytes::new());
        let said = Description::new(CodecTag::TTML, Bytes::new(), Format::Text);
        let mut text = segment(StreamKind::Text, &said);
        text.entries = vec![&stored];
        let written = text.to_bytes(&Limits::default()).unwrap();
        let strings = b"http://www.w3.org/ns/ttml\0\0\0";
        assert!(written.windows(strings.len()).any(|bytes| bytes == strings));
    }

    #[test]
    fn one_of_several_keys_is_not_guessed_and_text_stays_clear() {
        let mut system = ProtectionSystem::new(Guid::from_u128(1), Bytes::new());
        system.key_ids = vec![KEY];
        let one = [system.clone()];
        let said = sound(CodecTag::AACL, "1190");
        let mut audio = segment(StreamKind::Audio, &said);
        audio.systems = &one;
        assert_eq!(formats(&parse(&audio)), ["enca"]);
        system.key_ids.push(Guid::from_u128(2));
        let two = [system];
        audio.systems = &two;
        let error = audio.to_bytes(&Limits::default()).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotServed(_)), "{error}");
        let said = Description::new(CodecTag::TTML, Bytes::new(), Format::Text);
        let mut text = segment(StreamKind::Text, &said);
        text.systems = &two;
        assert_eq!(formats(&parse(&text)), ["stpp"]);
        audio.timescale = Timescale::new(1 << 33).unwrap();
        audio.systems = &one;
        assert!(audio.to_bytes(&Limits::default()).is_err(), "no box can hold it");
    }
}
