//! Stores that wrap stores: what is done around each operation is written once per wrapper.

use std::future::Future;
use std::io;

/// An operation of a store or a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Open,
    Look,
    List,
    /// A read of so many ranges.
    Read {
        ranges: usize,
    },
}

/// Code that a wrapper runs around each operation of the store, and of the sources that it opens.
pub(super) trait Around: Clone + Send + Sync + 'static {
    /// Runs an operation.
    fn run<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = io::Result<T>> + Send,
    ) -> impl Future<Output = io::Result<T>> + Send;

    /// Takes note of bytes that an operation gave.
    fn gave(&self, bytes: usize) {
        let _ = bytes;
    }

    /// Returns how many ranges one operation may read; at least 1.
    fn most_ranges(&self) -> usize {
        usize::MAX
    }
}

/// Implements `Store` for a struct of a `store` and an `around`, and `RangeSource` for one of a
/// `source` and an `around`.
macro_rules! wraps {
    ($store:ident, $source:ident) => {
        impl<S: $crate::storage::Store> $crate::storage::Store for $store<S> {
            type Source = $source<S::Source>;

            async fn open(&self, name: &Name) -> io::Result<Self::Source> {
                let source = self.around.run(Operation::Open, self.store.open(name)).await?;
                Ok($source { source, around: self.around.clone() })
            }

            async fn open_with(
                &self,
                name: &Name,
                ends: Ends,
            ) -> io::Result<Opening<Self::Source>> {
                let opening = self.store.open_with(name, ends);
                let opening = self.around.run(Operation::Open, opening).await?;
                for end in [&opening.head, &opening.tail].into_iter().flatten() {
                    self.around.gave(end.len());
                }
                Ok(opening.map(|source| $source { source, around: self.around.clone() }))
            }

            async fn stat(&self, name: &Name) -> io::Result<Stat> {
                self.around.run(Operation::Look, self.store.stat(name)).await
            }

            async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
                self.around.run(Operation::List, self.store.list(folder)).await
            }

            async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
                self.around.run(Operation::Look, self.store.stored_name(name)).await
            }
        }

        impl<S: $crate::storage::RangeSource> $crate::storage::RangeSource for $source<S> {
            async fn stat(&self) -> io::Result<Stat> {
                self.around.run(Operation::Look, self.source.stat()).await
            }

            async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
                let read = Operation::Read { ranges: 1 };
                let bytes = self.around.run(read, self.source.read(range)).await?;
                self.around.gave(bytes.len());
                Ok(bytes)
            }

            async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
                let mut all = Vec::new();
                for ranges in ranges.chunks(self.around.most_ranges()) {
                    let read = Operation::Read { ranges: ranges.len() };
                    let several = self.around.run(read, self.source.read_many(ranges)).await?;
                    several.iter().for_each(|bytes| self.around.gave(bytes.len()));
                    all.extend(several);
                }
                Ok(all)
            }

            fn underlying(&self) -> &dyn Any {
                self.source.underlying()
            }
        }
    };
}

pub(super) use wraps;
