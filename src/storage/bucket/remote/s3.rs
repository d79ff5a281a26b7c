//! Amazon S3, and servers that speak its protocol.

use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};

use super::connector::Connector;
use super::{Connected, Environment, no_retries, refused};
use crate::storage::bucket::{ConnectError, Location};

/// Variables of the endpoint, the first of them first.
const ENDPOINTS: &[&str] = &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];

/// Variables of the region.
const REGIONS: &[&str] = &["AWS_REGION", "AWS_DEFAULT_REGION"];

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

/// Any of these is enough in place of a key.
const OTHER_CREDENTIALS: &[&str] = &[
    "AWS_SKIP_SIGNATURE",
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
    if !environment.has_any(ENDPOINTS) && !environment.has_any(REGIONS) {
        return Err(ConnectError::new("AWS_REGION is not set: set it to the region of the bucket"));
    }
    let build = |left_out: &str| {
        let environment = environment.without(left_out);
        built(location, &environment, connector.clone())
    };
    let store = build("").map_err(|_| {
        refused("S3 (AWS_…)", &[ENDPOINTS, REGIONS, PASSED], environment, |name| {
            build(name).is_ok()
        })
    })?;
    let store = Arc::new(store);
    Ok(Connected { store: store.clone(), pages: Some(store) })
}

fn built(
    location: &Location,
    environment: &Environment<'_>,
    connector: Connector,
) -> object_store::Result<AmazonS3> {
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(location.bucket())
        .with_region(environment.first(REGIONS).as_deref().unwrap_or("us-east-1"))
        .with_retry(no_retries())
        .with_http_connector(connector);
    if let Some(endpoint) = environment.first(ENDPOINTS) {
        // Whoever writes `http://` wants it.
        builder = builder.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint.trim_end_matches('/'));
    }
    for name in PASSED {
        let key = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>();
        if let (Some(value), Ok(key)) = (environment.get(name), key) {
            builder = builder.with_config(key, value);
        }
    }
    builder.build()
}

/// Without keys the store would ask the metadata service of a cloud at the first read.
fn check_keys(environment: &Environment<'_>) -> Result<(), ConnectError> {
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
        "{missing} is not set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
         AWS_METADATA_ENDPOINT for the role of a machine, or AWS_SKIP_SIGNATURE=true for a public bucket"
    )))
}
