//! Result of an opening: the source, its stat, and its ends.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use super::Stat;

/// Lengths of the beginning and end of an object that are wanted when it is opened.
///
/// ```
/// use smooth_origin::storage::Ends;
///
/// let (head, tail) = Ends::new(1000, 100).ranges(5000);
/// assert_eq!((head, tail), (0..1000, 4900..5000));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ends {
    /// Bytes from the start.
    pub head: u64,
    /// Bytes from the end.
    pub tail: u64,
}

/// An opened object, with its ends if the store read them in the same round trip.
///
/// ```
/// use std::io;
/// use bytes::Bytes;
/// use smooth_origin::Name;
/// use smooth_origin::storage::{Ends, Opening, Stat, Store, Version};
/// # use smooth_origin::storage::{MemoryObject, MemoryStore};
/// # struct Bucket(MemoryStore);
/// # struct Response { etag: String, size: u64, bytes: Bytes }
/// # impl Bucket {
/// #     async fn get(&self, _: &Name, _: std::ops::Range<u64>) -> io::Result<Response> { todo!() }
/// #     fn object(&self, _: &Name, _: &str) -> MemoryObject { todo!() }
/// # }
///
/// impl Store for Bucket {
/// #     type Source = MemoryObject;
/// #     async fn open(&self, name: &Name) -> io::Result<MemoryObject> { self.0.open(name).await }
///     // …
///     async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<Self::Source>> {
///         // One request gives the first bytes, the size and the version.
///         let response = self.get(name, 0..ends.head).await?;
///         let object = self.object(name, &response.etag);
///         let stat = Stat::immutable(response.size, Version::new(response.etag));
///         Ok(Opening::new(object, stat).with_ends(Some(response.bytes), None))
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Opening<S> {
    /// The opened object.
    pub source: S,
    /// Its size and version.
    pub stat: Stat,
    /// Its first bytes: as many as were wanted, or all. `None` if the store did not read them.
    pub head: Option<Bytes>,
    /// Its last bytes: as many as were wanted, or all. `None` if the store did not read them.
    pub tail: Option<Bytes>,
}

impl Ends {
    /// Bytes from the start, and bytes from the end.
    pub fn new(head: u64, tail: u64) -> Self {
        Self { head, tail }
    }

    /// Returns the ranges of the head and of the tail of an object of this size. They overlap if
    /// the object is short.
    ///
    /// ```
    /// use smooth_origin::storage::Ends;
    /// assert_eq!(Ends::new(10, 4).ranges(100), (0..10, 96..100));
    /// assert_eq!(Ends::new(10, 4).ranges(8), (0..8, 4..8));
    /// ```
    pub fn ranges(self, size: u64) -> (Range<u64>, Range<u64>) {
        (0..size.min(self.head), size - size.min(self.tail)..size)
    }
}

impl<S> Opening<S> {
    /// An object that was opened and looked at, of which nothing was read.
    pub fn new(source: S, stat: Stat) -> Self {
        Self { source, stat, head: None, tail: None }
    }

    /// Adds the ends that were read.
    #[must_use]
    pub fn with_ends(mut self, head: Option<Bytes>, tail: Option<Bytes>) -> Self {
        (self.head, self.tail) = (head, tail);
        self
    }

    /// Replaces the source by one that `wrap` makes of it, for stores that wrap stores.
    #[must_use]
    pub fn map<T>(self, wrap: impl FnOnce(S) -> T) -> Opening<T> {
        let Self { source, stat, head, tail } = self;
        Opening { source: wrap(source), stat, head, tail }
    }

    /// Checks that the ends that were read are of the wanted length.
    pub(super) fn checked(self, ends: Ends) -> io::Result<Self> {
        let (head, tail) = ends.ranges(self.stat.size);
        for (read, range) in [(&self.head, head), (&self.tail, tail)] {
            let wanted = range.end - range.start;
            if let Some(bytes) = read {
                of_length(bytes, wanted)?;
            }
        }
        Ok(self)
    }
}

/// Checks that a store gave as many bytes as it was asked for.
pub(super) fn of_length(bytes: &Bytes, wanted: u64) -> io::Result<()> {
    if bytes.len() as u64 == wanted {
        return Ok(());
    }
    Err(io::Error::other(format!("the store gave {} bytes of {wanted}", bytes.len())))
}

/// Checks that a store gave the bytes of as many ranges as it was asked for, each of its length.
pub(super) fn of_lengths(read: &[Bytes], ranges: &[Range<u64>]) -> io::Result<()> {
    if read.len() != ranges.len() {
        let what = format!("the store gave {} ranges of {}", read.len(), ranges.len());
        return Err(io::Error::other(what));
    }
    let mut pairs = read.iter().zip(ranges);
    pairs.try_for_each(|(bytes, range)| of_length(bytes, range.end.saturating_sub(range.start)))
}
