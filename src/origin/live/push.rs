//! One body that an encoder pushes.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;

use super::point::LivePoint;
use super::signal::Signal;
use crate::base::Error;
use crate::live::PushId;

/// A body that an encoder pushes to a publishing point. If it is dropped before its
/// [end](Self::end), the connection was lost: the event goes on.
///
/// ```
/// use bytes::Bytes;
/// use smooth_origin::origin::LivePoints;
/// use smooth_origin::{Error, Name};
///
/// /// Takes a body that is in memory.
/// async fn take(points: &LivePoints, body: Bytes) -> Result<(), Error> {
///     let point = points.for_push(&Name::new("events/news.isml")?).await?;
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

impl LivePoint {
    /// Begins to take a body. `event` and `stream` are the identifiers of the URL, `encoder` is something
    /// by which two encoders of one stream differ, such as an address. A push of the same stream by the
    /// same encoder takes the place of an earlier one when it has brought a header of the same track: the
    /// connection of the earlier one may look open for a long time.
    ///
    /// # Errors
    /// The point takes no pushes now.
    pub fn begin(
        self: &Arc<Self>,
        event: Option<&str>,
        stream: &str,
        encoder: &str,
    ) -> Result<Push, Error> {
        let (id, signal) = self.open(event, stream, encoder)?;
        Ok(Push { point: Arc::clone(self), id: Some(id), number: id, signal })
    }
}

impl Push {
    /// The publishing point.
    pub fn point(&self) -> &Arc<LivePoint> {
        &self.point
    }

    /// Takes the next bytes of the body. What is whole by them, and waits for no other fragment, is published before this
    /// returns. With an archive, players get it once that has it: see [`settle`](Self::settle).
    ///
    /// # Errors
    /// Nothing more can be taken of this body: [`ErrorKind::status`](crate::ErrorKind::status) says why. A fragment that is broken by
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
    /// [`ErrorKind::Busy`](crate::ErrorKind::Busy) if so much waits for the archive that no more can be taken.
    pub async fn settle(&self) -> Result<(), Error> {
        self.point.settle().await
    }

    /// Ends the body, and waits until the archive has everything that was published.
    ///
    /// # Errors
    /// What was pushed is no whole body, or the archive does not take it.
    pub async fn end(mut self) -> Result<(), Error> {
        if let Some(error) = self.signal.error() {
            return Err(error);
        }
        let Some(id) = self.id.take() else { return Ok(()) };
        self.point.end_of(id)?;
        self.point.acknowledge().await
    }

    /// Waits until nothing more is taken of the body: because the encoder has begun another push of the
    /// same stream, or because the point has stopped. Returns the error for the encoder.
    pub async fn closed(&self) -> Error {
        poll_fn(|context| self.signal.poll(context)).await
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
