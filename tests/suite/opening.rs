//! Opening: in four batches, whatever the files are like; and one bad file takes no other down.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use smooth_origin::base::{
    ErrorKind, FileEnds, Got, Guid, Limits, Place, ReadError, ReadErrorKind, Step, Want,
};
use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Pssh, uuid::PiffPssh};
use smooth_origin::codec::Description;
use smooth_origin::manifest::{ClientManifest, Layout, StreamKind};
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::{FindingCode, ManifestSource, OpenOptions, open as open_step};
use testkit::film::{self, Fragment, Media, Style, Track, ism, ismc};
use testkit::record::{PlannedStore, RecordingStore};
use testkit::{codes, get, manifest, name, open, status, store};

const SECOND: u32 = 10_000_000;

/// A file of a video track and an audio track, of `count` fragments of two seconds.
fn film_of(count: u32) -> Media {
    let tracks = [
        Track::regular(1, StreamKind::Video, count, 2 * SECOND, 200),
        Track::regular(2, StreamKind::Audio, count, 2 * SECOND, 50),
    ];
    film::media(&tracks, Style::default())
}

fn starts(count: u64) -> Vec<u64> {
    (0..count).map(|i| i * 20_000_000).collect()
}

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");
const AUDIO: (&str, &str, u32, u32, &str) = ("audio", "film.ismv", 64, 2, "");

#[test]
fn a_stored_manifest_is_served_byte_for_byte_and_every_fragment_too() {
    let media = film_of(5);
    let bytes = media.to_bytes();
    let client = ismc(&[
        (StreamKind::Video, "video", &[300], &starts(5)),
        (StreamKind::Audio, "audio", &[64], &starts(5)),
    ]);
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO, AUDIO])),
        ("film.ismc", client.clone()),
        ("film.ismv", bytes.clone()),
    ]);
    let opened = open(&store).unwrap();
    let presentation = opened.presentation();
    assert_eq!(presentation.manifest_source(), ManifestSource::Stored);
    assert_eq!(presentation.manifest().unwrap()[..], client[..]);
    assert_eq!(presentation.findings(), []);

    let origin = Origin::new(store);
    for (track, time, range) in &media.fragments {
        let (bitrate, stream) = if *track == 1 { (300, "video") } else { (64, "audio") };
        let stored = &bytes[range.start as usize..range.end as usize];
        let moof = u32::from_be_bytes(stored[..4].try_into().unwrap()) as usize;
        let ask = |noun| {
            get(&origin, &format!("/film.ism/QualityLevels({bitrate})/{noun}({stream}={time})"))
                .unwrap()
        };
        // Twice: by a first look, and by what it found.
        for _ in 0..2 {
            assert_eq!(ask("Fragments"), stored);
            assert_eq!(ask("FragmentInfo"), stored[..moof]);
            assert_eq!(ask("RawFragments"), stored[moof + 8..]);
            assert_eq!(ask("KeyFrames"), stored);
        }
    }
}

#[test]
fn a_fragment_ends_with_its_mdat_though_other_boxes_follow() {
    let mut media = film_of(3);
    let junk = b"\0\0\0\x14free----------------- ".to_vec();
    // Something lies between the last fragment and the index.
    let mut with_junk = Media { parts: media.parts.clone(), len: media.mfra, ..media.clone() };
    with_junk.parts.retain(|(offset, _)| *offset < media.mfra);
    with_junk.push(junk[..20].to_vec());
    film::push_mfra(&mut with_junk, &film::index(&media));
    media = with_junk;
    let store = store([("film.ism", ism(None, &[VIDEO, AUDIO])), ("film.ismv", media.to_bytes())]);
    let origin = Origin::new(store);
    let (_, time, range) = media.fragments.last().unwrap();
    let body =
        get(&origin, &format!("film.ism/QualityLevels(64)/Fragments(audio={time})")).unwrap();
    assert_eq!(body.len() as u64, range.end - range.start);
}

#[test]
fn a_missing_file_takes_its_own_tracks_out_of_the_manifest_and_no_others() {
    let streams: &[(StreamKind, &str, &[u32], &[u64])] = &[
        (StreamKind::Video, "video", &[300, 500], &starts(3)),
        (StreamKind::Audio, "audio", &[64], &starts(3)),
    ];
    let server = ism(
        Some("film.ismc"),
        &[VIDEO, ("video", "high.ismv", 500, 1, ""), ("audio", "sound.isma", 64, 1, "")],
    );
    let client = ismc(streams);
    let store = store([
        ("film.ism", server),
        ("film.ismc", client.clone()),
        ("film.ismv", film_of(3).to_bytes()),
    ]);
    let opened = open(&store).unwrap();
    let presentation = opened.presentation();
    assert_eq!(presentation.manifest_source(), ManifestSource::Mended);
    let text = String::from_utf8(client).unwrap();
    let audio = text.find("<StreamIndex Type=\"audio\"").unwrap();
    let audio = &text[audio..text.rfind("</StreamIndex>").unwrap() + "</StreamIndex>".len()];
    let expected = text
        .replace("<QualityLevel Bitrate=\"500\"/>", "")
        .replace("QualityLevels=\"2\"", "QualityLevels=\"1\"")
        .replace(audio, "");
    assert_eq!(manifest(presentation), expected);
    assert_eq!(
        codes(presentation),
        [
            "error file-missing",
            "error file-missing",
            "warning manifest-mended",
            "warning manifest-mended"
        ]
    );
    let origin = Origin::new(store);
    let ask = |path: &str| status(&origin, &format!("film.ism/{path}"));
    assert_eq!(ask("QualityLevels(300)/Fragments(video=0)"), 200);
    assert_eq!(ask("QualityLevels(500)/Fragments(video=0)"), 404);
    assert_eq!(ask("QualityLevels(64)/Fragments(audio=0)"), 404);
    assert_eq!(ask("QualityLevels(64)/Fragments(other=0)"), 404);
}

