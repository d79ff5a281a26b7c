//! The memory of all publishing points together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A budget of bytes that publishing points share.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    used: AtomicU64,
    /// Number of shares that are not empty.
    users: AtomicU64,
}

/// The part of the budget that one publishing point uses. Dropping it gives the part back.
#[derive(Debug)]
pub(super) struct Share {
    budget: Arc<Budget>,
    used: AtomicU64,
}

/// The state of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pressure {
    /// Less than half is used.
    Low,
    Usual,
    /// More than seven eighths are used.
    High,
    /// Everything is used.
    Full,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicU64::new(0), users: AtomicU64::new(0) })
    }

    pub(super) fn pressure(&self) -> Pressure {
        let used = self.used.load(Ordering::Relaxed);
        match () {
            () if used >= self.limit => Pressure::Full,
            () if used > self.limit - self.limit / 8 => Pressure::High,
            () if used < self.limit / 2 => Pressure::Low,
            () => Pressure::Usual,
        }
    }
}

impl Share {
    pub(super) fn new(budget: Arc<Budget>) -> Self {
        Self { budget, used: AtomicU64::new(0) }
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Says how many bytes the point uses.
    pub(super) fn set(&self, bytes: u64) {
        let before = self.used.swap(bytes, Ordering::Relaxed);
        // Sums of atomics wrap, so that a smaller share is taken off.
        self.budget.used.fetch_add(bytes.wrapping_sub(before), Ordering::Relaxed);
        let users = u64::from(bytes > 0).wrapping_sub(u64::from(before > 0));
        self.budget.users.fetch_add(users, Ordering::Relaxed);
    }

    /// Says that the point uses more bytes than before, until it says how many they are.
    pub(super) fn add(&self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        // First the sum: it is never less than its parts while another thread takes this part off.
        self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        self.budget.users.fetch_add(u64::from(before == 0), Ordering::Relaxed);
    }

    /// Returns whether the point uses at least as much as points do on average.
    pub(super) fn is_large(&self) -> bool {
        let users = self.budget.users.load(Ordering::Relaxed).max(1);
        let average = self.budget.used.load(Ordering::Relaxed) / users;
        self.used.load(Ordering::Relaxed) >= average
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_are_given_back() {
        let budget = Budget::new(800);
        let (small, large) = (Share::new(Arc::clone(&budget)), Share::new(Arc::clone(&budget)));
        assert_eq!(budget.pressure(), Pressure::Low);
        small.set(100);
        large.add(300);
        assert_eq!(budget.pressure(), Pressure::Usual);
        assert!(large.is_large() && !small.is_large());
        large.add(301);
        assert_eq!(budget.pressure(), Pressure::High);
        large.set(700);
        assert_eq!(budget.pressure(), Pressure::Full);
        drop(large);
        assert_eq!(budget.pressure(), Pressure::Low);
        assert!(small.is_large(), "it is the only one");
    }
}
