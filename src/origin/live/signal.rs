//! The end of a push that the publishing point wants, and not its encoder.

use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use crate::base::{Error, ErrorKind};

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
    /// The process ends.
    Suspended = 3,
}

impl Signal {
    /// Closes the push, once.
    pub(super) fn close(&self, why: Closed) {
        let _ = self.closed.compare_exchange(0, why as u8, Ordering::AcqRel, Ordering::Acquire);
        self.waker.wake();
    }

    /// Polls for the error with which the push is closed.
    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Error> {
        self.waker.register(context.waker());
        self.error().map_or(Poll::Pending, Poll::Ready)
    }

    /// The error for the encoder, if the push is closed.
    pub(super) fn error(&self) -> Option<Error> {
        let why = match self.closed.load(Ordering::Acquire) {
            0 => return None,
            why if why == Closed::Replaced as u8 => {
                "the encoder has begun another push of the same stream"
            }
            why if why == Closed::Suspended as u8 => "the server ends; push to the next one",
            _ => "the publishing point has stopped",
        };
        Some(ErrorKind::Busy(why).into())
    }
}
