//! The packager with captions: each file becomes a stream of documents that covers the film, and is served as
//! Smooth, DASH and HLS.
#![cfg(all(feature = "package", feature = "dash", feature = "hls"))]

use std::collections::BTreeMap;

use bytes::Bytes;
use smooth_origin::base::{Error, ErrorKind, FileId, Limits, Timescale};
use smooth_origin::bmff::{Boxes, Hdlr, Mdhd, Stsd, Tfhd, Tfra, Trun, uuid::Tfxd};
use smooth_origin::captions::{Document, TimeBase, Window};
use smooth_origin::manifest::{ClientManifest, StreamIndex, StreamKind};
use smooth_origin::origin::Origin;
use smooth_origin::package::{Files, Package, PackageOptions, TextTimes};
use testkit::assembled;
use testkit::progressive::Film;
use testkit::{codes, get, open, store};

use crate::packaging::{self, File, sound, video};

const SRT: &str = "1\n00:00:00,500 --> 00:00:01,500\n<i>One</i> & only\n\n\
    2\n00:00:03,000 --> 00:00:09,250\n{\\an8}Long\n\n3\n00:00:05,000 --> 00:00:05,400\nShort\n\n\
    4\n00:00:11,500 --> 00:00:40,000\nTo the end\n\n5\n00:01:00,000 --> 00:01:01,000\nAfter it\n";

const VTT: &str =
    "WEBVTT\n\n00:01.000 --> 00:02.000 line:10% align:left\n<c.yellow>Un</c> &amp; deux\n";

const TTML: &str = "<tt xmlns='http://www.w3.org/ns/ttml' xmlns:tts='http://www.w3.org/ns/ttml#styling' xml:lang='de'>\
    <head><styling><style xml:id='loud' tts:color='red' tts:fontFamily='serif'/></styling></head>\
    <body><div><p begin='7s' end='8.5s' style='loud'>Achtung</p></div></body></tt>";

fn film() -> Bytes {
    Film::of([video(12, 300_000, 3), sound(13, 64_000, 5)]).file()
}

fn text(name: &'static str, language: Option<&'static str>, text: &'static str) -> File {
    (name, language, Bytes::from_static(text.as_bytes()))
}

fn inputs() -> Vec<File> {
    vec![
        ("film.mp4", None, film()),
        text("film.srt", Some("eng"), SRT),
        text("film.vtt", Some("fre"), VTT),
        text("film.xml", None, TTML),
    ]
}

fn try_package(files: &[File], options: &PackageOptions) -> Result<Package, Error> {
    packaging::try_package(files, options).map(|(package, _)| package)
}

/// A package, opened without a finding.
struct Made {
    files: BTreeMap<String, Vec<u8>>,
    manifest: ClientManifest,
    origin: Origin,
    notices: Vec<String>,
}

fn packaged(files: &[File], options: &PackageOptions) -> Made {
    let package = try_package(files, options).unwrap();
    let made: BTreeMap<_, _> = packaging::written(files, &package).into_iter().collect();
    let stored = || store(made.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())));
    let opened = open(&stored()).unwrap();
    assert_eq!(codes(opened.presentation()), Vec::<String>::new());
    let manifest = ClientManifest::parse(&made["film.ismc"], &Limits::default()).unwrap();
    let origin = Origin::new(stored());
    Made { files: made, manifest, origin, notices: package.notices().to_vec() }
}

/// Start and end of each chunk of a stream.
fn chunks(stream: &StreamIndex) -> Vec<(u64, u64)> {
    let mut end = 0;
    let chunk = |chunk: &smooth_origin::manifest::Chunk| {
        let start = chunk.time.unwrap_or(end);
        end = start + chunk.duration.unwrap();
        (start, end)
    };
    stream.chunks.iter().map(chunk).collect()
}

impl Made {
    fn stream(&self, name: &str) -> &StreamIndex {
        self.manifest.streams.iter().find(|stream| stream.name() == name).unwrap()
    }

    fn get(&self, rest: &str) -> Vec<u8> {
        get(&self.origin, &format!("/film.ism/{rest}")).unwrap_or_else(|e| panic!("{rest}: {e}"))
    }

