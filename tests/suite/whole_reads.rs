//! A store of which every read is a round trip: a fragment is one read, for one client or for many.

use std::future::Future;
use std::ops::Range;
use std::sync::LazyLock;
use std::task::{Context, Waker};

use bytes::Bytes;
use smooth_origin::base::Error;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, OriginBuilder, block_on};
use testkit::film::{self, Media, Style, Track, ism};
use testkit::remote::{Remote, together};
use testkit::{name, store};

const CHUNK: u64 = 20_000_000;
/// More than a body reads at once from a local file.
const PICTURE: u32 = 2_500_000;

static MEDIA: LazyLock<Media> = LazyLock::new(media);
static FILE: LazyLock<Bytes> = LazyLock::new(|| MEDIA.to_bytes().into());

fn media() -> Media {
    let tracks = [
        Track::regular(1, StreamKind::Video, 20, CHUNK as u32, PICTURE),
        Track::regular(2, StreamKind::Audio, 20, CHUNK as u32, 500),
    ];
    film::media(&tracks, Style::default())
}

fn film() -> Remote {
    let elements = [("video", "film.ismv", 300, 1, ""), ("audio", "film.ismv", 64, 2, "")];
    let objects = store([("film.ism", ism(None, &elements))]);
    objects.put(name("film.ismv"), FILE.clone());
    Remote::new(objects)
}

/// An origin over the store that has opened the film.
fn origin(remote: &Remote, set: impl FnOnce(OriginBuilder) -> OriginBuilder) -> Origin {
    let builder = Origin::builder(remote.clone()).remote_store();
    let builder = set(builder.clock(remote.hands.clock()).timer(remote.hands.timer()));
    let origin = builder.build();
    block_on(origin.answer("/film.ism/Manifest")).unwrap();
    remote.reads();
    origin
}

fn video(chunk: u64) -> String {
    format!("/film.ism/QualityLevels(300)/Fragments(video={})", chunk * CHUNK)
}

/// Bytes of a fragment as they are in the file.
fn stored(chunk: u64) -> Vec<u8> {
    let media = &*MEDIA;
    let is_it =
        |(track, time, _): &&(u32, i64, Range<u64>)| (*track, *time) == (1, (chunk * CHUNK) as i64);
    let (.., range) = media.fragments.iter().find(is_it).unwrap();
    FILE[range.start as usize..range.end as usize].to_vec()
}

async fn fetch(origin: &Origin, target: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, Error> {
    let Answer::Reply(served) = origin.answer(target).await? else { panic!("no redirect") };
    let mut body = match range {
        Some(range) => served.body_of(range),
        None => served.body(),
    };
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        bytes.extend_from_slice(&part?);
    }
    Ok(bytes)
}

fn get(origin: &Origin, target: &str) -> Vec<u8> {
    block_on(fetch(origin, target, None)).unwrap()
}

#[test]
fn a_fragment_is_one_read_the_first_time_and_later() {
    let remote = film();
    let origin = origin(&remote, |builder| builder);
    for _ in 0..2 {
        assert!(get(&origin, &video(3)) == stored(3));
        assert_eq!(remote.reads().len(), 1);
    }
    assert_eq!(origin.stats().body_bytes, 0);
}

#[test]
fn a_fragment_in_the_cache_is_no_read_however_long_it_is() {
    let remote = film();
    let origin = origin(&remote, |builder| builder.fragment_cache_bytes(64 << 20));
    for reads in [1, 0, 0] {
        assert!(get(&origin, &video(3)) == stored(3));
        assert_eq!(remote.reads().len(), reads);
    }
}

#[test]
fn a_hundred_clients_at_one_time_are_one_read_in_the_room_of_one() {
    for cache in [0, 64 << 20] {
        for is_known in [false, true] {
            let remote = film();
            // A hundred times as much would not fit.
            let origin =
                origin(&remote, |builder| builder.body_bytes(48 << 20).fragment_cache_bytes(cache));
            if is_known {
                get(&origin, &video(5));
                origin.forget(&name("film.ism"));
                get(&origin, "/film.ism/Manifest");
                block_on(origin.answer(&video(5))).unwrap();
                remote.reads();
            }
            remote.slow();
            let target = video(5);
            let got = together(&remote, (0..100).map(|_| fetch(&origin, &target, None)));
            let stored = stored(5);
            assert!(got.iter().all(|got| *got.as_ref().unwrap() == stored));
            let reads = if is_known && cache > 0 { 0 } else { 1 };
            assert_eq!(remote.reads().len(), reads, "cache {cache}, known {is_known}");
            if cache == 0 {
                assert_eq!(origin.stats().shared_reads, 99);
            }
            assert_eq!(origin.stats().body_bytes, 0);
        }
    }
}

