//! A track of a file, whatever it is made of.

use std::ops::Range;

use bytes::Bytes;

use super::media::MediaTrack;
use super::text::TextTrack;
use crate::base::{Error, FileId};
use crate::fragment::written::Sample;

/// A track whose fragments are written.
#[derive(Debug)]
pub(super) enum Track {
    /// Samples of an input.
    Media(MediaTrack),
    /// Documents of captions.
    Text(TextTrack),
}

/// The fragment of one chunk.
pub(super) struct Fragment<'a> {
    pub(super) head: Bytes,
    /// The media, if it is written.
    pub(super) written: Bytes,
    pub(super) file: FileId,
    /// The media in the input.
    pub(super) ranges: Box<dyn Iterator<Item = Range<u64>> + 'a>,
}

impl Track {
    /// Its number in the output.
    pub(super) fn track_id(&self) -> u32 {
        match self {
            Self::Media(media) => media.track_id,
            Self::Text(text) => text.track_id,
        }
    }

    /// Number of chunks.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Media(media) => media.len(),
            Self::Text(text) => text.len(),
        }
    }

    /// Start of a chunk.
    pub(super) fn start(&self, chunk: usize) -> Option<u64> {
        match self {
            Self::Media(media) => media.start(chunk),
            Self::Text(text) => text.times.get(chunk).copied().filter(|_| chunk < text.len()),
        }
    }

    /// The fragment of a chunk. `samples` is memory that is used again.
    ///
    /// # Errors
    /// If the fragment is larger than its fields can say.
    pub(super) fn fragment(
        &self,
        chunk: usize,
        samples: &mut Vec<Sample>,
    ) -> Result<Fragment<'_>, Error> {
        match self {
            Self::Media(media) => {
                let made = media.fragment(chunk, samples)?;
                let (head, written) = (made.head, Bytes::new());
                Ok(Fragment { head, written, file: media.file, ranges: made.ranges })
            }
            Self::Text(text) => {
                let (head, written) = text.fragment(chunk)?;
                let ranges = Box::new(std::iter::empty());
                Ok(Fragment { head, written, file: FileId::new(0), ranges })
            }
        }
    }
}
