//! Floor 6: where bytes come from.
//!
//! A store is two small traits: [`Store`] opens a name, [`RangeSource`] reads ranges of what was
//! opened. Their promises are a test that anyone can run: [`conformance`]. Everything above uses
//! the erased forms [`AnyStore`] and [`Source`].

mod age;
pub mod conformance;
mod erased;
mod faulty;
#[cfg(feature = "fs")]
mod local;
mod memory;
mod mounts;
pub(crate) mod spelling;

use std::future::Future;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

pub use age::Age;
pub use erased::{AnyStore, Source};
pub use faulty::{Faults, FaultyStore};
#[cfg(feature = "fs")]
pub use local::{BlockingRead, LocalFile, LocalStore, RefusedLink, RefusedLinks};
pub use memory::{MemoryObject, MemoryStore};
pub use mounts::Mounts;

use crate::base::{Name, ReadError, ReadErrorKind};

/// Opens names.
///
/// Implementations promise: a name that is not there, or stands for anything but a plain object,
/// gives [`io::ErrorKind::NotFound`] (or `IsADirectory`); one that may not be read gives
/// `PermissionDenied`; every other error is taken to be transient. Nothing outside of the store's
/// root is ever opened.
pub trait Store: Send + Sync + 'static {
    /// What an opened name is.
    type Source: RangeSource;

    /// Opens the object of this name as it is now.
    fn open(&self, name: &Name) -> impl Future<Output = io::Result<Self::Source>> + Send;

    /// Lists the names of the objects in a folder, or at the root for `None`, without those in its
    /// subfolders. The service uses the list to find the `.ism` files beside a file: media that
    /// one of them names are not passed to clients. Opening a folder of fragments uses it to find
    /// out which fragments exist, and when they start if the manifest does not say so.
    ///
    /// The default is for stores that cannot list: [`io::ErrorKind::Unsupported`].
    fn list(&self, folder: Option<&Name>) -> impl Future<Output = io::Result<Vec<Name>>> + Send {
        let _ = folder;
        async { Err(io::ErrorKind::Unsupported.into()) }
    }

    /// Returns the stored name of the object that the store opens for `name`, or `None` if `name` is
    /// the stored name. The two differ in stores that ignore letter case, for example. An origin
    /// keeps a presentation once, under its stored name, for all spellings.
    ///
    /// The default is for stores in which each name has one spelling: `None`.
    fn stored_name(&self, name: &Name) -> impl Future<Output = io::Result<Option<Name>>> + Send {
        let _ = name;
        async { Ok(None) }
    }
}

/// Reads ranges of one opened object.
///
/// Implementations promise: `read` returns exactly the bytes of the range or an error, never fewer
/// and never more; and all reads through one source see one version of the object. Where the
/// object has changed, they fail with [`changed`].
pub trait RangeSource: Send + Sync + 'static {
    /// Size and version, from one look at the object.
    fn stat(&self) -> impl Future<Output = io::Result<Stat>> + Send;

    /// Reads `range`. Past the end: [`io::ErrorKind::UnexpectedEof`], before memory is taken.
    fn read(&self, range: Range<u64>) -> impl Future<Output = io::Result<Bytes>> + Send;
}

/// What a look at an object tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// Which version of the object it is.
    pub version: Version,
    /// When it was last changed, where the store knows.
    pub modified: Option<SystemTime>,
    /// How long it has been unchanged. `None` if a version of the object is never written to, as in
    /// object stores: such a version is complete whenever it is seen.
    pub age: Option<Age>,
}

impl Stat {
    /// Describes an object whose versions are never written to, and whose time of change is not
    /// known.
    pub fn new(size: u64, version: Version) -> Self {
        Self { size, version, modified: None, age: None }
    }
}

/// Which version of an object was opened: equal as long as its content is. Never leaves the
/// process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version(Bytes);

impl Version {
    /// From whatever tells the versions of a store's objects apart: an ETag, times and sizes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The error of a source whose object is not the one that was opened any more.
pub fn changed() -> io::Error {
    io::Error::other(Changed)
}

#[derive(Debug, thiserror::Error)]
#[error("the object has changed since it was opened")]
struct Changed;

/// What an error of a store means to those above.
pub(crate) fn read_error(error: io::Error) -> ReadError {
    ReadError { kind: read_error_kind(&error), source: Some(Arc::new(error)) }
}

fn read_error_kind(error: &io::Error) -> ReadErrorKind {
    use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound | IsADirectory | NotADirectory | InvalidFilename => ReadErrorKind::Gone,
        PermissionDenied => ReadErrorKind::Denied,
        _ if error.get_ref().is_some_and(|inner| inner.is::<Changed>()) => ReadErrorKind::Changed,
        _ => ReadErrorKind::Transient,
    }
}
