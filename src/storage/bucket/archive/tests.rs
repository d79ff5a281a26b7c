use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::*;
use crate::storage::{RangeSource, Store};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A store, and an archive in it.
struct Set {
    store: Arc<InMemory>,
    now: Arc<AtomicU64>,
}

impl Set {
    fn new() -> Self {
        Self { store: Arc::new(InMemory::new()), now: Arc::default() }
    }

    /// An archive of another process.
    fn archive(&self) -> BucketArchive {
        let now = Arc::clone(&self.now);
        let clock = Clock::new(move || Duration::from_secs(now.load(Ordering::Relaxed)));
        let bucket = Bucket::new(Arc::clone(&self.store)).prefix(name("live"));
        BucketArchive::new(bucket).clock(clock).delete_after(Duration::from_secs(60))
    }

    fn keys(&self) -> Vec<String> {
        let list = self.store.list(None).map(|meta| meta.unwrap().location.to_string());
        block_on(list.collect())
    }

    fn object(&self, key: &str) -> Option<Bytes> {
        let got = block_on(self.store.get(&Path::from(key))).ok()?;
        Some(block_on(got.bytes()).unwrap())
    }

    /// The file, as a process that knows nothing reads it.
    fn read(&self, file: &Name) -> Bytes {
        let source = block_on(self.archive().open(file)).unwrap();
        let size = block_on(source.stat()).unwrap().size;
        block_on(source.read(0..size)).unwrap()
    }
}

fn append(archive: &BucketArchive, file: &Name, offset: u64, bytes: impl Into<Bytes>) {
    block_on(archive.append(file, offset, bytes.into())).unwrap();
}

#[test]
fn each_append_is_a_part_that_is_found_by_its_offset() {
    let (set, file) = (Set::new(), name("a/video.ismv"));
    let archive = set.archive();
    append(&archive, &file, 0, "head");
    append(&archive, &file, 4, "fragment");
    let parts = [
        "live/.parts/a/video.ismv/00000000000000000000",
        "live/.parts/a/video.ismv/00000000000000000004",
    ];
    assert_eq!(set.keys(), parts);
    assert_eq!(set.object(parts[1]).unwrap(), "fragment");
    assert_eq!(block_on(set.archive().follow(&file, 4)).unwrap(), "fragment");
    assert_eq!(block_on(set.archive().follow(&file, 12)).unwrap(), "");
}

#[test]
fn a_finished_file_is_one_object_and_its_parts_are_deleted_later() {
    let (set, file) = (Set::new(), name("video.ismv"));
    let archive = set.archive();
    append(&archive, &file, 0, "head");
    append(&archive, &file, 4, "fragment");
    let reader = block_on(set.archive().open(&file)).unwrap();
    assert_eq!(block_on(reader.read(4..12)).unwrap(), "fragment");
    block_on(archive.finish(&file)).unwrap();
    assert_eq!(set.object("live/video.ismv").unwrap(), "headfragment");
    set.now.store(59, Ordering::Relaxed);
    block_on(archive.delete_due()).unwrap();
    assert_eq!(set.keys().len(), 3);
    set.now.store(60, Ordering::Relaxed);
    block_on(archive.delete_due()).unwrap();
    assert_eq!(set.keys(), ["live/video.ismv"]);
    // Whoever has opened it before reads on.
    assert_eq!(block_on(reader.read(4..12)).unwrap(), "fragment");
    assert_eq!(block_on(reader.read(2..9)).unwrap(), "adfragm");
    // The call that did not end is made again: by this process, and by another one.
    block_on(archive.finish(&file)).unwrap();
    block_on(set.archive().finish(&file)).unwrap();
    assert_eq!(set.read(&file), "headfragment");
}

#[test]
fn a_file_that_another_process_began_is_cut_at_any_byte_and_goes_on() {
    for is_finished in [false, true] {
        for cut in 0..=15 {
            let (set, file) = (Set::new(), name("video.ismv"));
            let archive = set.archive();
            for (offset, part) in [(0, "head"), (4, "one"), (7, "three"), (12, "six")] {
                append(&archive, &file, offset, part);
            }
            if is_finished {
                block_on(archive.finish(&file)).unwrap();
            }
            let other = set.archive();
            append(&other, &file, cut, "");
            if cut > 0 {
                let kept = &b"headonethreesix"[..cut as usize];
                assert_eq!(set.read(&file), kept, "cut at {cut}, finished: {is_finished}");
            } else {
                assert!(block_on(set.archive().open(&file)).is_err());
            }
            append(&other, &file, cut, "other");
            append(&other, &file, cut + 5, "end");
            let all = [&b"headonethreesix"[..cut as usize], b"otherend"].concat();
            assert_eq!(set.read(&file), all, "cut at {cut}, finished: {is_finished}");
            block_on(other.finish(&file)).unwrap();
            assert_eq!(set.object("live/video.ismv").unwrap(), all);
        }
    }
}

