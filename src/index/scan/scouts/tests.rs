//! Walks with scouts against walks without, through files made here.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::tests::fragment;
use super::super::{Outcome, Scan, Scanned};
use super::*;
use crate::fragment::Defaults;
use crate::index::KnownStarts;

/// A file of zeros, but for some pieces.
#[derive(Clone, Debug, Default)]
struct Sparse {
    pieces: BTreeMap<u64, Vec<u8>>,
    size: u64,
}

impl Sparse {
    /// Adds bytes at the end, of which only the first `kept` are not zeros.
    fn push(&mut self, bytes: &[u8], len: u64) {
        self.pieces.insert(self.size, bytes.into());
        self.size += len;
    }

    fn read(&self, range: Range<u64>) -> Bytes {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let from = range.start.saturating_sub(1 << 20);
        for (&at, piece) in self.pieces.range(from..range.end) {
            let skipped = (range.start.saturating_sub(at) as usize).min(piece.len());
            let at = (at.max(range.start) - range.start) as usize;
            let len = (bytes.len() - at).min(piece.len() - skipped);
            bytes[at..at + len].copy_from_slice(&piece[skipped..skipped + len]);
        }
        bytes.into()
    }
}

/// The cost of a walk.
#[derive(Debug, Default)]
struct Cost {
    rounds: usize,
    reads: usize,
    bytes: u64,
    /// Most bytes in one round, and most boxes that were kept.
    at_once: u64,
    boxes: usize,
}

fn walk(file: &Sparse, known: &[u64], share: &Share, limits: &Limits) -> (Scanned, Cost) {
    let tracks = [(2, Defaults::default()), (1, Defaults::default())];
    let known = KnownStarts::new(known.to_vec());
    let mut scan = Scan::new(0, file.size, tracks, false, known);
    let (mut cost, mut spent) = (Cost::default(), Spent::default());
    loop {
        let mut ranges = Vec::new();
        scan.wanted_at_once(share, limits, &mut spent, |range| ranges.push(range));
        if ranges.is_empty() {
            return (scan.finish(), cost);
        }
        let bytes = ranges.iter().map(|range| range.end - range.start).sum();
        cost.rounds += 1;
        cost.reads += ranges.len();
        cost.bytes += bytes;
        cost.at_once = cost.at_once.max(bytes);
        scan.feed_at_once(ranges.into_iter().map(|range| file.read(range)), limits);
        cost.boxes = cost.boxes.max(scan.scouts.ahead.len());
    }
}

const ALONE: Share = Share { reads: 1, bytes: 0, boxes: 0 };
const MANY: Share = Share { reads: 48, bytes: 16 << 20, boxes: 128 << 10 };

/// The first bytes of a fragment of `len` bytes of samples, which are zeros, and its length.
fn long(track_id: u32, time: Option<u64>, len: u32) -> (Vec<u8>, u64) {
    let mut bytes = fragment(track_id, time, 10, 0);
    let size = bytes.len() - 8;
    bytes[size..size + 4].copy_from_slice(&(len + 8).to_be_bytes());
    (bytes, size as u64 + 8 + u64::from(len))
}

/// A file of fragments of two tracks, of about these lengths.
fn recording(fragments: u64, mean: [u32; 2]) -> Sparse {
    let mut file = Sparse::default();
    for number in 0..fragments {
        for (track, mean) in (1..).zip(mean).filter(|(_, mean)| *mean > 0) {
            // Between half of it and half more.
            let len = mean / 2 + (number as u32).wrapping_mul(2_654_435_761) % mean;
            let (bytes, len) = long(track, Some(10 * number), len);
            file.push(&bytes, len);
        }
    }
    file
}

#[test]
fn a_long_recording_is_walked_in_few_rounds_with_the_same_result() {
    for (file, most) in [
        (recording(5400, [750_000, 0]), 150),
        (recording(5400, [32_000, 0]), 150),
        (recording(2700, [750_000, 48_000]), 150),
    ] {
        let limits = Limits::default();
        let (alone, before) = walk(&file, &[], &ALONE, &limits);
        let (at_once, cost) = walk(&file, &[], &MANY, &limits);
        assert!(before.rounds >= 5000 && cost.rounds <= most, "{before:?} {cost:?}");
        assert_eq!(format!("{alone:?}"), format!("{at_once:?}"));
        assert!(cost.reads < before.reads + before.reads / 4, "{before:?} {cost:?}");
        assert!(cost.bytes < 128 << 20, "{cost:?}");
    }
}

