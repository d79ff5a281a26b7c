//! Qualities with what their media show of themselves: size, bitrate and pictures.

use super::evidence::{are_other_sizes, size_of};
use super::media::MediaFile;
use crate::base::{FileId, FourCc};
use crate::bmff::VisualSampleEntry;
use crate::presentation::stream::{Media, StoredTrack};
use crate::presentation::{Stream, Timeline, Track};

/// Shorter media say nothing about their bitrate, in seconds.
const SHORTEST: u64 = 4;

/// A quality, and the size of its media.
pub(super) struct Measured<'a> {
    pub(super) stored: &'a StoredTrack,
    pub(super) declared: u32,
    pub(super) fragments: usize,
    pub(super) bytes: u64,
    /// True if its fragments are of several sizes, the last one left out: other boxes may be behind
    /// it.
    pub(super) varies: bool,
    /// Ticks of the stream that its chunks last; 0 if that is not known.
    ticks: u64,
    /// Bits per second of its media, if they are known.
    pub(super) rate: Option<u64>,
    /// Width and height of its pictures by the manifest.
    pub(super) said: Option<(u32, u32)>,
    /// Width and height of its pictures by the header of its file.
    pub(super) shown: Option<(u32, u32)>,
}

impl<'a> Measured<'a> {
    /// Measures the qualities of a stream that have media and a bitrate.
    pub(super) fn all_of(stream: &'a Stream, is_measurable: impl Fn(FileId) -> bool) -> Vec<Self> {
        let mut whole = None;
        let measured = |track: &'a Track| match &track.media {
            Media::Stored(stored) if track.bitrate > 0 => {
                let is_measurable = is_measurable(stored.file);
                let measured = Self::of(track, stored, &stream.timeline, &mut whole, is_measurable);
                Some(measured.rated(stream.timescale.get()))
            }
            _ => None,
        };
        stream.tracks.iter().filter_map(measured).collect()
    }

    /// Measures the media of a quality. The ticks of all chunks are counted once: `whole`.
    fn of(
        track: &Track,
        stored: &'a StoredTrack,
        timeline: &Timeline,
        whole: &mut Option<u64>,
        is_measurable: bool,
    ) -> Self {
        let (mut bytes, mut length) = (0_u64, Length::default());
        let (mut first, mut last, mut varies) = (None, None, false);
        let is_known = is_measurable && !timeline.steps_back();
        let is_whole = stored.fragments.len() == timeline.len();
        stored.fragments.each_range(|number, range| {
            let size = range.end - range.start;
            bytes = bytes.saturating_add(size);
            if let Some(before) = last.replace(size) {
                varies |= *first.get_or_insert(before) != before;
            }
            if is_known && !is_whole {
                length.add(timeline.chunk(number));
            }
        });
        let ticks = match is_known && is_whole {
            true => *whole.get_or_insert_with(|| Length::of(timeline).ticks()),
            false => length.ticks(),
        };
        let said = track.description().and_then(size_of);
        let shown = stored.entry.as_ref().filter(|_| said.is_some());
        let shown = shown.and_then(VisualSampleEntry::picture_size);
        Self {
            stored,
            declared: track.bitrate,
            fragments: stored.fragments.len(),
            bytes,
            varies,
            ticks,
            rate: None,
            said,
            shown: shown.map(|(width, height)| (width.into(), height.into())),
        }
    }

    /// Adds the bitrate, if the media are long enough to have one.
    fn rated(self, ticks_per_second: u64) -> Self {
        let is_long = self.ticks / ticks_per_second.max(1) >= SHORTEST && self.fragments > 1;
        // Each factor but the 8 has 64 bits.
        let bits = (u128::from(self.bytes) * u128::from(ticks_per_second)).saturating_mul(8);
        let rate = bits.checked_div(u128::from(self.ticks)).filter(|_| is_long);
        Self { rate: rate.and_then(|rate| u64::try_from(rate).ok()), ..self }
    }

    pub(super) fn source(&self) -> (FileId, u32) {
        (self.stored.file, self.stored.track_id)
    }

    pub(super) fn format(&self) -> Option<FourCc> {
        self.stored.entry.as_ref().map(|entry| entry.header.kind)
    }

    /// Returns whether its media have pictures of another size than the manifest says.
    pub(super) fn has_other_pictures(&self) -> bool {
        self.said.zip(self.shown).is_some_and(|(said, shown)| are_other_sizes(said, shown))
    }

    /// Returns how little its media fit: whether their pictures have another size, and by what factor
    /// they miss the declared bitrate.
    pub(super) fn miss(&self) -> (bool, f64) {
        let factor = self.rate.map_or(f64::INFINITY, |rate| {
            let (rate, declared) = (rate.max(1) as f64, f64::from(self.declared.max(1)));
            (rate / declared).max(declared / rate)
        });
        (self.has_other_pictures(), factor)
    }

    /// Returns whether another quality declares a bitrate that is more than a tenth away.
    pub(super) fn is_far_from(&self, other: &Self) -> bool {
        let lower = u64::from(self.declared.min(other.declared));
        10 * u64::from(self.declared.abs_diff(other.declared)) > lower
    }
}

/// The length of some chunks.
#[derive(Default)]
struct Length {
    chunks: u64,
    /// The sum of all durations.
    sum: u64,
    /// The earliest start and the latest end.
    ends: Option<(u64, u64)>,
    last_duration: u64,
}

impl Length {
    fn of(timeline: &Timeline) -> Self {
        let mut length = Self::default();
        timeline.iter().for_each(|chunk| length.add(Some(chunk)));
        length
    }

    fn add(&mut self, chunk: Option<(u64, u64)>) {
        let Some((start, duration)) = chunk else { return };
        let end = start.saturating_add(duration);
        let (first, last) = self.ends.unwrap_or((start, end));
        self.ends = Some((first.min(start), last.max(end)));
        self.sum = self.sum.saturating_add(duration);
        self.chunks += 1;
        self.last_duration = duration;
    }

    /// Returns the ticks that the chunks last; 0 if there are none. Durations in a manifest may be
    /// wrong while its times are right, and that of the last chunk may be missing.
    fn ticks(&self) -> u64 {
        let ticks = self.ends.map_or(0, |(first, end)| self.sum.max(end - first));
        match self.last_duration {
            0 => ticks.saturating_add(ticks / self.chunks.saturating_sub(1).max(1)),
            _ => ticks,
        }
    }
}

/// Returns whether all bytes between two fragments of this file are those of the first: only then is
/// the size of a fragment known without a look at it.
pub(super) fn is_measurable(file: &MediaFile) -> bool {
    let tracks = file.tracks.as_deref().unwrap_or_default();
    file.unread_track.is_none()
        && tracks.iter().all(|track| track.fragments.is_ok() && !track.is_rewritten)
}
