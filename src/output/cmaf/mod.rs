//! Segments and headers of CMAF, which DASH and HLS share.

mod request;

pub use request::{Part, Request};
