//! Keeping what a walk passed, and walking again without reads.

use super::sight::{FragmentSight, Sight};
use super::{Outcome, Scan};
use crate::index::index_file::{Passed, PassedFragment};
use crate::index::{IndexReader, IndexWriter};

impl Scan {
    /// Keeps the boxes that are passed from now on.
    pub(crate) fn keep_trail(&mut self) {
        self.trail = Some(IndexWriter::new(self.size, self.from));
    }

    /// Passes the boxes of an index file, if it is of this walk. Returns whether it is.
    pub(crate) fn replay(&mut self, mut file: IndexReader) -> bool {
        if self.at != self.from || !self.known.is_empty() || !file.fits(self.size, self.from) {
            return false;
        }
        // There is nothing new to keep.
        self.trail = None;
        for passed in file {
            if !matches!(self.outcome, Outcome::Walking) {
                break;
            }
            self.pass(Sight::from(passed));
        }
        true
    }

    /// Takes the boxes that were passed, if they are all that there is to know of the file: none of
    /// them was damaged, and the times of the fragments leave no choice. The last fragment of a file that
    /// was cut off is not among them: a walk that passes them looks at it again.
    pub(crate) fn take_trail(&mut self) -> Option<IndexWriter> {
        let is_over = matches!(self.outcome, Outcome::End | Outcome::CutOff { .. });
        let is_whole = self.broken.is_none() || self.is_cut_off_in_fragment();
        let is_clean = is_whole && self.known.is_empty();
        let is_orderly = self.tracks.iter().all(|track| !track.is_close && !track.steps_back);
        self.trail.take().filter(|_| is_over && is_clean && is_orderly)
    }

    pub(super) fn record(&mut self, sight: &Sight) {
        let Some(trail) = &mut self.trail else { return };
        let left = self.size - self.at;
        let has_room = match sight {
            // It must be the end of the file that the file does not have.
            Sight::Other { len, .. } if self.has_trail_ended => len.is_some_and(|len| len > left),
            Sight::NoBox(_) if self.has_trail_ended => true,
            _ if self.has_trail_ended => false,
            Sight::Other { kind, header, len } => {
                let (kind, header, len) = (*kind, *header, len.unwrap_or(left));
                // A box that the file does not hold to its end is looked at again.
                len > left || trail.push(&Passed::Other { kind, header, len })
            }
            Sight::Fragment(fragment) => {
                let passed = passed(fragment).filter(|_| fragment.is_sized);
                passed.is_some_and(|passed| trail.push(&Passed::Fragment(passed)))
            }
            Sight::NoBox(_) => true,
            // If the file was cut off, it is the last fragment, and looked at again.
            Sight::Broken { .. } => {
                self.has_trail_ended = true;
                true
            }
        };
        if !has_room {
            self.trail = None;
        }
    }
}

fn passed(fragment: &FragmentSight) -> Option<PassedFragment> {
    let &FragmentSight { moof, len, said, is_short_time, declared, is_empty, .. } = fragment;
    // An index file has one track for each `moof`.
    fragment.others.is_empty().then_some(())?;
    let (track_id, duration) = (fragment.of?, *fragment.duration.as_ref().ok()?);
    Some(PassedFragment { track_id, moof, len, said, is_short_time, declared, duration, is_empty })
}

impl From<Passed> for Sight {
    fn from(passed: Passed) -> Self {
        match passed {
            Passed::Other { kind, header, len } => Self::Other { kind, header, len: Some(len) },
            Passed::Fragment(passed) => {
                let PassedFragment { moof, len, said, is_short_time, declared, .. } = passed;
                Self::Fragment(FragmentSight {
                    is_sized: true,
                    of: Some(passed.track_id),
                    moof,
                    len,
                    said,
                    is_short_time,
                    declared,
                    duration: Ok(passed.duration),
                    is_empty: passed.is_empty,
                    bytes: 0,
                    others: Vec::new(),
                })
            }
        }
    }
}
