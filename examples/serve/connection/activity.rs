//! The activity of a connection of HTTP/2: requests that run, and bytes that the client takes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// The activity of a connection. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Activity(Arc<Counts>);

#[derive(Default)]
struct Counts {
    begun: AtomicU64,
    ended: AtomicU64,
    written: AtomicU64,
}

/// A request that runs until this is dropped.
pub(super) struct Running(Activity);

/// A stream whose written bytes are counted.
pub(super) struct Counted<S> {
    stream: Pin<Box<S>>,
    activity: Activity,
}

/// Looks at an activity from time to time.
pub(super) struct Watchdog {
    activity: Activity,
    idle_after: Duration,
    stuck_after: Duration,
    seen: Seen,
    /// Time since which nothing was asked, and since which nothing was taken.
    quiet_since: Instant,
    next: Instant,
}

/// The activity at one time.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    begun: u64,
    ended: u64,
    written: u64,
}

/// The reason why a connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was asked for a while, and everything is answered.
    Idle,
    /// Responses wait, and the client takes nothing of them.
    Stuck,
}

/// Bytes that are no part of a response, such as the answers to pings, are fewer in one period.
const NO_RESPONSE: u64 = 4096;

impl Activity {
    pub(super) fn begin(&self) -> Running {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        Running(self.clone())
    }

    fn seen(&self) -> Seen {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Seen { begun: of(&self.0.begun), ended: of(&self.0.ended), written: of(&self.0.written) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl Watchdog {
    pub(super) fn new(activity: Activity, idle_after: Duration, stuck_after: Duration) -> Self {
        let now = Instant::now();
        let next = now + idle_after.min(stuck_after);
        let seen = activity.seen();
        Self { activity, idle_after, stuck_after, seen, quiet_since: now, next }
    }

    /// Waits until the connection is of no use. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Verdict {
        loop {
            sleep_until(self.next).await;
            self.next += self.idle_after.min(self.stuck_after);
            if let Some(verdict) = self.look(Instant::now()) {
                return verdict;
            }
        }
    }

    fn look(&mut self, now: Instant) -> Option<Verdict> {
        let (old, new) = (self.seen, self.activity.seen());
        let is_quiet = (old.begun, old.ended) == (new.begun, new.ended)
            && new.written - old.written < NO_RESPONSE;
        self.seen = new;
        if !is_quiet {
            self.quiet_since = now;
            return None;
        }
        let quiet = now - self.quiet_since;
        let is_running = new.begun > new.ended;
        match is_running {
            true => (quiet >= self.stuck_after).then_some(Verdict::Stuck),
            false => (quiet >= self.idle_after).then_some(Verdict::Idle),
        }
    }
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S, activity: Activity) -> Self {
        Self { stream: Box::pin(stream), activity }
    }

    fn count(&self, written: usize) -> usize {
        self.activity.0.written.fetch_add(written as u64, Ordering::Relaxed);
        written
    }
}

impl<S: AsyncRead> AsyncRead for Counted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().stream.as_mut().poll_read(context, buffer)
    }
}

impl<S: AsyncWrite> AsyncWrite for Counted<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(this.stream.as_mut().poll_write(context, bytes))?;
        Poll::Ready(Ok(this.count(written)))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(this.stream.as_mut().poll_write_vectored(context, slices))?;
        Poll::Ready(Ok(this.count(written)))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(activity: &Activity) -> (Watchdog, Instant) {
        let watchdog =
            Watchdog::new(activity.clone(), Duration::from_secs(60), Duration::from_secs(30));
        let start = watchdog.quiet_since;
        (watchdog, start)
    }

    #[tokio::test]
    async fn a_connection_without_requests_is_idle_after_its_time() {
        let (mut watchdog, start) = watched(&Activity::default());
        assert_eq!(watchdog.look(start + Duration::from_secs(30)), None);
        assert_eq!(watchdog.look(start + Duration::from_secs(60)), Some(Verdict::Idle));
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_stuck_and_one_that_takes_something_is_not() {
        let activity = Activity::default();
        let _running = activity.begin();
        let (mut watchdog, start) = watched(&activity);
        activity.0.written.fetch_add(NO_RESPONSE, Ordering::Relaxed);
        assert_eq!(watchdog.look(start + Duration::from_secs(30)), None);
        assert_eq!(watchdog.look(start + Duration::from_secs(60)), Some(Verdict::Stuck));
    }

    #[tokio::test]
    async fn requests_that_end_keep_a_connection() {
        let activity = Activity::default();
        let (mut watchdog, start) = watched(&activity);
        drop(activity.begin());
        assert_eq!(watchdog.look(start + Duration::from_secs(60)), None);
        assert_eq!(watchdog.look(start + Duration::from_secs(120)), Some(Verdict::Idle));
    }
}
