//! The way of a push from its head to its last byte.

use std::fmt::Display;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::{Buf, Bytes};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::Body;

use super::path::{IngestPath, Place};
use super::refusal::Refusal;
use super::request::{Peer, query};
use super::{IngestRequest, IngestService, Verdict};
use crate::base::{Error, ErrorKind};
use crate::origin::Push;
use crate::service::ServiceBody;
use crate::service::head::Head;
use crate::storage::timer::within;

/// Longest manifest of an encoder that is read.
const LONGEST_MANIFEST: u64 = 16 << 20;

impl IngestService {
    pub(super) async fn receive<B>(&self, request: Request<B>) -> Response<ServiceBody>
    where
        B: Body,
        B::Error: Display,
    {
        let (head, body) = request.into_parts();
        let path = IngestPath::parse(head.uri.path());
        let received = match &path {
            Ok(path) => self.receive_at(path, &head, body).await,
            Err(error) => Err(error.clone().into()),
        };
        let refusal = match received {
            Ok(()) => return Response::new(ServiceBody::empty()),
            Err(refusal) => refusal,
        };
        let point = path.as_ref().ok().map(|path| &path.point);
        if refusal.is_reported() {
            let what = described(path.as_ref().ok(), &head);
            let (status, reason) = (refusal.status().as_u16(), refusal.reason());
            self.points.push_refused(point, &what, status, &reason);
        }
        refusal.response(head.version, point.cloned())
    }

    async fn receive_at<B>(&self, path: &IngestPath, head: &Parts, body: B) -> Result<(), Refusal>
    where
        B: Body,
        B::Error: Display,
    {
        self.admit(path, head)?;
        if !self.points.may_be_pushed(&path.point) {
            return Err(Error::request("path", ErrorKind::NoPresentation).into());
        }
        let mut body = pin!(body);
        let (event, stream) = match &path.place {
            Place::Stream { event, stream } => (event.as_deref(), stream),
            Place::Manifest { .. } => return self.read_over(body).await,
        };
        let encoder = encoder_of(head);
        let begin = || self.points.for_push(&path.point)?.begin(event, stream, &encoder);
        // An encoder that waits for leave to send is refused before it sends.
        let mut push = match body.is_end_stream() || !expects(&head.headers) {
            true => None,
            false => Some(begin()?),
        };
        while let Some(bytes) = self.next(body.as_mut(), push.as_ref()).await? {
            // A probe has no bytes: it begins nothing.
            if bytes.is_empty() {
                continue;
            }
            let push = match &mut push {
                Some(push) => push,
                None => push.insert(begin()?),
            };
            push.push(&bytes)?;
            push.settle().await?;
        }
        match push {
            Some(push) => Ok(push.end().await?),
            None => Ok(()),
        }
    }

    /// Judges the head of a push.
    fn admit(&self, path: &IngestPath, head: &Parts) -> Result<(), Refusal> {
        let refused = |status, code, sentence| Err(Refusal::Head(status, code, sentence));
        if let Err(fault) = Head::read(head.version, &head.uri, &head.headers) {
            return refused(StatusCode::BAD_REQUEST, "malformed-request", fault);
        }
        if !matches!(head.method, Method::POST | Method::PUT) {
            let sentence = "a stream is pushed by POST or PUT";
            return refused(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", sentence);
        }
        let (event, stream) = match &path.place {
            Place::Stream { event, stream } => (event.as_deref(), Some(stream.as_str())),
            Place::Manifest { event } => (event.as_deref(), None),
        };
        let verdict = (self.authorize)(&IngestRequest {
            method: &head.method,
            uri: &head.uri,
            point: &path.point,
            event,
            stream,
            headers: &head.headers,
            extensions: &head.extensions,
        });
        match verdict {
            Verdict::Allow => {}
            Verdict::Forbid(why) => return Err(Refusal::Forbidden(why)),
            Verdict::Challenge(challenge) => return Err(Refusal::Challenged(challenge)),
        }
        if !has_framing(head) {
            let sentence = "a push needs Transfer-Encoding: chunked or Content-Length (ffmpeg: without \
                 -chunked_post 0)";
            return refused(StatusCode::LENGTH_REQUIRED, "length-required", sentence);
        }
        if head.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
            let sentence = "a push has no Content-Encoding";
            return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-encoding", sentence);
        }
        Ok(())
    }

    /// Reads a body that is not used.
    async fn read_over<B>(&self, mut body: Pin<&mut B>) -> Result<(), Refusal>
    where
        B: Body,
        B::Error: Display,
    {
        let mut read = 0;
        while let Some(bytes) = self.next(body.as_mut(), None).await? {
            read += bytes.len() as u64;
            if read > LONGEST_MANIFEST {
                let (what, limit) = ("bytes of a pushed manifest", LONGEST_MANIFEST);
                return Err(Error::from(ErrorKind::Budget { what, found: read, limit }).into());
            }
        }
        Ok(())
    }

    /// The next bytes of a body; `None` at its end.
    async fn next<B>(
        &self,
        body: Pin<&mut B>,
        push: Option<&Push>,
    ) -> Result<Option<Bytes>, Refusal>
    where
        B: Body,
        B::Error: Display,
    {
        let read = next_of(body, push);
        let Some(limit) = self.idle_timeout else { return read.await };
        let timer = self.points.timer();
        within(&*timer, limit, read).await.unwrap_or(Err(Refusal::Idle))
    }
}

/// The next bytes of a body, unless its push is closed before they come.
async fn next_of<B>(mut body: Pin<&mut B>, push: Option<&Push>) -> Result<Option<Bytes>, Refusal>
where
    B: Body,
    B::Error: Display,
{
    let mut closed = pin!(async {
        match push {
            Some(push) => push.closed().await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|context| {
        if let Poll::Ready(error) = closed.as_mut().poll(context) {
            return Poll::Ready(Err(error.into()));
        }
        loop {
            let Poll::Ready(frame) = body.as_mut().poll_frame(context) else {
                return Poll::Pending;
            };
            return Poll::Ready(match frame {
                None => Ok(None),
                Some(Err(error)) => Err(Refusal::Lost(error.to_string())),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(mut data) => Ok(Some(data.copy_to_bytes(data.remaining()))),
                    // Trailers say nothing.
                    Err(_) => continue,
                },
            });
        }
    })
    .await
}

/// Returns whether a request says how long its body is, or that it comes in chunks. Otherwise it has no body
/// in HTTP/1 (RFC 9112, 6.3), and what follows would be taken for the next request.
fn has_framing(head: &Parts) -> bool {
    head.version >= Version::HTTP_2
        || head.headers.contains_key(CONTENT_LENGTH)
        || head.headers.contains_key(TRANSFER_ENCODING)
}

/// Returns whether the encoder waits for `100 Continue`.
fn expects(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// What tells two encoders of one stream apart.
fn encoder_of(head: &Parts) -> String {
    query(&head.uri, "encoder").filter(|id| id.len() <= 256).unwrap_or_else(|| {
        let peer = head.extensions.get::<Peer>();
        peer.map(|peer| peer.address.to_canonical().to_string()).unwrap_or_default()
    })
}

/// The stream and the encoder, for the log.
fn described(path: Option<&IngestPath>, head: &Parts) -> String {
    let encoder = encoder_of(head);
    let from = if encoder.is_empty() { "unknown" } else { encoder.as_str() };
    match path.map(|path| &path.place) {
        Some(Place::Stream { stream, .. }) => format!("stream `{stream}` from {from}"),
        _ => format!("{} from {from}", head.method),
    }
}
