//! Worst cases: inputs that are made of many of their smallest parts.

use smooth_origin::base::FourCc;
use smooth_origin::bmff::{
    AnyBox, Body, Boxes, FullBox, Mfhd, Mfro, Saiz, SampleEncryption, Sbgp, Sdtp, Senc, Subs,
    SubsEntry, Tfhd, Tfra, Trex, Trun,
};
use smooth_origin::manifest::StreamKind;

use crate::cost::Input;
use testkit::film::{self, Fragment, Media, Style, Track, ism};

/// A worst case: an input of so many parts.
pub struct Case {
    pub name: &'static str,
    pub make: fn(usize) -> Input,
    /// One more than a power of two, where a list that doubles has just been copied.
    pub parts: usize,
}

const fn case(name: &'static str, parts: usize, make: fn(usize) -> Input) -> Case {
    Case { name, make, parts }
}

const K: usize = 1 << 10;

/// Manifests, read alone.
pub const MANIFESTS: &[Case] = &[
    // A `Chunk` is 56 bytes, and two and a half times that while the list grows.
    case("c with a time", 32 * K + 1, |n| client("<c t='1'/>".repeat(n))),
    case("c without attributes", 32 * K + 1, |n| client("<c/>".repeat(n))),
    case("c with a duration", 32 * K + 1, |n| client("<c d='1'/>".repeat(n))),
    case("c with an unknown attribute", 16 * K + 1, |n| client("<c a=''/>".repeat(n))),
    case("c with an f each", 16 * K + 1, |n| client("<c><f/></c>".repeat(n))),
    // A `FragmentData` is 40.
    case("f with an index", 32 * K + 1, |n| client(format!("<c>{}</c>", "<f i='1'/>".repeat(n)))),
    case("f with data", 32 * K + 1, |n| client(format!("<c>{}</c>", "<f>A</f>".repeat(n)))),
    case("c with an f with data each", 16 * K + 1, |n| client("<c d='1'><f>A</f></c>".repeat(n))),
    case("f in one c", 32 * K + 1, |n| client(format!("<c>{}</c>", "<f/>".repeat(n)))),
    case("text of an f", 128 * K, |n| client(format!("<c><f>{}</f></c>", "A ".repeat(n)))),
    case("references in an f", 16 * K, |n| client(format!("<c><f>{}</f></c>", "&lt;".repeat(n)))),
    case("all attributes that a c may have", 128, |n| {
        let attributes: String = (0..256).map(|i| format!(" a{i:x}=''")).collect();
        client(format!("<c{attributes}/>").repeat(n))
    }),
    // Each after the first says a time, so that it is read to the end.
    case("c with a duration and an unknown attribute", 8 * K + 1, |n| {
        client("<c d='1' a=''/>".repeat(n))
    }),
    case("c with an f with an unknown attribute each", 16 * K + 1, |n| {
        client("<c d='1'><f a=''/></c>".repeat(n))
    }),
    case("f with an unknown attribute", 8 * K + 1, |n| {
        client(format!("<c>{}</c>", "<f a=''/>".repeat(n)))
    }),
    case("attributes that differ in their last letters", 4, |n| {
        let name = "a".repeat(2 * K);
        let attributes: String = (0..256).map(|i| format!(" {name}{i:03x}=''")).collect();
        client(format!("<x{attributes}/>").repeat(n))
    }),
    case("references in an attribute", 8 * K, |n| {
        client(format!("<c d='1' a='{}'/>", "&lt;".repeat(n)))
    }),
    case("references of many digits", 16, |n| {
        client(format!("<c d='1'>{}</c>", format!("&#{}65;", "0".repeat(8 * K)).repeat(n)))
    }),
    case("space before what is no c", 16, |n| {
        client(format!("<c d=\"1\"/>{}<x/>", " \n".repeat(4 * K)).repeat(n))
    }),
    case("digits of what is no number", 16, |n| {
        client(format!("<c d=\"1\"/><c d=\"{}\"/>", "1".repeat(8 * K)).repeat(n))
    }),
    case("c in letters of one byte that are two in UTF-8", 16 * K, |n| {
        let text = stream(&format!("<c d='1' a='{}'/>", "\u{1}".repeat(n)));
        let text = format!("<?xml version='1.0' encoding='windows-1252'?>{text}").into_bytes();
        Input::Client(text.into_iter().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect())
    }),
    case("comments", 8 * K, |n| client("<!---->".repeat(n))),
    // Parts that are never closed, in an element that is left out: a search for each of their ends
    // would take minutes.
    case("unclosed comments in a broken element", 64 * K, |n| broken("<!--".repeat(n))),
    case("unclosed instructions in a broken element", 64 * K, |n| broken("<?".repeat(n))),
    case("unclosed CDATA in a broken element", 32 * K, |n| broken("<![CDATA[".repeat(n))),
    case("document types in a broken element", 32 * K, |n| broken("<!DOCTYPE[>".repeat(n))),
    case("broken tags in a broken element", 16 * K, |n| broken("<y a='1' a='2'>".repeat(n))),
    case("unclosed comments in a server manifest", 32 * K, |n| {
        let inside = format!("<video/><x a='1' a='2'>{}", "<!--".repeat(n));
        Input::files([("film.ism", format!("<smil><body>{inside}</body></smil>").into())])
    }),
    case("unknown elements", 32 * K, |n| client("<x/>".repeat(n))),
    case("runs that claim sixteen million chunks", 4 * K, |n| {
        client("<c d='1' r='2000'/>".repeat(n))
    }),
    case("protection headers", 16 * K + 1, |n| {
        let headers = "<ProtectionHeader/>".repeat(n);
        presentation(&format!("<Protection>{headers}</Protection>"))
    }),
    case("protection headers with an unknown attribute", 4 * K + 1, |n| {
        let headers = "<ProtectionHeader a=''/>".repeat(n);
        presentation(&format!("<Protection>{headers}</Protection>"))
    }),
    case("streams", 512, |n| presentation(&"<StreamIndex Type='text'/>".repeat(n))),
    case("qualities", 512, |n| client("<QualityLevel/>".repeat(n))),
    case("custom attributes of qualities", 256, |n| {
        let attributes = "<Attribute/>".repeat(129);
        let attributes = format!("<CustomAttributes>{attributes}</CustomAttributes>");
        client(format!("<QualityLevel>{attributes}</QualityLevel>").repeat(n))
    }),
    case("UTF-16", 8 * K + 1, |n| {
        let text = stream(&"<c d='1000000' n='100000'/>".repeat(n)).into_bytes();
        let units = text.into_iter().flat_map(|byte| [byte, 0]);
        Input::Client([0xff, 0xfe].into_iter().chain(units).collect())
    }),
    case("meta", 8 * K + 1, |n| {
        let metas = "<meta name=''/>".repeat(n);
        Input::Server(format!("<smil><head>{metas}</head></smil>").into())
    }),
    case("tracks of a server manifest", 512, |n| server("<video/>".repeat(n))),
    case("parameters of tracks", 128, |n| {
        server(format!("<video>{}</video>", "<param name=''/>".repeat(129)).repeat(n))
    }),
    case("unknown elements of a server manifest", 16 * K, |n| server("<x/>".repeat(n))),
];

