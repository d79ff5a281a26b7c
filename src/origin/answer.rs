//! The answer to a request: a reply that can be sent, or a redirect.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::answering::Made;
#[cfg(feature = "live")]
use super::live::HeldFile;
use super::read::{FragmentCache, FragmentReader, Looked, Reader, Use};
use super::{Body, Opened, Redirect, reading_ahead};
use crate::base::Error;
use crate::presentation::{Piece, Reply, StoredRange};

/// The answer to a request.
///
/// ```
/// use smooth_origin::origin::Answer;
/// # async fn example(origin: &smooth_origin::Origin) -> Result<(), smooth_origin::Error> {
/// match origin.answer("/film.ism").await? {
///     Answer::Reply(served) => println!("200 OK, {} bytes", served.reply().length()),
///     Answer::Redirect(location) => println!("302 Found, Location: {location}"),
///     _ => println!("501 Not Implemented"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A reply, with the presentation that it is of.
    Reply(Served),
    /// The resource has another URL.
    Redirect(Redirect),
}

/// A reply that can be sent.
///
/// ```
/// use smooth_origin::origin::Served;
/// # fn send(_: impl AsRef<[u8]>) {}
/// # async fn example(served: &Served) -> Result<(), smooth_origin::Error> {
/// let reply = served.reply();
/// send(format!("Content-Type: {}\r\n", reply.representation().media_type()));
/// send(format!("Content-Length: {}\r\n", reply.length()));
/// send(format!("ETag: \"{}\"\r\n\r\n", reply.validator()));
/// let mut body = served.body();
/// while let Some(bytes) = body.next().await {
///     send(bytes?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Served {
    pub(super) reply: Reply,
    pub(super) reader: Reader,
    pub(super) modified: Option<SystemTime>,
    /// Set if its bytes, once they are read, are kept for the next request.
    pub(super) is_kept: bool,
}

impl Answer {
    /// Checks that its files are still in the versions that were opened.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let Self::Reply(Served { reply, reader: Reader::Presentation(opened), .. }) = self else {
            return Ok(());
        };
        let mut checked = None;
        for piece in reply.pieces() {
            if let Piece::Stored(StoredRange { file, .. }) = piece
                && checked.replace(*file) != Some(*file)
            {
                opened.check(*file).await.map_err(|error| Error::from(error).in_file(*file))?;
            }
        }
        Ok(())
    }
}

impl Served {
    /// Makes an answer of a reply of which nothing need be read first.
    #[cfg(feature = "http")]
    pub(crate) fn of(opened: Arc<Opened>, reply: Reply) -> Self {
        serve(opened, reply)
    }

    /// The reply: its kind, length and pieces.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The presentation; `None` for a file beside the presentations.
    pub fn opened(&self) -> Option<&Arc<Opened>> {
        self.reader.opened()
    }

    /// Returns whether it is a fragment in a file of its own.
    #[cfg(feature = "http")]
    pub(crate) fn has_own_file(&self) -> bool {
        matches!(self.reader, Reader::Fragment(..))
    }

    /// Time of the last change of the file, or of the latest file of the presentation, if the store
    /// knows it. For a fragment in a file of its own, it is the change of that file.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// Checks that its bytes can be read soon. A host calls it before it promises them to a client.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`](crate::base::ErrorKind::Busy) if too many operations wait for the store.
    pub fn admit(&self) -> Result<(), Error> {
        self.reader.shared().access.admit()
    }

    /// The bytes.
    pub fn body(&self) -> Body {
        Body::new(self.reader.clone(), self.reply.clone(), self.is_kept)
    }

    /// The bytes, if nothing else of the reply is needed.
    #[cfg(feature = "http")]
    pub(crate) fn into_body(self) -> Body {
        Body::new(self.reader, self.reply, self.is_kept)
    }

    /// Returns the fragment that is kept once it is read, for a body that sends a part of it.
    fn kept_whole(&self) -> Option<Range<u64>> {
        let is_dear = self.is_kept && self.reader.shared().whole_reads.is_some();
        match self.reply.pieces() {
            [Piece::Stored(stored)] if is_dear => Some(stored.range.clone()),
            [Piece::Bytes(_), Piece::Stored(stored)] if is_dear => stored.whole_fragment(),
            _ => None,
        }
    }

    /// A range of the bytes, as [`Reply::slice`] has it.
    pub fn body_of(&self, range: Range<u64>) -> Body {
        Body::new(self.reader.clone(), self.reply.slice(range), false).of_kept(self.kept_whole())
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served")
            .field("reader", &self.reader)
            .field("length", &self.reply.length())
            .finish_non_exhaustive()
    }
}

/// Makes an answer of a reply that no cache has to do with.
pub(super) fn serve_as_is(opened: Arc<Opened>, reply: Reply) -> Served {
    let modified = opened.modified();
    Served { reply, reader: Reader::Presentation(opened), modified, is_kept: false }
}

/// Makes an answer of a reply of which nothing need be read first.
pub(super) fn serve(opened: Arc<Opened>, reply: Reply) -> Served {
    reading_ahead::after(&opened, &reply);
    let (reply, is_kept) = cached(&opened, reply);
    let modified = opened.modified();
    Served { reply, reader: Reader::Presentation(opened), modified, is_kept }
}

