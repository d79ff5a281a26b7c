//! The budget of all walks through files without an index.

use crate::base::{ErrorKind, Limits};

/// Reads and bytes that all walks of an opening have spent together.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    reads: u64,
    bytes: u64,
    /// Those among them that were made far ahead of a walk, and that were of no use so far.
    reads_ahead: u64,
    bytes_ahead: u64,
}

/// Part of the budget that reads far ahead of the walks may take in vain: one of so many. The rest
/// is left to the walks.
const IN_VAIN: u64 = 4;

impl Spent {
    /// Adds a read.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] beyond [`Limits::scan_reads`] or [`Limits::scan_bytes`].
    pub(super) fn add(&mut self, bytes: u64, limits: &Limits) -> Result<(), ErrorKind> {
        self.reads = self.reads.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
        let (reads, bytes) = (limits.scan_reads, limits.scan_bytes);
        Limits::check("reads of walks through files without an index", self.reads, reads)?;
        Limits::check("bytes of walks through files without an index", self.bytes, bytes)
    }

    /// Adds a read far ahead of a walk, which the walk can do without. Returns whether the budget
    /// has room for it.
    pub(super) fn add_ahead(&mut self, bytes: u64, limits: &Limits) -> bool {
        let (reads_ahead, bytes_ahead) = (self.reads_ahead + 1, self.bytes_ahead + bytes);
        let has_room = reads_ahead <= limits.scan_reads / IN_VAIN
            && bytes_ahead <= limits.scan_bytes / IN_VAIN
            && self.reads < limits.scan_reads
            && self.bytes.saturating_add(bytes) <= limits.scan_bytes;
        if has_room {
            (self.reads_ahead, self.bytes_ahead) = (reads_ahead, bytes_ahead);
            self.reads += 1;
            self.bytes += bytes;
        }
        has_room
    }

    /// Notes that a walk has come to where a read of so many bytes was made ahead of it.
    pub(super) fn redeem(&mut self, bytes: u64) {
        self.reads_ahead = self.reads_ahead.saturating_sub(1);
        self.bytes_ahead = self.bytes_ahead.saturating_sub(bytes);
    }
}