/// Request paths and names.
pub const PATHS: &[Case] = &[
    case("segments", 16 * K, |n| Input::Path("a/".repeat(n))),
    case("encoded letters", 16 * K, |n| {
        Input::Path(format!("QualityLevels(1)/Fragments({}=0)", "%41".repeat(n)))
    }),
    case("attributes of a request", 16 * K, |n| {
        Input::Path(format!("QualityLevels(1,{})/Fragments(a=0)", "a=b,".repeat(n)))
    }),
    // What is short enough to be read.
    case("encoded letters of a short path", 600, |n| {
        Input::Path(format!("QualityLevels(1)/Fragments({}=0)", "%41".repeat(n)))
    }),
];

/// Boxes, read alone.
pub const BOXES: &[Case] = &[
    // An `AnyBox` is 184 bytes: there may be one for each 32 of the block, and some more.
    case("empty boxes", 16 * K + 1, |n| Input::boxes(empty(n))),
    case("a box in a box", 16 * K + 1, |n| {
        Input::boxes((0..n).map(|_| AnyBox::container(*b"traf", empty(1))))
    }),
    case("boxes nested as deep as they may be", K, |n| {
        let header = |depth: u8| {
            let kind = if depth < 16 { *b"traf" } else { *b"free" };
            [[0, 0, 0, 8 * (17 - depth)], kind].concat()
        };
        Input::Boxes((1..=16).flat_map(header).collect::<Vec<u8>>().repeat(n).into())
    }),
    // Each level has as many boxes beside the one that holds the next.
    case("boxes at every level", 4 * K, |n| {
        let level = |inside: Vec<u8>, _| {
            let size = (inside.len() as u32 + 8).to_be_bytes();
            [&size[..], b"traf", &inside, &b"\0\0\0\x08free".repeat(n)].concat()
        };
        Input::Boxes((0..15).fold(Vec::new(), level).into())
    }),
    // A `SampleEntry` would be 88 bytes for the 16 of an empty one, a `SubsEntry` 40 for 6.
    case("stsd", 8 * K + 1, |n| list(b"stsd", &[], b"\0\0\0\x10avc1\0\0\0\0\0\0\0\x01", n)),
    case("subs", 32 * K + 1, |n| list(b"subs", &[], &[0; 6], n)),
    case("saio", 32 * K + 1, |n| list(b"saio", &[], &[0; 4], n)),
    case("saiz", 128 * K, |n| list(b"saiz", &[0], &[1], n)),
    case("sbgp", 32 * K, |n| list(b"sbgp", b"seig", &[0, 0, 0, 1, 0, 0, 0, 1], n)),
    case("senc", 32 * K, |n| list(b"senc", &[], &[0; 8], n)),
    case("tfra", 32 * K, |n| list(b"tfra", &[0; 8], &[1; 11], n)),
    case("trun", 32 * K, |n| {
        let body = [&[0, 0, 1, 0], &(n as u32).to_be_bytes()[..], &vec![0; 4 * n]].concat();
        Input::boxes([AnyBox::other(*b"trun", body)])
    }),
    case("trun of claims alone", 4 * K + 1, |n| {
        Input::boxes(vec![AnyBox::new(Trun { sample_count: u32::MAX, ..Trun::default() }); n])
    }),
    // A unit without bytes is 32 bytes for 2, and room for twice as many.
    case("avcC", 256, |n| {
        let body = [&[1, 66, 0, 30, 255, 0xe0, 129][..], &[0; 2 * 129]].concat();
        Input::boxes(vec![AnyBox::other(*b"avcC", body); n])
    }),
    case("avcC of units without bytes", 256, |n| {
        let body = [&[1, 66, 0, 30, 255, 0xff][..], &[0; 2 * 31], &[255], &[0; 2 * 255]].concat();
        Input::boxes(vec![AnyBox::other(*b"avcC", body); n])
    }),
    case("hvcC of arrays without units", 256, |n| {
        let body = [&[0; 22][..], &[255], &[0; 3 * 255]].concat();
        Input::boxes(vec![AnyBox::other(*b"hvcC", body); n])
    }),
    case("pssh", 16 * K + 1, |n| list(b"pssh", &[0; 16], &[1; 16], n)),
    case("ftyp", 64 * K, |n| Input::boxes([AnyBox::other(*b"ftyp", vec![1; 4 * n])])),
    case("hvcC", 64, |n| {
        let body = [&[0; 22][..], &[1, 0x20], &513_u16.to_be_bytes(), &[0; 2 * 513]].concat();
        Input::boxes(vec![AnyBox::other(*b"hvcC", body); n])
    }),
];

