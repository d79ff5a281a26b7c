//! Texts of live events: what keeps them, how long what they are of is held, and what their tags change with.

use std::sync::Arc;

use bytes::Bytes;
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{Answer, LiveOptions, LivePoints, Origin, Served, block_on};
use smooth_origin::presentation::Piece;
use smooth_origin::service::ServiceOptions;
use smooth_origin::storage::MemoryStore;

use crate::live_outputs::Server;
use crate::live_point::encoder::{audio, header, video};

const TEXTS: [&str; 3] = ["manifest.mpd", "master.m3u8", "video-3000000.m3u8"];

/// A publishing point with so many chunks of 2 s.
fn event(chunks: i64) -> (LivePoints, Server) {
    let point = PointOptions::default().look_ahead(0);
    let live = LiveOptions::default().on_first_push(move |_| Some(point.clone()));
    let points = LivePoints::new(live);
    let options = ServiceOptions::default();
    #[cfg(feature = "compression")]
    let options = options.compression(true);
    let server = Server::of(points.clone(), options);
    server.push_media(0..chunks);
    (points, server)
}

fn answer(origin: &Origin, path: &str) -> Served {
    match block_on(origin.answer(&format!("/x.isml/{path}"))).unwrap() {
        Answer::Reply(served) => served,
        other => panic!("{path}: {other:?}"),
    }
}

/// The bytes of an answer, all of which are in memory.
fn bytes(served: &Served) -> Bytes {
    match served.reply().pieces() {
        [Piece::Bytes(bytes)] => bytes.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_memory_for_texts_of_events_is_that_of_the_origin() {
    for (text_bytes, is_kept) in [(0, false), (1 << 20, true)] {
        let (points, _) = event(4);
        let origin = Origin::builder(MemoryStore::new()).live(points).text_bytes(text_bytes);
        let origin = origin.build();
        for path in TEXTS {
            let [one, other] = [(); 2].map(|()| bytes(&answer(&origin, path)));
            assert_eq!(one, other);
            assert_eq!(one.as_ptr() == other.as_ptr(), is_kept, "{path}");
        }
    }
}

#[test]
fn a_body_whose_bytes_are_there_holds_no_snapshot() {
    for path in TEXTS.into_iter().chain(["Manifest", "video-3000000/0.m4s"]) {
        let (points, server) = event(4);
        let origin = Origin::builder(MemoryStore::new()).live(points).build();
        let served = answer(&origin, path);
        let (length, opened) = (served.reply().length(), Arc::downgrade(served.opened().unwrap()));
        let mut body = served.body();
        drop(served);
        assert!(opened.upgrade().is_some(), "it is shown");
        server.push_media(4..5);
        assert!(opened.upgrade().is_none(), "{path}: another one is shown");
        let mut sent = 0;
        while let Some(bytes) = block_on(body.next()) {
            sent += bytes.unwrap().len() as u64;
        }
        assert_eq!((sent, body.remaining()), (length, 0), "{path}");
    }
}

#[test]
fn the_tag_of_a_playlist_changes_with_its_text_alone() {
    let (points, server) = event(4);
    let origin = Origin::builder(MemoryStore::new()).live(points).build();
    let both = |path: &str| {
        let served = answer(&origin, path);
        (served.reply().validator().to_string(), bytes(&served))
    };
    let playlists = ["video-3000000.m3u8", "audio-64000.m3u8"];
    let [[pictures, sound], of_part] =
        ["", "?start=2"].map(|query| playlists.map(|path| both(&format!("{path}{query}"))));
    assert!(pictures.0 != sound.0 && of_part[0].0 != pictures.0);
    // The sound goes on before the pictures do.
    let specs = [video(1, 3_000_000), audio(2, 64_000)];
    let fragment = specs[1].fragment(80_000_000, 20_000_000, 0);
    server.push("media", header(&specs).iter().copied().chain(fragment.iter().copied()).collect());
    let [later, of_later] = ["", "?start=2"].map(|query| both(&format!("{}{query}", playlists[0])));
    assert_eq!(later, pictures);
    assert_eq!(of_later, of_part[0]);
    let other = both(playlists[1]);
    assert!(other.0 != sound.0 && other.1 != sound.1);
    server.push_media(4..5);
    let other = both(playlists[0]);
    assert!(other.0 != pictures.0 && other.1 != pictures.1);
}

#[cfg(feature = "compression")]
#[test]
fn the_first_client_that_asks_for_a_snapshot_gets_short_texts_compressed() {
    let (_, server) = event(20);
    for chunks in 20..24 {
        for path in TEXTS.into_iter().chain(["Manifest"]) {
            let (status, headers) = server.get(path, Some(("accept-encoding", "gzip")));
            assert_eq!((status, &headers["content-encoding"]), (200, &"gzip".parse().unwrap()));
            assert_eq!(headers["vary"], "accept-encoding");
            let (_, plain) = server.get(path, None);
            assert!(!plain.contains_key("content-encoding"));
            let [length, of_plain] = [&headers, &plain]
                .map(|of| of["content-length"].to_str().unwrap().parse::<u64>().unwrap());
            assert!(length < of_plain, "{path}: {length} of {of_plain}");
            let tag = headers["etag"].to_str().unwrap();
            assert_eq!(plain["etag"], tag.replace("-gzip\"", "\""));
        }
        server.push_media(chunks..chunks + 1);
    }
}
