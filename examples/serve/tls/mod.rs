//! TLS: a certificate that is read again when its files change.
//!
//! ```text
//!  files ─► identity (certificate, key) ─► resolver ◄─ handshakes
//!    └─ watched, SIGHUP: a good one replaces the old one, a bad one is logged
//! ```

mod arguments;
mod identity;
mod issuers;
mod resolver;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use common::Failure;
use common::log::{Level, log};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub(crate) use arguments::TlsArguments;

use identity::Identity;
use resolver::Resolver;

/// The TLS of a listener. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    source: Arc<Source>,
}

/// The files of a certificate, and what was read of them last.
struct Source {
    certificate: PathBuf,
    key: PathBuf,
    provider: Arc<CryptoProvider>,
    resolver: Arc<Resolver>,
}

/// Time between two looks at the files.
const LOOK_EACH: Duration = Duration::from_secs(30);

/// The protocols that a handshake offers, the better one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

impl Tls {
    /// Reads the certificate. `None` if the options have none. Clients are asked for certificates of
    /// the issuers in `client_ca`, if there are any, and need not have one.
    ///
    /// # Errors
    /// The files cannot be read or do not fit together.
    pub(crate) fn open(
        arguments: &TlsArguments,
        client_ca: Option<&Path>,
    ) -> Result<Option<Self>, Failure> {
        let (Some(certificate), Some(key)) = (&arguments.tls_certificate, &arguments.tls_key)
        else {
            return Ok(None);
        };
        let provider = Arc::new(ring::default_provider());
        let identity = Identity::read(certificate, key, &provider)?;
        warn_of_end(&identity, certificate);
        let resolver = Arc::new(Resolver::new(identity.key));
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Failure::system("TLS cannot start", error))?
            .with_client_cert_verifier(issuers::verifier(client_ca, &provider)?)
            .with_cert_resolver(Arc::clone(&resolver) as _);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        let source =
            Source { certificate: certificate.clone(), key: key.clone(), provider, resolver };
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(config)), source: Arc::new(source) }))
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Reads both files again. If they are wrong, the old certificate stays.
    pub(crate) fn read_again(&self) {
        let Source { certificate, key, provider, resolver } = &*self.source;
        match Identity::read(certificate, key, provider) {
            Ok(identity) => {
                warn_of_end(&identity, certificate);
                if resolver.replace(identity.key) {
                    let ends = humantime::format_rfc3339_seconds(identity.ends);
                    let shown = certificate.display();
                    log(Level::Info, format_args!("{shown}: a new certificate, until {ends}"));
                }
            }
            Err(failure) => log(
                Level::Error,
                format_args!("the old certificate stays, because the new one is wrong: {failure}"),
            ),
        }
    }

    /// Reads the files again whenever one of them changes, in a thread of its own, so that a disk that
    /// does not answer holds up no client. The thread ends with the process.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub(crate) fn watch(self) -> io::Result<()> {
        thread::Builder::new().name("certificate".into()).spawn(move || {
            let mut seen = self.times();
            loop {
                thread::sleep(LOOK_EACH);
                let times = self.times();
                // Both files change one after the other: a look later they fit together.
                if times != seen && times == self.times_after_a_moment() {
                    seen = times;
                    self.read_again();
                }
            }
        })?;
        Ok(())
    }

    fn times_after_a_moment(&self) -> [Option<SystemTime>; 2] {
        thread::sleep(Duration::from_secs(1));
        self.times()
    }

    /// Returns when each file was changed.
    fn times(&self) -> [Option<SystemTime>; 2] {
        [&self.source.certificate, &self.source.key]
            .map(|file| file.metadata().and_then(|about| about.modified()).ok())
    }
}

fn warn_of_end(identity: &Identity, certificate: &std::path::Path) {
    if let Some(warning) = identity.warning(certificate) {
        log(Level::Warn, warning);
    }
}
