//! Requests that may be made in addition to the ordinary ones, in proportion to them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An allowance of extra requests. Each ordinary request adds a share of one, and so does time; what
/// is not used is kept up to a limit.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    /// Thousandths of an extra request per ordinary one.
    share: u64,
    /// Extra requests per second, however few the ordinary ones are.
    per_second: u32,
    /// Thousandths that are kept.
    most: u64,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Thousandths of an extra request.
    left: u64,
    /// The time up to which time has added its share.
    at: Duration,
}

/// Extra requests that are allowed. They are given back if it is dropped before they are
/// [made](Self::spend).
#[derive(Debug)]
pub(super) struct Permit {
    allowance: Allowance,
    thousandths: u64,
}

/// Parts of a request in which shares are counted.
const WHOLE: u64 = 1000;

impl Allowance {
    /// An allowance of `percent` extra requests per 100 ordinary ones and so many per second, of which
    /// `most` are kept. It begins with those.
    pub(super) fn new(percent: u32, per_second: u32, most: u32) -> Self {
        let most = u64::from(most) * WHOLE;
        let state = Arc::new(Mutex::new(State { left: most, at: Duration::ZERO }));
        Self { share: u64::from(percent) * (WHOLE / 100), per_second, most, state }
    }

    /// Returns whether it allows nothing, ever.
    pub(super) fn is_none(&self) -> bool {
        self.most == 0
    }

    /// Adds the share of so many ordinary requests.
    pub(super) fn add(&self, requests: usize) {
        let more = self.share.saturating_mul(requests as u64);
        let mut state = self.state();
        state.left = state.left.saturating_add(more).min(self.most);
    }

    /// Drops what was kept.
    pub(super) fn clear(&self) {
        self.state().left = 0;
    }

    /// Takes so many extra requests, if that many are left at this time. All that may be kept is enough
    /// for any number.
    pub(super) fn take(&self, requests: usize, now: Duration) -> Option<Permit> {
        if self.is_none() {
            return None;
        }
        let thousandths = WHOLE.saturating_mul(requests as u64).min(self.most);
        let mut state = self.state();
        let passed = now.saturating_sub(state.at).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let more = passed.saturating_mul(self.per_second.into());
        state.left = state.left.saturating_add(more).min(self.most);
        // Parts of a millisecond count with the next ones.
        state.at = state.at.saturating_add(Duration::from_millis(passed));
        state.left = state.left.checked_sub(thousandths)?;
        drop(state);
        Some(Permit { allowance: self.clone(), thousandths })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// Makes the requests: they are used up.
    pub(super) fn spend(mut self) {
        self.thousandths = 0;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Self { allowance, thousandths } = self;
        if *thousandths > 0 {
            let mut state = allowance.state();
            state.left = state.left.saturating_add(*thousandths).min(allowance.most);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn taken(allowance: &Allowance, now: Duration) -> usize {
        std::iter::from_fn(|| allowance.take(1, now)).map(Permit::spend).count()
    }

    #[test]
    fn what_is_kept_is_there_at_the_start_and_ordinary_requests_add_their_share() {
        let allowance = Allowance::new(20, 0, 3);
        assert_eq!(taken(&allowance, START), 3);
        (0..9).for_each(|_| allowance.add(1));
        assert_eq!(taken(&allowance, START), 1, "nine fifths are one and something");
        allowance.add(1);
        assert_eq!(taken(&allowance, START), 1);
        allowance.add(usize::MAX);
        assert_eq!(taken(&allowance, START), 3, "no more is kept");
    }

    #[test]
    fn time_adds_its_own() {
        let allowance = Allowance::new(0, 10, 3);
        assert_eq!(taken(&allowance, START), 3);
        assert_eq!(taken(&allowance, Duration::from_millis(99)), 0);
        assert_eq!(taken(&allowance, Duration::from_millis(100)), 1);
        assert_eq!(taken(&allowance, Duration::from_micros(199_999)), 0);
        assert_eq!(taken(&allowance, Duration::from_micros(200_000)), 1);
        let later = Duration::from_secs(u64::MAX / 1000);
        assert_eq!(taken(&allowance, later), 3);
        assert_eq!(taken(&allowance, later), 0);
    }

    #[test]
    fn a_permit_that_is_not_used_is_given_back() {
        let allowance = Allowance::new(0, 0, 3);
        let two = allowance.take(2, START).unwrap();
        assert!(allowance.take(2, START).is_none());
        drop(two);
        assert_eq!(taken(&allowance, START), 3);
    }

    #[test]
    fn more_than_is_ever_kept_takes_all_of_it() {
        let allowance = Allowance::new(100, 0, 3);
        allowance.take(1000, START).unwrap().spend();
        assert!(allowance.take(1000, START).is_none());
        allowance.add(3);
        assert!(allowance.take(1000, START).is_some());
    }

    #[test]
    fn nothing_is_allowed_where_nothing_is_kept() {
        let allowance = Allowance::new(100, 100, 0);
        allowance.add(100);
        assert_eq!(taken(&allowance, Duration::MAX), 0);
    }
}
