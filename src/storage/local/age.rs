//! Age of a file, by its change time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::storage::Age;

/// The clock of a file server is assumed to run behind this machine's by no more than this.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// Linux stamps files with the time of the last tick of its scheduler: up to 10 ms ago.
const TICK: Duration = Duration::from_millis(10);

/// FAT stamps files in steps of two seconds, older file systems in steps of one.
const STEP: Duration = Duration::from_secs(2);

/// No file was changed before 1980-01-01. A file system without times reports such a time.
const EARLIEST: Duration = Duration::from_secs(315_532_800);

/// Returns the age of a version whose last change has this time stamp. `is_stamped_here` is called
/// only if it matters whether the stamp is of this machine's clock.
pub(super) fn of(
    last_change: Option<SystemTime>,
    now: SystemTime,
    is_stamped_here: impl FnOnce() -> bool,
) -> Age {
    let since_epoch = last_change.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let resolution = match since_epoch {
        Some(since) if since.subsec_nanos() != 0 => TICK,
        _ => STEP,
    };
    let is_known = since_epoch.is_some_and(|since| since >= EARLIEST);
    let age = last_change.filter(|_| is_known).and_then(|at| now.duration_since(at).ok());
    let age = age.unwrap_or_default().saturating_sub(resolution);
    let at_least = match age {
        Duration::ZERO => age,
        _ if age < 2 * SKEW && is_stamped_here() => age,
        _ => age.saturating_sub(SKEW),
    };
    Age { at_least, resolution }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::new(1_800_000_000, 5)
    }

    fn age(ago: Duration, is_stamped_here: bool) -> Duration {
        of(Some(now() - ago), now(), || is_stamped_here).at_least
    }

    #[test]
    fn a_file_of_this_machine_is_as_old_as_its_change_time_says() {
        assert_eq!(age(Duration::from_millis(1510), true), Duration::from_millis(1500));
        assert_eq!(age(HOUR, true), HOUR - TICK);
    }

    #[test]
    fn a_file_that_another_machine_stamped_may_be_younger_by_an_hour() {
        assert_eq!(age(HOUR, false), Duration::ZERO);
        assert_eq!(age(HOUR + HOUR / 2, false), HOUR / 2 - TICK);
    }

    #[test]
    fn nothing_is_asked_about_an_old_file_or_a_new_one() {
        let unasked = || -> bool { panic!("this need not be known") };
        assert_eq!(of(Some(now() - 10 * HOUR), now(), unasked).at_least, 9 * HOUR - TICK);
        assert_eq!(of(Some(now()), now(), unasked).at_least, Duration::ZERO);
    }

    #[test]
    fn a_change_time_in_the_future_or_without_meaning_gives_no_age() {
        let future = of(Some(now() + HOUR), now(), || true);
        assert_eq!((future.at_least, future.resolution), (Duration::ZERO, TICK));
        for none in [None, Some(UNIX_EPOCH), Some(UNIX_EPOCH - HOUR)] {
            let age = of(none, now(), || true);
            assert_eq!((age.at_least, age.resolution), (Duration::ZERO, STEP), "{none:?}");
        }
    }

    #[test]
    fn a_change_time_in_whole_seconds_may_be_two_seconds_old() {
        let whole = UNIX_EPOCH + Duration::from_secs(1_800_000_000 - 10);
        let age = of(Some(whole), now(), || true);
        assert_eq!((age.at_least, age.resolution), (Duration::new(8, 5), STEP));
    }
}
