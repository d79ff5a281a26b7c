//! A response's body.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::base::Error;
use crate::origin;

/// A body of known length: nothing, a text that is here, or a reply that is read as it is sent.
///
/// An error in the middle means that the connection must be cut, as every HTTP server does: what
/// was sent must not be taken for a whole fragment.
#[derive(Debug, Default)]
pub struct ServiceBody(Kind);

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    Text(Bytes),
    Reply(origin::Body),
}

impl ServiceBody {
    pub(super) fn text(text: String) -> Self {
        Self(Kind::Text(text.into()))
    }

    pub(super) fn reply(body: origin::Body) -> Self {
        Self(Kind::Reply(body))
    }
}

impl Body for ServiceBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let bytes = match std::mem::take(&mut self.0) {
            Kind::Empty => None,
            Kind::Text(text) => Some(Ok(text)),
            Kind::Reply(mut body) => {
                let polled = body.poll_next(context);
                self.0 = Kind::Reply(body);
                ready!(polled)
            }
        };
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Text(_) => false,
            Kind::Reply(body) => body.remaining() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match &self.0 {
            Kind::Empty => 0,
            Kind::Text(text) => text.len() as u64,
            Kind::Reply(body) => body.remaining(),
        })
    }
}
