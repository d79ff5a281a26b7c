//! The streams and tracks that manifests of DASH and HLS list, and the times that they share.

use std::cmp;
use std::sync::atomic::Ordering;

use crate::base::Timescale;
use crate::manifest::StreamKind;
use crate::presentation::finding::{Finding, FindingCode, label};
use crate::presentation::{Presentation, Role, Stream, Track};

/// A time of a stream: ticks of a timescale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) ticks: u64,
    pub(crate) timescale: Timescale,
}

impl Moment {
    /// Returns the moment in ticks of another timescale, rounded to the nearest.
    pub(crate) fn rescaled(self, to: Timescale) -> u64 {
        self.timescale.rescale_round(self.ticks, to).unwrap_or(u64::MAX)
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == cmp::Ordering::Equal
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        let scaled = |one: &Self, by: &Self| u128::from(one.ticks) * u128::from(by.timescale.get());
        scaled(self, other).cmp(&scaled(other, self))
    }
}

/// Chunks of a stream that is listed: a manifest would be longer than a client manifest may be, and a
/// run of chunks takes no bytes, however long it is.
const MOST_CHUNKS: usize = 500_000;

/// A stream that manifests list, with the tracks that a player can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Listed<'a> {
    /// Number of the stream.
    pub(crate) number: usize,
    pub(crate) stream: &'a Stream,
    /// Tracks with their numbers in the stream; at least one.
    pub(crate) tracks: Vec<(usize, &'a Track)>,
}

impl Listed<'_> {
    /// Returns the start of the first chunk.
    pub(crate) fn begin(&self) -> Moment {
        self.moment(self.stream.timeline.segments().next().map_or(0, |first| first.start))
    }

    /// Returns the end of the last chunk.
    pub(crate) fn end(&self) -> Moment {
        let last = self.stream.timeline.segments().last();
        self.moment(last.map_or(0, |last| last.start.saturating_add(last.to_next)))
    }

    fn moment(&self, ticks: u64) -> Moment {
        Moment { ticks, timescale: self.stream.timescale }
    }
}

impl Presentation {
    /// Returns the streams that manifests of DASH and HLS list, in the order of the presentation.
    ///
    /// A track is listed if its media is served and its codec has a name by RFC 6381. Streams of
    /// events, sparse streams, and text that is not TTML are not listed.
    pub(crate) fn listed(&self) -> Vec<Listed<'_>> {
        let streams = self.streams.iter().enumerate();
        let listed = streams.filter(|(_, stream)| stream.is_listed()).map(|(number, stream)| {
            let tracks = stream.tracks.iter().enumerate();
            let tracks = tracks.filter(|(_, track)| track.is_listed());
            Listed { number, stream, tracks: tracks.collect() }
        });
        listed.filter(|listed| !listed.tracks.is_empty()).collect()
    }
}

impl Presentation {
    /// Reports the tracks that DASH and HLS have no name for, the first time that it is called.
    pub(crate) fn notice_left_out(&self) {
        if self.segmented.is_noticed.swap(true, Ordering::Relaxed) {
            return;
        }
        for stream in self.streams.iter().filter(|stream| stream.is_listed()) {
            for track in stream.tracks.iter().filter(|track| track.is_served()) {
                if !track.is_listed() {
                    let message = "DASH and HLS have no name for its codec";
                    let finding = Finding::new(FindingCode::TrackLeftOut, message);
                    self.notice(finding.of_track(&label(&stream.name, track.bitrate)));
                }
            }
        }
    }
}

impl Stream {
    /// Returns whether manifests of DASH and HLS list the stream.
    pub(crate) fn is_listed(&self) -> bool {
        let is_for_people = !matches!(self.role(), Role::Metadata);
        let is_picture = self.kind != StreamKind::Video || self.role() != Role::Supplementary;
        let is_kept = is_for_people && is_picture;
        is_kept && self.parent.is_none() && (1..=MOST_CHUNKS).contains(&self.timeline.len())
    }
}

impl Track {
    fn is_listed(&self) -> bool {
        self.is_served() && self.codecs().is_some()
    }

    /// Returns whether its samples are TTML that can be read, so that its text can also be served as
    /// WebVTT.
    pub(crate) fn is_ttml(&self) -> bool {
        match self.sample_entries().next() {
            Some(entry) => matches!(&entry.format().0, b"stpp" | b"dfxp"),
            None => self.codecs().as_deref() == Some("stpp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_different_timescales_are_compared_exactly() {
        let moment = |ticks, scale| Moment { ticks, timescale: Timescale::new(scale).unwrap() };
        assert!(moment(1, 3) < moment(3_333_334, 10_000_000));
        assert!(moment(1, 3) > moment(3_333_333, 10_000_000));
        assert_eq!(moment(90_000, 90_000), moment(10_000_000, 10_000_000));
        assert!(moment(u64::MAX, 1) > moment(u64::MAX, 2));
        assert_eq!(moment(1, 3).rescaled(Timescale::SMOOTH), 3_333_333);
    }
}
