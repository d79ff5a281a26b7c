//! Stores of the crate `object_store` behind `Bucket`.

#![cfg(feature = "object-store")]

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::throttle::{ThrottleConfig, ThrottledStore};

use object_store::{ObjectStore, ObjectStoreExt};
use smooth_origin::base::Name;
use smooth_origin::origin::block_on;
use smooth_origin::storage::conformance::{self, Fixture};
use smooth_origin::storage::{AnyStore, Bucket, ChangedError, Ends, RangeSource, Store};
use testkit::folder::Folder;
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

#[test]
fn local_files_behind_the_crate_pass() {
    let folder = Folder::new("bucket-local");
    let store = Arc::new(LocalFileSystem::new_with_prefix(&folder.0).unwrap());
    let writer = Writer(store.clone(), "");
    block_on(conformance::all(&Bucket::new(store).written_in_place(true), &writer));
}

#[test]
fn a_throttled_store_passes() {
    let wait = Duration::from_millis(1);
    let throttle = ThrottleConfig {
        wait_get_per_call: wait,
        wait_list_with_delimiter_per_call: wait,
        ..ThrottleConfig::default()
    };
    let store = Arc::new(ThrottledStore::new(InMemory::new(), throttle));
    let writer = Writer(store.clone(), "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(conformance::all(&Bucket::new(store), &writer));
}

#[test]
fn a_host_without_the_runtime_of_a_store_hands_the_work_to_one() {
    let throttle =
        ThrottleConfig { wait_get_per_call: Duration::from_millis(1), ..Default::default() };
    let store = Arc::new(ThrottledStore::new(InMemory::new(), throttle));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let (handle, writer) = (runtime.handle().clone(), Writer(store.clone(), ""));
    runtime.block_on(writer.put(&name("object"), b"content".to_vec()));
    let bucket = Bucket::new(store).run_by(move |work| {
        handle.spawn(work);
    });
    let object = block_on(bucket.open(&name("object"))).unwrap();
    assert_eq!(block_on(object.read(1..3)).unwrap(), "on");
}

#[test]
fn keys_outside_of_the_prefix_are_not_reached() {
    let store = Arc::new(InMemory::new());
    let writer = Writer(store.clone(), "");
    let bucket = Bucket::new(store).prefix(name("films"));
    block_on(async {
        for key in ["secret", "films2/secret", "films/a.ism"] {
            writer.put(&name(key), b"content".to_vec()).await;
        }
        assert_eq!(bucket.list(None).await.unwrap(), [name("a.ism")]);
        for key in ["secret", "films2/secret", "films/a.ism"] {
            assert_eq!(bucket.open(&name(key)).await.unwrap_err().kind(), ErrorKind::NotFound);
        }
        assert!(bucket.open(&name("a.ism")).await.is_ok());
    });
}

#[test]
fn a_long_listing_is_refused() {
    let store = Arc::new(InMemory::new());
    let writer = Writer(store.clone(), "");
    block_on(async {
        for number in 0..5 {
            writer.put(&name(&format!("films/{number}")), Vec::new()).await;
        }
        let bucket = Bucket::new(store.clone()).max_listed(5);
        assert_eq!(bucket.list(Some(&name("films"))).await.unwrap().len(), 5);
        let error = bucket.max_listed(4).list(Some(&name("films"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert!(error.to_string().contains("more than 4 objects"), "{error}");
    });
}

#[test]
fn an_object_that_shrinks_or_goes_is_noticed() {
    let store = Arc::new(InMemory::new());
    let writer = Writer(store.clone(), "");
    let bucket = Bucket::new(store);
    block_on(async {
        writer.put(&name("object"), vec![1; 1000]).await;
        let opening = bucket.open_with(&name("object"), Ends::new(10, 10)).await.unwrap();
        assert_eq!((opening.head.unwrap().len(), opening.tail.unwrap().len()), (10, 10));
        writer.put(&name("object"), vec![1; 100]).await;
        let error = opening.source.read(500..600).await.unwrap_err();
        assert!(error.get_ref().is_some_and(|inner| inner.is::<ChangedError>()), "{error}");
        writer.remove(&name("object")).await;
        let error = opening.source.read(0..10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn names_are_keys_letter_by_letter() {
    let store = Arc::new(InMemory::new());
    let writer = Writer(store.clone(), "");
    let bucket = Bucket::new(store);
    block_on(async {
        for key in
            ["\u{c9}t\u{e9} 1.ism", "a%20b.ism", "a+b & c#d?.ism", "[x]{y}|~`^\"*.ism", "(1).ism"]
        {
            writer.put(&name(key), b"content".to_vec()).await;
            assert!(bucket.open(&name(key)).await.is_ok(), "{key}");
            assert!(bucket.list(None).await.unwrap().contains(&name(key)), "{key}");
        }
    });
}
