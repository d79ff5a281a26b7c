//! Ranges on local disk: they are what was stored, whatever happens to the disk or the process.
#![cfg(feature = "disk-cache")]

use std::fs;
use std::io::ErrorKind::WouldBlock;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use smooth_origin::base::Name;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::{
    CountingStore, DiskCache, MemoryStore, RangeSource, Store, conformance,
};
use testkit::name;

const SIZE: usize = 200_000;
const OBJECTS: u64 = 40;
const ROOM: u64 = 32 << 20;

/// Time for a lock to be given back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("disk-cache-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Bytes that occur in no other object, and at no other place.
fn content(object: u64) -> Vec<u8> {
    let words = (0..SIZE as u64 / 8)
        .flat_map(|at| (object << 32 | at).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    words.collect()
}

fn key(object: u64) -> Name {
    name(&format!("object{object}"))
}

/// The same objects, in the same versions, each time.
fn bucket() -> CountingStore<MemoryStore> {
    let store = MemoryStore::new();
    (0..OBJECTS).for_each(|object| store.put(key(object), content(object)));
    CountingStore::new(store)
}

/// Opens the cache, again if its lock is still held: a process that another test starts has it, too, until it runs
/// its program.
fn open(folder: &Folder) -> DiskCache {
    let began = Instant::now();
    loop {
        match block_on(DiskCache::open(&folder.0, ROOM)) {
            Err(error) if error.kind() == WouldBlock && began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            opened => return opened.unwrap(),
        }
    }
}

fn read(store: &impl Store, object: u64) -> Vec<u8> {
    let source = block_on(store.open(&key(object))).unwrap();
    block_on(source.read(0..SIZE as u64)).unwrap().to_vec()
}

/// Reads all objects, and has them written.
fn fill(folder: &Folder) {
    let cache = open(folder);
    let store = cache.around("bucket", bucket());
    for object in 0..OBJECTS {
        assert!(read(&store, object) == content(object));
        // What is put while the writer is busy may be left out.
        block_on(cache.flush()).unwrap();
    }
    block_on(cache.close()).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| !path.ends_with("lock")).collect()
}

/// Writes to the objects behind the cache.
struct Writer(MemoryStore);

impl conformance::Fixture for Writer {
    async fn put(&self, name: &Name, content: Vec<u8>) {
        self.0.put(name.clone(), content);
    }

    async fn remove(&self, name: &Name) {
        self.0.remove(name);
    }
}

#[test]
fn it_keeps_the_promises_of_a_store() {
    let folder = Folder::new("promises");
    let cache = open(&folder);
    let memory = MemoryStore::new();
    let store = cache.around("bucket", memory.clone());
    // The second time, with what the first one left.
    for _ in 0..2 {
        block_on(conformance::all(&store, &Writer(memory.clone())));
    }
    // Long enough for ranges of it to be kept.
    let content = content(1);
    memory.put(name("object"), content.clone());
    for _ in 0..2 {
        block_on(conformance::store(&store, &name("object"), &content));
    }
    assert!(cache.stats().hits > 0);
}

#[test]
fn what_was_read_before_a_flush_is_in_the_files() {
    let folder = Folder::new("flush");
    let cache = open(&folder);
    let store = cache.around("bucket", bucket());
    for object in 0..5 {
        read(&store, object);
    }
    block_on(cache.flush()).unwrap();
    let in_files = || {
        let files: Vec<_> = files(&folder.0).iter().map(|file| fs::read(file).unwrap()).collect();
        let is_in = |object: &u64| {
            let part = &content(*object)[100_000..100_064];
            files.iter().any(|file| memchr_of(file, part))
        };
        (0..5).filter(is_in).count()
    };
    assert_eq!(in_files(), 5);
}

fn memchr_of(file: &[u8], part: &[u8]) -> bool {
    file.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_was_read_once_is_read_from_disk_also_by_the_next_process() {
    let folder = Folder::new("next");
    fill(&folder);
    let (cache, bucket) = (open(&folder), bucket());
    let store = cache.around("bucket", bucket.clone());
    for object in 0..OBJECTS {
        assert!(read(&store, object) == content(object));
    }
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.errors), (OBJECTS, 0, 0));
    assert_eq!(bucket.counts().reads, 0);
}

