//! Azure Blob Storage.

use std::sync::Arc;

use async_trait::async_trait;
use object_store::azure::{
    AzureConfigKey, AzureCredential, AzureCredentialProvider, MicrosoftAzureBuilder,
};
use object_store::{CredentialProvider, Result as StoreResult};
use percent_encoding::percent_decode_str;

use super::connector::Connector;
use super::renewed::Renewed;
use super::secret_file::SecretFile;
use super::{Connected, Environment, no_retries, refused, signer};
use crate::storage::Clock;
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

/// URLs of services that give tokens.
const SERVICES: &[&str] = &["AZURE_AUTHORITY_HOST", "AZURE_MSI_ENDPOINT", "IDENTITY_ENDPOINT"];

/// A file with a signature, which may change.
const SIGNATURE_FILE: &str = "AZURE_STORAGE_SAS_TOKEN_FILE";

/// Each of these is a way to fetch tokens, which expire.
const FETCHED: &[&str] = &[
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_MSI_ENDPOINT",
    "IDENTITY_ENDPOINT",
];

/// Each of these is used in place of tokens.
const GIVEN: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCESS_KEY",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_STORAGE_TOKEN",
    "AZURE_SKIP_SIGNATURE",
];

/// Any of these is enough.
const CREDENTIALS: &[&str] = &[
    SIGNATURE_FILE,
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
             AZURE_STORAGE_SAS_TOKEN_FILE for a file with a token that changes, or \
             AZURE_CLIENT_ID, AZURE_CLIENT_SECRET and AZURE_TENANT_ID, or IDENTITY_ENDPOINT for the \
             identity of a machine, or AZURE_SKIP_SIGNATURE=true for a public container",
        ));
    }
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(location.bucket())
        .with_retry(no_retries());
    for name in SERVICES {
        environment.url(&[name])?;
    }
    if let Some(endpoint) = environment.url(&["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"])? {
        // Whoever writes `http://` wants it.
        builder = builder.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint);
    }
    for name in PASSED {
        let key = name.to_ascii_lowercase().parse::<AzureConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(credentials) = credentials(&builder, environment, &connector)? {
        builder = builder.with_credentials(credentials);
    }
    let store = builder.with_http_connector(connector).build();
    let store = Arc::new(store.map_err(|_| refused("Azure (AZURE_…)"))?);
    let signing = signer::of(environment, "AZURE_SKIP_SIGNATURE", store.clone(), Protocol::Azure);
    Ok(Connected { store: store.clone(), pages: Some(store), signing })
}

/// Credentials that change; `None` if they are given, or none is needed.
fn credentials(
    builder: &MicrosoftAzureBuilder,
    environment: &Environment<'_>,
    connector: &Connector,
) -> Result<Option<AzureCredentialProvider>, ConnectError> {
    if environment.has_any(GIVEN) {
        return Ok(None);
    }
    let clock = Clock::default();
    if let Some(path) = environment.get(SIGNATURE_FILE) {
        let file = SecretFile::open(SIGNATURE_FILE, path, String::new(), signature, clock)?;
        return Ok(Some(Arc::new(Signature(file))));
    }
    if !environment.has_any(FETCHED) {
        return Ok(None);
    }
    // The builder knows how each kind is fetched, and when it is fetched again.
    let fetching = builder.clone().with_http_connector(connector.for_credentials()).build();
    let fetching = fetching.map_err(|_| refused("Azure (AZURE_…)"))?;
    Ok(Some(Renewed::new(fetching.credentials().clone(), clock)))
}

/// A shared access signature, as its file has it now.
#[derive(Debug)]
struct Signature(SecretFile<Arc<AzureCredential>>);

#[async_trait]
impl CredentialProvider for Signature {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> StoreResult<Arc<AzureCredential>> {
        Ok(self.0.value())
    }
}

/// Reads a signature as the portal of Azure gives it: a query, with a `?` or without.
fn signature(text: &str, _: &str) -> Option<Arc<AzureCredential>> {
    let text = percent_decode_str(text.trim().trim_start_matches('?')).decode_utf8().ok()?;
    let pair =
        |part: &str| part.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let pairs: Vec<_> = text.split('&').map(pair).collect::<Option<_>>()?;
    let is_signed = pairs.iter().any(|(name, value)| name == "sig" && !value.is_empty());
    is_signed.then(|| Arc::new(AzureCredential::SASToken(pairs)))
}
