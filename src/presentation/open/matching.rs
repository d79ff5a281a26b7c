//! Which fragment each chunk of a manifest is.

use crate::base::Timescale;
use crate::index::Indexed;
use crate::presentation::Timeline;
use crate::presentation::timeline::tolerance;

/// Fragments with the number of their chunk, both ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Matched {
    pub(super) fragments: Vec<(usize, Indexed)>,
    /// Ticks of the stream that were added to each time of the file.
    pub(super) shift: i64,
    /// Fragments were matched by their number, because too few of their times are those of chunks.
    pub(super) is_by_number: bool,
    /// True if times in the file are in other units than its header says, or far from the
    /// manifest's, so that the start that a fragment declares is no evidence.
    pub(super) is_of_other_clock: bool,
}

/// Matches the fragments of a track, whose times are in ticks of `media`, with the chunks of its
/// stream, in order: times may differ by what rounding loses, and all of them by one amount.
///
/// A file that has lost its first fragments looks like one that is late, since most fragments are
/// equally long. So all times are moved only where that gives every chunk its fragment; or where
/// none has one otherwise, and then most of them do.
pub(super) fn match_chunks(
    timeline: &Timeline,
    stream: Timescale,
    fragments: &[Indexed],
    media: Timescale,
) -> Matched {
    let straight = shifted(timeline, stream, fragments, media, 0);
    let most = timeline.len().min(fragments.len());
    if straight.fragments.len() >= most {
        return straight;
    }
    let first = fragments.first().and_then(|fragment| media.rescale_signed(fragment.time, stream));
    let start = timeline.chunk(0).map(|(start, _)| start as i64);
    let Some(shift) = first.zip(start).map(|(time, start)| start.wrapping_sub(time)) else {
        return straight;
    };
    let moved = shifted(timeline, stream, fragments, media, shift);
    // The first always fits: it says nothing.
    let fits = moved.fragments.len();
    let all = fits == timeline.len() && fits > straight.fragments.len();
    if all || straight.fragments.is_empty() && 2 * fits > most { moved } else { straight }
}

/// Matches the fragments of a track with the chunks that a manifest announces: as [`match_chunks`],
/// or else by number. Producers that write one rounded duration for all chunks, or the time of the
/// first picture into an index of decoding times, lose more than a tolerance allows. So if there
/// are as many fragments as chunks, both ascend, and each time is nearest to that of its own
/// number, chunk `i` is fragment `i`. If most chunks would have no fragment otherwise, this also
/// holds for times that begin elsewhere or use another clock (milliseconds in a file of 90 kHz).
pub(super) fn match_announced(
    timeline: &Timeline,
    stream: Timescale,
    fragments: &[Indexed],
    media: Timescale,
) -> Matched {
    let matched = match_chunks(timeline, stream, fragments, media);
    let (count, found) = (fragments.len(), matched.fragments.len());
    if found == count || found == timeline.len() {
        return matched;
    }
    if count != timeline.len() {
        return match 2 * found < count.min(timeline.len()) {
            true => of_other_clock(timeline, stream, fragments).unwrap_or(matched),
            false => matched,
        };
    }
    let is_nearest =
        |line: Line, times: i128| is_nearest_by_number(timeline, line, fragments, times);
    let straight = Line { from: 0, to: 0, media: media.get().into(), stream: stream.get().into() };
    let by_number = |is_of_other_clock| {
        let fragments = fragments.iter().copied().enumerate().collect();
        Matched { fragments, shift: 0, is_by_number: true, is_of_other_clock }
    };
    if !timeline.steps_back() && is_nearest(straight, 1) || is_enclosed(&matched, fragments) {
        return by_number(false);
    }
    let through_ends = Line::through_ends(timeline, fragments);
    let is_scaled = 2 * found < count && !timeline.steps_back();
    match is_scaled && through_ends.is_some_and(|line| is_nearest(line, 4)) {
        true => by_number(true),
        false => matched,
    }
}

/// Tries the units that times of a file may be in, whatever its header says: the manifest's, Smooth
/// Streaming's own, and milliseconds. A unit is taken if every chunk or every fragment fits, and
/// more than one does.
fn of_other_clock(
    timeline: &Timeline,
    stream: Timescale,
    fragments: &[Indexed],
) -> Option<Matched> {
    let most = timeline.len().min(fragments.len());
    let clocks = [Some(stream), Some(Timescale::SMOOTH), Timescale::new(1000)];
    let matched = clocks.into_iter().flatten().map(|clock| {
        let matched = shifted(timeline, stream, fragments, clock, 0);
        Matched { is_by_number: true, is_of_other_clock: true, ..matched }
    });
    matched.into_iter().find(|matched| most > 1 && matched.fragments.len() == most)
}

