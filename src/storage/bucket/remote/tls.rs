//! TLS by rustls with *ring*, given explicitly: no provider of the process is set or needed.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use super::super::ConnectError;

/// The certificates of the system, and those of a file in PEM.
pub(super) fn config(roots: Option<&str>) -> Result<ClientConfig, ConnectError> {
    let extra = match roots {
        None => Vec::new(),
        Some(file) => read(file)?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, provider.clone());
    let verifier = verifier
        .map_err(|_| ConnectError::new("the root certificates of the system cannot be used"))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ConnectError::new("this program has no version of TLS"))?;
    let mut config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn read(file: &str) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let refused = |why: &str| ConnectError::new(format!("{file}, with root certificates, {why}"));
    let certificates = CertificateDer::pem_file_iter(file)
        .map_err(|_| refused("cannot be read"))?
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| refused("is not in the format PEM"))?;
    if certificates.is_empty() {
        return Err(refused("has no certificate in the format PEM"));
    }
    Ok(certificates)
}
