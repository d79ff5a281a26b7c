//! Finding fragments without an index: a walk through a file, from box to box.

use std::ops::Range;

use bytes::Bytes;

use super::scanned_track::Untimed;
use super::{Indexed, KnownStarts, ScannedTrack, Spent};
use crate::base::{Cursor, Error, ErrorKind, Limits};
use crate::bmff::{Header, uuid::Tfxd};
use crate::fragment::{Defaults, Parsed, Stored, track_of_broken};

/// A walk through the fragments of a file. It asks for one window of bytes after the other.
#[derive(Debug)]
pub(crate) struct Scan {
    /// By number, of which each is there once.
    tracks: Vec<ScannedTrack>,
    /// The next box.
    at: u64,
    /// Bytes of it to be read.
    window: u64,
    /// Bytes of the file.
    size: u64,
    outcome: Outcome,
    /// The first fragment that was passed over: where it begins, and what is wrong with it.
    broken: Option<(u64, Error)>,
    /// Number of the track whose `moof` was skipped last, if the next `mdat` belongs to it.
    of_broken: Option<usize>,
    /// True if the file has tracks that the walk does not collect, because the file's header does
    /// not describe them well enough.
    has_others: bool,
    /// Where the last `moof` begins.
    moof: u64,
    /// Positions at which the index says that fragments begin.
    known: KnownStarts,
    /// The box that reaches over one of these positions, while the walk looks there.
    held: Option<Held>,
    /// Boxes that end at or before this byte have been compared with the index.
    checked: u64,
    /// Boxes in a row in which the index led to no fragment.
    misled: u8,
}

/// A box that reaches over a position at which the index says that a fragment begins.
#[derive(Clone, Copy, Debug)]
struct Held {
    at: u64,
    end: u64,
    /// Number of its track, if the box is a fragment.
    of: Option<usize>,
    /// Number of further positions inside of it that may be looked at.
    tries: u8,
}

/// Maximum positions that are looked at inside of one box, because an index may have any number of
/// them there.
const TRIES: u8 = 8;

/// After so many boxes in a row in which the index led to no fragment, the walk does not look inside
/// of boxes any more: each look takes a read.
const MISLED: u8 = 16;

/// How a walk stands, or ended.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It goes on.
    Walking,
    /// At the end of the file.
    End,
    /// In front of a box that the file does not hold to its end: it was cut off there.
    CutOff(u64),
    /// In front of what is no box, or at the end of a budget.
    Lost(Error),
}

/// What came of a walk.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) tracks: Vec<ScannedTrack>,
    pub(crate) outcome: Outcome,
    /// What is wrong with the first fragment that was passed over.
    pub(crate) broken: Option<Error>,
}

/// Bytes of the first window, and of one where nothing is known of what comes.
const WINDOW: u64 = 4 << 10;

/// Bytes of a window that covers several small fragments.
const LARGE_WINDOW: u64 = 64 << 10;

/// Bytes in which every header lies.
const HEADER: u64 = 32;

/// What to do after a look at the next box.
enum Look {
    /// It was passed.
    Passed,
    /// So many bytes of it are needed.
    Needs(u64),
}

impl Scan {
    /// Starts at byte `from`, after the `moov`, of a file of `size` bytes, and looks for fragments
    /// of these tracks. With `has_others`, fragments of other numbers belong to other tracks of the
    /// file. The walk needs no index and does not rely on one: `known` positions only show where to
    /// continue after damage.
    pub(crate) fn new(
        from: u64,
        size: u64,
        tracks: impl IntoIterator<Item = (u32, Defaults)>,
        has_others: bool,
        known: KnownStarts,
    ) -> Self {
        let tracks = tracks.into_iter();
        let mut tracks: Vec<ScannedTrack> =
            tracks.map(|(track_id, defaults)| ScannedTrack::new(track_id, defaults)).collect();
        tracks.sort_by_key(|track| track.track_id);
        tracks.dedup_by_key(|track| track.track_id);
        let outcome = if from < size { Outcome::Walking } else { Outcome::End };
        Self {
            tracks,
            at: from,
            window: WINDOW,
            size,
            outcome,
            broken: None,
            of_broken: None,
            has_others,
            moof: from,
            known,
            held: None,
            checked: from,
            misled: 0,
        }
    }

