//! The options of TLS.

use std::path::PathBuf;

use clap::Args;

/// The options of TLS.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsArguments {
    /// Certificate in PEM, followed by those of its issuers; --listen then takes HTTPS alone, as
    /// HTTP/2 and HTTP/1.1. It is read again when the file changes, and on SIGHUP [default: no TLS]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_certificate: Option<PathBuf>,

    /// Private key of the certificate in PEM, not encrypted [default: no TLS]
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(super) tls_key: Option<PathBuf>,
}

impl TlsArguments {
    /// Returns whether `--listen` takes HTTPS.
    pub(crate) fn is_on(&self) -> bool {
        self.tls_certificate.is_some()
    }
}
