//! One connection: request by request, in their order.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;

use bytes::{Buf, Bytes, BytesMut};
use common::client_limits::{HEAD_ROOM, HEADER_TIMEOUT};
use http::{HeaderMap, Request, StatusCode, Uri, Version};
use http_body::Body as _;
use smooth_origin::origin::StoredBody;
use smooth_origin::service::ServiceBody;
use smooth_origin::storage::LocalFile;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::request::{Head, Parser};
use super::response::{OK, Persistence, end_head, write_head};
use super::socket::Socket;
use super::workers::{Busy, Context};

pub(super) struct Connection {
    socket: Socket,
    context: Context,
    /// Bytes that were read and not looked at yet.
    input: BytesMut,
    /// Bytes to be written: heads, and short parts of bodies.
    output: Vec<u8>,
    parser: Parser,
    request: Request<()>,
}

/// Most heads are shorter.
const FIRST_ROOM: usize = 2 << 10;

/// Less room is not worth a call.
const LEAST_ROOM: usize = 1 << 10;

/// A longer body of a request is not passed over: the connection ends.
const SKIPPED: u64 = 64 << 10;

/// Parts of a body that are shorter are copied, so that they go out with what is before them.
const COPIED: usize = 4 << 10;

impl Connection {
    pub(super) fn new(stream: TcpStream, context: Context) -> Self {
        Self {
            socket: Socket::new(stream),
            context,
            input: BytesMut::with_capacity(FIRST_ROOM),
            output: Vec::new(),
            parser: Parser::default(),
            request: Request::new(()),
        }
    }

    /// Serves requests until the client goes, or has to.
    ///
    /// # Errors
    /// Why the connection ended otherwise than a client wants it.
    pub(super) async fn serve(mut self) -> io::Result<()> {
        loop {
            let head = match self.next_head().await? {
                Some(Ok(head)) => head,
                Some(Err(status)) => return self.refuse(status).await,
                None => return Ok(()),
            };
            let busy = Occupied::new(&self.context.busy);
            let framing = head.framing;
            let body = framing.body.filter(|&length| length <= SKIPPED);
            let keeps = framing.keep_alive && body.is_some();
            if let Err(status) = self.answer(head, keeps).await? {
                return self.refuse(status).await;
            }
            drop(busy);
            match body {
                Some(0) if keeps => {}
                Some(length) if keeps => self.skip(length as usize).await?,
                // Nothing of the client's is left that a reset could be the answer to.
                Some(0) if self.input.is_empty() => return Ok(()),
                _ => return self.socket.close(self.input).await,
            }
        }
    }