    /// The bytes to be read next; `None` at the end of the walk. `spent` is that of all walks of
    /// the opening.
    pub(crate) fn wanted(&mut self, limits: &Limits, spent: &mut Spent) -> Option<Range<u64>> {
        if !matches!(self.outcome, Outcome::Walking) {
            return None;
        }
        let range = self.at..self.size.min(self.at.saturating_add(self.window));
        if let Err(kind) = spent.add(range.end - range.start, limits) {
            self.outcome = Outcome::Lost(Error::at(self.at, kind));
            return None;
        }
        Some(range)
    }

    /// Takes what was [`wanted`](Self::wanted), and walks as far as it leads.
    pub(crate) fn feed(&mut self, window: &Bytes, limits: &Limits) {
        let start = self.at;
        while matches!(self.outcome, Outcome::Walking) {
            // The walk may have moved back to a box before the window.
            let Some(passed) = self.at.checked_sub(start) else { break };
            let passed = usize::try_from(passed).unwrap_or(usize::MAX);
            if passed >= window.len() {
                break;
            }
            match self.look(&window.slice(passed..), limits) {
                Ok(Look::Passed) if self.at >= self.size => self.outcome = Outcome::End,
                Ok(Look::Passed) => {}
                Ok(Look::Needs(bytes)) => {
                    // What is not enough once more should be the next time.
                    let twice = 2 * (window.len() - passed) as u64;
                    self.window =
                        if passed == 0 { bytes.max(twice) } else { bytes.max(self.window) };
                    break;
                }
                Err(outcome) => self.resume(outcome),
            }
        }
    }

    /// Continues at the next fragment that the index knows, or ends the walk.
    fn resume(&mut self, outcome: Outcome) {
        let Some(next) = self.known.inside(self.at, self.size) else {
            self.outcome = outcome;
            return;
        };
        let error = match outcome {
            Outcome::Lost(error) => error,
            _ => misplaced(self.at, "a box that reaches beyond the end of its file".into()),
        };
        self.broken.get_or_insert((self.at, error));
        self.lose_times(None);
        (self.at, self.window) = (next, WINDOW);
    }

    /// Starts to check whether the index is right that a fragment begins inside of this box, which
    /// would mean that the box is damaged.
    fn hold(&mut self, end: u64, of: Option<usize>) -> bool {
        if end <= self.checked || self.misled >= MISLED {
            return false;
        }
        let Some(known) = self.known.inside(self.at, end) else { return false };
        self.held = Some(Held { at: self.at, end, of, tries: TRIES - 1 });
        self.at = known;
        true
    }

    /// Returns whether the times of some track are uncertain: they repeat, step back, are closer to
    /// each other than the fragments are long, or are not declared by the fragments.
    pub(crate) fn has_choice(&self) -> bool {
        self.tracks.iter().any(|track| track.is_close || !track.says_several)
    }

    /// What was found.
    pub(crate) fn finish(mut self) -> Scanned {
        self.tracks.iter_mut().for_each(ScannedTrack::sort);
        if let Outcome::CutOff(at) = &mut self.outcome
            && self.broken.as_ref().is_some_and(|(start, _)| *start == self.moof)
        {
            // It is the last fragment that the file does not hold to its end.
            *at = self.moof;
            self.broken = None;
        }
        let broken = self.broken.map(|(_, error)| error);
        Scanned { tracks: self.tracks, outcome: self.outcome, broken }
    }