#[test]
fn where_nothing_can_be_served_the_findings_still_say_why() {
    let missing = store([("film.ism", ism(None, &[VIDEO]))]);
    let opened = open(&missing).unwrap();
    let error = opened.presentation().manifest().unwrap_err();
    assert_eq!(error.kind.status(), 500);
    assert!(error.to_string().contains("film.ismv"), "{error}");
    assert_eq!(codes(opened.presentation()), ["error file-missing"]);
    assert_eq!(status(&Origin::new(missing), "film.ism/Manifest"), 500);

    let nothing = store([("film.ism", b"<smil/>".to_vec())]);
    assert!(open(&nothing).unwrap().presentation().manifest().is_err());
    assert_eq!(open(&store([])).unwrap_err().kind.status(), 404);
    let garbage = store([("film.ism", b"garbage".to_vec())]);
    assert_eq!(open(&garbage).unwrap_err().kind.status(), 500);
}

#[test]
fn a_progressive_file_is_told_and_answered_with_415() {
    let mut moov = b"\0\0\0\x10ftypisom\0\0\0\0".to_vec();
    moov.extend(b"\0\0\0\x10moov\0\0\0\x08trak");
    let late = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0cmdatdata\0\0\0\x08moov".to_vec();
    for progressive in [moov, late] {
        let store = store([
            ("film.ism", ism(None, &[VIDEO, ("video", "film.mp4", 500, 1, "")])),
            ("film.ismv", film_of(3).to_bytes()),
            ("film.mp4", progressive.clone()),
        ]);
        assert_eq!(codes(open(&store).unwrap().presentation()), ["error needs-packaging"]);
        let origin = Origin::new(store);
        assert_eq!(status(&origin, "film.ism/QualityLevels(300)/Fragments(video=0)"), 200);
        assert_eq!(status(&origin, "film.ism/QualityLevels(500)/Fragments(video=0)"), 415);
        let alone = testkit::store([
            ("film.ism", ism(None, &[("video", "film.mp4", 500, 1, "")])),
            ("film.mp4", progressive),
        ]);
        assert_eq!(status(&Origin::new(alone), "film.ism/Manifest"), 415);
    }
}

#[test]
fn names_that_lead_out_of_the_folder_are_not_opened() {
    for src in [
        "../film.ismv",
        "/film.ismv",
        "http://example.org/film.ismv",
        "C:\\film.ismv",
        "a/%2e%2e/film.ismv",
    ] {
        let reads = RecordingStore::new(store([
            ("films/film.ism", ism(Some("../film.ismc"), &[("video", src, 300, 1, "")])),
            ("film.ismv", film_of(1).to_bytes()),
            ("film.ismc", Vec::new()),
        ]));
        let log = reads.reads.clone();
        let opened = block_on(Origin::new(reads).open(&name("films/film.ism"))).unwrap();
        let codes = codes(opened.presentation());
        assert!(codes.iter().all(|code| code == "error name-refused"), "{src}: {codes:?}");
        let findings = opened.presentation().findings();
        assert_eq!(findings.len(), 2);
        for finding in findings {
            let cause = finding.cause().unwrap();
            assert!(matches!(cause.kind, ErrorKind::BadName(_)), "{cause:?}");
            assert!(!finding.message.contains("2.2.3"), "that is the grammar of requests");
        }
        assert!(log.lock().unwrap().iter().all(|(name, _)| name == "films/film.ism"));
    }
}

#[test]
fn a_finding_keeps_the_failure_that_it_reports_and_its_place() {
    let mut high = film_of(3).to_bytes();
    high[..4].copy_from_slice(&[0, 0, 0, 4]);
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO, AUDIO, ("video", "high.ismv", 500, 1, "")])),
        ("film.ismc", b"<SmoothStreamingMedia>\n<StreamIndex".to_vec()),
        ("film.ismv", film_of(3).to_bytes()),
        ("high.ismv", high),
    ]);
    let findings = open(&store).unwrap().presentation().findings();
    let of = |code| findings.iter().find(|finding| finding.code == code).unwrap();
    let broken = of(FindingCode::FileBroken);
    assert_eq!(broken.file.as_deref(), Some("high.ismv"));
    let cause = broken.cause().unwrap();
    assert!(matches!(cause.kind, ErrorKind::BoxTooSmall { size: 4, header: 8 }), "{cause:?}");
    assert!(matches!(cause.place, Place::Box { offset: 0, .. }), "{cause:?}");
    assert_eq!(cause.kind.clause(), Some("ISO/IEC 14496-12, 4.2"));
    assert_eq!(broken.message, cause.to_string());
    let unused = of(FindingCode::ManifestGenerated);
    let cause = unused.cause().unwrap();
    assert!(matches!(cause.place, Place::Xml { line: 2, .. }), "{cause:?}");
    assert!(unused.message.ends_with(&cause.to_string()));
}

