//! `--boxes`, `--timeline`, `--protection`, `--strict` and `--diff`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::storage::LocalStore;

use crate::{LADDER, TESTDATA, changed_ladder, folder, json, text, write};

const MEDIA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/ladder/ladder.ismv");

/// The first box below a list of boxes with these types, the outermost first.
fn find<'a>(boxes: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(boxes, |boxes, kind| {
        let list = boxes.as_array().or(boxes["boxes"].as_array()).unwrap();
        list.iter().find(|of| of["type"] == *kind).unwrap_or_else(|| panic!("no {kind}"))
    })
}

#[test]
fn boxes_are_listed_with_offsets_and_fields() {
    let bytes = fs::read(MEDIA).unwrap();
    let (status, entries) = json(&["--boxes", MEDIA]);
    assert_eq!((status, entries.len()), (0, 1));
    let boxes = &entries[0]["boxes"];
    // The boxes at the top fill the file.
    let sizes = boxes.as_array().unwrap().iter().map(|of| of["size"].as_u64().unwrap());
    assert_eq!(sizes.sum::<u64>(), bytes.len() as u64);
    let tfhd = find(boxes, &["moof", "traf", "tfhd"]);
    let offset = tfhd["offset"].as_u64().unwrap() as usize;
    assert_eq!(&bytes[offset + 4..offset + 8], b"tfhd");
    let field = tfhd["fields"].as_array().unwrap().iter().find(|of| of["name"] == "track_ID");
    let at = field.unwrap()["offset"].as_u64().unwrap() as usize;
    let id = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(field.unwrap()["value"], id.to_string());

    let (status, text) = text(&["--boxes", MEDIA]);
    assert_eq!(status, 0, "{text}");
    let line = text.lines().find(|line| line.contains("  tfhd")).unwrap();
    assert!(line.trim_start().starts_with(&offset.to_string()), "{line}");
    assert!(line.contains(&format!("track_ID={id}")), "{line}");
}

#[test]
fn a_box_that_cannot_be_read_has_its_error_in_its_place() {
    let ism = changed_ladder("boxes", |bytes| {
        let trun = memchr::memmem::find(bytes, b"trun").unwrap();
        bytes[trun + 8] = 0xff;
    });
    let media = ism.replace(".ism", ".ismv");
    let (status, entries) = json(&["--boxes", &media]);
    assert_eq!(status, 1);
    let trun = find(&entries[0]["boxes"], &["moof", "traf", "trun"]);
    assert!(trun["error"].as_str().unwrap().contains("needs"), "{trun}");
    // What follows is listed as well.
    assert_eq!(entries[0]["boxes"].as_array().unwrap().last().unwrap()["type"], "mfra");
    let (status, text) = text(&["--boxes", &media]);
    assert_eq!((status, text.matches("error: trun at byte").count()), (1, 1), "{text}");

    // A file that ends within its last box, and no file.
    let bytes = fs::read(MEDIA).unwrap();
    let cut = write(&folder("boxes-cut"), "cut.ismv", &bytes[..bytes.len() - 1]);
    assert_eq!(json(&["--boxes", &cut]).0, 1);
    // And one that ends within its samples, which are not read.
    let mdat = memchr::memmem::rfind(&bytes, b"mdat").unwrap();
    let cut = write(&folder("boxes-cut-mdat"), "cut.ismv", &bytes[..mdat + 10]);
    let (status, text) = crate::text(&["--boxes", &cut]);
    assert_eq!(status, 1, "{text}");
    assert!(text.trim_end().ends_with(" bytes before it does"), "{text}");
    assert_eq!(json(&["--boxes", "/no/such/film.ismv"]).0, 3);
}

#[test]
fn the_timeline_has_each_chunk_with_its_sizes() {
    let (status, entries) = json(&["--timeline", LADDER]);
    assert_eq!(status, 0);
    let timeline = entries[0]["timeline"].as_array().unwrap();
    let streams = entries[0]["streams"].as_array().unwrap();
    assert_eq!(timeline.len(), streams.len());
    let mut all = 0;
    for (stream, of) in streams.iter().zip(timeline) {
        let chunks = of["chunks"].as_array().unwrap();
        assert_eq!(chunks.len() as u64, stream["chunks"].as_u64().unwrap());
        for chunk in chunks {
            assert_eq!(chunk["gap"], 0);
            for track in chunk["tracks"].as_array().unwrap() {
                assert_eq!(track["key_frame"], true);
                all += track["bytes"].as_u64().unwrap();
            }
        }
    }
    // All `moof`s and `mdat`s of the file are among them.
    let (_, boxes) = json(&["--boxes", MEDIA]);
    let boxes = boxes[0]["boxes"].as_array().unwrap().iter();
    let media = boxes.filter(|of| of["type"] == "moof" || of["type"] == "mdat");
    assert_eq!(all, media.map(|of| of["size"].as_u64().unwrap()).sum::<u64>());

    let (_, text) = text(&["--timeline", LADDER]);
    assert!(text.contains("timeline of video `video`: 12 chunks, times in 1/10000000 s"), "{text}");
}

