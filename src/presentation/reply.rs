//! An answer: what it is, how long it is, and the pieces that make it up.

use std::ops::Range;

use bytes::Bytes;

use super::Validator;
use crate::base::FileId;
use crate::manifest::StreamKind;

/// An answer whose length is known before its body is sent. Sending it is only copying.
///
/// ```
/// # fn example(reply: &smooth_origin::presentation::Reply) {
/// println!("{} bytes of {}", reply.length(), reply.content().media_type());
/// // The first hundred bytes, for a request with `Range: bytes=0-99`.
/// let part = reply.slice(0..reply.length().min(100));
/// # let _ = part;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reply {
    content: Content,
    validator: Validator,
    liveness: Liveness,
    pieces: Pieces,
}

/// How long an answer to one URL stays the same, for caches.
///
/// ```
/// use smooth_origin::presentation::{Liveness, Reply};
///
/// /// Returns for how long a cache may keep a reply, in seconds.
/// fn max_age(reply: &Reply) -> u64 {
///     match reply.liveness() {
///         Liveness::Final => 86_400,
///         Liveness::Live => 60,
///         _ => 1,
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Liveness {
    /// Until its files are replaced.
    #[default]
    Final,
    /// The presentation is live: its manifest changes all the time, and an announced fragment
    /// disappears with the live window.
    Live,
    /// A fragment of a live presentation that is not announced yet. Its file may still be rewritten
    /// when the fragments that follow it are known.
    Ahead,
}

/// What an answer is.
///
/// ```
/// use smooth_origin::manifest::StreamKind;
/// use smooth_origin::presentation::Content;
///
/// assert_eq!(Content::Fragment(StreamKind::Video).media_type(), "video/mp4");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content {
    /// A client manifest.
    Manifest,
    /// A fragment of a stream of this kind, or a part of one.
    Fragment(StreamKind),
    /// A file beside the presentations, passed through.
    File,
}

impl Content {
    /// Media type: what Shaka Player insists on for a manifest; ISO's for fragments.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Manifest => "application/vnd.ms-sstr+xml",
            Self::Fragment(StreamKind::Video) => "video/mp4",
            Self::Fragment(StreamKind::Audio) => "audio/mp4",
            Self::Fragment(StreamKind::Text) => "application/mp4",
            // What it is, its name tells the host.
            Self::File => "application/octet-stream",
        }
    }
}

/// Part of a body.
///
/// A host that does not know a piece sends the body that the origin makes of it, which always
/// works.
///
/// ```
/// use smooth_origin::presentation::{Piece, Reply};
///
/// fn describe(reply: &Reply) {
///     for piece in reply.pieces() {
///         match piece {
///             Piece::Bytes(bytes) => println!("{} bytes in memory", bytes.len()),
///             Piece::Stored(stored) => println!("bytes {:?} of a file", stored.range),
///             _ => println!("{} bytes", piece.len()),
///         }
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece {
    /// Bytes made or kept here.
    Bytes(Bytes),
    /// A range of a file, to be passed on as it is.
    Stored(StoredRange),
}

/// A range of a stored file.
///
/// ```
/// # use smooth_origin::presentation::{Presentation, Reply};
/// # fn example(presentation: &Presentation, reply: &Reply) {
/// if let Some(stored) = reply.stored() {
///     let file = presentation.files().get(stored.file.index());
///     println!("bytes {:?} of {file:?}", stored.range);
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRange {
    /// The file, by its id in the presentation, or the file that was opened for this answer
    /// ([`Want::Fragment`](crate::base::Want::Fragment)).
    pub file: FileId,
    /// Bytes of it.
    pub range: Range<u64>,
    /// The first of these bytes, where making the answer has read them: they need not be read
    /// again.
    pub read: Bytes,
}

impl StoredRange {
    /// A file from its first byte to its last.
    pub(crate) fn whole(file: FileId, size: u64) -> Self {
        Self { file, range: 0..size, read: Bytes::new() }
    }

    /// The range, of which `read` (bytes of the file from `read_from`) may hold the beginning.
    pub(crate) fn new(file: FileId, range: Range<u64>, read: &Bytes, read_from: u64) -> Self {
        let from = range.start.checked_sub(read_from).and_then(|at| usize::try_from(at).ok());
        let read = match from {
            Some(from) if from < read.len() => {
                let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                read.slice(from..from.saturating_add(len).min(read.len()))
            }
            _ => Bytes::new(),
        };
        Self { file, range, read }
    }
}

