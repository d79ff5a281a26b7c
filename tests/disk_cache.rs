//! Ranges on local disk: they are what was stored, whatever happens to the disk or the process.
#![cfg(feature = "disk-cache")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use smooth_origin::base::Name;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::{
    CountingStore, DiskCache, DiskCacheStore, MemoryStore, RangeSource, Store, conformance,
};
use testkit::name;

const SIZE: usize = 200_000;
const OBJECTS: u64 = 40;
const ROOM: u64 = 32 << 20;

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

fn open(folder: &Folder) -> DiskCache {
    block_on(DiskCache::open(&folder.0, ROOM)).unwrap()
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
    }
    // What is put while the writer is busy may be left out: that is a miss later.
    block_on(cache.close()).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| !path.ends_with("lock")).collect()
}

#[test]
fn it_keeps_the_promises_of_a_store() {
    let folder = Folder::new("promises");
    let cache = open(&folder);
    let memory = MemoryStore::new();
    let store = cache.around("bucket", memory.clone());
    let content = content(1);
    memory.put(name("object"), content.clone());
    let source = block_on(store.open(&name("object"))).unwrap();
    for _ in 0..2 {
        block_on(conformance::range_source(&source, &content));
    }
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
    assert_eq!((stats.hits + stats.misses, stats.errors), (OBJECTS, 0));
    assert!(stats.hits > OBJECTS / 2, "{stats:?}");
    assert_eq!(bucket.counts().reads, stats.misses);
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
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
}

#[test]
fn an_origin_shows_the_hits() {
    let folder = Folder::new("origin");
    let cache = open(&folder);
    let origin = Origin::builder(bucket()).disk_cache(cache, "bucket").build();
    for _ in 0..2 {
        let served = block_on(origin.file(&key(1))).unwrap();
        assert!(testkit::read(&served).unwrap() == content(1));
    }
    let stats = origin.stats().disk_cache;
    assert_eq!((stats.hits, stats.misses), (1, 1));
}

/// The process that is killed: fills the cache for ever, and says so.
#[test]
#[ignore = "runs in a process of its own"]
fn fills_until_it_is_killed() {
    let Ok(folder) = std::env::var("DISK_CACHE_FOLDER") else { return };
    let cache = block_on(DiskCache::open(folder, ROOM)).unwrap();
    let store: Arc<DiskCacheStore<_>> = Arc::new(cache.around("bucket", bucket()));
    loop {
        for object in 0..OBJECTS {
            assert!(read(&*store, object) == content(object));
            println!("read {object}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn a_process_that_is_killed_while_it_writes_leaves_a_cache_of_right_bytes() {
    let folder = Folder::new("killed");
    let mut hits = 0;
    for kill_after in [10, 25, 33, 39, 60] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "fills_until_it_is_killed", "--ignored", "--nocapture"])
            .env("DISK_CACHE_FOLDER", &folder.0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = lines.map_while(Result::ok).filter(|line| line.contains("read "));
        assert_eq!(read.take(kill_after).count(), kill_after);
        child.kill().unwrap();
        child.wait().unwrap();
        let cache = open(&folder);
        let store = cache.around("bucket", bucket());
        for object in 0..OBJECTS {
            assert!(self::read(&store, object) == content(object), "{object}");
        }
        hits += cache.stats().hits;
    }
    assert!(hits > 0, "something was left");
}
