//! The bytes of a reply, piece by piece.

use std::fmt;
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use super::near_ranges::NearRanges;
use super::reader::Reader;
use super::shared::no_room;
use super::stored_body::StoredBody;
use super::whole_reads::{WHOLE, WholeReads};
use crate::base::{Error, FileId};
use crate::presentation::{Liveness, Piece, Reply, StoredRange};
use crate::storage::budget::{Budget, Share};

/// A stream of bytes that never holds a whole large file.
///
/// It gives exactly as many bytes as the reply is long, or an error. After an error, the response is
/// incomplete and the connection must be cut. It never gives bytes of two versions of a file.
///
/// Bytes that it has read and given count against
/// [`OriginBuilder::body_bytes`](crate::origin::OriginBuilder::body_bytes) until they are dropped,
/// which is when they are sent. Those that were in memory before do not: texts, fragments of a cache, and those of a
/// live event, which they keep in memory when its window has left them. While there is room, it reads a whole fragment at once. If there is
/// little, it reads less at a time, and no more before that is sent.
///
/// ```
/// use smooth_origin::origin::{Body, Served};
///
/// /// Collects the first ten bytes of a reply.
/// async fn beginning(served: &Served) -> Result<Vec<u8>, smooth_origin::Error> {
///     let end = served.reply().length().min(10);
///     let mut body: Body = served.body_of(0..end);
///     let mut bytes = Vec::new();
///     while let Some(part) = body.next().await {
///         bytes.extend_from_slice(&part?);
///     }
///     Ok(bytes)
/// }
/// ```
pub struct Body {
    /// `None` if nothing is read: what the client takes slowly holds no presentation then. A live event has another
    /// one every second.
    reader: Option<Reader>,
    /// The remaining pieces, last one first; empty for most replies.
    next: Option<Piece>,
    later: Vec<Piece>,
    left: u64,
    reading: Option<Reading>,
    unsent: Option<Arc<Unsent>>,
    /// Set if a range that is read at once is kept in the cache of fragments.
    is_kept: bool,
    /// The fragment that is read and kept to send a part of it.
    kept: Option<Box<Range<u64>>>,
    /// True if the file may be rewritten in place at any time, so that only copied bytes are of one
    /// version.
    is_copied: bool,
}

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, Error>> + Send>>;

/// Longer ranges are read in parts of this length.
pub(in crate::origin) const PART: u64 = 256 << 10;

/// Shorter parts than this cost more than they save.
const LEAST: u64 = 16 << 10;

/// Divisor of the room that is left, if it is little: a body takes one such part, so that many slow
/// clients together never take all.
const SHARES: u64 = 512;

/// Divisor of all room: such a part is left to bodies that are read piece by piece.
const RESERVED: u64 = 4;

impl Body {
    pub(in crate::origin) fn new(reader: Reader, reply: Reply, is_kept: bool) -> Self {
        let left = reply.length();
        let is_copied =
            matches!(reader, Reader::Fragment(..)) && reply.liveness() != Liveness::Final;
        let is_read = |piece: &Piece| matches!(piece, Piece::Stored(_));
        let reader = reply.pieces().iter().any(is_read).then_some(reader);
        let (next, later) = reply.into_pieces();
        let kept = None;
        Self { reader, next, later, left, reading: None, unsent: None, is_kept, kept, is_copied }
    }

    /// Sends parts of this fragment, which is read as a whole and kept.
    pub(in crate::origin) fn of_kept(self, kept: Option<Range<u64>>) -> Self {
        Self { kept: kept.map(Box::new), ..self }
    }

    /// Bytes that are still to come.
    pub fn remaining(&self) -> u64 {
        self.left
    }

    /// The remaining bytes, if they are one range of a file that a host may send by its own means.
    /// `None` for the files of a live presentation, which its encoder rewrites in place, so that
    /// bytes sent by the kernel may be of two versions.
    pub fn stored(&self) -> Option<StoredBody> {
        match (&self.next, &self.reading) {
            (Some(Piece::Stored(range)), None) if self.later.is_empty() && !self.is_copied => {
                Some(StoredBody::new(self.reader.clone()?, range))
            }
            _ => None,
        }
    }

