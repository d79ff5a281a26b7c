//! The archive of an event: what is written while it goes on, and what is read when a process begins.
//!
//! ```text
//!  LiveEvents ─► Journal ─► ArchiveWrites: files of tracks, the journal, held fragments, the manifests
//!                                                              │
//!  PublishingPoint ◄─ Restored ◄─ Recovery ◄─ Replay ◄─────────┤   a process begins
//!        .ism .ismc mfra ◄─ Closing ◄─ Recovery ◄─ Replay ◄────┘   the event ends
//! ```
//!
//! A journal is a list of records, each with its length and a checksum. It is only appended to, so whoever
//! reads it after a crash finds everything up to the first record that is torn.

mod closing;
mod frames;
#[allow(clippy::module_inception)]
mod journal;
mod names;
mod placed;
mod record;
mod recovery;
mod replay;
mod restored;
mod write;

pub use closing::Closing;
pub use frames::journal_of;
pub use journal::Journal;
pub use recovery::{Recovered, Recovery};
pub use restored::Restored;
pub(crate) use restored::{RestoredEarly, RestoredFile};
pub use write::ArchiveWrite;
