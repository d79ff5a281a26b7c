//! Finding chunks by times that a player rounded to doubles.

use super::Timeline;

impl Timeline {
    /// Returns the number of the chunk whose start is the same double as `time`, which is how a
    /// player written in JavaScript requests chunks above 2^53. `None` if the starts of several
    /// chunks are that double, and for times below 2^53. If no start is that double, the chunk is
    /// taken for which such a player adds up durations to it: each addition is off by less than the
    /// distance to the next double.
    ///
    /// Such a player writes the shortest decimal number that stands for its double. Shaka Player
    /// 4.16.50 and RxPlayer 4.5.0 do so for all times, dash.js 5.2.1 for those of `tfrf`.
    ///
    /// ```
    /// # use smooth_origin::base::Limits;
    /// # use smooth_origin::manifest::{ClientManifest};
    /// # use smooth_origin::presentation::Timeline;
    /// # let text = br#"<SmoothStreamingMedia><StreamIndex Type="video"><c t="17959968061234567" d="20000000" r="2"/></StreamIndex></SmoothStreamingMedia>"#;
    /// # let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
    /// let timeline = Timeline::new(&manifest.streams[0].chunks, &Limits::default()).unwrap();
    /// assert_eq!(timeline.iter().next(), Some((17_959_968_061_234_567, 20_000_000)));
    /// assert_eq!(timeline.locate(17_959_968_061_234_568), None);
    /// assert_eq!(timeline.locate_double(17_959_968_061_234_568), Some(0));
    /// ```
    #[cold]
    pub fn locate_double(&self, time: u64) -> Option<usize> {
        let last = last_of_double(time)?;
        let is_it = |start: u64| start as f64 == time as f64;
        let mut found: Option<(usize, u64)> = None;
        for ascent in &self.ascents {
            let at = self.at_or_before(ascent, last).filter(|&(_, start)| is_it(start));
            let Some((number, start)) = at else { continue };
            let first = self.blocks[ascent.start].first();
            let before = number.checked_sub(1).filter(|&before| before >= first);
            let before = before.and_then(|before| self.chunk(before));
            // Of two chunks that start at one time the first is found, as by `locate`.
            if before.is_some_and(|(start, _)| is_it(start))
                || found.is_some_and(|(_, other)| other != start)
            {
                return None;
            }
            found = found.or(Some((number, start)));
        }
        found.map(|(number, _)| number).or_else(|| self.locate_sum(time))
    }

    /// Returns the number of the chunk whose start, added up in doubles, is `time`. For a chunk
    /// whose `c` has no `t`, players compute the start as the sum of the `d` before it, and each
    /// addition is rounded. With sound in fragments of 94 AAC frames, two of three such sums differ
    /// from the double of the start.
    fn locate_sum(&self, time: u64) -> Option<usize> {
        let double = time as f64;
        // `time` must be written as by a player. A timeline that steps back is not added up.
        if self.ascents.len() != 1 || double.to_string() != time.to_string() {
            return None;
        }
        // The written digits only have to be near enough.
        let time = double as u64;
        // Each rounding, including that of the first start, is off by half a step at most.
        let half_a_step = (double.next_up() - double) as u64 / 2;
        let most = |number: usize| half_a_step.saturating_mul(number as u64 + 1);
        let is_it = |number: &usize| {
            // The first start is no sum.
            let start = self.chunk(*number).filter(|_| *number > 0).map(|chunk| chunk.0);
            start.is_some_and(|start| start.abs_diff(time) <= most(*number))
        };
        let number = self.near(0, time, most(self.len), &mut 0).filter(is_it)?;
        let is_clear = |other: Option<usize>| !other.is_some_and(|other| is_it(&other));
        (is_clear(number.checked_sub(1)) && is_clear(number.checked_add(1))).then_some(number)
    }
}