    /// The next bytes; `None` at the end, and after an error.
    pub async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Polls for the next bytes; `None` at the end, and after an error.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(reading.as_mut().poll(context));
                self.reading = None;
                return Poll::Ready(Some(
                    read.map(|bytes| self.given(bytes)).map_err(|e| self.fail(e)),
                ));
            }
            match self.next.take().or_else(|| self.later.pop()) {
                None => return Poll::Ready(None),
                Some(Piece::Bytes(bytes)) => {
                    // What follows may be a range that the host sends itself.
                    self.next = self.later.pop();
                    return Poll::Ready(Some(Ok(self.given(bytes))));
                }
                Some(Piece::Stored(stored)) => {
                    if self.start_near(&stored) {
                        continue;
                    }
                    if let Some(read) = self.start(stored) {
                        return Poll::Ready(Some(Ok(self.given(read))));
                    }
                }
            }
        }
    }

    /// Begins to read several ranges at once, if there is room and some that follow are near.
    fn start_near(&mut self, first: &StoredRange) -> bool {
        if self.later.is_empty() || self.is_kept || self.kept.is_some() {
            return false;
        }
        let Some(reader) = &self.reader else { return false };
        let shared = reader.shared();
        let (portion, is_dear) = match &shared.whole_reads {
            None => (Portion::of(WHOLE, &shared.bodies), false),
            Some(whole) => (Portion::dear(whole.most(), &shared.bodies, whole), true),
        };
        if !portion.roomy {
            return false;
        }
        let near = NearRanges::take(first, &mut self.later, is_dear, portion.len);
        let Some(near) = near else { return false };
        let (reader, unsent) = (reader.clone(), Arc::clone(self.unsent()));
        self.reading = Some(Box::pin(near_of(reader, near, unsent)));
        true
    }

    /// Takes the part of a range that was read already, or begins to read a part. The rest remains.
    fn start(&mut self, stored: StoredRange) -> Option<Bytes> {
        let StoredRange { file, range, read, before } = stored;
        let begun = !read.is_empty();
        // A body with such a range has one.
        let reader = self.reader.as_ref()?;
        let shared = reader.shared();
        let bodies = &shared.bodies;
        let portion = match &shared.whole_reads {
            None => Portion::of(range.end - range.start, bodies),
            Some(whole) => {
                let fragment = range.start - u64::from(before).min(range.start)..range.end;
                let portion = Portion::dear(range.end - range.start, bodies, whole);
                if !begun
                    && let Some(kept) = self.kept.as_deref()
                    && (kept.start <= range.start && range.end <= kept.end)
                    && reads_whole(reader, file, kept, whole)
                {
                    let kept = kept.clone();
                    self.reading = Some(part_of_kept(reader.clone(), file, range, kept));
                    return None;
                }
                if !begun && !self.is_kept && reads_whole(reader, file, &fragment, whole) {
                    self.reading = Some(end_of_whole(reader.clone(), file, fragment, before));
                    return None;
                }
                portion
            }
        };
        let here = if begun { read.len() as u64 } else { portion.len };
        let (now, later) = (range.start..range.start + here, range.start + here..range.end);
        let is_whole = later.is_empty();
        if !is_whole {
            let rest = StoredRange { file, range: later, read: Bytes::new(), before: 0 };
            self.next = Some(Piece::Stored(rest));
        }
        if begun && is_whole && shared.whole_reads.is_some() && reader.counts_looks() {
            // They count where they were read.
            return Some(read);
        }
        if begun {
            let share = bodies.take_anyway(here);
            return Some(self.unsent().count(read, share));
        }
        if !now.is_empty() {
            let reader = reader.clone();
            self.reading = Some(match self.is_kept && is_whole {
                true => Box::pin(kept_end(reader, file, now, before)),
                false => {
                    Box::pin(portion_of(reader, file, now, portion, Arc::clone(self.unsent())))
                }
            });
        }
        None
    }

    fn unsent(&mut self) -> &Arc<Unsent> {
        self.unsent.get_or_insert_default()
    }

    fn given(&mut self, bytes: Bytes) -> Bytes {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        bytes
    }

    fn fail(&mut self, error: Error) -> Error {
        if let Some(reader) = &self.reader {
            reader.note(&error);
        }
        self.next = None;
        self.later.clear();
        error
    }
}

/// Returns whether the fragment is to be read at once: it is in memory, or there is room.
fn reads_whole(reader: &Reader, file: FileId, fragment: &Range<u64>, whole: &WholeReads) -> bool {
    let len = fragment.end - fragment.start;
    let Reader::Presentation(opened) = reader else { return false };
    let bodies = &reader.shared().bodies;
    let is_roomy = || bodies.free() >= len.saturating_add(bodies.total() / RESERVED);
    let is_there = || whole.has(&opened.key(file, fragment.clone()));
    len <= whole.most() && (is_there() || is_roomy())
}