    /// The document of a fragment, after checks of its boxes.
    fn document(&self, name: &str, (start, end): (u64, u64)) -> String {
        let bitrate = self.stream(name).qualities[0].bitrate;
        let bytes = self.get(&format!("QualityLevels({bitrate})/Fragments({name}={start})"));
        let len = u32::from_be_bytes(*bytes.first_chunk().unwrap()) as usize;
        let moof = Bytes::from(bytes.clone()).slice(..len);
        let boxes = Boxes::parse(&moof, 0, &Limits::default()).unwrap();
        let traf = boxes.path(&[*b"moof", *b"traf"]).unwrap();
        let tfxd = traf.get::<Tfxd>().unwrap();
        assert_eq!((tfxd.time, tfxd.time + tfxd.duration), (start, end));
        assert!(traf.get::<Tfhd>().is_some());
        let trun = traf.get::<Trun>().unwrap();
        assert_eq!((trun.sample_count, trun.data_offset), (1, Some(len as i32 + 8)));
        String::from_utf8(bytes[len + 8..].to_vec()).unwrap()
    }

    /// All cues of a stream: start and end in milliseconds, settings and text. Cues that continue in the
    /// next chunk are joined.
    fn cues(&self, name: &str, base: TimeBase) -> Vec<(u64, u64, String)> {
        let mut cues: Vec<(u64, u64, String)> = Vec::new();
        for (start, end) in chunks(self.stream(name)) {
            let window = Window { timescale: Timescale::SMOOTH, start, duration: end - start };
            let document = self.document(name, (start, end));
            let document = Document::parse(document.as_bytes(), &Limits::default()).unwrap();
            for cue in document.cues(base, &window, &Limits::default()).unwrap() {
                let [from, to] = [cue.start, cue.end].map(|ticks| (ticks + 5000) / 10_000);
                let text = format!("{}|{}", cue.settings, cue.text);
                match cues
                    .iter_mut()
                    .find(|(_, end, other)| end.abs_diff(from) <= 1 && *other == text)
                {
                    Some((_, end, _)) => *end = to,
                    None => cues.push((from, to, text)),
                }
            }
        }
        cues.sort();
        cues
    }
}

fn near(found: &[(u64, u64, String)], expected: &[(u64, u64, &str)]) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.2, expected.2);
        // Edges of chunks are no whole milliseconds.
        assert!(
            found.0.abs_diff(expected.0) <= 1 && found.1.abs_diff(expected.1) <= 1,
            "{found:?}"
        );
    }
}

