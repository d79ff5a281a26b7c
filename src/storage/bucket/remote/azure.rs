//! Azure Blob Storage.

use std::sync::Arc;

use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder};

use super::connector::Connector;
use super::{Connected, Environment, no_retries, refused};
use crate::storage::bucket::{ConnectError, Location};

/// Names of the storage account.
const ACCOUNT: &[&str] = &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"];

/// Variables of the endpoint, the first of them first.
const ENDPOINTS: &[&str] = &["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"];

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
    if !environment.has_any(ACCOUNT) {
        let sentence = "AZURE_STORAGE_ACCOUNT_NAME is not set: set it to the storage account";
        return Err(ConnectError::new(sentence));
    }
    if !environment.has_any(CREDENTIALS) {
        return Err(ConnectError::new(
            "AZURE_STORAGE_ACCOUNT_KEY is not set: set it, or AZURE_STORAGE_SAS_TOKEN, or \
             AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_TENANT_ID, or IDENTITY_ENDPOINT for the \
             identity of a machine, or AZURE_SKIP_SIGNATURE=true for a public container",
        ));
    }
    let build = |left_out: &str| {
        let environment = environment.without(left_out);
        built(location, &environment, connector.clone())
    };
    let store = build("").map_err(|_| {
        let names = &[ENDPOINTS, PASSED];
        refused("Azure (AZURE_…)", names, environment, |name| build(name).is_ok())
    })?;
    let store = Arc::new(store);
    Ok(Connected { store: store.clone(), pages: Some(store) })
}

fn built(
    location: &Location,
    environment: &Environment<'_>,
    connector: Connector,
) -> object_store::Result<MicrosoftAzure> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(environment.first(ACCOUNT).unwrap_or_default())
        .with_container_name(location.bucket())
        .with_retry(no_retries())
        .with_http_connector(connector);
    if let Some(endpoint) = environment.first(ENDPOINTS) {
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
    builder.build()
}
