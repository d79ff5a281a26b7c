//! The chunks of a timeline as segments that follow each other.

use crate::base::Timescale;
use crate::presentation::timeline::{fillers_of, is_gap};
use crate::presentation::{Stream, Timeline};

/// A chunk as a segment of DASH or HLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Number of the chunk.
    pub(crate) chunk: usize,
    /// Start in ticks of the stream.
    pub(crate) start: u64,
    /// Duration of the chunk in ticks of the stream.
    pub(crate) duration: u64,
    /// Ticks to the start of the next segment; the duration of the last one.
    pub(crate) to_next: u64,
    /// Ticks that it lasts by manifests: to the next one, or in an event as long as its chunk, because a manifest that
    /// is
    /// read again must not say anything else of a segment that it has.
    ///
    /// Spec: RFC 8216, 6.2.1.
    pub(crate) lasts: u64,
}

impl Segment {
    /// Returns whether a gap follows that a playlist says. The last segment has no successor.
    pub(crate) fn has_gap(&self, timescale: Timescale) -> bool {
        is_gap(self.duration, self.to_next, timescale)
    }

    /// Returns the number of segments that fill the gap behind it in a playlist of an event.
    pub(crate) fn fillers(&self, of: &Stream) -> u64 {
        fillers_of(of.kind, self.duration, self.to_next, of.timescale)
    }

    /// Returns it as the manifests of an event say it.
    fn of_event(self, timescale: Timescale) -> Self {
        // A list of segments that overlap noticeably would come behind the media.
        let is_cut = is_gap(self.to_next, self.duration, timescale);
        Self { lasts: if is_cut { self.to_next } else { self.duration }, ..self }
    }

    /// Returns the end of the chunk, or the start of the next one if that is earlier.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.duration.min(self.to_next))
    }
}

impl Timeline {
    /// Returns the chunks in the order of their times. A chunk that does not start after all those
    /// before it is left out: a list of segments cannot step back.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        self.segments_from(0)
    }

    /// Returns the same, of the chunks from this number on.
    fn segments_from(&self, number: usize) -> impl Iterator<Item = Segment> + '_ {
        let mut last = None;
        let chunks = self.iter().enumerate().skip(number);
        let mut ascending = chunks.filter(move |(_, (start, _))| {
            let follows = last.is_none_or(|last| *start > last);
            if follows {
                last = Some(*start);
            }
            follows
        });
        let mut next = ascending.next();
        std::iter::from_fn(move || {
            let (chunk, (start, duration)) = next.take()?;
            next = ascending.next();
            let to_next = next.map_or(duration, |(_, (next, _))| next - start);
            Some(Segment { chunk, start, duration, to_next, lasts: to_next })
        })
    }
}

impl Stream {
    /// Returns the segments that manifests announce, in the order of their times.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        self.segments_from(self.window.hidden)
    }

    /// Returns the segments from this chunk on, which manifests may not announce any more.
    pub(crate) fn segments_from(&self, number: usize) -> impl Iterator<Item = Segment> + '_ {
        let Self { window, timescale, .. } = self;
        let segments = self.timeline.segments_from(number);
        segments.map(|of| if window.is_of_event { of.of_event(*timescale) } else { of })
    }
}

#[cfg(test)]
mod tests {
    use crate::presentation::timeline::tests::timeline;

    fn segments(runs: &[(u64, u64, u64)]) -> Vec<(usize, u64, u64)> {
        let timeline = timeline(runs).unwrap();
        timeline.segments().map(|found| (found.chunk, found.start, found.to_next)).collect()
    }

    #[test]
    fn a_segment_lasts_to_the_next_one() {
        assert_eq!(segments(&[]), []);
        assert_eq!(segments(&[(5, 20, 2), (50, 7, 1)]), [(0, 5, 20), (1, 25, 25), (2, 50, 7)]);
        assert_eq!(segments(&[(0, 20, 1), (15, 20, 1)]), [(0, 0, 15), (1, 15, 20)]);
    }

    #[test]
    fn chunks_that_step_back_are_left_out() {
        let stepping = [(100, 20, 2), (110, 20, 1), (100, 5, 1), (140, 20, 1)];
        assert_eq!(segments(&stepping), [(0, 100, 20), (1, 120, 20), (4, 140, 20)]);
        assert_eq!(segments(&[(0, 0, 3), (9, 1, 1)]), [(0, 0, 9), (3, 9, 1)]);
    }
}
