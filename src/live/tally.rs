//! Counts of what happens so often that a log must not have each.

/// A count of which the first, the second, the fourth, the eighth and so on are reported.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally(u64);

impl Tally {
    /// Counts one more. Returns the count if it is to be reported.
    pub(super) fn count(&mut self) -> Option<u64> {
        self.0 += 1;
        self.0.is_power_of_two().then_some(self.0)
    }
}
