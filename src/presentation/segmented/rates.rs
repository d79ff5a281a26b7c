//! Bits per second that the segments of a track take, by the sizes of its stored fragments.

use std::collections::VecDeque;

use super::beginning::{is_noticed, later};
use super::{Beginning, Moment, Segment};
use crate::base::{Timescale, piece};
use crate::fragment::cmaf::Growth;
use crate::index::Fragments;
use crate::manifest::StreamKind;
use crate::presentation::stream::Media;
use crate::presentation::{Stream, Timeline, Track};

/// Bits per second of a track's segments. They are never less than those of the segments that are
/// served, and more only where a fragment may become longer than the first one shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    /// The largest rate of segments that follow each other and together last at least half as long as
    /// the longest one.
    ///
    /// Spec: RFC 8216bis, 4.4.6.2, "peak segment bit rate".
    pub(crate) peak: u64,
    /// All bytes over all time.
    pub(crate) mean: u64,
}

/// Bytes, and how long they last.
#[derive(Clone, Copy, Default)]
struct Stretch {
    bytes: u64,
    ticks: u64,
}

impl Stretch {
    fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            ticks: self.ticks.saturating_add(other.ticks),
        }
    }

    /// Returns the stretch from one place to this one.
    fn since(self, from: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(from.bytes),
            ticks: self.ticks.saturating_sub(from.ticks),
        }
    }

    /// Returns whether this takes more bits per second.
    #[inline]
    fn is_denser(self, other: Self) -> bool {
        if self.bytes <= other.bytes && self.ticks >= other.ticks {
            return false;
        }
        let product = |one: u64, other: u64| u128::from(one) * u128::from(other);
        let (one, two) = (self.bytes.checked_mul(other.ticks), other.bytes.checked_mul(self.ticks));
        match (one, two) {
            (Some(one), Some(two)) => one > two,
            _ => product(self.bytes, other.ticks) > product(other.bytes, self.ticks),
        }
    }

    /// Returns bits per second, rounded up; 0 if it lasts no time.
    fn rate(self, timescale: Timescale) -> u64 {
        let bits = u128::from(self.bytes) * 8 * u128::from(timescale.get());
        let rate = bits
            .checked_add(u128::from(self.ticks))
            .and_then(|sum| sum.saturating_sub(1).checked_div(u128::from(self.ticks)));
        u64::try_from(rate.unwrap_or(0)).unwrap_or(u64::MAX)
    }
}

/// The segments of a stream.
struct Segments {
    list: Vec<Segment>,
    /// Ticks of the longest one.
    longest: u64,
}

impl Segments {
    /// Lists what [`Timeline::segments`] iterates over, in a fraction of the time.
    fn of(timeline: &Timeline) -> Self {
        let mut list = Vec::<Segment>::with_capacity(timeline.len());
        let (mut chunk, mut longest) = (0, 0);
        timeline.iter().for_each(|(start, duration)| {
            match list.last_mut() {
                Some(last) if start <= last.start => {}
                before => {
                    if let Some(before) = before {
                        before.to_next = start - before.start;
                        before.lasts = before.to_next;
                        longest = longest.max(before.to_next);
                    }
                    let (to_next, lasts) = (duration, duration);
                    list.push(Segment { chunk, start, duration, to_next, lasts });
                }
            }
            chunk += 1;
        });
        longest = longest.max(list.last().map_or(0, |last| last.to_next));
        Self { list, longest }
    }
}

