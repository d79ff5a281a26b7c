//! Age of an object: the time since its last change.

use std::time::Duration;

/// Time for which an object has been unchanged, as far as its store can tell.
///
/// An origin does not rely on the version of an object that changed a moment ago: see
/// [`OriginBuilder::settling_time`](crate::origin::OriginBuilder::settling_time).
///
/// A store whose versions are times in whole seconds, such as the `Last-Modified` of HTTP:
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use smooth_origin::storage::Age;
///
/// fn age(last_modified: SystemTime) -> Age {
///     let resolution = Duration::from_secs(1);
///     // A time in the future says nothing about the age: zero is always true.
///     let since = last_modified.elapsed().unwrap_or_default();
///     Age::at_least(since.saturating_sub(resolution)).resolution(resolution)
/// }
/// assert!(age(SystemTime::now()).at_least.is_zero());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Age {
    /// The last change of the object began at least this long ago. Zero if the store cannot tell:
    /// the origin then measures by its own clock how long it has seen the same version.
    pub at_least: Duration,
    /// Two changes within this time may give the object the same version, as with the time stamps
    /// of a file system.
    pub resolution: Duration,
}

impl Age {
    /// Creates the age of an object whose last change began at least `at_least` ago, and for which
    /// any two changes give different versions.
    pub fn at_least(at_least: Duration) -> Self {
        Self { at_least, resolution: Duration::ZERO }
    }

    /// Sets the time within which two changes may give the object the same version.
    #[must_use]
    pub fn resolution(self, resolution: Duration) -> Self {
        Self { resolution, ..self }
    }
}
