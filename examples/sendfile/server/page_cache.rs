//! The page cache, which is asked once per second for a range that many clients want.

use std::cell::RefCell;
use std::ops::Range;

use smooth_origin::storage::LocalFile;

use super::clock;

/// Ranges that were found in the page cache in one second.
struct Found {
    second: u64,
    /// Hashes, each in the place that its last bits say.
    ranges: Box<[u64]>,
}

/// A popular title has no more ranges in a second; of others, some are looked up again.
const PLACES: usize = 4096;

thread_local!(static FOUND: RefCell<Found> = RefCell::new(Found {
    second: 0,
    ranges: vec![0; PLACES].into(),
}));

/// Returns whether the page cache seems to hold a range. The answer may be a second old: each look
/// takes a system call, and the kernel drops pages last that were sent just now. If it has dropped
/// them after all, one `sendfile` waits for the disk.
pub(super) fn holds(file: &LocalFile, range: &Range<u64>) -> bool {
    FOUND.with_borrow_mut(|found| {
        let second = clock::second();
        if found.second != second {
            found.second = second;
            found.ranges.fill(0);
        }
        let hash = hash(file, range);
        // The remainder is a place.
        let place = &mut found.ranges[hash as usize % PLACES];
        if *place == hash {
            return true;
        }
        let is_held = file.is_cached(range);
        if is_held {
            *place = hash;
        }
        is_held
    })
}

/// A hash of a range and of the place in memory of its file, which is never 0. Another file may have
/// that place later. Equal hashes of two ranges do no harm.
fn hash(file: &LocalFile, range: &Range<u64>) -> u64 {
    let file = std::ptr::from_ref(file).addr() as u64;
    [range.start, range.end].into_iter().fold(file, |hash, next| mix(hash ^ next)) | 1 << 63
}

/// Spreads the low bits, in which offsets differ, over the whole number.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    number ^ number >> 32
}
