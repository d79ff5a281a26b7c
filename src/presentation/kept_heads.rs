//! Heads of fragments and of segments that were written before.

use std::fmt;
use std::sync::Arc;

#[cfg(any(feature = "dash", feature = "hls"))]
use bytes::Bytes;

use super::made::MadeFragment;
use super::{Located, Presentation};
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::base::shared_piece;

/// The name of a head among those of all openings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HeadKey {
    /// Number of the opening. Another one may have other files.
    opening: u64,
    stream: usize,
    track: usize,
    chunk: usize,
    is_of_segment: bool,
}

/// A head that was written.
#[derive(Clone, Debug)]
pub(crate) enum KeptHead {
    /// That of a fragment that is made of the samples of a file, with their places.
    Fragment(Arc<MadeFragment>),
    /// That of a segment of DASH and HLS.
    #[cfg(any(feature = "dash", feature = "hls"))]
    Segment(Bytes),
}

/// A place that keeps heads as long as it has room for them.
pub(crate) trait KeptHeads: fmt::Debug + Send + Sync {
    /// Returns a head, if it is kept.
    fn get(&self, key: &HeadKey) -> Option<KeptHead>;

    /// Keeps a head for a while.
    fn put(&self, key: HeadKey, head: KeptHead);
}

/// The place for the heads of one opening.
#[derive(Debug)]
pub(super) struct Heads {
    opening: u64,
    kept: Arc<dyn KeptHeads>,
}

impl HeadKey {
    fn of_fragment(opening: u64, at: Located) -> Self {
        let Located { stream, track, chunk } = at;
        Self { opening, stream, track, chunk, is_of_segment: false }
    }

    /// Creates the key of the segment of a chunk in an opening.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn of_segment(opening: u64, at: Located) -> Self {
        Self { is_of_segment: true, ..Self::of_fragment(opening, at) }
    }
}

impl KeptHead {
    /// Bytes of memory on the heap.
    pub(crate) fn memory(&self) -> usize {
        match self {
            Self::Fragment(made) => made.memory(),
            #[cfg(any(feature = "dash", feature = "hls"))]
            Self::Segment(head) => shared_piece(head.len()),
        }
    }
}

impl Presentation {
    /// Sets the place that keeps heads, unless there is one already: several origins may answer from one
    /// snapshot. No other opening has the same number, but those of the snapshots of one event.
    pub(crate) fn keep_heads(&self, opening: u64, kept: Arc<dyn KeptHeads>) {
        let _ = self.heads.set(Heads { opening, kept });
    }

    /// Returns the fragment of a chunk that was made of samples before, if it is kept.
    pub(super) fn kept_fragment(&self, at: Located) -> Option<Arc<MadeFragment>> {
        let Heads { opening, kept } = self.heads.get()?;
        match kept.get(&HeadKey::of_fragment(*opening, self.lasting(at)))? {
            KeptHead::Fragment(made) => Some(made),
            #[cfg(any(feature = "dash", feature = "hls"))]
            KeptHead::Segment(_) => None,
        }
    }

    /// Keeps a fragment that was made of samples for requests to come.
    pub(super) fn keep_fragment(&self, at: Located, made: &Arc<MadeFragment>) {
        if let Some(Heads { opening, kept }) = self.heads.get() {
            let key = HeadKey::of_fragment(*opening, self.lasting(at));
            kept.put(key, KeptHead::Fragment(Arc::clone(made)));
        }
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
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn kept_head(&self, at: Located) -> Option<Bytes> {
        let Heads { opening, kept } = self.heads.get()?;
        match kept.get(&HeadKey::of_segment(*opening, self.lasting(at)))? {
            KeptHead::Segment(head) => Some(head),
            KeptHead::Fragment(_) => None,
        }
    }

    /// Keeps the head of the segment of a chunk for requests to come.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn keep_head(&self, at: Located, head: &Bytes) {
        if let Some(Heads { opening, kept }) = self.heads.get() {
            let key = HeadKey::of_segment(*opening, self.lasting(at));
            kept.put(key, KeptHead::Segment(head.clone()));
        }
    }
}
