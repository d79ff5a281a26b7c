//! Reads that have to wait for a disk, made where waiting does no harm.

use std::fmt;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use super::system::File;

/// A read that the host makes on a thread that may block: call it, and return its output.
pub type BlockingRead = Box<dyn FnOnce() -> io::Result<Bytes> + Send>;

type Reading = Pin<Box<dyn Future<Output = io::Result<Bytes>> + Send>>;

/// Makes reads somewhere else than in the task that asks for them.
#[derive(Clone)]
pub(super) struct Elsewhere(Arc<dyn Fn(BlockingRead) -> Reading + Send + Sync>);

impl Elsewhere {
    pub(super) fn new<F>(run: impl Fn(BlockingRead) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Bytes>> + Send + 'static,
    {
        Self(Arc::new(move |read| Box::pin(run(read))))
    }

    pub(super) async fn read(&self, file: &Arc<File>, range: Range<u64>) -> io::Result<Bytes> {
        let file = Arc::clone(file);
        (self.0)(Box::new(move || file.read(range))).await
    }
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Elsewhere")
    }
}
