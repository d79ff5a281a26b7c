//! Stores that wrap stores: what is done around each operation is written once per wrapper.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;

use bytes::Bytes;

use super::RangeSource;
use super::opening::{of_length, of_lengths};
use crate::base::Name;

/// An operation of a store or a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// An opening that reads up to so many bytes.
    Open {
        bytes: u64,
    },
    Look,
    List,
    /// A read of so many ranges, with so many bytes in all.
    Read {
        ranges: usize,
        bytes: u64,
    },
}

impl Operation {
    /// A read of these ranges.
    pub(super) fn read(ranges: &[Range<u64>]) -> Self {
        let lengths = ranges.iter().map(|range| range.end.saturating_sub(range.start));
        let bytes = lengths.fold(0_u64, u64::saturating_add);
        Self::Read { ranges: ranges.len(), bytes }
    }

    /// Returns how many requests to a remote store it may take.
    pub(super) fn requests(self) -> usize {
        match self {
            Self::Read { ranges, .. } => ranges.max(1),
            Self::Open { .. } | Self::Look | Self::List => 1,
        }
    }

    /// Returns how many bytes it may give.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Open { bytes } | Self::Read { bytes, .. } => bytes,
            Self::Look | Self::List => 0,
        }
    }
}

/// Code that a wrapper runs around each operation of the store, and of the sources that it opens.
pub(super) trait Around: Clone + Send + Sync + 'static {
    /// Runs an operation: each `call` makes it once.
    fn run<T, F>(
        &self,
        operation: Operation,
        call: impl Fn() -> F + Send + Sync,
    ) -> impl Future<Output = io::Result<T>> + Send
    where
        T: Send,
        F: Future<Output = io::Result<T>> + Send;

    /// Returns what runs around the operations of one object.
    fn of(&self, name: &Name) -> Self {
        let _ = name;
        self.clone()
    }

    /// Takes note of bytes that an operation gave.
    fn gave(&self, bytes: usize) {
        let _ = bytes;
    }

    /// Returns how many ranges one operation may read; at least 1.
    fn most_ranges(&self) -> usize {
        usize::MAX
    }

    /// Reads several ranges in one operation.
    fn read_at_once<'a, S: RangeSource>(
        &'a self,
        source: &'a S,
        ranges: &'a [Range<u64>],
    ) -> impl Future<Output = io::Result<Vec<Bytes>>> + Send + 'a {
        self.run(Operation::read(ranges), move || boxed(read_many(source, ranges)))
    }

    /// Reads several ranges, in as few operations as may be.
    fn read_many<S: RangeSource>(
        &self,
        source: &S,
        ranges: &[Range<u64>],
    ) -> impl Future<Output = io::Result<Vec<Bytes>>> + Send {
        async move {
            let mut all = Vec::new();
            for ranges in ranges.chunks(self.most_ranges()) {
                all.extend(self.read_at_once(source, ranges).await?);
            }
            Ok(all)
        }
    }
}

/// Reads exactly the bytes of a range.
pub(super) async fn read<S: RangeSource>(source: &S, range: Range<u64>) -> io::Result<Bytes> {
    let wanted = range.end.saturating_sub(range.start);
    let bytes = source.read(range).await?;
    of_length(&bytes, wanted)?;
    Ok(bytes)
}

/// Reads exactly the bytes of several ranges.
pub(super) async fn read_many<S: RangeSource>(
    source: &S,
    ranges: &[Range<u64>],
) -> io::Result<Vec<Bytes>> {
    let read = source.read_many(ranges).await?;
    of_lengths(&read, ranges)?;
    Ok(read)
}

/// The future of the wrapped store is in a box: it would be in that of each wrapper otherwise, in some more
/// than once, and several wrappers would need more stack than a thread has.
pub(super) fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// Implements `Store` for a struct of a `store` and an `around`, and `RangeSource` for one of a
/// `source` and an `around`. An answer of another length than was asked for is an error of the
/// operation, so that whatever is around it sees a failure.
macro_rules! wraps {
    ($store:ident, $source:ident) => {
        impl<S: $crate::storage::Store> $crate::storage::Store for $store<S> {
            type Source = $source<S::Source>;

            async fn open(&self, name: &Name) -> io::Result<Self::Source> {
                let around = self.around.of(name);
                let open = Operation::Open { bytes: 0 };
                let source = around
                    .run(open, || $crate::storage::wrapping::boxed(self.store.open(name)))
                    .await?;
                Ok($source { source, around })
            }

            async fn open_with(
                &self,
                name: &Name,
                ends: Ends,
            ) -> io::Result<Opening<Self::Source>> {
                let around = self.around.of(name);
                let open = Operation::Open { bytes: ends.head.saturating_add(ends.tail) };
                let call = || {
                    $crate::storage::wrapping::boxed(async {
                        self.store.open_with(name, ends).await?.checked(ends)
                    })
                };
                let opening = around.run(open, call).await?;
                for end in [&opening.head, &opening.tail].into_iter().flatten() {
                    around.gave(end.len());
                }
                Ok(opening.map(|source| $source { source, around }))
            }

            async fn stat(&self, name: &Name) -> io::Result<Stat> {
                self.around
                    .of(name)
                    .run(Operation::Look, || {
                        $crate::storage::wrapping::boxed(self.store.stat(name))
                    })
                    .await
            }

            async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
                self.around
                    .run(Operation::List, || {
                        $crate::storage::wrapping::boxed(self.store.list(folder))
                    })
                    .await
            }

            async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
                self.around
                    .of(name)
                    .run(Operation::Look, || {
                        $crate::storage::wrapping::boxed(self.store.stored_name(name))
                    })
                    .await
            }
        }

        impl<S: $crate::storage::RangeSource> $crate::storage::RangeSource for $source<S> {
            async fn stat(&self) -> io::Result<Stat> {
                self.around
                    .run(Operation::Look, || $crate::storage::wrapping::boxed(self.source.stat()))
                    .await
            }

            async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
                let operation = Operation::read(std::slice::from_ref(&range));
                let call = || {
                    $crate::storage::wrapping::boxed($crate::storage::wrapping::read(
                        &self.source,
                        range.clone(),
                    ))
                };
                let bytes = self.around.run(operation, call).await?;
                self.around.gave(bytes.len());
                Ok(bytes)
            }

            async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
                let read = self.around.read_many(&self.source, ranges).await?;
                read.iter().for_each(|bytes| self.around.gave(bytes.len()));
                Ok(read)
            }

            fn underlying(&self) -> &dyn Any {
                self.source.underlying()
            }
        }
    };
}

pub(super) use wraps;