    /// Looks at the next box, of which `block` holds the first bytes.
    fn look(&mut self, block: &Bytes, limits: &Limits) -> Result<Look, Outcome> {
        let left = self.size - self.at;
        if (block.len() as u64) < HEADER.min(left) {
            return Ok(Look::Needs(HEADER));
        }
        let header = Header::parse(&mut Cursor::new(block, self.at));
        let is_fragment = |header: &Header| {
            header.kind == *b"moof" && header.total().is_some_and(|len| len <= left)
        };
        if let Some(Held { at, end, of, tries }) = self.held.take() {
            if !header.as_ref().is_ok_and(is_fragment) {
                match self.known.inside(self.at, end).filter(|_| tries > 0) {
                    Some(next) => {
                        self.held = Some(Held { at, end, of, tries: tries - 1 });
                        self.at = next;
                    }
                    None => {
                        (self.at, self.checked) = (at, end);
                        self.misled += 1;
                    }
                }
                return Ok(Look::Passed);
            }
            self.misled = 0;
            let what = format!("a box that reaches over the fragment at byte {}", self.at);
            self.broken.get_or_insert((at, misplaced(at, what)));
            self.lose_times(of);
        }
        let header = header.map_err(|error| match error.kind {
            ErrorKind::Truncated { .. } => Outcome::CutOff(self.at),
            _ => Outcome::Lost(error),
        })?;
        if self.broken.is_none() && !may_lead(&header) && self.known.has(self.at) {
            let what = format!("a box `{}` where the index says `moof`", header.kind);
            self.broken = Some((self.at, misplaced(self.at, what)));
        }
        let len = header.total().unwrap_or(left);
        if len > left {
            return Err(Outcome::CutOff(self.at));
        }
        let has_type = header.kind.0.iter().any(|&byte| byte != 0);
        if !has_type && self.known.inside(self.at, self.size).is_some() {
            let what = "zeros where a box should be".into();
            return Err(Outcome::Lost(misplaced(self.at, what)));
        }
        if header.kind != *b"moof" {
            if self.hold(self.at + len, None) {
                return Ok(Look::Passed);
            }
            if header.kind == *b"mdat" && len > header.len() {
                let of_broken = self.of_broken.take();
                self.lose_times(of_broken);
            }
            self.at += len;
            return Ok(Look::Passed);
        }
        self.moof = self.at;
        self.of_broken = None;
        match Stored::parse(block, self.at, self.size, limits) {
            Ok(Parsed::Whole(fragment)) => {
                let of = fragment.track_id().and_then(|id| self.number_of(id));
                if !self.hold(self.at + fragment.lengths().len, of) {
                    self.found(&fragment, limits);
                }
                Ok(Look::Passed)
            }
            Ok(Parsed::Needs(bytes)) => Ok(Look::Needs(bytes)),
            Err(error) => {
                self.broken.get_or_insert((self.at, error));
                self.of_broken = track_of_broken(block).and_then(|id| self.number_of(id));
                self.lose_times(self.of_broken);
                if let Some(next) = self.known.inside(self.at, self.at + len) {
                    self.at = next;
                    return Ok(Look::Passed);
                }
                self.at += len;
                if len == left { Err(Outcome::CutOff(self.moof)) } else { Ok(Look::Passed) }
            }
        }
    }

    /// Forgets the current times after a fragment, or samples without their `moof`, were skipped.
    /// Their duration is unknown, and they may belong to any track unless `of` gives it.
    fn lose_times(&mut self, of: Option<usize>) {
        match of.and_then(|number| self.tracks.get_mut(number)) {
            Some(track) => track.times_are_lost(),
            None => self.tracks.iter_mut().for_each(ScannedTrack::times_are_lost),
        }
    }

