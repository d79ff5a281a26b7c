//! From bytes of a file to the fragment that has them.

use std::ops::Range;

use super::{Located, Presentation};
use crate::base::FileId;
use crate::index::Place;

impl Presentation {
    /// Returns the fragment of a track that has this byte of its file; `None` if there is none, or if
    /// the track's fragments are not stored in the order of their chunks.
    pub(crate) fn located_at(&self, file: FileId, byte: u64) -> Option<Located> {
        for (stream, of) in self.streams.iter().enumerate() {
            for (track, of) in of.tracks.iter().enumerate() {
                if let Ok(stored) = of.stored()
                    && stored.file == file
                    && stored.made.is_none()
                    && let Some(chunk) = stored.fragments.chunk_at(byte)
                {
                    return Some(Located { stream, track, chunk });
                }
            }
        }
        None
    }

    /// Returns the file and the range of a fragment: up to its bound, if it was not looked at. `None` if
    /// it is broken, has a file of its own, or is made of the samples of a progressive file.
    pub(crate) fn stored_range(&self, at: Located) -> Option<(FileId, Range<u64>)> {
        let track = self.streams.get(at.stream)?.tracks.get(at.track)?.stored().ok()?;
        if track.made.is_some() {
            return None;
        }
        let range = match track.fragments.place(at.chunk)? {
            Place::Known { start, lengths } => start..start.saturating_add(lengths.len),
            Place::Bounded { start, bound } => start..bound,
            Place::Broken { .. } => return None,
        };
        Some((track.file, range))
    }

    /// Returns the range of the fragment that has this byte of a file.
    pub(crate) fn stored_around(&self, file: FileId, byte: u64) -> Option<Range<u64>> {
        Some(self.stored_range(self.located_at(file, byte)?)?.1)
    }
}
