//! The times of a media playlist: where it begins, how long its segments last, and its target duration.

use super::clock::Seconds;
use crate::base::Timescale;
use crate::manifest::StreamKind;
use crate::presentation::{
    Beginning, Form, Gap, Gaps, Presentation, Rendition, Segment, Silent, Stream,
};

/// The times of a media playlist, in ticks of its stream.
pub(super) struct Times<'a> {
    presentation: &'a Presentation,
    stream: &'a Stream,
    gaps: Gaps<'a>,
    /// Start of the first segment that is listed.
    first: u64,
    /// Start of the playlist.
    pub(super) begin: u64,
    /// Start of the samples in the first segment, if it is cut.
    pub(super) cut: Option<u64>,
    /// Silence before the first segment.
    pub(super) silent: Option<Silent>,
    /// Time that the first segment of a text lasts longer, because its playlist begins with the pictures.
    lead: Seconds,
}

impl<'a> Times<'a> {
    pub(super) fn of(presentation: &'a Presentation, rendition: Rendition) -> Self {
        let stream = &presentation.streams()[rendition.stream];
        let timescale = stream.timescale();
        let (mut first, mut cut, mut silent, mut near) = (0, None, None, None);
        match presentation.beginning(rendition) {
            Beginning::Stored => {}
            Beginning::Near { begin } => near = Some(begin),
            Beginning::Later { first: later, begin, is_cut } => {
                (first, near) = (later.start, Some(begin));
                cut = near.filter(|_| is_cut);
            }
            Beginning::Silent(before) => silent = Some(before),
        }
        let listed = stream.segments().find(|of| of.start >= first);
        let first_start = listed.map_or(0, |first| first.start);
        // The first segment of a text may begin earlier than its first chunk.
        let begin = match presentation.is_grown() {
            // The beginning of a window moves.
            true => None,
            false => text_begin(presentation, stream.kind(), timescale),
        };
        let begin = begin.filter(|&begin| begin < first_start).unwrap_or(first_start);
        let lead = Seconds::between(begin, first_start, timescale);
        let begin = near.unwrap_or(begin);
        let gaps = presentation.gaps(rendition);
        Self { presentation, stream, gaps, first, begin, cut, silent, lead }
    }

    /// Returns the segments that are listed.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        self.stream.segments().skip_while(|of| of.start < self.first)
    }

    /// Returns the gap behind a segment.
    pub(super) fn gap_after(&self, segment: &Segment) -> Option<Gap> {
        self.gaps.after(segment)
    }

    /// Returns the number of discontinuities that were before the first segment, and have left the window
    /// with the segments that they followed.
    pub(super) fn dropped_discontinuities(&self) -> u64 {
        let window = self.stream.window;
        let hidden = self.stream.timeline().segments().take(window.hidden);
        match self.stream.kind() {
            // As in `Gaps::after`.
            StreamKind::Text => 0,
            StreamKind::Video | StreamKind::Audio => {
                let timescale = self.stream.timescale();
                window.gaps + hidden.filter(|of| of.has_gap(timescale)).count() as u64
            }
        }
    }

    /// Returns the length of a stretch.
    pub(super) fn lasts(&self, (from, to): (u64, u64)) -> Seconds {
        Seconds::between(from, to, self.stream.timescale())
    }

    /// Returns the target duration that the playlist needs, in seconds. That of an event counts the
    /// segments that have left its window, and rounds to the nearest, so that segments of about one length
    /// always have the same.
    fn target(&self) -> u64 {
        if self.presentation.is_grown() && self.stream.kind() != StreamKind::Text {
            return Seconds::of(self.stream.window.longest, self.stream.timescale()).round().max(1);
        }
        let of_silence =
            |silent: Silent| silent.pieces().map(|piece| self.lasts(piece).ceil()).max();
        let (mut longest, mut silence) = (0, self.silent.and_then(of_silence));
        for segment in self.segments() {
            let gap = self.gap_after(&segment);
            longest = longest.max(self.lasts((segment.start, end(&segment, gap))).ceil());
            silence = silence.max(gap.and_then(Gap::silent).and_then(of_silence));
        }
        (longest + self.lead.ceil()).max(silence.unwrap_or(0)).max(1)
    }

    /// Returns the target duration of the playlist, in seconds: that of all playlists of pictures and
    /// sound. Text may have a longer one.
    ///
    /// Spec: RFC 8216, 6.2.4.
    pub(super) fn common_target(&self, presentation: &Presentation) -> u64 {
        let common = presentation.common_target(|| {
            let listed = presentation.listed();
            let media = listed.iter().filter(|of| of.stream.kind() != StreamKind::Text);
            // Tracks of a stream differ only in what fills gaps: silence is known for some codecs.
            let renditions = media.flat_map(|of| {
                let first = of.tracks.first();
                let silent = of.tracks.iter().find(|(_, track)| track.silence().is_some());
                let tracks = first.into_iter().chain(
                    silent.filter(|(silent, _)| first.is_some_and(|(first, _)| first != silent)),
                );
                let (stream, form) = (of.number, Form::Stored);
                tracks.map(move |&(track, _)| Rendition { stream, track, form })
            });
            renditions.map(|of| Times::of(presentation, of).target()).max().unwrap_or(1)
        });
        self.target().max(common)
    }
}

/// Returns the end of a segment, in ticks of the stream.
pub(super) fn end(segment: &Segment, gap: Option<Gap>) -> u64 {
    match gap {
        Some(Gap::Open | Gap::Silent(_)) => segment.end(),
        Some(Gap::Held { .. }) | None => segment.start.saturating_add(segment.to_next),
    }
}

/// Returns the time at which a playlist of text begins: when the pictures do, or the sound if there are
/// none.
fn text_begin(presentation: &Presentation, kind: StreamKind, timescale: Timescale) -> Option<u64> {
    if kind != StreamKind::Text {
        return None;
    }
    let begin = presentation.media_begins();
    begin.map(|begin| begin.rescaled(timescale))
}
