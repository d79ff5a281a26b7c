//! Floor 5: publishing points, to which encoders push.

#[cfg(feature = "unstable-formats")]
pub mod intake;
#[cfg(not(feature = "unstable-formats"))]
#[allow(dead_code, unused_imports, unreachable_pub)]
mod intake;
mod limits;

pub use self::limits::LiveLimits;
