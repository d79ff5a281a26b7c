//! Positions at which the index of a file says that fragments begin, for a walk through that file.

/// Ascending offsets at which fragments begin, as given by an index. A walk does not rely on them;
/// it looks for a fragment there if the boxes before it are damaged.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownStarts {
    starts: Vec<u64>,
    /// Number of the first start that the walk has not passed yet.
    next: usize,
}

impl KnownStarts {
    /// Takes the starts in any order.
    pub(crate) fn new(mut starts: Vec<u64>) -> Self {
        starts.sort_unstable();
        starts.dedup();
        Self { starts, next: 0 }
    }

    /// Returns the first start after `at` and before `end`. Between calls, `at` moves back by one
    /// box at most.
    pub(super) fn inside(&mut self, at: u64, end: u64) -> Option<u64> {
        while self.starts.get(self.next).is_some_and(|&start| start <= at) {
            self.next += 1;
        }
        // The walk may have moved back by one box.
        while self.next > 0 && self.starts[self.next - 1] > at {
            self.next -= 1;
        }
        self.starts.get(self.next).copied().filter(|&start| start < end)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Returns whether a fragment begins here.
    pub(super) fn has(&self, at: u64) -> bool {
        self.starts.binary_search(&at).is_ok()
    }
}
