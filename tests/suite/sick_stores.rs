//! Openings that the fault of a remote store has hurt.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, OriginBuilder, block_on};
use smooth_origin::storage::{MemoryObject, MemoryStore, RangeSource, SlowDown, Stat, Store};
use testkit::film::{self, Style, Track, ism, ismc};
use testkit::{Hands, name, served, status};

/// The fault of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It cannot be reached.
    Unreachable,
    /// It wants fewer requests.
    SlowDown,
    /// The object is not there.
    Gone,
    /// Other bytes than the object has, in the right number.
    OtherBytes,
}

/// A store that gives one object with a fault.
#[derive(Clone)]
struct Sick {
    objects: MemoryStore,
    fault: Arc<Mutex<Option<(Fault, Name)>>>,
}

struct SickObject {
    object: MemoryObject,
    name: Name,
    store: Sick,
}

impl Sick {
    fn set(&self, fault: Option<(Fault, &str)>) {
        *self.fault.lock().unwrap() = fault.map(|(fault, file)| (fault, name(file)));
    }

    fn check(&self, name: &Name) -> io::Result<bool> {
        match &*self.fault.lock().unwrap() {
            Some((Fault::Unreachable, sick)) if sick == name => {
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Some((Fault::SlowDown, sick)) if sick == name => Err(SlowDown::new(None).into()),
            Some((Fault::Gone, sick)) if sick == name => Err(io::ErrorKind::NotFound.into()),
            Some((Fault::OtherBytes, sick)) => Ok(sick != name),
            _ => Ok(true),
        }
    }
}

impl Store for Sick {
    type Source = SickObject;

