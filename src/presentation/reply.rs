//! An answer: its representation, and the pieces that make up its body.

use std::ops::Range;

use bytes::Bytes;

use super::{Liveness, Representation, Validator};
use crate::base::FileId;

/// An answer whose length is known before its body is sent, so that sending it is only copying.
///
/// ```
/// # fn example(reply: &smooth_origin::presentation::Reply) {
/// println!("{} bytes of {}", reply.length(), reply.representation().media_type());
/// // The first hundred bytes, for a request with `Range: bytes=0-99`.
/// let part = reply.slice(0..reply.length().min(100));
/// # let _ = part;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Reply {
    representation: Representation,
    pieces: Pieces,
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
    /// Bytes in memory.
    Bytes(Bytes),
    /// A range of a file, passed on unchanged.
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
    /// Bytes of the file.
    pub range: Range<u64>,
    /// First of these bytes, if they were read to make the answer. They need not be read again.
    pub read: Bytes,
    /// Bytes before the range that belong to the same fragment, if the range reaches to its end; 0 if it
    /// is no such part of a fragment.
    pub(crate) before: u32,
}

impl StoredRange {
    /// A file from its first byte to its last.
    pub(crate) fn whole(file: FileId, size: u64) -> Self {
        Self { file, range: 0..size, read: Bytes::new(), before: 0 }
    }

    /// Returns the whole fragment, if this is the end of one.
    pub(crate) fn whole_fragment(&self) -> Option<Range<u64>> {
        let start = self.range.start.checked_sub(self.before.into())?;
        (self.before > 0).then_some(start..self.range.end)
    }

    /// A range. `read` has bytes of the file from `read_from` on, and may have its beginning.
    pub(crate) fn new(file: FileId, range: Range<u64>, read: &Bytes, read_from: u64) -> Self {
        let from = range.start.checked_sub(read_from).and_then(|at| usize::try_from(at).ok());
        let read = match from {
            Some(from) if from < read.len() => {
                let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                read.slice(from..from.saturating_add(len).min(read.len()))
            }
            _ => Bytes::new(),
        };
        Self { file, range, read, before: 0 }
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
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored(stored) => stored.range.end - stored.range.start,
        }
    }

    /// Returns the piece with some of its bytes. The range is within its length.
    fn slice(&self, range: Range<u64>) -> Self {
        match self {
            Self::Bytes(bytes) => {
                Self::Bytes(bytes.slice(range.start as usize..range.end as usize))
            }
            Self::Stored(StoredRange { file, range: whole, read, .. }) => {
                let stored = whole.start + range.start..whole.start + range.end;
                Self::Stored(StoredRange::new(*file, stored, read, whole.start))
            }
        }
    }
}

impl Reply {
    /// A reply of bytes in memory.
    pub(crate) fn of_bytes(representation: Representation, bytes: Bytes) -> Self {
        Self { representation, pieces: Pieces::One([Piece::Bytes(bytes)]) }
    }

    /// A reply of a range of a file.
    #[inline]
    pub(crate) fn of_stored(representation: Representation, range: StoredRange) -> Self {
        Self { representation, pieces: Pieces::One([Piece::Stored(range)]) }
    }

    /// Returns the file and the first byte of its first stored range.
    pub(crate) fn first_stored(&self) -> Option<(FileId, u64)> {
        self.pieces().iter().find_map(|piece| match piece {
            Piece::Stored(stored) => Some((stored.file, stored.range.start)),
            Piece::Bytes(_) => None,
        })
    }

    /// A reply of a written head, followed by others, mostly ranges of a file.
    pub(crate) fn of_parts(
        representation: Representation,
        head: Bytes,
        others: impl Iterator<Item = Piece>,
    ) -> Self {
        let head = [Piece::Bytes(head)].into_iter();
        Self { representation, pieces: Pieces::Many(head.chain(others).collect()) }
    }

    /// A reply of these pieces.
    pub(crate) fn of_pieces(representation: Representation, pieces: Vec<Piece>) -> Self {
        let pieces = match <[Piece; 1]>::try_from(pieces) {
            Ok(one) => Pieces::One(one),
            Err(many) => Pieces::Many(many),
        };
        Self { representation, pieces }
    }

    /// Returns the reply as that of a clip: see [`Representation::of_clip`].
    pub(crate) fn of_clip(self) -> Self {
        Self { representation: self.representation.of_clip(), ..self }
    }

    /// Returns the reply with another piece in place of the last one.
    pub(crate) fn with_last(mut self, piece: Piece) -> Self {
        let last = match &mut self.pieces {
            Pieces::One([last]) => Some(last),
            Pieces::Many(pieces) => pieces.last_mut(),
        };
        if let Some(last) = last {
            *last = piece;
        }
        self
    }

    /// Returns the reply with bytes `range` of the body alone, as far as there are any.
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
        Self::of_pieces(self.representation, pieces)
    }

    /// Media type, class, liveness and validator of the reply.
    #[inline]
    pub fn representation(&self) -> &Representation {
        &self.representation
    }

    /// Returns how long an answer to the same URL stays the same.
    pub fn liveness(&self) -> Liveness {
        self.representation.liveness()
    }

    /// Validator, which distinguishes the reply from other answers to the same request.
    pub fn validator(&self) -> Validator {
        self.representation.validator()
    }

    /// Length of the body in bytes.
    pub fn length(&self) -> u64 {
        match &self.pieces {
            Pieces::One([piece]) => piece.len(),
            Pieces::Many(pieces) => pieces.iter().map(Piece::len).sum(),
        }
    }

    /// Returns the first piece of the body, and the others in reverse order.
    pub(crate) fn into_pieces(self) -> (Option<Piece>, Vec<Piece>) {
        match self.pieces {
            Pieces::One([piece]) => (Some(piece), Vec::new()),
            Pieces::Many(mut pieces) => {
                pieces.reverse();
                (pieces.pop(), pieces)
            }
        }
    }

    /// Pieces of the body, in order.
    pub fn pieces(&self) -> &[Piece] {
        match &self.pieces {
            Pieces::One(pieces) => pieces,
            Pieces::Many(pieces) => pieces,
        }
    }

    /// File and range, if the whole body is one range of a file. A host may send it with `sendfile`,
    /// fetch it by range, or redirect to it.
    pub fn stored(&self) -> Option<&StoredRange> {
        match self.pieces() {
            [Piece::Stored(range)] => Some(range),
            _ => None,
        }
    }
}
