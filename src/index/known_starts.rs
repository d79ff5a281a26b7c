//! Where the index of a file says that fragments begin, for a walk through that file.

/// Bytes at which fragments begin, as an index has them, ascending. A walk believes none of them; it
/// looks there for a fragment where the boxes in front are damaged.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownStarts {
    starts: Vec<u64>,
    /// Those before this one are behind the walk.
    next: usize,
}

impl KnownStarts {
    /// These, in any order.
    pub(crate) fn new(mut starts: Vec<u64>) -> Self {
        starts.sort_unstable();
        starts.dedup();
        Self { starts, next: 0 }
    }

    /// The first one behind `at`, and before `end`. The walk never comes back in front of `at`, but
    /// by one box.
    pub(super) fn inside(&mut self, at: u64, end: u64) -> Option<u64> {
        while self.starts.get(self.next).is_some_and(|&start| start <= at) {
            self.next += 1;
        }
        // One box back.
        while self.next > 0 && self.starts[self.next - 1] > at {
            self.next -= 1;
        }
        self.starts.get(self.next).copied().filter(|&start| start < end)
    }

    /// A fragment begins here.
    pub(super) fn has(&self, at: u64) -> bool {
        self.starts.binary_search(&at).is_ok()
    }
}
