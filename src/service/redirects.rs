//! Redirects of clients to the store: the options.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::storage::{AnyLinks, Links};

/// Redirects of clients to the store, in place of bytes: see
/// [`ServiceOptions::redirects`](super::ServiceOptions::redirects).
///
/// A GET of something that is all bytes of one object is answered with 307 and the object's URL. That is
/// a fragment in a file of its own, and a file beside the presentations. All else is sent as ever, because a
/// redirect cannot make a client ask for a range: a fragment in a file with others, a manifest, what
/// is rewritten for DASH and HLS. So are
///
/// - fragments of live presentations, whose files encoders rewrite;
/// - HEAD: a URL that is signed for GET is refused for HEAD;
/// - requests with a condition (`If-None-Match`, `If-Range` and others): the client has an ETag of the
///   origin, and the store has others;
/// - objects that have no URL, or whose URL cannot be signed now.
///
/// A fragment's file is looked at before its URL is given out. The URL is kept, within 16 MiB for all,
/// and given out for half of its [life](Self::life), without a look at the store. `Cache-Control` is that of the
/// response with bytes, and ends a quarter of the life before the URL does.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::service::{Redirects, ServiceOptions};
/// # use std::io;
/// # use smooth_origin::storage::{Link, Links, Source};
/// # struct Elsewhere;
/// # impl Links for Elsewhere {
/// #     async fn link(&self, _: &Source, _: Duration) -> io::Result<Option<Link>> { Ok(None) }
/// # }
///
/// // With the feature `s3`, `azure` or `gcs`: `Redirects::new(SignedLinks)`.
/// let redirects = Redirects::new(Elsewhere)
///     .life(Duration::from_secs(600))?
///     .notify_by(|sentence| eprintln!("{sentence}"));
/// let options = ServiceOptions::default().redirects(redirects);
/// # Ok::<(), smooth_origin::service::InvalidLife>(())
/// ```
#[derive(Clone)]
pub struct Redirects {
    pub(super) links: AnyLinks,
    pub(super) life: Duration,
    pub(super) fragments: bool,
    pub(super) files: bool,
    pub(super) notify: Option<Arc<Notify>>,
}

/// A function that gets sentences for the operator.
type Notify = dyn Fn(&str) + Send + Sync;

/// The life of a URL is too short or too long.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::service::Redirects;
/// # use std::io;
/// # use smooth_origin::storage::{Link, Links, Source};
/// # struct Elsewhere;
/// # impl Links for Elsewhere {
/// #     async fn link(&self, _: &Source, _: Duration) -> io::Result<Option<Link>> { Ok(None) }
/// # }
/// let week = Duration::from_secs(7 * 24 * 60 * 60);
/// let error = Redirects::new(Elsewhere).life(2 * week).unwrap_err();
/// assert_eq!(error.to_string(), "the URL of a redirect is valid for 10 seconds to 7 days");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the URL of a redirect is valid for 10 seconds to 7 days")]
pub struct InvalidLife;

/// A shorter life would leave clients no time to follow.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);

/// S3 and Google refuse a longer life when the client comes.
const LONGEST_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Stores renew temporary credentials five minutes before these end, and with them the URLs end that they
/// have signed.
const LIFE: Duration = Duration::from_secs(300);

impl Redirects {
    /// Redirects for fragments, to URLs of these links.
    pub fn new(links: impl Links) -> Self {
        let links = AnyLinks::new(links);
        Self { links, life: LIFE, fragments: true, files: false, notify: None }
    }

    /// Sets for how long a URL is valid; default 5 minutes. A longer life saves signatures and lets caches
    /// keep redirects; whoever sees a URL can read the object for so long.
    ///
    /// # Errors
    /// Fails if it is less than 10 seconds or more than 7 days.
    pub fn life(self, life: Duration) -> Result<Self, InvalidLife> {
        match (SHORTEST_LIFE..=LONGEST_LIFE).contains(&life) {
            true => Ok(Self { life, ..self }),
            false => Err(InvalidLife),
        }
    }

    /// Sets whether fragments are redirected; default yes.
    pub fn fragments(self, redirected: bool) -> Self {
        Self { fragments: redirected, ..self }
    }

    /// Sets whether files beside the presentations are redirected, as far as
    /// [`ServiceOptions::files`](super::ServiceOptions::files) serves them; default no. Their
    /// `Content-Type` is then the one with which they were uploaded. Each request looks at the object.
    pub fn files(self, redirected: bool) -> Self {
        Self { files: redirected, ..self }
    }

    /// Gives sentences for the operator's log to a function of the host: once if URLs lead to objects of
    /// any version, once if there are objects without a URL, and at most once a minute if URLs cannot be
    /// signed. No sentence has a URL in it. By default, nothing is told.
    pub fn notify_by(self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { notify: Some(Arc::new(tell)), ..self }
    }
}

impl fmt::Debug for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirects")
            .field("life", &self.life)
            .field("fragments", &self.fragments)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
