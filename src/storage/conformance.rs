//! The promises of [`Store`] and [`RangeSource`], as tests that anyone can run on a store.
//!
//! These functions panic where a promise is broken: they belong into tests.
//!
//! ```
//! # use smooth_origin::base::Name;
//! # use smooth_origin::origin::block_on;
//! use smooth_origin::storage::{MemoryStore, conformance};
//! let store = MemoryStore::new();
//! let name = Name::new("folder/object").unwrap();
//! store.put(name.clone(), "content");
//! block_on(conformance::store(&store, &name, b"content"));
//! ```

use std::io::ErrorKind;

use super::{RangeSource, Store};
use crate::base::Name;

/// A store that has `content` under `name`, and nothing under names that begin with that one.
///
/// # Panics
/// Where a promise of [`Store`] or [`RangeSource`] is broken.
pub async fn store(store: &impl Store, name: &Name, content: &[u8]) {
    let source = store.open(name).await.expect("the object is there");
    range_source(&source, content).await;

    let again = store.open(name).await.expect("an object can be opened twice");
    let (first, second) = (source.stat().await.unwrap(), again.stat().await.unwrap());
    assert_eq!(first, second, "two looks at an unchanged object are equal");

    for missing in [format!("{name}.missing"), format!("{name}-/x"), format!("missing/{name}")] {
        let missing = Name::new(&missing).expect("a name");
        let error = store.open(&missing).await.err().expect("nothing is there");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{missing}");
    }
    match store.list(name.folder().as_ref()).await {
        Ok(names) => assert!(names.contains(name), "{name} is listed"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "the folder is there"),
    }
    // A name below an object, where objects are no folders.
    let below = Name::new(&format!("{name}/x")).expect("a name");
    let error = store.open(&below).await.err().expect("nothing is below an object");
    assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory));
}

/// A source whose object has this content, of at least four bytes.
///
/// # Panics
/// Where a promise of [`RangeSource`] is broken.
pub async fn range_source(source: &impl RangeSource, content: &[u8]) {
    let len = content.len() as u64;
    assert!(len >= 4, "the test wants an object of four bytes or more");
    assert_eq!(source.stat().await.unwrap().size, len);
    for range in [0..len, 0..1, 1..3, len - 1..len, 0..0, len..len, 2..2] {
        let expected = &content[range.start as usize..range.end as usize];
        assert_eq!(source.read(range.clone()).await.unwrap(), expected, "{range:?}");
    }
    // Past the end there is nothing, and a claim of it takes no memory.
    for range in [0..len + 1, len..len + 1, len + 1..len + 2, 0..u64::MAX, u64::MAX - 1..u64::MAX] {
        let error = source.read(range.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{range:?}");
    }
}
