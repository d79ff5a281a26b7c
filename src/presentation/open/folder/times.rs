//! Correcting the times of a manifest's chunks by the names of the files.
//!
//! At the end of a recording that has lost no file, ffmpeg writes a manifest of durations alone,
//! even for a stream that it has moved and that does not begin at 0. Each chunk is then announced
//! at a time for which there is no file.

use crate::base::{Limits, Timescale};
use crate::manifest::{Chunk, runs};
use crate::presentation::Timeline;
use crate::presentation::timeline::tolerance;

/// Returns the chunks with the times of their files, if the files show that the manifest's times
/// are wrong. `files` are the times of the stream's files, ascending and without repetitions.
pub(super) fn mended(
    chunks: &[Chunk],
    timescale: Timescale,
    files: &[u64],
    limits: &Limits,
) -> Option<Vec<Chunk>> {
    let timeline = Timeline::new(chunks, limits).ok()?;
    let len = timeline.len();
    // More than half of the chunks must have a file. This also bounds the chunks that are written
    // out below.
    if len == 0 || len >= 2 * files.len() || timeline.steps_back() {
        return None;
    }
    let is_told = chunks.iter().any(|chunk| chunk.time.is_some());
    let straight = files.iter().filter(|&&time| timeline.locate(time).is_some()).count();
    // Single times may be rounded; all of them are moved only if few have a file.
    let is_moved = !is_told || 2 * straight <= len;
    let tolerance = tolerance(timescale, timescale);
    let (first, last) = (timeline.chunk(0)?.0, timeline.chunk(len - 1)?.0);
    // If no chunk has a time, the number that players count from 0 is the number of the file.
    let number = chunks.first().and_then(|chunk| chunk.number).filter(|_| !is_told);
    let numbered = number.and_then(|number| files.get(usize::try_from(number).ok()?));
    let numbered = numbered.map(|time| time.wrapping_sub(first));
    let by_end = files.last().map(|time| time.wrapping_sub(last));
    let by_start = files.first().map(|time| time.wrapping_sub(first));
    let mut best: Option<(usize, u64)> = None;
    let moves = [numbered, Some(0), by_end, by_start].into_iter().flatten();
    for shift in moves.filter(|shift| is_moved || *shift == 0) {
        let count = fitting(&timeline, files, shift, tolerance).flatten().count();
        if best.is_none_or(|(most, _)| count > most) {
            best = Some((count, shift));
        }
    }
    let (count, shift) = best.filter(|(count, _)| 2 * count > len)?;
    if count <= straight && (shift == 0 || numbered != Some(shift)) {
        return None;
    }
    let times: Vec<u64> = fitting(&timeline, files, shift, tolerance)
        .zip(timeline.iter())
        .map(|(file, (start, _))| file.unwrap_or(start.wrapping_add(shift)))
        .collect();
    let mut times = times.into_iter();
    let mut mended = Vec::with_capacity(len);
    for (chunk, run) in chunks.iter().zip(runs(chunks)) {
        let run = run.ok()?;
        for number in 0..run.count.get() {
            let (time, duration) = (Some(times.next()?), Some(run.duration));
            mended.push(match number {
                0 => Chunk { time, duration, repeat: None, ..chunk.clone() },
                _ => Chunk { time, duration, ..Chunk::default() },
            });
        }
    }
    Some(mended)
}

/// Returns the time of each chunk's file, if all times of the manifest are moved by `shift`.
fn fitting(
    timeline: &Timeline,
    files: &[u64],
    shift: u64,
    tolerance: u64,
) -> impl Iterator<Item = Option<u64>> {
    let mut files = files.iter().copied().peekable();
    timeline.iter().map(move |(start, _)| {
        let time = start.wrapping_add(shift);
        while files.next_if(|&file| file.saturating_add(tolerance) < time).is_some() {}
        files.next_if(|&file| file.abs_diff(time) <= tolerance)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunks of these numbers, starts and durations.
    fn chunks(list: &[(Option<u32>, Option<u64>, u64)]) -> Vec<Chunk> {
        let chunk = |&(number, time, duration)| Chunk {
            number,
            time,
            duration: Some(duration),
            ..Chunk::default()
        };
        list.iter().map(chunk).collect()
    }

    fn times(chunks: &[Chunk], files: &[u64]) -> Option<Vec<u64>> {
        let mended = mended(chunks, Timescale::SMOOTH, files, &Limits::default())?;
        assert!(mended.iter().zip(chunks).all(|(new, old)| new.duration == old.duration));
        Some(mended.iter().map(|chunk| chunk.time.unwrap()).collect())
    }

    #[test]
    fn durations_alone_are_placed_where_the_files_are() {
        let by_n = |from: u32, durations: &[u64]| {
            let list = durations.iter().zip(from..).map(|(&d, n)| (Some(n), None, d));
            chunks(&list.collect::<Vec<_>>())
        };
        assert_eq!(times(&by_n(0, &[600, 200]), &[8, 608]), Some(vec![8, 608]));
        // The last three of four.
        assert_eq!(
            times(&by_n(1, &[500, 500, 100]), &[8, 508, 1008, 1508]),
            Some(vec![508, 1008, 1508])
        );
        assert_eq!(times(&by_n(1, &[500, 500]), &[0, 500, 1000]), Some(vec![500, 1000]));
        // One file is missing.
        assert_eq!(times(&by_n(0, &[500, 300, 400]), &[8, 808]), Some(vec![8, 508, 808]));
        assert_eq!(times(&by_n(0, &[500, 500]), &[0, 500]), None, "nothing to mend");
        assert_eq!(times(&by_n(0, &[500, 500, 500]), &[7, 99]), None, "no place fits");
        assert_eq!(times(&by_n(0, &[500]), &[]), None);
    }

    #[test]
    fn times_that_no_file_has_are_moved_and_others_are_believed() {
        let told = |list: &[(u64, u64)]| {
            chunks(&list.iter().map(|&(t, d)| (None, Some(t), d)).collect::<Vec<_>>())
        };
        let film = told(&[(0, 500), (500, 300), (800, 500)]);
        assert_eq!(times(&film, &[90, 590, 890]), Some(vec![90, 590, 890]));
        // Written in milliseconds, or rounded.
        assert_eq!(times(&film, &[91, 590, 892]), Some(vec![91, 590, 892]));
        assert_eq!(times(&film, &[1, 500, 797]), Some(vec![1, 500, 797]));
        assert_eq!(times(&film, &[0, 500, 802]), Some(vec![0, 500, 802]));
        assert_eq!(times(&film, &[0, 500, 804]), None);
        assert_eq!(times(&film, &[0, 500, 800, 1300]), None);
        assert_eq!(times(&film, &[0, 500]), None, "the last is only missing");
        let window = told(&[(500, 300), (800, 500)]);
        assert_eq!(times(&window, &[0, 500, 800, 1300]), None);
    }

    #[test]
    fn runs_are_written_out_only_where_there_are_files() {
        use std::num::NonZeroU64;
        let run = |count| {
            vec![Chunk { duration: Some(5), repeat: NonZeroU64::new(count), ..Chunk::default() }]
        };
        assert_eq!(
            mended(&run(3), Timescale::SMOOTH, &[7, 12, 17], &Limits::default())
                .map(|chunks| chunks.len()),
            Some(3)
        );
        assert!(mended(&run(1 << 20), Timescale::SMOOTH, &[7, 12], &Limits::default()).is_none());
    }
}
