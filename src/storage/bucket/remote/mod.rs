//! Buckets that are reached over a network, by what stands in the environment.

mod answer;
#[cfg(feature = "azure")]
mod azure;
mod buffers;
mod connector;
#[cfg(feature = "gcs")]
mod google;
#[cfg(feature = "http-store")]
mod http;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
mod list_xml;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
mod renewed;
#[cfg(feature = "s3")]
mod s3;
mod secret_file;
#[cfg(feature = "s3")]
mod shared_credentials;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
mod signer;
mod tls;
mod unreachable;

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::list::PaginatedListStore;

use super::signing::Sign;
use super::{Bucket, ConnectError, Location, Protocol};

/// The environment: values by their names. Empty ones count as missing.
pub(super) struct Environment<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Environment<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of these that is set.
    #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
    fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    /// The URL in the first of these that is set, without a slash at its end.
    ///
    /// # Errors
    /// If it is not one of a server: `object_store` would find out, by a panic, with the first request.
    #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
    fn url(&self, names: &[&str]) -> Result<Option<String>, ConnectError> {
        let Some((name, value)) = names.iter().find_map(|name| Some((name, self.get(name)?)))
        else {
            return Ok(None);
        };
        let url = value.trim_end_matches('/');
        let parsed = url.parse::<::http::Uri>().ok().filter(|_| connector::is_url(url));
        let why = match parsed {
            _ if !url.starts_with("http://") && !url.starts_with("https://") => {
                "does not begin with http:// or https://"
            }
            None => "is not a URL",
            Some(_) if url.contains(['@', '?', '#']) => "has more than a host and a path",
            Some(_) => return Ok(Some(url.to_owned())),
        };
        Err(ConnectError::new(format!(
            "{name} {why}: set it to the URL of the server, such as https://storage.example:9000"
        )))
    }

    #[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
    fn has_any(&self, names: &[&str]) -> bool {
        self.first(names).is_some()
    }
}

/// A store, and the same store as one that lists page by page.
struct Connected {
    store: Arc<dyn ObjectStore>,
    pages: Option<Arc<dyn PaginatedListStore>>,
    signing: Option<Arc<dyn Sign>>,
}

pub(super) fn connect(
    location: &Location,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Bucket, ConnectError> {
    let environment = Environment(environment);
    let protocol = location.protocol();
    let is_plain = matches!(protocol, Protocol::Http | Protocol::Https);
    let connector = connector::Connector::new(is_plain, &environment)?;
    let connected = match protocol {
        #[cfg(feature = "s3")]
        Protocol::S3 => s3::connect(location, &environment, connector)?,
        #[cfg(feature = "azure")]
        Protocol::Azure => azure::connect(location, &environment, connector)?,
        #[cfg(feature = "gcs")]
        Protocol::Google => google::connect(location, &environment, connector)?,
        #[cfg(feature = "http-store")]
        Protocol::Http | Protocol::Https => http::connect(location, connector)?,
        #[allow(unreachable_patterns)]
        other => {
            drop(connector);
            return Err(ConnectError::new(format!(
                "this program was built without the feature for {}://",
                other.scheme()
            )));
        }
    };
    let mut bucket = Bucket::new(connected.store);
    bucket.pages = connected.pages;
    bucket.reach.signing = connected.signing;
    bucket = bucket.written_in_place(is_plain);
    if let Some(value) = environment.get("HTTP_STORE_LOOK_AGAIN").filter(|_| is_plain) {
        bucket = bucket.look_again(age(&value)?);
    }
    Ok(match location.prefix() {
        Some(prefix) => bucket.prefix(prefix.clone()),
        None => bucket,
    })
}

/// Reads the value of `HTTP_STORE_LOOK_AGAIN`.
fn age(value: &str) -> Result<Duration, ConnectError> {
    match value {
        "always" => Ok(Duration::MAX),
        seconds => seconds.parse().map(Duration::from_secs).map_err(|_| {
            ConnectError::new("HTTP_STORE_LOOK_AGAIN is a number of seconds, or `always`")
        }),
    }
}

/// Nothing is tried again below the store: the stores around it know when and how often.
fn no_retries() -> object_store::RetryConfig {
    object_store::RetryConfig { max_retries: 0, ..Default::default() }
}

fn refused(what: &str) -> ConnectError {
    ConnectError::new(format!("the settings for {what} are not valid"))
}
