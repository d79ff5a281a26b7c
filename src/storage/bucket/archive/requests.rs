//! The requests of an archive in a bucket.

use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::future;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStoreExt, PutPayload};

use super::pieces::Piece;
use crate::base::Name;
use crate::storage::bucket::get;
use crate::storage::bucket::problem::Problem;
use crate::storage::bucket::reach::Reach;

/// The objects of the files of an archive.
#[derive(Clone)]
pub(super) struct Requests(pub(super) Reach);

/// Folder of all parts, below the root of the archive.
const PARTS: &str = ".parts";

impl Requests {
    /// The key of the file as one object.
    pub(super) fn whole(&self, file: &Name) -> io::Result<Path> {
        self.0.path(Some(file))
    }

    /// The key of the part of a file that begins at this byte.
    pub(super) fn part(&self, file: &Name, offset: u64) -> io::Result<Path> {
        self.below(&format!("{PARTS}/{file}/{offset:020}"))
    }

    /// The key of the object that has a piece.
    pub(super) fn of(&self, file: &Name, piece: &Piece) -> io::Result<Path> {
        if piece.is_whole { self.whole(file) } else { self.part(file, piece.offset) }
    }

    fn below(&self, key: &str) -> io::Result<Path> {
        let name = Name::new(key).map_err(|_| io::ErrorKind::InvalidFilename)?;
        self.0.path(Some(&name))
    }

    /// Writes an object, in place of one of the same key, all of it or nothing.
    pub(super) async fn put(&self, key: Path, bytes: Bytes) -> io::Result<()> {
        let store = self.0.store.clone();
        let put = async move {
            let put = store.put(&key, PutPayload::from_bytes(bytes)).await;
            put.map(drop).map_err(|error| Problem::of(&error).into())
        };
        self.0.runner.run(put).await
    }

    /// Length of an object. `None` if there is none.
    pub(super) async fn len(&self, key: Path) -> io::Result<Option<u64>> {
        let store = self.0.store.clone();
        let head = async move {
            match get::head(store, key).await {
                Ok(seen) => Ok(Some(seen.meta.size)),
                Err(Problem::Missing) => Ok(None),
                Err(problem) => Err(problem.into()),
            }
        };
        self.0.runner.run(head).await
    }

    /// Reads bytes of an object: fewer if it has no more. `None` if there is no such object, or none of the bytes.
    pub(super) async fn get(&self, key: Path, from: u64, to: u64) -> io::Result<Option<Bytes>> {
        let store = self.0.store.clone();
        let get = async move {
            match get::get(store, key, GetRange::Bounded(from..to), GetOptions::default()).await {
                Ok(got) => Ok(Some(got.bytes)),
                Err(Problem::Missing | Problem::Range) => Ok(None),
                Err(problem) => Err(problem.into()),
            }
        };
        self.0.runner.run(get).await
    }

    /// Offset and length of each part of a file.
    pub(super) async fn parts(&self, file: &Name) -> io::Result<Vec<(u64, u64)>> {
        let folder = self.below(&format!("{PARTS}/{file}"))?;
        let store = self.0.store.clone();
        let list = async move {
            let listed = store.list(Some(&folder)).try_filter_map(|meta| async move {
                let offset = meta.location.filename().and_then(|name| name.parse().ok());
                Ok(offset.map(|offset: u64| (offset, meta.size)))
            });
            listed.try_collect().await.map_err(|error| Problem::of(&error).into())
        };
        self.0.runner.run(list).await
    }

    /// The names of the files that have this ending and are no parts.
    ///
    /// # Errors
    /// There are more than so many other files, or the store fails.
    pub(super) async fn names(&self, ending: &'static str, most: usize) -> io::Result<Vec<Name>> {
        let root = self.0.path(None)?;
        let root = (!root.as_ref().is_empty()).then_some(root);
        // Parts are many. Their keys are between these.
        let parts = format!("{}/", self.below(PARTS)?);
        let behind = self.below(&format!("{PARTS}0"))?;
        let (store, reach) = (self.0.store.clone(), self.0.clone());
        let list = async move {
            let (mut names, mut seen) = (Vec::new(), 0_usize);
            let before = store
                .list(root.as_ref())
                .try_take_while(|meta| future::ready(Ok(meta.location.as_ref() < parts.as_str())));
            let mut all = before.chain(store.list_with_offset(root.as_ref(), &behind));
            while let Some(meta) = all.next().await {
                let meta = meta.map_err(|error| Problem::of(&error))?;
                let name = reach.below(&meta.location);
                seen += 1;
                if seen > most {
                    let why = format!("it has more than {most} files: give it a prefix of its own");
                    return Err(io::Error::other(why));
                }
                names.extend(name.filter(|name| name.as_str().ends_with(ending)));
            }
            Ok(names)
        };
        self.0.runner.run(list).await
    }

    /// Deletes objects: those that are not there, too.
    pub(super) async fn delete(&self, keys: Vec<Path>) -> io::Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        let store = self.0.store.clone();
        let delete = async move {
            let mut deleted = store.delete_stream(stream::iter(keys).map(Ok).boxed());
            while let Some(deleted) = deleted.next().await {
                match deleted.map_err(|error| Problem::of(&error)) {
                    Ok(_) | Err(Problem::Missing) => {}
                    Err(problem) => return Err(problem.into()),
                }
            }
            Ok(())
        };
        self.0.runner.run(delete).await
    }

    /// Writes an object of `len` bytes, which come in order, all of it or nothing.
    pub(super) async fn upload(
        &self,
        key: Path,
        len: u64,
        bytes: BoxStream<'static, io::Result<Bytes>>,
    ) -> io::Result<()> {
        let store = self.0.store.clone();
        let upload = async move { upload(&*store, &key, len, bytes).await };
        self.0.runner.run(upload).await
    }
}

/// Least bytes of a part of an upload, but for the last one. Stores take no fewer than 5 MiB.
const UPLOADED: u64 = 8 << 20;
/// Parts that an upload has at most. Stores take 10,000.
const MOST_UPLOADED: u64 = 9_000;

async fn upload(
    store: &dyn object_store::ObjectStore,
    key: &Path,
    len: u64,
    mut bytes: BoxStream<'static, io::Result<Bytes>>,
) -> io::Result<()> {
    let failed = |error: object_store::Error| io::Error::from(Problem::of(&error));
    // Some stores want all parts but the last to have one length.
    let size =
        usize::try_from(UPLOADED.max(len.div_ceil(MOST_UPLOADED))).map_err(io::Error::other)?;
    let mut gathered = BytesMut::new();
    if len <= size as u64 {
        while let Some(bytes) = bytes.try_next().await? {
            gathered.extend_from_slice(&bytes);
        }
        let put = store.put(key, PutPayload::from_bytes(gathered.freeze())).await;
        return put.map(drop).map_err(failed);
    }
    let mut upload = store.put_multipart(key).await.map_err(failed)?;
    let mut write = async || {
        while let Some(bytes) = bytes.try_next().await? {
            gathered.extend_from_slice(&bytes);
            while gathered.len() >= size {
                let part = PutPayload::from_bytes(gathered.split_to(size).freeze());
                upload.put_part(part).await.map_err(failed)?;
            }
        }
        if !gathered.is_empty() {
            let part = PutPayload::from_bytes(std::mem::take(&mut gathered).freeze());
            upload.put_part(part).await.map_err(failed)?;
        }
        upload.complete().await.map(drop).map_err(failed)
    };
    let written = write().await;
    if written.is_err() {
        // What stays is for the store's rule about uploads that did not end.
        let _ = upload.abort().await;
    }
    written
}
