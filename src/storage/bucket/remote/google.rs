//! Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};

use super::connector::Connector;
use super::{Connected, Environment, no_retries, refused, signer};
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
        .with_retry(no_retries())
        .with_http_connector(connector);
    if let Some(endpoint) = environment.first(&["GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST"]) {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    for name in PASSED {
        let key = name.to_ascii_lowercase().parse::<GoogleConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    let store = Arc::new(builder.build().map_err(|_| refused("Google (GOOGLE_…)"))?);
    let signing = signer::of(environment, "GOOGLE_SKIP_SIGNATURE", store.clone(), Protocol::Google);
    Ok(Connected { store: store.clone(), pages: Some(store), signing })
}
