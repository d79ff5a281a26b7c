//! Encoders with seeded faults, for hours of simulated time.

use std::collections::BTreeSet;

use bytes::Bytes;
use smooth_origin::live::{PointOptions, PushId};
use testkit::progressive::Random;

use super::encoder::{END, Spec, audio, header, video};
use super::watch::Watch;

const LONG: u32 = 20_000_000;

/// An encoder, with what it has sent.
struct Encoder {
    name: &'static str,
    push: Option<PushId>,
    random: Random,
    /// Numbers of fragments that were whole, by track.
    sent: Vec<BTreeSet<i64>>,
    /// Fragments that it sends a moment later, by track.
    late: Vec<(usize, i64)>,
    /// Chunks until it comes again.
    away: u64,
    /// Its connection breaks now and then.
    breaks: bool,
}

impl Encoder {
    fn new(name: &'static str, seed: u64, tracks: usize, breaks: bool) -> Self {
        let sent = vec![BTreeSet::new(); tracks];
        Self { name, push: None, random: Random(seed | 1), sent, late: Vec::new(), away: 0, breaks }
    }

    /// One in so many.
    fn has(&mut self, one_in: u64) -> bool {
        self.random.draw().is_multiple_of(one_in)
    }

    fn send(&mut self, watch: &mut Watch, specs: &[Spec], track: usize, number: i64) {
        let Some(push) = self.push else { return };
        let fragment = specs[track].fragment(number * i64::from(LONG), LONG, 0);
        let is_cut = self.has(150) && self.breaks;
        let until =
            if is_cut { self.random.draw() as usize % fragment.len() } else { fragment.len() };
        // In two pieces.
        let middle = self.random.draw() as usize % (until + 1);
        watch.push(push, &fragment[..middle]).unwrap();
        watch.push(push, &fragment[middle..until]).unwrap();
        if is_cut {
            watch.lost(push);
            self.push = None;
            self.away = self.random.draw() % 6;
            self.late.clear();
            return;
        }
        self.sent[track].insert(number);
    }

    /// Sends the chunk of this number of all tracks, or fails to.
    fn step(&mut self, watch: &mut Watch, specs: &[Spec], number: i64) {
        if self.push.is_none() {
            if self.away > 0 {
                self.away -= 1;
                return;
            }
            let push = watch.begin("all", self.name);
            watch.push(push, &header(specs)).unwrap();
            self.push = Some(push);
            // Azure's rule: the last two fragments again.
            for again in (number - 2).max(0)..number {
                (0..specs.len()).for_each(|track| self.send(watch, specs, track, again));
            }
        }
        for (track, late) in std::mem::take(&mut self.late) {
            self.send(watch, specs, track, late);
        }
        for track in 0..specs.len() {
            match self.random.draw() % 40 {
                0 | 1 => {}
                2 | 3 => self.late.push((track, number)),
                4 => (0..2).for_each(|_| self.send(watch, specs, track, number)),
                _ => self.send(watch, specs, track, number),
            }
        }
    }
}

/// Runs two encoders for so many chunks of 2 s. Returns the number of chunks that were published.
fn run(seed: u64, chunks: i64, look_ahead: usize, breaks: bool) -> usize {
    let specs = [video(1, 500_000), video(2, 2_000_000), audio(3, 64_000)];
    let mut watch = Watch::with(PointOptions::default(), look_ahead);
    let mut encoders = [
        Encoder::new("a", seed * 7919 + 3, 3, breaks),
        Encoder::new("b", seed * 104_729 + 5, 3, breaks),
    ];
    for number in 0..chunks {
        let is_b_first = seed.is_multiple_of(2);
        let order = if is_b_first { [1, 0] } else { [0, 1] };
        for at in order {
            watch.pass(1000);
            encoders[at].step(&mut watch, &specs, number);
            watch.tick();
        }
    }
    for encoder in &mut encoders {
        if encoder.push.is_none() {
            encoder.away = 0;
            let push = watch.begin("all", encoder.name);
            watch.push(push, &header(&specs)).unwrap();
            encoder.push = Some(push);
        }
        for (track, late) in std::mem::take(&mut encoder.late) {
            encoder.send(&mut watch, &specs, track, late);
        }
    }
    for encoder in &encoders {
        if let Some(push) = encoder.push {
            watch.push(push, END).unwrap();
        }
    }
    watch.stop();
    let pushed: Vec<Bytes> = specs
        .iter()
        .flat_map(|spec| (0..chunks).map(|number| spec.fragment(number * i64::from(LONG), LONG, 0)))
        .collect();
    watch.check_files(&pushed);
    let union = |track: usize| encoders[0].sent[track].union(&encoders[1].sent[track]).count();
    let status = watch.point.status();
    let mut lost = 0;
    for stream in &status.streams {
        for track in &stream.tracks {
            let of = specs.iter().position(|spec| spec.bitrate == track.bitrate).unwrap();
            let missing = union(of) as u64 - track.fragments;
            // An encoder that comes again late may send what nobody waited for.
            let late = if breaks { track.dropped } else { 0 };
            assert!(missing <= late, "seed {seed}: {missing} of {} are missing", track.bitrate);
            lost += missing;
        }
    }
    assert!(lost * 300 <= chunks as u64, "seed {seed}: {lost} fragments came too late");
    watch.chunks("video").len()
}

#[test]
fn two_encoders_with_faults_lose_only_what_both_lost() {
    for seed in 0..24 {
        let published = run(seed, 120, seed as usize % 4, false);
        assert!(published > 110, "seed {seed}: {published}");
    }
}

#[test]
fn hours_of_faults_leave_no_wrong_chunk() {
    assert!(run(1000, 2 * 1800, 2, true) > 3590);
}
