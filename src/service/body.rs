//! The body of a response.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::base::Error;
use crate::origin::{self, StoredBody};

/// A body of known length: empty, a text in memory, or a reply that is read as it is sent.
///
/// After an error the connection must be cut, as every HTTP server does, so that no client takes the
/// bytes that were sent for a whole fragment.
///
/// ```
/// use http_body::Body;
/// use smooth_origin::service::OriginService;
/// # async fn example(service: &OriginService, request: &http::Request<()>) {
/// let response = service.respond(request).await;
/// println!("{} bytes", response.body().size_hint().exact().unwrap_or(0));
/// # }
/// ```
#[derive(Debug, Default)]
pub struct ServiceBody(Kind);

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    Text(Bytes),
    Reply(origin::Body),
    Parts(VecDeque<Part>),
}

/// Part of a body in parts.
#[derive(Debug)]
pub(super) enum Part {
    Text(Bytes),
    Reply(origin::Body),
}

impl ServiceBody {
    pub(super) fn empty() -> Self {
        Self(Kind::Empty)
    }

    pub(super) fn text(text: Bytes) -> Self {
        Self(Kind::Text(text))
    }

    pub(super) fn reply(body: origin::Body) -> Self {
        Self(Kind::Reply(body))
    }

    pub(super) fn parts(parts: VecDeque<Part>) -> Self {
        Self(Kind::Parts(parts))
    }

    /// The remaining bytes, if they are one range of a file that a host may send by its own means: see
    /// [`origin::Body::stored`].
    pub fn stored(&self) -> Option<StoredBody> {
        match &self.0 {
            Kind::Reply(body) => body.stored(),
            Kind::Empty | Kind::Text(_) | Kind::Parts(_) => None,
        }
    }
}

impl From<Part> for ServiceBody {
    fn from(part: Part) -> Self {
        match part {
            Part::Text(text) => Self::text(text),
            Part::Reply(body) => Self::reply(body),
        }
    }
}

impl Part {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Reply(body) => body.remaining(),
        }
    }
}

impl Body for ServiceBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let bytes = match &mut self.0 {
            Kind::Empty => None,
            Kind::Text(text) => {
                let text = std::mem::take(text);
                self.0 = Kind::Empty;
                Some(Ok(text))
            }
            Kind::Reply(body) => ready!(body.poll_next(context)),
            Kind::Parts(parts) => ready!(next_of(parts, context)),
        };
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Text(_) => false,
            Kind::Reply(body) => body.remaining() == 0,
            Kind::Parts(parts) => parts.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            Kind::Empty => 0,
            Kind::Text(text) => text.len() as u64,
            Kind::Reply(body) => body.remaining(),
            Kind::Parts(parts) => parts.iter().map(Part::len).sum(),
        })
    }
}

/// Polls for the next bytes. After an error there are no more.
fn next_of(
    parts: &mut VecDeque<Part>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Bytes, Error>>> {
    loop {
        match parts.front_mut() {
            None => return Poll::Ready(None),
            Some(Part::Text(text)) => {
                let text = std::mem::take(text);
                parts.pop_front();
                return Poll::Ready(Some(Ok(text)));
            }
            Some(Part::Reply(body)) => match ready!(body.poll_next(context)) {
                Some(Ok(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Err(error)) => {
                    parts.clear();
                    return Poll::Ready(Some(Err(error)));
                }
                None => drop(parts.pop_front()),
            },
        }
    }
}
