//! The clocks of an origin and of its stores: one that measures ages, and one that has the time of day.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The time since some moment, which never runs backwards, and the time of day.
///
/// Tests move its hands; hosts without a system clock supply their own.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use smooth_origin::origin::{Clock, Origin};
/// use smooth_origin::storage::MemoryStore;
///
/// let new_year = SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800);
/// let clock = Clock::new(|| Duration::ZERO).wall_time(move || new_year);
/// let origin = Origin::builder(MemoryStore::new()).clock(clock).build();
/// ```
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Duration + Send + Sync>,
    #[cfg_attr(not(any(feature = "http", feature = "live")), allow(dead_code))]
    wall: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Clock {
    /// A clock that is read by calling a function. It has the system's time of day.
    pub fn new(read: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(read), wall: Arc::new(system_time) }
    }

    /// Sets the function that gives the time of day; default [`SystemTime::now`], or on
    /// `wasm32-unknown-unknown`, which has no clock, the beginning of 1970.
    ///
    /// The service compares the times of files with it: it sends no `Last-Modified` that is still to
    /// come. Ages and time limits do not depend on it.
    pub fn wall_time(self, read: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self { wall: Arc::new(read), ..self }
    }

    pub(crate) fn now(&self) -> Duration {
        (self.now)()
    }

    /// The time of day.
    #[cfg(any(feature = "http", feature = "live"))]
    pub(crate) fn wall(&self) -> SystemTime {
        (self.wall)()
    }
}

/// The system's monotonic clock and its time of day. On `wasm32-unknown-unknown`, which has none,
/// both stand still.
impl Default for Clock {
    fn default() -> Self {
        if cfg!(all(target_family = "wasm", target_os = "unknown")) {
            return Self::new(|| Duration::ZERO);
        }
        let start = std::sync::OnceLock::new();
        Self::new(move || start.get_or_init(std::time::Instant::now).elapsed())
    }
}

fn system_time() -> SystemTime {
    if cfg!(all(target_family = "wasm", target_os = "unknown")) {
        return SystemTime::UNIX_EPOCH;
    }
    SystemTime::now()
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
