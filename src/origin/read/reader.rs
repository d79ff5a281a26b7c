//! The reader of a reply: every byte of stored media that a client gets passes here.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::opened::Opened;
use super::shared::Shared;
use crate::base::{Error, FileId, Name, ReadError};
use crate::storage::{Source, Stat};

/// The files that a reply's bytes are read from, in the version that the reply is of.
#[derive(Clone)]
pub(in crate::origin) enum Reader {
    Presentation(Arc<Opened>),
    /// A presentation, and the file of the one fragment that the reply contains.
    Fragment(Arc<FragmentReader>),
    File(Arc<FileReader>),
}

/// A presentation and the file of a fragment, behind one pointer: every body has room for it.
pub(in crate::origin) struct FragmentReader {
    pub(in crate::origin) opened: Arc<Opened>,
    pub(in crate::origin) fragment: FragmentFile,
}

/// The file of a fragment, as it was opened for one reply.
pub(in crate::origin) struct FragmentFile {
    pub(in crate::origin) name: Name,
    pub(in crate::origin) source: Source,
    pub(in crate::origin) stat: Stat,
}

/// A file beside the presentations.
pub(in crate::origin) struct FileReader {
    pub(in crate::origin) shared: Arc<Shared>,
    pub(in crate::origin) name: Name,
    pub(in crate::origin) source: Source,
}

impl Reader {
    pub(in crate::origin) fn shared(&self) -> &Shared {
        match self {
            Self::Presentation(opened) => opened.shared(),
            Self::Fragment(reader) => reader.opened.shared(),
            Self::File(reader) => &reader.shared,
        }
    }

    /// The presentation; `None` for a file beside the presentations.
    pub(in crate::origin) fn opened(&self) -> Option<&Arc<Opened>> {
        match self {
            Self::Presentation(opened) => Some(opened),
            Self::Fragment(reader) => Some(&reader.opened),
            Self::File(_) => None,
        }
    }

    /// Returns whether bytes that were read to make the answer count as long as they are in memory.
    pub(super) fn counts_looks(&self) -> bool {
        matches!(self, Self::Presentation(_) | Self::Fragment(_))
    }

    /// The open file, in the version that the reply is of.
    pub(super) async fn source(&self, file: FileId) -> Result<Source, ReadError> {
        match self {
            Self::Presentation(opened) => opened.source(file).await,
            Self::Fragment(reader) => Ok(reader.fragment.source.clone()),
            Self::File(reader) => Ok(reader.source.clone()),
        }
    }

    /// Reads a range of a file.
    pub(super) async fn read(&self, file: FileId, range: Range<u64>) -> Result<Bytes, Error> {
        let read = match self {
            Self::Presentation(opened) => opened.read(file, range).await,
            Self::Fragment(reader) => {
                self.shared().access.read(&reader.fragment.source, range).await
            }
            Self::File(reader) => reader.shared.access.read(&reader.source, range).await,
        };
        read.map_err(|error| Error::from(error).in_file(file))
    }

    /// Reads a whole fragment for the cache of fragments, once for all requests that wait for it.
    pub(super) async fn read_kept(&self, file: FileId, range: Range<u64>) -> Result<Bytes, Error> {
        let shared = self.shared();
        let (Self::Presentation(opened), Some(fragments)) = (self, &shared.fragments) else {
            return self.read(file, range).await;
        };
        let read = opened.read_whole(file, range.clone());
        fragments.read(&opened.key(file, range), &shared.access, read).await
    }

    /// Reads a whole fragment once for all requests that want it, if reads are dear.
    pub(super) async fn read_whole(&self, file: FileId, range: Range<u64>) -> Result<Bytes, Error> {
        match self {
            Self::Presentation(opened) => Ok(opened.read_whole(file, range).await?.bytes()),
            _ => self.read(file, range).await,
        }
    }

    /// Takes note of an error of a body, and reports it.
    pub(super) fn note(&self, error: &Error) {
        let events = &self.shared().access.host.events;
        match self {
            Self::Presentation(opened) => {
                opened.note(error);
                events.request_failed(opened.presentation(), error);
            }
            // The next request opens the file anew in any case.
            Self::Fragment(reader) => {
                let name = reader.opened.presentation().name();
                events.request_for_failed(name, Some(&reader.fragment.name), error);
            }
            Self::File(reader) => {
                events.request_for_failed(&reader.name, Some(&reader.name), error);
            }
        }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Presentation(opened) => ("Presentation", opened.presentation().name()),
            Self::Fragment(reader) => ("Fragment", &reader.fragment.name),
            Self::File(reader) => ("File", &reader.name),
        };
        f.debug_tuple(kind).field(name).finish()
    }
}
