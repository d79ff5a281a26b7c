//! The archive of an event: what is written while it goes on, and what is read when a process begins.
//!
//! ```text
//!  LiveEvents ─► Journal ─► ArchiveWrites: files of tracks, the journal, held fragments, the manifests
//!                                                              │
//!  PublishingPoint ◄─ Restored ◄─ Recovery ◄─ Replay ◄─────────┤   a process begins
//!        .ism .ismc mfra ◄─ Closing ◄─ Recovery ◄─ Replay ◄────┤   the event ends
//!  Presentation ◄───────── Following ◄─────────────────────────┘   another process serves the event
//! ```
//!
//! The *record* of a publishing point (`NAME.point`) names its last event: see [`PointRecord`]. Each event has files of
//! its own, whose names have its number: no event ever writes to the files of another one.
//!
//! A journal is a list of records, each with its length and a checksum. It is only appended to, so whoever
//! reads it after a crash finds everything up to the first record that is torn.

mod began;
mod closing;
mod following;
mod frames;
mod holding;
#[allow(clippy::module_inception)]
mod journal;
mod messages;
mod names;
mod placed;
mod point_file;
mod point_record;
mod record;
mod recovery;
mod replay;
mod restored;
mod write;

pub(crate) use began::Began;
pub use closing::Closing;
pub(crate) use following::Following;
pub use frames::journal_of;
pub use journal::Journal;
pub(crate) use names::{EventNames, Names};
pub(crate) use placed::Placed;
pub use point_record::PointRecord;
pub use recovery::{Recovered, Recovery};
pub use restored::Restored;
pub(crate) use restored::{RestoredEarly, RestoredFile, RestoredHeader, RestoredHeld};
pub use write::ArchiveWrite;
