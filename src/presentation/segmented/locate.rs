//! The fragment of a segment.

use super::Rendition;
use crate::base::ErrorKind;
use crate::presentation::{FragmentAddress, Located, Presentation};

impl Presentation {
    /// Finds the fragment of the segment that starts at `time`, in ticks of the stream. A time above
    /// 2^53 may be rounded to a double, as players in JavaScript do.
    ///
    /// # Errors
    /// [`ErrorKind::NoFragment`] if no chunk starts then; the reason why the track is not served.
    pub(crate) fn segment(
        &self,
        of: Rendition,
        time: u64,
    ) -> Result<FragmentAddress, ErrorKind> {
        let Rendition { stream, track, .. } = of;
        let Some(found) = self.streams.get(stream) else { return Err(ErrorKind::NoStream) };
        let Some(media) = found.tracks.get(track) else { return Err(ErrorKind::NoTrack) };
        media.check_media()?;
        let timeline = &found.timeline;
        let chunk = timeline.locate(time).or_else(|| timeline.locate_double(time));
        let chunk = chunk.ok_or(ErrorKind::NoFragment)?;
        Ok(FragmentAddress::Chunk(Located { stream, track, chunk }))
    }
}
