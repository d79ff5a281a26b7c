//! A request on its way to an answer.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::answer::{serve, serve_as_is};
use super::read::Reader;
use super::redirect::Base;
use super::{Answer, Opened, Origin, Redirect};
use crate::base::{Error, Step};
use crate::output::{self, Request};
use crate::presentation::{Reply, Representation, Validator};

/// A request that was located in an open presentation and is not answered yet.
///
/// ```
/// # #[cfg(feature = "fs")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smooth_origin::origin::{Answer, Origin, block_on};
/// use smooth_origin::storage::LocalStore;
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
/// # let if_none_match = "\"0-m0\", W/\"0-m1\"";
/// let origin = Origin::new(LocalStore::new(root)?);
/// let asked = block_on(origin.ask("/ffmpeg/ffmpeg.ism/Manifest"))?;
/// // Nothing has been read for the answer so far.
/// if asked.identity().is_some_and(|identity| identity.matches(if_none_match)) {
///     println!("304 Not Modified");
///     return Ok(());
/// }
/// if let Answer::Reply(served) = block_on(asked.answer())? {
///     println!("200 OK, {} bytes", served.reply().length());
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fs"))]
/// # fn main() {}
/// ```
#[must_use]
pub struct Asked<'a> {
    pub(super) origin: &'a Origin,
    pub(super) opened: Arc<Opened>,
    pub(super) state: State<'a>,
}

/// A presentation and the request to it.
pub(super) struct Target<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) base: Base,
    pub(super) request: Request<'a>,
}

/// The answer, as far as it is known.
pub(super) enum State<'a> {
    Redirect(Redirect),
    /// Nothing need be read before the body.
    Reply(Reply),
    Reads(Box<Reading<'a>>),
    /// The answer was made at once: because files of the presentation have changed, or because none of
    /// its bytes are needed.
    Checked(Box<Answer>),
}

/// A request for whose answer something must be read.
pub(super) struct Reading<'a> {
    pub(super) target: Target<'a>,
    pub(super) step: Step<Reply>,
    /// Number of first bytes of the answer that are needed, if not all are.
    pub(super) first: Option<u64>,
}

/// The identity of an answer, which shows whether a client already has it.
///
/// ```
/// use smooth_origin::origin::Asked;
///
/// /// Returns whether a client that has `etag` has the answer already.
/// fn is_not_modified(asked: &Asked<'_>, etag: &str) -> bool {
///     asked.identity().is_some_and(|identity| etag == format!("\"{}\"", identity.validator()))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    representation: Representation,
}

impl Identity {
    /// Media type, class and validator of the answer.
    pub fn representation(&self) -> &Representation {
        &self.representation
    }

    /// The validator of the answer.
    pub fn validator(&self) -> Validator {
        self.representation.validator()
    }

    /// Returns whether a client that sends this value of `If-None-Match` already has the answer: the
    /// host responds with 304, and with the answer's `ETag`. See [`Validator::matches`] for the
    /// comparison.
    ///
    /// A host that sends answers in a content coding of its own gives them another `ETag`, and compares
    /// that.
    ///
    /// ```
    /// # #[cfg(feature = "fs")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use smooth_origin::origin::{Origin, block_on};
    /// # use smooth_origin::storage::LocalStore;
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
    /// # let origin = Origin::new(LocalStore::new(root)?);
    /// let asked = block_on(origin.ask("/ffmpeg/ffmpeg.ism/Manifest"))?;
    /// let identity = asked.identity().expect("the identity of a manifest is known");
    /// let etag = format!("\"{}\"", identity.validator());
    /// assert!(identity.matches(&etag));
    /// // A cache may send several tags, and may call them weak.
    /// assert!(identity.matches(format!("\"0-m0\", W/{etag}")));
    /// assert!(!identity.matches("\"0-m0\""));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "fs"))]
    /// # fn main() {}
    /// ```
    pub fn matches(&self, if_none_match: impl AsRef<[u8]>) -> bool {
        self.validator().matches(if_none_match)
    }

    pub(crate) fn of(reply: &Reply) -> Self {
        Self { representation: *reply.representation() }
    }
}

#[cfg(feature = "http")]
impl<'a> Asked<'a> {
    /// The presentation and the reply, if nothing need be read to make it.
    #[inline]
    pub(crate) fn ready(self) -> Result<(Arc<Opened>, Reply), Asked<'a>> {
        match self.state {
            State::Reply(reply) => Ok((self.opened, reply)),
            state => Err(Asked { state, ..self }),
        }
    }
}

