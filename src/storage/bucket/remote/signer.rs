//! Signatures by the credentials of a store.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;
use object_store::signer::{Method, SignedUrlOptions, Signer};

use super::Environment;
use crate::storage::Link;
use crate::storage::bucket::Protocol;
use crate::storage::bucket::problem::Problem;
use crate::storage::bucket::signing::{Sign, Signing};

/// Signs for the objects of a store that is reached without signatures: there is no key to sign with.
pub(super) fn of(
    environment: &Environment<'_>,
    without_signatures: &str,
    store: Arc<dyn Signer>,
    protocol: Protocol,
) -> Option<Arc<dyn Sign>> {
    let is_on = |value: String| {
        ["1", "true", "on", "yes", "y"].iter().any(|on| value.eq_ignore_ascii_case(on))
    };
    match environment.get(without_signatures).is_some_and(is_on) {
        true => None,
        false => Some(Arc::new(StoreSigner { store, protocol })),
    }
}

/// A store that signs.
struct StoreSigner {
    store: Arc<dyn Signer>,
    protocol: Protocol,
}

impl StoreSigner {
    /// The field of the query that names a version, if the store signs it.
    fn version_field(&self) -> Option<&'static str> {
        match self.protocol {
            Protocol::S3 => Some("versionId"),
            Protocol::Google => Some("generation"),
            // A SAS of Azure has no field for the version of a blob in what this library signs.
            Protocol::Azure | Protocol::Http | Protocol::Https => None,
        }
    }
}

impl Sign for StoreSigner {
    fn sign(&self, path: Path, version: Option<String>, life: Duration) -> Signing {
        let (store, protocol) = (Arc::clone(&self.store), self.protocol);
        let pin = self.version_field().zip(version);
        Box::pin(async move {
            let is_pinned = pin.is_some();
            let options = SignedUrlOptions::new().with_query(pin);
            let signed = store.signed_url_opts(Method::GET, &path, life, &options).await;
            let url = signed.map_err(|error| refused(&error, protocol))?;
            // The library signs the encoded name, and Azure checks the decoded one.
            if protocol == Protocol::Azure && !url.path().ends_with(&format!("/{path}")) {
                return Ok(None);
            }
            let link = Link::new(url);
            Ok(Some(if is_pinned { link.pinned() } else { link }))
        })
    }
}

fn refused(error: &object_store::Error, protocol: Protocol) -> io::Error {
    let why = match (Problem::of(error), protocol) {
        (Problem::Told(io::ErrorKind::Other, _), Protocol::Azure) => {
            "signing needs AZURE_STORAGE_ACCOUNT_KEY, or an identity that may ask for user delegation \
             keys; a SAS cannot sign"
        }
        (Problem::Told(io::ErrorKind::Other, _), Protocol::Google) => {
            "signing needs the key of a service account, or an account that may sign blobs \
             (iam.serviceAccounts.signBlob)"
        }
        (problem, _) => return problem.into(),
    };
    io::Error::other(why)
}