    /// Reads until there is a whole head; `None` if the client has ended before.
    async fn next_head(&mut self) -> io::Result<Option<Result<Head, StatusCode>>> {
        let (mut deadline, mut seen) = (None, 0);
        loop {
            // A head that is not whole is not looked at again before another line has ended.
            if self.input[seen..].contains(&b'\n') {
                match self.parser.parse(&self.input) {
                    Ok(None) => {}
                    Ok(Some(head)) => return Ok(Some(Ok(head))),
                    Err(status) => return Ok(Some(Err(status))),
                }
            }
            seen = self.input.len();
            if seen >= HEAD_ROOM {
                return Ok(Some(Err(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)));
            }
            self.make_room();
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + HEADER_TIMEOUT);
            if self.socket.read(&mut self.input, deadline).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Room for some more input. What is left of the memory of heads before is used first.
    fn make_room(&mut self) {
        if self.input.capacity() - self.input.len() < LEAST_ROOM {
            self.input.reserve(self.input.len().clamp(FIRST_ROOM, HEAD_ROOM));
        }
    }

    /// Answers a request. Returns the status with which it is refused, if it is.
    async fn answer(&mut self, head: Head, keeps: bool) -> io::Result<Result<(), StatusCode>> {
        let persistence = match (keeps, head.version == Version::HTTP_10) {
            (true, true) => Persistence::Told,
            (false, false) => Persistence::Close,
            (true, false) | (false, true) => Persistence::Usual,
        };
        self.output.clear();
        let body = match self.respond_plain(&head, persistence) {
            Some(body) => body,
            None => match self.parser.take(head, &mut self.input, &mut self.request) {
                Ok(()) => Box::pin(self.respond(persistence)).await,
                Err(status) => return Ok(Err(status)),
            },
        };
        match body.stored() {
            Some(stored) if self.send_stored(&stored).await? => Ok(Ok(())),
            stored => self.send(body, stored.is_some()).await.map(Ok),
        }
    }

    /// Makes the response to a plain GET if there is nothing to wait for, as for most requests, and
    /// writes its head.
    fn respond_plain(&mut self, head: &Head, persistence: Persistence) -> Option<ServiceBody> {
        let plain = head.plain.as_ref()?;
        let path = str::from_utf8(&self.input[plain.path.clone()]).ok()?;
        let accept_encoding = &self.input[plain.accept_encoding.clone()];
        self.output.extend_from_slice(OK);
        let body = self.context.service.respond_plain(path, accept_encoding, &mut self.output);
        if body.is_some() {
            end_head(persistence, &mut self.output);
            head.skip(&mut self.input);
        } else {
            self.output.clear();
        }
        body
    }

    /// Makes the response to any request, and writes its head.
    async fn respond(&mut self, persistence: Persistence) -> ServiceBody {
        let (head, body) = self.context.service.respond(&self.request).await.into_parts();
        // So that the memory of the input can be used again.
        self.request.headers_mut().clear();
        *self.request.uri_mut() = Uri::default();
        let length = body.size_hint().exact().unwrap_or(0);
        write_head(head.status, &head.headers, length, persistence, &mut self.output);
        body
    }

    /// Sends a body straight from the local file of which it is a range. Returns `false` if there
    /// is no such file, or if the body must be copied because the file changed recently and may
    /// change again.
    async fn send_stored(&mut self, body: &StoredBody) -> io::Result<bool> {
        let range = body.range();
        let source = body.source().await.map_err(io::Error::other)?;
        let Some(file) = source.downcast_ref::<LocalFile>().filter(|_| !range.is_empty()) else {
            return Ok(false);
        };
        let copy_younger = self.context.copy_younger;
        if !copy_younger.is_zero() && file.age().at_least < copy_younger {
            return Ok(false);
        }
        let sent = self.socket.write_file(&self.output, file, range).await;
        sent.map_err(|error| match is_of_client(&error) {
            true => error,
            false => io::Error::other(body.failed(error)),
        })?;
        Ok(true)
    }

    /// Sends the head and any other body: the head goes out with what the body begins with. A body may
    /// begin with bytes in memory, and the rest may be a range of a file. `is_copied` is set if that
    /// range must be copied.
    async fn send(&mut self, body: ServiceBody, mut is_copied: bool) -> io::Result<()> {
        let mut body = pin!(body);
        while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
            let bytes = frame.map_err(io::Error::other)?.into_data().unwrap_or(Bytes::new());
            if bytes.len() < COPIED && self.output.len() < HEAD_ROOM {
                self.output.extend_from_slice(&bytes);
            } else {
                self.socket.write(&self.output, &bytes).await?;
                self.output.clear();
            }
            if !is_copied && let Some(stored) = body.stored() {
                if self.send_stored(&stored).await? {
                    return Ok(());
                }
                is_copied = true;
            }
        }
        self.socket.write(&self.output, &[]).await
    }

    /// Passes over the body of a request: nobody wants it.
    async fn skip(&mut self, mut length: usize) -> io::Result<()> {
        let mut deadline = None;
        while length > 0 {
            if self.input.is_empty() {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + HEADER_TIMEOUT);
                self.make_room();
                if self.socket.read(&mut self.input, deadline).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            let here = length.min(self.input.len());
            self.input.advance(here);
            length -= here;
        }
        Ok(())
    }

    /// Sends a status and ends the connection: the client does not speak HTTP, or too much of it.
    async fn refuse(mut self, status: StatusCode) -> io::Result<()> {
        self.output.clear();
        write_head(status, &HeaderMap::new(), 0, Persistence::Close, &mut self.output);
        self.socket.write(&self.output, &[]).await?;
        self.socket.close(self.input).await?;
        let refused = format!("a request was refused with {status}");
        Err(io::Error::new(io::ErrorKind::InvalidData, refused))
    }
}

/// A request that is being answered.
struct Occupied(Busy);

impl Occupied {
    fn new(busy: &Busy) -> Self {
        busy.fetch_add(1, Ordering::Relaxed);
        Self(Busy::clone(busy))
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns whether the client has gone away or stopped reading, which is no fault of the file.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut
    )
}