#[test]
fn a_finding_names_stream_and_bitrate_apart() {
    let store = store([
        ("film.ism", ism(None, &[("video", "film.ismv", 300, 9, ""), AUDIO])),
        ("film.ismv", film_of(3).to_bytes()),
    ]);
    let findings = open(&store).unwrap().presentation().findings();
    let of = |code| findings.iter().find(|finding| finding.code == code).unwrap();
    let finding = of(FindingCode::ManifestsDisagree);
    assert_eq!((finding.stream.as_deref(), finding.bitrate), (Some("video"), Some(300)));
    assert_eq!(finding.track().as_deref(), Some("video at 300"));
    assert!(finding.to_string().contains("film.ismv, video at 300: "), "{finding}");
}

#[test]
fn a_manifest_that_cannot_be_used_is_replaced_by_one_from_the_media() {
    let elsewhere: Vec<u64> = [5, 77, 12_345_678].to_vec();
    for (client, why) in [
        (Some(b"<Smooth".to_vec()), "manifest-generated"),
        (Some(b"<smil/>".to_vec()), "manifest-generated"),
        (Some(ismc(&[(StreamKind::Video, "video", &[300], &elsewhere)])), "chunks-without-media"),
        (None, "manifest-generated"),
    ] {
        let server = ism(Some("film.ismc"), &[VIDEO]);
        let store = store([("film.ism", server), ("film.ismv", film_of(3).to_bytes())]);
        if let Some(client) = client {
            store.put(name("film.ismc"), client);
        }
        let opened = open(&store).unwrap();
        let presentation = opened.presentation();
        assert_eq!(presentation.manifest_source(), ManifestSource::Generated, "{why}");
        let codes = codes(presentation);
        assert!(codes.iter().any(|code| code.contains(why)), "{codes:?}");
        assert!(codes.iter().any(|code| code.contains("manifest-generated")), "{codes:?}");
        assert_eq!(
            status(&Origin::new(store), "film.ism/QualityLevels(300)/Fragments(video=20000000)"),
            200
        );
    }
}

