//! The bytes of a reply, piece by piece.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::{Opened, drive, note_change};
use crate::base::{Error, FileId, ReadError};
use crate::presentation::{Piece, Reply, StoredRange};

/// A stream of bytes that never holds a whole large file.
///
/// It gives exactly as many bytes as the reply is long, or an error: then what was sent is not the
/// whole of anything, and the connection must be cut. It never gives bytes of two versions of a
/// file.
pub struct Body {
    opened: Arc<Opened>,
    pieces: VecDeque<Piece>,
    left: u64,
    reading: Option<Reading>,
}

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, ReadError>> + Send>>;

/// A range up to this length is read at once: most fragments.
const WHOLE: u64 = 1 << 20;

/// Longer ones are read in parts of this length.
const PART: u64 = 256 << 10;

impl Body {
    pub(super) fn new(opened: Arc<Opened>, reply: &Reply) -> Self {
        let pieces = reply.pieces().iter().cloned().collect();
        Self { opened, pieces, left: reply.length(), reading: None }
    }

    /// Bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// The next bytes; `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The same for those who poll.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(reading.as_mut().poll(context));
                self.reading = None;
                return Poll::Ready(Some(
                    read.map(|bytes| self.given(bytes)).map_err(|e| self.fail(e)),
                ));
            }
            match self.pieces.pop_front() {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(self.given(bytes)))),
                Some(Piece::Stored(stored)) => {
                    if let Some(read) = self.start(stored) {
                        return Poll::Ready(Some(Ok(self.given(read))));
                    }
                }
            }
        }
    }

    /// Takes what was read of a range already, else begins to read it; the rest goes back.
    fn start(&mut self, stored: StoredRange) -> Option<Bytes> {
        let StoredRange { file, range, read } = stored;
        let begun = !read.is_empty();
        let len = range.end - range.start;
        let here = if begun {
            read.len() as u64
        } else if len <= WHOLE {
            len
        } else {
            PART
        };
        let (now, later) = (range.start..range.start + here, range.start + here..range.end);
        if !later.is_empty() {
            let rest = StoredRange { file, range: later, read: Bytes::new() };
            self.pieces.push_front(Piece::Stored(rest));
        }
        if begun {
            return Some(read);
        }
        if !now.is_empty() {
            self.reading = Some(reading(Arc::clone(&self.opened), file, now));
        }
        None
    }

    fn given(&mut self, bytes: Bytes) -> Bytes {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        bytes
    }

    fn fail(&mut self, error: ReadError) -> Error {
        let error = Error::from(error);
        note_change(&self.opened, &error);
        self.pieces.clear();
        error
    }
}

fn reading(opened: Arc<Opened>, file: FileId, range: Range<u64>) -> Reading {
    Box::pin(async move { drive::read(&opened, file, range).await })
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("remaining", &self.left).finish_non_exhaustive()
    }
}
