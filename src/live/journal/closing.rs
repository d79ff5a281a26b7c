//! The end of an event: its files become a film.

use bytes::Bytes;

use super::recovery::Recovered;
use super::write::ArchiveWrite;
use crate::base::{Error, FileId, Limits, Name};
use crate::index::{Starts, written_mfra};
use crate::presentation::growing::{Growing, GrowingFile};
use crate::presentation::{OpenOptions, Presentation};

/// The end of an event: its files become an ordinary presentation, with all fragments that were ever
/// published.
#[derive(Debug)]
#[non_exhaustive]
pub struct Closing {
    /// The writes to make, in order: the index of each file, the client manifest, the server
    /// manifest, by which the presentation is found, and the end of the journal. If the process ends before,
    /// the event is recovered and closed again.
    pub writes: Vec<ArchiveWrite>,
    /// Name of the server manifest. `None` if nothing was published.
    pub server_manifest: Option<Name>,
}

impl Closing {
    /// Closes an event.
    ///
    /// # Errors
    /// The manifests or an index cannot be written, because they would be too large.
    pub fn of(event: Recovered) -> Result<Self, Error> {
        let options = OpenOptions::default().limits(limits());
        let Recovered { mut writes, restored, mut journal } = event;
        let mut server_manifest = None;
        let has_fragments = restored.files.iter().any(|file| file.len > 0);
        if let Some((server, client)) = journal.manifests().filter(|_| has_fragments) {
            let (film, growing) = film(&server, &restored, &options)?;
            for (number, file) in (1..).zip(&restored.files).filter(|(_, file)| file.len > 0) {
                let placed = restored.published.iter().filter(|placed| placed.file == number);
                let entries = placed.map(|placed| (placed.time, placed.start)).collect();
                let track_id = file.track.track_id().unwrap_or(1);
                let (name, offset) = (file.name.clone(), file.len);
                let bytes = written_mfra(&[Starts { track_id, entries }])?;
                writes.push(ArchiveWrite::Append { name, offset, bytes });
            }
            let mut manifest = growing.server_manifest().clone();
            let meta = ("clientManifestRelativePath".to_owned(), client.file_name().to_owned());
            manifest.metas.push(meta);
            if let Some(epoch) = restored.epoch {
                manifest.set_live(epoch, growing.begin().unwrap_or(0));
            }
            let content = film.manifest()?.clone();
            writes.push(ArchiveWrite::Put { name: client, content });
            let content = Bytes::from(manifest.to_xml()?);
            writes.push(ArchiveWrite::Put { name: server.clone(), content });
            server_manifest = Some(server);
        }
        writes.extend(journal.close());
        Ok(Self { writes, server_manifest })
    }
}

/// The limits of a film: 30 days of 20 tracks with fragments of 2 s are 26 million fragments.
fn limits() -> Limits {
    Limits {
        fragments: 1 << 25,
        chunks: 1 << 25,
        mfra: 1 << 28,
        client_manifest: 1 << 30,
        ..Limits::default()
    }
}

/// The presentation of all that was published.
fn film(
    name: &Name,
    restored: &super::Restored,
    options: &OpenOptions,
) -> Result<(Presentation, Growing), Error> {
    let has_fragments = restored.files.iter().filter(|file| file.len > 0);
    let files = has_fragments.map(|file| GrowingFile {
        name: file.name.clone(),
        server: file.track.clone(),
        head: file.head.clone(),
        first: file.first.clone().unwrap_or_default(),
    });
    let mut growing = Growing::open(name, files.collect(), options)?;
    // Files without fragments have no place in the film.
    let mut ids = Vec::new();
    let mut next = 0;
    for file in &restored.files {
        next += u32::from(file.len > 0);
        ids.push((file.len > 0).then_some(FileId::new(next)));
    }
    for (number, placed) in restored.published.iter().enumerate() {
        if number == restored.begun_with {
            // What players were told first.
            growing.begin_now();
        }
        let id = ids.get((placed.file as usize).saturating_sub(1)).copied().flatten();
        let Some(id) = id else { continue };
        // A track that cannot be served keeps its bytes and is in no manifest.
        if growing.track_of_file(id).is_some() {
            let (time, duration) = (placed.time, placed.duration);
            growing.add(id, time, duration, placed.start, placed.lengths)?;
        }
    }
    Ok((growing.snapshot(None, 0), growing))
}
