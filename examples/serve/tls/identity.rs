//! A certificate with its key, as two files in PEM have them.

use std::fmt::Display;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Failure, Trouble};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::InconsistentKeys;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_parser::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

/// A certificate with its key, and the time when it ends.
pub(super) struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) ends: SystemTime,
}

impl Identity {
    /// Reads both files.
    ///
    /// # Errors
    /// A file cannot be read, has nothing of its kind, or the key is another certificate's.
    pub(super) fn read(
        certificate: &Path,
        key: &Path,
        provider: &CryptoProvider,
    ) -> Result<Self, Failure> {
        let chain = chain(certificate, &read(certificate, "certificate")?)?;
        let ends = end(certificate, &chain)?;
        let private = private_key(key, &read(key, "key of the certificate")?)?;
        let private = provider.key_provider.load_private_key(private).map_err(|error| {
            match rsa_bits(&chain).filter(|bits| !RSA_BITS.contains(bits)) {
                Some(bits) => refused(
                    key,
                    format_args!(
                        "the key is one of RSA with {bits} bits, and TLS takes {} to {}; make a new \
                         key, and have a certificate made for it",
                        RSA_BITS.start(),
                        RSA_BITS.end()
                    ),
                ),
                None => refused(
                    key,
                    format_args!(
                        "the key is of no kind that TLS takes ({error}); give one of RSA, ECDSA \
                         (P-256, P-384) or Ed25519, with its certificate"
                    ),
                ),
            }
        })?;
        let identity = CertifiedKey::new(chain, private);
        match identity.keys_match() {
            // `Unknown` is said of keys that cannot tell.
            Ok(())
            | Err(tokio_rustls::rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(Self { key: Arc::new(identity), ends })
            }
            Err(_) => Err(refused(
                key,
                format_args!(
                    "the key is not the one of the certificate in {}; the certificate of a chain \
                     comes first, before those of its issuers",
                    certificate.display()
                ),
            )),
        }
    }

    /// Returns a sentence about a certificate that ends within days, or has ended.
    pub(super) fn warning(&self, certificate: &Path) -> Option<String> {
        let end = humantime::format_rfc3339_seconds(self.ends);
        let shown = certificate.display();
        match self.ends.duration_since(SystemTime::now()) {
            Err(_) => Some(format!("{shown}: the certificate ended at {end}; clients refuse it")),
            Ok(left) if left < SOON => {
                let days = left.as_secs() / 86_400;
                Some(format!("{shown}: the certificate ends in {days} days, at {end}; renew it"))
            }
            Ok(_) => None,
        }
    }
}

/// Time before its end when a certificate should have been renewed.
const SOON: Duration = Duration::from_secs(7 * 86_400);

/// Longest file that is read.
const LONGEST: u64 = 1 << 20;

fn read(file: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let cannot = |error: std::io::Error| {
        let trouble = Trouble::of(file, &error);
        Failure::system(format_args!("cannot read the {what} in {}", file.display()), trouble)
    };
    let about = fs::metadata(file).map_err(cannot)?;
    if !about.is_file() {
        return Err(refused(
            file,
            format_args!("the {what} is to be read from it, but it is no regular file"),
        ));
    }
    if about.len() > LONGEST {
        return Err(refused(
            file,
            "the file is longer than 1 MiB, so it is neither a certificate nor a key in PEM",
        ));
    }
    fs::read(file).map_err(cannot)
}

fn chain(file: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| refused(file, format_args!("no PEM: {error}")))?;
    match chain.is_empty() {
        true => Err(refused(
            file,
            "no certificate is in it; in PEM it begins with -----BEGIN CERTIFICATE-----",
        )),
        false => Ok(chain),
    }
}

/// Returns the time when the first certificate ends.
fn end(file: &Path, chain: &[CertificateDer<'_>]) -> Result<SystemTime, Failure> {
    let first = chain.first().map_or(&[][..], |first| first.as_ref());
    let (_, certificate) = parse_x509_certificate(first)
        .map_err(|error| refused(file, format_args!("the certificate is broken: {error}")))?;
    let seconds = certificate.validity().not_after.timestamp();
    Ok(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Lengths of the keys of RSA that signatures are made with.
const RSA_BITS: RangeInclusive<usize> = 2048..=4096;

/// Returns the length of the key that the first certificate is about, if that is one of RSA.
fn rsa_bits(chain: &[CertificateDer<'_>]) -> Option<usize> {
    let (_, certificate) = parse_x509_certificate(chain.first()?.as_ref()).ok()?;
    match certificate.public_key().parsed().ok()? {
        PublicKey::RSA(key) => Some(key.key_size()),
        _ => None,
    }
}

fn private_key(file: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, Failure> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        _ if is_encrypted(pem) => refused(
            file,
            "the key is encrypted; write it without a password: openssl pkey -in FILE -out FILE",
        ),
        rustls_pki_types::pem::Error::NoItemsFound => {
            refused(file, "no key is in it; in PEM it begins with -----BEGIN PRIVATE KEY-----")
        }
        error => refused(file, format_args!("no PEM: {error}")),
    })
}

fn is_encrypted(pem: &[u8]) -> bool {
    let text = String::from_utf8_lossy(pem);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn refused(file: &Path, what: impl Display) -> Failure {
    Failure::System(format!("{}: {what}", file.display()))
}
