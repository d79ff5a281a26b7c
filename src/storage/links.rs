//! URLs by which clients fetch objects from the store themselves.

use std::fmt;
use std::future::Future;
use std::io;
#[cfg(feature = "http")]
use std::pin::Pin;
#[cfg(feature = "http")]
use std::sync::Arc;
use std::time::Duration;

use super::Source;

/// Gives out URLs by which clients fetch objects from the store themselves.
///
/// A service that redirects clients to the store asks for a URL of each object once, and uses it for half
/// of its life. Implement it for a store that signs URLs, or for a server that
/// clients can reach.
///
/// ```
/// use std::{io, time::Duration};
/// use smooth_origin::storage::{Link, Links, MemoryObject, Source};
/// # use smooth_origin::storage::RangeSource;
/// # use std::{any::Any, ops::Range};
/// # use bytes::Bytes;
/// # struct Film { number: u64, object: MemoryObject }
/// # impl RangeSource for Film {
/// #     async fn stat(&self) -> io::Result<smooth_origin::storage::Stat> { self.object.stat().await }
/// #     async fn read(&self, range: Range<u64>) -> io::Result<Bytes> { self.object.read(range).await }
/// # }
///
/// /// Films have URLs on another host, which checks a token.
/// struct Elsewhere;
///
/// impl Links for Elsewhere {
///     async fn link(&self, source: &Source, life: Duration) -> io::Result<Option<Link>> {
///         let Some(film) = source.downcast_ref::<Film>() else { return Ok(None) };
///         let token = token_for(film.number, life);
///         Ok(Some(Link::new(format!("https://media.example/{}?token={token}", film.number))))
///     }
/// }
/// # fn token_for(number: u64, life: Duration) -> u64 { number ^ life.as_secs() }
/// ```
pub trait Links: Send + Sync + 'static {
    /// Returns a URL of all bytes of an object, from the first to the last, for GET, that is valid from
    /// now on for `life`. Returns `None` if clients cannot fetch this object: its bytes are then sent by
    /// the origin, until it is asked for again after half of `life`.
    ///
    /// It is called in the task of a request, which waits for it: an implementation that must ask a
    /// service for a key should keep that key.
    ///
    /// # Errors
    /// The bytes are sent by the origin. The text of the error is for the operator's log: it must not
    /// have a URL with a signature in it.
    fn link(
        &self,
        source: &Source,
        life: Duration,
    ) -> impl Future<Output = io::Result<Option<Link>>> + Send;
}

/// A URL by which a client fetches an object from the store itself.
///
/// It may be a secret: whoever has it can read the object for as long as it is valid. `Debug` does not
/// write its query.
///
/// ```
/// use smooth_origin::storage::Link;
/// let link = Link::new("https://films.example/a?signature=secret").pinned();
/// assert!(link.is_pinned());
/// assert_eq!(format!("{link:?}"), r#"Link { url: "https://films.example/a", is_pinned: true }"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    url: String,
    is_pinned: bool,
}

impl Link {
    /// An absolute URL of an object as it will be when the client comes.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), is_pinned: false }
    }

    /// The same URL, which gives the version of the object that was opened, or an error.
    #[must_use]
    pub fn pinned(self) -> Self {
        Self { is_pinned: true, ..self }
    }

    /// The URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns whether the URL gives the version that was opened, and no later one.
    pub fn is_pinned(&self) -> bool {
        self.is_pinned
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("Link").field("url", &url).field("is_pinned", &self.is_pinned).finish()
    }
}

/// Links of any type. Clones share them.
#[cfg(feature = "http")]
#[derive(Clone)]
pub(crate) struct AnyLinks(Arc<dyn ErasedLinks>);

#[cfg(feature = "http")]
type Linking<'a> = Pin<Box<dyn Future<Output = io::Result<Option<Link>>> + Send + 'a>>;

#[cfg(feature = "http")]
trait ErasedLinks: Send + Sync {
    fn link<'a>(&'a self, source: &'a Source, life: Duration) -> Linking<'a>;
}

#[cfg(feature = "http")]
impl<L: Links> ErasedLinks for L {
    fn link<'a>(&'a self, source: &'a Source, life: Duration) -> Linking<'a> {
        Box::pin(Links::link(self, source, life))
    }
}

#[cfg(feature = "http")]
impl AnyLinks {
    pub(crate) fn new(links: impl Links) -> Self {
        Self(Arc::new(links))
    }

    pub(crate) async fn link(&self, source: &Source, life: Duration) -> io::Result<Option<Link>> {
        self.0.link(source, life).await
    }
}

#[cfg(feature = "http")]
impl fmt::Debug for AnyLinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyLinks")
    }
}
