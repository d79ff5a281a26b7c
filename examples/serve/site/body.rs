//! The body of a response: of the service, or bytes. What the system has taken of it is counted.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use smooth_origin::service::ServiceBody;
use tokio::sync::SemaphorePermit;

use crate::access::Record;

/// The body of a response of a [`Site`](super::Site).
pub(crate) struct SiteBody {
    content: Content,
    record: Option<Arc<Record>>,
    room: Room,
}

/// Room in memory that a body and its parts have until the last of them is dropped.
type Room = Option<Arc<SemaphorePermit<'static>>>;

/// Longest part of a text of the server. What is behind it stays in the body, so that a connection that
/// copies parts copies no whole text.
const PART: usize = 64 << 10;

enum Content {
    /// A manifest, a fragment, a file.
    Service(ServiceBody),
    /// A text of the server itself.
    Bytes(Bytes),
}

/// A part of a body. Its request is recorded until it is sent.
pub(crate) struct Piece {
    bytes: Bytes,
    record: Option<Arc<Record>>,
    _room: Room,
}

impl SiteBody {
    /// Returns a text that has room in memory until it is sent.
    pub(crate) fn in_room(bytes: Bytes, room: Option<SemaphorePermit<'static>>) -> Self {
        Self { room: room.map(Arc::new), ..bytes.into() }
    }

    /// Returns this body as one whose end is the end of a record.
    pub(super) fn recorded(self, record: Record) -> Self {
        Self { record: Some(Arc::new(record)), ..self }
    }
}

impl From<Bytes> for SiteBody {
    fn from(bytes: Bytes) -> Self {
        Self { content: Content::Bytes(bytes), record: None, room: None }
    }
}

impl From<ServiceBody> for SiteBody {
    fn from(body: ServiceBody) -> Self {
        Self { content: Content::Service(body), record: None, room: None }
    }
}

impl Body for SiteBody {
    type Data = Piece;
    type Error = <ServiceBody as Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Piece>, Self::Error>>> {
        let Self { content, record, room } = self.get_mut();
        let frame = match (content, &record) {
            (Content::Service(body), None) => ready!(Pin::new(body).poll_frame(context)),
            (Content::Service(body), Some(record)) => {
                ready!(common::log::during(record.id(), || Pin::new(body).poll_frame(context)))
            }
            (Content::Bytes(rest), _) if rest.is_empty() => None,
            (Content::Bytes(rest), _) => Some(Ok(Frame::data(rest.split_to(rest.len().min(PART))))),
        };
        if let (Some(Err(_)), Some(record)) = (&frame, &record) {
            record.failed();
        }
        let piece = |bytes| Piece { bytes, record: record.clone(), _room: room.clone() };
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.map_data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Service(body) => body.is_end_stream(),
            Content::Bytes(rest) => rest.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Service(body) => body.size_hint(),
            Content::Bytes(rest) => SizeHint::with_exact(rest.len() as u64),
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
