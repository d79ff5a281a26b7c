//! Buckets that are reached over a network, by what stands in the environment.

mod answer;
#[cfg(feature = "azure")]
mod azure;
mod connector;
#[cfg(feature = "gcs")]
mod google;
#[cfg(feature = "http-store")]
mod http;
#[cfg(feature = "s3")]
mod s3;
mod tls;

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::list::PaginatedListStore;

use super::{Bucket, ConnectError, Location, Protocol};

/// The environment: values by their names. Empty ones count as missing.
pub(super) struct Environment<'a> {
    all: &'a dyn Fn(&str) -> Option<String>,
    left_out: &'a str,
}

impl Environment<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.all)(name).filter(|value| !value.is_empty() && name != self.left_out)
    }

    /// The same without a variable.
    #[allow(dead_code)] // Not every feature needs it.
    fn without<'b>(&'b self, left_out: &'b str) -> Environment<'b> {
        Environment { all: self.all, left_out }
    }

    /// The first of these that is set.
    #[allow(dead_code)] // Not every feature needs it.
    fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    #[allow(dead_code)] // Not every feature needs it.
    fn has_any(&self, names: &[&str]) -> bool {
        self.first(names).is_some()
    }
}

/// A store, and the same store as one that lists page by page.
struct Connected {
    store: Arc<dyn ObjectStore>,
    pages: Option<Arc<dyn PaginatedListStore>>,
}

pub(super) fn connect(
    location: &Location,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Bucket, ConnectError> {
    let environment = Environment { all: environment, left_out: "" };
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
    bucket = bucket.written_in_place(is_plain);
    Ok(match location.prefix() {
        Some(prefix) => bucket.prefix(prefix.clone()),
        None => bucket,
    })
}

/// Nothing is tried again below the store: the stores around it know when and how often.
#[allow(dead_code)] // Not every feature needs it.
fn no_retries() -> object_store::RetryConfig {
    object_store::RetryConfig { max_retries: 0, ..Default::default() }
}

/// Names the variable that a store refuses: the one without which it can be built.
#[allow(dead_code)] // Not every feature needs it.
fn refused(
    what: &str,
    names: &[&[&str]],
    environment: &Environment<'_>,
    is_built_without: impl Fn(&str) -> bool,
) -> ConnectError {
    let set = names.iter().copied().flatten().filter(|name| environment.get(name).is_some());
    match set.copied().find(|name| is_built_without(name)) {
        Some(name) => ConnectError::new(format!("{name} is not valid: check it")),
        None => ConnectError::new(format!("the settings for {what} are not valid")),
    }
}
