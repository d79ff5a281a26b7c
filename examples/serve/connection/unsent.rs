//! Parts of bodies that a connection of HTTP/2 has read and not sent: no more than there are places, so
//! that a client that asks for much and takes nothing holds little memory.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// The places of a connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

/// A body that takes a place before it reads a part.
pub(super) struct Placed<B> {
    body: B,
    places: Places,
    /// The place of the part that is being read.
    place: Option<OwnedSemaphorePermit>,
    waiting: Option<Waiting>,
}

type Waiting =
    Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send + 'static>>;

/// A part of a body, which has its place until it is sent.
pub(super) struct Part<D> {
    piece: D,
    _place: Option<OwnedSemaphorePermit>,
}

/// Longest part of a body that is read at once.
const PART: u64 = 1 << 20;

/// Connections that together may hold all memory for bodies.
const SHARES: u64 = 16;

/// Fewest places: one part is sent while the next is read.
const FEWEST: usize = 2;

impl Places {
    /// Returns the places of a connection of a server with so many bytes for bodies.
    pub(super) fn of(body_memory: u64) -> Self {
        let count = usize::try_from(body_memory / SHARES / PART).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Semaphore::new(count.clamp(FEWEST, Semaphore::MAX_PERMITS))))
    }

    pub(super) fn hold<B>(&self, body: B) -> Placed<B> {
        Placed { body, places: self.clone(), place: None, waiting: None }
    }
}

impl<B> Placed<B> {
    /// Waits until this body has a place.
    fn poll_place(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.place.is_none() {
            let taken = match &mut self.waiting {
                None => match Arc::clone(&self.places.0).try_acquire_owned() {
                    Ok(place) => Ok(place),
                    Err(_) => {
                        let waiting = Box::pin(Arc::clone(&self.places.0).acquire_owned());
                        ready!(self.waiting.insert(waiting).as_mut().poll(context))
                    }
                },
                Some(waiting) => ready!(waiting.as_mut().poll(context)),
            };
            self.waiting = None;
            // Nobody closes the semaphore.
            self.place = taken.ok();
        }
        Poll::Ready(())
    }
}

impl<B: Body + Unpin> Body for Placed<B> {
    type Data = Part<B::Data>;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, B::Error>>> {
        let this = self.get_mut();
        ready!(this.poll_place(context));
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        let place = this.place.take();
        Poll::Ready(
            frame.map(|frame| {
                frame.map(|frame| frame.map_data(|piece| Part { piece, _place: place }))
            }),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<D: Buf> Buf for Part<D> {
    fn remaining(&self) -> usize {
        self.piece.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.piece.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.piece.advance(count);
    }

    fn copy_to_bytes(&mut self, count: usize) -> Bytes {
        self.piece.copy_to_bytes(count)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use http_body_util::Full;

    use super::*;

    fn poll<B: Body + Unpin>(body: &mut B) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_body_waits_until_a_part_of_another_is_sent() {
        let places = Places::of(0);
        let body = || places.hold(Full::new(Bytes::from_static(b"part")));
        let mut bodies = [body(), body(), body()];
        let [first, second, third] = &mut bodies;
        let (sent, held) = (poll(first), poll(second));
        assert!(sent.is_ready() && held.is_ready() && poll(third).is_pending());
        drop(sent);
        assert!(poll(third).is_ready());
        drop(held);
    }

    #[test]
    fn a_body_that_ends_while_it_waits_takes_no_place() {
        let places = Places::of(0);
        let body = || places.hold(Full::new(Bytes::from_static(b"part")));
        let (mut first, mut second, mut gone, mut last) = (body(), body(), body(), body());
        let held = [poll(&mut first), poll(&mut second)];
        assert!(poll(&mut gone).is_pending() && poll(&mut last).is_pending());
        drop(gone);
        drop(held);
        assert!(poll(&mut last).is_ready());
    }

    #[test]
    fn a_connection_has_a_small_share_of_the_memory() {
        assert_eq!(Places::of(256 << 20).0.available_permits(), 16);
        assert_eq!(Places::of(0).0.available_permits(), FEWEST);
        assert!(Places::of(u64::MAX).0.available_permits() > FEWEST);
    }
}
