//! How long an object has been unchanged.

use std::time::Duration;

/// How long an object has been unchanged, as far as its store can tell.
///
/// An origin does not rely on the version of an object that changed a moment ago: see
/// [`OriginBuilder::settling_time`](crate::origin::OriginBuilder::settling_time).
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
}