#[test]
fn a_generated_manifest_announces_what_is_there() {
    let tracks = [
        Track::regular(1, StreamKind::Video, 3, 2 * SECOND, 200),
        Track::regular(2, StreamKind::Audio, 3, 2 * SECOND, 50).language(b"eng"),
        Track::regular(3, StreamKind::Audio, 3, 2 * SECOND, 60).language(b"fra"),
        Track::regular(4, StreamKind::Audio, 4, SECOND, 70).language(b"eng"),
        Track::regular(5, StreamKind::Text, 1, 6 * SECOND, 9),
    ];
    let media = film::media(&tracks, Style::default());
    let server = ism(
        None,
        &[
            ("audio", "film.ismv", 64, 2, ""),
            ("audio", "film.ismv", 64, 3, ""),
            ("audio", "film.ismv", 32, 4, "commentary"),
            VIDEO,
            ("textstream", "film.ismv", 5, 5, ""),
        ],
    );
    let store = store([("film.ism", server), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    let text = manifest(opened.presentation());
    let parsed = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
    let names: Vec<_> = parsed.streams.iter().map(|stream| stream.name()).collect();
    assert_eq!(names, ["video", "audio_eng", "audio_fra", "commentary", "textstream"]);
    assert_eq!((parsed.major_version, parsed.minor_version, parsed.duration), (2, 0, 60_000_000));
    for stream in &parsed.streams {
        assert_eq!(stream.timescale.unwrap().get(), 10_000_000);
        let url = format!("QualityLevels({{bitrate}})/Fragments({}={{start time}})", stream.name());
        assert_eq!(stream.url.as_deref(), Some(&*url));
        assert!(stream.qualities.iter().all(|quality| quality.four_cc.is_some()));
    }
    assert_eq!(parsed.streams[4].subtype.as_deref(), Some("CAPT"));
    assert_eq!(parsed.streams[1].language.as_deref(), Some("eng"));
    assert!(text.contains(
        "<c t=\"0\" d=\"20000000\"/>\n<c d=\"20000000\"/>\n<c d=\"20000000\"/>\n</StreamIndex>"
    ));
    assert_eq!(manifest(open(&store).unwrap().presentation()), text, "twice the same");

    let compact = OpenOptions::default().layout(Layout::Compact);
    let origin = Origin::builder(store).open_options(compact).build();
    let compact = block_on(origin.open(&name("film.ism"))).unwrap();
    assert!(manifest(compact.presentation()).contains("<c t=\"0\" d=\"20000000\" r=\"3\"/>"));
}

#[test]
fn tracks_and_streams_keep_what_the_manifest_says_of_them() {
    let tracks = [
        Track::regular(1, StreamKind::Video, 3, 2 * SECOND, 200),
        Track::regular(2, StreamKind::Audio, 3, 2 * SECOND, 50),
        Track::regular(3, StreamKind::Text, 1, 6 * SECOND, 9),
    ];
    let media = film::media(&tracks, Style::default());
    let tracks = [VIDEO, AUDIO, ("textstream", "film.ismv", 5, 3, "")];
    let generated = store([("film.ism", ism(None, &tracks)), ("film.ismv", media.to_bytes())]);
    let generated = open(&generated).unwrap();
    let text = manifest(generated.presentation());
    let stored = text.replace("Subtype=\"CAPT\"", "Subtype=\"SUBT\" ParentStreamIndex=\"video\"");
    let stored = store([
        ("film.ism", ism(Some("film.ismc"), &tracks)),
        ("film.ismc", stored.into_bytes()),
        ("film.ismv", media.to_bytes()),
    ]);
    let stored = open(&stored).unwrap();
    for (opened, subtype, parent) in [(generated, "CAPT", None), (stored, "SUBT", Some("video"))] {
        let presentation = opened.presentation();
        let text = presentation.manifest().unwrap();
        let parsed = ClientManifest::parse(text, &Limits::default()).unwrap();
        assert_eq!(presentation.streams().len(), 3);
        for (stream, announced) in presentation.streams().iter().zip(&parsed.streams) {
            let (track, quality) = (&stream.tracks()[0], &announced.qualities[0]);
            let description = track.description().unwrap();
            assert_eq!(*description, Description::of(announced, quality).unwrap());
            assert_eq!(track.picture_size(), quality.max_width.zip(quality.max_height));
            assert_eq!(stream.subtype(), announced.subtype.as_deref());
            let entry = Description::of_entry(
                stream.kind(),
                track.sample_entry().unwrap(),
                &Limits::default(),
            );
            assert_eq!(entry.unwrap().tag, description.tag);
            assert_eq!(track.key_id(), None, "it is not encrypted");
        }
        assert!(presentation.streams()[0].tracks()[0].picture_size().is_some());
        let text = &presentation.streams()[2];
        assert_eq!((text.subtype(), text.parent()), (Some(subtype), parent));
    }
}

#[test]
fn bitrates_that_are_nowhere_declared_are_those_of_the_fragments() {
    let media = film_of(3);
    let video: u64 = media.fragments.iter().filter(|f| f.0 == 1).map(|f| f.2.end - f.2.start).sum();
    let server = b"<smil><body><switch><audio src='film.ismv'/><video src='film.ismv'/></switch></body></smil>";
    let store = store([("film.ism", server.to_vec()), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), ["info bitrate-computed", "info bitrate-computed"]);
    let streams = opened.presentation().streams();
    assert_eq!(u64::from(streams[0].tracks()[0].bitrate()), video * 8 / 6);
    assert_eq!(streams[0].tracks()[0].source().unwrap().1, 1, "found by kind");
    assert_eq!(streams[1].tracks()[0].source().unwrap().1, 2, "found by kind");
}

/// ffmpeg writes 0 when it encodes for a quality, and RxPlayer drops such qualities.
#[test]
fn pictures_of_0_bit_per_second_get_the_bitrate_of_their_fragments() {
    let media = film_of(3);
    let tracks = [("video", "film.ismv", 0, 1, ""), AUDIO];
    let store = store([("film.ism", ism(None, &tracks)), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), ["info bitrate-computed"]);
    assert!(opened.presentation().streams()[0].tracks()[0].bitrate() > 0);
}

#[test]
fn a_stored_manifest_with_a_bitrate_of_0_is_served_with_a_finding() {
    let media = film_of(3);
    let tracks = [("video", "film.ismv", 0, 1, "")];
    let client = "<SmoothStreamingMedia><StreamIndex Url='QualityLevels({bitrate})/Fragments(video={start time})' Type='video'><QualityLevel Bitrate='0'/>\
                  <c t='0' d='20000000' r='3'/></StreamIndex></SmoothStreamingMedia>";
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &tracks)),
        ("film.ismc", client.into()),
        ("film.ismv", media.to_bytes()),
    ]);
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning bitrate-zero"]);
    assert_eq!(manifest(opened.presentation()), client);
    assert_eq!(opened.presentation().streams()[0].tracks()[0].fragment_count(), 3);
}

#[test]
fn a_track_that_began_before_0_is_announced_from_0() {
    let fragment = |time| Fragment { time, samples: vec![(2 * SECOND, 30)] };
    let times = [-213_333, 19_786_667, 39_786_667].map(fragment).to_vec();
    let tracks = [
        Track::regular(1, StreamKind::Video, 3, 2 * SECOND, 200),
        Track::new(2, StreamKind::Audio, times),
    ];
    let media = film::media(&tracks, Style::default());
    let store = store([("film.ism", ism(None, &[VIDEO, AUDIO])), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning start-moved"]);
    let starts: Vec<u64> =
        opened.presentation().streams()[1].timeline().iter().map(|c| c.0).collect();
    assert_eq!(starts, [0, 20_000_000, 40_000_000]);
    let origin = Origin::new(store);
    for start in starts {
        assert_eq!(
            status(&origin, &format!("film.ism/QualityLevels(64)/Fragments(audio={start})")),
            200
        );
    }
}

#[test]
fn times_that_differ_by_rounding_or_by_one_amount_are_found() {
    let late: Vec<u64> = [0, 3, 1].iter().zip(starts(3)).map(|(off, t)| t + off).collect();
    let moved: Vec<u64> = starts(3).iter().map(|t| t + 7_777_777).collect();
    for (starts, codes_expected) in [(late, vec![]), (moved, vec!["info times-shifted"])] {
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
            ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], &starts)])),
            ("film.ismv", film_of(3).to_bytes()),
        ]);
        assert_eq!(codes(open(&store).unwrap().presentation()), codes_expected);
        let origin = Origin::new(store);
        for start in starts {
            let path = format!("film.ism/QualityLevels(300)/Fragments(video={start})");
            assert_eq!(status(&origin, &path), 200, "{path}");
            let off = format!("film.ism/QualityLevels(300)/Fragments(video={})", start + 1);
            assert_eq!(status(&origin, &off), 404, "{off}");
        }
    }
}

