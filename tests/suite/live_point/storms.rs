//! Encoders that fail in all ways at once, for hours: what is published is always what one of them has sent.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::live::intake::Arrived;
use smooth_origin::live::{PointOptions, PushId};
use testkit::progressive::Random;

use super::encoder::{END, Spec, audio, header, video};
use super::watch::{Watch, announced};

const LONG: i64 = 20_000_000;
const WINDOW: u64 = 600;

/// Fragments that were sent: the process of the encoder, the track and the time there, by the samples.
type Sent = HashMap<Bytes, (u64, usize, i64)>;

struct Encoder {
    name: &'static str,
    /// Its pushes: pictures and sound may be streams of their own.
    pushes: [Option<PushId>; 2],
    is_split: bool,
    random: Random,
    /// The process: another one after a restart.
    run: u64,
    /// The next chunk, as the process counts them.
    next: i64,
    wraps: bool,
    /// The fragments of its second quality are twice as long.
    is_longer: bool,
    /// Ticks by which it rounds.
    rounding: i64,
    away: u64,
    /// Fragments that come one late, by track.
    late: Vec<(usize, Bytes)>,
}

impl Encoder {
    fn has(&mut self, one_in: u64) -> bool {
        self.random.draw().is_multiple_of(one_in)
    }

    fn fragment(
        &self,
        specs: &[Spec],
        track: usize,
        number: i64,
        coded: u64,
        sent: &mut Sent,
    ) -> Bytes {
        // A fragment that is twice as long is sent twice.
        let (number, long) = match self.is_longer && track == 1 {
            true => (number - number % 2, 2 * LONG),
            false => (number, LONG),
        };
        let time = number * LONG + if number > 0 { self.rounding } else { 0 };
        let seed = (self.run << 8) | coded;
        let fragment = match self.wraps {
            true => specs[track].short_fragment(time % (1 << 32), long as u32, seed),
            false => specs[track].fragment(time, long as u32, seed),
        };
        sent.insert(samples(&fragment), (self.run, track, time));
        fragment
    }

    fn push_of(&self, track: usize) -> usize {
        usize::from(self.is_split && track == 2)
    }

    fn send(&mut self, watch: &mut Watch, track: usize, fragment: &Bytes) {
        let Some(push) = self.pushes[self.push_of(track)] else { return };
        if !self.has(150) {
            let middle = self.random.draw() as usize % fragment.len();
            watch.push(push, &fragment[..middle]).unwrap();
            return watch.push(push, &fragment[middle..]).unwrap();
        }
        // Its connection breaks; the server does not always notice.
        let until = self.random.draw() as usize % fragment.len();
        watch.push(push, &fragment[..until]).unwrap();
        if self.has(2) {
            watch.lost(push);
        }
        self.pushes[self.push_of(track)] = None;
        self.late.clear();
        self.away = self.random.draw() % 8;
    }

    /// Connects what is not connected. Returns the tracks that come again.
    fn connect(&mut self, watch: &mut Watch, specs: &[Spec]) -> std::ops::Range<usize> {
        let parts = if self.is_split { &[(0, 2), (2, 3)][..] } else { &[(0, 3)] };
        let mut again = 0..0;
        for (number, &(from, until)) in parts.iter().enumerate() {
            if self.pushes[number].is_none() {
                let push = watch.begin(["all", "sound"][number], self.name);
                watch.push(push, &header(&specs[from..until])).unwrap();
                self.pushes[number] = Some(push);
                again = if again.is_empty() { from..until } else { again.start..until };
            }
        }
        again
    }

    fn is_whole(&self) -> bool {
        self.pushes[0].is_some() && (!self.is_split || self.pushes[1].is_some())
    }

    /// Makes the next chunk of all tracks, and sends it, or does not.
    fn step(&mut self, watch: &mut Watch, specs: &[Spec], sent: &mut Sent) {
        let number = self.next;
        self.next += 1;
        if !self.is_whole() {
            if self.away > 0 {
                self.away -= 1;
                self.late.clear();
                return self.send_all(watch, specs, number, sent);
            }
            let tracks = self.connect(watch, specs);
            // The last two again, sometimes encoded anew.
            let coded = self.random.draw() % 2;
            for again in (number - 2).max(0)..number {
                for track in tracks.clone() {
                    let fragment = self.fragment(specs, track, again, coded, sent);
                    self.send(watch, track, &fragment);
                }
            }
        }
        if self.has(400) {
            let pushes = std::mem::take(&mut self.pushes);
            pushes.into_iter().flatten().for_each(|push| watch.lost(push));
            (self.run, self.next) = (self.run + 2, 0);
            self.late.clear();
            self.away = self.random.draw() % 30;
            return;
        }
        for (track, fragment) in std::mem::take(&mut self.late) {
            self.send(watch, track, &fragment);
        }
        self.send_all(watch, specs, number, sent);
    }

    fn send_all(&mut self, watch: &mut Watch, specs: &[Spec], number: i64, sent: &mut Sent) {
        for track in 0..specs.len() {
            let fragment = self.fragment(specs, track, number, 0, sent);
            match self.random.draw() % 50 {
                0 => {}
                1 => self.late.push((track, fragment)),
                2 => (0..2).for_each(|_| self.send(watch, track, &fragment)),
                _ => self.send(watch, track, &fragment),
            }
        }
    }
}

