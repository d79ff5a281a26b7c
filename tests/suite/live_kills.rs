//! Processes that are killed at any byte that they write, thousands of them, one after the other.
//!
//! `SMOOTH_ORIGIN_KILL_SEEDS=2000 cargo test --release --all-features --test suite live_kills` runs as many seeds.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::{MemoryArchive, Store};

use super::live_archive::{
    CHUNKS, Encoder, EndsAfter, Process, TICKS, encoders_of, fragments, samples,
};

type Film = BTreeMap<(String, u64), Bytes>;

/// Seeds of the ordinary tests: each is an archive with one to three events, and some kills.
const SEEDS: u64 = 25;

fn seeds() -> u64 {
    std::env::var("SMOOTH_ORIGIN_KILL_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap())
}

/// Writes of an event that nobody kills, in bytes.
const USUAL: u64 = 40_000;

struct Run {
    random: fastrand::Rng,
    archive: MemoryArchive,
    options: PointOptions,
    kills: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let options = PointOptions::default().look_ahead(random.u32(..3));
        let options = match random.bool() {
            true => options.window(Some(Duration::from_secs(random.u64(1..20)))),
            false => options.window(None),
        };
        Self { random, archive: MemoryArchive::new(), options, kills: 0 }
    }

    /// A process, which is killed after some bytes, or not at all.
    fn process(&mut self) -> Option<(Process, EndsAfter)> {
        let bytes = match self.random.u8(..8) {
            0 => u64::MAX,
            1 => self.random.u64(..200),
            _ => self.random.u64(..USUAL),
        };
        let archive = EndsAfter::new(&self.archive, bytes);
        let process = Process::with(archive.clone(), self.options.clone());
        self.kills += u64::from(process.is_none());
        Some((process?, archive))
    }

    /// An event from its beginning to its end, by as many processes as it takes.
    fn event(
        &mut self,
        event: Option<&str>,
        before: &Film,
        encoders: &[Encoder],
        seed: u64,
    ) -> Film {
        let mut acknowledged = [0; 2];
        let mut served = Film::new();
        let mut is_ending = false;
        loop {
            let Some((process, _archive)) = self.process() else { continue };
            match process.point.state() {
                PointState::Stopped if is_ending => break,
                // By the event before.
                PointState::Stopped => process.point.start(),
                _ => {}
            }
            // Until the event publishes, or if it has not begun for the archive, the film before it is shown.
            let now = fragments(&process.origin, "news.isml");
            if now != *before {
                check_kept(&served, &now, seed);
            }
            let all = process.push_all_to(event, encoders, &mut acknowledged);
            if process.point.state() == PointState::Started {
                let now = fragments(&process.origin, "news.isml");
                served.extend(if now == *before { Film::new() } else { now });
            }
            if all && self.random.u8(..4) == 0 {
                process.points.suspend();
                block_on(process.points.settle());
            } else if all {
                is_ending = true;
                if process.stop() {
                    break;
                }
                self.kills += 1;
            } else {
                self.kills += 1;
            }
        }
        let process = Process::with(self.archive.clone(), self.options.clone()).unwrap();
        let film = fragments(&process.origin, "news.isml");
        check_film(&film, encoders, seed);
        for (key, bytes) in served {
            assert_eq!(film.get(&key), Some(&bytes), "{key:?}, seed {seed}");
        }
        film
    }
}

/// Bytes that players have got stay the same, as far as they are served.
fn check_kept(served: &Film, now: &Film, seed: u64) {
    for (key, bytes) in now.iter().filter(|(key, _)| served.contains_key(key)) {
        assert_eq!(served[key], bytes, "{key:?}, seed {seed}");
    }
}

fn check_film(film: &Film, encoders: &[Encoder], seed: u64) {
    assert_eq!(film.len(), encoders.len() * CHUNKS, "seed {seed}");
    for encoder in encoders {
        for (number, fragment) in encoder.fragments.iter().enumerate() {
            let key = (encoder.stream.to_owned(), number as u64 * u64::from(TICKS));
            let stored = film.get(&key).unwrap_or_else(|| panic!("{key:?} is lost, seed {seed}"));
            assert_eq!(samples(stored), samples(fragment), "{key:?}, seed {seed}");
        }
    }
}

#[test]
fn processes_that_are_killed_at_any_byte_leave_the_films_that_were_pushed() {
    let mut kills = 0;
    for seed in 0..seeds() {
        let mut run = Run::new(seed);
        let (mut films, none) = (Vec::new(), Film::new());
        for number in 0..run.random.u32(1..4) {
            let event = [None, Some(format!("finale {number}"))][run.random.usize(..2)].clone();
            let encoders = encoders_of(200 + number);
            let before = films.last().map_or(&none, |(film, _)| film);
            let film = run.event(event.as_deref(), before, &encoders, seed);
            films.push((film, number));
        }
        // Each event has left one film, and no later one has changed it.
        let origin = Origin::new(run.archive.store().clone());
        let names = block_on(run.archive.store().list(None)).unwrap();
        let is_film = |name: &&Name| name.as_str().ends_with(".ism");
        let found: Vec<_> =
            names.iter().filter(is_film).map(|name| fragments(&origin, name.as_str())).collect();
        assert_eq!(found.len(), films.len(), "{names:?}, seed {seed}");
        for (film, _) in &films {
            assert!(found.contains(film), "{names:?}, seed {seed}");
        }
        kills += run.kills;
    }
    println!("{} seeds, {kills} kills", seeds());
    assert!(kills > seeds());
}