#[test]
fn chunks_without_media_are_404_and_the_manifest_is_served_as_it_is() {
    let client = ismc(&[(StreamKind::Video, "video", &[300], &starts(5))]);
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
        ("film.ismc", client.clone()),
        ("film.ismv", film_of(3).to_bytes()),
    ]);
    let opened = open(&store).unwrap();
    assert_eq!(opened.presentation().manifest().unwrap()[..], client[..]);
    let finding = &opened.presentation().findings()[0];
    assert_eq!((finding.code.as_str(), finding.chunk), ("chunks-without-media", Some(60_000_000)));
    assert_eq!(finding.file.as_deref(), Some("film.ismv"));
    let origin = Origin::new(store);
    assert_eq!(status(&origin, "film.ism/QualityLevels(300)/Fragments(video=40000000)"), 200);
    assert_eq!(status(&origin, "film.ism/QualityLevels(300)/Fragments(video=60000000)"), 404);
}

#[test]
fn a_manifest_stored_in_a_way_that_players_cannot_read_is_served_in_another() {
    let text =
        String::from_utf8(ismc(&[(StreamKind::Video, "video", &[300], &starts(3))])).unwrap();
    let text = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{text}");
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&b"\xff\xfe"[..], &utf16].concat();
    let as_utf8 = text.replace("\"utf-16\"", "\"utf-8\"").into_bytes();
    for (stored, served, source) in [
        (marked.clone(), marked, ManifestSource::Stored),
        (utf16, as_utf8.clone(), ManifestSource::Mended),
        (text.into_bytes(), as_utf8, ManifestSource::Mended),
    ] {
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
            ("film.ismc", stored),
            ("film.ismv", film_of(3).to_bytes()),
        ]);
        let opened = open(&store).unwrap();
        assert_eq!(opened.presentation().manifest_source(), source);
        assert_eq!(opened.presentation().manifest().unwrap()[..], served[..]);
        let codes = codes(opened.presentation());
        assert_eq!(
            codes.contains(&"warning manifest-reencoded".into()),
            source == ManifestSource::Mended
        );
    }
}

#[test]
fn an_index_that_lies_is_never_served_by_and_what_the_file_holds_is_found() {
    let honest = film_of(4);
    let index = film::index(&honest);
    type Lie = fn(&mut film::Index, &Media);
    let lies: [(&str, Lie); 6] = [
        ("tracks swapped", |index, _| {
            (index[0].0, index[1].0) = (index[1].0, index[0].0);
        }),
        ("into an mdat", |index, _| index[0].1.iter_mut().for_each(|entry| entry.1 += 150)),
        ("off by one fragment", |index, _| {
            let offsets: Vec<u64> = index[0].1.iter().map(|entry| entry.1).collect();
            for (i, entry) in index[0].1.iter_mut().enumerate().skip(1) {
                entry.1 = offsets[i - 1] + 1;
            }
        }),
        ("past the end", |index, media| index[0].1[3].1 = media.len + 5),
        ("not monotone", |index, _| index[0].1.swap(1, 2)),
        ("into the moov", |index, _| index[0].1[0].1 = 24),
    ];
    for (lie, tell) in lies {
        let mut index = index.clone();
        tell(&mut index, &honest);
        let mut media = Media { len: honest.mfra, ..honest.clone() };
        media.parts.retain(|(offset, _)| *offset < honest.mfra);
        film::push_mfra(&mut media, &index);
        let bytes = media.to_bytes();
        let client = ismc(&[
            (StreamKind::Video, "video", &[300], &starts(4)),
            (StreamKind::Audio, "audio", &[64], &starts(4)),
        ]);
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[VIDEO, AUDIO])),
            ("film.ismc", client),
            ("film.ismv", bytes.clone()),
        ]);
        let origin = Origin::new(store);
        for (track, time, range) in &honest.fragments {
            let (bitrate, stream) = if *track == 1 { (300, "video") } else { (64, "audio") };
            let path = format!("film.ism/QualityLevels({bitrate})/Fragments({stream}={time})");
            let body = get(&origin, &path).unwrap_or_else(|error| panic!("{lie}, {path}: {error}"));
            assert_eq!(body, bytes[range.start as usize..range.end as usize], "{lie}, {path}");
        }
        // Whether opening found it or a request did.
        let opened = block_on(origin.open(&name("film.ism"))).unwrap();
        let codes = codes(opened.presentation());
        assert!(codes.contains(&"warning index-rebuilt".into()), "{lie}: {codes:?}");
    }
}