impl Asked<'_> {
    /// Returns the identity of the answer, as far as it is known without reading media: `None` for a
    /// redirect, and for a fragment in a file of its own, which may change at any time.
    pub fn identity(&self) -> Option<Identity> {
        match &self.state {
            State::Redirect(_) => None,
            State::Reply(reply) => Some(Identity::of(reply)),
            State::Reads(reading) => self.identify(&reading.target.request),
            State::Checked(answer) => match &**answer {
                Answer::Reply(served) if matches!(served.reader, Reader::Presentation(_)) => {
                    Some(Identity::of(&served.reply))
                }
                _ => None,
            },
        }
    }

    /// Finds out the identity of a fragment that was not looked at yet.
    #[cold]
    fn identify(&self, request: &Request<'_>) -> Option<Identity> {
        // An error comes again with the answer.
        match request.identify(self.opened.presentation()) {
            Ok(output::Identity::Known(representation)) => Some(Identity { representation }),
            _ => None,
        }
    }

    /// The presentation that is asked.
    pub fn opened(&self) -> &Arc<Opened> {
        &self.opened
    }

    /// Says that no more than the first `bytes` bytes of the answer are needed: 0 for a response to HEAD,
    /// the end of its range for a request with one. The answer is the same.
    ///
    /// If a fragment was not looked at yet, and each read is a round trip
    /// ([`whole_read_bytes`](super::OriginBuilder::whole_read_bytes)), the answer reads at most 64 KiB
    /// more than so many bytes of it instead of all. If a
    /// [cache](super::OriginBuilder::fragment_cache_bytes) keeps fragments, all is read, except for HEAD.
    ///
    /// ```
    /// use smooth_origin::origin::{Answer, Asked};
    ///
    /// /// The length of an answer, for a response to HEAD.
    /// async fn length(asked: Asked<'_>) -> Result<Option<u64>, smooth_origin::Error> {
    ///     Ok(match asked.first_bytes(0).answer().await? {
    ///         Answer::Reply(served) => Some(served.reply().length()),
    ///         _ => None,
    ///     })
    /// }
    /// ```
    pub fn first_bytes(self, bytes: u64) -> Self {
        let state = match self.state {
            State::Reads(mut reading) => {
                reading.first = Some(bytes);
                State::Reads(reading)
            }
            State::Reply(reply) if bytes == 0 => {
                let served = serve_as_is(Arc::clone(&self.opened), reply);
                State::Checked(Box::new(Answer::Reply(served)))
            }
            state => state,
        };
        Self { state, ..self }
    }

    /// Makes the answer. Most answers need no read: their media is read as the body is sent.
    ///
    /// # Errors
    /// [`ErrorKind::status`](crate::base::ErrorKind::status) has the HTTP status of each.
    pub async fn answer(self) -> Result<Answer, Error> {
        match self.state {
            State::Reply(reply) => Ok(Answer::Reply(serve(self.opened, reply))),
            // What has to be waited for is apart: the future of other requests stays small.
            _ => Box::pin(self.answer_slowly()).await,
        }
    }

    /// Makes the answer in one future, for hosts that know that it may have to wait.
    pub(crate) async fn answer_slowly(self) -> Result<Answer, Error> {
        match self.state {
            State::Reply(reply) => Ok(Answer::Reply(serve(self.opened, reply))),
            State::Reads(reads) => {
                let Reading { target, step, first } = *reads;
                self.origin.answer_read(&target, self.opened, step, first).await
            }
            State::Redirect(location) => Ok(Answer::Redirect(location)),
            State::Checked(answer) => Ok(*answer),
        }
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked")
            .field("presentation", self.opened.presentation().name())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for State<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(redirect) => f.debug_tuple("Redirect").field(redirect).finish(),
            Self::Reply(reply) => write!(f, "Reply({} bytes)", reply.length()),
            Self::Reads(_) => f.write_str("Reads"),
            Self::Checked(answer) => f.debug_tuple("Checked").field(answer).finish(),
        }
    }
}

impl Target<'_> {
    /// Finds the resource in a presentation; `None` for a redirect.
    pub(super) fn locate(&self, opened: &Opened) -> Result<Option<Step<Reply>>, Error> {
        match self.request.redirect() {
            Some(_) => Ok(None),
            None => self.request.answer(opened.presentation()).map(Some),
        }
    }

    #[cold]
    pub(super) fn redirect(&self, opened: &Opened) -> Redirect {
        let path = self.request.redirect().unwrap_or_default();
        Redirect::new(path, self.base, opened.presentation().name().file_name())
    }
}
