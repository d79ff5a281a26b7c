//! Kinds of errors: their groups, statuses, clauses and words.

use super::read_error::{ReadError, ReadErrorKind};

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
    /// The presentation has nothing of the time that a manifest was asked for: it is before or behind what
    /// there is, or has left the window of a live event.
    #[error("the presentation has nothing of that time, or has it no longer")]
    NoSuchTime,
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
            | Self::NoSuchTime
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
            | Self::NoSuchTime
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
            Self::NoSuchTime => "no-such-time",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_later_and_what_is_gone_have_statuses_of_their_own() {
        for (kind, status, code) in [
            (ErrorKind::NotYet, 412, "not-yet"),
            (ErrorKind::Gone, 410, "gone"),
            (ErrorKind::NoFragment, 404, "no-fragment"),
            (ErrorKind::NoSuchTime, 404, "no-such-time"),
        ] {
            assert_eq!((kind.status(), kind.code()), (status, code));
            assert_eq!(kind.group(), ErrorGroup::Request);
        }
    }
}
