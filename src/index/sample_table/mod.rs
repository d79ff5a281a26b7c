//! The sample tables of a progressive MP4: from a `moov` to the samples of each chunk.
//!
//! ```text
//! moov ─► Movie ─► Track ─► Tables ─► Samples (one by one, checked)
//!                    │         │
//!                    │         └────► Points (where chunks may begin) ─► chunk plan
//!                    └─► Clock (exact times)                                 │
//!                              Tables, cuts ─► Prepared (few bytes a sample) ◄┘
//!                                    │            ▲  └─► the samples of one chunk ─► `moof`
//!                                    └► Outline ──┘ a group of chunks at its first request
//! ```
//!
//! Packaging to files and serving on the fly give the same bytes. Packaging needs every sample, and
//! prepares all of them at once; serving keeps an outline, and prepares what is watched.
//!
//! The tables are read here, and not by the crate `mp4`: it makes a vector of 8 to 16 bytes an entry
//! of each table, which is more than the whole budget of two bytes a sample, and its loops do not end
//! on some inputs. The tests compare these readers with it on files that it can read.
//!
//! Spec: ISO/IEC 14496-12, 8.6 and 8.7.

mod chunks;
mod clock;
mod edits;
mod elsewhere;
mod movie;
mod oddity;
mod outline;
mod points;
mod prepared;
mod runs;
mod sample;
mod samples;
mod sizes;
mod sync_points;
mod tables;
mod timed;
mod track;
mod whereabouts;

pub use clock::{Clock, LocalClock};
pub(crate) use elsewhere::is_elsewhere;
pub use movie::Movie;
pub use oddity::{Oddity, OddityKind};
pub use outline::{Extent, Group, Outline};
pub use points::{Point, Points};
pub use prepared::{Prepared, Unpacked, UnpackedSample};
pub use sample::Sample;
pub use samples::Samples;
pub use tables::Tables;
pub use timed::{Media, timed};
pub use track::Track;

/// Samples of one track at most: more than three days of 60 pictures a second, or four of AAC at
/// 48 kHz. Needed because a table of constant sizes takes no bytes for any number of samples.
pub const MAX_SAMPLES: u64 = 1 << 24;