/// Returns whether a few chunks have no fragment of their time, but each of them is between two
/// that have the fragment of their own number: one time was mistyped, or one entry of the index is
/// off.
fn is_enclosed(matched: &Matched, fragments: &[Indexed]) -> bool {
    let count = fragments.len();
    let pairs = &matched.fragments;
    let is_own = |(chunk, fragment): &(usize, Indexed)| {
        fragments.get(*chunk).is_some_and(|own| own.start == fragment.start)
    };
    let is_whole = |ends: &[(usize, Indexed)]| ends[1].0 - ends[0].0 <= 2;
    2 * pairs.len() > count
        && matched.shift == 0
        && pairs.first().is_some_and(|first| first.0 == 0)
        && pairs.last().is_some_and(|last| last.0 + 1 == count)
        && pairs.iter().all(is_own)
        && pairs.windows(2).all(is_whole)
}

/// A conversion of times of a file into those of a manifest: `from` becomes `to`, and `media` units
/// of the file are `stream` units of the manifest.
#[derive(Clone, Copy)]
struct Line {
    from: i128,
    to: i128,
    media: i128,
    stream: i128,
}

impl Line {
    /// Maps the first fragment to the first chunk, and the last one to the last.
    fn through_ends(timeline: &Timeline, fragments: &[Indexed]) -> Option<Self> {
        let (first, last) = (fragments.first()?, fragments.last()?);
        let start = |chunk| timeline.chunk(chunk).map(|(start, _)| i128::from(start as i64));
        let (to, end) = (start(0)?, start(timeline.len().checked_sub(1)?)?);
        let (from, media) = (first.time.into(), i128::from(last.time) - i128::from(first.time));
        let line = Self { from, to, media, stream: end - to };
        (media > 0 && end > to).then_some(line)
    }

    /// Converts a time. Each factor is below 2^65, so their product may overflow only if the times
    /// of the file are longer than the manifest's, and those fit nothing.
    fn time(&self, time: i64) -> Option<i128> {
        let from = i128::from(time) - self.from;
        from.checked_mul(self.stream)?.checked_div(self.media)?.checked_add(self.to)
    }
}

/// Returns whether each fragment starts nearer to the chunk of its own number than to the chunks
/// beside it, by the factor `times`. The last one has only one beside it, so it must start before its
/// chunk ends: otherwise one that was lost in the middle would make it that of another time.
fn is_nearest_by_number(
    timeline: &Timeline,
    line: Line,
    fragments: &[Indexed],
    times: i128,
) -> bool {
    let start = |chunk: &(u64, u64)| i128::from(chunk.0 as i64);
    let (mut before, mut last) = (None, None);
    let mut chunks = timeline.iter().peekable();
    fragments.iter().all(|fragment| {
        let (Some(time), Some(own)) = (line.time(fragment.time), chunks.next()) else {
            return false;
        };
        let (duration, own, after) = (own.1, start(&own), chunks.peek().map(start));
        let longest = before.map_or(0, |before| own - before).max(duration.into());
        let is_inside = after.is_some() || longest == 0 || time < own + longest;
        let distance = (time - own).abs();
        let beside = [before, after].into_iter().flatten();
        let is_nearest = beside.into_iter().all(|start| times * distance < (time - start).abs());
        let ascends = last.is_none_or(|last| last < time);
        (before, last) = (Some(own), Some(time));
        is_nearest && is_inside && ascends
    })
}

/// Ascents of a stream's times that may be looked through for fragments that are not of the one at
/// hand, beside two per fragment: times that step back again and again cost no more than others.
const SEARCHES: usize = 1 << 12;

