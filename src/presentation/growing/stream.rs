//! A stream to which chunks are added, and its tracks.

use std::cmp;
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

use super::{Lengths, Limits, Media, Stream, invalid};
use crate::base::{Error, ErrorKind, Run, Timescale};
use crate::index::Fragments;
use crate::manifest::StreamKind;
use crate::presentation::stream::{Absent, StoredTrack, Track};
use crate::presentation::timeline::{fillers_of, tolerance};
use crate::presentation::{Timeline, Window};

/// The chunks of a stream, and the fragments of its tracks.
#[derive(Clone, Debug)]
pub(super) struct GrowingStream {
    kind: StreamKind,
    timescale: Timescale,
    pub(super) timeline: Timeline,
    pub(super) window: Window,
    pub(super) tracks: Vec<GrowingTrack>,
}

/// The fragments of a track.
#[derive(Clone, Debug, Default)]
pub(super) struct GrowingTrack {
    fragments: Fragments,
    /// End of the last fragment in the file.
    end: u64,
    /// Fragments are not served as they are stored.
    pub(super) is_rewritten: bool,
    /// Number in the event of the first chunk that it had. `None` before that.
    joined: Option<u64>,
}

impl GrowingStream {
    /// A stream without chunks.
    pub(super) fn of(stream: &Stream) -> Self {
        let tracks = stream.tracks.iter().map(|_| GrowingTrack::default()).collect();
        let timeline = Timeline::default();
        let window = Window { is_of_event: true, ..Window::default() };
        Self { kind: stream.kind, timescale: stream.timescale, timeline, window, tracks }
    }

    /// Adds a fragment of a track, and its chunk if that is new.
    pub(super) fn add(
        &mut self,
        track: usize,
        (time, duration): (u64, u64),
        start: u64,
        lengths: Lengths,
        limits: &Limits,
    ) -> Result<(), Error> {
        // Encoders round the times of one chunk in each track by itself.
        let rounding = tolerance(self.timescale, self.timescale);
        let last = self.timeline.last();
        let is_new = last.is_none_or(|(_, (last, _))| time > last.saturating_add(rounding));
        let chunk = match is_new {
            true => self.timeline.len(),
            false => {
                let found = self.timeline.near(0, time, rounding, &mut 0);
                found.ok_or(ErrorKind::NoFragment)?
            }
        };
        let of = self.tracks.get_mut(track).ok_or(ErrorKind::NoTrack)?;
        if of.fragments.last_chunk().is_some_and(|last| last >= chunk) {
            return Err(invalid("a fragment that is not later than the one before it"));
        }
        if start < of.end {
            return Err(invalid("a fragment that begins before the one before it ends"));
        }
        if is_new {
            let run = Run { start: time, duration, count: NonZeroU64::MIN };
            self.timeline = self.timeline.extended([run], limits)?;
            self.window.longest = self.window.longest.max(duration);
        }
        of.fragments.push(chunk, start, lengths, !of.is_rewritten);
        of.end = start.saturating_add(lengths.len);
        of.joined = of.joined.or(Some(self.window.dropped.saturating_add(chunk as u64)));
        Ok(())
    }

    /// Drops chunks that end at or before a time in ticks of 100 ns, but not the last one. Returns the
    /// number of fragments that are dropped with them.
    pub(super) fn drop_before(&mut self, time: u64) -> u64 {
        let count = self.first_after(time);
        if count == 0 {
            return 0;
        }
        self.window.fillers += self.fillers_behind(count);
        self.timeline = self.timeline.without_first(count);
        self.window.dropped += count as u64;
        self.window.hidden = self.window.hidden.saturating_sub(count);
        let mut dropped = 0;
        for track in &mut self.tracks {
            let before = track.fragments.len();
            track.fragments.drop_chunks(count);
            dropped += (before - track.fragments.len()) as u64;
        }
        dropped
    }

    /// Hides chunks that end at or before a time in ticks of 100 ns, but not the last one.
    pub(super) fn hide_before(&mut self, time: u64) {
        self.window.hidden = self.window.hidden.max(self.first_after(time));
    }

