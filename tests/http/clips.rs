//! Manifests of a part of a film, by `start` and `end`.

use smooth_origin::Limits;
use smooth_origin::manifest::{ClientManifest, runs};

use crate::asked::get;
use crate::request_table::service;

/// Start and end of each chunk of each stream, by the stream's name, in the stream's ticks.
fn chunks(manifest: &[u8]) -> Vec<(String, Vec<(u64, u64)>)> {
    let manifest = ClientManifest::parse(manifest, &Limits::default()).unwrap();
    let of = |stream: &smooth_origin::manifest::StreamIndex| {
        let runs = runs(&stream.chunks).map(Result::unwrap);
        let each = runs.flat_map(|run| {
            let start = move |number| run.start + number * run.duration;
            (0..run.count.get()).map(move |number| (start(number), start(number + 1)))
        });
        (stream.name().into_owned(), each.collect())
    };
    manifest.streams.iter().map(of).collect()
}

#[test]
fn a_clip_of_a_film_has_the_chunks_that_overlap_it_and_what_else_the_film_says() {
    const SECOND: u64 = 10_000_000;
    let service = service();
    let whole = get(&service, "/film.ism/Manifest").body;
    let all = chunks(&whole);
    let begin = all.iter().flat_map(|(_, chunks)| chunks).map(|chunk| chunk.0).min().unwrap();
    let length = all.iter().flat_map(|(_, chunks)| chunks).map(|chunk| chunk.1).max().unwrap();
    let mut tags = std::collections::HashSet::new();
    for from in 0..length / SECOND {
        for to in from + 1..=length / SECOND + 1 {
            let clip = get(&service, &format!("/film.ism/Manifest?start={from}&end={to}"));
            assert_eq!(clip.status, 200, "{from} to {to}");
            let (from, to) = (begin + from * SECOND, begin + to * SECOND);
            let overlaps = |&(start, end): &(u64, u64)| end > from && start < to;
            let expected = all.iter().map(|(name, chunks)| {
                let left: Vec<_> = chunks.iter().copied().filter(overlaps).collect();
                (name.clone(), left)
            });
            let expected: Vec<_> = expected.filter(|(_, chunks)| !chunks.is_empty()).collect();
            let found = chunks(&clip.body);
            assert_eq!(found, expected, "{from} to {to}");
            let ends = |of: fn((u64, u64)) -> u64| {
                found.iter().flat_map(|(_, chunks)| chunks).map(move |chunk| of(*chunk))
            };
            let lasts = ends(|chunk| chunk.1).max().unwrap() - ends(|chunk| chunk.0).min().unwrap();
            let clipped = ClientManifest::parse(&clip.body, &Limits::default()).unwrap();
            assert_eq!((clipped.duration, clipped.is_live), (lasts, None));
            let film = ClientManifest::parse(&whole, &Limits::default()).unwrap();
            for stream in &clipped.streams {
                let of = film.streams.iter().find(|of| of.name() == stream.name()).unwrap();
                assert_eq!((&stream.url, &stream.qualities), (&of.url, &of.qualities));
            }
            tags.insert((clip.header("etag"), found.len(), format!("{found:?}")));
        }
    }
    let by_tag: std::collections::HashSet<_> = tags.iter().map(|(tag, ..)| tag).collect();
    assert_eq!(by_tag.len(), tags.len(), "equal clips have equal tags, others have others");
}

#[test]
fn a_clip_is_revalidated_by_its_own_tag_and_is_never_compressed() {
    let service = service();
    for name in ["Manifest", "manifest.mpd", "master.m3u8", "video-300.m3u8"] {
        let whole = get(&service, &format!("/film.ism/{name}"));
        let target = format!("/film.ism/{name}?start=2&end=4");
        for _ in 0..3 {
            let clip =
                crate::asked::ask(&service, "GET", &target, &[("accept-encoding", "gzip, br")]);
            assert_ne!(clip.header("etag"), whole.header("etag"));
            assert_eq!(clip.header("content-encoding"), "");
            let tag = clip.header("etag");
            let again = crate::asked::ask(&service, "GET", &target, &[("if-none-match", &tag)]);
            assert_eq!(again.status, 304);
            let of_whole = whole.header("etag");
            let other =
                crate::asked::ask(&service, "GET", &target, &[("if-none-match", &of_whole)]);
            assert_eq!((other.status, &other.body), (200, &clip.body));
        }
    }
}
