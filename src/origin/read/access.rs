//! The gate to the store: a limited number of operations at one time, each within its time.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::settling::{Patience, Settling};
use crate::base::{Error, ErrorKind, Name, ReadError, ReadErrorKind};
use crate::origin::host::Host;
use crate::storage::limit::Limit;
use crate::storage::timer::within;
use crate::storage::{AnyStore, Ends, Opening, RangeSource, Source, Stat, Store, read_error};

/// Operations of a batch that are made at once.
pub(in crate::origin) const AT_ONCE: usize = 16;

/// Number of times that a request waits for a file that goes on changing.
const TRIES: usize = 3;

/// Limits of the operations of a store.
#[derive(Clone, Debug)]
pub(in crate::origin) struct AccessOptions {
    pub(in crate::origin) reads: usize,
    pub(in crate::origin) waiting: usize,
    pub(in crate::origin) timeout: Duration,
    pub(in crate::origin) settling_time: Duration,
    /// Set if versions of objects go into validators.
    pub(in crate::origin) versions: bool,
}

impl Default for AccessOptions {
    fn default() -> Self {
        Self {
            reads: 256,
            waiting: 1024,
            timeout: Duration::from_secs(10),
            settling_time: Duration::from_secs(1),
            versions: false,
        }
    }
}

/// The store as an origin uses it.
#[derive(Debug)]
pub(in crate::origin) struct Access {
    store: AnyStore,
    pub(in crate::origin) limit: Limit,
    waiting: usize,
    timeout: Duration,
    versions: bool,
    pub(in crate::origin) settling: Settling,
    pub(in crate::origin) host: Host,
}

impl Access {
    pub(in crate::origin) fn new(store: AnyStore, options: &AccessOptions, host: Host) -> Self {
        Self {
            store,
            limit: Limit::new(options.reads),
            waiting: options.waiting,
            timeout: options.timeout,
            versions: options.versions,
            settling: Settling::new(options.settling_time, host.clock.clone()),
            host,
        }
    }

    /// Returns the version that goes into validators, of a file with this stat. That of a file that may be
    /// written to differs from machine to machine.
    pub(in crate::origin) fn validated_version(&self, stat: &Stat) -> Option<Box<[u8]>> {
        let counts = self.versions && stat.age.is_none();
        counts.then(|| stat.version.as_bytes().into())
    }

    /// Checks that not too many operations wait for the store: one that begins now would only make
    /// all wait longer.
    pub(in crate::origin) fn admit(&self) -> Result<(), Error> {
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
    pub(in crate::origin) async fn open(
        &self,
        name: &Name,
        ends: Ends,
        patience: &Patience,
    ) -> Result<Opening<Source>, ReadError> {
        let unsettled = {
            let opening = self.look(name, ends).await?;
            match self.settling.check(name, &opening.stat) {
                Ok(()) => return Ok(opening),
                Err(error) => error,
            }
        };
        // The file is not open while the request waits.
        Box::pin(self.open_later(name, ends, patience, unsettled)).await
    }

    /// Opens a file of a folder of fragments. Waits if the file changed a moment ago.
    pub(in crate::origin) async fn open_briefly(
        &self,
        name: &Name,
        ends: Ends,
        patience: &Patience,
    ) -> Result<Opening<Source>, ReadError> {
        for _ in 0..TRIES {
            let wait = {
                let opening = self.look(name, ends).await?;
                match self.settling.check_briefly(name, &opening.stat) {
                    Ok(()) => return Ok(opening),
                    Err(error) => self.settling.short_wait(&error, patience).ok_or(error)?,
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
        patience: &Patience,
        unsettled: ReadError,
    ) -> Result<Opening<Source>, ReadError> {
        let wait = self.settling.wait_at_start(&unsettled, patience).ok_or(unsettled)?;
        self.host.timer.sleep(wait).await;
        let opening = self.look(name, ends).await?;
        self.settling.check(name, &opening.stat)?;
        Ok(opening)
    }

    /// Opens a file in its current version, settled or not. Ends that the store read as it opened the
    /// file count as reads.
    pub(in crate::origin) async fn look(
        &self,
        name: &Name,
        ends: Ends,
    ) -> Result<Opening<Source>, ReadError> {
        let opening = self.run(self.store.open_with(name, ends)).await?;
        for end in [&opening.head, &opening.tail].into_iter().flatten().filter(|e| !e.is_empty()) {
            self.host.counters.read(end.len());
        }
        Ok(opening)
    }

    /// Looks at a file in its current version, to compare it with a known version.
    pub(in crate::origin) async fn stat_of(&self, name: &Name) -> Result<Stat, ReadError> {
        self.run(self.store.stat(name)).await
    }

    /// Looks again at a file that is open.
    pub(in crate::origin) async fn stat(&self, source: &Source) -> Result<Stat, ReadError> {
        self.run(source.stat()).await
    }

    /// Returns the name under which a file is stored, if the store spells the name differently.
    pub(in crate::origin) async fn stored_name(&self, name: &Name) -> Option<Name> {
        self.run(self.store.stored_name(name)).await.ok().flatten()
    }

    /// Lists the names of the files in a folder.
    pub(in crate::origin) async fn list(
        &self,
        folder: Option<&Name>,
    ) -> Result<Vec<Name>, ReadError> {
        self.run(self.store.list(folder)).await
    }

    /// Reads a range of a file.
    pub(in crate::origin) async fn read(
        &self,
        source: &Source,
        range: Range<u64>,
    ) -> Result<Bytes, ReadError> {
        let read = self.run(source.read(range)).await;
        self.host.counters.read(read.as_ref().map_or(0, Bytes::len));
        read
    }

    /// Reads several ranges of one file. They count as so many operations, and get the time of so
    /// many, because the store may read one after the other.
    pub(in crate::origin) async fn read_many(
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
        let done = self.limit.run(operations, self.within_time_of(operations, call)).await;
        done.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())).map_err(read_error)
    }

    /// The output of a future, if it ends in the time that one operation may take.
    pub(in crate::origin) async fn within<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.within_time_of(1, future).await
    }

    /// The output of a future, if it ends in the time that so many operations may take one after the
    /// other.
    async fn within_time_of<T>(
        &self,
        operations: usize,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let operations = u32::try_from(operations).unwrap_or(u32::MAX);
        let limit = self.timeout.saturating_mul(operations);
        within(&*self.host.timer, limit, future).await.or_else(|| {
            self.host.counters.timeout();
            None
        })
    }
}

pub(in crate::origin) fn timed_out() -> ReadError {
    let source = Some(Arc::new(io::Error::from(io::ErrorKind::TimedOut)));
    ReadError { source, ..ReadError::new(ReadErrorKind::Transient) }
}
