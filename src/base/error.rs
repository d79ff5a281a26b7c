//! Errors: kind and place.

use std::fmt;
use std::time::Duration;

use super::error_kind::{ErrorGroup, ErrorKind};
use super::read_error::{ReadError, ReadErrorKind};
use super::{FileId, FourCc};

/// A failure: its kind, and the place it was found at.
///
/// The message is lower case and says what was found and what was wanted:
///
/// ```
/// # use smooth_origin::base::{Error, ErrorKind, FourCc};
/// let error = Error::at(4100, ErrorKind::Truncated { needs: 8, has: 4 });
/// let error = error.inside(FourCc(*b"tfxd")).inside(FourCc(*b"traf"));
/// assert_eq!(error.to_string(), "traf/tfxd at byte 4100: needs 8 bytes, has 4");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Error {
    /// Kind of the failure, for callers to match on.
    pub kind: ErrorKind,
    /// Place of the failure: byte and boxes, line and element, or part of the request.
    pub place: Place,
}

/// Place of a failure.
///
/// ```
/// use smooth_origin::base::{Error, ErrorKind, Place};
///
/// let error = Error::at(64, ErrorKind::Truncated { needs: 8, has: 3 });
/// assert_eq!(error.to_string(), "at byte 64: needs 8 bytes, has 3");
/// assert!(matches!(error.place, Place::Box { offset: 64, .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// No place is known, or none makes sense.
    Nowhere,
    /// A byte of a media file.
    Box {
        /// The file, when it is one of an opened presentation.
        file: Option<FileId>,
        /// Offset from the start of the file.
        offset: u64,
        /// Enclosing boxes, innermost first (as they were added on the way up).
        path: Vec<FourCc>,
    },
    /// An element of a manifest.
    Xml {
        /// The file, when it is one of an opened presentation.
        file: Option<FileId>,
        /// Line of the document, from 1.
        line: u32,
        /// Name of the element; empty when it is not inside one.
        element: String,
    },
    /// A whole file.
    File(FileId),
    /// Part of a request: a path segment, a header.
    Request(&'static str),
}

impl Error {
    /// Creates an error at a byte of a media file.
    pub fn at(offset: u64, kind: ErrorKind) -> Self {
        Self { kind, place: Place::Box { file: None, offset, path: Vec::new() } }
    }

    /// Creates an error in a part of the request.
    pub fn request(part: &'static str, kind: ErrorKind) -> Self {
        Self { kind, place: Place::Request(part) }
    }

    /// Adds an enclosing box, on the way up.
    #[must_use]
    pub fn inside(mut self, kind: FourCc) -> Self {
        if let Place::Box { path, .. } = &mut self.place {
            path.push(kind);
        }
        self
    }

    /// Adds the file to the place.
    #[must_use]
    pub fn in_file(mut self, id: FileId) -> Self {
        match &mut self.place {
            Place::Box { file, .. } | Place::Xml { file, .. } => *file = Some(id),
            place @ Place::Nowhere => *place = Place::File(id),
            Place::File(_) | Place::Request(_) => {}
        }
        self
    }

    /// The failure in a sentence that may leave the server: it holds no name of a file and nothing
    /// that the storage said. `None` for failures of the storage and of the embedder.
    ///
    /// It may quote a document, so it must be escaped like any other text from outside.
    ///
    /// ```
    /// # use smooth_origin::base::{Error, ErrorKind, ReadError, ReadErrorKind};
    /// let error = Error::at(16, ErrorKind::Truncated { needs: 8, has: 4 });
    /// assert_eq!(error.public().unwrap(), "at byte 16: needs 8 bytes, has 4");
    /// assert!(Error::from(ReadError::new(ReadErrorKind::Gone)).public().is_none());
    /// ```
    pub fn public(&self) -> Option<String> {
        match &self.kind {
            ErrorKind::NothingToServe { public, .. } => {
                Some(format!("no track of the presentation can be served: {public}"))
            }
            ErrorKind::Xml(_) => Some(without_names(self.to_string())),
            kind => match kind.group() {
                ErrorGroup::Content => Some(self.to_string()),
                ErrorGroup::Request => Some(kind.to_string()),
                ErrorGroup::Storage | ErrorGroup::Misuse => None,
            },
        }
    }

    /// Returns the time after which the same request may succeed, if it failed because a file has
    /// not settled.
    pub(crate) fn settles_in(&self) -> Option<Duration> {
        match &self.kind {
            ErrorKind::Read(ReadError { kind: ReadErrorKind::Unsettled { wait }, .. }) => {
                Some(*wait)
            }
            _ => None,
        }
    }

    /// The file it was found in, where one is known.
    pub fn file(&self) -> Option<FileId> {
        match self.place {
            Place::Box { file, .. } | Place::Xml { file, .. } => file,
            Place::File(file) => Some(file),
            Place::Nowhere | Place::Request(_) => None,
        }
    }
}

/// Leaves out what is quoted if it could be part of a file's name: an attribute such as
/// `src="a&b.ismv;"` is quoted as the reference `b.ismv`.
fn without_names(mut text: String) -> String {
    if let (Some(first), Some(last)) = (text.find('`'), text.rfind('`'))
        // The names of tags are not those of files.
        && text[first..last].replace("</", "").contains(['.', '/', '\\'])
    {
        text.replace_range(first..=last, "`…`");
    }
    text
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { kind, place: Place::Nowhere }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Nowhere | Place::File(_) => {}
            Place::Box { offset, path, .. } => {
                for (i, kind) in path.iter().rev().enumerate() {
                    write!(f, "{}{kind}", if i == 0 { "" } else { "/" })?;
                }
                let space = if path.is_empty() { "" } else { " " };
                write!(f, "{space}at byte {offset}: ")?;
            }
            Place::Xml { line, element, .. } if element.is_empty() => write!(f, "line {line}: ")?,
            Place::Xml { line, element, .. } => write!(f, "line {line}, {element}: ")?,
            Place::Request(part) => write!(f, "{part}: ")?,
        }
        self.kind.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            ErrorKind::Read(error) => Some(error),
            _ => None,
        }
    }
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        ErrorKind::Read(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_sentence_quotes_no_file_name() {
        let public = |text: &str| Error::from(ErrorKind::Xml(text.into())).public().unwrap();
        for text in ["the root is `html`, not `smil`", "expected `</a>`, but `</b>` was found"] {
            assert_eq!(public(text), format!("not well-formed XML: {text}"));
        }
        for text in ["at 1..2: unrecognized entity `b.ismv`", "at 1..2: unrecognized entity `a`/b`"]
        {
            assert_eq!(public(text), "not well-formed XML: at 1..2: unrecognized entity `…`");
        }
    }
}
