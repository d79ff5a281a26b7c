//! One body that an encoder pushes.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;

use bytes::Bytes;
use futures_util::task::AtomicWaker;

use super::point::LivePoint;
use crate::base::{Error, ErrorKind};
use crate::live::PushId;

/// A body that an encoder pushes to a publishing point. If it is dropped before its
/// [end](Self::end), the connection was lost: the event goes on.
///
/// ```
/// use bytes::Bytes;
/// use smooth_origin::Error;
/// use smooth_origin::origin::LivePoints;
///
/// /// Takes a body that is in memory.
/// async fn take(points: &LivePoints, body: Bytes) -> Result<(), Error> {
///     let point = points.for_push(&Name::new("events/news.isml")?)?;
///     let mut push = point.begin(None, "enc1", "192.0.2.1")?;
///     push.push(&body)?;
///     push.end().await
/// }
/// ```
pub struct Push {
    point: Arc<LivePoint>,
    /// The number of the push, until it has ended.
    id: Option<PushId>,
    number: PushId,
    signal: Arc<Signal>,
}

/// Tells the task of a push that nothing more is taken of it.
#[derive(Debug, Default)]
pub(super) struct Signal {
    closed: AtomicU8,
    waker: AtomicWaker,
}

/// The reason why nothing more is taken of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Closed {
    Replaced = 1,
    Stopped = 2,
}

impl Signal {
    /// Closes the push, once.
    pub(super) fn close(&self, why: Closed) {
        let _ = self.closed.compare_exchange(0, why as u8, Ordering::AcqRel, Ordering::Acquire);
        self.waker.wake();
    }

    fn error(&self) -> Option<Error> {
        let why = match self.closed.load(Ordering::Acquire) {
            0 => return None,
            why if why == Closed::Replaced as u8 => {
                "the encoder has begun another push of the same stream"
            }
            _ => "the publishing point has stopped",
        };
        Some(ErrorKind::Busy(why).into())
    }
}

impl Push {
    pub(super) fn new(point: Arc<LivePoint>, id: PushId, signal: Arc<Signal>) -> Self {
        Self { point, id: Some(id), number: id, signal }
    }

    /// The publishing point.
    pub fn point(&self) -> &Arc<LivePoint> {
        &self.point
    }

    /// Takes the next bytes of the body. What is whole by them is published before this returns.
    ///
    /// # Errors
    /// Nothing more can be taken of this body: [`ErrorKind::status`] says why. A fragment that is broken by
    /// itself is refused without an error, and reported as an event.
    pub fn push(&mut self, bytes: &Bytes) -> Result<(), Error> {
        if let Some(error) = self.signal.error() {
            return Err(error);
        }
        let Some(id) = self.id else { return Ok(()) };
        self.point.take(id, bytes)
    }

    /// Waits until the archive has what was published so far, if there is one. A host waits for it before
    /// it takes more of the body, so that an encoder waits for an archive that is slow.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`] if so much waits for the archive that no more can be taken.
    pub async fn settle(&self) -> Result<(), Error> {
        self.point.settle().await
    }

    /// Ends the body, and waits until the archive has everything that was published.
    ///
    /// # Errors
    /// What was pushed is no whole body, or the archive does not take it.
    pub async fn end(mut self) -> Result<(), Error> {
        let Some(id) = self.id.take() else { return Ok(()) };
        self.point.end_of(id)?;
        self.point.acknowledge().await
    }

    /// Waits until nothing more is taken of the body: because the encoder has begun another push of the
    /// same stream, or because the point has stopped. Returns the error for the encoder.
    pub async fn closed(&self) -> Error {
        poll_fn(|context| {
            self.signal.waker.register(context.waker());
            self.signal.error().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        self.point.forget_push(self.number);
        if let Some(id) = self.id.take() {
            self.point.lose(id);
        }
    }
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("point", self.point.name())
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
