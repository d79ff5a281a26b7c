//! The clock by which an origin measures ages.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Time since some moment, which never runs backwards.
///
/// Tests put their own hands on it; hosts without a system clock bring theirs.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// A clock that is read by calling a function.
    pub fn new(read: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    pub(super) fn now(&self) -> Duration {
        (self.0)()
    }
}

/// The system's monotonic clock. On `wasm32-unknown-unknown`, which has none, it stands still.
impl Default for Clock {
    fn default() -> Self {
        if cfg!(all(target_family = "wasm", target_os = "unknown")) {
            return Self::new(|| Duration::ZERO);
        }
        let start = std::sync::OnceLock::new();
        Self::new(move || start.get_or_init(std::time::Instant::now).elapsed())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