impl Rates {
    /// Returns the rates of fragments that no request has looked at yet: their sizes are then those
    /// of the index on every machine. `None` if there are no fragments.
    fn of(stream: &Listing<'_>, fragments: &Fragments) -> Option<Self> {
        let Listing { segments, timescale, .. } = *stream;
        let mut peak = Peak { least: (segments.longest / 2).max(1), ..Peak::default() };
        let mut all = Stretch::default();
        let mut left = &segments.list[..];
        fragments.each_size(|chunk, stored| {
            // Segments without a fragment interrupt the sequence, and fragments without a segment do not.
            while let [of, later @ ..] = left
                && of.chunk < chunk
            {
                left = later;
                peak.end_run();
            }
            let [segment, later @ ..] = left else { return };
            if segment.chunk != chunk {
                return;
            }
            left = later;
            let mut ticks = stream.ticks(segment);
            let mut bytes = stream.grown(stored, segment.duration);
            if let Some(early) = stream.early.filter(|early| early.segment == segment.start) {
                ticks = ticks.saturating_sub(early.ticks);
                bytes = bytes.saturating_add(if early.is_cut { stream.cut() } else { 0 });
            }
            let this = Stretch { bytes, ticks };
            peak.add(this);
            all = all.plus(this);
        });
        let rates = Self { peak: peak.densest.rate(timescale), mean: all.rate(timescale) };
        (all.bytes > 0 && all.ticks > 0).then_some(rates)
    }
}

/// The segments of a track, as a playlist lists them.
#[derive(Clone, Copy)]
struct Listing<'a> {
    kind: StreamKind,
    segments: &'a Segments,
    timescale: Timescale,
    /// The segment that is shorter in a playlist of HLS.
    early: Option<Early>,
    /// Growth of the track's fragments, and the units of its ticks.
    growth: Option<(Growth, Timescale)>,
}

/// A segment of sound that begins before the pictures.
#[derive(Clone, Copy)]
struct Early {
    /// Start of the segment.
    segment: u64,
    /// Ticks by which it is shorter in a playlist of HLS.
    ticks: u64,
    /// Set if the samples before the pictures are left out. Their sizes are not known: all bytes count.
    is_cut: bool,
}

impl Early {
    /// Returns the segment of a stream that begins before the pictures do, if there is one.
    fn of(stream: &Stream, pictures: Option<Moment>) -> Option<Self> {
        let begin = pictures.filter(|_| stream.kind == StreamKind::Audio)?;
        let begin = begin.rescaled(stream.timescale);
        let (start, _) = stream.timeline.chunk(0)?;
        let ticks = begin.checked_sub(start)?;
        if !is_noticed(ticks, stream.timescale) {
            return Some(Self { segment: start, ticks, is_cut: false });
        }
        match later(stream, begin)? {
            Beginning::Later { first, is_cut, .. } => {
                let ticks = begin.saturating_sub(first.start);
                Some(Self { segment: first.start, ticks, is_cut })
            }
            _ => None,
        }
    }
}

impl Listing<'_> {
    /// Returns ticks that a segment lasts by its playlist.
    fn ticks(&self, segment: &Segment) -> u64 {
        match self.kind != StreamKind::Text && segment.has_gap(self.timescale) {
            true => segment.duration,
            false => segment.to_next,
        }
    }

    /// Returns the most bytes that a segment becomes longer by when it is cut.
    fn cut(&self) -> u64 {
        self.growth.map_or(0, |(growth, _)| growth.cut())
    }

    /// Returns the most bytes of the segment of a fragment of `stored` bytes.
    fn grown(&self, stored: u64, ticks: u64) -> u64 {
        let Some((growth, timescale)) = self.growth else { return stored };
        growth.grown(stored, self.timescale.rescale_round(ticks, timescale).unwrap_or(u64::MAX))
    }
}

/// Finds the densest of all stretches of segments that follow each other and last long enough.
///
/// A stretch ends with each segment. Of the places where it may begin, those on the lower hull of bytes
/// over ticks can be the best.
#[derive(Default)]
struct Peak {
    /// Ticks of the shortest stretch that counts.
    least: u64,
    /// Places where stretches may begin: on the lower hull, in ascending order.
    hull: VecDeque<Stretch>,
    /// Places where stretches may begin later, because they are too near to the end.
    near: VecDeque<Stretch>,
    /// Bytes and ticks of all segments of the run.
    end: Stretch,
    /// Set if the last segment lasts long enough by itself.
    was_long: bool,
    densest: Stretch,
}