#[test]
fn a_walk_that_an_earlier_one_has_written_down_reads_nothing() {
    let limits = Limits::default();
    let mut file = recording(500, [50_000, 6000]);
    file.push(&[&20_u32.to_be_bytes()[..], b"free"].concat(), 20);
    for (cut, reads) in [(0, 0), (7, 1)] {
        file.size -= cut;
        let tracks = [(2, Defaults::default()), (1, Defaults::default())];
        let new = || Scan::new(0, file.size, tracks, false, KnownStarts::default());
        let finish = |scan: &mut Scan| {
            let mut spent = Spent::default();
            let mut reads = 0;
            while let Some(range) = scan.wanted(&limits, &mut spent) {
                scan.feed(&file.read(range), &limits);
                reads += 1;
            }
            reads
        };
        let mut scan = new();
        scan.keep_trail();
        assert!(finish(&mut scan) > 400);
        let index = scan.take_trail().unwrap().finish(b"1");
        assert!(index.len() < 15 * 1000, "{}", index.len());
        let boxes = crate::index::opened_index_file(&index, b"1").unwrap();
        let mut again = new();
        assert!(again.replay(crate::index::IndexReader::new(boxes)));
        assert_eq!(finish(&mut again), reads);
        assert!(again.take_trail().is_none(), "there is nothing new to keep");
        assert_eq!(format!("{:?}", scan.finish()), format!("{:?}", again.finish()));
    }
}

#[test]
fn a_walk_that_met_damage_or_times_in_disorder_is_not_written_down() {
    let limits = Limits::default();
    let broken = {
        let mut broken = long(1, Some(20), 1000);
        broken.0[28..32].copy_from_slice(b"xxxx");
        broken
    };
    for middle in [long(1, Some(10), 1000), broken, long(1, Some(0), 1000)] {
        let mut file = Sparse::default();
        let is_whole = middle == long(1, Some(10), 1000);
        for (bytes, len) in [long(1, Some(0), 1000), middle, long(1, Some(20), 1000)] {
            file.push(&bytes, len);
        }
        let tracks = [(1, Defaults::default())];
        let mut scan = Scan::new(0, file.size, tracks, false, KnownStarts::default());
        scan.keep_trail();
        let mut spent = Spent::default();
        while let Some(range) = scan.wanted(&limits, &mut spent) {
            scan.feed(&file.read(range), &limits);
        }
        assert_eq!(scan.take_trail().is_some(), is_whole);
    }
}

#[test]
fn a_short_file_is_walked_without_scouts() {
    let file = recording(20, [750_000, 0]);
    let (_, cost) = walk(&file, &[], &MANY, &Limits::default());
    assert_eq!(cost.rounds, cost.reads);
}

#[test]
fn media_that_look_like_fragments_cost_reads_and_nothing_else() {
    let fake = fragment(1, Some(77), 10, 30);
    let mut file = Sparse::default();
    for number in 0..150 {
        let (mut bytes, len) = long(1, Some(10 * number), 120_000);
        bytes.extend(fake.repeat(800));
        file.push(&bytes, len);
    }
    let limits = Limits::default();
    let (alone, before) = walk(&file, &[], &ALONE, &limits);
    let (at_once, cost) = walk(&file, &[], &MANY, &limits);
    assert_eq!(format!("{alone:?}"), format!("{at_once:?}"));
    assert_eq!(alone.tracks[0].places.len(), 150);
    assert!(cost.rounds <= before.rounds, "{before:?} {cost:?}");
}

#[test]
fn scouts_keep_to_the_budgets_of_reads_bytes_and_boxes() {
    let hostile = {
        let mut file = recording(100, [750_000, 0]);
        let fake = fragment(1, Some(77), 10, 0);
        for _ in 0..100 {
            let (mut bytes, len) = long(1, Some(5), 1_000_000);
            bytes.extend(b"\0\0\0\x08free".repeat(60_000));
            bytes.extend(fake.repeat(2000));
            file.push(&bytes, len);
        }
        file.push(b"\0\0\0\x01mdat\0\x01\0\0\0\0\0\0", 1 << 40);
        file
    };
    for file in [&hostile, &recording(5400, [750_000, 0])] {
        for limits in [
            Limits { scan_reads: 3000, ..Limits::default() },
            Limits { scan_bytes: 8 << 20, ..Limits::default() },
            Limits::default(),
        ] {
            let share = Share { reads: 48, bytes: 1 << 20, boxes: 500 };
            let (_, cost) = walk(file, &[], &share, &limits);
            assert!(cost.reads as u64 <= limits.scan_reads, "{cost:?}");
            assert!(cost.bytes <= limits.scan_bytes, "{cost:?}");
            assert!(cost.at_once <= share.bytes + (64 << 10), "{cost:?}");
            assert!(cost.boxes <= share.boxes, "{cost:?}");
        }
    }
}