#[test]
fn bytes_that_are_being_sent_serve_the_next_client() {
    let remote = film();
    let origin = origin(&remote, |builder| builder);
    get(&origin, &video(2));
    remote.reads();
    let Answer::Reply(served) = block_on(origin.answer(&video(2))).unwrap() else { panic!() };
    let mut slow = served.body();
    let held = block_on(slow.next()).unwrap().unwrap();
    let in_use = origin.stats().body_bytes;
    assert!(get(&origin, &video(2)) == held);
    assert_eq!((remote.reads().len(), origin.stats().body_bytes), (1, in_use));
    drop(held);
    get(&origin, &video(2));
    assert_eq!(remote.reads().len(), 1);
}

#[test]
fn different_fragments_and_ranges_at_one_time_give_their_own_bytes() {
    let remote = film();
    let origin = origin(&remote, |builder| builder);
    (0..4).for_each(|chunk| drop(get(&origin, &video(chunk))));
    remote.reads();
    remote.slow();
    let targets: Vec<_> = (0..4).map(video).collect();
    let asked = (0..40_usize).map(|number| {
        let range = (number % 3 > 0).then(|| number as u64..1_000_000 + number as u64);
        fetch(&origin, &targets[number % 4], range)
    });
    let got = together(&remote, asked);
    for (number, got) in got.into_iter().enumerate() {
        let whole = stored(number as u64 % 4);
        let wanted = if number % 3 > 0 { &whole[number..1_000_000 + number] } else { &whole[..] };
        assert!(got.unwrap() == wanted, "{number}");
    }
}

#[test]
fn a_range_of_a_fragment_that_was_looked_at_is_one_read_of_that_range() {
    let remote = film();
    let origin = origin(&remote, |builder| builder);
    let whole = get(&origin, &video(1));
    remote.reads();
    let got = block_on(fetch(&origin, &video(1), Some(100..2_000_100))).unwrap();
    assert!(got == whole[100..2_000_100]);
    let reads = remote.reads();
    assert_eq!(reads.iter().map(|read| read.end - read.start).collect::<Vec<_>>(), [2_000_000]);
}

#[test]
fn an_error_reaches_all_who_wait_and_is_not_kept() {
    for is_known in [false, true] {
        let remote = film();
        let origin = origin(&remote, |builder| builder);
        if is_known {
            get(&origin, &video(5));
            remote.reads();
        }
        remote.slow();
        remote.fail(1);
        let target = video(5);
        let got = together(&remote, (0..20).map(|_| fetch(&origin, &target, None)));
        assert!(got.iter().all(|got| got.as_ref().unwrap_err().kind.status() == 503));
        assert_eq!(remote.reads().len(), 1);
        let got = together(&remote, [fetch(&origin, &target, None)]);
        assert!(*got[0].as_ref().unwrap() == stored(5));
        assert_eq!(origin.stats().body_bytes, 0);
    }
}

#[test]
fn who_began_a_read_and_leaves_does_not_end_it_for_the_others() {
    let remote = film();
    let origin = origin(&remote, |builder| builder);
    remote.slow();
    let target = video(5);
    let mut leaving = Box::pin(fetch(&origin, &target, None));
    let mut staying = Box::pin(fetch(&origin, &target, None));
    let context = &mut Context::from_waker(Waker::noop());
    assert!(leaving.as_mut().poll(context).is_pending());
    assert!(staying.as_mut().poll(context).is_pending());
    drop(leaving);
    let got = together(&remote, [staying]);
    assert!(*got[0].as_ref().unwrap() == stored(5));
    assert_eq!(remote.reads().len(), 1);
}

#[test]
fn little_room_is_shared_out_and_all_come_to_their_end() {
    let remote = film();
    let origin = origin(&remote, |builder| builder.body_bytes(44 << 20));
    (0..16).for_each(|chunk| drop(get(&origin, &video(chunk))));
    let answers: Vec<_> =
        (0..16).map(|chunk| block_on(origin.answer(&video(chunk))).unwrap()).collect();
    let mut bodies: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Answer::Reply(served) => served.body(),
            _ => panic!(),
        })
        .collect();
    let mut got = vec![Vec::new(); bodies.len()];
    let mut held = vec![None; bodies.len()];
    while bodies.iter().any(|body| body.remaining() > 0) {
        for ((body, got), held) in bodies.iter_mut().zip(&mut got).zip(&mut held) {
            // It is sent when the client asks for more.
            *held = None;
            if let Some(part) = block_on(body.next()) {
                let part = part.unwrap();
                got.extend_from_slice(&part);
                *held = Some(part);
            }
            assert!(origin.stats().body_bytes <= 44 << 20);
        }
    }
    for (chunk, got) in got.iter().enumerate() {
        assert!(*got == stored(chunk as u64));
    }
}