fn samples(fragment: &Bytes) -> Bytes {
    let moof = u32::from_be_bytes(fragment[..4].try_into().unwrap()) as usize;
    fragment.slice(moof + 8..)
}

/// Is true if one of the encoders cuts a quality at other times.
fn has_longer(seed: u64) -> bool {
    seed % 8 >= 4
}

/// Runs two encoders for so many chunks of 2 s. Returns how many chunks of pictures were published.
fn run(seed: u64, chunks: i64) -> usize {
    let specs = [video(1, 500_000), video(2, 2_000_000), audio(3, 64_000)];
    let look_ahead = seed as usize % 4;
    let options = PointOptions::default().window(Some(Duration::from_secs(WINDOW)));
    let mut watch = Watch::with(options, look_ahead);
    let mut sent = Sent::new();
    let mut encoders = [("a", 0), ("b", 1)].map(|(name, run)| Encoder {
        name,
        pushes: [None; 2],
        is_split: seed % 4 == 3,
        random: Random((seed * 7919 + run * 31) | 1),
        run,
        next: 0,
        wraps: (seed >> run) % 3 == 1,
        is_longer: has_longer(seed) && run == 1,
        rounding: run as i64 * (seed % 3) as i64,
        away: 0,
        late: Vec::new(),
    });
    for _ in 0..chunks {
        for encoder in &mut encoders {
            watch.pass(1000);
            encoder.step(&mut watch, &specs, &mut sent);
            watch.tick();
        }
        let held = watch.point.status().held_bytes;
        assert!(held < 1 << 20, "seed {seed}: {held} bytes are held");
        let kept = watch.chunks("video").len() as u64;
        assert!(kept <= (WINDOW + 30) / 2 + 2, "seed {seed}: {kept} chunks are kept");
    }
    for encoder in &mut encoders {
        encoder.connect(&mut watch, &specs);
    }
    for encoder in &encoders {
        for push in encoder.pushes.iter().copied().flatten() {
            // The first encoder may have ended the event.
            let _ = watch.push(push, END);
        }
    }
    watch.stop();
    assert_eq!(watch.point.status().held_bytes, 0);
    check(seed, &watch, &sent, look_ahead)
}

/// Checks all that was ever published. Returns the number of chunks of pictures.
fn check(seed: u64, watch: &Watch, sent: &Sent, look_ahead: usize) -> usize {
    let mut streams: BTreeMap<bool, BTreeMap<u64, u64>> = BTreeMap::new();
    for published in watch.published_chunks.values() {
        let is_video = published.0.contains("video");
        streams.entry(is_video).or_default().extend(published.1.iter().copied());
    }
    for chunks in streams.values() {
        let chunks: Vec<_> = chunks.iter().collect();
        for pair in chunks.windows(2) {
            assert!(pair[0].0 + pair[0].1 <= *pair[1].0, "seed {seed}: {pair:?} overlap");
        }
    }
    // Where the times of each process were moved to.
    let mut moved: HashMap<(u64, i64), i64> = HashMap::new();
    for (file, (name, published)) in &watch.published_chunks {
        let fragments: Vec<Arrived> = watch.fragments(file.1.index() as u32);
        assert_eq!(fragments.len(), published.len(), "seed {seed}");
        let chunks = &streams[&name.contains("video")];
        for (fragment, &(time, duration)) in fragments.iter().zip(published) {
            let place = format!("seed {seed}: {name} at {time}");
            let longest = LONG.unsigned_abs() << u32::from(has_longer(seed));
            assert!(duration <= longest, "{place}");
            if let Some((&next, _)) = chunks.range(time + 1..).next() {
                let over = (time + fragment.duration).saturating_sub(next);
                assert!(over <= longest / 10, "{place}: {over} ticks are there twice");
            }
            assert_eq!(fragment.time as u64, time, "{place}");
            let found = sent.get(&samples(&fragment.bytes));
            let &(run, track, own) = found.unwrap_or_else(|| panic!("{place}: nobody sent it"));
            assert_eq!(u32::from(track == 2), u32::from(name.contains("audio")), "{place}");
            let shift = time as i64 - own;
            let other = *moved.entry((run, own)).or_insert(shift);
            assert!((other - shift).abs() <= 10_000, "{place}: {other} and {shift} of run {run}");
            let next = announced(&fragment.bytes);
            let real = chunks.range(time + 1..).take(look_ahead).map(|(time, long)| (*time, *long));
            let real: Vec<_> = real.collect();
            // The one behind the last one that is announced may begin a moment before its end.
            let is_same = |(next, real): (&(u64, u64), &(u64, u64))| {
                next.0 == real.0 && next.1.abs_diff(real.1) <= 10_000
            };
            let are_same = next.len() == real.len() && next.iter().zip(&real).all(is_same);
            assert!(are_same, "{place}: {next:?} {real:?}");
        }
    }
    streams[&true].len()
}

#[test]
fn storms_leave_nothing_that_nobody_sent() {
    for seed in 0..6 {
        let published = run(seed, 300);
        assert!(published > if has_longer(seed) { 140 } else { 200 }, "seed {seed}: {published}");
    }
}

#[test]
#[ignore = "takes minutes"]
fn many_storms() {
    let seeds = std::env::var("STORMS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    for seed in 0..seeds {
        let published = run(seed, 1800);
        assert!(published > if has_longer(seed) { 900 } else { 1300 }, "seed {seed}: {published}");
    }
}
