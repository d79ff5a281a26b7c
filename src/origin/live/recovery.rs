//! From an archive to an event that goes on, and to a film.

use std::io;
use std::ops::Range;

use bytes::Bytes;

use crate::base::{Limits, Name};
use crate::live::journal::{
    ArchiveWrite, Closing, Journal, PointRecord, Recovered, Recovery, Restored,
};
use crate::origin::offload::Offload;
use crate::storage::{AnyArchive, Archive, RangeSource};

/// The state of a publishing point in an archive.
#[derive(Debug)]
pub(super) struct Found {
    /// The event that goes on, or what the point needs to know of those that have ended. `None` if it never had one.
    pub(super) restored: Option<Restored>,
    /// For the writes that follow.
    pub(super) journal: Journal,
    /// Number and server manifest of the newest event that has a film.
    pub(super) film: Option<(u64, Name)>,
    /// Events whose films are due: see [`close`].
    pub(super) due: Vec<PointRecord>,
}

/// Carries out a write of an event's archive, but for its end.
pub(super) async fn write(archive: &AnyArchive, write: &ArchiveWrite) -> io::Result<()> {
    match write {
        ArchiveWrite::Append { name, offset, bytes } => {
            archive.append(name, *offset, bytes.clone()).await
        }
        ArchiveWrite::Put { name, content } => archive.put(name, content.clone()).await,
        // The journal has to be read back, beside other writes: see `close`.
        ArchiveWrite::Close { .. } => Ok(()),
    }
}

/// Recovers the last event of a publishing point that an archive has. The film of one that has ended is due.
///
/// # Errors
/// A read or a write fails; [`io::ErrorKind::InvalidData`] if what has the name of the journal is no
/// journal, or contradicts itself. The archive stays as it is, or is recovered by the next call.
pub(super) async fn recover(
    archive: &AnyArchive,
    point: &Name,
    offload: &Offload,
) -> io::Result<Found> {
    let mut record = record(archive, point).await?;
    if record.is_ended() || record.number() == 0 {
        return Ok(without_event(record));
    }
    let Some(recovery) = look(archive, record.clone(), offload).await? else {
        return Ok(without_event(record));
    };
    let is_stopped = recovery.is_stopped();
    let Some(recovered) = elsewhere(offload, move || recovery.finish()).await? else {
        // The record was not put any more.
        let ended = record.ended();
        write_all(archive, &ended.write().into_iter().collect::<Vec<_>>()).await?;
        return Ok(without_event(ended));
    };
    if is_stopped {
        record.end_for_film();
        write_all(archive, &record.write().into_iter().collect::<Vec<_>>()).await?;
        return Ok(without_event(record));
    }
    write_all(archive, &recovered.writes).await?;
    let Recovered { restored, journal, .. } = recovered;
    let (film, due) = (record.numbered_film(), record.of_due());
    Ok(Found { restored: Some(restored), journal, film, due })
}

/// Returns the state of a point whose last event cannot be recovered: it stays as it is, and the next event has
/// files of its own.
///
/// # Errors
/// As [`recover`].
pub(super) async fn set_aside(archive: &AnyArchive, point: &Name) -> io::Result<Found> {
    let mut found = record(archive, point).await.map(without_event)?;
    if let Some(restored) = &mut found.restored {
        restored.is_open = true;
    }
    Ok(found)
}

fn without_event(record: PointRecord) -> Found {
    let is_known = record.number() > 0 || record.is_shut;
    let restored = is_known.then(|| Restored::ended(&record));
    let (film, due) = (record.numbered_film(), record.of_due());
    Found { restored, journal: Journal::of(record), film, due }
}

/// The record of a point. Without one, events are counted on behind those whose files are there.
async fn record(archive: &AnyArchive, point: &Name) -> io::Result<PointRecord> {
    let name = PointRecord::name_of(point);
    let name = name.ok_or_else(|| invalid("the name of the point is too long"))?;
    if let Some(bytes) = whole(archive, &name).await? {
        return PointRecord::read(point, &bytes, &Limits::default())
            .map_err(|error| invalid(format!("{name}: {error}")));
    }
    let mut record = PointRecord::new(point.clone());
    for number in 1..MOST_EVENTS {
        let files = record.files_of(number).into_iter().flatten();
        let mut is_free = true;
        for file in files {
            is_free &= !exists(archive, &file).await?;
        }
        if is_free {
            return Ok(record);
        }
        record.pass(number);
    }
    Err(invalid(format!("{name} is missing, and too many events are there")))
}

/// Events of a point without a record that are looked for.
const MOST_EVENTS: u64 = 10_000;

