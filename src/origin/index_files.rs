//! Index files of the media files of an opening. Their failures are events, never errors.

use std::io;

use bytes::Bytes;

use super::Event;
use super::read::Files;
use crate::base::{FileId, Name};
use crate::index::opened_index_file;
use crate::presentation::Presentation;

/// Returns the boxes in the index file of a media file; none if there is no index file of its
/// version.
pub(super) async fn load(files: &Files, file: FileId) -> Bytes {
    let access = &files.shared().access;
    let indexes = access.host.indexes.as_ref();
    let Some((indexes, (name, version))) = indexes.zip(files.version(file)) else {
        return Bytes::new();
    };
    match access.within(indexes.load(name, version)).await.unwrap_or_else(timed_out) {
        Ok(Some(index)) => opened_index_file(&index, version.as_bytes()).unwrap_or_default(),
        Ok(None) => Bytes::new(),
        Err(error) => {
            failed(files, name, &error);
            Bytes::new()
        }
    }
}

/// Keeps what the walks of an opening have found.
pub(super) async fn keep(files: &Files, presentation: &Presentation) {
    let access = &files.shared().access;
    let Some(indexes) = &access.host.indexes else { return };
    for (file, trail) in presentation.take_trails() {
        let Some((name, version)) = files.version(file) else { continue };
        let index = trail.finish(version.as_bytes());
        let kept = access.within(indexes.keep(name, version, index)).await;
        if let Err(error) = kept.unwrap_or_else(timed_out) {
            // The others would most likely fail too, and the request waits.
            return failed(files, name, &error);
        }
    }
}

fn timed_out<T>() -> io::Result<T> {
    Err(io::ErrorKind::TimedOut.into())
}

fn failed(files: &Files, name: &Name, error: &io::Error) {
    files.shared().access.host.events.report(&Event::IndexFileFailed { name, error });
}
