//! The chunks of a stream, planned for each stretch without a gap.

use std::ops::Range;
use std::sync::Arc;

use super::options::PackageOptions;
use super::source::Source;
use crate::base::{Error, ErrorKind};
use crate::index::chunk_plan::{ChunkPlan, PlanTrack};

/// The chunks of a stream, and for each of its tracks what it has in them.
pub(super) struct Plan {
    /// Start and end of each chunk.
    pub(super) chunks: Arc<[Range<u64>]>,
    /// Index of the first sample of each chunk, and the end of the last one.
    pub(super) cuts: Vec<Vec<u32>>,
    /// The shift of each stretch, and its first chunk.
    pub(super) shifts: Vec<Vec<(usize, i64)>>,
}

/// Plans the chunks of these tracks, along the times of another stream if there are any.
pub(super) fn plan(
    group: &[Source],
    guide: &[u64],
    options: &PackageOptions,
) -> Result<Plan, Error> {
    let points = |source: &Source| source.points().map_err(|error| error.in_file(source.file));
    let points = group.iter().map(points).collect::<Result<Vec<_>, _>>()?;
    check_gaps(group)?;
    let mut chunks: Vec<Range<u64>> = Vec::new();
    let mut cuts = vec![Vec::new(); group.len()];
    let mut shifts = vec![Vec::new(); group.len()];
    for stretch in 0..group[0].stretches.len() {
        let tracks = group.iter().zip(&points).map(|(source, points)| PlanTrack {
            file: &source.name,
            track_id: source.track.track_id,
            clock: source.track.clock,
            points: &points[stretch],
        });
        let tracks: Vec<_> = tracks.collect();
        let plan =
            ChunkPlan::new(&tracks, guide, options.wanted()).map_err(|error| match group {
                [source] => error.in_file(source.file),
                _ => error,
            })?;
        for (number, source) in group.iter().enumerate() {
            shifts[number].push((chunks.len(), source.stretches[stretch].shift));
            let cuts: &mut Vec<u32> = &mut cuts[number];
            // The end of a stretch is the beginning of the next one.
            cuts.pop();
            cuts.extend(&plan.tracks[number]);
        }
        if let (Some(last), Some(&start)) = (chunks.last_mut(), plan.times.first()) {
            // One of several qualities may have lasted longer.
            last.end = last.end.min(start);
            if last.start >= start {
                let what =
                    format!("a stretch of media starts at {start}, before the end of another");
                return Err(ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.2.6" }.into());
            }
        }
        chunks.extend(plan.times.windows(2).map(|times| times[0]..times[1]));
    }
    Ok(Plan { chunks: chunks.into(), cuts, shifts })
}

/// Checks that all tracks have gaps, or none has. Where they are is compared by the plan.
fn check_gaps(group: &[Source]) -> Result<(), Error> {
    let gaps = |source: &Source| source.stretches.len() - 1;
    let Some((first, others)) = group.split_first() else { return Ok(()) };
    let Some(other) = others.iter().find(|other| gaps(other) != gaps(first)) else { return Ok(()) };
    let (more, fewer) = if gaps(first) > gaps(other) { (first, other) } else { (other, first) };
    let what = format!(
        "track {} of {} has {} gaps in time, and track {} of {} has {}: the qualities cannot be cut \
         into the same chunks; record them again, or leave one of them out",
        more.track.track_id,
        more.name,
        gaps(more),
        fewer.track.track_id,
        fewer.name,
        gaps(fewer)
    );
    Err(ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.2.6" }.into())
}
