//! The fragment of a segment, and what it needs to know of its track.

use super::Rendition;
use crate::base::{ErrorKind, Timescale};
use crate::presentation::stream::Media;
use crate::presentation::{Located, ONLY_TRACK, Presentation};

/// Properties of a track that all its segments share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentTrack {
    /// Number of the track in its initialization segment.
    pub(crate) id: u32,
    /// Ticks per second of its samples' durations.
    pub(crate) timescale: Timescale,
}

impl Presentation {
    /// Finds the fragment of the segment that starts at `time`, in ticks of the stream. A time above
    /// 2^53 may be rounded to a double, as players in JavaScript do.
    ///
    /// # Errors
    /// [`ErrorKind::NoFragment`] if no chunk starts then; [`ErrorKind::NotYet`] if it is behind the last
    /// chunk of a live event; the reason why the track is not served.
    pub(crate) fn segment(&self, of: Rendition, time: u64) -> Result<Located, ErrorKind> {
        let Rendition { stream, track, .. } = of;
        let Some(found) = self.streams.get(stream) else { return Err(ErrorKind::NoStream) };
        let Some(media) = found.tracks.get(track) else { return Err(ErrorKind::NoTrack) };
        media.check_media()?;
        let timeline = &found.timeline;
        let chunk = timeline.locate(time).or_else(|| timeline.locate_double(time));
        let chunk = chunk.ok_or_else(|| self.no_chunk(stream, time))?;
        Ok(Located { stream, track, chunk })
    }

    /// Returns start and duration of a located chunk, in ticks of the stream.
    pub(crate) fn chunk_of(&self, at: Located) -> (u64, u64) {
        self.stream_of(at).timeline.chunk(at.chunk).unwrap_or_default()
    }
}

impl Presentation {
    /// Returns the properties of the track of a rendition.
    pub(crate) fn segment_track(&self, of: Rendition) -> SegmentTrack {
        let stream = &self.streams[of.stream];
        match &stream.tracks[of.track].media {
            Media::Stored(stored) => {
                SegmentTrack { id: stored.track_id, timescale: stored.timescale }
            }
            Media::Files(_) | Media::Absent(_) => {
                SegmentTrack { id: ONLY_TRACK, timescale: stream.timescale }
            }
        }
    }
}
