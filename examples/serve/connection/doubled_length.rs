//! Notices a `Content-Length` that is there twice. hyper drops the second field if it has the value
//! of the first, so that no service sees it. RFC 9110, 8.6, lets a server refuse such a request: its
//! sender is broken or an attacker, and a proxy in front may read it differently.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose heads are watched as they are read.
pub(crate) struct Watched<S> {
    stream: Pin<Box<S>>,
    lines: Lines,
    doubled: Doubled,
}

/// Set if a head with two lengths was read on a connection. From then on, every request on the
/// connection is refused, also one that arrived just before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doubled(Arc<AtomicBool>);

/// Follows the lines of heads. The lines of bodies are taken for lines of heads: those that encoders
/// push have none with that name.
#[derive(Default)]
struct Lines {
    /// Fields of that name since the last empty line.
    lengths: u8,
    line: Line,
}

#[derive(Clone, Copy)]
enum Line {
    /// The line begins with this many bytes of the name.
    Matches(usize),
    /// It is another field.
    Other,
}

const NAME: &[u8] = b"content-length:";

impl<S> Watched<S> {
    pub(crate) fn new(stream: S) -> (Self, Doubled) {
        let doubled = Doubled::default();
        let watched =
            Self { stream: Box::pin(stream), lines: Lines::default(), doubled: doubled.clone() };
        (watched, doubled)
    }
}

impl Doubled {
    pub(crate) fn was_seen(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::Matches(0)
    }
}

impl Lines {
    /// Takes the bytes that come next; `true` where a head has a second length.
    fn read(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((&byte, rest)) = bytes.split_first() {
            (self.line, bytes) = match (self.line, byte) {
                (Line::Other, _) => match memchr(b'\n', bytes) {
                    Some(end) => (Line::default(), &bytes[end + 1..]),
                    None => return false,
                },
                (Line::Matches(0), b'\n') => {
                    self.lengths = 0;
                    (Line::default(), rest)
                }
                (Line::Matches(0), b'\r') => (Line::default(), rest),
                // `seen` is less than the length of the name: at that it is another line.
                (Line::Matches(seen), byte) if byte.to_ascii_lowercase() == NAME[seen] => {
                    if seen + 1 < NAME.len() {
                        (Line::Matches(seen + 1), rest)
                    } else {
                        self.lengths += 1;
                        if self.lengths == 2 {
                            return true;
                        }
                        (Line::Other, rest)
                    }
                }
                // The byte may be the end of the line.
                (Line::Matches(_), _) => (Line::Other, bytes),
            };
        }
        false
    }
}

impl<S: AsyncRead> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(this.stream.as_mut().poll_read(context, buffer))?;
        if !this.doubled.was_seen() && this.lines.read(&buffer.filled()[before..]) {
            this.doubled.0.store(true, Ordering::Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream.as_mut().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().stream.as_mut().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_shutdown(context)
    }
}
