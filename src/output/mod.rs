//! Floor 5: answers in the formats that clients ask for. The formats do not know each other.

mod clip;
#[cfg(all(test, feature = "live", feature = "dash", feature = "hls"))]
mod clip_tests;
#[cfg(any(feature = "dash", feature = "hls"))]
pub mod cmaf;
#[cfg(feature = "dash")]
pub mod dash;
#[cfg(feature = "hls")]
pub mod hls;
mod identity;
pub mod mss;
mod outputs;
mod request;

pub use identity::Identity;
pub(crate) use outputs::Outputs;
pub use request::{ClipRequest, Request};