/// Presentations, opened and asked.
pub const PRESENTATIONS: &[Case] = &[
    case("tracks that name one file", 500, |n| names_of_one_file(n, 3)),
    case("tracks that name as many files", 128, |n| named_alone(n, &film_of(1))),
    case("tracks that name as many files with long indexes", 8, |n| named_alone(n, &indexed(2000))),
    case("tracks that name files that are not there", 500, |n| {
        let tracks: String = (0..n).map(|i| format!("<video src='{i}'/>")).collect();
        Input::files([("film.ism", format!("<smil><body>{tracks}</body></smil>").into())])
    }),
    case("a long index", 16 * K + 1, |n| one_file(indexed(n))),
    case("a long index and a stored manifest", 16 * K + 1, |n| {
        stored(&format!("<c t='0' d='1' r='{n}'/>"), indexed(n))
    }),
    // As the manifests above; it is read twice where files are walked through.
    case("a stored manifest of c", 16 * K + 1, |n| stored(&"<c/>".repeat(n), film_of(3))),
    case("a stored manifest of c, beside a walk", 16 * K + 1, |n| {
        stored(&"<c/>".repeat(n), without_index(2, true))
    }),
    case("tracks of a file", 256, |n| {
        let track = |id| Track::regular(id, StreamKind::Video, 1, 1, 1);
        let tracks: Vec<_> = (1..=n as u32).map(track).collect();
        one_file(film::media(&tracks, Style::default()).to_bytes())
    }),
    case("more tracks of a file than are read", 1500, |n| {
        one_file(with_moov(&vec![Track::new(1, StreamKind::Video, Vec::new()); n], Vec::new()))
    }),
    // A `TrackIndex` is 56 bytes, and its one entry takes room for four of 24; or there is a
    // sentence about it.
    case("indexes of tracks that are not there", 2 * K + 1, |n| index_of_others(n, 24)),
    case("indexes of tracks that lie and are not there", 2 * K + 1, |n| {
        index_of_others(n, u64::from(u32::MAX))
    }),
    case("empty boxes in a moov", 16 * K + 1, |n| {
        one_file(with_moov(&[Track::new(1, StreamKind::Video, Vec::new())], empty(n)))
    }),
    case("tracks whose fragments claim samples", 64, |n| {
        let traf = |track_id| vec![tfhd(track_id), trun(CLAIM)];
        one_file(fragments_of(n as u32, 2, true, traf))
    }),
    case("a walk over fragments that claim samples", K, |n| {
        one_file(fragments_of(1, n, false, |track_id| vec![tfhd(track_id), trun(CLAIM)]))
    }),
    case("tracks of one number and fragments", 64, |n| {
        let tracks = vec![Track::new(1, StreamKind::Video, Vec::new()); n];
        let mut media = Media::default();
        push(&mut media, [film::moov(&tracks)]);
        for _ in 0..64 * n {
            media.push(moof([tfhd(1)], 0));
        }
        one_file(media.read(0..media.len))
    }),
    case("protection systems", 2 * K, |n| {
        let system = |i: usize| {
            let body = [&[0; 4], &(i as u128).to_be_bytes()[..], &[0; 4]].concat();
            AnyBox::other(*b"pssh", body)
        };
        let tracks = Track::regular(1, StreamKind::Video, 1, 1, 1);
        one_file(with_moov(&[tracks], (0..n).map(system).collect()))
    }),
    case("tracks and what their samples are by default", 64, |n| {
        let tracks: Vec<_> =
            (1..=n as u32).map(|id| Track::new(id, StreamKind::Video, Vec::new())).collect();
        let trex = AnyBox::new(Trex { track_id: u32::MAX, ..Trex::default() });
        one_file(with_moov(&tracks, vec![AnyBox::container(*b"mvex", vec![trex; 64 * n])]))
    }),
    case("a walk over small fragments", K + 1, |n| one_file(without_index(n as u32, false))),
    case("a walk over empty boxes", 16 * K, |n| {
        let boxes = b"\0\0\0\x08free".repeat(n);
        one_file([without_index(1, false), boxes].concat())
    }),
    case("a walk over long heads", 16, |n| {
        let fragment = |time| Fragment { time, samples: vec![(1, 1); 2000] };
        let track = Track::new(1, StreamKind::Video, (0..n as i64).map(fragment).collect());
        one_file(film::media(&[track], Style { mfra: false, tfxd: false }).to_bytes())
    }),
];

