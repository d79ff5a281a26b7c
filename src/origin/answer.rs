//! The answer to a request: a reply that can be sent, or a redirect.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::read::{FragmentCache, FragmentFile, FragmentReader, Reader};
use super::{Body, Opened, Redirect};
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

    /// A range of the bytes, as [`Reply::slice`] has it.
    pub fn body_of(&self, range: std::ops::Range<u64>) -> Body {
        Body::new(self.reader.clone(), self.reply.slice(range), false)
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

/// Makes an answer of a reply of which nothing need be read first.
pub(super) fn serve(opened: Arc<Opened>, reply: Reply) -> Served {
    let (reply, is_kept) = cached(&opened, reply);
    let modified = opened.modified();
    Served { reply, reader: Reader::Presentation(opened), modified, is_kept }
}

/// Makes an answer of a reply, with the file of its fragment if one was opened for it.
pub(super) fn serve_with(
    opened: Arc<Opened>,
    reply: Reply,
    fragment: Option<FragmentFile>,
) -> Served {
    let Some(fragment) = fragment else { return serve(opened, reply) };
    let modified = fragment.stat.modified;
    let reader = Reader::Fragment(Arc::new(FragmentReader { opened, fragment }));
    Served { reply, reader, modified, is_kept: false }
}

/// Returns the reply with its bytes, if they are in memory, and whether they will be kept once they are
/// read.
fn cached(opened: &Opened, reply: Reply) -> (Reply, bool) {
    let Some(fragments) = &opened.shared().fragments else { return (reply, false) };
    let Some(stored) = reply.stored() else { return cached_segment(opened, fragments, reply) };
    if reply.length() > opened.shared().longest_whole() {
        return (reply, false);
    }
    let key = opened.key(stored.file, stored.range.clone());
    if let Some(bytes) = fragments.get(&key) {
        let reply = Reply::of_bytes(*reply.representation(), bytes);
        return (reply, false);
    }
    if stored.read.len() as u64 == reply.length() {
        // A short fragment: the first look at it has read it.
        fragments.put(key, &stored.read);
        return (reply, false);
    }
    // Its beginning, which the first look has read, is read again with the rest.
    let unread = StoredRange { read: Bytes::new(), ..stored.clone() };
    (Reply::of_stored(*reply.representation(), unread), true)
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
    match fragments.get(&opened.key(stored.file, whole)) {
        Some(mut bytes) => {
            let payload = bytes.split_off(before.min(bytes.len()));
            (reply.with_last(Piece::Bytes(payload)), false)
        }
        None if stored.read.is_empty() => (reply, true),
        // A short fragment: the first look at it has read all.
        None if stored.read.len() as u64 == stored.range.end - stored.range.start => (reply, false),
        // Its beginning, which the first look has read, is read again with the rest.
        None => {
            let unread = StoredRange { read: Bytes::new(), ..stored.clone() };
            (reply.with_last(Piece::Stored(unread)), true)
        }
    }
}
