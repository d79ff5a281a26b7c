//! The activity of a connection of HTTP/2: requests that run, and bytes that the client takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::time::{Instant, sleep_until};

/// The activity of a connection. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Activity(Arc<Counts>);

#[derive(Default)]
struct Counts {
    begun: AtomicU64,
    ended: AtomicU64,
    /// Requests whose response is being sent.
    sending: AtomicU64,
    /// Bytes of bodies that the connection has sent.
    sent: AtomicU64,
}

/// A request that runs until this is dropped.
pub(super) struct Running {
    activity: Activity,
    is_sending: bool,
}

/// A part of a body whose bytes are counted when they are sent.
pub(super) struct Counted<B> {
    piece: B,
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
    sent: u64,
}

/// The reason why a connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was asked for a while, and everything is answered.
    Idle,
    /// Responses wait, and the client takes nothing of them.
    Stuck,
}

/// A client that takes fewer bytes in one period takes nothing.
const LEAST: u64 = 1024;

impl Activity {
    pub(super) fn begin(&self) -> Running {
        self.0.begun.fetch_add(1, Ordering::Relaxed);
        Running { activity: self.clone(), is_sending: false }
    }

    /// Returns a part of a body that is counted.
    pub(super) fn count<B>(&self, piece: B) -> Counted<B> {
        Counted { piece, activity: self.clone() }
    }

    fn seen(&self) -> Seen {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Seen { begun: of(&self.0.begun), ended: of(&self.0.ended), sent: of(&self.0.sent) }
    }
}

impl Running {
    /// Notes that there is a response: the client is to take it.
    pub(super) fn answered(mut self) -> Self {
        self.activity.0.sending.fetch_add(1, Ordering::Relaxed);
        self.is_sending = true;
        self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.activity.0.ended.fetch_add(1, Ordering::Relaxed);
        if self.is_sending {
            self.activity.0.sending.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<B: Buf> Counted<B> {
    fn sent(&self, count: usize) {
        self.activity.0.sent.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl<B: Buf> Buf for Counted<B> {
    fn remaining(&self) -> usize {
        self.piece.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.piece.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.sent(count);
        self.piece.advance(count);
    }

    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        self.sent(count);
        self.piece.copy_to_bytes(count)
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
        let is_quiet =
            (old.begun, old.ended) == (new.begun, new.ended) && new.sent - old.sent < LEAST;
        self.seen = new;
        if !is_quiet {
            self.quiet_since = now;
            return None;
        }
        let quiet = now - self.quiet_since;
        if self.activity.0.sending.load(Ordering::Relaxed) > 0 {
            return (quiet >= self.stuck_after).then_some(Verdict::Stuck);
        }
        // A request without a response waits for the server.
        (new.begun == new.ended && quiet >= self.idle_after).then_some(Verdict::Idle)
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
        let _running = activity.begin().answered();
        let (mut watchdog, start) = watched(&activity);
        let mut piece = activity.count(Bytes::from(vec![0; LEAST as usize]));
        piece.advance(LEAST as usize);
        assert_eq!(watchdog.look(start + Duration::from_secs(30)), None);
        assert_eq!(watchdog.look(start + Duration::from_secs(60)), Some(Verdict::Stuck));
    }

    #[tokio::test]
    async fn a_request_that_waits_for_the_server_keeps_its_connection() {
        let activity = Activity::default();
        let _running = activity.begin();
        let (mut watchdog, start) = watched(&activity);
        assert_eq!(watchdog.look(start + Duration::from_secs(600)), None);
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
