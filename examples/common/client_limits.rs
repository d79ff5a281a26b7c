//! Limits of the time that clients may keep a server waiting, and of the bytes that they may send.

use std::time::Duration;

/// A client that sends no request within this time is disconnected; between two requests as well.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(60);

/// A client that takes nothing of its response within this time is disconnected.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for responses to end when the server stops.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for a request's head: a longer one is answered with 431.
pub const HEAD_ROOM: usize = 32 << 10;