#[test]
fn small_parts_are_joined_and_a_reader_in_the_middle_goes_on() {
    let (set, file) = (Set::new(), name("news.journal"));
    let archive = set.archive();
    let early = block_on(set.archive().open(&file));
    assert_eq!(early.err().unwrap().kind(), io::ErrorKind::NotFound);
    let mut all = Vec::new();
    for number in 0..1100_u64 {
        let record = format!("record {number};");
        append(&archive, &file, all.len() as u64, record.clone());
        all.extend(record.bytes());
        set.now.fetch_add(2, Ordering::Relaxed);
    }
    // 1,024 as one, two of 32, and 12; and those of the last minute, or fewer than are deleted at a time.
    let keys = set.keys().len();
    assert!(keys < 1 + 2 + 12 + 32 + 64, "{keys} objects");
    assert_eq!(set.read(&file), all);
    // Whoever follows gets the joined parts.
    let follower = set.archive();
    let (mut followed, mut requests) = (Vec::new(), 0);
    loop {
        let bytes = block_on(follower.follow(&file, followed.len() as u64)).unwrap();
        requests += 1;
        if bytes.is_empty() {
            break;
        }
        followed.extend_from_slice(&bytes);
    }
    assert_eq!((followed.len(), requests), (all.len(), 1 + 2 + 12 + 1));
    // One whose place was joined away finds nothing, and then opens the file.
    let place = "record 0;".len() as u64;
    assert_eq!(block_on(follower.follow(&file, place)).unwrap(), "");
    let source = block_on(follower.open(&file)).unwrap();
    assert_eq!(block_on(source.read(place..place + 9)).unwrap(), "record 1;");
}

#[test]
fn what_is_put_takes_the_place_of_parts_and_is_never_mixed_with_them() {
    for len in [1, 4, 7, 9, 20] {
        let (set, file) = (Set::new(), name("news.held"));
        let archive = set.archive();
        for (offset, part) in [(0, "held"), (4, "two"), (7, "more")] {
            append(&archive, &file, offset, part);
        }
        let content = "x".repeat(len);
        block_on(set.archive().put(&file, content.clone().into())).unwrap();
        assert_eq!(set.keys(), ["live/news.held"]);
        assert_eq!(set.read(&file), content);
        let other = set.archive();
        append(&other, &file, len as u64, "then");
        assert_eq!(set.read(&file), format!("{content}then"));
        block_on(other.put(&file, "last".into())).unwrap();
        assert_eq!(set.read(&file), "last");
    }
}

#[test]
fn records_are_found_however_many_parts_there_are() {
    let (set, file) = (Set::new(), name("news.1.video.ismv"));
    let archive = set.archive();
    for number in 0..100 {
        append(&archive, &file, number * 4, "part");
    }
    for record in ["-a.point", "a/news.point", "z.point"] {
        block_on(archive.put(&name(record), "record".into())).unwrap();
        append(&archive, &name(&format!("{record}.not")), 0, "other");
    }
    block_on(set.store.put(&Path::from("other/x.point"), "not below the prefix".into())).unwrap();
    let found = block_on(set.archive().records()).unwrap();
    assert_eq!(found, ["-a.point", "a/news.point", "z.point"].map(name));
    // Parts do not count.
    assert_eq!(block_on(archive.0.requests.names(".point", 3)).unwrap().len(), 3);
    assert!(block_on(archive.0.requests.names(".point", 2)).is_err());
}

#[test]
fn long_files_are_uploaded_in_parts() {
    let (set, file) = (Set::new(), name("video.ismv"));
    let archive = set.archive();
    let part = |number: u8| Bytes::from(vec![number; 5 << 20]);
    for number in 0..5 {
        append(&archive, &file, u64::from(number) * (5 << 20), part(number));
    }
    block_on(archive.finish(&file)).unwrap();
    let film = set.object("live/video.ismv").unwrap();
    let is_right =
        (0..5).all(|number| film[usize::from(number) * (5 << 20)..].starts_with(&part(number)));
    assert!(film.len() == 25 << 20 && is_right);
    // It is an object of the bucket as any other.
    let bucket = Bucket::new(Arc::clone(&set.store)).prefix(name("live"));
    assert_eq!(block_on(bucket.stat(&file)).unwrap().size, 25 << 20);
}

/// A store that does not delete the parts of one file.
#[derive(Debug)]
struct Keeps(Arc<InMemory>);

impl fmt::Display for Keeps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeps")
    }
}

#[async_trait]
impl ObjectStore for Keeps {
    async fn put_opts(
        &self,
        at: &Path,
        bytes: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.0.put_opts(at, bytes, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(at, options).await
    }

    fn delete_stream(
        &self,
        all: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let is_kept = |path: &Path| path.as_ref().contains("kept");
        let kept = || Error::Generic { store: "keeps", source: "it is kept".into() };
        let all = all
            .map(move |path| path.and_then(|of| if is_kept(&of) { Err(kept()) } else { Ok(of) }));
        self.0.delete_stream(all.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[test]
fn a_file_whose_parts_cannot_be_deleted_does_not_keep_those_of_others() {
    let set = Set::new();
    let now = Arc::clone(&set.now);
    let clock = Clock::new(move || Duration::from_secs(now.load(Ordering::Relaxed)));
    let archive = BucketArchive::new(Bucket::new(Keeps(Arc::clone(&set.store)))).clock(clock);
    let kept = (0..4).map(|number| name(&format!("{number}.kept.ismv")));
    let others = (0..4).map(|number| name(&format!("{number}.ismv")));
    for file in kept.chain(others) {
        append(&archive, &file, 0, "head");
        append(&archive, &file, 4, "fragment");
        block_on(archive.finish(&file)).unwrap();
    }
    set.now.store(60, Ordering::Relaxed);
    assert!(block_on(archive.delete_due()).is_err());
    let parts = set.keys().into_iter().filter(|key| key.starts_with(".parts/"));
    let parts: Vec<_> = parts.collect();
    assert!(parts.len() == 8 && parts.iter().all(|key| key.contains("kept")), "{parts:?}");
    assert_eq!(archive.files().len(), 4);
}