impl Peak {
    fn add(&mut self, segment: Stretch) {
        let is_long = segment.ticks >= self.least;
        let follows_long = std::mem::replace(&mut self.was_long, is_long);
        if is_long && follows_long {
            // A stretch with both is no denser than the denser of its two parts.
            self.near.clear();
            self.hull.clear();
            self.hull.push_back(self.end);
            self.end = self.end.plus(segment);
            self.count(segment);
            return;
        }
        self.near.push_back(self.end);
        self.end = self.end.plus(segment);
        while let Some(&from) = self.near.front()
            && self.end.ticks.saturating_sub(from.ticks) >= self.least
        {
            self.near.pop_front();
            while let Some(&last) = self.hull.back()
                && let Some(&before) =
                    self.hull.len().checked_sub(2).and_then(|at| self.hull.get(at))
                && !from.since(last).is_denser(last.since(before))
            {
                self.hull.pop_back();
            }
            self.hull.push_back(from);
        }
        while let (Some(first), Some(second)) = (self.hull.front(), self.hull.get(1))
            && !self.end.since(*first).is_denser(self.end.since(*second))
        {
            self.hull.pop_front();
        }
        if let Some(first) = self.hull.front() {
            self.count(self.end.since(*first));
        }
    }

    fn count(&mut self, stretch: Stretch) {
        if self.densest.ticks == 0 || stretch.is_denser(self.densest) {
            self.densest = stretch;
        }
    }

    /// Ends a run of segments: a fragment is missing behind it.
    fn end_run(&mut self) {
        let (least, densest) = (self.least, self.densest);
        *self = Self { least, densest, ..Self::default() };
    }
}

/// The rates of all tracks of a presentation, by stream.
#[derive(Clone, Debug, Default)]
pub(in crate::presentation) struct AllRates(Box<[Box<[Option<Rates>]>]>);

impl AllRates {
    /// Counts the rates of all tracks; to be called once, before anything is served.
    pub(in crate::presentation) fn of(streams: &[Stream]) -> Self {
        let pictures =
            streams.iter().find(|of| of.kind == StreamKind::Video && !of.timeline.is_empty());
        let begin = pictures.and_then(|of| {
            let (ticks, _) = of.timeline.chunk(0)?;
            Some(Moment { ticks, timescale: of.timescale })
        });
        let of_stream = |stream: &Stream| {
            let Stream { kind, timeline, timescale, tracks, .. } = stream;
            // A run of chunks takes no bytes, however long it is; fragments do.
            let is_counted = |fragments: &Fragments| {
                timeline.len() <= fragments.len().saturating_mul(4).saturating_add(1024)
            };
            let is_stored = |track: &Track| match &track.media {
                Media::Stored(stored) => is_counted(&stored.fragments),
                Media::Files(_) | Media::Absent(_) => false,
            };
            let segments = tracks.iter().any(is_stored).then(|| Segments::of(timeline));
            let early = segments.as_ref().and_then(|_| Early::of(stream, begin));
            let of_track = |track: &Track| match (&track.media, &segments) {
                (Media::Stored(stored), Some(segments)) if is_counted(&stored.fragments) => {
                    let growth = Some((stored.growth, stored.timescale));
                    let (kind, timescale) = (*kind, *timescale);
                    let listing = Listing { kind, segments, timescale, early, growth };
                    Rates::of(&listing, &stored.fragments)
                }
                _ => None,
            };
            let rates: Box<[_]> = tracks.iter().map(of_track).collect();
            // A stream without any takes no memory.
            if rates.iter().any(Option::is_some) { rates } else { Box::default() }
        };
        Self(streams.iter().map(of_stream).collect())
    }

    /// Returns the rates of a track, if the sizes of its fragments are known.
    pub(super) fn get(&self, stream: usize, track: usize) -> Option<Rates> {
        *self.0.get(stream)?.get(track)?
    }

    /// Returns bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        let streams = self.0.iter().map(|tracks| piece(size_of_val(&**tracks)));
        piece(size_of_val(&*self.0)) + streams.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Indexed;
    use crate::presentation::timeline::tests::timeline;

