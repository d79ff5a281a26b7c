//! Azure Blob Storage.

use std::sync::Arc;

use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use super::connector::Connector;
use super::{Connected, Environment, no_retries, refused, signer};
use crate::storage::bucket::{ConnectError, Location, Protocol};

/// Names of the storage account.
const ACCOUNT: &[&str] = &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"];

/// Variables that are passed on under their own names.
const PASSED: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_MSI_ENDPOINT",
    "IDENTITY_ENDPOINT",
    "AZURE_SKIP_SIGNATURE",
];

/// Any of these is enough.
const CREDENTIALS: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_MSI_ENDPOINT",
    "IDENTITY_ENDPOINT",
    "AZURE_SKIP_SIGNATURE",
];

pub(super) fn connect(
    location: &Location,
    environment: &Environment<'_>,
    connector: Connector,
) -> Result<Connected, ConnectError> {
    let Some(account) = environment.first(ACCOUNT) else {
        let sentence = "AZURE_STORAGE_ACCOUNT_NAME is not set: set it to the storage account";
        return Err(ConnectError::new(sentence));
    };
    if !environment.has_any(CREDENTIALS) {
        return Err(ConnectError::new(
            "AZURE_STORAGE_ACCOUNT_KEY is not set: set it, or AZURE_STORAGE_SAS_TOKEN, or \
             AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_TENANT_ID, or IDENTITY_ENDPOINT for the \
             identity of a machine, or AZURE_SKIP_SIGNATURE=true for a public container",
        ));
    }
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(location.bucket())
        .with_retry(no_retries())
        .with_http_connector(connector);
    if let Some(endpoint) = environment.first(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"]) {
        // Whoever writes `http://` wants it.
        builder = builder.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
    }
    for name in PASSED {
        let key = name.to_ascii_lowercase().parse::<AzureConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    let store = Arc::new(builder.build().map_err(|_| refused("Azure (AZURE_…)"))?);
    let signing = signer::of(environment, "AZURE_SKIP_SIGNATURE", store.clone(), Protocol::Azure);
    Ok(Connected { store: store.clone(), pages: Some(store), signing })
}
