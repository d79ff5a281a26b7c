//! Heads of segments that were written before.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::presentation::{Located, Presentation};

/// The name of a segment's head among those of all openings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HeadKey {
    /// Number of the opening. Another one may have other files.
    opening: u64,
    stream: usize,
    track: usize,
    chunk: usize,
}

/// A place that keeps heads of segments as long as it has room for them.
pub(crate) trait SegmentHeads: fmt::Debug + Send + Sync {
    /// Returns a head, if it is kept.
    fn get(&self, key: &HeadKey) -> Option<Bytes>;

    /// Keeps a head for a while.
    fn put(&self, key: HeadKey, head: Bytes);
}

/// The place for the heads of one opening.
#[derive(Debug)]
pub(super) struct Heads {
    opening: u64,
    kept: Arc<dyn SegmentHeads>,
}

impl HeadKey {
    /// Creates the key of a chunk in an opening.
    pub(crate) fn new(opening: u64, at: Located) -> Self {
        let Located { stream, track, chunk } = at;
        Self { opening, stream, track, chunk }
    }
}

impl Heads {
    fn key(&self, at: Located) -> HeadKey {
        HeadKey::new(self.opening, at)
    }
}

impl Presentation {
    /// Sets the place that keeps the heads of segments. No other opening has the same number.
    pub(crate) fn keep_heads(&mut self, opening: u64, kept: Arc<dyn SegmentHeads>) {
        self.segmented.heads = Some(Heads { opening, kept });
    }

    /// Returns numbers that no other chunk has as long as the presentation is live: streams and tracks
    /// are counted anew when a track is added, and chunks when others leave.
    fn lasting(&self, at: Located) -> Located {
        match self.track_of(at).source() {
            Some((file, _)) if self.is_grown() => {
                let dropped = self.stream_of(at).window.dropped;
                let chunk = at.chunk.wrapping_add(dropped as usize);
                Located { stream: file.index(), track: usize::MAX, chunk }
            }
            _ => at,
        }
    }

    /// Returns the head of the segment of a chunk, if it was written before and is kept.
    pub(crate) fn kept_head(&self, at: Located) -> Option<Bytes> {
        let heads = self.segmented.heads.as_ref()?;
        heads.kept.get(&heads.key(self.lasting(at)))
    }

    /// Keeps the head of the segment of a chunk for requests to come.
    pub(crate) fn keep_head(&self, at: Located, head: &Bytes) {
        if let Some(heads) = &self.segmented.heads {
            heads.kept.put(heads.key(self.lasting(at)), head.clone());
        }
    }
}
