//! One file of an archive in a bucket, for the process that writes it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::lock::Mutex as Turn;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::Shared;
use super::pieces::{JOINED, Piece, Pieces};
use super::requests::Requests;
use crate::base::Name;

/// A file that is written.
pub(super) struct File {
    name: Name,
    /// `None` if the store has to be asked.
    pieces: Mutex<Option<Pieces>>,
    /// One writes or deletes at a time.
    turn: Turn<()>,
    /// The store did not delete parts: only [`delete_due`](Self::delete_due) tries again.
    keeps_parts: AtomicBool,
}

/// Objects that are read at a time.
const READ_AT_ONCE: usize = 4;
/// Bytes of one read of an object.
const READ: u64 = 4 << 20;

impl File {
    pub(super) fn new(name: Name) -> Self {
        let (pieces, turn) = (Mutex::default(), Turn::new(()));
        Self { name, pieces, turn, keeps_parts: AtomicBool::new(false) }
    }

    /// Makes use of the pieces, if they are known.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Pieces) -> T) -> Option<T> {
        self.pieces().as_mut().map(act)
    }

    fn pieces(&self) -> MutexGuard<'_, Option<Pieces>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the pieces, which are not known until they are put back: if the future of a change is dropped, the
    /// store is asked.
    async fn take(&self, of: &Shared) -> io::Result<Pieces> {
        let known = self.pieces().take();
        match known {
            Some(pieces) => Ok(pieces),
            None => of.found(&self.name).await,
        }
    }

    fn put_back(&self, pieces: Pieces) {
        *self.pieces() = Some(pieces);
    }

    async fn load(&self, of: &Shared) -> io::Result<()> {
        if self.pieces().is_none() {
            let found = of.found(&self.name).await?;
            self.put_back(found);
        }
        Ok(())
    }

    pub(super) async fn append(&self, of: &Shared, offset: u64, bytes: Bytes) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        self.load(of).await?;
        let state = self.with(|pieces| (pieces.end(), pieces.replaces_last(offset)));
        let (end, replaces_last) = state.unwrap_or_default();
        if offset > end {
            return Err(io::Error::other("bytes are missing before those that are appended"));
        }
        if offset < end && (bytes.is_empty() || !replaces_last) {
            self.cut(of, offset).await?;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        of.requests.put(of.requests.part(&self.name, offset)?, bytes.clone()).await?;
        self.with(|pieces| {
            pieces.cut(offset);
            pieces.append(offset, &bytes);
        });
        self.join(of).await;
        if !self.keeps_parts.load(Ordering::Relaxed) {
            // The bytes are stored: `delete_due` tries again, and reports it.
            let _ = self.delete_since(of, JOINED).await;
        }
        Ok(())
    }

    /// Takes away what is behind this byte. Whatever of it is done leaves a beginning of the file as it was.
    async fn cut(&self, of: &Shared, offset: u64) -> io::Result<()> {
        let mut pieces = self.take(of).await?;
        self.delete(of, &pieces.parts_from(offset)).await?;
        if let Some(piece) = pieces.around(offset) {
            let kept = piece.up_to(offset);
            let key = of.requests.of(&self.name, &kept)?;
            let bytes = bytes_of(&of.requests, &self.name, vec![kept.clone()]);
            of.requests.upload(key, kept.len, bytes).await?;
        } else if offset == 0 && pieces.has_whole() {
            of.requests.delete(vec![of.requests.whole(&self.name)?]).await?;
        }
        pieces.cut(offset);
        if pieces.end() > offset {
            pieces.shorten_last(offset);
        }
        self.put_back(pieces);
        Ok(())
    }

    /// Joins small parts. If that fails, it is done with a later append, or never.
    async fn join(&self, of: &Shared) {
        while let Some((offset, bytes)) = self.with(|pieces| pieces.joined()).flatten() {
            let Ok(key) = of.requests.part(&self.name, offset) else { return };
            if of.requests.put(key, bytes.clone()).await.is_err() {
                // The store may have it all the same.
                *self.pieces() = None;
                return;
            }
            self.with(|pieces| pieces.join(bytes, of.clock.now()));
        }
    }

    pub(super) async fn put(&self, of: &Shared, content: Bytes) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        let mut pieces = self.take(of).await?;
        let len = content.len() as u64;
        // A part that begins where the content ends would be taken for more of it.
        if let Some((before, part)) = pieces.around_boundary(len) {
            let (key, joined) = (of.requests.of(&self.name, &before)?, before.len + part.len);
            let bytes = bytes_of(&of.requests, &self.name, vec![before, part]);
            of.requests.upload(key, joined, bytes).await?;
        }
        let follows = pieces.parts_from(len).into_iter().filter(|part| *part == len);
        self.delete(of, &follows.collect::<Vec<_>>()).await?;
        of.requests.put(of.requests.whole(&self.name)?, content).await?;
        self.delete(of, &pieces.parts_from(0)).await?;
        pieces = Pieces::found(Some(len), Vec::new(), of.clock.now());
        self.put_back(pieces);
        Ok(())
    }

    pub(super) async fn finish(&self, of: &Shared) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        self.load(of).await?;
        let parts = self.with(|pieces| {
            let is_done = pieces.is_empty() || pieces.is_whole();
            (!is_done).then(|| (pieces.end(), pieces.all()))
        });
        let Some(Some((len, all))) = parts else { return Ok(()) };
        let bytes = bytes_of(&of.requests, &self.name, all);
        of.requests.upload(of.requests.whole(&self.name)?, len, bytes).await?;
        self.with(|pieces| pieces.replace_by_whole(len, of.clock.now()));
        Ok(())
    }

    /// Deletes the parts whose time has passed.
    pub(super) async fn delete_due(&self, of: &Shared) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        self.delete_since(of, 1).await
    }

    /// Deletes the parts whose time has passed, if there are so many of them.
    async fn delete_since(&self, of: &Shared, least: usize) -> io::Result<()> {
        let Some(until) = of.clock.now().checked_sub(of.delete_after) else { return Ok(()) };
        let stale = self.with(|pieces| pieces.stale_since(until)).unwrap_or_default();
        if stale.len() < least {
            return Ok(());
        }
        let deleted = self.delete(of, &stale).await;
        self.keeps_parts.store(deleted.is_err(), Ordering::Relaxed);
        if deleted.is_ok() {
            self.with(|pieces| pieces.forget_stale(until));
        }
        deleted
    }

    async fn delete(&self, of: &Shared, parts: &[u64]) -> io::Result<()> {
        let keys = parts.iter().map(|part| of.requests.part(&self.name, *part));
        of.requests.delete(keys.collect::<io::Result<_>>()?).await
    }

    /// True if nothing is left to do.
    pub(super) fn is_at_rest(&self) -> bool {
        self.turn.try_lock().is_some() && self.with(|pieces| pieces.is_at_rest()).unwrap_or(true)
    }
}

