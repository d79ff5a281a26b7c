//! Floor 5: answers in the formats that clients ask for. The formats do not know each other.

pub mod mss;
mod request;

pub use request::{Identity, Request};
