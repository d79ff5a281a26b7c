//! Floor 0: the words every other floor speaks, and nothing of any format.

mod cursor;
mod error;
mod file;
mod four_cc;
mod guid;
mod heap;
mod limits;
mod name;
mod run;
mod segment;
mod sink;
mod step;
mod timescale;

pub use cursor::Cursor;
pub use error::{Error, ErrorKind, Group, Place, ReadError, ReadErrorKind};
pub use file::FileId;
pub use four_cc::FourCc;
pub use guid::{Guid, ParseGuidError};
pub(crate) use heap::{piece, shared_piece};
pub use limits::Limits;
pub use name::Name;
pub use run::Run;
pub(crate) use segment::decode_segment;
pub(crate) use sink::Sink;
pub(crate) use step::Then;
pub use step::{Got, Opened, Reads, Step, Want};
pub use timescale::Timescale;
