//! From an archive to an event that goes on, and to a film.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use crate::base::{Limits, Name};
use crate::live::journal::{ArchiveWrite, Closing, Journal, Recovered, Recovery, Restored};
use crate::presentation::OpenOptions;
use crate::storage::{AnyArchive, Archive, RangeSource};

/// Carries out a write of an event's archive.
pub(super) async fn write(
    archive: &AnyArchive,
    point: &Name,
    write: &ArchiveWrite,
    limits: &Limits,
) -> io::Result<()> {
    match write {
        ArchiveWrite::Append { name, offset, bytes } => {
            archive.append(name, *offset, bytes.clone()).await
        }
        ArchiveWrite::Put { name, content } => archive.put(name, content.clone()).await,
        ArchiveWrite::Close => close(archive, point, limits).await,
    }
}

/// Recovers the newest event of a publishing point that an archive has. `None` if there is none. One that has
/// ended is closed.
///
/// # Errors
/// A read or a write fails, or what has the name of the journal is no journal. The archive stays as it
/// is, or is recovered by the next call.
pub(super) async fn recover(
    archive: &AnyArchive,
    point: &Name,
    limits: &Limits,
) -> io::Result<Option<(Restored, Option<Journal>)>> {
    let Some(recovery) = look(archive, point, limits).await? else { return Ok(None) };
    let (is_stopped, ended) = (recovery.is_stopped(), recovery.ended());
    let Some(recovered) = recovery.finish() else { return Ok(Some((ended, None))) };
    if is_stopped {
        finish(archive, point, recovered, limits).await?;
        return Ok(Some((ended, None)));
    }
    write_all(archive, &recovered.writes).await?;
    Ok(Some((recovered.restored, Some(recovered.journal))))
}

/// Makes a film of the event, which has ended. It is the same film if it is made again.
async fn close(archive: &AnyArchive, point: &Name, limits: &Limits) -> io::Result<()> {
    let Some(recovery) = look(archive, point, limits).await? else { return Ok(()) };
    match recovery.finish() {
        Some(recovered) => finish(archive, point, recovered, limits).await,
        None => Ok(()),
    }
}

async fn finish(
    archive: &AnyArchive,
    point: &Name,
    recovered: Recovered,
    limits: &Limits,
) -> io::Result<()> {
    let files: Vec<Name> = recovered.restored.files().map(|(name, _)| name.clone()).collect();
    let journal = recovered.journal.name().clone();
    let options = OpenOptions::default().limits(limits.clone());
    let closing = Closing::of(point, recovered, &options).map_err(io::Error::other)?;
    write_all(archive, &closing.writes).await?;
    for name in files.iter().chain([&journal]) {
        archive.finish(name).await?;
    }
    Ok(())
}

/// Reads what the recovery of a point's event needs. `None` if there is no event.
async fn look(archive: &AnyArchive, point: &Name, limits: &Limits) -> io::Result<Option<Recovery>> {
    let Some([journal, held]) = Recovery::names(point) else { return Ok(None) };
    let Some(journal) = whole(archive, &journal).await? else { return Ok(None) };
    let held = whole(archive, &held).await?.unwrap_or_default();
    let found = Recovery::new(point, &journal, &held, limits).map_err(io::Error::other)?;
    let Some(mut recovery) = found else { return Ok(None) };
    if recovery.is_closed() {
        return Ok(Some(recovery));
    }
    for file in 0..recovery.files() {
        while let Some((name, range)) = recovery.newest(file) {
            let bytes = part(archive, name, range).await?;
            if recovery.judge(file, bytes.as_ref()) {
                break;
            }
        }
        if let Some((name, range)) = recovery.first(file) {
            let first = part(archive, name, range).await?;
            let first = first.ok_or_else(|| io::Error::other("the first fragment is missing"))?;
            recovery.take_first(file, first);
        }
    }
    Ok(Some(recovery))
}

async fn write_all(archive: &AnyArchive, writes: &[ArchiveWrite]) -> io::Result<()> {
    for write in writes {
        match write {
            ArchiveWrite::Append { name, offset, bytes } => {
                archive.append(name, *offset, bytes.clone()).await?;
            }
            ArchiveWrite::Put { name, content } => archive.put(name, content.clone()).await?,
            ArchiveWrite::Close => {}
        }
    }
    Ok(())
}

/// Reads a whole file. `None` if there is none.
async fn whole(archive: &AnyArchive, name: &Name) -> io::Result<Option<Bytes>> {
    match archive.open(name).await {
        Ok(source) => {
            let size = source.stat().await?.size;
            source.read(0..size).await.map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a part of a file. `None` if the file does not have it.
async fn part(archive: &AnyArchive, name: &Name, range: Range<u64>) -> io::Result<Option<Bytes>> {
    let is_missing = |kind| matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof);
    let read = match archive.open(name).await {
        Ok(source) => source.read(range).await,
        Err(error) => Err(error),
    };
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_missing(error.kind()) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
