//! The bucket of a name: one for all names, or one for each first part of a name.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, PoisonError};

use smooth_origin::base::Name;
use smooth_origin::storage::{
    Bucket, BucketObject, ConnectError, Ends, Location, NoBucket, Opening, Stat, Store,
};

use super::{names, runtime};
use crate::log::{Level, log};
use crate::place::StoreUrl;

/// A bucket, or all buckets whose names fit a pattern such as `az://*`: there, the first part of a name
/// stands for the `*`. Cheap to clone.
#[derive(Clone)]
pub(super) enum Buckets {
    One(Bucket),
    Each(Arc<Each>),
}

pub(super) struct Each {
    pattern: String,
    known: Mutex<HashMap<String, Bucket>>,
}

/// Buckets that are kept. When there are more, all are connected anew, which asks nothing of a store.
const MOST_KNOWN: usize = 1000;

impl Buckets {
    pub(super) fn connect(url: &StoreUrl) -> Result<Self, ConnectError> {
        let url = url.as_str();
        let (_, path) = url.split_once("://").unwrap_or_default();
        let bucket = path.split('/').next().unwrap_or_default();
        if !bucket.contains('*') {
            return connect(url).map(Self::One);
        }
        // Variables that are missing are missed at the start.
        connect(&url.replacen('*', "x", 1))?;
        let each = Each { pattern: url.to_owned(), known: Mutex::default() };
        Ok(Self::Each(Arc::new(each)))
    }

    /// The bucket, if there is one.
    pub(super) fn one(&self) -> Option<&Bucket> {
        match self {
            Self::One(bucket) => Some(bucket),
            Self::Each(_) => None,
        }
    }

    /// Returns the bucket of a name, and the name in it.
    fn of(&self, name: &Name) -> io::Result<(Bucket, Name)> {
        let each = match self {
            Self::One(bucket) => return Ok((bucket.clone(), name.clone())),
            Self::Each(each) => each,
        };
        let (first, rest) = name.as_str().split_once('/').ok_or(ErrorKind::NotFound)?;
        let rest = Name::new(rest).map_err(|_| ErrorKind::NotFound)?;
        Ok((each.bucket(first)?, rest))
    }
}

impl Each {
    fn bucket(&self, first: &str) -> io::Result<Bucket> {
        if !may_be_bucket(&self.pattern, first) {
            return Err(ErrorKind::NotFound.into());
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = known.get(first) {
            return Ok(bucket.clone());
        }
        let bucket = connect(&self.pattern.replacen('*', first, 1)).map_err(io::Error::other)?;
        if known.len() == MOST_KNOWN {
            known.clear();
        }
        known.insert(first.to_owned(), bucket.clone());
        Ok(bucket)
    }
}

/// Returns whether there may be a bucket of a name that a client has given. What no store would have is not
/// asked for: the answer would not say that it is missing.
fn may_be_bucket(pattern: &str, first: &str) -> bool {
    let (scheme, rest) = pattern.split_once("://").unwrap_or_default();
    let name = rest.split('/').next().unwrap_or_default().replacen('*', first, 1);
    names::check(scheme, &name).is_ok()
}

fn connect(url: &str) -> Result<Bucket, ConnectError> {
    let bucket = Bucket::connect(&Location::parse(url)?, |name| std::env::var(name).ok())?;
    // Of many buckets, each tells what is true of its own.
    let url = url.to_owned();
    let tell = move |sentence: &str| log(Level::Warn, format_args!("{url}: {sentence}"));
    Ok(bucket.run_by(runtime::run).notify_by(tell))
}

impl Store for Buckets {
    type Source = BucketObject;

    async fn open(&self, name: &Name) -> io::Result<BucketObject> {
        let (bucket, name) = self.of(name)?;
        Box::pin(bucket.open(&name)).await.map_err(|error| self.of_client(error))
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<BucketObject>> {
        let (bucket, name) = self.of(name)?;
        Box::pin(bucket.open_with(&name, ends)).await.map_err(|error| self.of_client(error))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        let (bucket, name) = self.of(name)?;
        Box::pin(bucket.stat(&name)).await.map_err(|error| self.of_client(error))
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        if let Self::One(bucket) = self {
            return Box::pin(bucket.list(folder)).await;
        }
        let folder = folder.ok_or(ErrorKind::Unsupported)?.as_str();
        let (first, rest) = folder.split_once('/').unwrap_or((folder, ""));
        let Self::Each(each) = self else { return Ok(Vec::new()) };
        let rest = Name::new(rest).ok();
        let listed = Box::pin(each.bucket(first)?.list(rest.as_ref())).await;
        let names = listed.map_err(|error| self.of_client(error))?;
        let above = |name: Name| Name::new(&format!("{first}/{name}")).ok();
        Ok(names.into_iter().filter_map(above).collect())
    }
}

impl Buckets {
    /// A bucket that is missing is the operator's fault, unless a client has named it.
    fn of_client(&self, error: io::Error) -> io::Error {
        let is_missing = error.get_ref().is_some_and(|inner| inner.is::<NoBucket>());
        match self {
            Self::Each(_) if is_missing => ErrorKind::NotFound.into(),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_name_no_bucket_that_a_store_cannot_have() {
        let long = "a".repeat(64);
        for (pattern, first, may_be) in [
            ("s3://*", "asset-1.x", true),
            ("s3://vod-*/x", "a", true),
            ("az://*", "asset-5f9a3c52", true),
            ("gs://*", long.as_str(), true),
            ("s3://*", long.as_str(), false),
            ("s3://*", "ab", false),
            ("s3://*", "Asset", false),
            ("s3://*", "a..b", false),
            ("s3://*", "-ab", false),
            ("az://*", "a.bc", false),
            ("az://*", "a--b", false),
            ("s3://*", "a%2f", false),
        ] {
            assert_eq!(may_be_bucket(pattern, first), may_be, "{pattern} {first}");
        }
    }
}
