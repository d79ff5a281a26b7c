//! Errors: kind, place, and the clause that is not met.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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

/// Kind of a failure.
///
/// Kinds fall in groups that a server can answer at once: see [`ErrorKind::group`].
///
/// ```
/// use smooth_origin::ErrorKind;
///
/// let kind = ErrorKind::NoTrack;
/// assert_eq!((kind.status(), kind.code()), (404, "no-track"));
/// assert_eq!(kind.to_string(), "no such bitrate");
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    // Content: what lies in the file is broken, or is nothing we can serve.
    /// There are fewer bytes than the structure needs.
    #[error("needs {needs} bytes, has {has}")]
    Truncated {
        /// Bytes that the next field or body needs.
        needs: u64,
        /// Bytes that are left.
        has: u64,
    },
    /// A box whose size does not cover its own header (ISO/IEC 14496-12, 4.2).
    #[error("size {size} is less than its header of {header} bytes")]
    BoxTooSmall {
        /// The size as stored.
        size: u64,
        /// Bytes of size, type and extended type.
        header: u64,
    },
    /// Something that the format demands is not there.
    #[error("no {what} ({clause})")]
    Missing {
        /// The thing, in the format's word.
        what: &'static str,
        /// The clause that demands it.
        clause: &'static str,
    },
    /// A value that the format forbids.
    #[error("{what} ({clause})")]
    Invalid {
        /// The value that was found, and the one that the format wants.
        what: String,
        /// The clause that forbids it.
        clause: &'static str,
    },
    /// There is more than a budget of [`Limits`](super::Limits) allows.
    #[error("{what}: {found} is more than the budget of {limit}")]
    Budget {
        /// The budget's name.
        what: &'static str,
        /// The number that was found.
        found: u64,
        /// The number that the budget allows.
        limit: u64,
    },
    /// The document is not well-formed XML.
    #[error("not well-formed XML: {0}")]
    Xml(String),
    /// The content is complete, but cannot be served as Smooth Streaming (yet).
    #[error("{0}")]
    NotSliceable(&'static str),
    /// No track of the presentation can be served; its findings say why.
    #[error("no track of the presentation can be served: {findings}")]
    NothingToServe {
        /// The first findings, with the names of their files.
        findings: String,
        /// The gravest finding without any name, for clients.
        public: String,
    },

    // Request: what was asked for is wrong, or is not here.
    /// The request does not follow the grammar of [MS-SSTR] 2.2.1 and 2.2.3.
    #[error("{0} ([MS-SSTR] 2.2.3)")]
    Malformed(&'static str),
    /// The text is not the name of a file beneath the root of a store: see [`Name`](super::Name).
    #[error("{0}")]
    BadName(&'static str),
    /// There is no presentation of that name.
    #[error("no such presentation")]
    NoPresentation,
    /// The path does not name a presentation, and does not look like a request to one either: a
    /// host may serve another resource.
    #[error("no such presentation")]
    NotAddressed,
    /// The presentation has no stream of that name.
    #[error("no such stream")]
    NoStream,
    /// The stream has no track of that bitrate and attributes.
    #[error("no such bitrate")]
    NoTrack,
    /// The stream has no chunk that starts at that time.
    #[error("no fragment starts at that time")]
    NoFragment,
    /// A live stream has no fragment at that time yet ([MS-SSTR] 2.2.6).
    #[error("no fragment starts at that time yet")]
    NotYet,
    /// An encoder pushed fragments of a track whose header (`moov`) it has not pushed.
    #[error(
        "no header (`moov`) came before the fragments: push `ftyp` and `moov` first, with each connection"
    )]
    NoHeader,
    /// The presentation had what was asked for, and will not have it again.
    #[error("what was asked for is no longer available")]
    Gone,
    /// The manifest announces the chunk, but its media is missing from the files.
    #[error("the fragment's media is missing")]
    NoMedia,
    /// The output or option is known, but not served.
    #[error("{0} is not served here")]
    NotServed(&'static str),
    /// There is no file of that name beside the presentations.
    #[error("no such file")]
    NoFile,
    /// The file is part of a presentation and is not served by itself.
    #[error("{0} is not served by itself")]
    Refused(&'static str),

    /// A publishing point takes no pushes now, or not this one.
    #[error("the push is not accepted: {0}")]
    NotAccepting(&'static str),

    // Storage: the bytes could not be had.
    /// A read or an opening failed.
    #[error(transparent)]
    Read(ReadError),
    /// A budget of work in hand is used up; the same request may succeed later.
    #[error("busy: {0}")]
    Busy(&'static str),

    // Misuse: the embedder's fault.
    /// [`Reads::feed`](super::Reads::feed) was not given one outcome per want.
    #[error("{wanted} reads were wanted, {got} outcomes were fed")]
    Outcomes {
        /// Length of [`Reads::wanted`](super::Reads::wanted).
        wanted: usize,
        /// Length of what was fed.
        got: usize,
    },
    /// An outcome is of another kind than its want, or has another length.
    #[error("an outcome does not fit its want: {0}")]
    WrongOutcome(&'static str),
}

/// Group of failures, by their cause.
///
/// ```
/// use smooth_origin::base::{Error, ErrorGroup, ErrorKind};
///
/// /// Returns whether the operator can do something about an error.
/// fn is_worth_a_look(error: &Error) -> bool {
///     matches!(error.kind.group(), ErrorGroup::Content | ErrorGroup::Storage)
/// }
/// assert!(!is_worth_a_look(&ErrorKind::NoStream.into()));
/// assert!(is_worth_a_look(&ErrorKind::Busy("too many requests wait").into()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorGroup {
    /// The file is broken, or cannot be served as it is.
    Content,
    /// The request is wrong, or asks for something that does not exist.
    Request,
    /// The storage did not give the bytes.
    Storage,
    /// The host used the crate wrongly.
    Misuse,
}

impl ErrorKind {
    /// Returns the group of the failure.
    pub fn group(&self) -> ErrorGroup {
        match self {
            Self::Truncated { .. }
            | Self::BoxTooSmall { .. }
            | Self::Missing { .. }
            | Self::Invalid { .. }
            | Self::Budget { .. }
            | Self::Xml(_)
            | Self::NotSliceable(_)
            | Self::NothingToServe { .. } => ErrorGroup::Content,
            Self::Malformed(_)
            | Self::BadName(_)
            | Self::NoPresentation
            | Self::NotAddressed
            | Self::NoStream
            | Self::NoTrack
            | Self::NoFragment
            | Self::NotYet
            | Self::NoHeader
            | Self::Gone
            | Self::NoMedia
            | Self::NotServed(_)
            | Self::NoFile
            | Self::NotAccepting(_)
            | Self::Refused(_) => ErrorGroup::Request,
            Self::Read(_) | Self::Busy(_) => ErrorGroup::Storage,
            Self::Outcomes { .. } | Self::WrongOutcome(_) => ErrorGroup::Misuse,
        }
    }

    /// Returns the HTTP status of the failure: 400, 403, 404 and 410 for requests, 412 for a live fragment
    /// that is not available yet and for pushed fragments without a header, 415 for content that is stored and cannot be served as Smooth
    /// Streaming, 500 for content that is broken, 503 if the same request may succeed later.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::BadName(_) => 400,
            Self::NoPresentation
            | Self::NotAddressed
            | Self::NoStream
            | Self::NoTrack
            | Self::NoFragment
            | Self::NoMedia
            | Self::NoFile => 404,
            Self::Gone => 410,
            Self::NotYet | Self::NoHeader => 412,
            Self::Refused(_) => 403,
            Self::NotServed(_) | Self::NotSliceable(_) => 415,
            Self::NotAccepting(_) | Self::Read(_) | Self::Busy(_) => 503,
            _ => 500,
        }
    }

    /// Returns the clause of a specification that is not met, if one is known.
    ///
    /// ```
    /// # use smooth_origin::base::ErrorKind;
    /// let clause = "ISO/IEC 14496-12, 8.8.10";
    /// assert_eq!(ErrorKind::Missing { what: "tfra", clause }.clause(), Some(clause));
    /// ```
    pub fn clause(&self) -> Option<&'static str> {
        match self {
            Self::Missing { clause, .. } | Self::Invalid { clause, .. } => Some(clause),
            Self::BoxTooSmall { .. } => Some("ISO/IEC 14496-12, 4.2"),
            Self::Malformed(_) => Some("[MS-SSTR] 2.2.3"),
            _ => None,
        }
    }

    /// Returns a stable word for logs, metrics and machine-readable answers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "truncated",
            Self::BoxTooSmall { .. } => "box-too-small",
            Self::Missing { .. } => "missing",
            Self::Invalid { .. } => "invalid",
            Self::Budget { .. } => "over-budget",
            Self::Xml(_) => "not-xml",
            Self::NotSliceable(_) => "not-sliceable",
            Self::NothingToServe { .. } => "nothing-to-serve",
            Self::Malformed(_) | Self::BadName(_) => "malformed-request",
            Self::NoPresentation | Self::NotAddressed => "no-presentation",
            Self::NoStream => "no-stream",
            Self::NoTrack => "no-track",
            Self::NoFragment => "no-fragment",
            Self::NotYet => "not-yet",
            Self::NoHeader => "no-header",
            Self::Gone => "gone",
            Self::NoMedia => "no-media",
            Self::NotServed(_) => "not-served",
            Self::NoFile => "no-file",
            Self::Refused(_) => "refused",
            Self::NotAccepting(_) => "not-accepting",
            Self::Read(ReadError { kind: ReadErrorKind::Unsettled { .. }, .. }) => "unsettled",
            Self::Read(_) => "read-failed",
            Self::Busy(_) => "busy",
            Self::Outcomes { .. } | Self::WrongOutcome(_) => "misuse",
        }
    }
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

