//! Finding fragments without an index: a walk through a file, from box to box.

mod damage;
mod found;

use std::ops::Range;

use bytes::Bytes;

use self::damage::{Held, may_lead, misplaced};
use super::{KnownStarts, ScannedTrack, Spent};
use crate::base::{Cursor, Error, ErrorKind, FourCc, Limits};
use crate::bmff::Header;
use crate::fragment::{Defaults, Parsed, Stored, track_of_broken};

/// A walk through the fragments of a file. It asks for one window of bytes after the other.
#[derive(Debug)]
pub(crate) struct Scan {
    /// Tracks by number, each once.
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

/// The next action after a look at a box.
enum Look {
    /// It was passed.
    Passed,
    /// This many bytes of it are needed.
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

    /// Returns whether the times of some track are uncertain: they repeat, step back, are closer to
    /// each other than the fragments are long, or are not declared by the fragments.
    pub(crate) fn has_choice(&self) -> bool {
        self.tracks.iter().any(|track| track.is_close || !track.says_several)
    }

    /// Ends the walk and returns its result.
    pub(crate) fn finish(mut self) -> Scanned {
        self.tracks.iter_mut().for_each(ScannedTrack::sort);
        if let Outcome::CutOff { at, .. } = &mut self.outcome
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
        if self.look_inside(header.as_ref().is_ok_and(is_fragment)) {
            return Ok(Look::Passed);
        }
        let header = header.map_err(|error| match error.kind {
            ErrorKind::Truncated { .. } => Outcome::CutOff { at: self.at, kind: None },
            _ => Outcome::Lost(error),
        })?;
        if self.broken.is_none() && !may_lead(&header) && self.known.has(self.at) {
            let what = format!("a box `{}` where the index says `moof`", header.kind);
            self.broken = Some((self.at, misplaced(self.at, what)));
        }
        let len = header.total().unwrap_or(left);
        if len > left {
            return Err(Outcome::CutOff { at: self.at, kind: Some(header.kind) });
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
                match len == left {
                    true => Err(Outcome::CutOff { at: self.moof, kind: Some(header.kind) }),
                    false => Ok(Look::Passed),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
