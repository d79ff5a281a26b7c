//! A stream of the package.

use std::ops::Range;
use std::sync::Arc;

use super::media::MediaTrack;
use super::source::Source;
use crate::manifest::StreamKind;

/// A stream: its chunks and its qualities.
pub(super) struct Stream {
    pub(super) kind: StreamKind,
    pub(super) name: String,
    pub(super) language: Option<String>,
    /// Start and end of each chunk, in units of 100 ns. There may be gaps between them.
    pub(super) chunks: Arc<[Range<u64>]>,
    /// The best first.
    pub(super) qualities: Vec<Quality>,
}

/// A quality of a stream.
pub(super) struct Quality {
    pub(super) source: Source,
    pub(super) bitrate: u32,
    pub(super) media: MediaTrack,
    /// Bytes of the fragment of each chunk.
    pub(super) lens: Vec<u64>,
}
