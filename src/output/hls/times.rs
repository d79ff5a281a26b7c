//! The times of a media playlist: where it begins, how long its segments last, and its target duration.

use std::ops::Range;

use super::clock::Seconds;
use crate::base::Timescale;
use crate::manifest::StreamKind;
use crate::presentation::{
    Beginning, Form, Gap, Gaps, LONGEST_FILLER, Moment, Presentation, Rendition, Segment, Silent,
    Stream,
};

/// One of so many segments has a date behind it if the next one begins elsewhere at all. A prime, because durations that
/// are rounded are exact at regular intervals.
const DATED: u64 = 31;

/// Bytes of a segment of captions in a playlist besides its name and its times, and of the dates among so many.
const ENTRY: usize = 32;

/// The times of a media playlist, in ticks of its stream.
pub(super) struct Times<'a> {
    presentation: &'a Presentation,
    /// The stream whose chunks are the segments. Captions of an event have those of the pictures as WebVTT.
    stream: &'a Stream,
    /// The chunks, by number, that are listed.
    chunks: Range<usize>,
    /// Ticks per second of the times in URLs, if they are those of captions of an event.
    captions: Option<Timescale>,
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
        let own = &presentation.streams()[rendition.stream];
        let is_captions = rendition.form == Form::WebVtt && presentation.is_of_event();
        let captions = Some(own.timescale()).filter(|_| is_captions);
        let (stream, chunks) = match is_captions {
            true => {
                let guide = presentation.guide_of_captions(rendition.stream);
                let mut chunks = presentation.chunks_of_captions(guide);
                let most = most_listed(presentation, rendition);
                chunks.start = chunks.start.max(chunks.end.saturating_sub(most));
                (&presentation.streams()[guide], chunks)
            }
            false => (own, own.window.hidden..own.timeline().len()),
        };
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
        let listed = stream.segments_from(chunks.start).find(|of| of.start >= first);
        let first_start = listed.map_or(0, |first| first.start);
        // The first segment of a text may begin earlier than its first chunk.
        let begin = match presentation.is_of_event() {
            // The beginning of a window moves.
            true => None,
            false => text_begin(presentation, stream.kind(), timescale),
        };
        let begin = begin.filter(|&begin| begin < first_start).unwrap_or(first_start);
        let lead = Seconds::between(begin, first_start, timescale);
        let begin = near.unwrap_or(begin);
        let gaps = presentation.gaps(rendition);
        Self { presentation, stream, chunks, captions, gaps, first, begin, cut, silent, lead }
    }

    /// Returns the ticks per second of all times.
    pub(super) fn timescale(&self) -> Timescale {
        self.stream.timescale()
    }

    /// Returns the segments that are listed.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        let segments = self.stream.segments_from(self.chunks.start);
        let segments = segments.take_while(|of| of.chunk < self.chunks.end);
        segments.skip_while(|of| of.start < self.first)
    }

    /// Returns the times of a stretch as the URLs of captions of an event have them. `None` for all other segments.
    pub(super) fn of_captions(&self, (from, to): (u64, u64)) -> Option<(u64, u64)> {
        let captions = self.captions?;
        let of_captions = |ticks| {
            let moment = Moment { ticks, timescale: self.stream.timescale() };
            moment.rescaled(captions)
        };
        Some((of_captions(from), of_captions(to)))
    }

    /// Returns the gap behind a segment.
    pub(super) fn gap_after(&self, segment: &Segment) -> Option<Gap> {
        self.gaps.after(segment)
    }

    /// Returns the pieces in which a gap behind a segment is filled, and the name of what each of them stands for. Only an
    /// event has them: elsewhere, a segment lasts to the next one.
    ///
    /// Those of pictures and sound have the name of the next segment. GStreamer 1.22 and VLC 3 do not know the mark of
    /// a gap: they stop at a segment that is not there, and play on if they load one twice.
    pub(super) fn fillers(
        &self,
        behind: &Segment,
    ) -> impl Iterator<Item = (u64, u64, u64)> + use<> {
        let count = if self.presentation.is_of_event() { behind.fillers(self.stream) } else { 0 };
        let from = behind.start.saturating_add(behind.duration);
        let next = behind.start.saturating_add(behind.to_next);
        let ticks = u128::from(behind.to_next.saturating_sub(behind.duration));
        // Not longer than the whole.
        let at = move |piece| from + (ticks * u128::from(piece) / u128::from(count.max(1))) as u64;
        let is_text = self.stream.kind() == StreamKind::Text;
        (0..count).map(move |piece| {
            let from = at(piece);
            (from, at(piece + 1), if is_text { from } else { next })
        })
    }

    /// Returns the number of segments before the first one that have left the window.
    pub(super) fn dropped(&self) -> u64 {
        let window = self.stream.window;
        let hidden = self.stream.timeline().segments().take(self.chunks.start);
        let fillers = match self.presentation.is_of_event() {
            true => hidden.map(|of| of.fillers(self.stream)).sum::<u64>() + window.fillers,
            false => 0,
        };
        window.dropped.saturating_add(self.chunks.start as u64).saturating_add(fillers)
    }

    /// Returns whether the segment behind one gets a date, because it does not begin where that one ends: where it is
    /// more than a millisecond away, and at some of the others, so that differences that are smaller do not add up.
    ///
    /// The number of a segment says at which: it stays the same while a window moves and when an event goes on.
    pub(super) fn has_drift(&self, segment: &Segment) -> bool {
        let drift = segment.lasts.abs_diff(segment.to_next);
        let number = self.stream.window.dropped.saturating_add(segment.chunk as u64);
        let is_far = drift.saturating_mul(1000) > self.stream.timescale().get();
        is_far || (drift > 0 && number % DATED == DATED - 1)
    }

    /// Returns the length of a stretch.
    pub(super) fn lasts(&self, (from, to): (u64, u64)) -> Seconds {
        Seconds::between(from, to, self.stream.timescale())
    }

    /// Returns the target duration that the playlist needs, in seconds. That of an event counts the
    /// segments that have left its window, and rounds to the nearest, so that segments of about one length
    /// always have the same.
    fn target(&self) -> u64 {
        if self.presentation.is_of_event() {
            let least = if self.stream.kind() == StreamKind::Text { LONGEST_FILLER } else { 1 };
            let longest = Seconds::of(self.stream.window.longest, self.stream.timescale());
            return longest.round().max(least);
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
        Some(Gap::Held { until }) => until,
        None => segment.start.saturating_add(segment.lasts),
    }
}

/// Returns the number of segments of captions that a playlist has room for.
fn most_listed(presentation: &Presentation, of: Rendition) -> usize {
    const DIGITS: usize = u64::MAX.ilog10() as usize + 1;
    // The start and the end of each, between `#EXTINF:2.0000000,`, the name, `/`, `-` and `.vtt`.
    let entry = presentation.rendition_name(of).to_string().len() + 2 * DIGITS + ENTRY;
    let most = presentation.limits().client_manifest / entry as u64;
    usize::try_from(most).unwrap_or(usize::MAX)
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