async fn exists(archive: &AnyArchive, name: &Name) -> io::Result<bool> {
    match archive.open(name).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes a film of the last event of a record, which has ended. It is the same film if it is made again. Returns
/// its server manifest, if anything was published.
///
/// # Errors
/// As [`recover`].
pub(super) async fn close(
    archive: &AnyArchive,
    record: &PointRecord,
    offload: &Offload,
) -> io::Result<Option<Name>> {
    let Some(recovery) = look(archive, record.clone(), offload).await? else { return Ok(None) };
    if recovery.is_closed() {
        return Ok(recovery.film());
    }
    match elsewhere(offload, move || recovery.finish()).await? {
        Some(recovered) => finish(archive, recovered, offload).await,
        None => Ok(None),
    }
}

/// Returns the server manifest of the film.
async fn finish(
    archive: &AnyArchive,
    recovered: Recovered,
    offload: &Offload,
) -> io::Result<Option<Name>> {
    let files: Vec<Name> = recovered.restored.files().map(|(name, _)| name.clone()).collect();
    let (journal, held) =
        (recovered.journal.name().cloned(), recovered.journal.held_name().cloned());
    let closing = elsewhere(offload, move || Closing::of(recovered)).await?.map_err(invalid)?;
    // Whoever finds the manifests finds whole files.
    let is_of_track = |write: &ArchiveWrite| match write {
        ArchiveWrite::Append { name, .. } => files.contains(name),
        _ => false,
    };
    let last = closing.writes.iter().rposition(is_of_track).map_or(0, |last| last + 1);
    let (appends, manifests) = closing.writes.split_at(last);
    write_all(archive, appends).await?;
    for name in &files {
        archive.finish(name).await?;
    }
    write_all(archive, manifests).await?;
    if let Some(journal) = journal {
        archive.finish(&journal).await?;
    }
    if let Some(held) = held {
        // All of it is published: what was of use is not kept, as an object of a bucket would be.
        archive.put(&held, Bytes::new()).await?;
        archive.finish(&held).await?;
    }
    Ok(closing.server_manifest)
}

/// Does something that may take long.
async fn elsewhere<T: Send + 'static>(
    offload: &Offload,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    offload.run(work).await.map_err(io::Error::other)
}

/// Reads what the recovery of the last event of a point needs. `None` if there is nothing of it.
async fn look(
    archive: &AnyArchive,
    record: PointRecord,
    offload: &Offload,
) -> io::Result<Option<Recovery>> {
    let Some([journal, held]) = record.journal() else { return Ok(None) };
    let Some(journal) = whole(archive, &journal).await? else { return Ok(None) };
    let held = whole(archive, &held).await?.unwrap_or_default();
    let read = move || Recovery::new(record, &journal, &held, &Limits::default());
    let found = elsewhere(offload, read).await?.map_err(invalid)?;
    let Some(mut recovery) = found else { return Ok(None) };
    if recovery.is_closed() {
        return Ok(Some(recovery));
    }
    for file in 0..recovery.files() {
        // A file that is missing or short is told by its size: not by a read for each fragment.
        if let Some(name) = recovery.name(file) {
            let size = size(archive, name).await?;
            recovery.cut_to(file, size);
        }
        while let Some((name, range)) = recovery.newest(file) {
            let bytes = part(archive, name, range).await?;
            if recovery.judge(file, bytes.as_ref()) {
                break;
            }
        }
        if let Some((name, range)) = recovery.first(file) {
            let first = part(archive, name, range).await?;
            let first = first.ok_or_else(|| invalid("the first fragment is missing"))?;
            recovery.take_first(file, first);
        }
    }
    let messages = recovery.messages().into_iter();
    let messages: Vec<_> =
        messages.map(|(file, name, range)| (file, name.clone(), range)).collect();
    for (file, name, range) in messages {
        // An event without some of its messages is better than none.
        if let Some(bytes) = part(archive, &name, range.clone()).await? {
            recovery.take_messages(file, range, &bytes);
        }
    }
    Ok(Some(recovery))
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

async fn write_all(archive: &AnyArchive, writes: &[ArchiveWrite]) -> io::Result<()> {
    for write in writes {
        match write {
            ArchiveWrite::Append { name, offset, bytes } => {
                archive.append(name, *offset, bytes.clone()).await?;
            }
            ArchiveWrite::Put { name, content } => archive.put(name, content.clone()).await?,
            ArchiveWrite::Close { .. } => {}
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

/// Bytes of a file; 0 if there is none.
async fn size(archive: &AnyArchive, name: &Name) -> io::Result<u64> {
    match archive.open(name).await {
        Ok(source) => Ok(source.stat().await?.size),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
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