/// Reads a whole fragment, of which the bytes after the first `before` are sent.
#[cold]
fn end_of_whole(reader: Reader, file: FileId, fragment: Range<u64>, before: u32) -> Reading {
    Box::pin(async move {
        let mut whole = reader.read_whole(file, fragment).await?;
        Ok(whole.split_off((before as usize).min(whole.len())))
    })
}

/// Reads and keeps a whole fragment, of which a part is sent.
#[cold]
fn part_of_kept(reader: Reader, file: FileId, part: Range<u64>, whole: Range<u64>) -> Reading {
    Box::pin(async move {
        let bytes = reader.read_kept(file, whole.clone()).await?;
        let at = |byte: u64| (byte - whole.start).min(bytes.len() as u64) as usize;
        Ok(bytes.slice(at(part.start)..at(part.end)))
    })
}

/// Reads the end of a fragment, `before` bytes after its start, and keeps the whole fragment.
async fn kept_end(
    reader: Reader,
    file: FileId,
    range: Range<u64>,
    before: u32,
) -> Result<Bytes, Error> {
    let mut whole = reader.read_kept(file, range.start - u64::from(before)..range.end).await?;
    Ok(match before {
        0 => whole,
        before => whole.split_off((before as usize).min(whole.len())),
    })
}

/// Reads one portion of a range, as soon as there is room for it.
async fn portion_of(
    reader: Reader,
    file: FileId,
    range: Range<u64>,
    portion: Portion,
    unsent: Arc<Unsent>,
) -> Result<Bytes, Error> {
    let shared = reader.shared();
    let room = async {
        if !portion.roomy {
            unsent.at_most(portion.len).await;
        }
        shared.bodies.take(portion.len).await
    };
    let share = shared.access.within(room).await.ok_or_else(no_room)?;
    let bytes = reader.read(file, range).await?;
    Ok(unsent.count(bytes, share))
}

/// Reads ranges that are near to one another.
async fn near_of(reader: Reader, near: NearRanges, unsent: Arc<Unsent>) -> Result<Bytes, Error> {
    let span = near.span();
    let shared = reader.shared();
    let room = shared.bodies.take(span.end - span.start);
    let share = shared.access.within(room).await.ok_or_else(no_room)?;
    let bytes = near.of(&reader.read(near.file, span).await?);
    Ok(unsent.count(bytes, share))
}

/// The part of a range that is read at once.
#[derive(Clone, Copy, Debug)]
struct Portion {
    len: u64,
    /// Set if more than half of the room is free.
    roomy: bool,
}

impl Portion {
    fn of(len: u64, bodies: &Budget) -> Self {
        let free = bodies.free();
        let roomy = free > bodies.total() / 2;
        let most = match roomy {
            true if len <= WHOLE => WHOLE,
            true => PART,
            false => (free / SHARES).clamp(LEAST, PART),
        };
        Self { len: len.min(most), roomy }
    }

    /// The part of a range of a file for which each read is a round trip.
    fn dear(len: u64, bodies: &Budget, whole: &WholeReads) -> Self {
        let portion = Self::of(len, bodies);
        let most = match portion.roomy {
            true if len <= whole.most() => len,
            true => whole.piece().max(PART),
            false => return portion,
        };
        Self { len: len.min(most.max(portion.len)), roomy: true }
    }
}

/// Bytes that one body has given and its host still holds.
#[derive(Debug, Default)]
struct Unsent {
    bytes: AtomicU64,
    waker: AtomicWaker,
}

impl Unsent {
    /// Bytes that count until they are dropped.
    fn count(self: &Arc<Self>, bytes: Bytes, share: Share) -> Bytes {
        self.bytes.fetch_add(bytes.len() as u64, Ordering::AcqRel);
        Bytes::from_owner(Counted { bytes, unsent: Arc::clone(self), _share: share })
    }

    /// Waits until so few are left.
    async fn at_most(&self, bytes: u64) {
        poll_fn(|context| {
            self.waker.register(context.waker());
            if self.bytes.load(Ordering::Acquire) <= bytes {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

struct Counted {
    bytes: Bytes,
    unsent: Arc<Unsent>,
    _share: Share,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.unsent.bytes.fetch_sub(self.bytes.len() as u64, Ordering::AcqRel);
        self.unsent.waker.wake();
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("remaining", &self.left).finish_non_exhaustive()
    }
}
