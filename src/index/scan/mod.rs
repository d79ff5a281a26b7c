//! Finding fragments without an index: a walk through a file, from box to box.

mod damage;
mod found;
mod replay;
mod scouts;
mod search;
mod sight;

use std::ops::Range;

use bytes::Bytes;

use self::damage::{Held, may_lead, misplaced};
pub(crate) use self::scouts::Share;
use self::scouts::{Front, Scouts};
use self::search::Sought;
use self::sight::{FragmentSight, Look, Sight, number_of};
use super::{IndexWriter, KnownStarts, ScannedTrack, Spent};
use crate::base::{Error, ErrorKind, FourCc, Limits};
use crate::fragment::Defaults;

/// A walk through the fragments of a file. It asks for one window of bytes after the other.
///
/// Scouts may look at boxes far ahead at the same time, if reads are slow. The walk uses the boxes
/// that it comes to and forgets the others, so its result is the same with and without scouts.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Tracks by number, each once.
    tracks: Vec<ScannedTrack>,
    /// The first box.
    from: u64,
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
    /// First byte of the last `moof`.
    moof: u64,
    /// Positions at which the index says that fragments begin.
    known: KnownStarts,
    /// The box that reaches over one of these positions, while the walk looks there.
    held: Option<Held>,
    /// Boxes that end at or before this byte have been compared with the index.
    checked: u64,
    /// Boxes in a row in which the index led to no fragment.
    misled: u8,
    /// Number of fragments that were passed.
    fragments: u64,
    /// Number of windows in which the walk has been, read for it or for a scout.
    reads: u64,
    scouts: Scouts,
    /// The boxes that were passed, if they are to be kept.
    trail: Option<IndexWriter>,
    /// Set after a fragment that cannot be used: no box behind it is kept.
    has_trail_ended: bool,
}

/// The state or the end of a walk.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It goes on.
    Walking,
    /// At the end of the file.
    End,
    /// In front of a box that the file does not hold to its end: it was cut off there. `kind` is
    /// the type of that box, unless not even its header is there.
    CutOff { at: u64, kind: Option<FourCc> },
    /// In front of what is no box, or at the end of a budget.
    Lost(Error),
}

/// The result of a walk.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) tracks: Vec<ScannedTrack>,
    pub(crate) outcome: Outcome,
    /// The fault of the first fragment that was passed over.
    pub(crate) broken: Option<Error>,
}

/// Bytes of the first window, and of one where nothing is known of what comes.
const WINDOW: u64 = 4 << 10;

/// Bytes of a window that covers several small fragments.
const LARGE_WINDOW: u64 = 64 << 10;

/// Bytes in which every header lies.
const HEADER: u64 = 32;

