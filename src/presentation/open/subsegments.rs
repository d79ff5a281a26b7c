//! Tracks whose fragments are found by the subsegments of a `sidx`.
//!
//! A `sidx` counts from the earliest time at which anything is shown, and an edit list may be counted in
//! or not. So the first fragment gives the first time, and its samples that of the second: they include
//! priming samples that are not shown. From then on the durations of the `sidx` count. The last
//! fragment must say the time that this leads to, else the file is walked through.

use std::ops::Range;

use bytes::Bytes;

use super::tracks::MediaTrack;
use super::trouble::Trouble;
use crate::base::{Error, Limits};
use crate::index::{Indexed, Subsegment, Subsegments};
use crate::presentation::FindingCode;
use crate::presentation::rewritten::{Found, Source};
use crate::presentation::timeline::tolerance;

/// Gives tracks without an index the subsegments that a `sidx` has for them.
pub(super) fn set(tracks: &mut [MediaTrack], found: Vec<(u32, Result<Subsegments, Error>)>) {
    for (track_id, of_track) in found {
        let Some(track) = tracks.iter_mut().find(|track| track.track_id == track_id) else {
            continue;
        };
        match of_track {
            Ok(of_track) => {
                let timescale = track.timescale;
                let time = |since: u64| {
                    let ticks = of_track.earliest.saturating_add(since);
                    let ticks = of_track.timescale.rescale_round(ticks, timescale)?;
                    i64::try_from(ticks).ok()
                };
                let indexed = |of: &Subsegment| {
                    Some(Indexed { time: time(of.since)?, start: of.start, bound: of.end })
                };
                let fragments: Option<Vec<_>> = of_track.list.iter().map(indexed).collect();
                track.fragments = fragments.ok_or_else(|| {
                    let what = "its `sidx` has times that do not fit the timescale of the track";
                    Trouble::new(FindingCode::IndexBroken, what)
                });
                track.subsegments = Some(Box::new(of_track));
            }
            Err(error) => {
                let message = format!("its `sidx` is not used: {error}");
                let trouble = Trouble::new(FindingCode::IndexBroken, message);
                track.fragments = Err(trouble.because(error));
            }
        }
    }
}

impl MediaTrack {
    /// Counts the times of its fragments from the first of them, of which `get` gives the bytes that were
    /// read, up to `len`. Without subsegments of a `sidx`, nothing changes.
    pub(super) fn count_from_first(
        &mut self,
        len: u64,
        get: impl Fn(Range<u64>) -> Option<Bytes>,
        limits: &Limits,
    ) {
        if let Err(trouble) = self.counted_from_first(len, get, limits) {
            self.fragments = Err(trouble);
        }
    }

    fn counted_from_first(
        &mut self,
        len: u64,
        get: impl Fn(Range<u64>) -> Option<Bytes>,
        limits: &Limits,
    ) -> Result<(), Trouble> {
        let (Some(of), Some((first, range))) =
            (&self.subsegments, self.looks(len).into_iter().next())
        else {
            return Ok(());
        };
        let unknown = || {
            let what = "its `sidx` is not used: the head of its first fragment is too long";
            Trouble::new(FindingCode::IndexBroken, what)
        };
        let block = &get(range).ok_or_else(unknown)?;
        let (track_id, defaults) = (self.track_id, self.defaults);
        let source = Source { block, start: first.start, bound: first.bound, track_id, defaults };
        let stored = match source.find(limits) {
            Ok(Found::Stored(stored) | Found::Made(_, stored)) => stored,
            Ok(Found::Needs(_)) => return Err(unknown()),
            // It is looked at again, and then told.
            Err(_) => return Ok(()),
        };
        let Ok(own) = stored.duration(self.defaults, limits) else { return Ok(()) };
        let near = tolerance(self.timescale, of.timescale);
        let ticks = |since: u64| of.timescale.rescale_round(since, self.timescale);
        let second = of.list.first().and_then(|first| ticks(first.duration)).unwrap_or(0);
        if own.saturating_add(near) < second {
            let message = format!(
                "its `sidx` is not used: the first subsegment lasts {second} ticks, and the fragment in it {own}"
            );
            return Err(Trouble::new(FindingCode::IndexBroken, message));
        }
        let lead = if own > second.saturating_add(near) { own - second } else { 0 };
        let start = stored.time().unwrap_or(first.time);
        let fragments = self.fragments.as_mut().map(Vec::as_mut_slice).unwrap_or_default();
        for (number, (fragment, of)) in fragments.iter_mut().zip(&of.list).enumerate() {
            let since = ticks(of.since).unwrap_or(u64::MAX);
            let lead = if number == 0 { 0 } else { lead };
            fragment.time = start.saturating_add_unsigned(since.saturating_add(lead));
        }
        Ok(())
    }

    /// Gives up subsegments of a `sidx` that the fragments contradict: the file is then walked through.
    pub(super) fn confirm_subsegments(&mut self) {
        if self.subsegments.take().is_none() {
            return;
        }
        let is_of_time = |doubt: &mut Trouble| doubt.code == FindingCode::TimeInFragment;
        if let Some(doubt) = self.doubt.take_if(is_of_time) {
            let message = format!("its `sidx` is not used: {}", doubt.message);
            self.fragments = Err(Trouble::new(FindingCode::IndexBroken, message));
        }
    }
}