#[test]
fn gaps_overlaps_and_missing_fragments_stand_in_the_timeline() {
    let ism = changed_ladder("timeline", |_| {});
    let client = ism.replace(".ism", ".ismc");
    let manifest = fs::read_to_string(&client).unwrap();
    // The second chunk of the video ends a second too early.
    fs::write(
        &client,
        manifest.replacen(
            "<c d=\"20000000\" />\n    <c d",
            "<c d=\"10000000\" />\n    <c t=\"40000000\" d",
            1,
        ),
    )
    .unwrap();
    let (_, text) = text(&["--timeline", &ism]);
    assert!(text.contains("  10000000 ticks after the end of the chunk before"), "{text}");
}

#[test]
fn protection_has_systems_keys_and_licences() {
    let path = format!("{TESTDATA}/dialects/playready/playready.ism");
    let (_, entries) = json(&["--protection", &path]);
    let protection = &entries[0]["protection"];
    let system = &protection["systems"][0];
    assert_eq!(system["name"], "PlayReady");
    let key = system["keys"][0].as_str().unwrap();
    assert_eq!(key.len(), 36);
    let (_, text) = text(&["--protection", &path]);
    assert!(text.contains(&format!("  key {key}")), "{text}");
    for track in protection["tracks"].as_array().unwrap() {
        let (name, bitrate) = (track["stream"].as_str().unwrap(), &track["bitrate"]);
        assert!(text.contains(&format!("  {name} at {bitrate}: ")), "{text}");
    }
    let (_, entries) = json(&["--protection", LADDER]);
    assert_eq!(entries[0]["protection"]["systems"], Value::Array(Vec::new()));
    assert_eq!(entries[0]["protection"]["tracks"][0]["encrypted"], false);
}

#[test]
fn strict_gives_warnings_a_status_of_their_own() {
    let dense = format!("{TESTDATA}/dialects/dense/dense.ism");
    let missing = format!("{TESTDATA}/dialects/missing/missing.ism");
    for (path, lax, strict) in [(LADDER, 0, 0), (&*dense, 0, 4), (&*missing, 1, 1)] {
        assert_eq!((json(&[path]).0, json(&["--strict", path]).0), (lax, strict), "{path}");
    }
    assert_eq!(json(&["--strict", LADDER, &dense, &missing]).0, 1);
    let (_, text) = text(&["--strict", LADDER, &dense]);
    assert!(text.ends_with("\n1 fine, 1 with warnings\n"), "{text}");
}

#[test]
fn a_manifest_that_a_player_does_not_take_is_a_warning_with_its_name() {
    let ism = changed_ladder("player", |_| {});
    let client = ism.replace(".ism", ".ismc");
    let manifest = fs::read_to_string(&client).unwrap();
    fs::write(&client, manifest.replace("{start time}", "{start_time}")).unwrap();
    let (status, entries) = json(&["--strict", &ism]);
    let findings = entries[0]["findings"].as_array().unwrap();
    let of_player = |finding: &&Value| finding["code"] == "player-refuses";
    let message = findings.iter().find(of_player).unwrap()["message"].as_str().unwrap();
    assert!(message.contains("dash.js 5.2.1") && message.contains("{start time}"), "{message}");
    assert_eq!(status, 4);
}

/// The one line of `--diff --json`.
fn diff(a: &str, b: &str) -> (i32, Value) {
    let (status, mut lines) = json(&["--diff", a, b]);
    assert_eq!(lines.len(), 1);
    (status, lines.remove(0))
}

#[test]
fn a_presentation_is_as_itself() {
    let (status, value) = diff(LADDER, LADDER);
    assert_eq!((status, &value["outcome"]), (0, &"same".into()));
    assert_eq!(value["fragments"], 5 * 12);
    let (status, text) = text(&["--diff", LADDER, LADDER]);
    assert_eq!(status, 0);
    assert_eq!(
        text,
        "no difference: the manifests say the same, and 60 fragments have the same bytes\n"
    );
}