/// Most replies are one piece, which needs no list of its own. A reply is moved from function to
/// function: it is kept small enough to be moved without a call.
#[derive(Clone, Debug)]
enum Pieces {
    One([Piece; 1]),
    Many(Vec<Piece>),
}

const _: () = assert!(size_of::<Reply>() <= 112);

impl Piece {
    /// Bytes of the body that it makes up.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored(stored) => stored.range.end - stored.range.start,
        }
    }

    /// Some of its bytes: a range that lies within it.
    fn slice(&self, range: Range<u64>) -> Self {
        match self {
            Self::Bytes(bytes) => {
                Self::Bytes(bytes.slice(range.start as usize..range.end as usize))
            }
            Self::Stored(StoredRange { file, range: whole, read }) => {
                let stored = whole.start + range.start..whole.start + range.end;
                Self::Stored(StoredRange::new(*file, stored, read, whole.start))
            }
        }
    }
}

impl Reply {
    /// Of bytes that are here.
    pub(crate) fn of_bytes(content: Content, validator: Validator, bytes: Bytes) -> Self {
        Self::new(content, validator, Pieces::One([Piece::Bytes(bytes)]))
    }

    /// Of a range of a file.
    pub(crate) fn of_stored(content: Content, validator: Validator, range: StoredRange) -> Self {
        Self::new(content, validator, Pieces::One([Piece::Stored(range)]))
    }

    /// Of a written head and ranges of a file behind it.
    pub(crate) fn of_parts(
        content: Content,
        validator: Validator,
        head: Bytes,
        ranges: impl Iterator<Item = StoredRange>,
    ) -> Self {
        let head = [Piece::Bytes(head)].into_iter();
        Self::new(content, validator, Pieces::Many(head.chain(ranges.map(Piece::Stored)).collect()))
    }

    #[inline]
    fn new(content: Content, validator: Validator, pieces: Pieces) -> Self {
        Self { content, validator, liveness: Liveness::Final, pieces }
    }

    /// Bytes `range` of the body alone, as far as it has them: what a `Range` header asks for.
    pub fn slice(&self, range: Range<u64>) -> Self {
        let mut from = 0;
        let mut pieces = Vec::new();
        for piece in self.pieces() {
            let to = from + piece.len();
            let (start, end) = (range.start.max(from), range.end.min(to));
            if start < end {
                pieces.push(piece.slice(start - from..end - from));
            }
            from = to;
        }
        let pieces = match <[Piece; 1]>::try_from(pieces) {
            Ok(one) => Pieces::One(one),
            Err(many) => Pieces::Many(many),
        };
        let mut slice = Self::new(self.content, self.validator, pieces);
        slice.liveness = self.liveness;
        slice
    }

    pub(crate) fn set_liveness(&mut self, liveness: Liveness) {
        self.liveness = liveness;
    }

    /// Returns how long the answer stays the same.
    pub fn liveness(&self) -> Liveness {
        self.liveness
    }

    /// What it is.
    pub fn content(&self) -> Content {
        self.content
    }

    /// What tells it from another answer to the same request.
    pub fn validator(&self) -> Validator {
        self.validator
    }

    /// Bytes of the body.
    pub fn length(&self) -> u64 {
        match &self.pieces {
            Pieces::One([piece]) => piece.len(),
            Pieces::Many(pieces) => pieces.iter().map(Piece::len).sum(),
        }
    }

    /// Gives up the body's parts: the first, and those behind it, the last of them first.
    pub(crate) fn into_pieces(self) -> (Option<Piece>, Vec<Piece>) {
        match self.pieces {
            Pieces::One([piece]) => (Some(piece), Vec::new()),
            Pieces::Many(mut pieces) => {
                pieces.reverse();
                (pieces.pop(), pieces)
            }
        }
    }

    /// The body's parts, in order.
    pub fn pieces(&self) -> &[Piece] {
        match &self.pieces {
            Pieces::One(pieces) => pieces,
            Pieces::Many(pieces) => pieces,
        }
    }

    /// File and range where the whole body is one: what a host may `sendfile`, fetch by range, or
    /// redirect to.
    pub fn stored(&self) -> Option<&StoredRange> {
        match self.pieces() {
            [Piece::Stored(range)] => Some(range),
            _ => None,
        }
    }
}
