//! The body of a response: of the service, or bytes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use smooth_origin::service::ServiceBody;

/// The body of a response of a [`Site`](super::Site).
pub(crate) enum SiteBody {
    /// A manifest, a fragment, a file.
    Service(ServiceBody),
    /// A text of the server itself.
    Bytes(Full<Bytes>),
}

impl From<Bytes> for SiteBody {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(Full::new(bytes))
    }
}

impl Body for SiteBody {
    type Data = Bytes;
    type Error = <ServiceBody as Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Self::Service(body) => Pin::new(body).poll_frame(context),
            Self::Bytes(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Service(body) => body.is_end_stream(),
            Self::Bytes(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Service(body) => body.size_hint(),
            Self::Bytes(body) => body.size_hint(),
        }
    }
}