#[test]
fn what_scouts_read_in_vain_leaves_most_of_the_budget_to_the_walk() {
    // 400 reads are needed, and scouts find nothing but fragments that are none.
    let limits = Limits { scan_reads: 550, ..Limits::default() };
    let fake = fragment(1, Some(77), 10, 3000);
    let mut file = Sparse::default();
    for number in 0..400 {
        let (mut bytes, len) = long(1, Some(10 * number), 400_000);
        bytes.extend(fake.repeat(130));
        file.push(&bytes, len);
    }
    let (at_once, cost) = walk(&file, &[], &MANY, &limits);
    assert!(matches!(at_once.outcome, Outcome::End), "{cost:?}");
}

/// A part of a file.
#[derive(Clone, Debug)]
enum Part {
    Fragment { track: u32, has_time: bool, len: u32, fakes: u8 },
    Free(u16),
    Samples(u32),
    Noise(Vec<u8>),
}

fn part() -> impl Strategy<Value = Part> {
    let fragment = (1_u32..4, any::<bool>(), 5_000_u32..60_000, 0_u8..40);
    prop_oneof![
        30 => fragment.prop_map(|(track, has_time, len, fakes)| {
            // Mostly of known tracks, without fakes.
            let fakes = fakes.saturating_sub(30);
            Part::Fragment { track, has_time, len, fakes }
        }),
        2 => (8_u16..5000).prop_map(Part::Free),
        1 => (8_u32..90_000).prop_map(Part::Samples),
        1 => vec(any::<u8>(), 0..40).prop_map(Part::Noise),
    ]
}

fn file_of(parts: &[Part], is_whole: bool) -> (Sparse, Vec<u64>) {
    let (mut file, mut starts) = (Sparse::default(), Vec::new());
    for (number, part) in parts.iter().enumerate() {
        starts.push(file.size);
        match part {
            &Part::Fragment { track, has_time, len, fakes } => {
                let (mut bytes, len) = long(track, has_time.then_some(10 * number as u64), len);
                for fake in 0..u64::from(fakes) {
                    bytes.extend(fragment(1, Some(fake), 10, 100));
                    bytes.extend(vec![0; 512]);
                }
                bytes.truncate(len as usize);
                file.push(&bytes, len);
            }
            &Part::Free(len) => {
                file.push(&[&u32::from(len).to_be_bytes()[..], b"free"].concat(), len.into());
            }
            &Part::Samples(len) => {
                file.push(&[&len.to_be_bytes()[..], b"mdat"].concat(), len.into());
            }
            // A file of noise ends the walk.
            Part::Noise(_) if is_whole => {}
            Part::Noise(noise) => file.push(noise, noise.len() as u64),
        }
    }
    (file, starts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_walk_with_scouts_finds_what_one_without_finds(
        parts in vec(part(), 60..250),
        is_whole in prop::bool::weighted(0.7),
        damage in vec((any::<prop::sample::Index>(), 0_usize..120, any::<u8>()), 0..4),
        known in vec((any::<prop::sample::Index>(), 0_u64..2), 0..6),
        cut in 0_u64..100_000,
        reads in 2_usize..64,
        boxes in 1_usize..300,
    ) {
        let (mut file, starts) = file_of(&parts, is_whole);
        for (place, at, byte) in damage {
            let place = starts[place.index(starts.len())];
            if let Some(damaged) = file.pieces.get_mut(&place).and_then(|piece| piece.get_mut(at)) {
                *damaged = byte;
            }
        }
        file.size -= cut.min(file.size / 2);
        let known: Vec<u64> =
            known.iter().map(|(place, off)| starts[place.index(starts.len())] + off).collect();
        let limits = Limits::default();
        let (alone, _) = walk(&file, &known, &ALONE, &limits);
        let share = Share { reads, boxes, ..MANY };
        let (at_once, _) = walk(&file, &known, &share, &limits);
        prop_assert_eq!(format!("{:?}", alone), format!("{:?}", at_once));
    }
}