#[test]
fn what_was_read_before_a_close_is_read_from_disk_by_the_next_process() {
    const FEW: u64 = 5;
    let folder = Folder::new("close");
    let cache = open(&folder);
    let store = cache.around("bucket", bucket());
    for object in 0..FEW {
        read(&store, object);
    }
    block_on(cache.close()).unwrap();
    drop((cache, store));
    let cache = open(&folder);
    let store = cache.around("bucket", bucket());
    for object in 0..FEW {
        assert!(read(&store, object) == content(object));
    }
    assert_eq!(cache.stats().hits, FEW, "{:?}", cache.stats());
}

#[test]
fn another_version_place_name_or_range_is_another_entry() {
    let folder = Folder::new("other");
    fill(&folder);
    let (cache, bucket) = (open(&folder), MemoryStore::new());
    // Objects are counted through by their versions.
    (0..OBJECTS).for_each(|object| bucket.put(key(object), content(object)));
    let new = content(1000);
    (0..OBJECTS).for_each(|object| bucket.put(key(object), new.clone()));
    let store = cache.around("bucket", bucket);
    assert!((0..OBJECTS).all(|object| read(&store, object) == new));
    let elsewhere = cache.around("another", self::bucket());
    assert!((0..OBJECTS).all(|object| read(&elsewhere, object) == content(object)));
    assert_eq!(cache.stats().hits, 0);
    let same = cache.around("bucket", self::bucket());
    let source = block_on(same.open(&key(3))).unwrap();
    let part = block_on(source.read(8..SIZE as u64 - 8)).unwrap();
    assert!(part == content(3)[8..SIZE - 8]);
    assert_eq!(cache.stats().hits, 0);
}

#[test]
fn flipped_bytes_on_the_disk_are_noticed() {
    let folder = Folder::new("flipped");
    fill(&folder);
    for (number, file) in files(&folder.0).into_iter().enumerate() {
        let mut file = fs::File::options().read(true).write(true).open(file).unwrap();
        let len = file.metadata().unwrap().len();
        // One in each entry, wherever it is.
        let mut at = number as u64 + 50_000;
        while at < len {
            let mut byte = [0];
            file.seek(SeekFrom::Start(at)).unwrap();
            file.read_exact(&mut byte).unwrap();
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&[byte[0] ^ 1]).unwrap();
            at += 100_000;
        }
    }
    let cache = open(&folder);
    let store = cache.around("bucket", bucket());
    for object in 0..OBJECTS {
        assert!(read(&store, object) == content(object), "{object}");
    }
    assert_eq!(cache.stats().hits, 0, "{:?}", cache.stats());
}

#[test]
fn files_that_are_cut_or_rubbish_are_misses() {
    for rubbish in [false, true] {
        let folder = Folder::new(if rubbish { "rubbish" } else { "cut" });
        fill(&folder);
        for file in files(&folder.0) {
            let len = fs::metadata(&file).unwrap().len() as usize;
            match rubbish {
                true => fs::write(&file, vec![0xa5; len]).unwrap(),
                false => {
                    fs::File::options().write(true).open(&file).unwrap().set_len(70_000).unwrap()
                }
            }
        }
        let cache = open(&folder);
        let store = cache.around("bucket", bucket());
        for object in 0..OBJECTS {
            assert!(read(&store, object) == content(object), "{object}");
        }
    }
}

#[test]
fn files_that_vanish_under_a_running_process_are_misses() {
    let folder = Folder::new("vanished");
    fill(&folder);
    let cache = open(&folder);
    let store = cache.around("bucket", bucket());
    for file in files(&folder.0) {
        fs::File::options().write(true).open(&file).unwrap().set_len(0).unwrap();
    }
    for object in 0..OBJECTS {
        assert!(read(&store, object) == content(object), "{object}");
    }
}

#[test]
fn the_disk_holds_no_more_than_it_may() {
    let folder = Folder::new("bound");
    let cache = open(&folder);
    for place in 0..8 {
        let store = cache.around(&place.to_string(), bucket());
        (0..OBJECTS).for_each(|object| drop(read(&store, object)));
        std::thread::sleep(Duration::from_millis(50));
    }
    block_on(cache.close()).unwrap();
    let bytes: u64 = files(&folder.0).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(bytes <= ROOM, "{bytes}");
}

