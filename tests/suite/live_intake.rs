//! Pushed bodies: the habits of encoders, in pieces of any size.

use bytes::Bytes;
use smooth_origin::bmff::uuid::{Tfrf, TfrfEntry, Tfxd};
use smooth_origin::bmff::{AnyBox, Boxes, Saio, Tfdt, Tfhd, Trun};
use smooth_origin::live::LiveLimits;
use smooth_origin::live::intake::{Arrived, BodyEnd, Header, Intake, Known, Unit};
use smooth_origin::manifest::{ServerManifest, StreamKind};
use smooth_origin::origin::{Answer, block_on};
use smooth_origin::storage::MemoryStore;
use smooth_origin::{Error, ErrorKind, Limits, Name, Origin};

// Boxes.

pub(super) fn boxed(kind: &str, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32 + 8).to_be_bytes(), kind.as_bytes(), body].concat()
}

pub(super) fn full(kind: &str, version: u8, flags: u32, body: &[u8]) -> Vec<u8> {
    boxed(kind, &[&(u32::from(version) << 24 | flags).to_be_bytes(), body].concat())
}

pub(super) fn uuid(kind: u128, version: u8, body: &[u8]) -> Vec<u8> {
    let head = [&kind.to_be_bytes()[..], &(u32::from(version) << 24).to_be_bytes()].concat();
    boxed("uuid", &[&head, body].concat())
}

pub(super) fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

const TFXD: u128 = 0x6d1d9b05_42d5_44e6_80e2_141daff757b2;
pub(super) const MANIFEST: u128 = 0xa5d40b30_e814_11dd_ba2f_0800200c9a66;
const STREAMS: u128 = 0x3c2fe51b_efee_40a3_ae81_5300199dc348;
const SPS: &[u8] =
    b"\x67\x64\0\x0b\xac\xb2\x05\x1b\xf2\x60\x22\0\0\x03\0\x02\0\0\x03\0\x64\x1e\x28\x54\x90";
const PPS: &[u8] = b"\x68\xeb\xcc\xb2\x2c";

pub(super) fn avc1() -> Vec<u8> {
    let sps = [&[1, 0x64, 0, 11, 0xff, 0xe1, 0, SPS.len() as u8], SPS].concat();
    let config = [&sps[..], &[1, 0, PPS.len() as u8], PPS, &[0xfd, 0xf8, 0xf8, 0]].concat();
    let mut entry = vec![0; 78];
    (entry[7], entry[25], entry[27]) = (1, 160, 90);
    entry.extend(boxed("avcC", &config));
    boxed("avc1", &entry)
}

pub(super) fn mp4a(specific: [u8; 2]) -> Vec<u8> {
    let config =
        [&[0x40, 0x15, 0, 0, 0][..], &words(&[64_000, 64_000]), &[5, 2], &specific].concat();
    let es = [&[0, 1, 0, 4, config.len() as u8][..], &config, &[6, 1, 2]].concat();
    let mut entry = vec![0; 28];
    (entry[7], entry[17], entry[19], entry[24], entry[25]) = (1, 1, 16, 0xbb, 0x80);
    entry.extend(full("esds", 0, 0, &[&[3, es.len() as u8][..], &es].concat()));
    boxed("mp4a", &entry)
}

pub(super) struct Trak {
    pub(super) id: u32,
    pub(super) handler: &'static str,
    pub(super) timescale: u32,
    pub(super) language: u16,
    pub(super) entry: Vec<u8>,
    /// Length and time of the media of each.
    pub(super) edits: Vec<(u32, u32)>,
    pub(super) udta: Vec<u8>,
}

pub(super) fn trak(id: u32, handler: &'static str, entry: Vec<u8>) -> Trak {
    Trak {
        id,
        handler,
        timescale: 10_000_000,
        language: 0x55c4,
        entry,
        edits: vec![],
        udta: vec![],
    }
}

impl Trak {
    pub(super) fn bytes(&self) -> Vec<u8> {
        // As ffmpeg writes them: version 1, and a duration of all ones.
        let ones = [u32::MAX; 2];
        let tkhd = [words(&[0, 0, 0, 0, self.id, 0]), words(&ones), vec![0; 60]].concat();
        let mdhd = [words(&[0, 0, 0, 0, self.timescale]), words(&ones)].concat();
        let mdhd = [&mdhd[..], &self.language.to_be_bytes(), &[0; 2]].concat();
        let hdlr = [&[0; 4][..], self.handler.as_bytes(), &[0; 13]].concat();
        let stsd = full("stsd", 0, 0, &[&words(&[1])[..], &self.entry].concat());
        let empty = |kind, count| full(kind, 0, 0, &words(&vec![0; count]));
        let stbl = [stsd, empty("stts", 1), empty("stsc", 1), empty("stsz", 2), empty("stco", 1)];
        let minf = boxed("minf", &boxed("stbl", &stbl.concat()));
        let mdia = [full("mdhd", 1, 0, &mdhd), full("hdlr", 0, 0, &hdlr), minf].concat();
        let edit = |&(length, time): &(u32, u32)| words(&[length, time, 0x1_0000]);
        let count = words(&[self.edits.len() as u32]);
        let edits: Vec<u8> = self.edits.iter().flat_map(edit).collect();
        let elst = full("elst", 0, 0, &[count, edits].concat());
        let edts = if self.edits.is_empty() { vec![] } else { boxed("edts", &elst) };
        let tkhd = full("tkhd", 1, 3, &tkhd);
        boxed("trak", &[tkhd, edts, boxed("mdia", &mdia), boxed("udta", &self.udta)].concat())
    }
}

pub(super) fn moov(traks: &[Trak]) -> Vec<u8> {
    let mvhd = full("mvhd", 0, 0, &[words(&[0, 0, 1000, 0]), vec![0; 76], words(&[2])].concat());
    let all: Vec<u8> = traks.iter().flat_map(Trak::bytes).collect();
    let trex = |trak: &Trak| full("trex", 0, 0, &words(&[trak.id, 1, 0, 0, 0]));
    let mvex = boxed("mvex", &traks.iter().flat_map(trex).collect::<Vec<_>>());
    let meta = boxed("udta", &full("meta", 0, 0, b"the encoder"));
    boxed("moov", &[mvhd, all, mvex, meta].concat())
}

pub(super) fn both() -> Vec<u8> {
    moov(&[trak(1, "vide", avc1()), trak(2, "soun", mp4a([0x11, 0x88]))])
}

pub(super) fn ftyp() -> Vec<u8> {
    boxed("ftyp", b"isml\0\0\x02\0isml")
}

/// The manifest of ffmpeg, with private data cut off.
fn smil() -> String {
    r#"<?xml version="1.0" encoding="utf-8"?>
<smil xmlns="http://www.w3.org/2001/SMIL20/Language"><head><meta name="creator" content="L"/></head>
<body><switch>
<video systemBitrate="700000" src="Streams">
<param name="systemBitrate" value="700000" valuetype="data"></param>
<param name="trackID" value="1" valuetype="data"></param>
<param name="systemLanguage" value="und" valuetype="data"></param>
<param name="trackName" value="video_und" valuetype="data"></param>
<param name="CodecPrivateData" value="0000000167" valuetype="data"></param>
<param name="FourCC" value="AVC1" valuetype="data"></param>
<param name="MaxWidth" value="160" valuetype="data"></param>
<param name="Custom" value="kept" valuetype="data"></param>
</video>
<audio systemBitrate="0"><param name="trackID" value="2" valuetype="data"/>
<param name="trackName" value="audio_eng" valuetype="data"/>
<param name="systemLanguage" value="eng" valuetype="data"/></audio>
</switch></body></smil>"#
        .to_owned()
}