#[test]
fn an_index_that_lies_where_opening_does_not_look_is_found_out_by_the_first_request() {
    let honest = film_of(6);
    let mut index = film::index(&honest);
    // Neither the first nor the last, which opening looks at.
    let offsets: Vec<u64> = index[0].1.iter().map(|entry| entry.1).collect();
    (index[0].1[2].1, index[0].1[3].1) = (offsets[2] + 8, offsets[3] + 8);
    let mut media = Media { len: honest.mfra, ..honest.clone() };
    media.parts.retain(|(offset, _)| *offset < honest.mfra);
    film::push_mfra(&mut media, &index);
    let store = store([("film.ism", ism(None, &[VIDEO, AUDIO])), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    assert!(opened.presentation().distrusted().is_empty());
    let origin = Origin::builder(store.clone()).build();
    // It makes the origin open the presentation once more, without belief in the index.
    assert_eq!(status(&origin, "film.ism/QualityLevels(300)/Fragments(video=40000000)"), 200);
    let options = OpenOptions::default().distrust(name("film.ismv"));
    let origin = Origin::builder(store).open_options(options).build();
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning index-rebuilt", "warning index-rebuilt"]);
}

#[test]
fn a_file_without_an_index_is_walked_through_and_told() {
    let no_index = film::media(
        &[Track::regular(1, StreamKind::Video, 3, 2 * SECOND, 200)],
        Style { mfra: false, ..Style::default() },
    );
    let store = store([
        ("film.ism", ism(None, &[VIDEO, ("video", "cut.ismv", 500, 1, "")])),
        ("film.ismv", film_of(3).to_bytes()),
        ("cut.ismv", no_index.to_bytes()),
    ]);
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), ["warning index-rebuilt"]);
    let tracks = opened.presentation().streams()[0].tracks();
    assert_eq!(tracks.iter().map(|track| track.fragment_count()).collect::<Vec<_>>(), [3, 3]);
    let bytes = no_index.to_bytes();
    let origin = Origin::new(store);
    for (_, time, range) in &no_index.fragments {
        let body = get(&origin, &format!("film.ism/QualityLevels(500)/Fragments(video={time})"));
        assert_eq!(body.unwrap(), bytes[range.start as usize..range.end as usize]);
    }
}

#[test]
fn several_files_are_walked_through_side_by_side_and_one_that_fails_takes_no_other_down() {
    let failing = "video-2.ismv";
    let names: Vec<String> = (0..6).map(|i| format!("video-{i}.ismv")).collect();
    let recording = |count| {
        let track = Track::regular(1, StreamKind::Video, count, 2 * SECOND, 20_000);
        film::media(&[track], Style { mfra: false, ..Style::default() }).to_bytes()
    };
    let recordings: Vec<Vec<u8>> = (3..9).map(recording).collect();
    let elements: Vec<_> =
        names.iter().zip(1..).map(|(src, i)| ("video", src.as_str(), 100 * i, 1, "")).collect();
    let server = ism(None, &elements);
    let contents = |file: &str| match names.iter().position(|name| name == file) {
        Some(i) => &recordings[i],
        None => &server,
    };
    let (mut by_id, mut reads) = (HashMap::new(), 0);
    let step = open_step(name("film.ism"), &OpenOptions::default());
    let presentation = step.drive(|want| match want {
        Want::Open { file, name, head, tail } => {
            let bytes = contents(name.as_str());
            by_id.insert(*file, name.clone());
            let head = bytes[..bytes.len().min(*head as usize)].to_vec();
            let tail = bytes[bytes.len().saturating_sub(*tail as usize)..].to_vec();
            Ok(Got::Opened(FileEnds::new(bytes.len() as u64, head.into(), tail.into())))
        }
        Want::Range { file, range } => {
            let name = by_id[file].as_str();
            reads += u32::from(name == failing);
            if name == failing && reads > 2 {
                return Err(ReadError::new(ReadErrorKind::Denied));
            }
            let range = range.start as usize..range.end as usize;
            Ok(Got::Range(contents(name)[range].to_vec().into()))
        }
        _ => unreachable!("no other want is known"),
    });
    let presentation = presentation.unwrap();
    let counts = presentation.streams()[0].tracks().iter().map(|t| t.fragment_count());
    assert_eq!(counts.collect::<Vec<_>>(), [8, 7, 6, 4, 3, 0], "by bitrate, and what failed");
    assert!(codes(&presentation).contains(&"error file-unreadable".into()));
}

#[test]
fn a_walk_meets_its_budget_and_nothing_of_the_track_is_served_then() {
    let no_index = film::media(
        &[Track::regular(1, StreamKind::Video, 30, 2 * SECOND, 20_000)],
        Style { mfra: false, ..Style::default() },
    );
    let store = store([
        ("film.ism", ism(None, &[("video", "cut.ismv", 500, 1, "")])),
        ("cut.ismv", no_index.to_bytes()),
    ]);
    type Tighten = fn(&mut Limits);
    let cases: [(Tighten, &str); 2] = [
        (|limits| limits.scan_reads = 3, "4 is more than the budget of 3"),
        (|limits| limits.scan_bytes = 9000, "is more than the budget of 9000"),
    ];
    for (tighten, says) in cases {
        let mut limits = Limits::default();
        tighten(&mut limits);
        let options = OpenOptions::default().limits(limits);
        let origin = Origin::builder(store.clone()).open_options(options).build();
        let opened = block_on(origin.open(&name("film.ism"))).unwrap();
        let findings = opened.presentation().findings();
        let given_up = findings.iter().find(|f| f.code == FindingCode::ScanGivenUp).unwrap();
        assert!(given_up.message.contains(says), "{given_up}");
        assert!(opened.presentation().manifest().is_err());
    }
}

