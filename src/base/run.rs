//! Equal stretches of time.

use std::num::NonZeroU64;

/// Equal chunks of a stream, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Start of the first, in ticks of the stream.
    pub start: u64,
    /// Duration of each, in ticks of the stream; 0 if it is not known.
    pub duration: u64,
    /// Number of chunks.
    pub count: NonZeroU64,
}

impl Run {
    /// Returns where the last chunk ends, or the last tick of 64 bits if it ends later.
    pub fn end(&self) -> u64 {
        self.checked_end().unwrap_or(u64::MAX)
    }

    /// Returns where the last chunk ends; `None` beyond 64 bits.
    #[inline]
    pub(crate) fn checked_end(&self) -> Option<u64> {
        self.start.checked_add(self.duration.checked_mul(self.count.get())?)
    }
}
