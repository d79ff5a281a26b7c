//! Futures that are polled a few times and no more.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Polls a future up to `polls` times, each time that it asks for it; gives its output if it ends.
pub(super) async fn poll_up_to<F: Future>(
    mut future: Pin<&mut F>,
    polls: usize,
) -> Option<F::Output> {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Polls a future up to `polls` times, and drops it.
pub(super) async fn begin_and_drop<F: Future>(future: F, polls: usize) {
    let mut future = Box::pin(future);
    poll_up_to(future.as_mut(), polls).await;
}

/// Polls after which futures are dropped: before the first, and in the middle.
pub(super) const DROPPED_AFTER: [usize; 4] = [0, 1, 2, 3];