/// A read, or an opening, that failed.
///
/// ```
/// use std::{io, sync::Arc};
/// use smooth_origin::base::{ReadError, ReadErrorKind};
///
/// /// Converts an error of the storage, for a driver of steps.
/// fn read_error(error: io::Error) -> ReadError {
///     let mut failed = ReadError::new(match error.kind() {
///         io::ErrorKind::NotFound => ReadErrorKind::Gone,
///         io::ErrorKind::PermissionDenied => ReadErrorKind::Denied,
///         _ => ReadErrorKind::Transient,
///     });
///     failed.source = Some(Arc::new(error));
///     failed
/// }
/// assert_eq!(read_error(io::ErrorKind::NotFound.into()).kind, ReadErrorKind::Gone);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReadError {
    /// Kind of the failure.
    pub kind: ReadErrorKind,
    /// The error of the storage.
    pub source: Option<Arc<std::io::Error>>,
}

/// Meaning of a failed read for the file that was opened.
///
/// ```
/// use smooth_origin::base::{Error, ReadError, ReadErrorKind};
///
/// let error = Error::from(ReadError::new(ReadErrorKind::Transient));
/// assert_eq!((error.kind.status(), error.kind.code()), (503, "read-failed"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// There is no such file (or it is no regular file, or lies outside the root).
    Gone,
    /// The file is not the one that was opened any more.
    Changed,
    /// The process has no permission to read the file.
    Denied,
    /// The file changed a moment ago, so a write may still be in progress. It is read once it has
    /// not changed for
    /// [`OriginBuilder::settling_time`](crate::origin::OriginBuilder::settling_time).
    Unsettled {
        /// Time until the file has settled, if it does not change again.
        wait: Duration,
    },
    /// Anything else: the same read may succeed later.
    Transient,
}

