//! Recording a fragment that a walk has found.

use std::ops::Range;

use super::sight::{FragmentSight, number_of};
use super::{Scan, window_behind};
use crate::index::ScannedTrack;

impl Scan {
    /// Forgets the current times after a fragment, or samples without their `moof`, were skipped.
    /// Their duration is unknown, and they may belong to any track unless `of` gives it.
    pub(super) fn lose_times(&mut self, of: Option<usize>) {
        match of.and_then(|number| self.tracks.get_mut(number)) {
            Some(track) => track.times_are_lost(),
            None => self.tracks.iter_mut().for_each(ScannedTrack::times_are_lost),
        }
    }

    /// Adds the fragment at this position to its track, whose number is `of`, and moves behind it.
    pub(super) fn found(&mut self, fragment: FragmentSight, of: Option<usize>) {
        let (start, len) = (self.at, fragment.len);
        self.at += len;
        self.fragments += 1;
        self.window = window_behind(&fragment);
        let is_shared = !fragment.others.is_empty();
        for other in fragment.others.clone() {
            let of = other.of.and_then(|id| number_of(&self.tracks, id));
            self.add(start..start + len, other, of, is_shared);
        }
        self.add(start..start + len, fragment, of, is_shared);
    }

    /// Adds a fragment to its track, whose number is `of`. It `is_shared` if its `moof` has others.
    fn add(
        &mut self,
        place: Range<u64>,
        fragment: FragmentSight,
        of: Option<usize>,
        is_shared: bool,
    ) {
        let Some(track) = of.and_then(|number| self.tracks.get_mut(number)) else {
            if !self.has_others {
                self.lose_times(None);
            }
            return;
        };
        track.is_shared |= is_shared;
        if is_shared {
            track.own.push((place.start, fragment.bytes));
        }
        let declared = fragment.declared;
        let is_below_0 = i64::try_from(declared).is_err();
        track.is_as_shown |= is_below_0;
        let duration = match fragment.duration {
            Ok(0) if is_below_0 => 0,
            Ok(0) => declared,
            Ok(duration) => duration,
            Err(error) => {
                self.broken.get_or_insert((place.start, *error));
                track.times_are_lost();
                return;
            }
        };
        let said =
            fragment.said.map(|said| track.unwrapped(said, fragment.is_short_time, duration));
        track.push(place, said, duration, fragment.is_empty);
    }
}
