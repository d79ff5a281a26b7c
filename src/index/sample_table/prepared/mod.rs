//! The samples of all chunks of a track in few bytes.
//!
//! Each chunk is a stretch of bits that can be read by itself:
//!
//! | Part | Bits |
//! |---|---|
//! | time at which the first sample is composed, and its place | 6 for the width of each, and the number |
//! | smallest size, and the Rice parameter of what sizes are more | 6 and the number; 5 |
//! | are all samples of one kind? are they in one stretch of the file? | 2 |
//! | if not in one stretch: smallest gap, and the Rice parameter of what gaps are more | as sizes |
//! | for each sample: its kind, if they vary | 1 if it is the usual one after the kind before it |
//! | for each sample: its size | about 1.5 more than the binary logarithm of the mean |
//! | for each sample but the first: is there a gap before it, and its bytes | 1, and as sizes |
//!
//! A *kind* is all that a sample is but for its place and size: duration, composition offset, sync
//! and dependencies. A track has few of them, and they follow one another in patterns.

mod bits;
mod block;
mod gaps;
mod kinds;
mod rice;
mod track;
mod unpacked;

pub use track::Prepared;
pub use unpacked::{Unpacked, UnpackedSample};
