//! From storage to the bytes of a body.
//!
//! ```text
//!  store ─► Access ─────► Files ──────► Opened ──────────► Reader ─► Body ─► response
//!           limit, time,  one version   presentation and             StoredBody
//!           settling      per file      its files
//! ```

mod access;
mod ahead;
mod body;
mod clip_cache;
mod deadline;
mod ends;
mod files;
mod fragment_cache;
mod handles;
mod head_cache;
mod keeping;
mod key;
mod lent;
mod looked;
mod missing_files;
mod near_ranges;
mod opened;
mod reader;
mod settling;
mod shared;
mod shared_reads;
mod stored_body;
mod whole_reads;

pub use body::Body;
pub use opened::Opened;
pub use stored_body::StoredBody;

pub(super) use access::{AT_ONCE, Access, AccessOptions};
pub(super) use ahead::{AheadOptions, Place, ReadAhead};
pub(super) use body::PART;
pub(super) use deadline::Deadline;
pub(super) use ends::{Purpose, open_fragment, read_head};
pub(super) use files::{Files, LastRead};
pub(super) use fragment_cache::FragmentCache;
pub(super) use handles::{Handles, default_capacity};
pub(super) use keeping::Use;
pub(super) use lent::Lent;
pub(super) use looked::Looked;
pub(super) use reader::{FileReader, FragmentFile, FragmentReader, Reader};
pub(super) use settling::Patience;
pub(super) use shared::{MemoryOptions, Shared};
