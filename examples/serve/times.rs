//! The time that clients may keep the server waiting.

use std::time::Duration;

use clap::Args;
use common::{fractional_seconds, positive_seconds};

/// The time that clients may keep the server waiting.
#[derive(Args, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// Seconds within which a client sends a request, also the next one on the same connection
    #[arg(long, default_value = "60", value_name = "SECONDS", value_parser = positive_seconds)]
    pub(crate) header_timeout: Duration,

    /// Seconds within which a client takes something of its response
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = positive_seconds)]
    pub(crate) write_timeout: Duration,

    /// Seconds that a handshake of TLS may take
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = positive_seconds)]
    pub(crate) handshake_timeout: Duration,

    /// Seconds that responses have to end when the server stops
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = fractional_seconds)]
    pub(crate) stop_timeout: Duration,
}