/// Bytes to read at the box behind a fragment.
fn window_behind(fragment: &FragmentSight) -> u64 {
    let len = fragment.len;
    let several = if len <= LARGE_WINDOW / 4 { 4 * len } else { 0 };
    (fragment.moof + 2 * HEADER).next_multiple_of(1 << 10).max(several)
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
            from,
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
            fragments: 0,
            reads: 0,
            scouts: Scouts::default(),
            trail: None,
            has_trail_ended: false,
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
        self.reads += 1;
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
            match Sight::of(&window.slice(passed..), self.at, self.size, &self.tracks, limits) {
                Look::Seen(sight) => self.pass(sight),
                Look::Needs(bytes) => {
                    // What is not enough once more should be the next time.
                    let twice = 2 * (window.len() - passed) as u64;
                    self.window =
                        if passed == 0 { bytes.max(twice) } else { bytes.max(self.window) };
                    break;
                }
            }
        }
    }

    /// Gives `each` the ranges to be read next: that of the walk, then those of its scouts, no more
    /// than its `share`. There are none at the end of the walk.
    pub(crate) fn wanted_at_once(
        &mut self,
        share: &Share,
        limits: &Limits,
        spent: &mut Spent,
        mut each: impl FnMut(Range<u64>),
    ) {
        while matches!(self.outcome, Outcome::Walking)
            && let Some((sight, is_read)) = self.scouts.take(self.at, spent)
        {
            self.reads += u64::from(is_read);
            self.pass(sight);
        }
        let Some(range) = self.wanted(limits, spent) else {
            self.scouts.end();
            return;
        };
        each(range);
        if share.reads > 1 {
            let front = Front {
                at: self.at,
                size: self.size,
                passed: self.at - self.from,
                reads: self.reads,
                fragments: self.fragments,
            };
            self.scouts.wanted(front, share, limits, spent, each);
        }
    }

    /// Takes what was [wanted at once](Self::wanted_at_once), in the same order.
    pub(crate) fn feed_at_once(
        &mut self,
        windows: impl IntoIterator<Item = Bytes>,
        limits: &Limits,
    ) {
        let mut windows = windows.into_iter();
        if let Some(window) = windows.next() {
            self.feed(&window, limits);
        }
        let Self { size, has_others, tracks, .. } = self;
        let sought = Sought { size: *size, tracks, has_others: *has_others, limits };
        self.scouts.feed(windows, sought);
    }

    /// Returns whether the times of some track are uncertain: they repeat, step back, are closer to
    /// each other than the fragments are long, or are not declared by the fragments.
    pub(crate) fn has_choice(&self) -> bool {
        self.tracks.iter().any(|track| track.is_close || !track.says_several)
    }

    /// Ends the walk and returns its result.
    pub(crate) fn finish(mut self) -> Scanned {
        self.tracks.iter_mut().for_each(ScannedTrack::sort);
        if self.is_cut_off_in_fragment()
            && let Outcome::CutOff { at, .. } = &mut self.outcome
        {
            *at = self.moof;
            self.broken = None;
        }
        let broken = self.broken.map(|(_, error)| error);
        Scanned { tracks: self.tracks, outcome: self.outcome, broken }
    }

    /// Returns whether it is the last fragment that the file does not hold to its end, and the only box
    /// that is broken.
    fn is_cut_off_in_fragment(&self) -> bool {
        matches!(self.outcome, Outcome::CutOff { .. })
            && self.broken.as_ref().is_some_and(|(start, _)| *start == self.moof)
    }

    /// Passes the next box, or ends the walk there.
    fn pass(&mut self, sight: Sight) {
        self.record(&sight);
        match self.try_pass(sight) {
            Ok(()) if self.at >= self.size => self.outcome = Outcome::End,
            Ok(()) => {}
            Err(outcome) => self.resume(outcome),
        }
    }

    fn try_pass(&mut self, sight: Sight) -> Result<(), Outcome> {
        let left = self.size - self.at;
        if self.look_inside(sight.is_moof()) {
            return Ok(());
        }
        match sight {
            Sight::NoBox(error) => Err(match error.kind {
                ErrorKind::Truncated { .. } => Outcome::CutOff { at: self.at, kind: None },
                _ => Outcome::Lost(*error),
            }),
            Sight::Other { kind, header, len } => {
                if self.broken.is_none() && !may_lead(kind) && self.known.has(self.at) {
                    let what = format!("a box `{kind}` where the index says `moof`");
                    self.broken = Some((self.at, misplaced(self.at, what)));
                }
                let len = len.unwrap_or(left);
                if len > left {
                    return Err(Outcome::CutOff { at: self.at, kind: Some(kind) });
                }
                let has_type = kind.0.iter().any(|&byte| byte != 0);
                if !has_type && self.known.inside(self.at, self.size).is_some() {
                    let what = "zeros where a box should be".into();
                    return Err(Outcome::Lost(misplaced(self.at, what)));
                }
                if self.hold(self.at + len, None) {
                    return Ok(());
                }
                if kind == *b"mdat" && len > header {
                    let of_broken = self.of_broken.take();
                    self.lose_times(of_broken);
                }
                self.at += len;
                Ok(())
            }
            Sight::Fragment(fragment) => {
                self.moof = self.at;
                self.of_broken = None;
                let of = fragment.of.and_then(|id| number_of(&self.tracks, id));
                if !self.hold(self.at + fragment.len, of) {
                    self.found(fragment, of);
                }
                Ok(())
            }
            Sight::Broken { len, error, of } => {
                self.moof = self.at;
                let len = len.unwrap_or(left);
                self.broken.get_or_insert((self.at, *error));
                self.of_broken = of.and_then(|id| number_of(&self.tracks, id));
                self.lose_times(self.of_broken);
                if let Some(next) = self.known.inside(self.at, self.at + len) {
                    self.at = next;
                    return Ok(());
                }
                self.at += len;
                if len == left {
                    let kind = Some(FourCc(*b"moof"));
                    return Err(Outcome::CutOff { at: self.moof, kind });
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
