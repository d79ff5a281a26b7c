//! How stores are asked.

use std::time::Duration;

use smooth_origin::storage::Resilience;

/// How a store is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreOptions {
    /// Operations at a time.
    pub(crate) reads: usize,
    /// Longest time of one request, without its bytes.
    pub(crate) timeout: Duration,
    /// Times that a request is made at most.
    pub(crate) tries: u32,
    /// Longest time of all of them.
    pub(crate) total: Duration,
    /// Time after which a request is made a second time, and the number of 100 that may be.
    pub(crate) hedge: Option<(Duration, u32)>,
}

/// Bytes per second that a request has in addition to its time.
const RATE: u64 = 1 << 20;

/// A request is made a second time if it takes longer than so many of 100 recent ones.
const PERCENTILE: u8 = 95;

impl StoreOptions {
    /// Returns the time for all tries of a read that is dropped after `read_timeout`.
    pub(crate) fn total_within(read_timeout: Duration) -> Duration {
        read_timeout.mul_f64(0.9)
    }

    pub(super) fn resilience(&self) -> Resilience {
        let resilience =
            Resilience::new().timeout(self.timeout, RATE).tries(self.tries).total(self.total);
        match self.hedge {
            Some((delay, limit)) => resilience.hedge(delay, PERCENTILE).hedge_limit(limit),
            None => resilience,
        }
    }
}

/// For a store that is looked at and not served.
impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            reads: 64,
            timeout: Duration::from_secs(2),
            tries: 6,
            total: Duration::from_secs(9),
            hedge: None,
        }
    }
}
