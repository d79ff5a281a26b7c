//! Every store passes the conformance suite, and the suite fails every store that breaks a promise.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::origin::block_on;
use smooth_origin::storage::conformance::{self, Fixture};
use smooth_origin::storage::{
    AnyStore, CountingStore, Ends, Faults, FaultyStore, LimitStore, MemoryObject, MemoryStore,
    Mounts, Opening, RangeSource, Source, Stat, Store, TimeoutStore, Version,
};
use testkit::{Hands, name};

/// Writes to objects in memory; below a prefix, where they are mounted there.
struct Writer(MemoryStore, &'static str);

impl Fixture for Writer {
    async fn put(&self, name: &Name, content: Vec<u8>) {
        self.0.put(self.inner(name), content);
    }

    async fn remove(&self, name: &Name) {
        self.0.remove(&self.inner(name));
    }
}

impl Writer {
    fn inner(&self, outer: &Name) -> Name {
        name(outer.as_str().strip_prefix(self.1).expect("a name below the prefix"))
    }
}

#[test]
fn a_memory_store_passes() {
    let store = MemoryStore::new();
    block_on(conformance::all(&store, &Writer(store.clone(), "")));
}

#[test]
fn a_shared_store_passes() {
    let store = MemoryStore::new();
    block_on(conformance::all(&Arc::new(store.clone()), &Writer(store, "")));
}

#[test]
fn a_store_of_an_erased_type_passes() {
    let store = MemoryStore::new();
    block_on(conformance::all(&AnyStore::new(store.clone()), &Writer(store, "")));
}

#[test]
fn a_type_is_erased_once() {
    let store = MemoryStore::new();
    store.put(name("object"), "content");
    let erased = AnyStore::new(AnyStore::new(Arc::new(store)));
    let source = Source::new(block_on(erased.open(&name("object"))).unwrap());
    assert!(source.downcast_ref::<MemoryObject>().is_some());
    assert!(source.downcast_ref::<Source>().is_none());
}

#[test]
fn stores_of_several_types_are_mounted_together() {
    let store = MemoryStore::new();
    let delayed = FaultyStore::new(store.clone(), 1, Faults { stall: 50, ..Faults::default() });
    let mounts = Mounts::new().mount("", AnyStore::new(delayed)).unwrap();
    let mounts = mounts.mount("other", AnyStore::new(MemoryStore::new())).unwrap();
    block_on(conformance::all(&mounts, &Writer(store, "")));
}

#[test]
fn stores_around_a_store_pass() {
    let second = Duration::from_secs(1);
    let delays = Faults { stall: 50, ..Faults::default() };
    for operations in [1, 2, 100] {
        let store = MemoryStore::new();
        let delayed = FaultyStore::new(store.clone(), 1, delays);
        let limited = LimitStore::new(delayed.clone(), operations);
        block_on(conformance::all(&limited, &Writer(store.clone(), "")));
        let timed = TimeoutStore::new(delayed.clone(), second).timer(Hands::default().timer());
        block_on(conformance::all(&timed, &Writer(store.clone(), "")));
        block_on(conformance::all(
            &CountingStore::new(delayed.clone()),
            &Writer(store.clone(), ""),
        ));
        let timed = TimeoutStore::new(limited, second).timer(Hands::default().timer());
        let all = Arc::new(CountingStore::new(AnyStore::new(timed)));
        block_on(conformance::all(&all, &Writer(store, "")));
        assert!(all.counts().reads > 100 && all.counts().openings > 10);
    }
}

#[test]
fn a_store_behind_delays_passes() {
    for seed in 0..5 {
        let store = MemoryStore::new();
        let delays = Faults { stall: 50, ..Faults::default() };
        let faulty = FaultyStore::new(store.clone(), seed, delays);
        block_on(conformance::all(&faulty, &Writer(store, "")));
    }
}

#[test]
fn mounted_stores_pass() {
    for prefix in ["", "conformance/", "conformance/folder/"] {
        let (store, other) = (MemoryStore::new(), MemoryStore::new());
        other.put(name("object.bin"), "another");
        let mounts = Mounts::new().mount(prefix, store.clone()).unwrap();
        let mounts = mounts.mount("other", other.clone()).unwrap();
        block_on(conformance::all(&mounts, &Writer(store, prefix)));
    }
}

#[cfg(all(unix, feature = "fs"))]
mod local {
    use std::fs;
    use std::path::PathBuf;
    use std::time::Duration;

    use smooth_origin::storage::LocalStore;
    use testkit::folder::Folder;

    use super::*;

    /// Writes files: by rename, or in place.
    struct FileWriter(PathBuf, bool);

    impl Fixture for FileWriter {
        async fn put(&self, name: &Name, content: Vec<u8>) {
            let path = self.0.join(name.as_str());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if self.1 {
                // The clock of a file system may stand still for some milliseconds.
                std::thread::sleep(Duration::from_millis(20));
                fs::write(path, content).unwrap();
            } else {
                let new = self.0.join("new");
                fs::write(&new, content).unwrap();
                fs::rename(new, path).unwrap();
            }
        }

        async fn remove(&self, name: &Name) {
            fs::remove_file(self.0.join(name.as_str())).unwrap();
        }
    }

    #[test]
    fn local_files_pass_whether_they_are_replaced_or_rewritten() {
        for in_place in [false, true] {
            for ignore_case in [false, true] {
                let folder = Folder::new(&format!("conforms-{in_place}-{ignore_case}"));
                let store = LocalStore::new(&folder).unwrap().ignore_case(ignore_case);
                block_on(conformance::all(&store, &FileWriter(folder.0.clone(), in_place)));
            }
        }
    }

    /// Writes files outside of the root, and links to them.
    struct LinkWriter(PathBuf, PathBuf);

    impl Fixture for LinkWriter {
        async fn put(&self, name: &Name, content: Vec<u8>) {
            let (link, target) = (self.0.join(name.as_str()), self.1.join(name.file_name()));
            fs::write(self.1.join("new"), content).unwrap();
            fs::rename(self.1.join("new"), &target).unwrap();
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            if !link.exists() {
                std::os::unix::fs::symlink(target, link).unwrap();
            }
        }

        async fn remove(&self, name: &Name) {
            fs::remove_file(self.0.join(name.as_str())).unwrap();
            fs::remove_file(self.1.join(name.file_name())).unwrap();
        }
    }

    #[test]
    fn local_files_behind_links_pass() {
        let (folder, outside) = (Folder::new("conforms-links"), Folder::new("conforms-targets"));
        let store =
            LocalStore::new(&folder).unwrap().links_into(&outside.0).unwrap().ignore_case(true);
        let writer = LinkWriter(folder.0.clone(), outside.0.clone());
        block_on(conformance::all(&store, &writer));
    }
}

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    GivesShortReads,
    GivesLongReads,
    RefusesEmptyRanges,
    CutsRangesAtTheEnd,
    TakesRangesPastTheEndForTransient,
    MixesUpManyReads,
    CutsManyReadsAtTheEnd,
    LooksAtNamesOtherwise,
    OpensOtherwiseWithEnds,
    GivesWrongTails,
    GivesLongHeads,
    LooksAtMissingNames,
    GivesAVersionPerLook,
    SharesACursor,
    SharesACursorBetweenSources,
    StaysBusyAfterADroppedRead,
    StaysBusyAfterADroppedOpening,
    DeniesMissingNames,
    OpensMissingNamesEmpty,
    OpensFoldersEmpty,
    ListsFolders,
    ListsWhatLiesInFolders,
    ListsNothing,
    ListsWhatWasRemoved,
    CallsNamesOtherwise,
    GivesOneVersionForEver,
    OpensWhatItOpenedBefore,
    OpensWhatWasRemoved,
    ReadsNewBytesThroughOldSources,
    MixesVersionsInOneRead,
    GivesZerosForWhatIsGone,
    TakesChangesForTransient,
}

