//! Where a server keeps live events: a folder, or a bucket.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

#[cfg(feature = "remote")]
use smooth_origin::storage::Bucket;

#[cfg(feature = "remote")]
use crate::Failure;
use crate::place::Place;

/// A folder, or a bucket that a URL names: `s3://BUCKET/PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivePlace(Place);

impl ArchivePlace {
    /// Reads a path or a URL.
    ///
    /// # Errors
    /// The reason why no event can be kept there, such as a fault of the URL.
    pub fn parse(text: OsString) -> Result<Self, String> {
        let place = Place::parse(text)?;
        if let Place::Store(url) = &place {
            if url.to_string().starts_with("http") {
                return Err("live events are kept in a folder or a bucket: \
                            s3://BUCKET, az://CONTAINER or gs://BUCKET"
                    .into());
            }
            if url.has_star() {
                return Err("live events are kept in one bucket: its name has no *".into());
            }
        }
        Ok(Self(place))
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Place::Folder(folder) => Some(folder),
            Place::Store(_) => None,
        }
    }

    /// The bucket, if it is one. Nothing is asked of it.
    ///
    /// # Errors
    /// A variable of the environment is missing or wrong: the sentence names it.
    #[cfg(feature = "remote")]
    pub fn bucket(&self) -> Result<Option<Bucket>, Failure> {
        match &self.0 {
            Place::Folder(_) => Ok(None),
            Place::Store(url) => crate::stores::bucket(url).map(Some),
        }
    }
}

impl fmt::Display for ArchivePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_kept_in_a_folder_or_one_bucket() {
        let parse = |text: &str| ArchivePlace::parse(text.into());
        assert_eq!(parse("/srv/live").unwrap().folder(), Some(Path::new("/srv/live")));
        for text in ["https://host/live", "s3://live-*/x", "ftp://host/live", "s3:/live"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    #[cfg(feature = "s3")]
    fn a_url_names_a_bucket() {
        let place = ArchivePlace::parse("s3://live/events".into()).unwrap();
        assert_eq!((place.folder(), place.to_string()), (None, "s3://live/events".into()));
    }
}
