//! What a request is answered with, and how far that is known before anything is read.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::access::Access;
use super::{Body, Opened, body};
use crate::base::{Error, Name};
use crate::presentation::{Piece, Reply, StoredRange};
use crate::storage::{Source, Stat};

/// What a request is answered with.
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
    /// What is asked for lies at this URL, relative to the request's.
    Redirect(String),
}

/// A reply that can be sent.
///
/// ```
/// use smooth_origin::origin::Served;
/// # fn send(_: impl AsRef<[u8]>) {}
/// # async fn example(served: &Served) -> Result<(), smooth_origin::Error> {
/// let reply = served.reply();
/// send(format!("Content-Type: {}\r\n", reply.content().media_type()));
/// send(format!("Content-Length: {}\r\n", reply.length()));
/// send(format!("ETag: \"{}\"\r\n\r\n", reply.validator()));
/// let mut body = served.body();
/// while let Some(bytes) = body.next().await {
///     send(bytes?);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Served {
    pub(super) reply: Reply,
    pub(super) holding: Holding,
    pub(super) modified: Option<SystemTime>,
    /// What is read of it is kept for the next who asks.
    pub(super) is_kept: bool,
}

/// What a reply's bytes are read from, kept open in the version that the reply is of.
#[derive(Clone, Debug)]
pub(super) enum Holding {
    Presentation(Arc<Opened>),
    /// A presentation, and the file of the one fragment that the reply contains.
    Fragment(Arc<HeldWithFile>),
    File(Arc<HeldFile>),
}

/// A presentation and the file of a fragment, behind one pointer: every body has room for it.
#[derive(Debug)]
pub(super) struct HeldWithFile {
    pub(super) opened: Arc<Opened>,
    pub(super) fragment: HeldFragment,
}

/// The file of a fragment, as it was opened for one reply.
#[derive(Debug)]
pub(super) struct HeldFragment {
    pub(super) name: Name,
    pub(super) source: Source,
    pub(super) stat: Stat,
}

/// A file beside the presentations.
#[derive(Debug)]
pub(super) struct HeldFile {
    pub(super) access: Arc<Access>,
    pub(super) name: Name,
    pub(super) source: Source,
}

impl Answer {
    /// Checks that its files are still in the versions that were opened.
    pub(super) async fn check(&self) -> Result<(), Error> {
        let Self::Reply(Served { reply, holding: Holding::Presentation(opened), .. }) = self else {
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

    /// What it is, how long, and in which pieces.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The presentation that it is of; `None` for a file.
    pub fn opened(&self) -> Option<&Arc<Opened>> {
        match &self.holding {
            Holding::Presentation(opened) => Some(opened),
            Holding::Fragment(held) => Some(&held.opened),
            Holding::File(..) => None,
        }
    }

    /// Returns whether it is a fragment in a file of its own.
    #[cfg(feature = "http")]
    pub(crate) fn has_own_file(&self) -> bool {
        matches!(self.holding, Holding::Fragment(..))
    }

    /// When the file, or the latest file of the presentation, was changed, if the store knows. For
    /// a fragment in a file of its own, it is the change of that file.
    pub fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// That its bytes can be read soon. A host asks before it promises them to a client.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`](crate::base::ErrorKind::Busy) where too many wait for the store already.
    pub fn admit(&self) -> Result<(), Error> {
        match &self.holding {
            Holding::Presentation(opened) => opened.access().admit(),
            Holding::Fragment(held) => held.opened.access().admit(),
            Holding::File(file) => file.access.admit(),
        }
    }

    /// The bytes.
    pub fn body(&self) -> Body {
        Body::new(self.holding.clone(), self.reply.clone(), self.is_kept)
    }

    /// The bytes, where nothing else is wanted.
    #[cfg(feature = "http")]
    pub(crate) fn into_body(self) -> Body {
        Body::new(self.holding, self.reply, self.is_kept)
    }

    /// Bytes `range` of them, as [`Reply::slice`] has them.
    pub fn body_of(&self, range: std::ops::Range<u64>) -> Body {
        Body::new(self.holding.clone(), self.reply.slice(range), false)
    }
}

/// Makes an answer of a reply of which nothing need be read first.
pub(super) fn serve(opened: Arc<Opened>, reply: Reply) -> Served {
    let (reply, is_kept) = cached(&opened, reply);
    let modified = opened.modified();
    Served { reply, holding: Holding::Presentation(opened), modified, is_kept }
}

/// Makes an answer of a reply, with the file of its fragment if one was opened for it.
pub(super) fn serve_with(
    opened: Arc<Opened>,
    reply: Reply,
    fragment: Option<HeldFragment>,
) -> Served {
    let Some(fragment) = fragment else { return serve(opened, reply) };
    let modified = fragment.stat.modified;
    let holding = Holding::Fragment(Arc::new(HeldWithFile { opened, fragment }));
    Served { reply, holding, modified, is_kept: false }
}

/// The reply with its bytes, if they are in memory; else whether they will be, once they are read.
fn cached(opened: &Opened, reply: Reply) -> (Reply, bool) {
    let (Some(fragments), Some(stored)) = (&opened.access().fragments, reply.stored()) else {
        return (reply, false);
    };
    if reply.length() > body::WHOLE {
        return (reply, false);
    }
    let key = opened.key(stored.file, stored.range.clone());
    if let Some(bytes) = fragments.get(&key) {
        let reply = Reply::of_bytes(reply.content(), reply.validator(), bytes);
        return (reply, false);
    }
    if stored.read.len() as u64 == reply.length() {
        // A short fragment: the first look at it has read it.
        fragments.put(key, &stored.read);
        return (reply, false);
    }
    // Its beginning, which the first look has read, is read again with the rest.
    let unread = StoredRange { read: Bytes::new(), ..stored.clone() };
    (Reply::of_stored(reply.content(), reply.validator(), unread), true)
}
