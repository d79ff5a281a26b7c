//! A client's socket: bytes from memory and from files, each wait with its time-out.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::time::Duration;

use bytes::BytesMut;
use common::client_limits::WRITE_TIMEOUT;
use rustix::fs::sendfile;
use rustix::net::sockopt::set_tcp_cork;
use rustix::net::{SendFlags, Shutdown, send, shutdown};
use smooth_origin::storage::{LocalFile, RangeSource};
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::page_cache;
use super::timer::Timer;

pub(super) struct Socket {
    stream: TcpStream,
    timer: Timer,
}

/// The longest body that is sent without a cork. A longer one goes out in several segments, of which
/// only the last may be short; without a cork, each acknowledgement that comes meanwhile would send
/// whatever is queued, however little.
const SEGMENT: u64 = 64 << 10;

/// Bytes of a file after which it is another connection's turn.
const TURN: u64 = 2 << 20;

/// Bytes that are read at once of a range that the page cache does not hold.
const COLD: u64 = 256 << 10;

impl Socket {
    pub(super) fn new(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        Self { stream, timer: Timer::new(Instant::now() + WRITE_TIMEOUT) }
    }

    /// Appends what the client has sent, as far as there is room; 0 at its end.
    pub(super) async fn read(
        &mut self,
        input: &mut BytesMut,
        deadline: Instant,
    ) -> io::Result<usize> {
        self.timer.until(deadline, self.stream.read_buf(input)).await
    }

    /// Sends both, one behind the other.
    pub(super) async fn write(&mut self, mut first: &[u8], mut second: &[u8]) -> io::Result<()> {
        while !(first.is_empty() && second.is_empty()) {
            let slices = [IoSlice::new(first), IoSlice::new(second)];
            let sent = self.stream.try_write_vectored(&slices);
            if let Some(sent) = self.sent(sent).await? {
                let of_first = sent.min(first.len());
                first = &first[of_first..];
                second = &second[sent - of_first..];
            }
        }
        Ok(())
    }

    /// Sends bytes that more follow.
    async fn write_more(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = self.stream.try_io(Interest::WRITABLE, || {
                Ok(send(&self.stream, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)?)
            });
            if let Some(sent) = self.sent(sent).await? {
                bytes = &bytes[sent..];
            }
        }
        Ok(())
    }

    /// Sends a head and behind it a range of a file.
    pub(super) async fn write_file(
        &mut self,
        head: &[u8],
        file: &LocalFile,
        range: Range<u64>,
    ) -> io::Result<()> {
        let is_long = range.end - range.start > SEGMENT;
        if is_long {
            set_tcp_cork(&self.stream, true)?;
        }
        self.write_more(head).await?;
        self.write_range(file, range).await?;
        if is_long {
            set_tcp_cork(&self.stream, false)?;
        }
        Ok(())
    }

    /// Sends a range of a file: what the page cache holds by `sendfile`, the rest as it is read by a
    /// thread that may wait for the disk.
    async fn write_range(&mut self, file: &LocalFile, range: Range<u64>) -> io::Result<()> {
        let mut part = range.start..range.start;
        while part.end < range.end {
            part = part.end..range.end.min(part.end + TURN);
            if part.start > range.start {
                yield_now().await;
            }
            if page_cache::holds(file, &part) {
                self.write_cached(file, part.clone()).await?;
            } else {
                part.end = part.end.min(part.start + COLD);
                self.write(&file.read(part.clone()).await?, &[]).await?;
            }
        }
        Ok(())
    }

    /// Sends a range of a file by `sendfile`.
    ///
    /// Before each call it must be the file that was opened: of one that is rewritten in place no
    /// more is sent. Asking after a call as well would cost another call and a packet of one byte,
    /// and would not help: what a call has queued are pages of the file, which change with it.
    async fn write_cached(&mut self, file: &LocalFile, range: Range<u64>) -> io::Result<()> {
        let mut offset = range.start;
        while offset < range.end {
            let count = (range.end - offset) as usize;
            let sent = self.stream.try_io(Interest::WRITABLE, || {
                file.check()?;
                Ok(sendfile(&self.stream, file, Some(&mut offset), count)?)
            });
            self.sent(sent).await?;
        }
        Ok(())
    }

    /// Returns how much was sent; waits if nothing could be.
    async fn sent(&mut self, sent: io::Result<usize>) -> io::Result<Option<usize>> {
        match sent {
            // Of a file that has become shorter.
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(sent) => Ok(Some(sent)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let deadline = Instant::now() + WRITE_TIMEOUT;
                self.timer.until(deadline, self.stream.writable()).await?;
                Ok(None)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends the connection so that the client sees the last response, even if the client has sent
    /// bytes that nobody has read: a reset would take the response back (RFC 9112, 9.6).
    pub(super) async fn close(mut self, mut input: BytesMut) -> io::Result<()> {
        shutdown(&self.stream, Shutdown::Write)?;
        let deadline = Instant::now() + LINGER;
        let mut left = LINGER_BYTES;
        while left > 0 {
            input.clear();
            input.reserve(16 << 10);
            match self.read(&mut input, deadline).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        Ok(())
    }
}

/// The longest time, and the most bytes, that a client is listened to after the last response.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 1 << 20;
