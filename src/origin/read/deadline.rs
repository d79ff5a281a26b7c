//! The time that an opening may take.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::base::{ReadError, ReadErrorKind};
use crate::origin::host::Host;
use crate::storage::timer::within;

/// When an opening, or a look at the files of one, must be done.
#[derive(Debug)]
pub(in crate::origin) struct Deadline<'a> {
    host: &'a Host,
    began: Duration,
    limit: Duration,
}

impl<'a> Deadline<'a> {
    /// From now on, by the origin's clock.
    pub(in crate::origin) fn new(host: &'a Host, limit: Duration) -> Self {
        Self { host, began: host.clock.now(), limit }
    }

    /// How long it has taken so far.
    pub(in crate::origin) fn spent(&self) -> Duration {
        self.host.clock.now().saturating_sub(self.began)
    }

    /// What comes of a read, if it comes in time. After the deadline none is begun.
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

    /// The same for one of many short reads: the clock is only read where such a read has to wait.
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