/// Makes an answer of a reply for which something was read. `first` is the number of its first bytes that
/// are needed, if not all are.
pub(super) fn serve_made(opened: Arc<Opened>, made: Made<Reply>, first: Option<u64>) -> Served {
    let Made { answer: reply, fragment, looked } = made;
    let Some(fragment) = fragment else {
        return match looked {
            Some(looked) => serve_looked(opened, reply, &looked, first),
            None => serve(opened, reply),
        };
    };
    let modified = fragment.stat.modified;
    let reader = Reader::Fragment(Arc::new(FragmentReader { opened, fragment }));
    Served { reply, reader, modified, is_kept: false }
}

/// Makes an answer of a reply for which a fragment was read, and keeps the fragment.
fn serve_looked(opened: Arc<Opened>, reply: Reply, looked: &Looked, first: Option<u64>) -> Served {
    if first == Some(0) {
        opened.keep(looked, false);
        return serve_as_is(opened, reply);
    }
    let Some(fragments) = &opened.shared().fragments else { return serve(opened, reply) };
    match opened.keep(looked, false) {
        Use::Hit => fragments.count_hit(),
        Use::Kept => fragments.count_miss(),
        Use::Part => return serve(opened, reply),
    }
    reading_ahead::after_byte(&opened, looked.file, looked.range.start);
    serve_as_is(opened, reply)
}

/// Returns the reply with its bytes, if they are in memory, and whether they will be kept once they are
/// read.
fn cached(opened: &Opened, reply: Reply) -> (Reply, bool) {
    #[cfg(feature = "live")]
    let reply = match held(opened, reply) {
        Ok(reply) => return (reply, false),
        Err(reply) => reply,
    };
    let Some(fragments) = &opened.shared().fragments else { return (reply, false) };
    let Some(stored) = reply.stored() else { return cached_segment(opened, fragments, reply) };
    if reply.length() > opened.shared().longest_whole() {
        return (reply, false);
    }
    let key = opened.key(stored.file, stored.range.clone());
    if let Some(bytes) = fragments.find(&key).or_else(|| part_of_kept(opened, fragments, stored)) {
        fragments.count_hit();
        let reply = Reply::of_bytes(*reply.representation(), bytes);
        return (reply, false);
    }
    fragments.count_miss();
    if stored.read.len() as u64 == reply.length() {
        // A short fragment: the first look at it has read it.
        fragments.put(key, &stored.read);
        return (reply, false);
    }
    // Its beginning, which the first look has read, is read again with the rest.
    let unread = StoredRange { read: Bytes::new(), ..stored.clone() };
    (Reply::of_stored(*reply.representation(), unread), true)
}

/// Returns the reply with the bytes of a live event, which the body then has, whatever the event forgets.
/// The reply of another presentation stays as it is.
#[cfg(feature = "live")]
fn held(opened: &Opened, reply: Reply) -> Result<Reply, Reply> {
    let Some(Piece::Stored(stored)) = reply.pieces().last() else { return Err(reply) };
    let source = opened.pinned_source(stored.file);
    let Some(file) = source.and_then(|source| source.downcast_ref::<HeldFile>()) else {
        return Err(reply);
    };
    // What only an archive has is kept in the cache.
    let Some(bytes) = file.held(&stored.range) else { return Err(reply) };
    match reply.pieces() {
        [_] => Ok(Reply::of_bytes(*reply.representation(), bytes)),
        [Piece::Bytes(_), _] => Ok(reply.with_last(Piece::Bytes(bytes))),
        // Each is read as it is sent.
        _ => Ok(reply),
    }
}

/// Returns a part of a fragment whose whole is in the cache.
fn part_of_kept(opened: &Opened, fragments: &FragmentCache, stored: &StoredRange) -> Option<Bytes> {
    let StoredRange { file, range, .. } = stored;
    let whole = opened.presentation().stored_around(*file, range.start)?;
    if whole == *range || range.end > whole.end {
        return None;
    }
    let bytes = fragments.find(&opened.key(*file, whole.clone()))?;
    let at = |byte: u64| usize::try_from(byte - whole.start).ok();
    let part = at(range.start)?..at(range.end)?;
    (part.end <= bytes.len()).then(|| bytes.slice(part))
}

/// Returns the same as [`cached`] for a written head and the payload of a fragment. The cache keeps the
/// whole fragment, as Smooth Streaming has it.
fn cached_segment(opened: &Opened, fragments: &FragmentCache, reply: Reply) -> (Reply, bool) {
    let [Piece::Bytes(_), Piece::Stored(stored)] = reply.pieces() else { return (reply, false) };
    let whole = stored
        .whole_fragment()
        .filter(|whole| whole.end - whole.start <= opened.shared().longest_whole());
    let Some(whole) = whole else { return (reply, false) };
    let before = stored.before as usize;
    match fragments.find(&opened.key(stored.file, whole)) {
        Some(mut bytes) => {
            fragments.count_hit();
            let payload = bytes.split_off(before.min(bytes.len()));
            return (reply.with_last(Piece::Bytes(payload)), false);
        }
        None => fragments.count_miss(),
    }
    if stored.read.is_empty() {
        return (reply, true);
    }
    if stored.read.len() as u64 == stored.range.end - stored.range.start {
        // A short fragment: the first look at it has read all.
        return (reply, false);
    }
    // Its beginning, which the first look has read, is read again with the rest.
    let unread = StoredRange { read: Bytes::new(), ..stored.clone() };
    (reply.with_last(Piece::Stored(unread)), true)
}
