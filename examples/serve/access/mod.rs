//! Who asks: the address of a connection, or what a trusted proxy says.

use std::net::SocketAddr;

/// The client of a connection.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub(crate) struct Client {
    /// The other end of the connection, which may be a proxy.
    pub(crate) peer: SocketAddr,
    /// Set if the connection is encrypted.
    pub(crate) is_encrypted: bool,
}

impl Client {
    pub(crate) fn new(peer: SocketAddr) -> Self {
        Self { peer, is_encrypted: false }
    }

    /// The same client, over TLS.
    #[allow(dead_code)]
    pub(crate) fn over_tls(self) -> Self {
        Self { is_encrypted: true, ..self }
    }
}
