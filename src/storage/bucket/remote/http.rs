//! Servers of files that know ranges.

use std::sync::Arc;

use object_store::ClientOptions;
use object_store::http::HttpBuilder;

use super::connector::Connector;
use super::{Connected, no_retries};
use crate::storage::bucket::{ConnectError, Location};

pub(super) fn connect(
    location: &Location,
    connector: Connector,
) -> Result<Connected, ConnectError> {
    // Without the prefix, which the bucket puts before every name.
    let url = format!("{}://{}", location.protocol().scheme(), location.bucket());
    let options = ClientOptions::new().with_allow_http(url.starts_with("http://"));
    let builder = HttpBuilder::new()
        .with_url(url)
        .with_client_options(options)
        .with_retry(no_retries())
        .with_http_connector(connector);
    let store =
        builder.build().map_err(|_| ConnectError::new("the URL of the server is not valid"))?;
    Ok(Connected { store: Arc::new(store), pages: None })
}
