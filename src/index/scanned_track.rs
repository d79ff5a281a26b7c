//! The fragments of a track as a walk finds them: where they lie, and when they start.

use std::ops::Range;

use super::Indexed;
use crate::fragment::Defaults;

/// What was found of a track.
#[derive(Clone, Debug)]
pub(crate) struct ScannedTrack {
    pub(crate) track_id: u32,
    pub(super) defaults: Defaults,
    /// In order of time, each at its exact place.
    pub(crate) fragments: Vec<Indexed>,
    /// How long the latest of them is, in ticks of the track.
    pub(crate) last_duration: u64,
    /// When that one starts.
    pub(super) latest: i64,
    /// When the next one starts, if it does not say; `None` behind a fragment that was passed over.
    pub(super) next: Option<i64>,
    /// Fragments behind one that was passed over, which do not say when they start.
    pub(super) untimed: Vec<Untimed>,
    /// Where each fragment lies, in the order of the file.
    pub(crate) places: Vec<Range<u64>>,
    /// When each of them starts by the durations of those before it, up to one that was passed
    /// over.
    pub(super) sums: Vec<i64>,
    /// When the next one starts by that; `None` behind one that was passed over.
    pub(super) sum: Option<i64>,
    /// How long the last one in the file is, in ticks of the track.
    pub(crate) final_duration: u64,
    /// The start of the one before, as it says itself.
    pub(super) previous: Option<i64>,
    /// Some start is no later than the one before.
    pub(super) steps_back: bool,
}

/// A fragment that does not say when it starts, and that none leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Untimed {
    pub(super) start: u64,
    pub(super) bound: u64,
    pub(super) duration: u64,
}

impl ScannedTrack {
    pub(super) fn new(track_id: u32, defaults: Defaults) -> Self {
        Self {
            track_id,
            defaults,
            fragments: Vec::new(),
            last_duration: 0,
            latest: i64::MIN,
            next: Some(0),
            untimed: Vec::new(),
            places: Vec::new(),
            sums: Vec::new(),
            sum: Some(0),
            final_duration: 0,
            previous: None,
            steps_back: false,
        }
    }

    /// Takes the times of fragments that do not say them from an index, which is ascending.
    /// Fragments that it does not have are left out: nobody knows which chunks they are. Gives the
    /// number of these.
    pub(crate) fn take_times_from(&mut self, index: &[Indexed]) -> usize {
        let mut left_out = 0;
        for Untimed { start, bound, duration } in std::mem::take(&mut self.untimed) {
            let Ok(at) = index.binary_search_by_key(&start, |fragment| fragment.start) else {
                left_out += 1;
                continue;
            };
            let time = index[at].time;
            self.fragments.push(Indexed { time, start, bound });
            if self.latest <= time {
                (self.latest, self.last_duration) = (time, duration);
            }
        }
        self.sort();
        left_out
    }

    /// A fragment of the track begins here.
    pub(crate) fn has(&self, start: u64) -> bool {
        self.places.binary_search_by_key(&start, |place| place.start).is_ok()
    }

    /// The fragments in the order of the file, by the sums of their durations; `None` where the
    /// times that they say ascend, or where durations are unknown.
    pub(crate) fn take_by_order(&mut self) -> Option<Vec<Indexed>> {
        // Taken: any number of `trak`s may have one number.
        let sums = std::mem::take(&mut self.sums);
        let is_known = sums.len() == self.places.len();
        if !self.steps_back || !is_known || !sums.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let fragment = |(place, &time): (&Range<u64>, &i64)| Indexed {
            time,
            start: place.start,
            bound: place.end,
        };
        Some(self.places.iter().zip(&sums).map(fragment).collect())
    }

    /// The start that a fragment says, with what 32 bits for it have lost: the nearest to the one
    /// before where the box has only 32 bits, else where it follows that one.
    pub(super) fn unwrapped(&self, said: i64, is_short: bool, duration: u64) -> i64 {
        const WRAP: i64 = 1 << 32;
        let (Some(previous), Some(next)) = (self.previous, self.next) else { return said };
        if !(0..WRAP).contains(&said) || previous.saturating_sub(said) <= WRAP / 2 {
            return said;
        }
        let turns = (previous - said).saturating_add(WRAP / 2) / WRAP;
        let unwrapped = said.saturating_add(turns.saturating_mul(WRAP));
        let follows = unwrapped.abs_diff(next) <= duration.saturating_mul(2);
        if is_short || follows { unwrapped } else { said }
    }

    pub(super) fn sort(&mut self) {
        // Encoders that take over from one another send fragments twice, and out of order.
        self.fragments.sort_by_key(|fragment| fragment.time);
        self.fragments.dedup_by_key(|fragment| fragment.time);
    }
}
