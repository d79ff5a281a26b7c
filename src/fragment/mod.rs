//! Floor 2: one `moof` and the `mdat` behind it, as stored: what it is, what it holds, and what
//! each noun of a request makes of it.

mod key_frames;
mod key_samples;
mod noun;
mod sample_boxes;
mod samples;
mod stored;

pub(crate) use key_frames::KeyFrames;
pub use noun::Noun;
pub(crate) use samples::Defaults;
pub(crate) use stored::{Lengths, OtherTime, Parsed, Stored, Whereabouts};
