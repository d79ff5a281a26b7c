//! Bits per second that a track takes, counted over its stored fragments.

use super::Segment;
use crate::base::{Timescale, piece};
use crate::index::Fragments;
use crate::presentation::stream::Media;
use crate::presentation::{Stream, Timeline, Track};

/// Bits per second of a track, by the stored fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    /// The largest rate of a segment; short segments count together with the one before.
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

    /// Returns whether this takes more bits per second.
    fn is_denser(self, other: Self) -> bool {
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

impl Rates {
    /// Returns the rates of fragments that no request has looked at yet: their sizes are then those
    /// of the index on every machine. `longest` is the longest segment of the stream in ticks. `None`
    /// if there are no fragments.
    fn of(
        timeline: &Timeline,
        longest: u64,
        timescale: Timescale,
        fragments: &Fragments,
    ) -> Option<Self> {
        let (mut peak, mut all) = (Stretch::default(), Stretch::default());
        let mut before: Option<Stretch> = None;
        let mut sizes = fragments.sizes();
        let mut size = sizes.next();
        for Segment { chunk, to_next: ticks, .. } in timeline.segments() {
            while size.is_some_and(|(of, _)| of < chunk) {
                size = sizes.next();
            }
            let Some((_, bytes)) = size.filter(|(of, _)| *of == chunk) else {
                before = None;
                continue;
            };
            let this = Stretch { bytes, ticks };
            let whole = match before {
                Some(before) if ticks < longest / 2 => before.plus(this),
                _ => this,
            };
            if peak.ticks == 0 || whole.is_denser(peak) {
                peak = whole;
            }
            all = all.plus(this);
            before = Some(this);
        }
        let rates = Self { peak: peak.rate(timescale), mean: all.rate(timescale) };
        (all.bytes > 0 && all.ticks > 0).then_some(rates)
    }
}

/// The rates of all tracks of a presentation, by stream.
#[derive(Debug)]
pub(in crate::presentation) struct AllRates(Box<[Box<[Option<Rates>]>]>);

impl AllRates {
    /// Counts the rates of all tracks; to be called once, before anything is served.
    pub(in crate::presentation) fn of(streams: &[Stream]) -> Self {
        let of_stream = |Stream { timeline, timescale, tracks, .. }: &Stream| {
            // A run of chunks takes no bytes, however long it is; fragments do.
            let is_counted = |fragments: &Fragments| {
                timeline.len() <= fragments.len().saturating_mul(4).saturating_add(1024)
            };
            let is_stored = |track: &Track| match &track.media {
                Media::Stored(stored) => is_counted(&stored.fragments),
                Media::Files(_) | Media::Absent(_) => false,
            };
            let longest = match tracks.iter().any(is_stored) {
                true => timeline.segments().map(|segment| segment.to_next).max().unwrap_or(0),
                false => 0,
            };
            let of_track = |track: &Track| match &track.media {
                Media::Stored(stored) if is_counted(&stored.fragments) => {
                    Rates::of(timeline, longest, *timescale, &stored.fragments)
                }
                Media::Stored(_) | Media::Files(_) | Media::Absent(_) => None,
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
        let longest = timeline.segments().map(|segment| segment.to_next).max().unwrap_or(0);
        Rates::of(&timeline, longest, Timescale::new(100).unwrap(), &fragments)
    }

    #[test]
    fn the_peak_is_the_largest_rate_of_a_segment_and_the_mean_that_of_all() {
        // 200 ticks of 100 per second are 2 s.
        let found = rates(&[(0, 200, 4)], &[1000, 3000, 2000, 500]).unwrap();
        assert_eq!(found, Rates { peak: 12_000, mean: 6_500 });
        // A gap makes the segment before it longer.
        let found = rates(&[(0, 200, 1), (400, 200, 1)], &[1000, 1000]).unwrap();
        assert_eq!(found, Rates { peak: 4_000, mean: 2_667 });
    }

    #[test]
    fn a_short_segment_counts_with_the_one_before() {
        let found = rates(&[(0, 200, 2), (400, 10, 1)], &[1000, 1000, 1000]).unwrap();
        assert_eq!(found.peak, 7_620, "2,000 bytes in 2.1 s, and not 1,000 in 0.1 s");
        assert_eq!(found.mean, 5_854);
    }

    #[test]
    fn nothing_has_no_rate() {
        assert_eq!(rates(&[], &[]), None);
        assert_eq!(rates(&[(0, 200, 4)], &[]), None);
        assert_eq!(rates(&[(0, 0, 1)], &[1000]), None);
    }
}
