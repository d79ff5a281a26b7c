//! Floor 2: one `moof` and the `mdat` behind it, as stored: what it is, what it holds, and what
//! each noun of a request makes of it.

mod broken;
#[cfg(any(feature = "dash", feature = "hls"))]
mod changed;
pub mod cmaf;
#[cfg(feature = "live")]
mod edited;
mod first_sample;
#[cfg(feature = "live")]
mod first_shown;
#[cfg(feature = "live")]
mod joined;
mod key_frames;
mod key_samples;
#[cfg(feature = "live")]
mod look_ahead;
mod media_data;
mod noun;
mod other_time;
#[cfg_attr(not(feature = "unstable-formats"), allow(dead_code, unreachable_pub, unused_imports))]
pub mod rewritten;
mod runs;
mod sample_boxes;
mod samples;
mod stored;
#[cfg_attr(not(feature = "unstable-formats"), allow(dead_code, unreachable_pub, unused_imports))]
pub mod written;

pub(crate) use broken::track_of_broken;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use changed::Changed;
#[cfg(feature = "live")]
pub(crate) use first_shown::shown_at_start;
#[cfg(feature = "live")]
pub(crate) use joined::{Whole, joined};
pub(crate) use key_frames::{Keep, KeyFrames};
#[cfg(feature = "live")]
pub(crate) use look_ahead::{of_other_track, timed_moof, with_tfrf, with_time};
pub use noun::Noun;
pub(crate) use other_time::OtherTime;
#[cfg(feature = "package")]
pub(crate) use rewritten::Listed;
pub(crate) use rewritten::{Fragment as Rewritten, Shared, SharedParsed};
pub(crate) use runs::Whereabouts;
pub(crate) use samples::Defaults;
pub(crate) use stored::{Lengths, Parsed, Stored};
