//! The faults of a store: what is tried again, made twice, left alone, or reported, and what a client
//! sees of it. No test waits: time is virtual.

mod breaker;
mod damage;
mod hedge;
mod resilience;
mod retry;
mod scripted;
mod simulation;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Polls a future once.
fn poll<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
