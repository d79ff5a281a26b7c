//! Continuing a walk after damaged boxes, at the positions in the index.

use super::{Outcome, Scan, WINDOW};
use crate::base::{Error, ErrorKind, FourCc};

/// A box that reaches over a position at which the index says that a fragment begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    at: u64,
    end: u64,
    /// Number of its track, if the box is a fragment.
    of: Option<usize>,
    /// Number of further positions inside of it that may be looked at.
    tries: u8,
}

/// Maximum positions that are looked at inside of one box, because an index may have any number of
/// them there.
pub(super) const TRIES: u8 = 8;

/// After so many boxes in a row in which the index led to no fragment, the walk does not look inside
/// of boxes any more: each look takes a read.
pub(super) const MISLED: u8 = 16;

impl Scan {
    /// Continues at the next fragment that the index knows, or ends the walk.
    pub(super) fn resume(&mut self, outcome: Outcome) {
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
    pub(super) fn hold(&mut self, end: u64, of: Option<usize>) -> bool {
        if end <= self.checked || self.misled >= MISLED {
            return false;
        }
        let Some(known) = self.known.inside(self.at, end) else { return false };
        self.held = Some(Held { at: self.at, end, of, tries: TRIES - 1 });
        self.at = known;
        true
    }

    /// Continues the check that [`hold`](Self::hold) started. The next box `is_fragment` if the index
    /// was right. Returns whether the walk moved elsewhere.
    pub(super) fn look_inside(&mut self, is_fragment: bool) -> bool {
        let Some(Held { at, end, of, tries }) = self.held.take() else { return false };
        if is_fragment {
            self.misled = 0;
            let what = format!("a box that reaches over the fragment at byte {}", self.at);
            self.broken.get_or_insert((at, misplaced(at, what)));
            self.lose_times(of);
            return false;
        }
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
        true
    }
}

/// Returns whether an index may point at this box in an intact file: the fragment follows the box,
/// or the index is older than the file.
pub(super) fn may_lead(kind: FourCc) -> bool {
    matches!(&kind.0, b"moof" | b"styp" | b"sidx" | b"prft" | b"emsg" | b"free" | b"skip")
}

/// Returns the error for bytes that contradict the index.
pub(super) fn misplaced(at: u64, what: String) -> Error {
    Error::at(at, ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.10" })
}