#[cfg(all(unix, feature = "fs"))]
#[test]
fn a_folder_in_use_is_refused() {
    let folder = Folder::new("twice");
    let _cache = open(&folder);
    let error = block_on(DiskCache::open(&folder.0, ROOM)).unwrap_err();
    assert_eq!(error.kind(), WouldBlock, "{error}");
}

#[test]
fn an_origin_shows_the_hits() {
    let folder = Folder::new("origin");
    let cache = open(&folder);
    let origin = Origin::builder(bucket()).disk_cache(cache, "bucket").build();
    let mut reads = 0;
    // The cache may take a moment to have what was read.
    while origin.stats().disk_cache.hits == 0 && reads < 500 {
        let served = block_on(origin.file(&key(1))).unwrap();
        assert!(testkit::read(&served).unwrap() == content(1));
        reads += 1;
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let stats = origin.stats().disk_cache;
    assert_eq!((stats.hits, stats.hits + stats.misses), (1, reads));
}

/// The process that is killed: fills the cache and says so, then goes on writing.
#[test]
#[ignore = "runs in a process of its own"]
fn fills_until_it_is_killed() {
    let Ok(folder) = std::env::var("DISK_CACHE_FOLDER") else { return };
    let cache = block_on(DiskCache::open(folder, ROOM)).unwrap();
    let store = cache.around("bucket", bucket());
    for object in 0..OBJECTS {
        assert!(read(&store, object) == content(object));
        // Nothing is left out because the disk is busy.
        block_on(cache.flush()).unwrap();
    }
    println!("flushed");
    // As much again, which leaves room: nothing has to go.
    let store = cache.around("second", bucket());
    for object in 0..OBJECTS {
        assert!(read(&store, object) == content(object));
        println!("read {object}");
        std::thread::sleep(Duration::from_millis(2));
    }
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// Fills the folder in a process that is killed while it writes, after so many more objects.
fn fill_and_kill(folder: &Folder, after: usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "disk_cache::fills_until_it_is_killed", "--ignored", "--nocapture"])
        .env("DISK_CACHE_FOLDER", &folder.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    assert!(lines.by_ref().any(|line| line.contains("flushed")));
    let read = lines.filter(|line| line.contains("read "));
    assert_eq!(read.take(after).count(), after);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_was_flushed_before_a_kill_is_read_from_disk_and_nothing_else_is_wrong() {
    for after in [0, 1, 10, 39] {
        let folder = Folder::new(&format!("killed-{after}"));
        fill_and_kill(&folder, after);
        let (cache, bucket) = (open(&folder), bucket());
        let store = cache.around("bucket", bucket.clone());
        for object in 0..OBJECTS {
            assert!(read(&store, object) == content(object), "{object}");
        }
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.errors), (OBJECTS, 0, 0), "{after}");
        assert_eq!(bucket.counts().reads, 0);
        // What was being written is there or not, and never wrong.
        let second = cache.around("second", bucket.clone());
        for object in 0..OBJECTS {
            assert!(read(&second, object) == content(object), "{object}");
        }
        let stats = cache.stats();
        assert_eq!(stats.hits + stats.misses, 2 * OBJECTS);
        assert_eq!(bucket.counts().reads, stats.misses);
    }
}

#[test]
fn torn_writes_after_a_kill_cost_the_entries_that_they_tore_and_no_other_bytes_are_wrong() {
    const TORN: u64 = 4096;
    for torn_at in [0, 100_000, 1_100_000] {
        let folder = Folder::new(&format!("torn-{torn_at}"));
        fill_and_kill(&folder, 5);
        // One page of each file was not written, as after a loss of power.
        for file in files(&folder.0) {
            let mut file = fs::File::options().write(true).open(file).unwrap();
            if file.metadata().unwrap().len() > torn_at + TORN {
                file.seek(SeekFrom::Start(torn_at)).unwrap();
                file.write_all(&[0; TORN as usize]).unwrap();
            }
        }
        let cache = open(&folder);
        let store = cache.around("bucket", bucket());
        for object in 0..OBJECTS {
            assert!(read(&store, object) == content(object), "{object}");
        }
        let stats = cache.stats();
        assert_eq!(stats.hits + stats.misses, OBJECTS);
        // In the middle of a block, a page is of one or two entries; at its start, of its index.
        if torn_at > 0 {
            assert!(stats.hits >= OBJECTS / 2 && stats.hits < OBJECTS, "{torn_at}: {stats:?}");
        }
    }
}