fn lsm() -> Vec<u8> {
    uuid(MANIFEST, 0, smil().as_bytes())
}

/// A fragment: what its `traf` has beside `tfhd` and `trun`, and its samples.
#[derive(Clone)]
pub(super) struct Fragment {
    pub(super) track: u32,
    pub(super) sequence: u32,
    pub(super) tfhd: (u32, Vec<u32>),
    pub(super) before: Vec<u8>,
    pub(super) behind: Vec<u8>,
    pub(super) between: Vec<u8>,
    /// Flags of the first sample, and size of each.
    pub(super) first: u32,
    pub(super) sizes: Vec<u32>,
    pub(super) shift: i32,
    pub(super) large: bool,
}

pub(super) fn fragment(track: u32, time: i64) -> Fragment {
    let behind = uuid(TFXD, 1, &[time.to_be_bytes(), 20_000_000_i64.to_be_bytes()].concat());
    Fragment {
        track,
        sequence: 7,
        tfhd: (0x20, vec![0x101_0000]),
        before: Vec::new(),
        behind,
        between: Vec::new(),
        first: 0x200_0000,
        sizes: vec![5, 3, 4],
        shift: 0,
        large: false,
    }
}

impl Fragment {
    pub(super) fn moof(&self) -> Vec<u8> {
        let tfhd = [words(&[self.track]), words(&self.tfhd.1)].concat();
        let tfhd = full("tfhd", 0, self.tfhd.0, &tfhd);
        let write = |offset: i32| {
            let mut fields = words(&[self.sizes.len() as u32, offset as u32, self.first]);
            for (number, size) in self.sizes.iter().enumerate() {
                let last = number + 1 == self.sizes.len();
                fields.extend(words(&[if last { 6_666_668 } else { 6_666_666 }, *size]));
            }
            let trun = full("trun", 0, 0x305, &fields);
            let traf = boxed("traf", &[&tfhd[..], &self.before, &trun, &self.behind].concat());
            boxed("moof", &[full("mfhd", 0, 0, &words(&[self.sequence])), traf].concat())
        };
        let header = if self.large { 16 } else { 8 };
        write((write(0).len() + self.between.len() + header) as i32 + self.shift)
    }

    fn mdat(&self) -> Vec<u8> {
        let len: u32 = self.sizes.iter().sum();
        let payload: Vec<u8> = (0..len).map(|byte| byte as u8 ^ 0x5a).collect();
        match self.large {
            false => boxed("mdat", &payload),
            true => {
                let size = (16 + u64::from(len)).to_be_bytes();
                [&words(&[1])[..], b"mdat", &size, &payload].concat()
            }
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        [self.moof(), self.between.clone(), self.mdat()].concat()
    }
}

// Taking a body.

pub(super) struct Taken {
    pub(super) units: Vec<Unit>,
    pub(super) end: Result<BodyEnd, Error>,
    pub(super) known: Option<Known>,
}

pub(super) fn take_with(intake: Intake, body: &[u8], step: usize) -> Taken {
    let (mut intake, mut units) = (intake, Vec::new());
    for piece in body.chunks(step) {
        if let Err(error) = intake.push(&Bytes::copy_from_slice(piece), &mut units) {
            return Taken { units, end: Err(error), known: None };
        }
    }
    let known = intake.known().cloned();
    let end = intake.end(&mut units);
    Taken { units, end: Ok(end), known }
}

fn text(taken: &Taken) -> String {
    format!("{:?} {:?}", taken.units, taken.end)
}

/// Takes a body in pieces of several sizes, which must give the same.
pub(super) fn take(parts: &[Vec<u8>]) -> Taken {
    let (body, limits) = (parts.concat(), LiveLimits::default());
    let whole = take_with(Intake::new(&limits), &body, body.len().max(1));
    for step in [1, 2, 7, 100, 1000] {
        let pieces = take_with(Intake::new(&limits), &body, step);
        assert_eq!(text(&pieces), text(&whole), "in pieces of {step}");
    }
    whole
}

impl Taken {
    pub(super) fn headers(&self) -> Vec<&Header> {
        let headers = self.units.iter().filter_map(|unit| match unit {
            Unit::Header(header) => Some(header),
            _ => None,
        });
        headers.collect()
    }

    pub(super) fn fragments(&self) -> Vec<&Arrived> {
        let fragments = self.units.iter().filter_map(|unit| match unit {
            Unit::Fragment(arrived) => Some(arrived),
            _ => None,
        });
        fragments.collect()
    }

    pub(super) fn refused(&self) -> Vec<String> {
        let of = |unit: &Unit| match unit {
            Unit::Refused { track_id, error } => Some(format!("{track_id:?} {error}")),
            _ => None,
        };
        self.units.iter().filter_map(of).collect()
    }

    pub(super) fn error(&self) -> &Error {
        self.end.as_ref().expect_err("it is refused")
    }

