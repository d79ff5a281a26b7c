//! The way of a push from its head to its last byte.

use std::fmt::Display;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version};
use http_body::Body;

use super::flat::{Pusher, is_header};
use super::path::{GRAMMAR, IngestPath, Place};
use super::peers::Counted;
use super::refusal::Refusal;
use super::request::{Peer, query};
use super::said::Said;
use super::{IngestRequest, IngestService, Verdict};
use crate::base::{Error, ErrorKind, Name};
use crate::origin::{Push, Unbegun};
use crate::service::ServiceBody;
use crate::service::head::Head;
use crate::storage::timer::within;

/// Longest manifest of an encoder that is read, and how much of its beginning and of its end is looked at.
const LONGEST_MANIFEST: u64 = 16 << 20;
const BEGINNING: usize = 64 << 10;
const END: usize = 4 << 10;

/// Bytes of a box that have its size and its type.
const BOX_HEADER: usize = 8;

/// Time in which the last segments of an encoder begin to come after its last manifest, and time that they may take.
const LAST_SEGMENTS: Duration = Duration::from_secs(1);
const LONGEST_SEGMENT: Duration = Duration::from_secs(30);

/// Looks for the header of a segment.
const LOOKS: u32 = 20;
/// Time between two looks for something that comes on another connection.
const PAUSE: Duration = Duration::from_millis(50);

/// The stream of a probe, whichever stream it names: no push of that is replaced.
const PROBE: &str = "";

/// An empty `mfra`; [MS-SSTR] 2.2.7.
const END_OF_STREAM: &[u8] = b"\0\0\0\x08mfra";

