//! Publishing points: what encoders push, in memory and in an archive, and the presentation that players
//! get of it.
//!
//! ```text
//!  push ─► LivePoint ─► PublishingPoint (floor 5) ─► events ─┬─► HeldFile: bytes of each track's file
//!             │                   │                          ├─► Archiving ─► Archive
//!             │                   │                          └─► Event ─► the host's log
//!             │                   └─► snapshot ─► Showing, once the archive has it ─► Opened
//!         LivePoints: name ─► LivePoint ◄── requests of the origin
//!             └─────► name ─► FollowedPoint ◄── requests of the origin
//!  Archive ─► journal ─► Following (floor 5) ─┘                           another process has the LivePoint
//! ```

mod archiving;
mod film;
mod film_store;
mod followed;
mod followed_points;
mod held;
mod memory;
mod options;
mod point;
mod points;
mod push;
mod recovery;
mod showing;
mod shown;
mod signal;
mod turns;
#[cfg(feature = "http")]
mod unbegun;

pub use options::LiveOptions;
pub use point::{ArchiveFailure, ArchiveStatus, Delivery, LivePoint, PastNotice};
pub use points::LivePoints;
pub use push::Push;
#[cfg(feature = "http")]
pub(crate) use unbegun::Unbegun;

pub(super) use held::HeldFile;
