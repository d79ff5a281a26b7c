//! Stores of the crate `object_store` behind `Bucket`.

#![cfg(feature = "object-store")]

use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;

use object_store::{ObjectStore, ObjectStoreExt};
use smooth_origin::base::Name;
use smooth_origin::origin::block_on;
use smooth_origin::storage::conformance::{self, Fixture};
use smooth_origin::storage::{AnyStore, Bucket};
use testkit::name;

/// Writes to a store, below a prefix.
struct Writer<S>(S, &'static str);

impl<S: ObjectStore> Fixture for Writer<S> {
    async fn put(&self, name: &Name, content: Vec<u8>) {
        let path = Path::parse(format!("{}{name}", self.1)).unwrap();
        self.0.put(&path, content.into()).await.unwrap();
    }

    async fn remove(&self, name: &Name) {
        let path = Path::parse(format!("{}{name}", self.1)).unwrap();
        self.0.delete(&path).await.unwrap();
    }
}

#[test]
fn a_store_in_memory_passes() {
    let store = Arc::new(InMemory::new());
    let writer = Writer(store.clone(), "");
    block_on(conformance::all(&Bucket::new(store.clone()), &writer));
    block_on(conformance::all(&AnyStore::new(Bucket::new(store)), &writer));
}

#[test]
fn a_store_below_a_prefix_passes() {
    let store = Arc::new(InMemory::new());
    let writer = Writer(store.clone(), "films/été 1/");
    let bucket = Bucket::new(store).prefix(name("films/été 1"));
    block_on(conformance::all(&bucket, &writer));
}

#[test]
fn a_store_whose_work_runs_elsewhere_passes() {
    let store = Arc::new(InMemory::new());
    let writer = Writer(store.clone(), "");
    let bucket = Bucket::new(store).run_by(|work| {
        std::thread::spawn(|| block_on(work));
    });
    block_on(conformance::all(&bucket, &writer));
}
