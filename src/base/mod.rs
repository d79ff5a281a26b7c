//! Floor 0: the words every other floor speaks, and nothing of any format.

#[cfg_attr(not(feature = "unstable-formats"), allow(dead_code, unreachable_pub))]
mod cursor;
mod error;
mod error_kind;
mod file;
mod four_cc;
mod guid;
mod heap;
mod limits;
mod name;
mod read_error;
#[cfg_attr(not(feature = "unstable-formats"), allow(unreachable_pub))]
mod run;
mod segment;
mod sink;
mod step;
mod timescale;

#[cfg(feature = "unstable-formats")]
pub use cursor::Cursor;
#[cfg(not(feature = "unstable-formats"))]
pub(crate) use cursor::Cursor;
pub use error::{Error, Place};
pub use error_kind::{ErrorGroup, ErrorKind};
pub use file::FileId;
pub use four_cc::FourCc;
pub use guid::{Guid, ParseGuidError};
pub(crate) use heap::{piece, shared_piece};
pub use limits::Limits;
pub use name::Name;
pub use read_error::{ReadError, ReadErrorKind};
#[cfg(feature = "unstable-formats")]
pub use run::Run;
#[cfg(not(feature = "unstable-formats"))]
pub(crate) use run::Run;
pub(crate) use segment::decode_segment;
pub(crate) use sink::Sink;
pub(crate) use step::Then;
pub use step::{FileEnds, Got, Reads, Step, Want};
pub use timescale::Timescale;