#[test]
fn every_prefix_of_a_file_opens_or_is_told() {
    let whole = film_of(2).to_bytes();
    for len in (0..whole.len()).step_by(7) {
        let store = store([
            ("film.ism", ism(None, &[VIDEO, ("audio", "sound.isma", 64, 2, "")])),
            ("film.ismv", whole[..len].to_vec()),
            ("sound.isma", whole.clone()),
        ]);
        let opened = open(&store).unwrap();
        assert!(!opened.presentation().findings().is_empty(), "{len} bytes");
        let origin = Origin::new(store);
        assert_eq!(status(&origin, "film.ism/QualityLevels(64)/Fragments(audio=0)"), 200);
        // What is there whole is served, and nothing else.
        if let Ok(body) = get(&origin, "film.ism/QualityLevels(300)/Fragments(video=0)") {
            let (_, _, range) = &film_of(2).fragments[0];
            assert!(range.end <= len as u64, "{len} bytes");
            assert_eq!(body, whole[range.start as usize..range.end as usize], "{len} bytes");
        }
    }
}

#[test]
fn a_generated_manifest_has_the_protection_of_its_files() {
    let playready = Guid::from_u128(0x9a04f079_9840_4286_ab92_e65be0885f95);
    let piff = |data: &'static [u8]| PiffPssh {
        full: FullBox::default(),
        system_id: playready,
        data: Bytes::from_static(data),
    };
    let other = Pssh {
        full: FullBox::default(),
        system_id: Guid::from_u128(7),
        key_ids: Vec::new(),
        data: Bytes::from_static(b"x"),
    };
    // Behind the tracks of a file without an index: no offset is to be mended.
    let protected = |boxes: Vec<AnyBox>| {
        let media = film::media(
            &[Track::regular(1, StreamKind::Video, 3, 2 * SECOND, 200)],
            Style { mfra: false, ..Style::default() },
        );
        let boxes = Boxes::from_iter(boxes).to_bytes();
        let mut bytes = media.to_bytes();
        let end = 24 + media.moov as usize;
        bytes.splice(end..end, boxes.iter().copied());
        let len = media.moov as u32 + boxes.len() as u32;
        bytes[24..28].copy_from_slice(&len.to_be_bytes());
        bytes
    };
    let store = store([
        ("film.ism", ism(None, &[VIDEO, ("video", "b.ismv", 500, 1, "")])),
        ("film.ismv", protected(vec![AnyBox::new(piff(b"\0\x01\xff")), AnyBox::new(other)])),
        ("b.ismv", protected(vec![AnyBox::new(piff(b"another"))])),
    ]);
    let opened = open(&store).unwrap();
    let text = manifest(opened.presentation());
    let manifest = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
    let headers: Vec<_> =
        manifest.protection.iter().map(|header| (header.system_id, &*header.data)).collect();
    assert_eq!(headers, [(Some(playready), "AAH/")], "players take the first, or know no other");
    assert!(codes(opened.presentation()).contains(&"warning protection-differs".into()));
}

/// 60 s into a recording, say: `Duration` is a length and not an end.
#[test]
fn a_film_that_does_not_begin_at_0_is_announced_with_its_length() {
    let fragment =
        |i: i64| Fragment { time: 600_000_000 + i * 20_000_000, samples: vec![(2 * SECOND, 9)] };
    let track = Track::new(1, StreamKind::Video, (0..3).map(fragment).collect());
    let media = film::media(&[track], Style::default());
    let store = store([("film.ism", ism(None, &[VIDEO])), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    let text = manifest(opened.presentation());
    let parsed = ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(parsed.duration, 60_000_000);
    let timeline = opened.presentation().streams()[0].timeline();
    assert_eq!(timeline.iter().next(), Some((600_000_000, 20_000_000)));
}

#[test]
fn a_colon_in_a_name_of_a_file_is_no_scheme() {
    let src = "rec-2026-11-28T10:00:00.ismv";
    let server = ism(None, &[("video", src, 300, 1, "")]);
    let store = store([("film.ism", server), (src, film_of(2).to_bytes())]);
    let opened = open(&store).unwrap();
    assert_eq!(codes(opened.presentation()), Vec::<String>::new());
    assert_eq!(opened.presentation().files()[1].as_str(), src);
}

#[test]
fn a_recording_that_was_cut_off_is_served_up_to_its_last_whole_fragment() {
    let media = film_of(4);
    let whole = media.to_bytes();
    let (_, _, last) = media.fragments.iter().rfind(|(track, ..)| *track == 1).unwrap();
    // In the header of its head, in the head, at its end, in the samples.
    for len in [last.start + 3, last.start + 40, last.end - 150, last.end - 1] {
        let store = store([
            ("film.ism", ism(None, &[VIDEO])),
            ("film.ismv", whole[..len as usize].to_vec()),
        ]);
        let opened = open(&store).unwrap();
        let presentation = opened.presentation();
        let codes = codes(presentation);
        assert_eq!(codes, ["error recording-cut-off"], "{len}");
        assert_eq!(presentation.streams()[0].timeline().len(), 3, "{len}");
        let origin = Origin::new(store);
        for (_, time, range) in media.fragments.iter().filter(|(track, ..)| *track == 1).take(3) {
            let path = format!("film.ism/QualityLevels(300)/Fragments(video={time})");
            assert_eq!(
                get(&origin, &path).unwrap(),
                whole[range.start as usize..range.end as usize]
            );
        }
    }
}

#[test]
fn the_validator_is_the_same_for_the_same_files_and_another_for_others() {
    let objects = || {
        [
            ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
            ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], &starts(3))])),
            ("film.ismv", film_of(3).to_bytes()),
        ]
    };
    let validator = |store| open(&store).unwrap().presentation().validator();
    let one = validator(store(objects()));
    assert_eq!(validator(store(objects())), one);
    for changed in 0..3 {
        let mut objects = objects();
        match changed {
            2 => objects[2].1 = film_of(4).to_bytes(),
            manifest => objects[manifest].1.push(b'\n'),
        }
        assert_ne!(validator(store(objects)), one);
    }
    let epoch = OpenOptions::default().epoch("2");
    let other = Origin::builder(store(objects())).open_options(epoch).build();
    let other = block_on(other.open(&name("film.ism"))).unwrap();
    assert_ne!(other.presentation().validator(), one);
}