use Flaw::*;

/// All flaws, with the promise that each breaks.
const FLAWS: &[(Flaw, &str)] = &[
    (GivesShortReads, "exact-reads"),
    (GivesLongReads, "exact-reads"),
    (RefusesEmptyRanges, "exact-reads"),
    (CutsRangesAtTheEnd, "past-the-end"),
    (TakesRangesPastTheEndForTransient, "past-the-end"),
    (MixesUpManyReads, "many-reads"),
    (CutsManyReadsAtTheEnd, "many-reads"),
    (LooksAtNamesOtherwise, "equal-looks"),
    (OpensOtherwiseWithEnds, "equal-looks"),
    (GivesWrongTails, "exact-ends"),
    (GivesLongHeads, "exact-ends"),
    (LooksAtMissingNames, "missing-is-not-found"),
    (GivesAVersionPerLook, "equal-looks"),
    (SharesACursor, "concurrent-reads"),
    (SharesACursorBetweenSources, "concurrent-reads"),
    (StaysBusyAfterADroppedRead, "dropped-futures"),
    (StaysBusyAfterADroppedOpening, "dropped-futures"),
    (DeniesMissingNames, "missing-is-not-found"),
    (OpensMissingNamesEmpty, "missing-is-not-found"),
    (OpensFoldersEmpty, "folders-are-no-objects"),
    (ListsFolders, "listing"),
    (ListsWhatLiesInFolders, "listing"),
    (ListsNothing, "listing"),
    (ListsWhatWasRemoved, "listing"),
    (CallsNamesOtherwise, "stored-names"),
    (GivesOneVersionForEver, "changes-are-noticed"),
    (OpensWhatItOpenedBefore, "changes-are-noticed"),
    (OpensWhatWasRemoved, "changes-are-noticed"),
    (ReadsNewBytesThroughOldSources, "one-version"),
    (MixesVersionsInOneRead, "one-version"),
    (GivesZerosForWhatIsGone, "one-version"),
    (TakesChangesForTransient, "one-version"),
];

