//! Where the objects of a bucket are: what an operator writes in place of a folder.

use std::fmt;

use super::ConnectError;
use crate::base::Name;

/// A bucket or server, and the prefix below which its objects are.
///
/// ```
/// use smooth_origin::storage::{Location, Protocol};
///
/// let location = Location::parse("s3://films/2026").unwrap();
/// assert_eq!(location.protocol(), Protocol::S3);
/// assert_eq!(location.bucket(), "films");
/// assert_eq!(location.prefix().unwrap().as_str(), "2026");
/// assert_eq!(location.to_string(), "s3://films/2026");
///
/// // Passwords and signatures belong into the environment.
/// assert!(Location::parse("https://user:password@media.example/films").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    protocol: Protocol,
    bucket: String,
    prefix: Option<Name>,
}

/// The language that a store speaks.
///
/// ```
/// use smooth_origin::storage::{Location, Protocol};
/// assert_eq!(Location::parse("az://media").unwrap().protocol(), Protocol::Azure);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Amazon S3, and servers that speak its protocol: `s3://BUCKET/PREFIX`.
    S3,
    /// Azure Blob Storage: `az://CONTAINER/PREFIX`.
    Azure,
    /// Google Cloud Storage: `gs://BUCKET/PREFIX`.
    Google,
    /// A server of files without encryption: `http://HOST/PATH`.
    Http,
    /// A server of files: `https://HOST/PATH`.
    Https,
}

impl Protocol {
    /// The scheme of its URLs.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "az",
            Self::Google => "gs",
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Location {
    /// Reads `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `gs://BUCKET/PREFIX`, or the URL of a
    /// folder on a web server. The prefix of a bucket is a key as it is, without percent-encoding; the
    /// path of a URL is decoded.
    ///
    /// # Errors
    /// If the scheme is not one of these, if the bucket or host is missing, if the prefix is not a
    /// [`Name`], or if there is a user, a password, a query or a fragment. The text that was given is
    /// not part of the error.
    pub fn parse(text: &str) -> Result<Self, ConnectError> {
        let error = |sentence: &str| Err(ConnectError::new(sentence));
        let Some((scheme, rest)) = text.split_once("://") else {
            return error("a location begins with s3://, az://, gs://, http:// or https://");
        };
        let all =
            [Protocol::S3, Protocol::Azure, Protocol::Google, Protocol::Http, Protocol::Https];
        let Some(protocol) = all.into_iter().find(|one| one.scheme() == scheme) else {
            return error("a location begins with s3://, az://, gs://, http:// or https://");
        };
        let is_url = matches!(protocol, Protocol::Http | Protocol::Https);
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains('@') {
            return error("a location has no user or password: give them in the environment");
        }
        if bucket.contains(['?', '#']) || is_url && path.contains(['?', '#']) {
            return error("a location has no query: give tokens and signatures in the environment");
        }
        let may_be = |c: char| c.is_ascii_alphanumeric() || "-._$".contains(c);
        let is_host = |c: char| may_be(c) || ":[]".contains(c);
        let is_known =
            if is_url { bucket.chars().all(is_host) } else { bucket.chars().all(may_be) };
        if bucket.is_empty() || !is_known {
            return error("a location has the name of a bucket, a container or a host after ://");
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let prefix = match path {
            "" => Ok(None),
            path if is_url => Name::from_url_path(path).map(Some),
            path => Name::new(path).map(Some),
        };
        let Ok(prefix) = prefix else {
            return error(
                "the prefix of a location has no empty segment, no `.` or `..`, and no backslash",
            );
        };
        Ok(Self { protocol, bucket: bucket.to_owned(), prefix })
    }

    /// The language that the store speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The name of the bucket or container, or the host and port of a server.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The prefix of all keys; `None` for the whole bucket.
    pub fn prefix(&self) -> Option<&Name> {
        self.prefix.as_ref()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.protocol.scheme(), self.bucket)?;
        match (&self.prefix, self.protocol) {
            (None, _) => Ok(()),
            (Some(prefix), Protocol::Http | Protocol::Https) => f.write_str(&prefix.to_url_path()),
            (Some(prefix), _) => write!(f, "/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_written_as_it_is_read() {
        let all = [
            "s3://films",
            "s3://films/a/été 1",
            "az://media/asset-1",
            "gs://films/2026",
            "http://127.0.0.1:8080/films",
            "https://[::1]:8443",
            "https://media.example/a%20b",
        ];
        for text in all {
            assert_eq!(Location::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Location::parse("s3://films/a/").unwrap().prefix().unwrap().as_str(), "a");
    }

    #[test]
    fn what_is_no_location_is_refused_without_being_repeated() {
        let all = [
            "films",
            "/films",
            "ftp://host/secret",
            "s3://",
            "s3:///secret",
            "s3://films//secret",
            "s3://films/../secret",
            "s3://films?secret",
            "https://user:secret@host/films",
            "https://host/films?sig=secret",
            "https://host#secret",
            "https://ho st/secret",
            "az://con/tainer\\secret",
        ];
        for text in all {
            let error = Location::parse(text).expect_err(text);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
