//! The time of day, as the responses of a thread have it.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Default)]
struct Clock {
    second: u64,
    /// The field `Date`, and the empty line that ends a head.
    field: String,
}

thread_local!(static CLOCK: RefCell<Clock> = RefCell::default());

/// Writes the field `Date`, which is put into words once per second, and the empty line behind it.
pub(super) fn write_date(out: &mut Vec<u8>) {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    CLOCK.with_borrow_mut(|clock| {
        if clock.second != second || clock.field.is_empty() {
            clock.second = second;
            clock.field = format!("date: {}\r\n\r\n", httpdate::fmt_http_date(now));
        }
        out.extend_from_slice(clock.field.as_bytes());
    });
}

/// Returns the second in which this thread has written the last head.
pub(super) fn second() -> u64 {
    CLOCK.with_borrow(|clock| clock.second)
}