/// Returns the last time that is the same double as this one; `None` if each time has a double of
/// its own.
fn last_of_double(time: u64) -> Option<u64> {
    const FIRST_THAT_IS_SHARED: u64 = 1 << f64::MANTISSA_DIGITS;
    if time < FIRST_THAT_IS_SHARED {
        return None;
    }
    let double = time as f64;
    // Both are whole numbers of at most 65 bits.
    let middle = (double as u128).midpoint(double.next_up() as u128);
    // The middle is rounded to one of its neighbours.
    let last = if middle as f64 == double { middle } else { middle - 1 };
    Some(u64::try_from(last).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::tests::timeline;
    use super::*;

    /// A model that compares every start.
    fn model(timeline: &Timeline, time: u64) -> Option<usize> {
        let starts: Vec<u64> = timeline.iter().map(|chunk| chunk.0).collect();
        let alike = |start: u64| start as f64 == time as f64 && time >= 1 << 53;
        let mut found: Vec<u64> = starts.iter().copied().filter(|&start| alike(start)).collect();
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [only] => starts.iter().position(|&start| start == only),
            _ => None,
        }
    }

    #[test]
    fn the_last_time_of_a_double_is_the_last() {
        assert_eq!(last_of_double((1 << 53) - 1), None);
        for bit in 53..64 {
            let power = 1_u64 << bit;
            for time in (power - 3000..power.saturating_add(3000)).step_by(7) {
                let Some(last) = last_of_double(time) else { continue };
                assert!(last >= time && last as f64 == time as f64, "{time}");
                let next = last.checked_add(1);
                assert!(next.is_none_or(|next| next as f64 > time as f64), "{time}");
            }
        }
        assert_eq!(last_of_double(u64::MAX - 1024), Some(u64::MAX - 1024));
        assert_eq!(last_of_double(u64::MAX - 1023), Some(u64::MAX));
    }

    proptest::proptest! {
        #[test]
        fn the_chunk_of_a_double_is_found_as_by_a_look_at_every_start(
            base in 53_u32..64,
            runs in proptest::collection::vec((0_u64..6000, 0_u64..9, 1_u64..40), 1..8),
            steps in proptest::collection::vec(0_u64..6000, 1..40),
        ) {
            let base = (1_u64 << base) - 3000;
            let runs: Vec<_> = runs.iter().map(|run| (base + run.0, run.1 * run.1 * run.1, run.2)).collect();
            let timeline = timeline(&runs).unwrap();
            let starts = timeline.iter().map(|chunk| chunk.0);
            let asked = starts.flat_map(|start| [start, start - 1, start + 1, start as f64 as u64]);
            for time in asked.chain(steps.iter().map(|step| base + step)) {
                let (found, expected) = (timeline.locate_double(time), model(&timeline, time));
                if expected.is_some() || time < 1 << 53 {
                    assert_eq!(found, expected, "{time} in {runs:?}");
                } else if let Some((number, start)) =
                    found.and_then(|number| Some((number, timeline.chunk(number)?.0)))
                {
                    let step = (time as f64).next_up() - time as f64;
                    let most = step as u64 / 2 * (number as u64 + 1);
                    assert!(start.abs_diff(time as f64 as u64) <= most, "{time} in {runs:?} gives {start}");
                    assert!(timeline.iter().all(|other| other.0 as f64 != time as f64));
                }
            }
        }
    }

    #[test]
    fn starts_that_are_added_up_in_doubles_are_found() {
        let aac = |i: u64| i * 94 * 1024 * 10_000_000 / 48_000;
        let durations: [fn(u64) -> u64; 4] =
            [|i| 20_053_333 + i % 3 / 2, |_| 20_000_001, |_| 21_333_333, |i| 9_999_999 + i % 7];
        for first in [15_966_717_588_930_000_u64, 17_959_968_061_234_567, (1 << 54) + 1] {
            for duration in durations {
                let (mut start, mut sum, mut runs, mut sums) =
                    (first, first as f64, vec![], vec![]);
                for i in 0..5400 {
                    runs.push((start, duration(i), 1));
                    sums.push(sum);
                    start += duration(i);
                    sum += duration(i) as f64;
                }
                let timeline = timeline(&runs).unwrap();
                for (number, sum) in sums.iter().enumerate() {
                    // As JavaScript writes it.
                    let time = sum.to_string().parse().unwrap();
                    assert_eq!(timeline.locate_double(time), Some(number), "{first}");
                }
            }
        }
        // The first start is rounded once, the second twice; times that no player writes find
        // nothing.
        let chunks = [(17_959_968_061_234_567, 20_053_333, 1), (17_959_968_081_287_900, aac(1), 1)];
        let timeline = timeline(&chunks).unwrap();
        for (time, expected) in [
            (17_959_968_061_234_566, None),
            (17_959_968_061_234_570, None),
            (17_959_968_081_287_898, Some(1)),
            (17_959_968_081_287_902, Some(1)),
            (17_959_968_081_287_896, None),
            (17_959_968_081_287_904, None),
        ] {
            assert_eq!(timeline.locate_double(time), expected, "{time}");
        }
    }
}