/// Presentations with long heads of fragments, of which every second sample is a key frame.
pub const HEADS: &[Case] = &[
    case("samples", 8 * K + 1, |n| {
        let full = FullBox { version: 0, flags: Trun::SIZE };
        let entries = [0, 0, 0, 1].repeat(n).into();
        let trun = Trun { full, sample_count: n as u32, entries, ..Trun::default() };
        fragment([AnyBox::new(trun), key_frames(n)], n)
    }),
    case("samples without bytes", 8 * K + 1, |n| fragment([trun(n), key_frames(n)], 0)),
    case("runs", 8 * K + 1, |n| fragment(vec![trun(1); n], 0)),
    // As many boxes as may be: there is a second list of them while a fragment is cut.
    case("runs of 32 bytes", 16 * K + 1, |n| {
        let run = |run| AnyBox { rest: vec![0; 16].into(), ..run };
        fragment([trun(1), key_frames(2)].into_iter().chain(vec![run(trun(1)); n]), 0)
    }),
    case("runs that claim samples", 512, |n| {
        fragment([key_frames(2)].into_iter().chain(vec![trun(CLAIM / 1024); n]), 0)
    }),
    case("one run that claims samples", 64 * K, |n| fragment([trun(n), key_frames(2)], 0)),
    case("saiz beside key frames", 4 * K, |n| {
        let saiz = Saiz { default_sample_info_size: 8, ..Saiz::default() };
        let saiz = AnyBox { rest: vec![0; 15].into(), ..AnyBox::new(saiz) };
        fragment([trun(8 * K), key_frames(8 * K)].into_iter().chain(vec![saiz; n]), 0)
    }),
    case("senc of entries of two bytes", 64 * K, |n| {
        let full = FullBox { version: 0, flags: SampleEncryption::SUBSAMPLES };
        let (sample_count, entries) = (n as u32, vec![0; 2 * n].into());
        let senc = SampleEncryption { full, track_override: None, sample_count, entries };
        fragment([trun(n), key_frames(2), AnyBox::new(Senc(senc))], 0)
    }),
    case("sdtp", 8 * K + 1, |n| {
        let sdtps = (0..n).map(|_| AnyBox::new(Sdtp::default()));
        fragment([trun(2), key_frames(2)].into_iter().chain(sdtps), 0)
    }),
    case("subs beside key frames", 16 * K + 1, |n| {
        let subs = Subs::new(FullBox::default(), vec![SubsEntry::default(); n]);
        fragment([trun(2), key_frames(2), AnyBox::new(subs)], 0)
    }),
    case("senc beside key frames", 32 * K, |n| {
        let full = FullBox { version: 0, flags: SampleEncryption::SUBSAMPLES };
        let entries = vec![0; 2 * n].into();
        let senc = SampleEncryption { full, track_override: None, sample_count: 2, entries };
        fragment([trun(2), key_frames(2), AnyBox::new(Senc(senc))], 0)
    }),
    case("sbgp beside key frames", 16 * K, |n| {
        let full = FullBox::default();
        let (grouping_type, entries) = (FourCc(*b"seig"), vec![0; 8 * n].into());
        let sbgp = Sbgp { full, grouping_type, grouping_type_parameter: None, entries };
        fragment([trun(2), key_frames(2), AnyBox::new(sbgp)], 0)
    }),
];