/// The one who says that a body is to end.
#[derive(Clone, Copy)]
enum Taker<'a> {
    Push(&'a Push),
    /// It is no push yet.
    Nobody(&'a Unbegun),
}

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
        if let Ok(path) = &path {
            self.points.forget_unused(&path.point);
        }
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
        if head.method == Method::DELETE {
            return Ok(());
        }
        let _counted = self.count(head)?;
        if !self.points.may_be_pushed(&path.point) {
            return Err(Error::request("path", ErrorKind::NoPresentation).into());
        }
        let (mut body, unbegun) = (pin!(body), self.points.begin_body());
        let encoder = encoder_of(head);
        let (event, stream) = match &path.place {
            Place::Stream { event, stream } | Place::Folder { event, stream } => {
                (event.as_deref(), Some(stream.as_str()))
            }
            Place::File { event, .. } | Place::Point { event } => (event.as_deref(), None),
            Place::Manifest { event, folder } => {
                let manifest = self.read_over(body, &unbegun).await?;
                let pusher = Pusher::new(&path.point, event.as_deref(), &encoder);
                let Some(said) = Said::read(&manifest, folder.as_deref()) else { return Ok(()) };
                return self.end_by(path, event.as_deref(), &pusher, &said).await;
            }
        };
        let pusher = Pusher::new(&path.point, event, &encoder);
        // An encoder that waits for leave to send is refused before it sends. The header of a segment in a folder may
        // still be on its way: this would take the place of its push.
        let mut push = match &path.place {
            Place::Stream { stream, .. } if !body.is_end_stream() && expects(&head.headers) => {
                Some(self.begin(&path.point, event, stream, &encoder).await?)
            }
            _ => None,
        };
        let taker = push.as_ref().map_or(Taker::Nobody(&unbegun), Taker::Push);
        let beginning = self.beginning(body.as_mut(), taker).await?;
        // A probe has no bytes: it is answered as a push would be, and changes nothing.
        if beginning.is_empty() {
            let mut push = match push {
                Some(push) => push,
                None => self.begin(&path.point, event, PROBE, &encoder).await?,
            };
            return Ok(push.push(&beginning)?);
        }
        if matches!(path.place, Place::Point { .. }) {
            return Err(Error::request("path", GRAMMAR).into());
        }
        let (stream, is_header) = match &path.place {
            Place::File { name, .. } if is_header(name, &beginning) => {
                (self.flat.header(&pusher, name), true)
            }
            Place::File { name, .. } => {
                let point = self.points.for_push(&path.point).await?;
                self.flat.restore(&pusher, || point.known_streams(event, &encoder));
                drop(point);
                (self.stream_of(&pusher, name).await?, false)
            }
            place => {
                let stream = stream.unwrap_or_default();
                match is_header(stream, &beginning) {
                    false if matches!(place, Place::Folder { .. }) => {
                        (self.wait_for_header(&path.point, &pusher, event, stream).await?, false)
                    }
                    is_header => (stream.to_owned(), is_header),
                }
            }
        };
        let mut push = match push.take() {
            Some(push) => push,
            None => self.begin(&path.point, event, &stream, &encoder).await?,
        };
        let mut next = Some(beginning);
        while let Some(bytes) = next {
            push.push(&bytes)?;
            push.settle().await?;
            next = self.next(body.as_mut(), Taker::Push(&push)).await?;
        }
        let ended = push.end().await;
        // Its header is known also if something behind it, or the archive, failed.
        if is_header {
            self.flat.is_there(&pusher, &stream);
        }
        Ok(ended?)
    }

    /// The first bytes of a body: so many that the type of its first box is among them, or all of it.
    async fn beginning<B>(&self, mut body: Pin<&mut B>, taker: Taker<'_>) -> Result<Bytes, Refusal>
    where
        B: Body,
        B::Error: Display,
    {
        let mut beginning = Bytes::new();
        while beginning.len() < BOX_HEADER
            && let Some(bytes) = self.next(body.as_mut(), taker).await?
        {
            beginning = match beginning.is_empty() {
                true => bytes,
                false => [beginning, bytes].concat().into(),
            };
        }
        Ok(beginning)
    }

    /// Returns the stream that a segment is of, by the name of its file. Its header may still be on its way, on
    /// another connection.
    async fn stream_of(&self, pusher: &Pusher, name: &str) -> Result<String, Error> {
        let mut found = self.flat.segment(pusher, name)?;
        for _ in 0..LOOKS {
            if let Some(found) = found.take_if(|found| found.is_ready) {
                return Ok(found.stream);
            }
            self.pause(PAUSE).await;
            found = self.flat.segment(pusher, name)?;
        }
        self.flat.has_waited(pusher);
        Ok(found.map_or_else(|| name.to_owned(), |found| found.stream))
    }

    /// Waits for the header of a segment in a folder, which may still be on its way, on another connection. Returns the
    /// stream of the header: the folder, or that of a file beside the folder.
    async fn wait_for_header(
        &self,
        point: &Name,
        pusher: &Pusher,
        event: Option<&str>,
        folder: &str,
    ) -> Result<String, Error> {
        // One that another process has begun is there when this returns.
        let pushed = self.points.for_push(point).await?;
        self.flat.restore(pusher, || pushed.known_streams(event, pusher.encoder()));
        drop(pushed);
        let knows = |stream: &str| {
            let point = self.points.get(point);
            point.is_some_and(|point| point.knows_stream(event, stream, pusher.encoder()))
        };
        for _ in 0..LOOKS {
            if knows(folder) {
                break;
            }
            if let Some(beside) = self.flat.beside(pusher, folder).filter(|beside| knows(beside)) {
                return Ok(beside);
            }
            self.pause(PAUSE).await;
        }
        Ok(folder.to_owned())
    }

    async fn pause(&self, time: Duration) {
        let timer = self.points.timer();
        let _ = within(&*timer, time, std::future::pending::<()>()).await;
    }

    async fn begin(
        &self,
        point: &Name,
        event: Option<&str>,
        stream: &str,
        encoder: &str,
    ) -> Result<Push, Error> {
        self.points.for_push(point).await?.begin(event, stream, encoder)
    }

    /// Judges the head of a push.
    fn admit(&self, path: &IngestPath, head: &Parts) -> Result<(), Refusal> {
        let refused = |status, code, sentence| Err(Refusal::Head(status, code, sentence));
        if let Err(fault) = Head::read(head.version, &head.uri, &head.headers) {
            return refused(StatusCode::BAD_REQUEST, "malformed-request", fault);
        }
        if !matches!(head.method, Method::POST | Method::PUT | Method::DELETE) {
            let sentence = "a stream is pushed by POST or PUT";
            return refused(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", sentence);
        }
        let (event, stream) = match &path.place {
            Place::Stream { event, stream: id }
            | Place::Folder { event, stream: id }
            | Place::File { event, name: id } => (event.as_deref(), Some(id.as_str())),
            Place::Point { event } | Place::Manifest { event, .. } => (event.as_deref(), None),
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
        if head.method != Method::DELETE && !has_framing(head) {
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

    /// Counts a push of an address, as long as what this returns lives.
    fn count(&self, head: &Parts) -> Result<Option<Counted>, Refusal> {
        let Some(peer) = head.extensions.get::<Peer>() else { return Ok(None) };
        let counted = self.peers.count(peer.address.to_canonical(), self.pushes_per_address);
        let too_many = || Error::from(ErrorKind::Busy("too many pushes of this address run"));
        counted.map(Some).ok_or_else(|| too_many().into())
    }

    /// Ends the streams that end by an encoder's own manifest.
    async fn end_by(
        &self,
        path: &IngestPath,
        event: Option<&str>,
        pusher: &Pusher,
        said: &Said,
    ) -> Result<(), Refusal> {
        let Some(point) = self.points.get(&path.point) else { return Ok(()) };
        self.flat.restore(pusher, || point.known_streams(event, pusher.encoder()));
        let ended = self.flat.manifest(pusher, said);
        if ended.is_empty() {
            return Ok(());
        }
        // The last segments come on connections of their own, and may end later.
        self.pause(LAST_SEGMENTS).await;
        let last = point.pushes_of(event, &ended, pusher.encoder());
        let mut waited = Duration::ZERO;
        while waited < LONGEST_SEGMENT && point.runs_any(&last) {
            self.pause(PAUSE).await;
            waited += PAUSE;
        }
        for stream in ended {
            let mut push = point.begin(event, &stream, pusher.encoder())?;
            push.push(&Bytes::from_static(END_OF_STREAM))?;
            push.end().await?;
        }
        Ok(())
    }

    /// Reads a body, and returns its beginning and its end.
    async fn read_over<B>(
        &self,
        mut body: Pin<&mut B>,
        unbegun: &Unbegun,
    ) -> Result<Vec<u8>, Refusal>
    where
        B: Body,
        B::Error: Display,
    {
        let (mut read, mut beginning, mut end) = (0, Vec::new(), Vec::new());
        while let Some(bytes) = self.next(body.as_mut(), Taker::Nobody(unbegun)).await? {
            read += bytes.len() as u64;
            if read > LONGEST_MANIFEST {
                let (what, limit) = ("bytes of a pushed manifest", LONGEST_MANIFEST);
                return Err(Error::from(ErrorKind::Budget { what, found: read, limit }).into());
            }
            let room = BEGINNING - beginning.len();
            let (first, more) = bytes.split_at(bytes.len().min(room));
            beginning.extend_from_slice(first);
            end.extend_from_slice(&more[more.len().saturating_sub(END)..]);
            let beyond = end.len().saturating_sub(END);
            end.drain(..beyond);
        }
        beginning.append(&mut end);
        Ok(beginning)
    }

    /// The next bytes of a body; `None` at its end.
    async fn next<B>(&self, body: Pin<&mut B>, taker: Taker<'_>) -> Result<Option<Bytes>, Refusal>
    where
        B: Body,
        B::Error: Display,
    {
        let read = next_of(body, taker);
        let Some(limit) = self.idle_timeout else { return read.await };
        let timer = self.points.timer();
        within(&*timer, limit, read).await.unwrap_or(Err(Refusal::Idle))
    }
}

/// The next bytes of a body, unless it is to end before they come.
async fn next_of<B>(mut body: Pin<&mut B>, taker: Taker<'_>) -> Result<Option<Bytes>, Refusal>
where
    B: Body,
    B::Error: Display,
{
    let mut closed = pin!(async {
        match taker {
            Taker::Push(push) => push.closed().await,
            Taker::Nobody(body) => body.closed().await,
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

/// Returns the name by which two encoders of one stream are told apart.
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
        Some(
            Place::Stream { stream: id, .. }
            | Place::Folder { stream: id, .. }
            | Place::File { name: id, .. },
        ) => {
            format!("stream `{id}` from {from}")
        }
        _ => format!("{} from {from}", head.method),
    }
}
