//! A bucket over a store whose answers are the input: whatever it says, a read gives exactly the bytes of
//! its range, in the version that was opened, or fails.

use std::fmt;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};
use smooth_origin::base::Name;
use smooth_origin::origin::block_on;
use smooth_origin::storage::{Bucket, Ends, RangeSource, Store};

/// Bytes that one answer may have.
const MOST: usize = 4096;

/// Names that a listing may have.
const LISTED: usize = 8;

/// Opens an object, reads it in several ways, and lists a folder.
pub fn bucket(data: &[u8]) {
    let mut input = Input(data);
    let mut ends = || input.length();
    let ends = Ends::new(ends(), ends());
    let ranges: Vec<Range<u64>> = (0..4).map(|_| input.length()..input.length()).collect();
    let settings = input.byte();
    let store = Bucket::new(Answers(Mutex::new(input.0.to_vec()))).max_listed(LISTED / 2);
    let store = store.written_in_place(settings & 1 != 0);
    let store = match settings & 2 {
        0 => store,
        _ => store.prefix(Name::new("films").expect("a name")),
    };
    let name = Name::new("a.ismv").expect("a name");
    block_on(async {
        if let Ok(opening) = store.open_with(&name, ends).await {
            let stat = opening.source.stat().await.expect("what was opened is known");
            assert_eq!((stat.size, &stat.version), (opening.stat.size, &opening.stat.version));
            let (head, tail) = ends.ranges(stat.size);
            let head_read = opening.head.clone();
            // A version is known by its first byte, which depends on it.
            let seed = head_read.as_ref().and_then(|head| head.first().copied());
            for (read, range) in [(opening.head, head), (opening.tail, tail)] {
                if let Some(read) = read {
                    check(&read, &range, seed);
                }
            }
            for range in &ranges {
                let is_inside = range.start <= range.end && range.end <= stat.size;
                match opening.source.read(range.clone()).await {
                    Ok(read) => {
                        assert!(is_inside, "{range:?}");
                        check(&read, range, seed);
                    }
                    // This kind says that the range is not in the object, and nothing is tried again.
                    Err(error) => assert_eq!(error.kind() == ErrorKind::UnexpectedEof, !is_inside),
                }
            }
            if let Ok(read) = opening.source.read_many(&ranges).await {
                assert_eq!(read.len(), ranges.len());
                read.iter().zip(&ranges).for_each(|(read, range)| check(read, range, seed));
            }
        }
        let _ = store.stat(&name).await;
        for folder in [None, Some(Name::new("folder").expect("a name"))] {
            if let Ok(names) = store.list(folder.as_ref()).await {
                assert!(names.len() <= LISTED / 2);
                assert!(names.iter().all(|name| name.folder() == folder));
            }
        }
    });
}

/// The bytes are those of the range, and of the version.
fn check(read: &Bytes, range: &Range<u64>, seed: Option<u8>) {
    assert_eq!(read.len() as u64, range.end - range.start, "{range:?}");
    let Some(first) = read.first() else { return };
    let seed = seed.unwrap_or(first.wrapping_sub(range.start as u8));
    let expected = (range.start..range.end).map(|at| seed.wrapping_add(at as u8));
    assert!(read.iter().copied().eq(expected), "{range:?} of another place or version");
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Mostly a small number, sometimes one near the end of all.
    fn length(&mut self) -> u64 {
        match self.byte() {
            byte @ 0..=239 => byte.into(),
            byte @ 240..=247 => u64::from(byte - 240) << 12,
            byte => u64::MAX - u64::from(byte - 248),
        }
    }
}

/// Each request takes its answer from what is left of the input.
struct Answers(Mutex<Vec<u8>>);