fn presentation(inside: &str) -> Input {
    Input::Client(format!("<SmoothStreamingMedia>{inside}</SmoothStreamingMedia>").into())
}

fn stream(inside: &str) -> String {
    let stream = format!("<StreamIndex Type='video'>{inside}</StreamIndex>");
    format!("<SmoothStreamingMedia>{stream}</SmoothStreamingMedia>")
}

/// A client manifest with this in its stream.
/// A film whose client manifest has, in an element with a broken start tag, this.
fn broken(inside: String) -> Input {
    stored(&format!("<c t='0' d='1'/><x a='1' a='2'>{inside}"), film_of(3))
}

fn client(inside: String) -> Input {
    Input::Client(stream(&inside).into())
}

fn server(body: String) -> Input {
    Input::Server(format!("<smil><body>{body}</body></smil>").into())
}

fn empty(n: usize) -> Vec<AnyBox> {
    vec![AnyBox::other(*b"free", ""); n]
}

/// A full box of `n` entries.
fn list(kind: &[u8; 4], before: &[u8], entry: &[u8], n: usize) -> Input {
    let count = (n as u32).to_be_bytes();
    let body = [&[0; 4], before, &count, &entry.repeat(n)].concat();
    Input::boxes([AnyBox::other(*kind, body)])
}

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");