/// The bytes of pieces of a file, in order.
fn bytes_of(
    requests: &Requests,
    name: &Name,
    pieces: Vec<Piece>,
) -> BoxStream<'static, io::Result<Bytes>> {
    let (requests, name) = (requests.clone(), name.clone());
    let reads = pieces.into_iter().flat_map(|piece| {
        let count = piece.len.div_ceil(READ);
        (0..count).map(move |number| {
            let (from, to) = (number * READ, piece.len.min((number + 1) * READ));
            (piece.clone(), from, to)
        })
    });
    let read = move |(piece, from, to): (Piece, u64, u64)| {
        let (requests, name) = (requests.clone(), name.clone());
        async move {
            let bytes = requests.get(requests.of(&name, &piece)?, from, to).await?;
            let bytes = bytes.filter(|bytes| bytes.len() as u64 == to - from);
            bytes.ok_or_else(|| io::Error::other("a part of the archive is missing"))
        }
    };
    stream::iter(reads).map(read).buffered(READ_AT_ONCE).boxed()
}

/// The bytes of some pieces, each with the range of it that is wanted. `None` if one of them is not there.
pub(super) async fn read_pieces(
    requests: &Requests,
    name: &Name,
    pieces: Vec<(Piece, std::ops::Range<u64>)>,
) -> io::Result<Option<Bytes>> {
    let is_one = pieces.len() == 1;
    let read = |(piece, range): (Piece, std::ops::Range<u64>)| async move {
        let bytes = requests.get(requests.of(name, &piece)?, range.start, range.end).await?;
        io::Result::Ok(bytes.filter(|bytes| bytes.len() as u64 == range.end - range.start))
    };
    let mut reads = stream::iter(pieces).map(read).buffered(READ_AT_ONCE);
    let mut all = BytesMut::new();
    while let Some(read) = reads.next().await {
        let Some(bytes) = read? else { return Ok(None) };
        if is_one {
            return Ok(Some(bytes));
        }
        all.extend_from_slice(&bytes);
    }
    Ok(Some(all.freeze()))
}