    fn found(&mut self, fragment: &Stored, limits: &Limits) {
        let (start, len) = (self.at, fragment.lengths().len);
        self.at += len;
        let moof = fragment.moof.len() as u64;
        let several = if len <= LARGE_WINDOW / 4 { 4 * len } else { 0 };
        self.window = (moof + 2 * HEADER).next_multiple_of(1 << 10).max(several);
        let Some(number) = fragment.track_id().and_then(|id| self.number_of(id)) else {
            if !self.has_others {
                self.lose_times(None);
            }
            return;
        };
        let track = &mut self.tracks[number];
        let declared = fragment.traf.get::<Tfxd>().map_or(0, |tfxd| tfxd.duration);
        let is_below_0 = i64::try_from(declared).is_err();
        track.is_as_shown |= is_below_0;
        // The durations of decoding count: `tfxd` may count from picture to picture as they are
        // shown.
        let duration = match fragment.duration(track.defaults, limits) {
            Ok(0) if is_below_0 => 0,
            Ok(0) => declared,
            Ok(duration) => duration,
            Err(error) => {
                self.broken.get_or_insert((start, error));
                track.times_are_lost();
                return;
            }
        };
        let said =
            fragment.time().map(|said| track.unwrapped(said, fragment.has_short_time(), duration));
        if track.places.is_empty() {
            track.sum = track.sum.and(said.or(track.sum));
        }
        track.correct_last(said);
        track.says_several |= said.is_some_and(|said| *track.said.get_or_insert(said) != said);
        track.places.push(start..start + len);
        track.add(said, duration, fragment.is_empty());
        let Some(time) = said.or(track.next) else {
            track.untimed.push(Untimed { start, bound: start + len, duration });
            return;
        };
        track.stepped_back_before = track.steps_back;
        track.steps_back |= track.previous.is_some_and(|previous| time <= previous);
        track.is_close |= track.steps_back || track.is_close_to_last(time);
        track.followed = track.next.filter(|_| said.is_some() && track.previous.is_some());
        track.previous = Some(time);
        track.next = Some(time.saturating_add_unsigned(duration));
        if track.latest <= time {
            (track.latest, track.last_duration) = (time, duration);
        }
        track.fragments.push(Indexed { time, start, bound: start + len });
    }

    /// Returns the index in `tracks` of the track with this id.
    fn number_of(&self, track_id: u32) -> Option<usize> {
        self.tracks.binary_search_by_key(&track_id, |track| track.track_id).ok()
    }
}

/// Returns whether an index may point at this box in an intact file: the fragment follows the box,
/// or the index is older than the file.
fn may_lead(header: &Header) -> bool {
    matches!(&header.kind.0, b"moof" | b"styp" | b"sidx" | b"prft" | b"emsg" | b"free" | b"skip")
}