fn one_file(media: Vec<u8>) -> Input {
    Input::files([("film.ism", ism(None, &[VIDEO])), ("film.ismv", media)])
}

/// A file, and a client manifest with these chunks.
fn stored(chunks: &str, media: Vec<u8>) -> Input {
    Input::files([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
        ("film.ismc", stream(&format!("<QualityLevel Bitrate='300'/>{chunks}")).into()),
        ("film.ismv", media),
    ])
}

/// As many tracks as files.
fn named_alone(n: usize, media: &[u8]) -> Input {
    let names: Vec<_> = (0..n).map(|i| format!("{i}.ismv")).collect();
    let track = |(name, bitrate)| ("video", name, bitrate, 1, "");
    let tracks: Vec<_> = names.iter().map(String::as_str).zip(1..).map(track).collect();
    let files = names.iter().map(|name| (name.as_str(), media.to_vec()));
    Input::files([("film.ism", ism(None, &tracks))].into_iter().chain(files))
}

/// As many tracks that name one file, in which each of them has as many fragments.
pub fn names_of_one_file(tracks: usize, fragments: usize) -> Input {
    let names: Vec<_> = (1..=tracks as u32).map(|b| ("video", "film.ismv", b, 1, "")).collect();
    let quality = |bitrate| format!("<QualityLevel Bitrate='{bitrate}'/>");
    let qualities: String = (1..=tracks).map(quality).collect();
    let client = stream(&format!("{qualities}<c t='0' d='1' r='{fragments}'/>"));
    Input::files([
        ("film.ism", ism(Some("film.ismc"), &names)),
        ("film.ismc", client.into()),
        ("film.ismv", indexed(fragments)),
    ])
}

pub fn film_of(count: u32) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, count, 1, 1);
    film::media(&[track], Style::default()).to_bytes()
}

pub fn without_index(count: u32, tfxd: bool) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, count, 1, 1);
    film::media(&[track], Style { mfra: false, tfxd }).to_bytes()
}

/// A file of one fragment, with an index of as many tracks that are not in it.
fn index_of_others(tracks: usize, offset: u64) -> Input {
    let mut media = Media::default();
    media.push(without_index(1, true));
    let ids = 2..tracks as u32 + 2;
    film::push_mfra(&mut media, &ids.map(|id| (id, vec![(0, offset)])).collect());
    one_file(media.read(0..media.len))
}

fn push(media: &mut Media, boxes: impl IntoIterator<Item = AnyBox>) {
    media.push(Boxes::from_iter(boxes).to_bytes().to_vec());
}

/// A file of a `moov` alone, with more boxes in it.
fn with_moov(tracks: &[Track], more: Vec<AnyBox>) -> Vec<u8> {
    let mut moov = film::moov(tracks);
    let Body::Boxes(boxes) = &mut moov.body else { panic!("a `moov` is a container") };
    boxes.list.extend(more);
    Boxes::from_iter([moov]).to_bytes().to_vec()
}

