//! Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};

use super::connector::Connector;
use super::renewed::Renewed;
use super::{Connected, Environment, no_retries, refused, signer};
use crate::storage::Clock;
use crate::storage::bucket::{ConnectError, Location, Protocol};

/// Variables that are passed on under their own names.
const PASSED: &[&str] = &[
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_BEARER_TOKEN",
    "GOOGLE_SKIP_SIGNATURE",
];

pub(super) fn connect(
    location: &Location,
    environment: &Environment<'_>,
    connector: Connector,
) -> Result<Connected, ConnectError> {
    if !environment.has_any(PASSED) && !environment.has_any(&["GCE_METADATA_HOST"]) {
        return Err(ConnectError::new(
            "GOOGLE_APPLICATION_CREDENTIALS is not set: set it to the file with the credentials, or \
             set GCE_METADATA_HOST=metadata.google.internal for the account of a machine, or \
             GOOGLE_SKIP_SIGNATURE=true for a public bucket",
        ));
    }
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(location.bucket())
        .with_retry(no_retries());
    if let Some(endpoint) = environment.url(&["GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST"])? {
        builder = builder.with_base_url(&endpoint);
    }
    for name in PASSED {
        let key = name.to_ascii_lowercase().parse::<GoogleConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    let refused = |_| refused("Google (GOOGLE_…)");
    if !environment.has_any(&["GOOGLE_BEARER_TOKEN", "GOOGLE_SKIP_SIGNATURE"]) {
        // The builder knows how each kind is fetched, and when it is fetched again.
        let fetching = builder.clone().with_http_connector(connector.for_credentials());
        let fetching = fetching.build().map_err(refused)?;
        let renewed = Renewed::new(fetching.credentials().clone(), Clock::default());
        builder = builder
            .with_credentials(renewed)
            .with_signing_credentials(fetching.signing_credentials().clone());
    }
    let store = Arc::new(builder.with_http_connector(connector).build().map_err(refused)?);
    let signing = signer::of(environment, "GOOGLE_SKIP_SIGNATURE", store.clone(), Protocol::Google);
    Ok(Connected { store: store.clone(), pages: Some(store), signing })
}
