//! The certificate that handshakes take.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// The certificate of the handshakes that begin now.
#[derive(Debug)]
pub(super) struct Resolver(ArcSwap<CertifiedKey>);

impl Resolver {
    pub(super) fn new(key: Arc<CertifiedKey>) -> Self {
        Self(ArcSwap::new(key))
    }

    /// Takes another certificate; `false` if it is the same.
    pub(super) fn replace(&self, key: Arc<CertifiedKey>) -> bool {
        let is_other = self.0.load().cert != key.cert;
        self.0.store(key);
        is_other
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}