/// A file whose index has `n` entries of eleven bytes. Only the first and the last are fragments;
/// the others lead to a byte each.
fn indexed(n: usize) -> Vec<u8> {
    let track = Track::new(1, StreamKind::Video, Vec::new());
    let mut media = Media::default();
    push(&mut media, [film::moov(std::slice::from_ref(&track))]);
    let fragment = |media: &mut Media, time: usize| {
        let start = media.len as u32;
        let fragment = Fragment { time: time as i64, samples: vec![(1, 1)] };
        let moof = track.moof(&fragment, 1, Style::default());
        push(media, [moof, AnyBox::other(*b"mdat", vec![0])]);
        (time as u32, start)
    };
    let mut entries = vec![fragment(&mut media, 0)];
    let between = media.len as u32;
    push(&mut media, [AnyBox::other(*b"free", vec![0; n])]);
    entries.extend((1..n as u32 - 1).map(|i| (i, between + i)));
    entries.push(fragment(&mut media, n - 1));
    let entry = |&(time, offset): &(u32, u32)| {
        [&time.to_be_bytes()[..], &offset.to_be_bytes(), &[1, 1, 1]].concat()
    };
    let bytes = entries.iter().flat_map(entry).collect();
    let tfra = AnyBox::new(Tfra { full: FullBox::default(), track_id: 1, widths: 0, bytes });
    let mfro = AnyBox::new(Mfro { size: tfra.len() as u32 + 24, ..Mfro::default() });
    push(&mut media, [AnyBox::container(*b"mfra", [tfra, mfro])]);
    media.read(0..media.len)
}

/// As many samples without bytes as a fragment may have.
const CLAIM: usize = 1 << 20;

fn tfhd(track_id: u32) -> AnyBox {
    AnyBox::new(Tfhd { track_id, ..Tfhd::default() })
}

/// A fragment with this in its `traf`.
fn moof(traf: impl IntoIterator<Item = AnyBox>, payload: usize) -> Vec<u8> {
    let traf = AnyBox::container(*b"traf", traf);
    let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf]);
    let fragment = [moof, AnyBox::other(*b"mdat", vec![0; payload])];
    Boxes::from_iter(fragment).to_bytes().to_vec()
}

/// A file of so many tracks with as many fragments each.
fn fragments_of(
    tracks: u32,
    fragments: usize,
    has_index: bool,
    traf: impl Fn(u32) -> Vec<AnyBox>,
) -> Vec<u8> {
    let of_moov: Vec<_> =
        (1..=tracks).map(|id| Track::new(id, StreamKind::Video, Vec::new())).collect();
    let mut media = Media::default();
    push(&mut media, [film::moov(&of_moov)]);
    let mut index = Vec::new();
    for id in 1..=tracks {
        let mut entries = Vec::new();
        for number in 0..fragments {
            entries.push((20_000_000 * number as u64, media.len));
            media.push(moof(traf(id), 0));
        }
        index.push((id, entries));
    }
    if has_index {
        film::push_mfra(&mut media, &index);
    }
    media.read(0..media.len)
}

/// A run of samples that take no bytes.
fn trun(n: usize) -> AnyBox {
    AnyBox::new(Trun { sample_count: n as u32, ..Trun::default() })
}

/// Every second of `n` samples depends on no other.
fn key_frames(n: usize) -> AnyBox {
    let samples = (0..n).map(|i| if i % 2 == 0 { 0x20 } else { 0x10 }).collect();
    AnyBox::new(Sdtp { full: FullBox::default(), samples })
}

/// A presentation of two fragments with this in their `traf`.
fn fragment(traf: impl IntoIterator<Item = AnyBox>, payload: usize) -> Input {
    let fragment = moof([tfhd(1)].into_iter().chain(traf), payload);
    let mut media = Media::default();
    push(&mut media, [film::moov(&[Track::new(1, StreamKind::Video, Vec::new())])]);
    let mut entries = Vec::new();
    for time in [0, 20_000_000] {
        entries.push((time, media.len));
        media.push(fragment.clone());
    }
    film::push_mfra(&mut media, &vec![(1, entries)]);
    one_file(media.read(0..media.len))
}
