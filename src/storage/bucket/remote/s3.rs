//! Amazon S3, and servers that speak its protocol.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredentialProvider};

use super::connector::Connector;
use super::renewed::Renewed;
use super::secret_file::SecretFile;
use super::shared_credentials::{self, SharedCredentials};
use super::{Connected, Environment, no_retries, refused, signer};
use crate::storage::Clock;
use crate::storage::bucket::{ConnectError, Location, Protocol};

/// Variables that are passed on under their own names.
const PASSED: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SKIP_SIGNATURE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_METADATA_ENDPOINT",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_REQUEST_PAYER",
];

/// URLs of services that give credentials.
const SERVICES: &[&str] =
    &["AWS_ENDPOINT_URL_STS", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_METADATA_ENDPOINT"];

/// The file that the tools of Amazon share, with keys that may change.
const SHARED: &str = "AWS_SHARED_CREDENTIALS_FILE";

/// Any of these is enough in place of a key.
const OTHER_CREDENTIALS: &[&str] = &[
    "AWS_SKIP_SIGNATURE",
    SHARED,
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_METADATA_ENDPOINT",
];

pub(super) fn connect(
    location: &Location,
    environment: &Environment<'_>,
    connector: Connector,
) -> Result<Connected, ConnectError> {
    check_keys(environment)?;
    let endpoint = environment.url(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"])?;
    for name in SERVICES {
        environment.url(&[name])?;
    }
    let region = environment.first(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
    if endpoint.is_none() && region.is_none() {
        return Err(ConnectError::new("AWS_REGION is not set: set it to the region of the bucket"));
    }
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(location.bucket())
        .with_region(region.as_deref().unwrap_or("us-east-1"))
        .with_retry(no_retries());
    if let Some(endpoint) = endpoint {
        // Whoever writes `http://` wants it.
        builder = builder.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint);
    }
    for name in PASSED {
        let key = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    if let Some(credentials) = credentials(&builder, environment, &connector)? {
        builder = builder.with_credentials(credentials);
    }
    let store = builder.with_http_connector(connector).build();
    let store = Arc::new(store.map_err(|_| refused("S3 (AWS_…)"))?);
    let signing = signer::of(environment, "AWS_SKIP_SIGNATURE", store.clone(), Protocol::S3);
    Ok(Connected { store: store.clone(), pages: Some(store), signing })
}

/// Credentials that change; `None` if keys are given, or none is needed.
fn credentials(
    builder: &AmazonS3Builder,
    environment: &Environment<'_>,
    connector: &Connector,
) -> Result<Option<AwsCredentialProvider>, ConnectError> {
    if environment.has_any(&["AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"]) {
        return Ok(None);
    }
    let clock = Clock::default();
    if let Some(path) = environment.get(SHARED) {
        let profile = environment.get("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let file = SecretFile::open(SHARED, path, profile, shared_credentials::parse, clock)?;
        return Ok(Some(Arc::new(SharedCredentials(file))));
    }
    // The builder knows how each kind is fetched, and when it is fetched again.
    let fetching = builder.clone().with_http_connector(connector.for_credentials()).build();
    let fetching = fetching.map_err(|_| refused("S3 (AWS_…)"))?;
    Ok(Some(Renewed::new(fetching.credentials().clone(), clock)))
}

/// Without keys the store would ask the metadata service of a cloud at the first read.
fn check_keys(environment: &Environment<'_>) -> Result<(), ConnectError> {
    // Alone, the first of each two would be ignored, and the metadata service asked in its place.
    for (given, needed) in [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    ] {
        if environment.has_any(&[given]) && !environment.has_any(&[needed]) {
            let sentence = format!("{given} is set, and {needed} is not: set it, too");
            return Err(ConnectError::new(sentence));
        }
    }
    let key = environment.get("AWS_ACCESS_KEY_ID").is_some();
    let secret = environment.get("AWS_SECRET_ACCESS_KEY").is_some();
    let missing = match (key, secret) {
        (true, true) => return Ok(()),
        (true, false) => "AWS_SECRET_ACCESS_KEY",
        (false, true) => "AWS_ACCESS_KEY_ID",
        (false, false) if environment.has_any(OTHER_CREDENTIALS) => return Ok(()),
        (false, false) => "AWS_ACCESS_KEY_ID",
    };
    Err(ConnectError::new(format!(
        "{missing} is not set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
         AWS_SHARED_CREDENTIALS_FILE for a file with keys that change, or AWS_METADATA_ENDPOINT for the role of a machine, or AWS_SKIP_SIGNATURE=true for a public bucket"
    )))
}
