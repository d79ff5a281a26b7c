//! Those who issue certificates to clients.

use std::path::Path;
use std::sync::Arc;

use common::{Failure, Trouble};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::server::{NoClientAuth, WebPkiClientVerifier};

/// Returns what checks the certificates of clients. A client without one is taken, too.
///
/// # Errors
/// The file cannot be read, or has no certificate.
pub(super) fn verifier(
    file: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, Failure> {
    let Some(path) = file else { return Ok(Arc::new(NoClientAuth)) };
    let shown = path.display();
    let pem = std::fs::read(path).map_err(|error| {
        let trouble = Trouble::of(path, &error);
        Failure::system(format_args!("cannot read the issuers of certificates in {shown}"), trouble)
    })?;
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::Usage(format!("{shown} has no certificates of issuers in PEM: {why}"))
    };
    let mut issuers = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        issuers.add(certificate).map_err(|error| wrong(&error))?;
    }
    if issuers.is_empty() {
        return Err(wrong(&"it is empty"));
    }
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(issuers), Arc::clone(provider));
    verifier.allow_unauthenticated().build().map_err(|error| wrong(&error)).map(|built| built as _)
}
