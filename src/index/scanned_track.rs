//! The fragments of a track as a walk finds them: where they are stored, and when they start.

use std::ops::Range;

use super::Indexed;
use crate::fragment::Defaults;

/// The fragments of one track that a walk has found.
#[derive(Clone, Debug)]
pub(crate) struct ScannedTrack {
    pub(crate) track_id: u32,
    pub(super) defaults: Defaults,
    /// In order of time, each with its exact position.
    pub(crate) fragments: Vec<Indexed>,
    /// Duration of the fragment with the latest start, in ticks of the track.
    pub(crate) last_duration: u64,
    /// The latest start.
    pub(super) latest: i64,
    /// Start of the next fragment, if it does not declare one; `None` after a skipped fragment.
    pub(super) next: Option<i64>,
    /// Fragments after a skipped one that do not declare their start.
    pub(super) untimed: Vec<Untimed>,
    /// Position of each fragment, in the order of the file.
    pub(crate) places: Vec<Range<u64>>,
    /// Start of each fragment by the sum of the durations before it, up to a skipped fragment.
    pub(super) sums: Vec<i64>,
    /// Start of the next fragment by that sum; `None` after a skipped fragment.
    pub(super) sum: Option<i64>,
    /// Duration of the last fragment in the file, in ticks of the track.
    pub(crate) final_duration: u64,
    /// True if the duration of the last fragment is not known.
    pub(super) is_assumed: bool,
    /// Start of the previous fragment, as it declares it.
    pub(super) previous: Option<i64>,
    /// Start of the previous fragment by the end of the one before it, if it declares its own; and
    /// whether times had stepped back before it.
    pub(super) followed: Option<i64>,
    pub(super) stepped_back_before: bool,
    /// True if some fragment starts in the first half of the one before it, or earlier.
    pub(super) is_close: bool,
    /// True if fragments overlap by their declared times, which those of one track cannot do.
    pub(super) is_overlapping: bool,
    /// True if some start is not later than the one before.
    pub(crate) steps_back: bool,
    /// The first declared start, and whether another fragment declares a different one.
    pub(super) said: Option<i64>,
    pub(super) says_several: bool,
    /// True if some fragment declares a duration below 0 (`tfxd`, in two's complement): its muxer
    /// measures from one stored picture to the next by the times at which they are shown.
    pub(crate) is_as_shown: bool,
    /// True if some `moof` has fragments of other tracks as well.
    pub(crate) is_shared: bool,
    /// First byte of each `moof` that has fragments of other tracks, and the bytes of the samples of this
    /// one.
    pub(crate) own: Vec<(u64, u64)>,
}

