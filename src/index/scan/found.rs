//! Recording a fragment that a walk has found.

use super::{HEADER, LARGE_WINDOW, Scan};
use crate::base::Limits;
use crate::bmff::uuid::Tfxd;
use crate::fragment::Stored;
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

    /// Adds the fragment at this position to its track, and moves behind it.
    pub(super) fn found(&mut self, fragment: &Stored, limits: &Limits) {
        let (start, len) = (self.at, fragment.lengths().len);
        self.at += len;
        let moof = fragment.moof.len() as u64;
        let several = if len <= LARGE_WINDOW / 4 { 4 * len } else { 0 };
        self.window = (moof + 2 * HEADER).next_multiple_of(1 << 10).max(several);
        let Some(number) = fragment.track_id().and_then(|id| self.number_of(id)) else {
            if !self.has_others {
                self.lose_times(None);
            }
            return;
        };
        let track = &mut self.tracks[number];
        let declared = fragment.traf.get::<Tfxd>().map_or(0, |tfxd| tfxd.duration);
        let is_below_0 = i64::try_from(declared).is_err();
        track.is_as_shown |= is_below_0;
        // The durations of decoding count: `tfxd` may count from picture to picture as they are
        // shown.
        let duration = match fragment.duration(track.defaults, limits) {
            Ok(0) if is_below_0 => 0,
            Ok(0) => declared,
            Ok(duration) => duration,
            Err(error) => {
                self.broken.get_or_insert((start, error));
                track.times_are_lost();
                return;
            }
        };
        let said =
            fragment.time().map(|said| track.unwrapped(said, fragment.has_short_time(), duration));
        track.push(start..start + len, said, duration, fragment.is_empty());
    }

    /// Returns the index in `tracks` of the track with this id.
    pub(super) fn number_of(&self, track_id: u32) -> Option<usize> {
        self.tracks.binary_search_by_key(&track_id, |track| track.track_id).ok()
    }
}
