//! The body of a response: of the service, or bytes. What the system has taken of it is counted.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use smooth_origin::service::ServiceBody;

use crate::access::Record;

/// The body of a response of a [`Site`](super::Site).
pub(crate) struct SiteBody {
    content: Content,
    record: Option<Arc<Record>>,
}

enum Content {
    /// A manifest, a fragment, a file.
    Service(ServiceBody),
    /// A text of the server itself.
    Bytes(Full<Bytes>),
}

/// A part of a body. Its request is recorded until it is sent.
pub(crate) struct Piece {
    bytes: Bytes,
    record: Option<Arc<Record>>,
}

impl SiteBody {
    /// Returns this body as one whose end is the end of a record.
    pub(super) fn recorded(self, record: Record) -> Self {
        Self { record: Some(Arc::new(record)), ..self }
    }
}

impl From<Bytes> for SiteBody {
    fn from(bytes: Bytes) -> Self {
        Self { content: Content::Bytes(Full::new(bytes)), record: None }
    }
}

impl From<ServiceBody> for SiteBody {
    fn from(body: ServiceBody) -> Self {
        Self { content: Content::Service(body), record: None }
    }
}

impl Body for SiteBody {
    type Data = Piece;
    type Error = <ServiceBody as Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, Self::Error>>> {
        let Self { content, record } = self.get_mut();
        let frame = match (content, &record) {
            (Content::Service(body), None) => ready!(Pin::new(body).poll_frame(context)),
            (Content::Service(body), Some(record)) => {
                ready!(common::log::during(record.id(), || Pin::new(body).poll_frame(context)))
            }
            (Content::Bytes(body), _) => {
                ready!(Pin::new(body).poll_frame(context)).map(|Ok(frame)| Ok(frame))
            }
        };
        if let (Some(Err(_)), Some(record)) = (&frame, &record) {
            record.failed();
        }
        let piece = |bytes| Piece { bytes, record: record.clone() };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Service(body) => body.is_end_stream(),
            Content::Bytes(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Service(body) => body.size_hint(),
            Content::Bytes(body) => body.size_hint(),
        }
    }
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if let Some(record) = &self.record {
            record.sent(count);
        }
    }

    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        if let Some(record) = &self.record {
            record.sent(count);
        }
        self.bytes.copy_to_bytes(count)
    }
}