/// A fragment whose start is neither declared nor known from the fragment before it.
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
            is_assumed: false,
            previous: None,
            followed: None,
            stepped_back_before: false,
            is_close: false,
            is_overlapping: false,
            steps_back: false,
            said: None,
            says_several: false,
            is_as_shown: false,
            is_shared: false,
            own: Vec::new(),
        }
    }

    /// Adds the next fragment of the file: its bytes, the start that it declares if any, and its
    /// duration.
    pub(super) fn push(
        &mut self,
        place: Range<u64>,
        said: Option<i64>,
        duration: u64,
        is_empty: bool,
    ) {
        let Range { start, end: bound } = place;
        if self.places.is_empty() {
            self.sum = self.sum.and(said.or(self.sum));
        }
        self.correct_last(said);
        self.says_several |= said.is_some_and(|said| *self.said.get_or_insert(said) != said);
        self.places.push(start..bound);
        self.add(said, duration, is_empty);
        let Some(time) = said.or(self.next) else {
            self.untimed.push(Untimed { start, bound, duration });
            return;
        };
        self.stepped_back_before = self.steps_back;
        self.steps_back |= self.previous.is_some_and(|previous| time <= previous);
        self.is_close |= self.steps_back || self.is_close_to_last(time);
        self.followed = self.next.filter(|_| said.is_some() && self.previous.is_some());
        self.previous = Some(time);
        self.next = Some(time.saturating_add_unsigned(duration));
        if self.latest <= time {
            (self.latest, self.last_duration) = (time, duration);
        }
        self.fragments.push(Indexed { time, start, bound });
    }

    /// Adds a fragment to the sums. ffmpeg writes a duration of 0 if it does not know when the next
    /// sample comes. Such a fragment is assumed to be as long as the one before, until a fragment
    /// declares its time and duration again.
    pub(super) fn add(&mut self, said: Option<i64>, duration: u64, is_empty: bool) {
        let is_assumed = duration == 0 && !is_empty;
        if let Some(mut sum) = self.sum {
            if let Some(said) = said
                && self.is_assumed
                && said.abs_diff(sum) < duration / 2
            {
                sum = said;
            }
            self.sums.push(sum);
            let duration = if is_assumed { self.final_duration } else { duration };
            self.sum = Some(sum.saturating_add_unsigned(duration));
        }
        self.is_assumed = is_assumed;
        if !is_assumed {
            self.final_duration = duration;
        }
    }

    /// Corrects the time of the last fragment if it declares another time than the end of the one
    /// before it, while the new fragment starts where the last one would end if it started there.
    pub(super) fn correct_last(&mut self, said: Option<i64>) {
        let (Some(said), Some(followed), Some(next), Some(previous)) =
            (said, self.followed, self.next, self.previous)
        else {
            return;
        };
        let duration = next.saturating_sub(previous);
        let is_off = followed.abs_diff(previous) > duration.unsigned_abs() / 2;
        let is_between =
            followed.saturating_add(duration).abs_diff(said) <= duration.unsigned_abs() / 16;
        if let Some(last) = self.fragments.last_mut()
            && is_off
            && is_between
            && duration > 0
            && last.time == previous
        {
            last.time = followed;
            if self.latest == previous {
                // The new fragment starts later.
                self.latest = followed;
            }
            (self.previous, self.next) = (Some(followed), Some(followed.saturating_add(duration)));
            self.steps_back = self.stepped_back_before;
        }
    }

    /// Returns whether a time is in the first half of the fragment before it.
    pub(super) fn is_close_to_last(&self, time: i64) -> bool {
        let (Some(previous), Some(next)) = (self.previous, self.next) else { return false };
        let duration = next.saturating_sub(previous);
        duration > 0 && time < previous.saturating_add(duration / 2)
    }

    /// Returns whether fragments overlap by their declared times, which are then wrong. A few
    /// fragments with the same time and length were sent twice, for example by an encoder that took
    /// over.
    pub(super) fn find_overlaps(&self) -> bool {
        if !self.is_close || self.sums.len() != self.places.len() {
            return false;
        }
        let ends = self.sums.iter().skip(1).copied().chain(self.sum);
        let durations: Vec<i64> =
            self.sums.iter().zip(ends).map(|(sum, end)| end.saturating_sub(*sum)).collect();
        let duration = |fragment: &Indexed| {
            let at = self.places.binary_search_by_key(&fragment.start, |place| place.start);
            at.ok().and_then(|at| durations.get(at).copied()).unwrap_or(0)
        };
        let (mut overlaps, mut repeated) = (0, 0);
        for pair in self.fragments.windows(2) {
            let (one, next) = (&pair[0], &pair[1]);
            let duration = duration(one);
            if duration > 0 && next.time < one.time.saturating_add(duration / 2) {
                overlaps += 1;
                let is_as_long = one.bound - one.start == next.bound - next.start;
                repeated += usize::from(one.time == next.time && is_as_long);
            }
        }
        let was_sent_twice = 4 * repeated <= self.fragments.len();
        overlaps > if was_sent_twice { repeated } else { 0 }
    }

    /// Forgets the current times after a skipped fragment that may belong to this track and have
    /// any duration.
    pub(super) fn times_are_lost(&mut self) {
        (self.next, self.sum) = (None, None);
    }

    /// Takes the times of fragments that do not declare them from an index, which is ascending.
    /// Fragments that the index does not have are left out, because their chunks are unknown.
    /// Returns the number of these.
    pub(crate) fn take_times_from(&mut self, index: &[Indexed]) -> usize {
        if !self.says_several && index.first().map(|f| f.time) < index.last().map(|f| f.time) {
            return self.take_all_times_from(index);
        }
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

    /// Takes all times from an index if no fragment says which one it is. The sums of all durations
    /// would be off by every fragment that is damaged or was blanked, so sums only lead from a
    /// fragment that the index has to those after it that the index does not have.
    fn take_all_times_from(&mut self, index: &[Indexed]) -> usize {
        self.untimed.clear();
        self.fragments.clear();
        let ends = self.sums.iter().skip(1).copied().chain(self.sum);
        let mut durations = self.sums.iter().zip(ends).map(|(sum, end)| end.saturating_sub(*sum));
        let (mut left_out, mut next) = (0, None);
        for place in &self.places {
            let at = index.binary_search_by_key(&place.start, |fragment| fragment.start);
            let time = at.ok().map(|at| index[at].time).or(next);
            let duration = durations.next();
            next = time.zip(duration).map(|(time, duration)| time.saturating_add(duration));
            match time {
                Some(time) => {
                    self.fragments.push(Indexed { time, start: place.start, bound: place.end });
                    self.last_duration = duration.map_or(0, i64::unsigned_abs);
                }
                None => left_out += 1,
            }
        }
        self.sort();
        left_out
    }

    /// Returns the fragments in the order of the file with these times, if the counts are equal and
    /// the fragments cannot be told apart by their own times: they declare none, or all the same
    /// one.
    pub(crate) fn with_times(
        &self,
        count: usize,
        times: impl Iterator<Item = Option<i64>>,
    ) -> Option<Vec<Indexed>> {
        if self.says_several || count != self.places.len() {
            return None;
        }
        let fragment = |(place, time): (&Range<u64>, Option<i64>)| {
            Some(Indexed { time: time?, start: place.start, bound: place.end })
        };
        self.places.iter().zip(times).map(fragment).collect()
    }

    /// Returns whether fragments declare different times.
    pub(crate) fn says_several(&self) -> bool {
        self.says_several
    }

    /// Returns whether the starts that the fragments declare follow one another as their durations say.
    #[cfg(feature = "package")]
    pub(crate) fn is_consistent(&self) -> bool {
        let count = self.places.len();
        let is_known = self.sums.len() == count && self.fragments.len() == count;
        let mut shifts = self
            .fragments
            .iter()
            .zip(&self.sums)
            .map(|(fragment, sum)| fragment.time.saturating_sub(*sum));
        let first = shifts.next().unwrap_or(0);
        self.says_several
            && is_known
            && !self.steps_back
            && shifts.all(|shift| shift.abs_diff(first) <= self.last_duration / 2)
    }

    /// Returns whether a fragment of the track begins here.
    pub(crate) fn has(&self, start: u64) -> bool {
        self.places.binary_search_by_key(&start, |place| place.start).is_ok()
    }

    /// Returns whether declared times must be wrong: fragments overlap by them; or times repeat
    /// although all durations together are as long as the times, so a repeated time is wrong and
    /// does not belong to a fragment that was stored twice.
    pub(crate) fn has_wrong_times(&self) -> bool {
        let end = self.latest.saturating_add_unsigned(self.last_duration);
        let is_as_long = |sum: i64| 2 * u128::from(end.abs_diff(sum)) <= self.last_duration.into();
        self.is_overlapping
            || self.fragments.len() < self.places.len() && self.sum.is_some_and(is_as_long)
    }

    /// Returns the fragments in the order of the file, with times by the sums of their durations;
    /// `None` if the declared times ascend, or if durations are unknown.
    pub(crate) fn take_by_order(&mut self) -> Option<Vec<Indexed>> {
        let sums = std::mem::take(&mut self.sums);
        let is_known = sums.len() == self.places.len();
        if !(self.steps_back || self.is_overlapping)
            || !is_known
            || !sums.is_sorted_by(|a, b| a < b)
        {
            return None;
        }
        let fragment = |(place, &time): (&Range<u64>, &i64)| Indexed {
            time,
            start: place.start,
            bound: place.end,
        };
        Some(self.places.iter().zip(&sums).map(fragment).collect())
    }

    /// Restores the high bits of a declared start that was cut to 32 bits: for a 32-bit box, the
    /// start nearest to the previous one; for others, only if the start then follows the previous
    /// fragment.
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
        // Encoders that take over from one another send fragments twice and out of order.
        self.fragments.sort_by_key(|fragment| fragment.time);
        self.is_overlapping |= self.find_overlaps();
        self.fragments.dedup_by_key(|fragment| fragment.time);
    }
}
