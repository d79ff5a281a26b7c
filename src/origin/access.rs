//! The store as an origin reads it: so many operations at one time, each within its time.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::fragment_cache::FragmentCache;
use super::host::Host;
use super::settling::Settling;
use crate::base::{Error, ErrorKind, Name, ReadError, ReadErrorKind};
use crate::storage::budget::Budget;
use crate::storage::limit::Limit;
use crate::storage::timer::within;
use crate::storage::{AnyStore, Ends, Opening, RangeSource, Source, Stat, Store, read_error};

/// How often a request waits for a file that goes on changing.
const TRIES: usize = 3;

/// What an origin may ask of its store, and hold of what it gave.
#[derive(Clone, Debug)]
pub(super) struct AccessOptions {
    pub(super) reads: usize,
    pub(super) waiting: usize,
    pub(super) timeout: Duration,
    pub(super) body_bytes: u64,
    pub(super) fragment_cache: u64,
    pub(super) settling_time: Duration,
}

impl Default for AccessOptions {
    fn default() -> Self {
        Self {
            reads: 256,
            waiting: 1024,
            timeout: Duration::from_secs(10),
            body_bytes: 256 << 20,
            fragment_cache: 0,
            settling_time: Duration::from_secs(1),
        }
    }
}

#[derive(Debug)]
pub(super) struct Access {
    store: AnyStore,
    pub(super) limit: Limit,
    /// Bytes of bodies that were read and are not sent yet.
    pub(super) bodies: Arc<Budget>,
    pub(super) fragments: Option<FragmentCache>,
    waiting: usize,
    timeout: Duration,
    pub(super) settling: Settling,
    pub(super) host: Host,
}

impl Access {
    pub(super) fn new(store: AnyStore, options: &AccessOptions, host: Host) -> Self {
        let bodies = Budget::new(options.body_bytes);
        let keeps = options.fragment_cache > 0;
        Self {
            store,
            limit: Limit::new(options.reads),
            fragments: keeps
                .then(|| FragmentCache::new(options.fragment_cache, Arc::clone(&bodies))),
            bodies,
            waiting: options.waiting,
            timeout: options.timeout,
            settling: Settling::new(options.settling_time, host.clock.clone()),
            host,
        }
    }

    /// That not too many wait for the store: what is begun now would only make all wait longer.
    pub(super) fn admit(&self) -> Result<(), Error> {
        if self.limit.waiting() > self.waiting {
            self.host.counters.refusal();
            return Err(ErrorKind::Busy("too many requests wait for the storage").into());
        }
        Ok(())
    }

    /// Opens a file whose version has settled, and reads its ends if the store does that in one
    /// operation. Fails for a file that changed a moment ago.
    ///
    /// Right after the origin was built, it waits until such a file has settled.
    pub(super) async fn open(&self, name: &Name, ends: Ends) -> Result<Opening<Source>, ReadError> {
        let unsettled = {
            let opening = self.look(name, ends).await?;
            match self.settling.check(name, &opening.stat) {
                Ok(()) => return Ok(opening),
                Err(error) => error,
            }
        };
        // The file is not open while the request waits.
        Box::pin(self.open_later(name, ends, unsettled)).await
    }

    /// Opens a file of a folder of fragments. Waits if the file changed a moment ago.
    pub(super) async fn open_briefly(
        &self,
        name: &Name,
        ends: Ends,
    ) -> Result<Opening<Source>, ReadError> {
        for _ in 0..TRIES {
            let wait = {
                let opening = self.look(name, ends).await?;
                match self.settling.check_briefly(name, &opening.stat) {
                    Ok(()) => return Ok(opening),
                    Err(error) => Settling::short_wait(&error).ok_or(error)?,
                }
            };
            // The file is not open meanwhile.
            self.host.timer.sleep(wait).await;
        }
        let opening = self.look(name, ends).await?;
        self.settling.check_briefly(name, &opening.stat)?;
        Ok(opening)
    }

    async fn open_later(
        &self,
        name: &Name,
        ends: Ends,
        unsettled: ReadError,
    ) -> Result<Opening<Source>, ReadError> {
        let Some(wait) = self.settling.patience(&unsettled) else { return Err(unsettled) };
        self.host.timer.sleep(wait).await;
        let opening = self.look(name, ends).await?;
        self.settling.check(name, &opening.stat)?;
        Ok(opening)
    }

    /// Opens a file in its current version, settled or not.
    pub(super) async fn look(&self, name: &Name, ends: Ends) -> Result<Opening<Source>, ReadError> {
        self.run(self.store.open_with(name, ends)).await
    }

    /// Looks at a file in its current version, to compare it with a known version.
    pub(super) async fn stat_of(&self, name: &Name) -> Result<Stat, ReadError> {
        self.run(self.store.stat(name)).await
    }

    /// Looks again at a file that is open.
    pub(super) async fn stat(&self, source: &Source) -> Result<Stat, ReadError> {
        self.run(source.stat()).await
    }

    /// The name that a file is stored under, where it is spelled differently and that is known.
    pub(super) async fn stored_name(&self, name: &Name) -> Option<Name> {
        self.run(self.store.stored_name(name)).await.ok().flatten()
    }

    /// Names of the files in a folder.
    pub(super) async fn list(&self, folder: Option<&Name>) -> Result<Vec<Name>, ReadError> {
        self.run(self.store.list(folder)).await
    }

    pub(super) async fn read(
        &self,
        source: &Source,
        range: Range<u64>,
    ) -> Result<Bytes, ReadError> {
        let read = self.run(source.read(range)).await;
        self.host.counters.read(read.as_ref().map_or(0, Bytes::len));
        read
    }

    /// Reads several ranges of one file. They count as so many operations, because the store may
    /// make a read of each.
    pub(super) async fn read_many(
        &self,
        source: &Source,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, ReadError> {
        let most = self.limit.operations();
        if ranges.len() <= most {
            return self.read_some(source, ranges).await;
        }
        let mut read = Vec::with_capacity(ranges.len());
        for ranges in ranges.chunks(most) {
            read.extend(self.read_some(source, ranges).await?);
        }
        Ok(read)
    }

    /// Reads no more ranges than may be read at one time.
    async fn read_some(
        &self,
        source: &Source,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, ReadError> {
        let read = self.run_as(ranges.len(), source.read_many(ranges)).await;
        for number in 0..ranges.len() {
            let bytes = read.as_ref().ok().and_then(|read| read.get(number));
            self.host.counters.read(bytes.map_or(0, Bytes::len));
        }
        read
    }

    async fn run<T>(&self, call: impl Future<Output = io::Result<T>>) -> Result<T, ReadError> {
        self.run_as(1, call).await
    }

    async fn run_as<T>(
        &self,
        operations: usize,
        call: impl Future<Output = io::Result<T>>,
    ) -> Result<T, ReadError> {
        let done = self.limit.run(operations, self.within(call)).await;
        done.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())).map_err(read_error)
    }

    /// What comes of a future, if it comes in the time that one operation may take.
    pub(super) async fn within<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let output = within(&*self.host.timer, self.timeout, future).await;
        output.or_else(|| {
            self.host.counters.timeout();
            None
        })
    }
}

pub(super) fn timed_out() -> ReadError {
    let source = Some(Arc::new(io::Error::from(io::ErrorKind::TimedOut)));
    ReadError { source, ..ReadError::new(ReadErrorKind::Transient) }
}