#[test]
fn each_file_of_captions_is_a_stream_that_covers_the_film() {
    let made = packaged(&inputs(), &PackageOptions::default());
    let streams = made.manifest.streams.iter().map(|s| (s.name().to_string(), s.language.clone()));
    let streams: Vec<_> = streams.collect();
    let language = |language: &str| Some(language.to_owned());
    assert_eq!(
        streams,
        [
            ("video".to_owned(), None),
            ("audio".to_owned(), None),
            ("text_eng".to_owned(), language("eng")),
            ("text_fre".to_owned(), language("fre")),
            ("text_de".to_owned(), language("de")),
        ]
    );
    assert_eq!(
        made.notices,
        ["film.srt: captions are left out because they begin after the film: 1"]
    );
    let (video, audio) = (chunks(made.stream("video")), chunks(made.stream("audio")));
    let film = (video[0].0.min(audio[0].0), video.last().unwrap().1.max(audio.last().unwrap().1));
    for stream in made.manifest.streams.iter().filter(|stream| stream.kind == StreamKind::Text) {
        assert_eq!(stream.subtype.as_deref(), Some("SUBT"));
        let level = &stream.qualities[0];
        assert_eq!((level.four_cc.as_deref(), level.index), (Some("TTML"), Some(0)));
        let chunks = chunks(stream);
        assert_eq!((chunks[0].0, chunks.last().unwrap().1), film);
        assert!(chunks.windows(2).all(|pair| pair[0].1 == pair[1].0), "no gap: {chunks:?}");
        let inner = |chunks: &[(u64, u64)]| chunks[1..].iter().map(|c| c.0).collect::<Vec<_>>();
        assert!(inner(&chunks).starts_with(&inner(&video)), "{chunks:?}, {video:?}");
    }
    let (_, media) =
        made.files.iter().find(|(name, _)| name.starts_with("film_text_fre_")).unwrap();
    let media = Bytes::from(media.clone());
    let (moov_at, moov) = assembled::moov(&media);
    let moov = Boxes::parse(&moov, moov_at, &Limits::default()).unwrap();
    let mdia = moov.path(&[*b"moov", *b"trak", *b"mdia"]).unwrap();
    assert_eq!(mdia.get::<Hdlr>().unwrap().handler_type.0, *b"subt");
    assert_eq!(mdia.get::<Mdhd>().unwrap().language().as_deref(), Some("fre"));
    let stsd = mdia.path(&[*b"minf", *b"stbl"]).unwrap().get::<Stsd>().unwrap();
    let entry = stsd.entries().next().unwrap();
    assert_eq!(
        (entry.format().0, &entry.body[..]),
        (*b"stpp", &b"http://www.w3.org/ns/ttml\0\0\0"[..])
    );
    let len = u32::from_be_bytes(media[media.len() - 4..].try_into().unwrap()) as usize;
    let mfra = Boxes::parse(&media.slice(media.len() - len..), 0, &Limits::default()).unwrap();
    let tfra = mfra.inside(*b"mfra").unwrap().get::<Tfra>().unwrap();
    let starts: Vec<u64> = tfra.entries().map(|entry| entry.time).collect();
    assert_eq!(starts, chunks(made.stream("text_fre")).iter().map(|c| c.0).collect::<Vec<_>>());
    assert!(made.files.keys().filter(|name| name.ends_with(".ismt")).count() == 3);
}

#[test]
fn every_cue_is_there_at_its_time_in_either_reading() {
    let end = chunks(packaged(&inputs(), &PackageOptions::default()).stream("text_eng"))
        .last()
        .unwrap()
        .1;
    for (times, base) in [
        (TextTimes::Fragment, TimeBase::Fragment),
        (TextTimes::Presentation, TimeBase::Presentation),
    ] {
        for files in [Files::EachTrack, Files::InOne] {
            let mut options = PackageOptions::default();
            (options.text_times, options.files) = (times, files);
            let made = packaged(&inputs(), &options);
            assert_eq!(made.files.len(), if files == Files::InOne { 3 } else { 7 });
            near(
                &made.cues("text_eng", base),
                &[
                    (500, 1500, "size:80%|<i>One</i> &amp; only"),
                    (3000, 9250, "line:5%|Long"),
                    (5000, 5400, "size:80%|Short"),
                    (11_500, (end + 5000) / 10_000, "size:80%|To the end"),
                ],
            );
            near(
                &made.cues("text_fre", base),
                &[(1000, 2000, "line:10% align:left|<c.yellow>Un</c> &amp; deux")],
            );
            near(&made.cues("text_de", base), &[(7000, 8500, "|<c.red>Achtung</c>")]);
        }
    }
}

#[test]
fn heads_and_styles_are_in_every_chunk_and_chunks_without_a_cue_exist() {
    let made = packaged(&inputs(), &PackageOptions::default());
    let mut with_cues = 0;
    for chunk in chunks(made.stream("text_de")) {
        let document = made.document("text_de", chunk);
        assert!(
            document.contains("tts:fontFamily=\"serif\"")
                || document.contains("tts:fontFamily='serif'")
        );
        let has_cue = document.contains("Achtung");
        assert_eq!(has_cue, chunk.0 < 85_000_000 && chunk.1 > 70_000_000, "{document}");
        assert_eq!(document.contains("<p "), has_cue);
        with_cues += usize::from(has_cue);
    }
    assert!((1..chunks(made.stream("text_de")).len()).contains(&with_cues));
}