    /// Hides all chunks but so many. Returns the end of those that it hides, in ticks of 100 ns.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(super) fn hide_all_but(&mut self, most: usize) -> Option<u64> {
        let count = self.timeline.len().saturating_sub(most.max(1));
        let (start, duration) = self.timeline.chunk(count.checked_sub(1)?)?;
        self.window.hidden = self.window.hidden.max(count);
        Some(self.smooth(start.saturating_add(duration)))
    }

    /// Returns the end of the last chunk, in ticks of 100 ns.
    pub(super) fn end(&self) -> u64 {
        self.smooth(self.timeline.end())
    }

    /// Returns the start of the first chunk, in ticks of 100 ns.
    pub(super) fn begin(&self) -> Option<u64> {
        Some(self.smooth(self.timeline.chunk(0)?.0))
    }

    /// Returns the start of the last chunk, in ticks of 100 ns.
    pub(super) fn last_begin(&self) -> Option<u64> {
        let (_, (start, _)) = self.timeline.last()?;
        Some(self.smooth(start))
    }

    /// Returns the length of the longest chunk that it ever had, in ticks of a timescale.
    pub(super) fn longest(&self, to: Timescale) -> Option<u64> {
        self.timescale.rescale_round(self.window.longest, to)
    }

    /// Compares the longest chunks that two streams ever had.
    pub(super) fn cmp_longest(&self, other: &Self) -> cmp::Ordering {
        // Both in ticks of both timescales.
        let ticks = |of: &Self, with: &Self| {
            u128::from(of.window.longest) * u128::from(with.timescale.get())
        };
        ticks(self, other).cmp(&ticks(other, self))
    }

    fn smooth(&self, ticks: u64) -> u64 {
        self.timescale.rescale_floor(ticks, Timescale::SMOOTH).unwrap_or(u64::MAX)
    }

    /// Returns the first chunk that ends after a time in ticks of 100 ns; the last one if none does.
    fn first_after(&self, time: u64) -> usize {
        let time = Timescale::SMOOTH.rescale_floor(time, self.timescale).unwrap_or(u64::MAX);
        self.timeline.first_ending_after(time).min(self.timeline.len().saturating_sub(1))
    }

    /// Returns the number of segments that fill the gaps behind the first `count` chunks in a playlist.
    fn fillers_behind(&self, count: usize) -> u64 {
        let chunks = self.timeline.iter().zip(self.timeline.iter().skip(1)).take(count);
        let fillers = chunks.map(|((start, lasts), (next, _))| {
            fillers_of(self.kind, lasts, next.saturating_sub(start), self.timescale)
        });
        fillers.sum()
    }

    /// Returns the stream of a snapshot, without media if it [is over](super::Growing::over). `of` is that of the
    /// template.
    pub(super) fn stream(&self, of: &Stream, is_live: bool, is_over: bool) -> Stream {
        let tracks = of.tracks.iter().zip(&self.tracks);
        let has_chunks = !self.timeline.is_empty();
        let tracks = tracks.map(|(of, growing)| {
            let is_over = is_over || growing.is_over(has_chunks, is_live);
            growing.track(of, is_over, is_live)
        });
        Stream {
            kind: of.kind,
            name: of.name.clone(),
            label: of.label.clone(),
            language: of.language.clone(),
            timescale: of.timescale,
            timeline: self.timeline.clone(),
            tracks: tracks.collect(),
            subtype: of.subtype.clone(),
            parent: of.parent.clone(),
            scheme: of.scheme.clone(),
            role: of.role,
            window: self.window,
        }
    }
}

impl GrowingTrack {
    /// Returns the first byte of the file that is still needed.
    pub(super) fn needed(&self) -> u64 {
        self.fragments.first_start().unwrap_or(self.end)
    }

    /// Returns true if it has no fragment and will get none, or had fragments that have left the window: players could
    /// choose it, and would get nothing.
    fn is_over(&self, has_chunks: bool, is_live: bool) -> bool {
        self.fragments.len() == 0 && (self.end > 0 || has_chunks && !is_live)
    }

    fn track(&self, of: &Track, is_over: bool, is_live: bool) -> Track {
        Track {
            kind: of.kind,
            bitrate: of.bitrate,
            attributes: of.attributes.clone(),
            media: match &of.media {
                Media::Stored(_) if is_over => Media::Absent(Absent::Missing),
                Media::Stored(stored) => Media::Stored(Box::new(self.stored(stored, is_live))),
                Media::Files(_) => Media::Absent(Absent::Missing),
                Media::Absent(absent) => Media::Absent(*absent),
            },
            description: of.description.clone(),
            pixel_aspect: of.pixel_aspect.clone(),
        }
    }

    fn stored(&self, of: &StoredTrack, is_live: bool) -> StoredTrack {
        StoredTrack {
            file: of.file,
            track_id: of.track_id,
            timescale: of.timescale,
            shift: of.shift,
            defaults: of.defaults,
            fragments: self.fragments.clone(),
            is_growing: is_live,
            joined: self.joined,
            made: None,
            header_chunk: None,
            entry: of.entry.clone(),
            more_entries: of.more_entries.clone(),
            language: of.language,
            durations: of.durations,
            #[cfg(any(feature = "dash", feature = "hls"))]
            growth: of.growth,
            // The times were compared when the fragments came.
            is_settled: true,
            is_time_told: of.is_time_told.load(Ordering::Relaxed).into(),
        }
    }
}
