//! Finding a fragment among bytes that begin anywhere in a file.

use bytes::Bytes;
use memchr::memmem;

use super::sight::{Look, Sight, number_of};
use crate::base::Limits;
use crate::index::ScannedTrack;

/// The fragments of a file that a search looks for.
#[derive(Clone, Copy)]
pub(super) struct Sought<'a> {
    /// Bytes of the file.
    pub(super) size: u64,
    pub(super) tracks: &'a [ScannedTrack],
    /// True if the file has fragments of other tracks.
    pub(super) has_others: bool,
    pub(super) limits: &'a Limits,
}

/// The outcome of a search, with positions in the bytes that were searched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hit {
    /// A fragment begins here.
    At(usize),
    /// A fragment may begin here: this many bytes are needed from there on.
    Needs { at: usize, bytes: u64 },
    /// No fragment begins among the bytes, except for the last [`OVERLAP`].
    Nothing,
}

/// A fragment that begins among so many last bytes of a window is not recognized.
pub(super) const OVERLAP: usize = START - 1;

/// Bytes of a `moof` by which it is recognized: two headers.
const START: usize = 16;

/// Bytes of a `moof` that a search believes.
const MOOF: std::ops::RangeInclusive<u32> = 40..=64 << 10;

/// Number of boxes in one window that are parsed, because media may have any number of them that
/// begin as a `moof` does.
const TRIES: usize = 4;

/// Finds the first fragment in `window`, which begins at byte `at` of the file. A fragment is a
/// `moof` that begins with an `mfhd`, has one `traf` of a known track, and is in front of an `mdat`:
/// the four letters alone may be part of any sample.
pub(super) fn find_fragment(window: &Bytes, at: u64, sought: Sought<'_>) -> Hit {
    let mut tries = TRIES;
    for letters in memmem::find_iter(window, b"moof") {
        let Some(start) = letters.checked_sub(4) else { continue };
        let Some(first) = window.get(start..start + START) else { break };
        let len = first.first_chunk().map_or(0, |len| u32::from_be_bytes(*len));
        if !MOOF.contains(&len) || first.get(8..) != Some(b"\0\0\0\x10mfhd") {
            continue;
        }
        let Sought { size, tracks, has_others, limits } = sought;
        let is_known =
            |id: Option<u32>| has_others || id.is_some_and(|id| number_of(tracks, id).is_some());
        match Sight::of(&window.slice(start..), at + start as u64, size, tracks, limits) {
            Look::Seen(Sight::Fragment(fragment)) if is_known(fragment.of) => {
                return Hit::At(start);
            }
            Look::Seen(_) => {}
            Look::Needs(bytes) => return Hit::Needs { at: start, bytes },
        }
        tries -= 1;
        if tries == 0 {
            break;
        }
    }
    Hit::Nothing
}
