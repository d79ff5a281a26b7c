//! The promises of [`Store`] and [`RangeSource`], as tests that anyone can run on a store.
//!
//! [`all`] checks every promise. It needs to change what the store holds, so the author of a store
//! writes a [`Fixture`], which puts and removes objects. [`store`] and [`range_source`] check what
//! can be checked of a store that cannot be written to. The functions panic with the name of the
//! promise that is broken, so call them in tests.
//!
//! | Promise | What is checked |
//! |---|---|
//! | `exact-reads` | a read gives exactly the bytes of its range, an empty range none |
//! | `past-the-end` | a range that ends past the object is [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof), however long it is |
//! | `many-reads` | `read_many` gives the bytes of each range, in the order of the ranges, and fails as `read` does |
//! | `equal-looks` | the `stat` of a source, that of a name and an opening give the same size and version of an unchanged object |
//! | `exact-ends` | `open_with` gives exactly the ends that were asked for, or none |
//! | `concurrent-reads` | reads that run at the same time do not disturb each other |
//! | `dropped-futures` | a future that is dropped before its end does not affect later calls |
//! | `missing-is-not-found` | a missing name is [`NotFound`](std::io::ErrorKind::NotFound), and nothing else |
//! | `folders-are-no-objects` | a folder is not opened as an object |
//! | `listing` | a list has the objects of its folder and nothing else, if the store lists at all |
//! | `stored-names` | a name that is there has no other spelling |
//! | `changes-are-noticed` | a new opening has the new content and another version |
//! | `one-version` | reads through a source give the version that was opened, or fail with [`ChangedError`](super::ChangedError) |
//!
//! ```
//! # use smooth_origin::origin::block_on;
//! use smooth_origin::base::Name;
//! use smooth_origin::storage::{MemoryStore, conformance};
//!
//! /// Writes to the store that is tested.
//! struct Writer(MemoryStore);
//!
//! impl conformance::Fixture for Writer {
//!     async fn put(&self, name: &Name, content: Vec<u8>) {
//!         self.0.put(name.clone(), content);
//!     }
//!
//!     async fn remove(&self, name: &Name) {
//!         self.0.remove(name);
//!     }
//! }
//!
//! let store = MemoryStore::new();
//! block_on(conformance::all(&store, &Writer(store.clone())));
//! ```

/// Panics with the name of a promise that is broken.
macro_rules! promise {
    ($name:literal, $kept:expr, $($what:tt)+) => {
        assert!($kept, "broken promise `{}`: {}", $name, format_args!($($what)+))
    };
}

mod changes;
mod names;
mod polls;
mod reads;

use std::future::Future;

use super::{RangeSource, Store};
use crate::base::Name;

/// Changes what a store holds, as its writers do: by rename for local files, by an upload for an
/// object store.
///
/// ```
/// use std::path::PathBuf;
/// use smooth_origin::Name;
/// use smooth_origin::storage::conformance::Fixture;
///
/// /// Writes files as a careful uploader does: under another name, then by rename.
/// struct Folder(PathBuf);
///
/// impl Fixture for Folder {
///     async fn put(&self, name: &Name, content: Vec<u8>) {
///         let path = self.0.join(name.as_str());
///         std::fs::create_dir_all(path.parent().unwrap()).unwrap();
///         std::fs::write(path.with_extension("new"), content).unwrap();
///         std::fs::rename(path.with_extension("new"), path).unwrap();
///     }
///
///     async fn remove(&self, name: &Name) {
///         std::fs::remove_file(self.0.join(name.as_str())).unwrap();
///     }
/// }
/// ```
pub trait Fixture {
    /// Puts an object in place, or a new version of one. Openings after that get the new one.
    ///
    /// If versions are made from times, wait until a later change is certain to give another version:
    /// for `Last-Modified`, which has whole seconds, sleep for more than a second before the object is
    /// put.
    fn put(&self, name: &Name, content: Vec<u8>) -> impl Future<Output = ()>;

    /// Removes an object. Openings after that do not find it.
    fn remove(&self, name: &Name) -> impl Future<Output = ()>;
}

/// Checks all promises. Puts the objects that it needs into the folder `conformance`, and removes them
/// at the end.
///
/// # Panics
/// If a promise is broken.
pub async fn all(tested: &impl Store, fixture: &impl Fixture) {
    let object = Name::new("conformance/folder/object.bin").expect("a name");
    let content = changes::content(0);
    fixture.put(&object, content.clone()).await;
    store(tested, &object, &content).await;
    changes::check(tested, fixture, &object).await;
}

/// Checks a store that has `content`, of at least four bytes, under `name`, and nothing under names
/// that begin with that one. Nothing is written: whether changes are noticed is for [`all`].
///
/// # Panics
/// If a promise is broken.
pub async fn store(store: &impl Store, name: &Name, content: &[u8]) {
    let source = names::open(store, name).await;
    range_source(&source, content).await;
    names::check(store, name).await;
    names::check_openings(store, name, content).await;
    names::check_listing(store, name).await;
    let again = names::open(store, name).await;
    reads::check_looks(&source, &again).await;
    reads::check_concurrent(&[&source, &again], content).await;
    names::check_dropped(store, name, content).await;
}

/// Checks a source of an object that has this content, of at least four bytes.
///
/// # Panics
/// If a promise is broken.
pub async fn range_source(source: &impl RangeSource, content: &[u8]) {
    assert!(content.len() >= 4, "the test needs an object of four bytes or more");
    reads::check(source, content).await;
    reads::check_looks(source, source).await;
    reads::check_concurrent(&[source, source], content).await;
    reads::check_dropped(source, content).await;
}
