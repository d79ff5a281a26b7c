//! One of the two that are compared: files, or another origin.

use std::path::Path;

use bytes::Bytes;
use smooth_origin::base::{Limits, Name};
use smooth_origin::manifest::ClientManifest;
use smooth_origin::origin::{Answer, Origin, block_on};

use super::http::Client;
use crate::folder::Bounds;
use crate::open;

/// One of the two that are compared.
pub(super) enum Side {
    /// Files, which are answered as `serve` does.
    Files { origin: Box<Origin>, name: Name },
    /// Another origin.
    Http(Client),
}

/// An answer to a request for a fragment.
pub(super) enum Answered {
    Bytes(Bytes),
    /// No fragment: the status, and the reason if it is known.
    Status(u16, String),
}

impl Side {
    /// Opens what a path or a URL names.
    ///
    /// # Errors
    /// A sentence about it.
    pub(super) fn open(path: &Path, bounds: Bounds) -> Result<Self, String> {
        let text = path.to_string_lossy();
        if text.starts_with("http://") || text.starts_with("https://") {
            return Client::new(&text).map(Self::Http);
        }
        let about = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
        let path = match path.file_name() {
            Some(_) => path.to_owned(),
            None => path.canonicalize().map_err(|error| about(&error))?,
        };
        let (Some(name), Some(root)) = (path.file_name(), path.parent()) else {
            return Err(about(&"it does not end with the name of a file"));
        };
        let name = name.to_str().ok_or_else(|| about(&open::NOT_UTF8))?;
        let origin = open::store(root, bounds.ignore_case);
        let origin = origin.map_err(|error| about(&common::Trouble::of(&path, &error)))?;
        let name = Name::new(name).map_err(|error| about(&error))?;
        block_on(origin.open(&name)).map_err(|error| {
            about(&format_args!("{}; `inspect` says more", common::reason(&error)))
        })?;
        Ok(Self::Files { origin: Box::new(origin), name })
    }

    /// Returns the manifest.
    ///
    /// # Errors
    /// A sentence about the answer.
    pub(super) fn manifest(&mut self) -> Result<ClientManifest, String> {
        match self.get("Manifest")? {
            Answered::Bytes(bytes) => {
                ClientManifest::parse(&bytes, &Limits::default()).map_err(|error| {
                    format!("the manifest of {} cannot be read: {error}", self.shown())
                })
            }
            Answered::Status(status, reason) => Err(format!(
                "{} answers {status} to a request for the manifest{reason}",
                self.shown()
            )),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Files { name, .. } => name.to_string(),
            Self::Http(client) => client.shown(),
        }
    }

    /// Returns the answer to a path below that of the presentation.
    ///
    /// # Errors
    /// A sentence about a connection that fails.
    pub(super) fn get(&mut self, path: &str) -> Result<Answered, String> {
        let (origin, name) = match self {
            Self::Files { origin, name } => (origin, name),
            Self::Http(client) => return client.get(path),
        };
        let encoded = percent_encoding::utf8_percent_encode(
            name.as_str(),
            percent_encoding::NON_ALPHANUMERIC,
        );
        // Dots and slashes of a name are its own.
        let encoded = encoded.to_string().replace("%2E", ".").replace("%2F", "/");
        let answer = block_on(origin.answer(&format!("/{encoded}/{path}")));
        Ok(match answer {
            Ok(Answer::Reply(served)) => {
                let mut body = served.body();
                let mut bytes = Vec::new();
                while let Some(part) = block_on(body.next()) {
                    match part {
                        Ok(part) => bytes.extend_from_slice(&part),
                        Err(error) => return Ok(Answered::Status(500, format!(": {error}"))),
                    }
                }
                Answered::Bytes(bytes.into())
            }
            Ok(_) => Answered::Status(307, String::new()),
            Err(error) => Answered::Status(error.kind.status(), format!(": {error}")),
        })
    }
}