impl Answers {
    fn with<T>(&self, answer: impl FnOnce(&mut Input<'_>) -> T) -> T {
        let mut left = self.0.lock().expect("nothing panics before it is given back");
        let mut input = Input(&left);
        let answer = answer(&mut input);
        let rest = input.0.to_vec();
        *left = rest;
        answer
    }
}

fn cause() -> Box<dyn std::error::Error + Send + Sync> {
    "https://host/a?sig=secret".into()
}

fn failure(kind: u8) -> Error {
    let (path, source) = ("a.ismv".to_owned(), cause());
    let inner = Error::Precondition { path: path.clone(), source: cause() };
    match kind % 11 {
        0 => Error::NotFound { path, source },
        1 => Error::Precondition { path, source },
        2 => Error::Generic { store: "answers", source: Box::new(inner) },
        3 => Error::PermissionDenied { path, source },
        4 => Error::Unauthenticated { path, source },
        5 => Error::NotSupported { source },
        6 => Error::AlreadyExists { path, source },
        7 => Error::NotModified { path, source },
        8 => Error::Generic { store: "answers", source: "Requested range was invalid".into() },
        9 => {
            let source = io::Error::from(ErrorKind::UnexpectedEof).into();
            Error::Generic { store: "answers", source }
        }
        _ => Error::Generic { store: "answers", source },
    }
}

const E_TAGS: [Option<&str>; 6] =
    [None, Some("\"a\""), Some("\"b\""), Some("W/\"a\""), Some("\"\""), Some("")];

const VERSIONS: [Option<&str>; 4] = [None, Some("1"), Some("2"), Some("")];

fn meta(input: &mut Input<'_>) -> (ObjectMeta, u8) {
    let (tags, size) = (input.byte(), input.length());
    let (e_tag, version) = (usize::from(tags % 6), usize::from(tags / 6 % 4));
    let modified = u64::from(tags / 24 % 3);
    // The content follows from what tells the version: the tag, else the version, else time and size.
    let is_named = (1..=3).contains(&e_tag);
    let seed = match (is_named, version) {
        (true, _) => e_tag,
        (false, 1 | 2) => 10 + version,
        _ => 20 + 4 * modified as usize + size as usize % 4,
    };
    let meta = ObjectMeta {
        location: Path::from("a.ismv"),
        last_modified: (SystemTime::UNIX_EPOCH + Duration::from_secs(modified)).into(),
        size,
        e_tag: E_TAGS[e_tag].map(str::to_owned),
        version: VERSIONS[version].map(str::to_owned),
    };
    (meta, (seed as u8).wrapping_mul(7))
}

fn chunks(input: &mut Input<'_>, start: u64, seed: u8) -> Vec<Result<Bytes>> {
    let (mut chunks, mut at, mut total) = (Vec::new(), start, 0);
    loop {
        let control = input.byte();
        if control == 255 {
            chunks.push(Err(failure(input.byte())));
        }
        // 0 ends the body, so that an empty input does.
        if control == 0 || control == 255 || total >= MOST {
            return chunks;
        }
        let len = u64::from(control);
        let bytes = (at..at.saturating_add(len)).map(|at| seed.wrapping_add(at as u8));
        let bytes: Vec<u8> = bytes.collect();
        (at, total) = (at.saturating_add(len), total + bytes.len());
        chunks.push(Ok(bytes.into()));
    }
}

#[async_trait]
impl ObjectStore for Answers {
    async fn get_opts(&self, _: &Path, options: GetOptions) -> Result<GetResult> {
        self.with(|input| {
            let kind = input.byte();
            if kind < 64 {
                return Err(failure(kind));
            }
            let (meta, seed) = meta(input);
            let honest = options.range.as_ref().and_then(|range| range.as_range(meta.size).ok());
            let range = match honest.filter(|_| kind < 224) {
                Some(range) => range,
                None => input.length()..input.length(),
            };
            let mut attributes = Attributes::new();
            if kind == 255 {
                attributes.insert(Attribute::ContentEncoding, "gzip".into());
            }
            let whole = (range.end.saturating_sub(range.start) as usize).min(MOST);
            let chunks = match kind < 160 {
                true => {
                    let bytes = range.clone().take(whole).map(|at| seed.wrapping_add(at as u8));
                    vec![Ok(bytes.collect::<Vec<u8>>().into())]
                }
                false => chunks(input, range.start, seed),
            };
            let payload = GetResultPayload::Stream(stream::iter(chunks).boxed());
            Ok(GetResult { payload, meta, range, attributes, extensions: Default::default() })
        })
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        const KEYS: [&str; 6] =
            ["a.ism", "folder", "folder/a.ism", "films/folder/b", "films/c", "folder/sub/d"];
        self.with(|input| {
            let count = usize::from(input.byte());
            if count > 128 {
                return Err(failure(count as u8));
            }
            let key = |input: &mut Input<'_>| {
                let key = KEYS[usize::from(input.byte()) % KEYS.len()];
                ObjectMeta { location: Path::from(key), ..meta(input).0 }
            };
            let objects = (0..count % LISTED).map(|_| key(input)).collect();
            Ok(ListResult { objects, common_prefixes: Vec::new(), extensions: Default::default() })
        })
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(failure(5))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(failure(5))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::empty().boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(failure(5))
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers")
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answers")
    }
}