    async fn open(&self, name: &Name) -> io::Result<SickObject> {
        self.check(name)?;
        let object = self.objects.open(name).await?;
        Ok(SickObject { object, name: name.clone(), store: self.clone() })
    }
}

impl RangeSource for SickObject {
    async fn stat(&self) -> io::Result<Stat> {
        self.store.check(&self.name)?;
        self.object.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let is_right = self.store.check(&self.name)?;
        let bytes = self.object.read(range).await?;
        Ok(if is_right { bytes } else { vec![0; bytes.len()].into() })
    }
}

const MANIFEST: &str = "/film.ism/Manifest";
const PICTURE: &str = "/film.ism/QualityLevels(3000)/Fragments(video=0)";
const SOUND: &str = "/film.ism/QualityLevels(64)/Fragments(audio=0)";

/// A film with two files, over a store with faults.
fn film(set: impl FnOnce(OriginBuilder) -> OriginBuilder) -> (Sick, Origin, Hands) {
    let objects = MemoryStore::new();
    for (file, kind) in [("v.ismv", StreamKind::Video), ("a.isma", StreamKind::Audio)] {
        let track = Track::regular(1, kind, 2, 20_000_000, 100);
        objects.put(name(file), film::media(&[track], Style::default()).to_bytes());
    }
    let streams: [(_, _, &[u32], &[u64]); 2] = [
        (StreamKind::Video, "video", &[3000], &[0, 20_000_000]),
        (StreamKind::Audio, "audio", &[64], &[0, 20_000_000]),
    ];
    objects.put(name("film.ismc"), ismc(&streams));
    let elements = [("video", "v.ismv", 3000, 1, ""), ("audio", "a.isma", 64, 1, "")];
    objects.put(name("film.ism"), ism(Some("film.ismc"), &elements));
    let (store, hands) = (Sick { objects, fault: Arc::default() }, Hands::default());
    let builder = Origin::builder(store.clone()).clock(hands.clock()).timer(hands.timer());
    (store, set(builder).build(), hands)
}

fn remote() -> (Sick, Origin, Hands) {
    film(OriginBuilder::remote_store)
}

#[test]
fn an_opening_that_a_passing_fault_has_hurt_is_none() {
    for fault in [Fault::Unreachable, Fault::SlowDown] {
        for file in ["v.ismv", "a.isma", "film.ismc", "film.ism"] {
            let (store, origin, hands) = remote();
            store.set(Some((fault, file)));
            for target in [MANIFEST, PICTURE, SOUND] {
                assert_eq!(status(&origin, target), 503, "{fault:?} {file} {target}");
            }
            store.set(None);
            hands.pass(5);
            for target in [MANIFEST, PICTURE, SOUND] {
                assert_eq!(status(&origin, target), 200, "{fault:?} {file} {target}");
            }
        }
    }
}

#[test]
fn a_file_that_is_not_there_takes_nothing_but_its_tracks() {
    let (store, origin, _) = remote();
    store.set(Some((Fault::Gone, "v.ismv")));
    assert_eq!([MANIFEST, PICTURE, SOUND].map(|target| status(&origin, target)), [200, 404, 200]);
}

#[test]
fn a_local_file_that_cannot_be_read_takes_nothing_but_its_tracks() {
    let (store, origin, _) = film(|builder| builder);
    store.set(Some((Fault::Unreachable, "v.ismv")));
    assert_eq!([MANIFEST, PICTURE, SOUND].map(|target| status(&origin, target)), [200, 503, 200]);
}

#[test]
fn what_is_open_stays_open_while_the_storage_fails() {
    let (store, origin, hands) =
        film(|builder| builder.remote_store().fragment_cache_bytes(1 << 20));
    for target in [MANIFEST, PICTURE, PICTURE, SOUND] {
        assert_eq!(status(&origin, target), 200, "{target}");
    }
    // A new version arrives and cannot be read, for longer than old versions are kept.
    let element = [("video", "v.ismv", 3000, 1, ""), ("audio", "a.isma", 64, 1, "")];
    let changed = [ism(Some("film.ismc"), &element), b"<!-- 2 -->".to_vec()].concat();
    store.objects.put(name("film.ism"), changed);
    store.set(Some((Fault::Unreachable, "a.isma")));
    for _ in 0..20 {
        hands.pass(5);
        assert_eq!([MANIFEST, PICTURE].map(|target| status(&origin, target)), [200, 200]);
    }
    store.set(None);
    hands.pass(5);
    assert_eq!([MANIFEST, SOUND].map(|target| status(&origin, target)), [200, 200]);
}

#[test]
fn wrong_bytes_of_the_storage_end_a_title_for_a_while_only() {
    for file in ["v.ismv", "film.ism"] {
        let (store, origin, hands) = remote();
        store.set(Some((Fault::OtherBytes, file)));
        assert_ne!(status(&origin, PICTURE), 200, "{file}");
        store.set(None);
        let mut seconds = 0;
        while status(&origin, PICTURE) != 200 {
            seconds += 5;
            hands.pass(5);
            assert!(seconds <= 40, "{file}");
        }
        assert_eq!([MANIFEST, SOUND].map(|target| status(&origin, target)), [200, 200], "{file}");
    }
}

#[test]
fn wrong_bytes_do_not_take_the_place_of_what_is_open() {
    let (store, origin, hands) = remote();
    assert_eq!([MANIFEST, SOUND].map(|target| status(&origin, target)), [200, 200]);
    store.set(Some((Fault::OtherBytes, "v.ismv")));
    assert_ne!(status(&origin, PICTURE), 200);
    assert_ne!(status(&origin, PICTURE), 200);
    assert_eq!([MANIFEST, SOUND].map(|target| status(&origin, target)), [200, 200]);
    store.set(None);
    hands.pass(40);
    status(&origin, MANIFEST);
    hands.pass(5);
    assert_eq!([MANIFEST, PICTURE, SOUND].map(|target| status(&origin, target)), [200; 3]);
}

#[test]
fn new_media_with_the_same_header_and_length_have_other_etags() {
    let etag = |origin: &Origin, target| served(origin, target).unwrap().reply().validator();
    for (set, is_seen) in [(true, true), (false, false)] {
        let (store, origin, hands) = film(|builder| builder.remote_store().validate_versions(set));
        let before = [PICTURE, SOUND].map(|target| etag(&origin, target));
        // The last byte of the media, before the index.
        let mut media = block_on(store.objects.open(&name("v.ismv"))).map(whole).unwrap();
        let at = media.windows(4).rposition(|word| word == b"mfra").unwrap() - 5;
        media[at] ^= 1;
        store.objects.put(name("v.ismv"), media);
        hands.pass(10);
        let after = [PICTURE, SOUND].map(|target| etag(&origin, target));
        assert_eq!(before[0] != after[0], is_seen);
        let (_, other, _) = film(|builder| builder.remote_store().validate_versions(set));
        assert_eq!(etag(&other, SOUND), before[1], "the same on every machine");
    }
}

fn whole(object: MemoryObject) -> Vec<u8> {
    block_on(async {
        let size = object.stat().await.unwrap().size;
        object.read(0..size).await.unwrap().to_vec()
    })
}
