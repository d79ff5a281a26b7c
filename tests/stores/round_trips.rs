//! A store that gives an object's ends with its opening pays one round trip per file.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::storage::{Ends, MemoryObject, Opening, RangeSource, Stat, Store};
use testkit::Hands;

use super::*;

/// Calls of a store and its sources, in order.
type Calls = Arc<Mutex<Vec<String>>>;

/// A store for which each call is a round trip.
#[derive(Clone)]
struct Remote {
    objects: MemoryStore,
    calls: Calls,
    /// Reads the ends with the opening.
    gives_ends: bool,
}

struct RemoteObject {
    object: MemoryObject,
    name: Name,
    calls: Calls,
}

impl Remote {
    fn new(gives_ends: bool) -> Self {
        let film = |id, kind| {
            let track = Track::regular(id, kind, 3, 20_000_000, 50);
            film::media(&[track], Style::default()).to_bytes()
        };
        let elements = [("video", "film.ismv", 300, 1, ""), ("audio", "sound.isma", 64, 2, "")];
        let objects = store([
            ("film.ism", ism(None, &elements)),
            ("film.ismv", film(1, StreamKind::Video)),
            ("sound.isma", film(2, StreamKind::Audio)),
        ]);
        Self { objects, calls: Calls::default(), gives_ends }
    }

    fn called(&self, what: &str, name: &Name) {
        self.calls.lock().unwrap().push(format!("{what} {name}"));
    }

    /// Takes the calls so far, with the number of each.
    fn calls(&self) -> BTreeMap<String, usize> {
        let mut numbers = BTreeMap::new();
        for call in self.calls.lock().unwrap().drain(..) {
            *numbers.entry(call).or_default() += 1;
        }
        numbers
    }
}

impl Store for Remote {
    type Source = RemoteObject;

    async fn open(&self, name: &Name) -> io::Result<RemoteObject> {
        self.called("open", name);
        let object = self.objects.open(name).await?;
        Ok(RemoteObject { object, name: name.clone(), calls: Arc::clone(&self.calls) })
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<RemoteObject>> {
        self.called("open_with", name);
        let object = self.objects.open(name).await?;
        let stat = object.stat().await?;
        let (mut head, mut tail) = (None, None);
        if self.gives_ends {
            let ranges = ends.ranges(stat.size);
            head = Some(object.read(ranges.0).await?);
            tail = Some(object.read(ranges.1).await?);
        }
        let (name, calls) = (name.clone(), Arc::clone(&self.calls));
        Ok(Opening::new(RemoteObject { object, name, calls }, stat).with_ends(head, tail))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        self.called("stat", name);
        self.objects.stat(name).await
    }
}

impl RangeSource for RemoteObject {
    async fn stat(&self) -> io::Result<Stat> {
        self.calls.lock().unwrap().push(format!("source.stat {}", self.name));
        self.object.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.calls.lock().unwrap().push(format!("read {}", self.name));
        self.object.read(range).await
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        self.calls.lock().unwrap().push(format!("read_many {}", self.name));
        self.object.read_many(ranges).await
    }
}

fn once(calls: &[&str]) -> BTreeMap<String, usize> {
    calls.iter().map(|call| ((*call).to_owned(), 1)).collect()
}

#[test]
fn an_opening_is_one_call_per_file_and_so_is_a_revalidation() {
    let (remote, hands) = (Remote::new(true), Hands::default());
    let origin = Origin::builder(remote.clone()).clock(hands.clock()).build();
    get(&origin, "film.ism/Manifest").unwrap();
    let opened = ["open_with film.ism", "open_with film.ismv", "open_with sound.isma"];
    assert_eq!(remote.calls(), once(&opened));
    get(&origin, "film.ism/Manifest").unwrap();
    assert_eq!(remote.calls(), once(&[]));
    hands.pass(6);
    get(&origin, "film.ism/Manifest").unwrap();
    assert_eq!(remote.calls(), once(&["stat film.ism", "stat film.ismv", "stat sound.isma"]));
}

#[test]
fn ends_that_an_opening_does_not_give_are_read_together() {
    let remote = Remote::new(false);
    let origin = Origin::new(remote.clone());
    get(&origin, "film.ism/Manifest").unwrap();
    let mut calls = vec!["open_with film.ism", "open_with film.ismv", "open_with sound.isma"];
    calls.extend(["read film.ism", "read_many film.ismv", "read_many sound.isma"]);
    assert_eq!(remote.calls(), once(&calls));
}

#[test]
fn a_store_of_few_operations_reads_the_ends_one_by_one() {
    let remote = Remote::new(false);
    let origin = Origin::builder(remote.clone()).max_reads(1).build();
    get(&origin, "film.ism/Manifest").unwrap();
    let calls = remote.calls();
    assert_eq!(calls.get("read_many film.ismv"), Some(&2));
}

#[test]
fn ends_of_another_length_are_refused() {
    #[derive(Clone)]
    struct Short(MemoryStore);

    impl Store for Short {
        type Source = MemoryObject;

        async fn open(&self, name: &Name) -> io::Result<MemoryObject> {
            self.0.open(name).await
        }

        async fn open_with(&self, name: &Name, _: Ends) -> io::Result<Opening<MemoryObject>> {
            let opening = self.0.open_with(name, Ends::default()).await?;
            Ok(opening.with_ends(Some(Bytes::from_static(b"<")), None))
        }
    }

    let origin = Origin::new(Short(Remote::new(true).objects));
    let error = get(&origin, "film.ism/Manifest").unwrap_err();
    assert_eq!(error.kind.status(), 503, "{error}");
}
