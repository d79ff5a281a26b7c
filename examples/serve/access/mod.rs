//! Who asks: the address of a connection, or what a trusted proxy says.

use std::net::SocketAddr;

/// The client of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    /// The other end of the connection, which may be a proxy.
    pub(crate) peer: SocketAddr,
}