fn shifted(
    timeline: &Timeline,
    stream: Timescale,
    fragments: &[Indexed],
    media: Timescale,
    shift: i64,
) -> Matched {
    let tolerance = tolerance(stream, media);
    let mut searches = SEARCHES + 2 * fragments.len();
    let mut near = |from, time| timeline.near(from, time, tolerance, &mut searches);
    let mut matched: Vec<(usize, Indexed)> = Vec::with_capacity(fragments.len());
    for fragment in fragments {
        let time = media.rescale_signed(fragment.time, stream).map(|time| time.wrapping_add(shift));
        // A start before 0 is two's complement in manifests as well.
        let Some(time) = time.map(|time| time as u64) else { continue };
        let next = matched.last().map_or(0, |(last, _)| last + 1);
        let is_next = timeline.chunk(next).is_some_and(|(start, _)| start == time);
        let chunk = match is_next {
            true => Some(next),
            // Or it is 0 there, as in ffmpeg's own indexes.
            false if fragment.time < 0 && shift == 0 => near(next, time).or_else(|| near(next, 0)),
            false => near(next, time),
        };
        matched.extend(chunk.map(|chunk| (chunk, *fragment)));
    }
    Matched { fragments: matched, shift, is_by_number: false, is_of_other_clock: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::manifest::Chunk;

    const SMOOTH: Timescale = Timescale::SMOOTH;

    fn timeline(starts: &[u64]) -> Timeline {
        let chunk = |&time: &u64| Chunk { time: Some(time), ..Chunk::default() };
        Timeline::new(&starts.iter().map(chunk).collect::<Vec<_>>(), &Limits::default()).unwrap()
    }

    fn fragments(times: &[i64]) -> Vec<Indexed> {
        let fragment = |(i, &time): (usize, &i64)| {
            let start = 100 * i as u64;
            Indexed { time, start, bound: start + 100 }
        };
        times.iter().enumerate().map(fragment).collect()
    }

    fn run(starts: &[u64], times: &[i64], media: Timescale) -> (Vec<(usize, u64)>, i64) {
        let matched = match_chunks(&timeline(starts), SMOOTH, &fragments(times), media);
        let pairs = matched.fragments.iter().map(|(chunk, f)| (*chunk, f.start / 100)).collect();
        (pairs, matched.shift)
    }

    #[test]
    fn times_match_within_what_rounding_loses() {
        let (pairs, shift) =
            run(&[0, 20_000_003, 40_000_000], &[0, 20_000_000, 40_000_004], SMOOTH);
        assert_eq!((pairs, shift), (vec![(0, 0), (1, 1)], 0));
        let (pairs, _) = run(
            &[0, 21_333_333, 42_666_667],
            &[0, 102_400, 204_800],
            Timescale::new(48_000).unwrap(),
        );
        assert_eq!(pairs, [(0, 0), (1, 1), (2, 2)]);
    }

    #[test]
    fn a_track_that_is_late_by_one_amount_matches_as_a_whole() {
        let (pairs, shift) = run(&[0, 20_000_000], &[-213_333, 19_786_667], SMOOTH);
        assert_eq!((pairs, shift), (vec![(0, 0), (1, 1)], 213_333));
        let (pairs, shift) = run(&[5_000_000, 25_000_000], &[0, 20_000_000], SMOOTH);
        assert_eq!((pairs, shift), (vec![(0, 0), (1, 1)], 5_000_000));
        let huge = 0_u64.wrapping_sub(213_333);
        let (pairs, shift) = run(&[huge], &[-213_333], SMOOTH);
        assert_eq!((pairs, shift), (vec![(0, 0)], 0));
    }

    #[test]
    fn missing_chunks_and_missing_fragments_do_not_move_the_others() {
        let (pairs, shift) = run(
            &[0, 20, 40, 60].map(|t| t * 1_000_000),
            &[20_000_000, 60_000_000, 80_000_000],
            SMOOTH,
        );
        assert_eq!((pairs, shift), (vec![(1, 0), (3, 1)], 0));
        assert_eq!(run(&[], &[0], SMOOTH).0, []);
        assert_eq!(run(&[0], &[], SMOOTH).0, []);
    }

    fn by_number(starts: &[u64], times: &[i64]) -> (Vec<(usize, u64)>, bool) {
        let matched = match_announced(&timeline(starts), SMOOTH, &fragments(times), SMOOTH);
        let pairs = matched.fragments.iter().map(|(chunk, f)| (*chunk, f.start / 100)).collect();
        (pairs, matched.is_by_number)
    }

    #[test]
    fn as_many_chunks_as_fragments_that_drift_match_by_number() {
        let drifting = by_number(&[0, 1000, 2000, 3000], &[0, 1010, 2020, 3030]);
        assert_eq!(drifting, (vec![(0, 0), (1, 1), (2, 2), (3, 3)], true));
        let late = by_number(&[0, 1000, 2000], &[80, 1000, 2000]);
        assert_eq!(late, (vec![(0, 0), (1, 1), (2, 2)], true));
        let exact = by_number(&[0, 1000, 2000], &[0, 1000, 2000]);
        assert_eq!(exact, (vec![(0, 0), (1, 1), (2, 2)], false));
    }

    #[test]
    fn times_of_another_clock_or_of_another_beginning_match_by_number_where_counts_are_equal() {
        let starts = [0, 1001, 2002, 3003, 4004];
        let all: Vec<_> = (0..5).map(|i| (i, i as u64)).collect();
        for times in [
            [0, 1, 2, 3, 4],
            [0, 90, 180, 270, 360],
            [7_000_000, 7_001_040, 7_002_080, 7_003_120, 7_004_160],
            [5, 900_000, 1_800_000, 2_700_000, 3_600_000],
        ] {
            let matched = match_announced(&timeline(&starts), SMOOTH, &fragments(&times), SMOOTH);
            let pairs: Vec<_> =
                matched.fragments.iter().map(|(c, f)| (*c, f.start / 100)).collect();
            assert_eq!((pairs, matched.is_of_other_clock), (all.clone(), true), "{times:?}");
        }
        let uneven = [0, 90, 180, 270, 900];
        let matched = match_announced(&timeline(&starts), SMOOTH, &fragments(&uneven), SMOOTH);
        assert_eq!(
            matched.fragments.len(),
            1,
            "the times are not those of the chunks by any clock"
        );
        let extreme = [i64::MIN, -1, 0, 1, i64::MAX];
        assert!(
            !match_announced(&timeline(&starts), SMOOTH, &fragments(&extreme), SMOOTH).is_by_number
        );
    }

    #[test]
    fn milliseconds_match_where_the_file_has_more_fragments_than_the_manifest_chunks() {
        let starts = [20_000_000, 40_000_000, 60_000_000];
        let times = [0, 2000, 4000, 6000, 8000];
        let matched = match_announced(&timeline(&starts), SMOOTH, &fragments(&times), SMOOTH);
        let pairs: Vec<_> = matched.fragments.iter().map(|(c, f)| (*c, f.start / 100)).collect();
        assert_eq!((pairs, matched.is_of_other_clock), (vec![(0, 1), (1, 2), (2, 3)], true));
    }

    #[test]
    fn a_chunk_between_two_that_have_their_own_fragment_has_the_one_between_these() {
        let mistyped = by_number(&[0, 1000, 200, 3000], &[0, 1000, 2000, 3000]);
        assert_eq!(mistyped, (vec![(0, 0), (1, 1), (2, 2), (3, 3)], true));
        let at_the_end = by_number(&[0, 1000, 2000, 3000], &[0, 1000, 2000, 3900]);
        assert_eq!(at_the_end, (vec![(0, 0), (1, 1), (2, 2), (3, 3)], true), "still the nearest");
        let of_the_next = by_number(&[0, 1000, 2000, 3000], &[0, 1000, 2000, 4000]);
        assert_eq!(of_the_next, (vec![(0, 0), (1, 1), (2, 2)], false), "it may be that of 4000");
        let two_in_a_row = by_number(&[0, 1000, 200, 300, 4000], &[0, 1000, 2000, 3000, 4000]);
        assert_eq!(two_in_a_row, (vec![(0, 0), (1, 1), (4, 4)], false));
    }

    #[test]
    fn the_tolerance_stays_where_counts_differ_or_a_time_is_nearer_to_another_number() {
        let unequal = by_number(&[0, 1000, 2000, 3000], &[0, 1010, 2020]);
        assert_eq!(unequal, (vec![(0, 0)], false));
        let nearer = by_number(&[0, 1000, 2000, 3000], &[0, 1010, 2600, 3030]);
        assert_eq!(nearer, (vec![(0, 0)], false));
        let between_two = by_number(&[0, 1000, 2000, 3000], &[0, 1500, 2500, 3000]);
        assert!(!between_two.1);
        let disordered = by_number(&[0, 1000, 2000], &[0, 2000, 1010]);
        assert!(!disordered.1);
    }
}