    pub(super) fn ends_stream(&self) -> bool {
        matches!(self.units.last(), Some(Unit::EndOfStream))
    }
}

fn boxes(bytes: &Bytes) -> Boxes {
    Boxes::parse(bytes, 0, &Limits::default()).unwrap()
}

fn traf(arrived: &Arrived) -> Boxes {
    boxes(&arrived.bytes).path(&[*b"moof", *b"traf"]).unwrap().clone()
}

/// The samples, found by the offset of the run.
pub(super) fn samples(arrived: &Arrived) -> Vec<u8> {
    let traf = traf(arrived);
    let runs = traf.all::<Trun>().map(|trun| {
        let from = usize::try_from(trun.data_offset.unwrap()).unwrap();
        let len: u32 = trun.samples().map(|sample| sample.size.unwrap()).sum();
        arrived.bytes[from..from + len as usize].to_vec()
    });
    runs.collect::<Vec<_>>().concat()
}

pub(super) fn payload(len: u8) -> Vec<u8> {
    (0..len).map(|byte| byte ^ 0x5a).collect()
}

// The header.

#[test]
fn headers_in_any_order_say_the_same() {
    let orders = [
        vec![ftyp(), lsm(), both()],
        vec![lsm(), ftyp(), both()],
        vec![ftyp(), both(), lsm()],
        vec![both(), boxed("free", b"abc"), lsm()],
    ];
    let of = |parts: &[Vec<u8>]| {
        let taken = take(&[parts.concat(), fragment(1, 0).bytes()]);
        assert_eq!((taken.headers().len(), taken.fragments().len()), (1, 1));
        assert_eq!(taken.end.clone().unwrap(), BodyEnd::Complete);
        taken.headers()[0].clone()
    };
    let header = of(&orders[0]);
    assert!(orders.iter().all(|parts| of(parts) == header));
    let [video, audio] = &header.tracks[..] else { panic!("two tracks") };
    assert_eq!((video.track_id, video.kind), (1, StreamKind::Video));
    assert_eq!((video.server.name(), video.server.bitrate()), ("video_und", Some(700_000)));
    assert_eq!((video.server.value("src"), video.server.value("Custom")), (None, Some("kept")));
    // Not the one that was cut off, and the name that the encoder chose.
    let private_data = video.server.value("CodecPrivateData").unwrap();
    assert!(private_data.starts_with("000000016764000B") && private_data.ends_with("68EBCCB22C"));
    assert_eq!(video.server.value("FourCC"), Some("AVC1"));
    let of = |name| audio.server.value(name);
    assert_eq!((audio.server.name(), audio.server.language()), ("audio_eng", Some("eng")));
    assert_eq!((of("FourCC"), of("CodecPrivateData")), (Some("AACL"), Some("1188")));
    assert_eq!((of("SamplingRate"), of("Channels")), (Some("48000"), Some("1")));
    assert_eq!((audio.timescale.get(), audio.server.bitrate()), (10_000_000, Some(0)));
}

#[test]
fn a_header_alone_is_known_when_the_body_ends_and_an_empty_body_is_a_probe() {
    let taken = take(&[ftyp(), both()]);
    assert_eq!((taken.headers().len(), taken.end.clone().unwrap()), (1, BodyEnd::Complete));
    let names = taken.headers()[0].tracks.iter().map(|track| track.server.name());
    assert_eq!(names.collect::<Vec<_>>(), ["video", "audio"]);
    let taken = take(&[]);
    assert_eq!((taken.units.len(), taken.end.unwrap()), (0, BodyEnd::Empty));
}

#[test]
fn tracks_without_a_name_are_named_by_kind_and_language() {
    let german = |id, handler, entry| Trak { language: 0x10b5, ..trak(id, handler, entry) };
    let text = boxed("stpp", &[&[0, 0, 0, 0, 0, 0, 0, 1][..], b"ns\0\0\0"].concat());
    let traks = [
        trak(1, "vide", avc1()),
        german(2, "soun", mp4a([0x11, 0x88])),
        german(3, "subt", text.clone()),
        trak(4, "sbtl", text),
        trak(9, "hint", mp4a([0x11, 0x88])),
    ];
    let taken = take(&[ftyp(), lsm(), moov(&traks)]);
    let header = taken.headers()[0];
    let names: Vec<_> = header.tracks.iter().map(|track| track.server.name()).collect();
    // The manifest has the first two, and the last is no track of media.
    assert_eq!(names, ["video_und", "audio_eng", "text_deu", "text"]);
    let taken = take(&[moov(&traks)]);
    let header = taken.headers()[0];
    let names: Vec<_> = header.tracks.iter().map(|track| track.server.name()).collect();
    assert_eq!(names, ["video", "audio_deu", "text_deu", "text"]);
    assert_eq!(header.tracks[1].server.language(), Some("deu"));
}

#[test]
fn sounds_of_one_name_and_bitrate_get_names_of_their_own() {
    let smil = r#"<smil><body><switch>
        <audio systemBitrate="64000"><param name="trackID" value="1"/></audio>
        <audio systemBitrate="64000"><param name="trackID" value="2"/></audio>
        <audio systemBitrate="96000"><param name="trackID" value="3"/></audio>
        <audio systemBitrate="64000"><param name="trackID" value="4"/></audio>
        </switch></body></smil>"#;
    let mp4a = || mp4a([0x11, 0x88]);
    let traks: Vec<_> = (1..5).map(|id| trak(id, "soun", mp4a())).collect();
    let utf_16: Vec<u8> =
        std::iter::once(0xfeff).chain(smil.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for document in [smil.as_bytes(), &utf_16] {
        let taken = take(&[uuid(MANIFEST, 0, document), moov(&traks)]);
        let tracks = &taken.headers()[0].tracks;
        let names: Vec<_> = tracks.iter().map(|track| track.server.name()).collect();
        assert_eq!(names, ["audio", "audio_2", "audio", "audio_3"]);
    }
    // A manifest that cannot be read is reported, and the `moov` is enough.
    let taken = take(&[uuid(MANIFEST, 0, b"<html/>"), moov(&traks)]);
    assert_eq!((taken.refused().len(), taken.headers().len()), (1, 1));
}

#[test]
fn the_head_of_a_track_is_a_file_of_this_track_alone() {
    let taken = take(&[ftyp(), lsm(), both()]);
    for track in &taken.headers()[0].tracks {
        let head = boxes(&track.head);
        let kinds: Vec<_> = head.list.iter().map(|item| item.header.kind.to_string()).collect();
        assert_eq!(kinds, ["ftyp", "moov"]);
        let moov = head.inside(*b"moov").unwrap();
        assert_eq!(moov.each(*b"trak").count(), 1);
        let trak = moov.inside(*b"trak").unwrap();
        let tkhd = trak.get::<smooth_origin::bmff::Tkhd>().unwrap();
        assert_eq!((tkhd.track_id, tkhd.duration), (track.track_id, 0));
        let mdhd = trak.inside(*b"mdia").unwrap().get::<smooth_origin::bmff::Mdhd>().unwrap();
        assert_eq!((mdhd.duration, mdhd.timescale), (0, 10_000_000));
        let trexs: Vec<_> = moov.each(*b"mvex").flat_map(|mvex| &mvex.list).collect();
        assert_eq!(trexs.len(), 1);
        let mvhd = &moov.list[0];
        assert_eq!(mvhd.rest[76..], (track.track_id + 1).to_be_bytes());
        assert!(!track.head.windows(4).any(|word| word == b"udta"));
    }
}

#[test]
fn a_repeated_header_is_no_unit_and_new_codec_data_is() {
    let fragment = || fragment(1, 0).bytes();
    let mut later = both();
    // The movie's timescale and the encoder's name, which differ with each connection of ffmpeg.
    later[8 + 8 + 12 + 2] ^= 1;
    let name = later.windows(4).position(|word| word == b"enco").unwrap();
    later[name] = b'E';
    let same =
        [ftyp(), lsm(), both(), fragment(), ftyp(), lsm(), both(), fragment(), later, fragment()];
    let taken = take(&same);
    assert_eq!((taken.headers().len(), taken.fragments().len()), (1, 3));
    let other = moov(&[trak(1, "vide", avc1()), trak(2, "soun", mp4a([0x12, 0x10]))]);
    let taken = take(&[ftyp(), both(), fragment(), other, fragment()]);
    let [old, new] = taken.headers()[..] else { panic!("two headers") };
    assert_eq!(old.tracks[0].codec, new.tracks[0].codec);
    assert_ne!(old.tracks[1].codec, new.tracks[1].codec);
    assert!(matches!(taken.units[2], Unit::Header(_)), "before its fragments");
}

#[test]
fn a_stream_manifest_lists_the_streams() {
    let list =
        br#"<smil><body><ref src="Streams(a)"/><ref src="Events(e)/Streams(b)"/></body></smil>"#;
    let taken = take(&[ftyp(), uuid(STREAMS, 0, list), lsm(), both()]);
    let Unit::StreamManifest(manifest) = &taken.units[0] else { panic!("{}", text(&taken)) };
    let streams: Vec<_> = manifest.streams.iter().map(ToString::to_string).collect();
    assert_eq!(streams, ["Streams(a)", "Events(e)/Streams(b)"]);
}

// Fragments.

#[test]
fn a_fragment_of_smooth_streaming_stays_as_it_was_pushed() {
    let mut odd = fragment(2, -213_333);
    // What the crate does not know, and a version of `tfxd` with more behind its times.
    odd.before = [full("wxyz", 0, 0, b"unknown"), uuid(77, 3, b"more")].concat();
    let times = [(-213_333_i64).to_be_bytes(), 19_413_333_i64.to_be_bytes(), *b"an index"];
    odd.behind = uuid(TFXD, 2, &times.concat());
    let large = Fragment { large: true, ..fragment(1, 20_000_000) };
    let skipped = [
        boxed("styp", b"msdh\0\0\0\0msdh"),
        full("sidx", 1, 0, &[0; 40]),
        boxed("free", b""),
        full("prft", 1, 0, &[0; 24]),
        uuid(5, 0, b"?"),
        full("emsg", 0, 0, b"?"),
    ];
    let body = [
        [ftyp(), lsm(), both()].concat(),
        fragment(1, 0).bytes(),
        odd.bytes(),
        skipped.concat(),
        large.bytes(),
        boxed("mfra", b""),
    ];
    let taken = take(&body);
    assert!(taken.ends_stream() && taken.refused().is_empty());
    let found = taken.fragments();
    for (arrived, pushed) in found.iter().zip([fragment(1, 0), odd, large]) {
        assert_eq!(arrived.bytes, pushed.bytes());
        assert_eq!(arrived.moof as usize, pushed.moof().len());
        assert_eq!((arrived.track_id, arrived.sequence), (pushed.track, 7));
    }
    let times: Vec<_> = found.iter().map(|arrived| (arrived.time, arrived.duration)).collect();
    assert_eq!(times, [(0, 20_000_000), (-213_333, 19_413_333), (20_000_000, 20_000_000)]);
}

#[test]
fn times_of_32_bits_become_64_and_boxes_before_the_mdat_are_left_out() {
    let mut short = fragment(1, 0);
    short.behind = uuid(TFXD, 0, &words(&[40_000_000, 20_000_000]));
    short.between = [boxed("free", &[0; 10]), uuid(6, 0, b"")].concat();
    let astray = Fragment { shift: -9, ..fragment(1, 60_000_000) };
    let taken = take(&[both(), short.bytes(), astray.bytes()]);
    let [short, astray] = taken.fragments()[..] else { panic!("{:?}", taken.refused()) };
    assert_eq!((short.time, short.duration), (40_000_000, 20_000_000));
    let boxes = boxes(&short.bytes);
    assert_eq!(boxes.list.len(), 2);
    let tfxd = traf(short).get::<Tfxd>().unwrap().clone();
    assert_eq!((tfxd.full.version, tfxd.time), (1, 40_000_000));
    // An offset that leads into the `moof`, of samples that fill the `mdat`.
    assert_eq!((samples(short), samples(astray)), (payload(12), payload(12)));
}

#[test]
fn fragments_of_cmaf_are_rewritten_at_the_times_of_their_edit_list() {
    let video = Trak { timescale: 12_800, edits: vec![(0, 1024)], ..trak(1, "vide", avc1()) };
    let tfdt = |time: u64| full("tfdt", 1, 0, &time.to_be_bytes());
    let cmaf = |time: u64| Fragment {
        tfhd: (0x2_0020, vec![0x101_0000]),
        before: tfdt(time),
        behind: Vec::new(),
        ..fragment(1, 0)
    };
    let styp = |brand: &[u8]| boxed("styp", &[b"msdh\0\0\0\0msdh", brand].concat());
    let header = [boxed("ftyp", b"cmf2\0\0\0\0cmfc"), moov(&[video])].concat();
    let taken =
        take(&[header.clone(), styp(b""), cmaf(1024).bytes(), styp(b""), cmaf(20_001_024).bytes()]);
    assert_eq!(taken.headers()[0].tracks[0].timescale.get(), 12_800);
    let found = taken.fragments();
    assert_eq!(found.iter().map(|arrived| arrived.time).collect::<Vec<_>>(), [0, 20_000_000]);
    for arrived in found {
        let traf = traf(arrived);
        assert_eq!(traf.get::<Tfxd>().unwrap().time as i64, arrived.time);
        assert_eq!(traf.get::<Tfxd>().unwrap().duration, 20_000_000);
        assert_eq!(samples(arrived), payload(12));
        assert!(arrived.is_key && traf.get::<Tfhd>().unwrap().base_data_offset.is_none());
    }
    // The next segment comes with a request of its own, without the header.
    let limits = LiveLimits::default();
    let alone = [styp(b"lmsg"), cmaf(40_001_024).bytes()].concat();
    let intake = Intake::continuing(&limits, taken.known.unwrap());
    let next = take_with(intake, &alone, 9);
    assert_eq!((next.fragments()[0].time, next.headers().len()), (40_000_000, 0));
    assert!(next.ends_stream(), "it is the last one");
    let error = take(&[alone]).error().kind.clone();
    assert!(matches!(error, ErrorKind::NoHeader), "{error}");
    assert_eq!((error.status(), error.code()), (412, "no-header"));
}

/// Chunks of CMAF of track 1 or 2, a second each, with the letters of their samples as payload.
pub(super) fn chunk(track: u32, number: u64, first: u32) -> Vec<u8> {
    let time = number * 20_000_000;
    let fragment = Fragment {
        tfhd: (0x2_0020, vec![if track == 1 { 0x101_0000 } else { 0x200_0000 }]),
        before: full("tfdt", 1, 0, &time.to_be_bytes()),
        behind: Vec::new(),
        first,
        sequence: number as u32 + 1,
        ..fragment(track, 0)
    };
    fragment.bytes()
}

#[test]
fn pictures_that_are_reordered_begin_when_their_fragment_does() {
    let video = Trak { timescale: 12_800, edits: vec![(0, 1024)], ..trak(1, "vide", avc1()) };
    let header = [boxed("ftyp", b"cmf2\0\0\0\0cmfc"), moov(&[video])].concat();
    // Each sample lasts 512, and the first is shown two later than it is decoded.
    let chunk = |decoded: u64, key: u32, offsets: [u32; 3]| {
        let write = |data_offset: u32| {
            let mut fields = words(&[3, data_offset, key]);
            offsets.iter().for_each(|offset| fields.extend(words(&[512, 4, *offset])));
            let tfhd = full("tfhd", 0, 0x2_0020, &words(&[1, INNER]));
            let tfdt = full("tfdt", 1, 0, &decoded.to_be_bytes());
            let traf = [tfhd, tfdt, full("trun", 0, 0xb05, &fields)].concat();
            boxed("moof", &[full("mfhd", 0, 0, &words(&[1])), boxed("traf", &traf)].concat())
        };
        let moof = write(write(0).len() as u32 + 8);
        [moof, boxed("mdat", &payload(12))].concat()
    };
    let offsets = |arrived: &Arrived| -> Vec<i32> {
        let trun = traf(arrived).get::<Trun>().unwrap().clone();
        trun.samples().map(|sample| sample.composition_offset.unwrap_or(0)).collect()
    };
    let styp = || boxed("styp", b"msdh\0\0\0\0");
    let (first, second) = ([1024, 2048, 0], [2048, 0, 1024]);
    let long = 3 * 512;
    // A segment of two chunks, and then segments of one, the last of which is not held.
    let one = chunk(0, KEY, first);
    let taken = take(&[header.clone(), styp(), one.clone(), chunk(long, INNER, second)]);
    assert_eq!(times(&taken), [(0, 2 * long, true)]);
    let joined = taken.fragments()[0];
    assert_eq!(offsets(joined), [0, 1024, -1024, 1024, -1024, 0]);
    assert_eq!(samples(joined), payload(12).repeat(2));
    let next = |at: u64| [styp(), chunk(at * long, KEY, first)].concat();
    let taken = take(&[header, styp(), one, next(1), next(2)]);
    assert_eq!(taken.fragments().len(), 3);
    for arrived in taken.fragments() {
        assert_eq!(offsets(arrived), [0, 1024, -1024]);
        assert_eq!(samples(arrived), payload(12));
    }
}

pub(super) const KEY: u32 = 0x200_0000;
pub(super) const INNER: u32 = 0x101_0000;

pub(super) fn times(taken: &Taken) -> Vec<(i64, u64, bool)> {
    taken.fragments().iter().map(|a| (a.time, a.duration, a.is_key)).collect()
}

#[test]
fn the_chunks_of_a_segment_become_one_fragment() {
    let styp = || boxed("styp", b"msdh\0\0\0\0msdh");
    let prft = || full("prft", 1, 0, &[0; 24]);
    let second = 20_000_000;
    let segment = |from: u64| {
        let chunks =
            [chunk(1, from, KEY), prft(), chunk(1, from + 1, INNER), chunk(1, from + 2, KEY)];
        [styp(), chunks.concat()].concat()
    };
    let taken = take(&[both(), segment(0), segment(3), boxed("mfra", b"")]);
    assert_eq!(times(&taken), [(0, 3 * second, true), (3 * second as i64, 3 * second, true)]);
    assert!(taken.ends_stream());
    for (number, arrived) in taken.fragments().into_iter().enumerate() {
        assert_eq!(samples(arrived), payload(12).repeat(3));
        assert_eq!(arrived.sequence as usize, 3 * number + 1);
        let trun = traf(arrived).get::<Trun>().unwrap().clone();
        let flags: Vec<_> = trun.samples().map(|sample| sample.flags.unwrap()).collect();
        assert_eq!(flags, [KEY, INNER, INNER, INNER, INNER, INNER, KEY, INNER, INNER]);
        assert_eq!(traf(arrived).get::<Tfxd>().unwrap().time as i64, arrived.time);
    }
    // Without `styp`, a key frame begins a segment of video, and sound is not held.
    let plain = [both(), chunk(1, 0, KEY), chunk(2, 0, KEY), chunk(2, 1, KEY), chunk(1, 1, KEY)];
    let taken = take(&plain);
    assert_eq!(taken.fragments().iter().map(|a| a.track_id).collect::<Vec<_>>(), [1, 2, 2, 1]);
    let taken = take(&[both(), chunk(1, 0, KEY), chunk(1, 1, INNER), chunk(1, 2, KEY)]);
    assert_eq!(times(&taken), [(0, 2 * second, true), (2 * second as i64, second, true)]);
    // One that does not follow is not joined: the samples behind the gap would move.
    let taken = take(&[both(), styp(), chunk(1, 0, KEY), chunk(1, 2, INNER)]);
    assert_eq!(times(&taken), [(0, second, true), (2 * second as i64, second, false)]);
}

#[test]
fn segments_of_one_chunk_are_held_only_at_the_beginning() {
    let segment = |number| [boxed("styp", b"msdh\0\0\0\0"), chunk(1, number, KEY)].concat();
    let mut intake = Intake::new(&LiveLimits::default());
    let mut counts = Vec::new();
    let mut units = Vec::new();
    for part in [both(), segment(0), segment(1), segment(2), segment(3)] {
        intake.push(&part.into(), &mut units).unwrap();
        counts.push(units.iter().filter(|unit| matches!(unit, Unit::Fragment(_))).count());
    }
    // The third one shows that the first two were whole.
    assert_eq!(counts, [0, 0, 1, 3, 4]);
    // A late chunk of a segment that was passed on; from then on they are held.
    let late = [chunk(1, 4, INNER), segment(5), chunk(1, 6, INNER), segment(7)].concat();
    intake.push(&late.into(), &mut units).unwrap();
    intake.end(&mut units);
    let of = |unit: &Unit| {
        if let Unit::Fragment(a) = unit { Some(a.duration / 20_000_000) } else { None }
    };
    let durations: Vec<_> = units.iter().filter_map(of).collect();
    assert_eq!(durations, [1, 1, 1, 1, 1, 2, 1]);
}

#[test]
fn the_first_segment_may_be_a_part_of_one() {
    let styp = || boxed("styp", b"msdh\0\0\0\0");
    let segment = |from| [styp(), chunk(1, from, KEY), chunk(1, from + 1, INNER)].concat();
    let taken = take(&[both(), styp(), chunk(1, 0, KEY), segment(1), segment(3)]);
    let second = 20_000_000;
    let expected = [(0, second, true), (second as i64, 2 * second, true)];
    assert_eq!(times(&taken), [&expected[..], &[(3 * second as i64, 2 * second, true)]].concat());
}

#[test]
fn encrypted_chunks_stay_fragments_of_their_own() {
    let encrypted = |number: u64, first| {
        let time = number * 20_000_000;
        Fragment {
            tfhd: (0x2_0020, vec![INNER]),
            before: full("tfdt", 1, 0, &time.to_be_bytes()),
            behind: full("senc", 0, 0, &[&words(&[3])[..], &[9; 24]].concat()),
            first,
            ..fragment(1, 0)
        }
    };
    let body = [both(), encrypted(0, KEY).bytes(), encrypted(1, INNER).bytes()];
    let taken = take(&body);
    assert_eq!(times(&taken), [(0, 20_000_000, true), (20_000_000, 20_000_000, false)]);
    for arrived in taken.fragments() {
        assert!(traf(arrived).get::<smooth_origin::bmff::uuid::PiffSenc>().is_some());
    }
}

#[test]
fn encrypted_pictures_that_are_reordered_begin_when_their_fragment_does() {
    let header = [boxed("ftyp", b"cmf2\0\0\0\0cmfc"), moov(&[trak(1, "vide", avc1())])].concat();
    let ivs = || [&words(&[3])[..], &[9; 24]].concat();
    // Each sample lasts 512, and the first is shown two later than it is decoded.
    let chunk = |decoded: u64, offsets: [u32; 3]| {
        let write = |data_offset: u32, aux: u32| {
            let mut fields = words(&[3, data_offset, KEY]);
            offsets.iter().for_each(|offset| fields.extend(words(&[512, 4, *offset])));
            let boxes = [
                full("tfhd", 0, 0x2_0020, &words(&[1, INNER])),
                full("tfdt", 1, 0, &decoded.to_be_bytes()),
                full("trun", 0, 0xb05, &fields),
                full("saiz", 0, 0, &[&[8][..], &words(&[3])].concat()),
                full("saio", 0, 0, &words(&[1, aux])),
                full("senc", 0, 0, &ivs()),
            ];
            let traf = boxed("traf", &boxes.concat());
            boxed("moof", &[full("mfhd", 0, 0, &words(&[1])), traf].concat())
        };
        let len = write(0, 0).len() as u32;
        [write(len + 8, len - 24), boxed("mdat", &payload(12))].concat()
    };
    let segment =
        |decoded| [boxed("styp", b"msdh\0\0\0\0"), chunk(decoded, [1024, 2048, 0])].concat();
    let taken = take(&[header, segment(0), segment(1536)]);
    let times: Vec<_> = times(&taken).iter().map(|of| of.0).collect();
    assert_eq!(times, [1024, 1024 + 1536], "the time at which the first picture is shown");
    for (arrived, time) in taken.fragments().into_iter().zip(times) {
        let traf = traf(arrived);
        let trun = traf.get::<Trun>().unwrap();
        let offsets: Vec<_> = trun.samples().map(|of| of.composition_offset.unwrap()).collect();
        assert_eq!((offsets, trun.full.version), (vec![0, 1024, -1024], 1));
        let said = (traf.get::<Tfxd>().unwrap().time, traf.get::<Tfdt>().unwrap());
        assert_eq!((said.0, said.1.base_media_decode_time), (time as u64, time as u64));
        // The samples are at the same offset, and so are the vectors.
        assert_eq!(samples(arrived), payload(12));
        assert_eq!(u64::from(trun.data_offset.unwrap().unsigned_abs()), arrived.moof + 8);
        let ivs = traf.get::<smooth_origin::bmff::uuid::PiffSenc>().unwrap().0.clone();
        assert_eq!(ivs.sample_count, 3);
    }
}

#[test]
fn without_any_time_a_fragment_begins_where_the_one_before_ended() {
    let untimed = |track| Fragment { behind: Vec::new(), ..fragment(track, 0) };
    let taken = take(&[
        both(),
        untimed(1).bytes(),
        untimed(2).bytes(),
        untimed(1).bytes(),
        fragment(2, 70_000_000).bytes(),
        untimed(2).bytes(),
    ]);
    let times: Vec<_> = taken.fragments().iter().map(|a| (a.track_id, a.time)).collect();
    let expected = [(1, 0), (2, 0), (1, 19_999_999 + 1), (2, 70_000_000), (2, 90_000_000)];
    assert_eq!(times, expected);
}

#[test]
fn an_absolute_offset_of_one_track_is_made_right() {
    let start = both().len() as u64;
    let mut absolute = fragment(1, 0);
    absolute.tfhd = (0x1, words_of(start));
    let taken = take(&[both(), absolute.bytes()]);
    let [arrived] = taken.fragments()[..] else { panic!("{:?}", taken.refused()) };
    assert_eq!(traf(arrived).get::<Tfhd>().unwrap().base_data_offset, None);
    assert_eq!((samples(arrived), arrived.time), (payload(12), 0));
}

fn words_of(long: u64) -> Vec<u32> {
    vec![(long >> 32) as u32, long as u32]
}

#[test]
fn a_fragment_says_whether_it_begins_with_a_key_frame() {
    let inner = Fragment { first: 0x101_0000, ..fragment(1, 0) };
    // Expression Encoder: all flags are in the wrong bits, and `sdtp` is right.
    let sdtp = |bytes: &[u8]| full("sdtp", 0, 0, bytes);
    let tfxd = fragment(1, 0).behind;
    let encoder = |bytes: &[u8]| Fragment {
        tfhd: (0x20, vec![0x4001]),
        first: 0x4002,
        behind: [sdtp(bytes), tfxd.clone()].concat(),
        ..fragment(1, 0)
    };
    let silent = Fragment { tfhd: (0x20, vec![0]), first: 0, ..fragment(1, 0) };
    let sound = Fragment { track: 2, ..inner.clone() };
    let body = [
        fragment(1, 0),
        inner,
        encoder(&[0x24, 0x14, 0x14]),
        encoder(&[0x14, 0x14, 0x14]),
        silent,
        sound,
    ];
    let taken = take(&[both(), body.iter().flat_map(Fragment::bytes).collect()]);
    let keys: Vec<_> = taken.fragments().iter().map(|arrived| arrived.is_key).collect();
    assert_eq!(keys, [true, false, true, false, true, true]);
}

// What is refused.

#[test]
fn a_broken_fragment_is_left_out_and_the_next_ones_go_on() {
    let good = || fragment(1, 0).bytes();
    let patched = |kind: &[u8; 4], at: isize, with: &[u8]| {
        let mut bytes = good();
        let from = bytes.windows(4).position(|word| word == kind).unwrap().wrapping_add_signed(at);
        bytes[from..from + with.len()].copy_from_slice(with);
        bytes
    };
    let long = Fragment { sizes: vec![5, 3, 40], ..fragment(1, 0) };
    let late = fragment(1, i64::MAX - 5);
    let still = Fragment { behind: uuid(TFXD, 1, &[0; 3]), ..fragment(1, 0) };
    for (broken, says) in [
        (patched(b"trun", 8, &[9]), "Some(1) moof/traf/trun at byte "),
        (patched(b"trun", -4, &[0, 0, 1]), "Some(1) moof/traf"),
        (patched(b"tfhd", 8, &[0, 0, 0, 9]), "Some(9) moof at byte "),
        (fragment(3, 0).bytes(), "Some(3) moof at byte "),
        ([long.moof(), fragment(1, 0).mdat()].concat(), "sample data outside"),
        (late.bytes(), "a fragment at 9223372036854775802 of 20000000 ticks"),
        (still.bytes(), "no `tfxd` that can be read"),
        (fragment(1, 0).moof(), "no `mdat` behind its `moof`"),
        (fragment(1, 0).mdat(), "no `moof` before its `mdat`"),
    ] {
        let taken = take(&[both(), good(), broken, good(), boxed("mfra", b"")]);
        let refused = taken.refused();
        let [refused] = &refused[..] else { panic!("{says}: {refused:?}") };
        assert!(refused.contains(says), "{refused}");
        assert_eq!(taken.fragments().len(), 2, "{says}");
        assert!(taken.ends_stream());
    }
}

#[test]
fn what_is_too_large_is_left_out_before_there_is_memory_for_it() {
    let claims = |kind: &[u8], size: u64| [&words(&[1])[..], kind, &size.to_be_bytes()].concat();
    let limits = LiveLimits::default().fragment(2000).moof(300).header(4000);
    let body = |middle: &[u8]| [&both()[..], &fragment(1, 0).moof(), middle].concat();
    let whole = body(&[claims(b"mdat", 5000), vec![0; 4984], fragment(1, 0).bytes()].concat());
    let taken = take_with(Intake::new(&limits), &whole, 64);
    assert_eq!(taken.refused().len(), 1);
    assert!(taken.refused()[0].contains("bytes of a fragment"), "{:?}", taken.refused());
    assert_eq!(taken.fragments().len(), 1);

    let large = [boxed("moof", &[0; 400]), fragment(1, 0).mdat(), fragment(1, 0).bytes()].concat();
    let taken = take_with(Intake::new(&limits), &[both(), large].concat(), 64);
    assert_eq!((taken.refused().len(), taken.fragments().len()), (1, 1));

    // The size is refused, not the bytes.
    for huge in [claims(b"moov", 1 << 40), boxed("moov", &[0; 5000])] {
        let taken = take_with(Intake::new(&limits), &huge, 8);
        assert!(matches!(taken.error().kind, ErrorKind::Budget { limit: 4000, .. }));
    }
    let traks: Vec<_> = (1..5).map(|id| trak(id, "vide", avc1())).collect();
    let limits = LiveLimits::default().tracks(3);
    let taken =
        take_with(Intake::new(&limits), &[moov(&traks), fragment(1, 0).bytes()].concat(), 99);
    assert!(taken.error().to_string().contains("tracks of a header: 4"), "{}", taken.error());
}

#[test]
fn what_cannot_be_understood_is_refused_as_a_whole() {
    let two = {
        let traf = |track: u32| {
            let tfhd = full("tfhd", 0, 1, &words(&[track, 0, 0]));
            boxed("traf", &[tfhd, full("trun", 0, 1, &words(&[0, 0]))].concat())
        };
        let mfhd = full("mfhd", 0, 0, &words(&[1]));
        [boxed("moof", &[mfhd, traf(1), traf(2)].concat()), boxed("mdat", &[0; 9])].concat()
    };
    let mut sizeless = both();
    sizeless[..4].copy_from_slice(&[0; 4]);
    let mut progressive = both();
    let stsz = progressive.windows(4).position(|word| word == b"stsz").unwrap();
    progressive[stsz + 15] = 1;
    for (parts, status, says) in [
        (vec![both(), two], 415, "a `moof` of several tracks: push each track"),
        (vec![ftyp(), lsm(), sizeless], 500, "a box of size 0"),
        (vec![fragment(1, 0).bytes()], 412, "no header (`moov`) came before the fragments"),
        (vec![fragment(1, 0).mdat()], 412, "no header"),
        (vec![ftyp(), boxed("mdat", b"x")], 412, "no header"),
        (vec![b"POST / HTTP/1.1\r\n\r\n".to_vec()], 500, "a body that begins with ` / H`"),
        (vec![progressive, fragment(1, 0).bytes()], 415, "a header with samples of its own"),
        (vec![boxed("moov", b""), fragment(1, 0).bytes()], 500, "no `trak` that can be read"),
        (
            vec![moov(&[trak(1, "vide", avc1()), trak(1, "vide", avc1())]), fragment(1, 0).bytes()],
            500,
            "two tracks of number 1",
        ),
    ] {
        let taken = take(&parts);
        let error = taken.error();
        assert!(error.to_string().contains(says), "{says}: {error}");
        assert_eq!(error.kind.status(), status, "{says}");
    }
}

#[test]
fn a_body_that_is_cut_off_says_how_much_of_it_is_of_no_use() {
    let body = [both(), fragment(1, 0).bytes()].concat();
    let fragment = fragment(1, 20_000_000);
    let next = fragment.bytes();
    for len in 0..=next.len() {
        let body = [&body[..], &next[..len]].concat();
        let taken = take_with(Intake::new(&LiveLimits::default()), &body, 50);
        let end = match len == 0 || len == next.len() {
            true => BodyEnd::Complete,
            false => BodyEnd::Cut { bytes: len as u64 },
        };
        assert_eq!(taken.end.unwrap(), end, "{len}");
    }
}

// Look-ahead.

fn announced(arrived: &Arrived) -> Vec<(u64, u64)> {
    let traf = traf(arrived);
    let of = |tfrf: &Tfrf| tfrf.entries.iter().map(|e| (e.time, e.duration)).collect();
    traf.get::<Tfrf>().map(of).unwrap_or_default()
}

/// The boxes of a `traf` but those of times and the runs, as bytes.
fn others(arrived: &Arrived) -> Vec<Bytes> {
    let is_other = |item: &&AnyBox| {
        let extended = item.header.extended;
        let has_offsets = matches!(&item.header.kind.0, b"trun" | b"saio");
        !has_offsets && extended != Some(Tfxd::UUID) && extended != Some(Tfrf::UUID)
    };
    let traf = traf(arrived);
    let kept = traf.list.iter().filter(is_other).cloned();
    kept.map(|item| Boxes::from_iter([item]).to_bytes()).collect()
}

#[test]
fn the_next_fragments_are_announced_and_nothing_else_changes() {
    // What is announced is behind `tfxd`; the auxiliary information is behind both, in a `senc`.
    let senc = full("senc", 0, 0, &[&words(&[3])[..], &[7; 24]].concat());
    let saiz = full("saiz", 0, 0, &[&[8][..], &words(&[3])].concat());
    let build = |saio: u32| Fragment {
        before: [
            full("wxyz", 0, 0, b"unknown"),
            saiz.clone(),
            full("saio", 0, 0, &words(&[1, saio])),
        ]
        .concat(),
        behind: [fragment(1, 0).behind, senc.clone(), boxed("free", &[0; 5])].concat(),
        ..fragment(1, 0)
    };
    let moof = build(0).moof();
    let entries = moof.windows(4).position(|word| word == b"senc").unwrap() + 12;
    let pushed = build(entries as u32);
    let taken = take(&[both(), pushed.bytes()]);
    let [old] = taken.fragments()[..] else { panic!("{:?}", taken.refused()) };
    assert_eq!(old.bytes, pushed.bytes());

    let limits = LiveLimits::default();
    let entry = |time| TfrfEntry { time, duration: 20_000_000 };
    let next = [entry(20_000_000), entry(40_000_000)];
    let new = old.announcing(&next, &limits).unwrap();
    assert_eq!(announced(&new), [(20_000_000, 20_000_000), (40_000_000, 20_000_000)]);
    assert_eq!(new.bytes.len(), old.bytes.len() + 61);
    assert_eq!(new.moof, old.moof + 61);
    let list = traf(&new).list;
    let at = |kind| list.iter().position(|item| item.header.extended == Some(kind)).unwrap();
    assert_eq!(at(Tfxd::UUID) + 1, at(Tfrf::UUID));
    assert_eq!(others(&new), others(old));
    assert_eq!(samples(&new), samples(old));
    let saio = traf(&new).get::<Saio>().unwrap().offsets[0] as usize;
    assert_eq!(new.bytes[saio..saio + 24], [7; 24]);

    // Announced again, with one, and with none: the fragment as it was pushed.
    let again = new.announcing(&next[..1], &limits).unwrap();
    assert_eq!(announced(&again), [(20_000_000, 20_000_000)]);
    assert_eq!(again.bytes.len(), old.bytes.len() + 45);
    assert_eq!(again.announcing(&[], &limits).unwrap(), *old);
    assert_eq!(old.announcing(&[], &limits).unwrap(), *old);

    let moved = new.moved(5, 6, &limits).unwrap();
    assert_eq!((moved.time, moved.duration, moved.bytes.len()), (5, 6, new.bytes.len()));
    let tfxd = traf(&moved).get::<Tfxd>().unwrap().clone();
    assert_eq!((tfxd.time, tfxd.duration), (5, 6));
    assert_eq!((samples(&moved), announced(&moved)), (samples(old), announced(&new)));
}

#[test]
fn room_that_an_encoder_left_behind_its_time_is_used() {
    let mut pushed = fragment(1, 0);
    pushed.behind.extend(boxed("free", &[0; 53]));
    let taken = take(&[both(), pushed.bytes()]);
    let old = taken.fragments()[0];
    let next = [TfrfEntry { time: 1 << 40, duration: 2 }; 2];
    let new = old.announcing(&next, &LiveLimits::default()).unwrap();
    assert_eq!((new.bytes.len(), new.moof), (old.bytes.len(), old.moof));
    assert_eq!(announced(&new).len(), 2);
    assert!(traf(&new).list.iter().all(|item| item.header.kind != *b"free"));
    assert_eq!(samples(&new), samples(old));
}

#[test]
fn a_rewritten_fragment_announces_too() {
    let tfdt = full("tfdt", 0, 0, &words(&[5]));
    let pushed = Fragment { before: tfdt, behind: Vec::new(), ..fragment(1, 0) };
    let taken = take(&[both(), pushed.bytes()]);
    let next = [TfrfEntry { time: 9, duration: 2 }];
    let new = taken.fragments()[0].announcing(&next, &LiveLimits::default()).unwrap();
    assert_eq!((announced(&new), samples(&new)), (vec![(9, 2)], payload(12)));
    assert_eq!(traf(&new).get::<Tfdt>().unwrap().base_media_decode_time, 5);
}

// What is made of it.

/// Stores a file per track, which is opened as a film. Returns the bytes of a path.
fn film(taken: &Taken) -> impl Fn(&str) -> Vec<u8> {
    let (store, mut manifest) = (MemoryStore::new(), ServerManifest::default());
    for track in &taken.headers()[0].tracks {
        let src = format!("{}.ismv", track.track_id);
        let mut file = track.head.to_vec();
        let own = taken.fragments().into_iter().filter(|a| a.track_id == track.track_id);
        own.for_each(|arrived| file.extend_from_slice(&arrived.bytes));
        let mut server = track.server.clone();
        if server.bitrate() == Some(0) {
            server.attributes[0].1 = (track.track_id * 1000).to_string();
        }
        server.attributes.push(("src".into(), src.clone()));
        manifest.tracks.push(server);
        store.put(Name::new(&src).unwrap(), file);
    }
    store.put(Name::new("film.ism").unwrap(), manifest.to_xml().unwrap().into_bytes());
    let origin = Origin::new(store);
    move |path| {
        let answer = block_on(origin.answer(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        let Answer::Reply(served) = answer else { panic!("{path}") };
        let (mut body, mut bytes) = (served.body(), Vec::new());
        while let Some(part) = block_on(body.next()) {
            bytes.extend_from_slice(&part.unwrap());
        }
        bytes
    }
}

#[test]
fn heads_and_fragments_are_files_of_a_presentation() {
    let body = [ftyp(), lsm(), both(), fragment(1, 0).bytes(), fragment(2, 0).bytes()];
    let taken =
        take(&[body.concat(), fragment(1, 20_000_000).bytes(), fragment(2, 20_000_000).bytes()]);
    let get = film(&taken);
    let manifest = String::from_utf8(get("/film.ism/Manifest")).unwrap();
    for says in [
        r#"Name="video_und""#,
        r#"Bitrate="700000""#,
        r#"FourCC="AACL""#,
        r#"CodecPrivateData="000000016764000B"#,
        r#"Chunks="2""#,
    ] {
        assert!(manifest.contains(says), "{says}: {manifest}");
    }
    let served = get("/film.ism/QualityLevels(700000)/Fragments(video_und=20000000)");
    assert_eq!(served, fragment(1, 20_000_000).bytes());
    let served = get("/film.ism/QualityLevels(2000)/Fragments(audio_eng=0)");
    assert_eq!(served, fragment(2, 0).bytes());
}

/// Bodies of ffmpeg itself, byte for byte.
#[test]
#[ignore = "runs ffmpeg"]
fn what_ffmpeg_pushes_is_taken_as_it_is() {
    for (flags, chunks_of_video) in [
        ("isml+frag_keyframe", 2),
        ("isml+frag_keyframe+delay_moov", 2),
        ("isml+frag_keyframe+dash", 2),
        ("isml+frag_keyframe+cmaf", 2),
        ("frag_keyframe", 2),
    ] {
        let body = pushed_by_ffmpeg(flags);
        let taken = take(std::slice::from_ref(&body));
        assert_eq!(taken.end.clone().unwrap(), BodyEnd::Complete, "{flags}");
        assert!(taken.ends_stream() && taken.refused().is_empty(), "{flags}");
        let found = taken.fragments();
        assert_eq!(found.iter().filter(|a| a.track_id == 1).count(), chunks_of_video, "{flags}");
        assert!(found.iter().all(|arrived| arrived.is_key));
        let all: usize = found.iter().map(|arrived| arrived.bytes.len()).sum();
        assert!(body.len() - all < 4000, "{flags}: the rest is the header");
        for arrived in found {
            assert!(contains(&body, &arrived.bytes), "{flags}: a fragment was changed");
        }
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

/// Two groups of pictures, and sound, as ffmpeg pushes them.
fn pushed_by_ffmpeg(flags: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.isml/Streams(a)", listener.local_addr().unwrap());
    let arguments = "-v error -f lavfi -i testsrc2=size=160x90:rate=25:duration=4 -f lavfi -i sine=duration=4 \
        -c:v libx264 -g 50 -bf 2 -pix_fmt yuv420p -c:a aac -f ismv -movflags";
    let mut command = std::process::Command::new("ffmpeg");
    command.args(arguments.split_whitespace()).args([flags, &url]);
    let mut child = command.spawn().expect("ffmpeg is installed");
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while !bytes.ends_with(b"\r\n0\r\n\r\n") {
        let len = stream.read(&mut buffer).unwrap();
        assert!(len > 0, "{flags}: the body is not whole");
        bytes.extend_from_slice(&buffer[..len]);
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    child.wait().unwrap();
    let from = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    let (mut left, mut body) = (&bytes[from..], Vec::new());
    loop {
        let end = left.windows(2).position(|end| end == b"\r\n").unwrap();
        let len = std::str::from_utf8(&left[..end]).unwrap();
        let len = usize::from_str_radix(len, 16).unwrap();
        if len == 0 {
            return body;
        }
        body.extend_from_slice(&left[end + 2..end + 2 + len]);
        left = &left[end + len + 4..];
    }
}
