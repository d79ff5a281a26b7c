//! Answers of a store that are too short, too long, or of another version, and what clients get.

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin};
use smooth_origin::storage::{Faults, FaultyStore, MemoryStore, Resilience, Store};
use testkit::film::{self, Style, Track, ism};
use testkit::store;
use testkit::virtual_time::VirtualTime;

use super::millis;

const FRAGMENT: &str = "film.ism/QualityLevels(300)/Fragments(video=20000000)";

/// A film whose fragments are read in several parts.
fn objects() -> MemoryStore {
    let track = Track::regular(1, StreamKind::Video, 3, 20_000_000, 1_500_000);
    let media = film::media(&[track], Style::default()).to_bytes();
    store([("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])), ("film.ismv", media)])
}

/// The body, or whether it was cut or refused. A body that was cut is shorter than was said.
fn outcome(time: &VirtualTime, store: impl Store) -> Result<Vec<u8>, &'static str> {
    let origin = Origin::builder(store).timer(time.timer()).clock(time.clock()).build();
    time.run(async {
        let Ok(answer) = origin.answer(FRAGMENT).await else { return Err("refused") };
        let Answer::Reply(served) = answer else { panic!("a fragment is no redirect") };
        let (length, mut body) = (served.reply().length(), served.body());
        let mut bytes = Vec::new();
        while let Some(part) = body.next().await {
            let Ok(part) = part else {
                assert!(body.remaining() > 0 && (bytes.len() as u64) < length);
                assert!(body.next().await.is_none());
                return Err("cut");
            };
            bytes.extend_from_slice(&part);
        }
        assert_eq!(bytes.len() as u64, length);
        Ok(bytes)
    })
}

fn damages() -> [(&'static str, Faults); 5] {
    let none = Faults::default();
    [
        ("shorten", Faults { shorten: 10, ..none }),
        ("lengthen", Faults { lengthen: 10, ..none }),
        ("change", Faults { change: 10, ..none }),
        ("wrong_version", Faults { wrong_version: 10, ..none }),
        ("hang", Faults { hang: 5, ..none }),
    ]
}

#[test]
fn a_reply_is_whole_and_right_or_cut_whatever_the_store_does() {
    let objects = objects();
    let right = outcome(&VirtualTime::default(), objects.clone()).unwrap();
    for (damage, faults) in damages() {
        let mut whole = 0;
        for seed in 0..60 {
            let faulty = FaultyStore::new(objects.clone(), seed, faults);
            match outcome(&VirtualTime::default(), faulty) {
                Ok(body) => {
                    assert!(body == right, "{damage}, seed {seed}");
                    whole += 1;
                }
                Err(what) => assert!(["cut", "refused"].contains(&what)),
            }
        }
        // A presentation that is opened with a wrong version is opened again later.
        let some = if damage == "wrong_version" { 1..61 } else { 1..60 };
        assert!(some.contains(&whole), "{damage}: {whole} whole ones");
    }
}

#[test]
fn answers_that_are_too_short_or_too_long_or_never_come_are_mended_by_another_try() {
    let objects = objects();
    let right = outcome(&VirtualTime::default(), objects.clone()).unwrap();
    for (damage, faults) in damages() {
        // A change is for the origin to find out about.
        if ["change", "wrong_version"].contains(&damage) {
            continue;
        }
        for seed in 0..30 {
            let time = VirtualTime::default();
            let faulty = FaultyStore::new(objects.clone(), seed, faults);
            let resilience = Resilience::new().timer(time.timer()).clock(time.clock()).seed(seed);
            let body = outcome(&time, resilience.around(faulty));
            assert!(body.as_ref() == Ok(&right), "{damage}, seed {seed}: {:?}", body.err());
        }
    }
}

#[cfg(feature = "http")]
#[test]
fn a_body_that_is_cut_is_cut_for_http_too() {
    use std::future::poll_fn;
    use std::pin::Pin;

    use http_body::Body;
    use smooth_origin::service::OriginService;

    let objects = objects();
    for (damage, faults) in damages() {
        let mut cut = 0;
        for seed in 0..60 {
            let time = VirtualTime::default();
            let faulty = FaultyStore::new(objects.clone(), seed, faults);
            let origin = Origin::builder(faulty).timer(time.timer()).clock(time.clock()).build();
            let service = OriginService::new(origin);
            let request =
                http::Request::get(format!("http://localhost/{FRAGMENT}")).body(()).unwrap();
            time.run(async {
                let mut response = service.respond(&request).await;
                if response.status() != 200 {
                    assert_eq!(response.status(), 503, "{damage}");
                    assert_eq!(response.headers()["cache-control"], "no-store", "{damage}");
                    return;
                }
                let length: u64 =
                    response.headers()["content-length"].to_str().unwrap().parse().unwrap();
                let (mut sent, mut has_failed) = (0, false);
                let mut body = Pin::new(response.body_mut());
                while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
                    match frame {
                        Ok(frame) => sent += frame.into_data().unwrap().len() as u64,
                        Err(_) => has_failed = true,
                    }
                }
                assert_eq!(has_failed, sent < length, "{damage}, seed {seed}");
                assert!(sent <= length);
                cut += u32::from(has_failed);
            });
        }
        // A version is compared when the presentation is opened, and not in a body.
        assert!(cut > 0 || damage == "wrong_version", "{damage}");
    }
}

#[test]
fn a_fault_that_ends_leaves_no_operation_behind() {
    let (time, objects) = (VirtualTime::default(), objects());
    let faults = Faults { hang: 20, fail: 20, ..Faults::default() };
    let resilience = Resilience::new().timer(time.timer()).clock(time.clock()).seed(1);
    let resilience = resilience.hedge(millis(100), 95);
    for seed in 0..30 {
        let faulty = FaultyStore::new(objects.clone(), seed, faults);
        drop(outcome(&time, resilience.around(faulty)));
        assert_eq!(time.sleeping(), 0, "seed {seed}");
    }
}
