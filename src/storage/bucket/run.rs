//! The place where the futures of an `object_store` run.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};

/// A piece of work for a runtime.
pub(super) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs work in the task of the caller, or where the host says.
#[derive(Clone, Default)]
pub(super) struct Runner(Option<Arc<dyn Fn(Work) + Send + Sync>>);

impl Runner {
    /// Work is given to this function.
    pub(super) fn by(run: impl Fn(Work) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(run)))
    }

    /// Runs a future to its end. If the future that is returned is dropped, the work ends, too.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = io::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        let Some(run) = &self.0 else { return work.await };
        let (mut sender, receiver) = oneshot::channel();
        run(Box::pin(async move {
            let done = match select(pin!(work), sender.cancellation()).await {
                Either::Left((done, _)) => done,
                Either::Right(_) => return,
            };
            // Nobody waits any more if this fails.
            let _ = sender.send(done);
        }));
        match receiver.await {
            Ok(done) => done,
            Err(_) => Err(io::Error::other("the runtime dropped a request to the store")),
        }
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Runner(host)" } else { "Runner(caller)" })
    }
}
