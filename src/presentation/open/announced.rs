//! The number of chunks of the stored manifest that some fragments of a track are.

use std::collections::HashMap;

use super::matching::match_announced;
use super::tracks::MediaTrack;
use crate::base::{FileId, Limits, Timescale};
use crate::index::{Indexed, ScannedTrack};
use crate::manifest::ClientManifest;
use crate::presentation::Timeline;

/// Chunks that the stored manifest announces for each track of the files.
#[derive(Default)]
pub(super) struct Announced {
    streams: Vec<(Timeline, Timescale)>,
    /// The first stream that has it.
    of_track: HashMap<(FileId, u32), usize>,
}

impl Announced {
    /// Takes the number of each track in its file, per stream of the manifest.
    pub(super) fn new(
        client: &ClientManifest,
        tracks: &[Vec<(FileId, u32)>],
        limits: &Limits,
    ) -> Self {
        let mut announced = Self::default();
        for (stream, tracks) in client.streams.iter().zip(tracks) {
            let Ok(timeline) = Timeline::new(&stream.chunks, limits) else { continue };
            for key in tracks.iter().filter(|_| !stream.is_embedded()) {
                announced.of_track.entry(*key).or_insert(announced.streams.len());
            }
            announced.streams.push((timeline, client.timescale_of(stream)));
        }
        announced
    }

    /// Number of chunks that have one of these fragments; `None` for a track that is not announced.
    pub(super) fn chunks_with(&self, track: &MediaTrack, fragments: &[Indexed]) -> Option<usize> {
        let number = self.of_track.get(&(track.file, track.track_id))?;
        let (timeline, timescale) = self.streams.get(*number)?;
        let matched = match_announced(timeline, *timescale, fragments, track.timescale);
        Some(matched.fragments.len())
    }

    /// Returns the number of chunks that the manifest announces of a track.
    pub(super) fn chunks(&self, track: &MediaTrack) -> Option<usize> {
        let number = self.of_track.get(&(track.file, track.track_id))?;
        self.streams.get(*number).map(|(timeline, _)| timeline.len())
    }

    /// Returns the fragments that a walk found, in the order of the file, with the times of the
    /// chunks. This requires equal counts, and fragments that cannot be told apart by their own
    /// times.
    pub(super) fn by_count(
        &self,
        track: &MediaTrack,
        found: &ScannedTrack,
    ) -> Option<Vec<Indexed>> {
        let number = self.of_track.get(&(track.file, track.track_id))?;
        let (timeline, timescale) = self.streams.get(*number)?;
        let times = timeline.iter().map(|(start, _)| start as i64);
        let times = times.map(|start| timescale.rescale_signed(start, track.timescale));
        found.with_times(timeline.len(), times)
    }
}
