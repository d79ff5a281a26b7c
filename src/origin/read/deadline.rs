//! The time that an opening may take.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::settling::Patience;
use crate::base::{ReadError, ReadErrorKind};
use crate::origin::host::Host;
use crate::storage::timer::within;

/// The end of the time for an opening, or for a look at the files of one.
#[derive(Debug)]
pub(in crate::origin) struct Deadline<'a> {
    host: &'a Host,
    began: Duration,
    limit: Duration,
    /// The time in which files may settle.
    pub(in crate::origin) patience: Patience,
}

impl<'a> Deadline<'a> {
    /// A deadline that begins now, by the origin's clock.
    pub(in crate::origin) fn new(host: &'a Host, limit: Duration) -> Self {
        Self { host, began: host.clock.now(), limit, patience: Patience::default() }
    }

    /// Time that the opening has taken so far.
    pub(in crate::origin) fn spent(&self) -> Duration {
        self.host.clock.now().saturating_sub(self.began)
    }

    /// The outcome of a read, if the read ends in time. After the deadline, no read begins.
    pub(in crate::origin) async fn bound<T>(
        &self,
        read: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        let left = self.limit.saturating_sub(self.spent());
        if left.is_zero() {
            return Err(self.passed());
        }
        within(&*self.host.timer, left, read).await.unwrap_or_else(|| Err(self.passed()))
    }

    /// The outcome of one of many short reads, as [`bound`](Self::bound) has it. The clock is only
    /// read if such a read has to wait.
    pub(in crate::origin) async fn bound_wait<T>(
        &self,
        mut read: Pin<&mut impl Future<Output = Result<T, ReadError>>>,
    ) -> Result<T, ReadError> {
        match poll_fn(|context| Poll::Ready(read.as_mut().poll(context))).await {
            Poll::Ready(done) => done,
            Poll::Pending => self.bound(read).await,
        }
    }

    fn passed(&self) -> ReadError {
        let limit = self.limit.as_secs_f64();
        let why = format!("the opening took longer than {limit} s (`opening_timeout`)");
        let source = Some(Arc::new(io::Error::new(io::ErrorKind::TimedOut, why)));
        ReadError { source, ..ReadError::new(ReadErrorKind::Transient) }
    }
}