/// Counts batches and bytes of an opening, with everything in memory but payloads.
fn batches(files: &[(&str, Vec<u8>)]) -> usize {
    let mut by_id = Vec::<usize>::new();
    let mut batches = 0;
    let mut step = open_step(name("film.ism"), &OpenOptions::default());
    loop {
        let reads = match step {
            Step::Ready(_) => return batches,
            Step::Read(reads) => reads,
        };
        batches += 1;
        let mut got = Vec::new();
        for want in reads.wanted() {
            got.push(match want {
                Want::Open { file, name, head, tail } => {
                    let found = files.iter().position(|(n, _)| *n == name.as_str());
                    by_id.resize(by_id.len().max(file.index() + 1), usize::MAX);
                    match found {
                        None => Err(ReadError::new(ReadErrorKind::Gone)),
                        Some(found) => {
                            by_id[file.index()] = found;
                            let bytes = &files[found].1;
                            let head = bytes[..bytes.len().min(*head as usize)].to_vec();
                            let tail =
                                bytes[bytes.len() - bytes.len().min(*tail as usize)..].to_vec();
                            Ok(Got::Opened(FileEnds::new(
                                bytes.len() as u64,
                                head.into(),
                                tail.into(),
                            )))
                        }
                    }
                }
                Want::Range { file, range } => {
                    let bytes = &files[by_id[file.index()]].1;
                    Ok(Got::Range(bytes[range.start as usize..range.end as usize].to_vec().into()))
                }
                _ => unreachable!("no other want is known"),
            });
        }
        step = reads.feed(got).unwrap();
    }
}

#[test]
fn opening_takes_at_most_four_batches_however_long_the_film() {
    for count in [2, 30, 3000] {
        let files = [
            ("film.ism", ism(Some("film.ismc"), &[VIDEO, AUDIO])),
            ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], &starts(count.into()))])),
            ("film.ismv", film_of(count).to_bytes()),
        ];
        let taken = batches(&files);
        assert!(taken <= 4, "{count} fragments took {taken} batches");
    }
}

#[test]
fn beyond_moov_and_mfra_little_is_read_however_long_the_film() {
    // Two seconds a fragment, 1.2 Mb/s: 60 s and 3 h. Six tracks in one file.
    for fragments in [30, 5400] {
        let tracks: Vec<Track> = (1..=6)
            .map(|id| {
                let kind = if id < 4 { StreamKind::Video } else { StreamKind::Audio };
                Track::regular(id, kind, fragments, 2 * SECOND, 300_000)
            })
            .collect();
        let media = Arc::new(film::media(&tracks, Style::default()));
        let elements: Vec<_> = (1..=6)
            .map(|id| (if id < 4 { "video" } else { "audio" }, "film.ismv", id * 1_000_000, id, ""))
            .collect();
        let others = store([("film.ism", ism(None, &elements))]);
        let store = RecordingStore::new(PlannedStore { media: Arc::clone(&media), others });
        let reads = store.reads.clone();
        let opened = block_on(Origin::new(store).open(&name("film.ism"))).unwrap();
        assert_eq!(opened.presentation().findings(), []);
        let reads = reads.lock().unwrap();
        let of_media = reads.iter().filter(|(name, _)| name == "film.ismv");
        let read: u64 = of_media.map(|(_, range)| range.end - range.start).sum();
        let beyond = read - (media.len - media.mfra) - media.moov;
        assert!(beyond <= 64 << 10, "{fragments} fragments: {beyond} bytes beyond moov and mfra");
    }
}

#[test]
fn an_opened_presentation_takes_little_memory() {
    let (fragments, bitrates) = (5400_u32, [100_u32, 200, 300]);
    let tracks: Vec<Track> = (1..=3)
        .map(|id| {
            // No two neighbours are equally long, so that nothing becomes a run.
            let fragment = |i: u32| Fragment {
                time: i64::from(i) * 20_000_000 + i64::from(i % 2),
                samples: vec![(20_000_000, 3)],
            };
            Track::new(id, StreamKind::Video, (0..fragments).map(fragment).collect())
        })
        .collect();
    let elements: Vec<_> =
        (1..=3).map(|id| ("video", "film.ismv", bitrates[id as usize - 1], id, "")).collect();
    let media = film::media(&tracks, Style::default());
    let store = store([("film.ism", ism(None, &elements)), ("film.ismv", media.to_bytes())]);
    let opened = open(&store).unwrap();
    let presentation = opened.presentation();
    let manifest = presentation.manifest().unwrap().len();
    let memory = presentation.memory() - manifest;
    let budget = 24 * 3 * fragments as usize + 16 * fragments as usize;
    assert!(memory <= budget + 4096, "{memory} bytes, where {budget} are allowed");
}
