//! The budget of all walks through files without an index.

use crate::base::{ErrorKind, Limits};

/// Reads and bytes that all walks of an opening have spent together.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    reads: u64,
    bytes: u64,
}

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
}