/// Objects in memory, and a flaw.
#[derive(Clone)]
struct Flawed {
    objects: MemoryStore,
    flaw: Flaw,
    seen: Arc<Mutex<HashMap<Name, MemoryObject>>>,
    cursor: Arc<AtomicU64>,
    is_busy: Arc<AtomicBool>,
}

struct FlawedSource {
    object: MemoryObject,
    name: Name,
    store: Flawed,
    cursor: Arc<AtomicU64>,
    is_busy: AtomicBool,
    looks: AtomicU64,
}

/// Lets others run once.
async fn pause() {
    let mut is_first = true;
    poll_fn(|context| {
        if !std::mem::take(&mut is_first) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Flawed {
    fn new(objects: MemoryStore, flaw: Flaw) -> Self {
        let (seen, cursor, is_busy) = Default::default();
        Self { objects, flaw, seen, cursor, is_busy }
    }

    fn source(&self, name: &Name, object: MemoryObject) -> FlawedSource {
        let cursor = match self.flaw {
            SharesACursorBetweenSources => Arc::clone(&self.cursor),
            _ => Arc::default(),
        };
        let (name, store) = (name.clone(), self.clone());
        let (is_busy, looks) = Default::default();
        FlawedSource { object, name, store, cursor, is_busy, looks }
    }

    async fn empty(&self) -> MemoryObject {
        let empty = MemoryStore::new();
        empty.put(name("empty"), "");
        empty.open(&name("empty")).await.unwrap()
    }
}

impl Store for Flawed {
    type Source = FlawedSource;

    async fn open(&self, name: &Name) -> io::Result<FlawedSource> {
        if self.flaw == StaysBusyAfterADroppedOpening {
            if self.is_busy.swap(true, Ordering::SeqCst) {
                return Err(ErrorKind::ResourceBusy.into());
            }
            pause().await;
            self.is_busy.store(false, Ordering::SeqCst);
        }
        let seen = self.seen.lock().unwrap().get(name).cloned();
        let object = match (self.objects.open(name).await, seen, self.flaw) {
            (_, Some(seen), OpensWhatItOpenedBefore) => seen,
            (Err(_), Some(seen), OpensWhatWasRemoved) => seen,
            (Err(_), _, DeniesMissingNames) => return Err(ErrorKind::PermissionDenied.into()),
            (Err(_), _, OpensMissingNamesEmpty) => self.empty().await,
            (Err(_), _, OpensFoldersEmpty) if name.file_name() == "folder" => self.empty().await,
            (object, ..) => object?,
        };
        self.seen.lock().unwrap().insert(name.clone(), object.clone());
        Ok(self.source(name, object))
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<FlawedSource>> {
        let source = self.open(name).await?;
        let mut stat = source.stat().await?;
        let (head, tail) = ends.ranges(stat.size);
        let (head, tail) = match self.flaw {
            OpensOtherwiseWithEnds => {
                stat.version = Version::new("opened");
                return Ok(Opening::new(source, stat));
            }
            GivesWrongTails => (head, 0..tail.end - tail.start),
            GivesLongHeads => (0..stat.size.min(head.end + 1), tail),
            _ => return Ok(Opening::new(source, stat)),
        };
        let (head, tail) = (source.object.read(head).await?, source.object.read(tail).await?);
        Ok(Opening::new(source, stat).with_ends(Some(head), Some(tail)))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        let stat = match self.flaw {
            LooksAtMissingNames => return Ok(Stat::immutable(0, Version::new("missing"))),
            _ => self.open(name).await?.stat().await?,
        };
        match self.flaw {
            LooksAtNamesOtherwise => Ok(Stat::immutable(stat.size, Version::new("looked at"))),
            _ => Ok(stat),
        }
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let mut names = self.objects.list(folder).await?;
        let seen: Vec<Name> = self.seen.lock().unwrap().keys().cloned().collect();
        let in_folder = |name: &Name| name.folder().as_ref() == folder;
        match self.flaw {
            ListsFolders => {
                names.extend(seen.iter().filter_map(Name::folder).filter(in_folder));
            }
            ListsWhatLiesInFolders if folder.is_none() => names.extend(seen),
            ListsWhatWasRemoved => {
                let gone: Vec<_> = seen.into_iter().filter(in_folder).collect();
                names.extend(
                    gone.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>(),
                );
            }
            ListsNothing => names.clear(),
            _ => {}
        }
        Ok(names)
    }

    async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
        let other = || Name::new(&name.as_str().to_uppercase()).unwrap();
        Ok((self.flaw == CallsNamesOtherwise).then(other))
    }
}

impl FlawedSource {
    /// What lies under the name now.
    async fn now(&self) -> io::Result<MemoryObject> {
        self.store.objects.open(&self.name).await
    }

    async fn has_changed(&self) -> bool {
        let then = self.object.stat().await.unwrap();
        let now = match self.now().await {
            Ok(now) => now.stat().await.ok(),
            Err(_) => None,
        };
        now != Some(then)
    }
}

impl RangeSource for FlawedSource {
    async fn stat(&self) -> io::Result<Stat> {
        let stat = self.object.stat().await?;
        let version = match self.store.flaw {
            GivesAVersionPerLook => {
                let look = self.looks.fetch_add(1, Ordering::SeqCst);
                Version::new(look.to_be_bytes().to_vec())
            }
            GivesOneVersionForEver => Version::new("always"),
            _ => stat.version,
        };
        Ok(Stat::immutable(stat.size, version))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let size = self.object.stat().await?.size;
        match self.store.flaw {
            GivesShortReads => {
                let bytes = self.object.read(range).await?;
                Ok(bytes.slice(..bytes.len().min(30_000)))
            }
            GivesLongReads if range == (1..3) => self.object.read(0..4).await,
            RefusesEmptyRanges if range.is_empty() => Err(ErrorKind::InvalidInput.into()),
            CutsRangesAtTheEnd => {
                self.object.read(range.start.min(size)..range.end.min(size)).await
            }
            TakesRangesPastTheEndForTransient => match self.object.read(range).await {
                Err(_) => Err(ErrorKind::TimedOut.into()),
                read => read,
            },
            SharesACursor | SharesACursorBetweenSources => {
                self.cursor.store(range.start, Ordering::SeqCst);
                let len = range.end.saturating_sub(range.start);
                if range.end > size {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                pause().await;
                let start = self.cursor.load(Ordering::SeqCst);
                self.object.read(start..start + len).await
            }
            StaysBusyAfterADroppedRead => {
                // One at a time: others wait for their turn, and give up after a while.
                let mut pauses = 0;
                while self.is_busy.swap(true, Ordering::SeqCst) {
                    if pauses == 100 {
                        return Err(ErrorKind::ResourceBusy.into());
                    }
                    pauses += 1;
                    pause().await;
                }
                pause().await;
                self.is_busy.store(false, Ordering::SeqCst);
                self.object.read(range).await
            }
            ReadsNewBytesThroughOldSources => self.now().await?.read(range).await,
            MixesVersionsInOneRead if range.end <= size && range.end - range.start > 50_000 => {
                let half = (range.start + range.end) / 2;
                let first = self.object.read(range.start..half).await?;
                pause().await;
                let second = self.now().await?.read(half..range.end).await?;
                Ok([first, second].concat().into())
            }
            GivesZerosForWhatIsGone if range.end <= size && self.has_changed().await => {
                Ok(vec![0; (range.end - range.start) as usize].into())
            }
            TakesChangesForTransient if self.has_changed().await => Err(ErrorKind::TimedOut.into()),
            _ => self.object.read(range).await,
        }
    }

    async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        let mut read = Vec::new();
        for range in ranges {
            read.push(match self.store.flaw {
                CutsManyReadsAtTheEnd => {
                    let size = self.object.stat().await?.size;
                    self.object.read(range.start.min(size)..range.end.min(size)).await?
                }
                _ => self.read(range.clone()).await?,
            });
        }
        if self.store.flaw == MixesUpManyReads {
            read.reverse();
        }
        Ok(read)
    }
}

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(other) => other.downcast_ref::<&str>().copied().unwrap_or_default().to_owned(),
    }
}

#[test]
fn every_broken_promise_is_found_and_named() {
    for (flaw, promise) in FLAWS {
        let objects = MemoryStore::new();
        let (store, writer) = (Flawed::new(objects.clone(), *flaw), Writer(objects, ""));
        let all = catch_unwind(AssertUnwindSafe(|| block_on(conformance::all(&store, &writer))));
        let Err(panic) = all else { panic!("a store that {flaw:?} passes") };
        let message = message(panic);
        let named = format!("broken promise `{promise}`: ");
        assert!(message.starts_with(&named), "{flaw:?} is found to break: {message}");
    }
}

#[test]
fn every_promise_of_the_documentation_is_broken_by_some_flaw() {
    let text = include_str!("../../src/storage/conformance/mod.rs");
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let promises: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    assert!(promises.len() > 10);
    for promise in &promises {
        assert!(FLAWS.iter().any(|(_, broken)| broken == promise), "{promise}");
    }
    for (flaw, promise) in FLAWS {
        assert!(promises.contains(promise), "{flaw:?} breaks {promise}, which has no row");
    }
}
