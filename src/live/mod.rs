//! Floor 5: a publishing point, which encoders push to and which publishes presentations.
//!
//! ```text
//!  bytes of a push ─► Intake ─► headers, fragments ─► Feed: whose clock? ─► Line: order, duplicates, gaps
//!                                                                             │
//!  LiveEvent::Append, Published ◄─ Broadcast: Growing ◄─ Schedule: the chunks of a stream, look-ahead
//! ```
//!
//! A [`PublishingPoint`] does no input or output and knows no clock: the host passes bytes and the
//! [`Moment`] in, and takes [`LiveEvent`]s and a snapshot out.

mod broadcast;
mod clock;
mod event;
mod feed;
mod held;
#[cfg(feature = "unstable-formats")]
pub mod intake;
#[cfg(not(feature = "unstable-formats"))]
#[allow(dead_code, unused_imports, unreachable_pub)]
mod intake;
#[cfg(feature = "unstable-formats")]
pub mod journal;
#[cfg(not(feature = "unstable-formats"))]
#[allow(dead_code, unreachable_pub, unused_imports)]
pub(crate) mod journal;
mod limits;
mod line;
mod moment;
mod notice;
mod options;
mod plain;
mod point;
mod push;
mod push_id;
mod remembered;
mod schedule;
mod settings;
mod state;
mod status;
mod tally;
mod told;
mod track_key;

pub use event::LiveEvent;
pub use limits::LiveLimits;
pub use moment::Moment;
pub use notice::{Notice, NoticeKind};
pub use options::PointOptions;
pub use point::PublishingPoint;
pub use push_id::PushId;
pub use state::PointState;
pub use status::{EncoderStatus, PointStatus, StreamStatus, TrackStatus};