#[test]
fn the_first_byte_that_differs_is_named_with_box_and_field() {
    let place = std::cell::Cell::new(0);
    let ism = changed_ladder("diff-byte", |bytes| {
        let moof = crate::fragments_of_track_1(bytes)[5];
        let trun = moof + memchr::memmem::find(&bytes[moof..], b"trun").unwrap();
        let flags = u32::from_be_bytes(bytes[trun + 4..trun + 8].try_into().unwrap());
        let words = |mask: u32| 4 * (flags & mask).count_ones() as usize;
        // The last byte of the size of the third sample, which becomes smaller.
        let at = trun + 12 + words(0x5) + 2 * words(0xf00) + words(0x100) + 3;
        bytes[at] = bytes[at].checked_sub(1).unwrap();
        // The box begins with its size.
        place.set(at - (moof - 4));
    });
    let place = place.get();
    let (status, value) = diff(LADDER, &ism);
    assert_eq!((status, &value["outcome"]), (1, &"different".into()), "{value}");
    let difference = value["differences"].as_array().unwrap();
    let difference = difference.iter().find(|of| of["byte"].is_u64()).unwrap();
    assert_eq!(difference["boxes"], "moof/traf/trun");
    assert_eq!(difference["field"], "sample 3's sample_size");
    assert_eq!((&difference["byte"], &difference["chunk"]), (&place.into(), &100_000_000.into()));
    let (a, b) = (difference["a"].as_str().unwrap(), difference["b"].as_str().unwrap());
    assert!(a != b && b.starts_with("0x"), "{difference}");
    let (_, text) = text(&["--diff", LADDER, &ism]);
    let line = format!(
        "chunk 5 (100000000) of video `video` at 60000: moof/traf/trun, sample 3's sample_size: {a} in A, {b} in B (byte {})",
        place
    );
    assert!(text.contains(&line), "{text}");
}

#[test]
fn manifests_are_compared_by_what_they_say() {
    let ism = changed_ladder("diff-manifest", |_| {});
    let client = ism.replace(".ism", ".ismc");
    let manifest = fs::read_to_string(&client).unwrap();
    let changed = manifest
        .replacen("    <c d=\"19839999\" />\n", "", 1)
        .replace("Language=\"fra\"", "Language=\"fre\"")
        .replace("MaxHeight=\"90\"", "MaxHeight=\"92\"");
    fs::write(&client, changed).unwrap();
    let (status, value) = diff(LADDER, &ism);
    assert_eq!(status, 1);
    let places: Vec<_> = value["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["place"].as_str().unwrap())
        .collect();
    assert!(places.contains(&"video `video` at 60000, MaxHeight"), "{places:?}");
    assert!(places.contains(&"audio `audio_fra`, Language"), "{places:?}");
    assert!(
        places.iter().any(|place| place.starts_with("audio `audio_eng`, chunk 11 (")),
        "{places:?}"
    );
    // Their number is bounded.
    let (status, lines) = json(&["--diff", "--most-differences", "2", LADDER, &ism]);
    assert_eq!((status, lines[0]["differences"].as_array().unwrap().len()), (1, 2));
    assert_eq!(lines[0]["cut"], true);
}

/// Serves the presentations of a folder to one client after another, with one byte of a fragment changed.
fn origin(root: &Path, changed: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let origin = Origin::new(LocalStore::new(root).unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            loop {
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
                if !head.ends_with(b"\r\n\r\n") {
                    continue;
                }
                let text = String::from_utf8(std::mem::take(&mut head)).unwrap();
                let path = text.split(' ').nth(1).unwrap();
                let (status, mut body) = match block_on(origin.answer(path)) {
                    Ok(Answer::Reply(served)) => {
                        let (mut body, mut bytes) = (served.body(), Vec::new());
                        while let Some(part) = block_on(body.next()) {
                            bytes.extend_from_slice(&part.unwrap());
                        }
                        (200, bytes)
                    }
                    _ => (404, Vec::new()),
                };
                if path.ends_with(changed) {
                    let last = body.len() - 1;
                    body[last] ^= 0xff;
                }
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
            }
        }
    });
    format!("http://{address}")
}

#[test]
fn another_origin_is_compared_over_http() {
    let url = origin(
        &Path::new(TESTDATA).join("ladder"),
        "QualityLevels(120000)/Fragments(video=40000000)",
    );
    for b in [format!("{url}/ladder.ism"), format!("{url}/ladder.ism/Manifest")] {
        let (status, value) = diff(LADDER, &b);
        assert_eq!(status, 1, "{value}");
        let differences = value["differences"].as_array().unwrap();
        assert_eq!(differences.len(), 1, "{value}");
        let (of, place) = (&differences[0], differences[0]["place"].as_str().unwrap());
        assert_eq!(
            (&of["boxes"], &of["bitrate"], &of["chunk"]),
            (&"mdat".into(), &120_000.into(), &40_000_000.into())
        );
        assert!(
            place.starts_with("chunk 2 (40000000) of video `video` at 120000: mdat, byte "),
            "{place}"
        );
        assert!(place.contains("(sample "), "{place}");
    }
}

#[test]
fn what_cannot_be_compared_is_named() {
    for (b, says) in [
        ("/no/such/film.ism", "there is no such file or folder"),
        ("http://127.0.0.1:1/film.ism", "is not answered"),
        ("https://127.0.0.1:1/film.ism", "TLS is not spoken here"),
    ] {
        let (status, value) = diff(LADDER, b);
        assert_eq!((status, &value["outcome"]), (3, &"not-compared".into()), "{b}");
        assert!(value["message"].as_str().unwrap().contains(says), "{value}");
    }
    let output = crate::inspect().args(["--diff", LADDER]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