#[test]
fn dash_and_hls_show_the_cues_at_the_times_of_the_film() {
    for times in [TextTimes::Fragment, TextTimes::Presentation] {
        let mut options = PackageOptions::default();
        options.text_times = times;
        let made = packaged(&inputs(), &options);
        let bitrate = made.stream("text_eng").qualities[0].bitrate;
        let mpd = String::from_utf8(made.get("manifest.mpd")).unwrap();
        assert!(mpd.contains("codecs=\"stpp\"") && mpd.contains("lang=\"en\""), "{mpd}");
        let master = String::from_utf8(made.get("master.m3u8")).unwrap();
        assert!(
            master.contains("TYPE=SUBTITLES") && master.contains("LANGUAGE=\"de\""),
            "{master}"
        );
        let mut vtt = String::new();
        let mut cues = Vec::new();
        for (start, end) in chunks(made.stream("text_eng")) {
            vtt += &String::from_utf8(made.get(&format!("text_eng-{bitrate}.vtt/{start}.vtt")))
                .unwrap();
            let segment = Bytes::from(made.get(&format!("text_eng-{bitrate}/{start}.m4s")));
            let at = segment.windows(4).position(|window| window == b"mdat").unwrap() + 4;
            let document = Document::parse(&segment[at..], &Limits::default()).unwrap();
            let window = Window { timescale: Timescale::SMOOTH, start, duration: end - start };
            let found = document.cues(TimeBase::Presentation, &window, &Limits::default()).unwrap();
            cues.extend(found.into_iter().map(|cue| (cue.start / 10_000, cue.text)));
        }
        assert!(
            vtt.contains("00:00:00.500 --> 00:00:01.500") && vtt.contains("<i>One</i> &amp; only"),
            "{vtt}"
        );
        assert!(vtt.contains("00:00:05.000 --> 00:00:05.400"), "{vtt}");
        assert!(vtt.contains("00:00:11.500 --> ") && vtt.contains(" --> 00:00:09.250 "), "{vtt}");
        assert!(cues.contains(&(5000, "Short".to_owned())), "{cues:?}");
        assert!(!vtt.contains("After it"));
    }
}

#[test]
fn captions_that_cannot_be_read_are_refused_with_their_file_and_line() {
    let options = PackageOptions::default();
    for (name, content, says) in [
        (
            "a.vtt",
            "WEBVTT\n\n00:02.000 --> 00:01.000\na",
            "line 3: no times of a cue can be read (WebVTT, 4.1)",
        ),
        ("a.srt", "nothing at all", "no line of times"),
        ("a.ttml", "<tt xmlns='http://www.w3.org/ns/ttml'>\n<body>", "line 2: not well-formed XML"),
        ("a.xml", "<html/>", "not `tt`"),
    ] {
        let files = [("film.mp4", None, film()), text(name, None, content)];
        let error = try_package(&files, &options).unwrap_err();
        assert_eq!(error.file(), Some(FileId::new(1)), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let long = Bytes::from(vec![b' '; 17 << 20]);
    let error =
        try_package(&[("film.mp4", None, film()), ("a.srt", None, long)], &options).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Budget { .. }), "{error}");
    let error = try_package(&[text("a.srt", None, SRT)], &options).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Missing { .. }), "{error}");
}

#[test]
fn two_files_of_one_language_are_two_streams_and_one_file_is_text() {
    let files = [
        ("film.m4a", None, Film::of([sound(7, 64_000, 5)]).file()),
        text("a.srt", Some("eng"), SRT),
        text("b.srt", Some("eng"), VTT),
    ];
    let made = packaged(&files, &PackageOptions::default());
    let names: Vec<_> = made.manifest.streams.iter().map(|s| s.name().to_string()).collect();
    assert_eq!(names, ["audio", "text_eng", "text_eng_2"]);
    near(
        &made.cues("text_eng_2", TimeBase::Fragment),
        &[(1000, 2000, "line:10% align:left|<c.yellow>Un</c> &amp; deux")],
    );
    let made = packaged(&files[..2], &PackageOptions::default());
    assert_eq!(made.stream("text").language.as_deref(), Some("eng"));
}
