//! Google Cloud Storage.

use std::sync::Arc;

use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder, GoogleConfigKey};

use super::connector::Connector;
use super::{Connected, Environment, no_retries, refused};
use crate::storage::bucket::{ConnectError, Location};

/// Variables of the endpoint, the first of them first.
const ENDPOINTS: &[&str] = &["GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST"];

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
    let build = |left_out: &str| {
        let environment = environment.without(left_out);
        built(location, &environment, connector.clone())
    };
    let store = build("").map_err(|_| {
        let names = &[ENDPOINTS, PASSED];
        refused("Google (GOOGLE_…)", names, environment, |name| build(name).is_ok())
    })?;
    let store = Arc::new(store);
    Ok(Connected { store: store.clone(), pages: Some(store) })
}

fn built(
    location: &Location,
    environment: &Environment<'_>,
    connector: Connector,
) -> object_store::Result<GoogleCloudStorage> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(location.bucket())
        .with_retry(no_retries())
        .with_http_connector(connector);
    if let Some(endpoint) = environment.first(ENDPOINTS) {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    for name in PASSED {
        let key = name.to_ascii_lowercase().parse::<GoogleConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    builder.build()
}
