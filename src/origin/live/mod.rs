//! Publishing points: what encoders push, in memory and in an archive, and the presentation that players
//! get of it.
//!
//! ```text
//!  push ─► LivePoint ─► PublishingPoint (floor 5) ─► events ─┬─► HeldFile: bytes of each track's file
//!             │                   │                          ├─► Archiving ─► Archive
//!             │                   └─► snapshot ─► Opened     └─► Event ─► the host's log
//!         LivePoints: name ─► LivePoint ◄── requests of the origin
//! ```

mod archiving;
mod held;
mod options;
mod point;
mod points;
mod push;
mod recovery;
mod shown;
mod signal;

pub use options::LiveOptions;
pub use point::LivePoint;
pub use points::LivePoints;
pub use push::Push;

pub(super) use held::HeldFile;
