//! The time that most of the recent operations of a store took, by their size.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::wrapping::Operation;

/// Times of recent operations, by the number of their bytes.
#[derive(Debug, Default)]
pub(super) struct UsualTime([Mutex<Recent>; CLASSES]);

/// The latest times of operations of similar size.
#[derive(Debug)]
struct Recent {
    micros: [u32; KEPT],
    count: usize,
    /// The percentile, as it was when it was last made out.
    known: Option<Duration>,
}

/// Upper bounds of the classes of sizes: each operation is at most four times as long as the shortest
/// one of its class. The first class has operations that read nothing.
const BOUNDS: [u64; CLASSES - 1] = [0, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20];

const CLASSES: usize = 8;

/// Times that are kept per class.
const KEPT: usize = 128;

/// The percentile is made out after so many new times.
const EACH: usize = 16;

/// Times from which a percentile can be told.
const LEAST: usize = 32;

impl Default for Recent {
    fn default() -> Self {
        Self { micros: [0; KEPT], count: 0, known: None }
    }
}

impl UsualTime {
    /// Adds the time that an operation took.
    pub(super) fn add(&self, operation: Operation, took: Duration, percent: u8) {
        let mut recent = self.of(operation);
        let at = recent.count % KEPT;
        recent.micros[at] = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        recent.count += 1;
        if recent.count >= LEAST && recent.count.is_multiple_of(EACH) {
            recent.known = Some(recent.percentile(percent));
        }
    }

    /// Returns the time in which all but a few of such operations end. `None` if there were too few of
    /// them so far.
    pub(super) fn get(&self, operation: Operation) -> Option<Duration> {
        self.of(operation).known
    }

    fn of(&self, operation: Operation) -> std::sync::MutexGuard<'_, Recent> {
        let class = BOUNDS.partition_point(|bound| *bound < operation.bytes());
        self.0[class].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recent {
    fn percentile(&self, percent: u8) -> Duration {
        let mut micros = self.micros;
        let micros = &mut micros[..self.count.min(KEPT)];
        // `count` is at least one here, so that the index is within.
        let index = (micros.len() * usize::from(percent.min(100)) / 100).min(micros.len() - 1);
        let (_, at, _) = micros.select_nth_unstable(index);
        Duration::from_micros((*at).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: u64) -> Operation {
        Operation::read(std::slice::from_ref(&(0..bytes)))
    }

    #[test]
    fn the_percentile_is_of_the_latest_operations_of_similar_size() {
        let usual = UsualTime::default();
        let add = |bytes, millis| usual.add(read(bytes), Duration::from_millis(millis), 95);
        (1..=31).for_each(|millis| add(100_000, millis));
        assert_eq!(usual.get(read(100_000)), None, "too few to tell");
        add(100_000, 32);
        assert_eq!(usual.get(read(100_001)), Some(Duration::from_millis(31)));
        assert_eq!(usual.get(read(1_000_000)), None, "another size");
        assert_eq!(usual.get(Operation::Look), None);
        (0..128).for_each(|_| add(100_000, 7));
        assert_eq!(usual.get(read(200_000)), Some(Duration::from_millis(7)), "the others are old");
    }

    #[test]
    fn any_size_has_a_class() {
        let usual = UsualTime::default();
        for operation in [read(0), read(u64::MAX), Operation::List, Operation::Open { bytes: 1 }] {
            (0..LEAST).for_each(|_| usual.add(operation, Duration::MAX, 100));
            assert_eq!(usual.get(operation), Some(Duration::from_micros(u32::MAX.into())));
        }
    }
}
