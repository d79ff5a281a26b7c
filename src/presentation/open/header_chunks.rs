//! Fragmented files whose first samples are in their header.

use std::sync::Arc;

use super::tracks::MediaTrack;
use crate::base::Limits;
use crate::bmff::Boxes;
use crate::index::sample_table::Movie;
use crate::presentation::header_chunk::HeaderChunk;
use crate::presentation::timeline::tolerance;

/// Makes a chunk of the samples in a header, the `moov` among these boxes. They begin at byte `at` of a file
/// of `size` bytes. A track whose tables cannot be used has none: that its samples are in the header is
/// reported.
pub(super) fn make(tracks: &mut [MediaTrack], boxes: &Boxes, at: u64, size: u64, limits: &Limits) {
    if !tracks.iter().any(|track| track.samples_in_header.is_some()) {
        return;
    }
    let Ok(movie) = Movie::read(boxes, at, size, limits) else { return };
    for (id, of) in movie.ids.into_iter().zip(movie.tracks) {
        let track = tracks.iter_mut().find(|track| Some(track.track_id) == id);
        if let (Some(track), Ok(of)) = (track, of)
            && track.samples_in_header.is_some()
            && track.header_chunk.is_none()
        {
            track.header_chunk = HeaderChunk::new(&of, limits).ok().map(Arc::new);
        }
    }
}

impl MediaTrack {
    /// Adds the chunk of the samples in the header to the fragments, if it is in front of them.
    pub(super) fn add_header_chunk(&mut self) {
        let (Some(chunk), Ok(fragments)) = (&self.header_chunk, &mut self.fragments) else {
            return;
        };
        let Some(first) = fragments.first() else { return };
        let latest = first.time.saturating_add_unsigned(tolerance(self.timescale, self.timescale));
        let chunk_is_first = chunk.indexed().time < first.time && chunk.end() <= latest;
        if !chunk.is_at(first.start) && chunk_is_first {
            fragments.insert(0, chunk.indexed());
            self.own_bytes.count_one(chunk.indexed().start, chunk.bytes());
            (self.is_rewritten, self.samples_in_header) = (true, None);
        }
    }

    /// Takes it out of the fragments again.
    pub(super) fn remove_header_chunk(&mut self) {
        if let (Some(chunk), Ok(fragments)) = (&self.header_chunk, &mut self.fragments) {
            fragments.retain(|fragment| !chunk.is_at(fragment.start));
        }
    }
}