/// Returns the error for bytes that contradict the index.
fn misplaced(at: u64, what: String) -> Error {
    Error::at(at, ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.10" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfdt, Tfhd, Trun, TrunSample};

    /// One sample of so many ticks and bytes.
    fn fragment(track_id: u32, time: Option<u64>, duration: u32, size: u32) -> Vec<u8> {
        let moof =
            |offset| {
                let sample =
                    TrunSample { duration: Some(duration), size: Some(size), ..Default::default() };
                let flags = Trun::DURATION | Trun::SIZE;
                let trun = Trun { full: FullBox { version: 0, flags }, ..Trun::default() };
                let trun = Trun { data_offset: Some(offset), ..trun.with_samples(&[sample]) };
                let mut traf = vec![AnyBox::new(Tfhd { track_id, ..Tfhd::default() })];
                let full = FullBox { version: 1, flags: 0 };
                traf.extend(time.map(|base_media_decode_time| {
                    AnyBox::new(Tfdt { full, base_media_decode_time })
                }));
                traf.push(AnyBox::new(trun));
                let traf = AnyBox::container(*b"traf", traf);
                AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf])
            };
        let offset = moof(0).len() as i32 + 8;
        let mdat = AnyBox::other(*b"mdat", vec![7; size as usize]);
        Boxes::from_iter([moof(offset), mdat]).to_bytes().to_vec()
    }

    /// Walks through a file, behind a header of ten bytes.
    fn walk(file: &[u8], limits: &Limits) -> (Scanned, usize) {
        walk_with(file, limits, KnownStarts::default())
    }

    /// The same, where an index says that fragments begin at these bytes.
    fn walk_with(file: &[u8], limits: &Limits, known: KnownStarts) -> (Scanned, usize) {
        let file = Bytes::copy_from_slice(&[&[0; 10], file].concat());
        let tracks = [(2, Defaults::default()), (1, Defaults::default())];
        let mut scan = Scan::new(10, file.len() as u64, tracks, false, known);
        let (mut reads, mut spent) = (0, Spent::default());
        while let Some(range) = scan.wanted(limits, &mut spent) {
            scan.feed(&file.slice(range.start as usize..range.end as usize), limits);
            reads += 1;
        }
        (scan.finish(), reads)
    }

    fn times(scanned: &Scanned, track_id: u32) -> Vec<(i64, u64, u64)> {
        let track = scanned.tracks.iter().find(|track| track.track_id == track_id).unwrap();
        track.fragments.iter().map(|f| (f.time, f.start, f.bound)).collect()
    }

    #[test]
    fn fragments_are_found_by_their_own_times_or_by_the_sum_of_those_before() {
        let parts = [
            fragment(1, None, 20, 100),
            fragment(2, Some(5), 30, 9),
            b"\0\0\0\x0cfree1234".to_vec(),
            fragment(1, None, 25, 50_000),
            b"\0\0\0\x0cfree5678".to_vec(),
            fragment(1, None, 20, 100),
            fragment(2, Some(1000), 31, 9),
        ];
        let starts: Vec<u64> =
            (0..=parts.len()).map(|n| 10 + parts[..n].concat().len() as u64).collect();
        let (scanned, reads) = walk(&parts.concat(), &Limits::default());
        assert!(matches!(scanned.outcome, Outcome::End) && scanned.broken.is_none());
        let place = |time, n: usize| (time, starts[n], starts[n + 1]);
        assert_eq!(times(&scanned, 1), [place(0, 0), place(20, 3), place(45, 5)]);
        assert_eq!(times(&scanned, 2), [place(5, 1), place(1000, 6)]);
        assert_eq!(scanned.tracks[1].last_duration, 31);
        assert_eq!(reads, 2, "small fragments share a read, a long payload is not read");
    }

    #[test]
    fn a_fragment_that_is_there_twice_or_late_counts_once_and_in_its_place() {
        let times_of = [30, 10, 10, 20];
        let file: Vec<u8> =
            times_of.iter().flat_map(|&time| fragment(1, Some(time), 10, 5)).collect();
        let (scanned, _) = walk(&file, &Limits::default());
        let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
        assert_eq!(found, [10, 20, 30]);
    }

    #[test]
    fn times_that_repeat_or_step_back_leave_the_order_and_the_durations() {
        for said in [[0; 4], [7; 4], [0, 10, 0, 10]] {
            let file: Vec<u8> =
                said.iter().flat_map(|&time| fragment(1, Some(time), 10, 5)).collect();
            let (mut scanned, _) = walk(&file, &Limits::default());
            let track = scanned.tracks.iter_mut().find(|track| track.track_id == 1).unwrap();
            let sums = [0, 10, 20, 30].map(|time| time + said[0] as i64);
            let times = |by_order: Vec<Indexed>| by_order.iter().map(|f| f.time).collect();
            assert_eq!(track.take_by_order().map(times), Some(Vec::from(sums)));
            assert_eq!(track.take_by_order().map(|by_order| by_order.len()), None, "taken");
        }
        let ascending = [fragment(1, Some(0), 10, 5), fragment(1, Some(50), 10, 5)].concat();
        let (mut scanned, _) = walk(&ascending, &Limits::default());
        assert!(scanned.tracks.iter_mut().all(|track| track.take_by_order().is_none()));
    }

    #[test]
    fn a_time_that_neither_neighbour_agrees_with_is_corrected() {
        for wrong in [0, 19, 45, 36_000_000_000] {
            let said = [0, 10, wrong, 30, 40];
            let file: Vec<u8> =
                said.iter().flat_map(|&time| fragment(1, Some(time), 10, 5)).collect();
            let (scanned, _) = walk(&file, &Limits::default());
            let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
            let is_near = wrong == 19;
            assert_eq!(found, [0, 10, if is_near { 19 } else { 20 }, 30, 40], "{wrong}");
            let track = scanned.tracks.iter().find(|track| track.track_id == 1).unwrap();
            assert!(!track.steps_back && track.last_duration == 10, "{wrong}");
        }
    }

    #[test]
    fn fragments_that_overlap_by_their_times_do_not_have_these() {
        let overlaps = |said: &[(u64, u32)]| {
            let file: Vec<u8> =
                said.iter().flat_map(|&(time, size)| fragment(1, Some(time), 10, size)).collect();
            let (scanned, _) = walk(&file, &Limits::default());
            scanned.tracks.iter().find(|track| track.track_id == 1).unwrap().has_wrong_times()
        };
        let joined: Vec<_> = [0, 10, 20, 0, 10, 20].into_iter().zip(5..).collect();
        assert!(overlaps(&joined), "two recordings, one behind the other");
        assert!(overlaps(&[(0, 5), (1, 6), (2, 7), (3, 8)]), "another clock");
        assert!(!overlaps(&[(0, 5), (20, 6), (10, 7), (30, 8)]), "out of order");
        assert!(!overlaps(&[(0, 5), (50, 6), (100, 7)]), "gaps");
        let sent_twice = [(0, 5), (10, 6), (10, 6), (20, 7), (30, 8)];
        assert!(!overlaps(&sent_twice), "an encoder that took over");
    }

    #[test]
    fn a_time_that_follows_beyond_32_bits_is_unwrapped() {
        const WRAP: u64 = 1 << 32;
        let file: Vec<u8> = (0..40)
            .map(|i| i * (WRAP / 16))
            .flat_map(|time| fragment(1, Some(time % WRAP), (WRAP / 16) as u32, 5))
            .collect();
        let (scanned, _) = walk(&file, &Limits::default());
        let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
        assert_eq!(found, (0..40).map(|i| i * (WRAP as i64 / 16)).collect::<Vec<_>>());
        let far = [fragment(1, Some(WRAP - 1000), 10, 5), fragment(1, Some(0), 10, 5)].concat();
        let (scanned, _) = walk(&far, &Limits::default());
        let found: Vec<i64> = times(&scanned, 1).iter().map(|f| f.0).collect();
        assert_eq!(found, [0, WRAP as i64 - 1000], "that is no wrap, but a step back");
        let end = i64::MAX as u64;
        let last = [fragment(1, Some(end), 10, 5), fragment(1, Some(5), 10, 5)].concat();
        let (scanned, _) = walk(&last, &Limits::default());
        assert_eq!(times(&scanned, 1).len(), 2, "a time at the end of 64 bits overflows nothing");
    }

    #[test]
    fn an_index_that_leads_into_every_fragment_costs_a_few_reads_and_no_fragment() {
        let len = fragment(1, Some(0), 10, 100_000).len() as u64;
        let file: Vec<u8> = (0..60).flat_map(|i| fragment(1, Some(10 * i), 10, 100_000)).collect();
        let (scanned, straight) = walk(&file, &Limits::default());
        assert_eq!(times(&scanned, 1).len(), 60);
        let inside = |i: u64| (1..20).map(move |n| 10 + i * len + 4000 * n);
        let known = KnownStarts::new((0..60).flat_map(inside).collect());
        let (scanned, reads) = walk_with(&file, &Limits::default(), known);
        assert_eq!(times(&scanned, 1).len(), 60);
        let most = straight + usize::from(MISLED) * (1 + usize::from(TRIES));
        assert!(reads > straight && reads <= most, "{reads}, {straight} without an index");
    }

    #[test]
    fn a_file_that_was_cut_off_is_walked_to_its_last_whole_fragment() {
        let (first, second) = (fragment(1, None, 20, 100), fragment(1, None, 20, 100));
        let whole = [first.clone(), second].concat();
        for len in 0..whole.len() {
            let (scanned, _) = walk(&whole[..len], &Limits::default());
            assert_eq!(times(&scanned, 1).len(), usize::from(len >= first.len()), "{len}");
            match scanned.outcome {
                Outcome::End => assert!(len == 0 || len == first.len(), "{len}"),
                Outcome::CutOff(at) => {
                    let start = if len < first.len() { 0 } else { first.len() };
                    assert_eq!(at, 10 + start as u64, "{len}");
                }
                other => panic!("{len}: {other:?}"),
            }
            assert!(scanned.broken.is_none(), "{len}");
        }
    }

    #[test]
    fn a_fragment_that_is_broken_is_passed_over_and_what_is_no_box_ends_the_walk() {
        let mut broken = fragment(1, Some(20), 20, 10);
        // The type of its `traf`.
        broken[28..32].copy_from_slice(b"xxxx");
        let good = |time| fragment(1, Some(time), 20, 10);
        let (scanned, _) = walk(&[good(0), broken, good(40)].concat(), &Limits::default());
        assert_eq!(times(&scanned, 1).len(), 2);
        assert!(scanned.broken.unwrap().to_string().contains("no `traf`"));

        let silent = || fragment(1, None, 20, 10);
        let len = silent().len() as u64;
        let mut broken = silent();
        broken[28..32].copy_from_slice(b"xxxx");
        let file = [silent(), broken, silent(), silent(), fragment(1, Some(80), 20, 10), silent()];
        let (mut scanned, _) = walk(&file.concat(), &Limits::default());
        let known = |scanned: &Scanned| times(scanned, 1).iter().map(|f| f.0).collect::<Vec<_>>();
        assert_eq!(known(&scanned), [0, 80, 100], "nobody knows how long the broken one was");
        let index = Indexed { time: 60, start: 10 + 3 * len, bound: u64::MAX };
        let track = scanned.tracks.iter_mut().find(|track| track.track_id == 1).unwrap();
        assert_eq!(track.take_times_from(&[index]), 1);
        assert_eq!(known(&scanned), [0, 60, 80, 100]);

        let mut swallowed = silent();
        swallowed[4..8].copy_from_slice(b"free");
        let (scanned, _) = walk(&[silent(), swallowed, silent()].concat(), &Limits::default());
        assert_eq!(known(&scanned), [0], "samples without a `moof` have a duration too");
        let mut of_none = silent();
        of_none[36..40].copy_from_slice(b"free");
        let (scanned, _) = walk(&[silent(), of_none, silent()].concat(), &Limits::default());
        assert_eq!(known(&scanned), [0], "nor is it known of what track it is");
        let of_other = fragment(9, None, 20, 10);
        let (scanned, _) = walk(&[silent(), of_other, silent()].concat(), &Limits::default());
        assert_eq!(known(&scanned), [0], "the file has no such track");

        let rubbish = [0, 0, 0, 3, b'x', b'x', b'x', b'x', 0, 0, 0, 0, 0, 0, 0, 0];
        let (scanned, _) =
            walk(&[good(0), rubbish.to_vec(), good(40)].concat(), &Limits::default());
        assert_eq!(times(&scanned, 1).len(), 1);
        let Outcome::Lost(error) = scanned.outcome else { panic!("that is no box") };
        assert!(error.to_string().contains("size 3 is less than its header"), "{error}");
    }

    #[test]
    fn walks_through_several_files_spend_one_budget() {
        let limits = Limits { scan_reads: 5, ..Limits::default() };
        let mut spent = Spent::default();
        let mut walks = [(); 4].map(|()| Scan::new(0, 1 << 20, [], false, KnownStarts::default()));
        let asked = |spent: &mut Spent, walks: &mut [Scan]| {
            walks.iter_mut().filter_map(|walk| walk.wanted(&limits, spent)).count()
        };
        assert_eq!((asked(&mut spent, &mut walks), asked(&mut spent, &mut walks)), (4, 1));
        for walk in walks.into_iter().skip(1) {
            let Outcome::Lost(error) = walk.finish().outcome else { panic!("it is spent") };
            assert!(error.to_string().contains("reads of walks through files"), "{error}");
        }
    }

    #[test]
    fn a_track_that_is_there_twice_is_walked_once() {
        let twice = [(1, Defaults::default()), (1, Defaults::default())];
        let scanned = Scan::new(0, 0, twice, false, KnownStarts::default()).finish();
        assert_eq!(scanned.tracks.len(), 1);
    }

    #[test]
    fn many_small_boxes_take_few_reads_and_both_budgets_hold() {
        let boxes = b"\0\0\0\x08free".repeat(50_000);
        let (scanned, reads) = walk(&boxes, &Limits::default());
        assert!(matches!(scanned.outcome, Outcome::End));
        // The last bytes of a window may be those of a header that goes on.
        assert_eq!(reads, 400_000_usize.div_ceil(4096 - 24));
        for limits in [
            Limits { scan_reads: 7, ..Limits::default() },
            Limits { scan_bytes: 30_000, ..Limits::default() },
        ] {
            let (scanned, reads) = walk(&boxes, &limits);
            assert_eq!(reads, 7);
            assert!(matches!(scanned.outcome, Outcome::Lost(_)));
        }
    }
}