    fn rates(chunks: &[(u64, u64, u64)], sizes: &[u64]) -> Option<Rates> {
        let mut start = 0;
        let fragments = sizes.iter().enumerate().map(|(chunk, size)| {
            start += 1000 + size;
            (chunk, Indexed { time: 0, start: start - size, bound: start })
        });
        let fragments = Fragments::new(fragments);
        let timeline = timeline(chunks).unwrap();
        let timescale = Timescale::new(100).unwrap();
        let (kind, segments) = (StreamKind::Video, Segments::of(&timeline));
        let early = None;
        let listing = Listing { kind, segments: &segments, timescale, early, growth: None };
        Rates::of(&listing, &fragments)
    }

    #[test]
    fn the_peak_is_the_largest_rate_of_a_segment_and_the_mean_that_of_all() {
        // 200 ticks of 100 per second are 2 s.
        let found = rates(&[(0, 200, 4)], &[1000, 3000, 2000, 500]).unwrap();
        assert_eq!(found, Rates { peak: 12_000, mean: 6_500 });
        // A playlist says a gap, but for one of less than a tenth of a second.
        let found = rates(&[(0, 200, 1), (400, 200, 1)], &[1000, 1000]).unwrap();
        assert_eq!(found, Rates { peak: 4_000, mean: 4_000 });
        let found = rates(&[(0, 200, 1), (208, 200, 1)], &[1000, 1000]).unwrap();
        assert_eq!(found, Rates { peak: 4_000, mean: 3_922 });
    }

    #[test]
    fn a_short_segment_counts_with_its_neighbours() {
        let found = rates(&[(0, 200, 2), (400, 10, 1)], &[1000, 1000, 1000]).unwrap();
        assert_eq!(found.peak, 7_620, "2,000 bytes in 2.1 s, and not 1,000 in 0.1 s");
        assert_eq!(found.mean, 5_854);
        let found = rates(&[(0, 200, 1), (200, 10, 1), (210, 200, 1)], &[1000, 500, 1500]).unwrap();
        assert_eq!(found.peak, 7_620, "2,000 bytes in 2.1 s, at the end");
    }

    /// The peak against all stretches, one by one.
    #[test]
    fn the_peak_is_that_of_all_stretches_that_are_long_enough() {
        let mut random = 1_u64;
        let mut below = |most: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % most
        };
        for _ in 0..300 {
            let (mut start, mut chunks, mut sizes) = (0, Vec::new(), Vec::new());
            for _ in 0..=below(12) {
                let most = if below(2) == 0 { 10 } else { 200 };
                let duration = 1 + below(most);
                chunks.push((start, duration, 1));
                sizes.push(1 + below(1000));
                start += duration;
            }
            let longest = chunks.iter().map(|chunk| chunk.1).max().unwrap();
            let mut peak = 0;
            for from in 0..chunks.len() {
                for to in from..chunks.len() {
                    let ticks: u64 = chunks[from..=to].iter().map(|chunk| chunk.1).sum();
                    let bytes: u64 = sizes[from..=to].iter().sum();
                    if ticks >= (longest / 2).max(1) {
                        peak = peak.max((bytes * 8 * 100).div_ceil(ticks));
                    }
                }
            }
            assert_eq!(rates(&chunks, &sizes).unwrap().peak, peak, "{chunks:?} {sizes:?}");
        }
    }

    #[test]
    fn segments_are_those_of_the_timeline() {
        let lists: [&[(u64, u64, u64)]; 4] = [
            &[],
            &[(5, 20, 2), (50, 7, 1)],
            &[(100, 20, 2), (110, 20, 1), (100, 5, 1), (140, 20, 1)],
            &[(0, 0, 3), (9, 1, 1)],
        ];
        for chunks in lists {
            let timeline = timeline(chunks).unwrap();
            let expected: Vec<_> = timeline.segments().collect();
            let found = Segments::of(&timeline);
            assert_eq!(found.list, expected);
            assert_eq!(found.longest, expected.iter().map(|of| of.to_next).max().unwrap_or(0));
        }
    }

    #[test]
    fn nothing_has_no_rate() {
        assert_eq!(rates(&[], &[]), None);
        assert_eq!(rates(&[(0, 200, 4)], &[]), None);
        assert_eq!(rates(&[(0, 0, 1)], &[1000]), None);
    }
}