impl ReadError {
    /// Without a cause from the storage.
    pub fn new(kind: ReadErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            ReadErrorKind::Gone => "the file is not there",
            ReadErrorKind::Changed => "the file has changed since it was opened",
            ReadErrorKind::Denied => "the file cannot be read",
            ReadErrorKind::Unsettled { .. } => "the file changed a moment ago",
            ReadErrorKind::Transient => "reading failed",
        };
        // The kind alone says no more than these words.
        let says_more = |source: &&Arc<std::io::Error>| {
            self.kind != ReadErrorKind::Gone
                || source.get_ref().is_some()
                || source.raw_os_error().is_some()
        };
        match self.source.as_ref().filter(says_more) {
            Some(source) => write!(f, "{what}: {source}"),
            None => f.write_str(what),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
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
    fn a_file_that_is_not_there_is_said_once() {
        let of = |source: std::io::Error| {
            let source = Some(Arc::new(source));
            ReadError { source, ..ReadError::new(ReadErrorKind::Gone) }.to_string()
        };
        assert_eq!(of(std::io::ErrorKind::NotFound.into()), "the file is not there");
        assert_eq!(of(std::io::Error::other("x")), "the file is not there: x");
    }

    #[test]
    fn what_comes_later_and_what_is_gone_have_statuses_of_their_own() {
        for (kind, status, code) in [
            (ErrorKind::NotYet, 412, "not-yet"),
            (ErrorKind::Gone, 410, "gone"),
            (ErrorKind::NoFragment, 404, "no-fragment"),
        ] {
            assert_eq!((kind.status(), kind.code()), (status, code));
            assert_eq!(kind.group(), ErrorGroup::Request);
        }
    }

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
