//! The plan of one stream.

use super::PlanTrack;
use super::aligned::Aligned;
use crate::base::{Error, ErrorKind, Timescale};

/// The chunks of a stream, and the samples of each of its tracks that are in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkPlan {
    /// Start of each chunk, in ticks of [`Wanted::timescale`], and the end of the last one.
    pub times: Vec<u64>,
    /// For each track: index of the first sample of each chunk, from 0, and the number of samples
    /// of the track. Samples before the first chunk are left out.
    pub tracks: Vec<Vec<u32>>,
}

/// Durations that a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Ticks per second of all times of the plan.
    pub timescale: Timescale,
    /// Duration of a chunk, in these ticks.
    pub duration: u64,
    /// Duration beyond which a chunk of several tracks is refused if each of them could be cut, but
    /// not at the same time.
    pub longest: u64,
}

impl Wanted {
    /// Chunks of two seconds, of eight at most, in units of 100 ns.
    pub const SMOOTH: Self =
        Self { timescale: Timescale::SMOOTH, duration: 20_000_000, longest: 80_000_000 };
}

impl ChunkPlan {
    /// Plans the chunks of these tracks. If `guide` is not empty, chunks begin as near as possible to
    /// its times, which are those of the plan of another stream.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if a track has no samples with which a chunk can begin, or if the
    /// tracks have no common ones; it names the file, the track and the sample.
    pub fn new(tracks: &[PlanTrack<'_>], guide: &[u64], wanted: Wanted) -> Result<Self, Error> {
        let aligned = tracks.iter().map(|track| Aligned::new(track, wanted.timescale));
        let tracks = aligned.collect::<Result<Vec<_>, _>>()?;
        let mut planning = Planning { tracks, guide, wanted, times: Vec::new(), cuts: Vec::new() };
        planning.start()?;
        while planning.cut()? {}
        Ok(planning.finish())
    }

    /// Number of chunks.
    pub fn len(&self) -> usize {
        self.times.len().saturating_sub(1)
    }
}

struct Planning<'a> {
    tracks: Vec<Aligned<'a>>,
    guide: &'a [u64],
    wanted: Wanted,
    times: Vec<u64>,
    cuts: Vec<Vec<u32>>,
}

impl Planning<'_> {
    fn start(&mut self) -> Result<(), Error> {
        let Some(lead) = self.tracks.first() else {
            let (what, clause) = ("track to plan", "[MS-SSTR] 2.2.2.3");
            return Err(ErrorKind::Missing { what, clause }.into());
        };
        // The first point is there; what it shows before 0 starts at 0.
        let starts = |track: &Aligned<'_>| track.time(track.at).unwrap_or(0).max(0);
        let start = starts(lead);
        for other in &self.tracks[1..] {
            let tolerance = lead.tolerance().max(other.tolerance());
            if starts(other).abs_diff(start) > tolerance {
                let what = format!(
                    "track {} of {} starts at {start} and track {} of {} at {}",
                    lead.track.track_id,
                    lead.track.file,
                    other.track.track_id,
                    other.track.file,
                    starts(other)
                );
                return Err(ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.2.6" }.into());
            }
        }
        self.times.push(start.unsigned_abs());
        self.cuts = self.tracks.iter().map(|track| vec![track.sample(track.at)]).collect();
        Ok(())
    }

    /// Returns the time at which the next chunk should begin.
    fn ideal(&mut self, start: i64) -> i64 {
        let duration = i64::try_from(self.wanted.duration.max(1)).unwrap_or(i64::MAX);
        let soon = start.saturating_add(duration / 4).unsigned_abs();
        while self.guide.first().is_some_and(|&time| time <= soon) {
            self.guide = &self.guide[1..];
        }
        // The last time of a guide is its end.
        match self.guide {
            [next, _, ..] => i64::try_from(*next).unwrap_or(i64::MAX),
            _ => start.saturating_add(duration),
        }
    }

    /// Begins another chunk; false if the last one goes on to the end.
    fn cut(&mut self) -> Result<bool, Error> {
        let start = self.times.last().map_or(0, |&start| start as i64);
        let ideal = self.ideal(start);
        let lead = &self.tracks[0];
        let longest = i64::try_from(self.wanted.longest).unwrap_or(i64::MAX);
        let latest = ideal.max(start.saturating_add(longest));
        let is_point = |index: usize| {
            let time = lead.time(index).filter(|&time| time > start && time < lead.end);
            time.filter(|_| index > lead.at)
        };
        // The nearest common point, outwards from the ideal one.
        let mut later = lead.first_from(ideal);
        let mut earlier = later.checked_sub(1);
        let mut lonely = None;
        loop {
            let before = earlier.and_then(|index| Some((index, is_point(index)?)));
            let behind = is_point(later).map(|time| (later, time));
            let behind =
                behind.filter(|(_, time)| *time <= latest || before.is_none() && lonely.is_none());
            let (index, time) = match (before, behind) {
                (Some(before), Some(behind))
                    if before.1.abs_diff(ideal) <= behind.1.abs_diff(ideal) =>
                {
                    before
                }
                (_, Some(behind)) => behind,
                (Some(before), None) => before,
                (None, None) => break,
            };
            let ends_nearer = lead.end.abs_diff(ideal) <= time.abs_diff(ideal);
            if ends_nearer && lead.end <= latest {
                return Ok(false);
            }
            match self.matching(time) {
                Ok(others) => {
                    self.take(index, time, &others);
                    return Ok(true);
                }
                Err(other) => {
                    let first = lonely.get_or_insert((index, other));
                    if index < first.0 {
                        *first = (index, other);
                    }
                }
            }
            if before.is_some_and(|before| before.0 == index) {
                earlier = index.checked_sub(1);
            } else {
                later += 1;
            }
        }
        match lonely {
            Some((index, other)) if lead.end > latest => Err(self.refusal(index, other)),
            _ => Ok(false),
        }
    }

    /// The points of the other tracks at a time, or the first track that has none.
    fn matching(&self, time: i64) -> Result<Vec<usize>, usize> {
        let tolerance = self.tracks[0].tolerance();
        let others = self.tracks.iter().enumerate().skip(1);
        others.map(|(number, track)| track.matching(time, tolerance).ok_or(number)).collect()
    }

    fn take(&mut self, index: usize, time: i64, others: &[usize]) {
        self.times.push(time.unsigned_abs());
        let indexes = std::iter::once(&index).chain(others);
        for ((track, cuts), &index) in self.tracks.iter_mut().zip(&mut self.cuts).zip(indexes) {
            track.at = index;
            cuts.push(track.sample(index));
        }
    }

    fn refusal(&self, index: usize, other: usize) -> Error {
        let (lead, other) = (&self.tracks[0], &self.tracks[other]);
        let what = format!(
            "sample {} of track {} of {} is a sync sample at {}, and track {} of {} has none then: \
             the qualities cannot be cut into the same chunks; code them with key frames at the \
             same times",
            lead.sample(index) + 1,
            lead.track.track_id,
            lead.track.file,
            lead.time(index).unwrap_or(0),
            other.track.track_id,
            other.track.file
        );
        ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.2.6" }.into()
    }

    fn finish(mut self) -> ChunkPlan {
        let last = self.times.last().map_or(0, |&last| last as i64);
        let end = self.tracks.iter().map(|track| track.end).max().unwrap_or(last);
        self.times.push(end.max(last).unsigned_abs());
        for (track, cuts) in self.tracks.iter().zip(&mut self.cuts) {
            cuts.push(track.track.points.samples());
        }
        self.times.shrink_to_fit();
        self.cuts.iter_mut().for_each(Vec::shrink_to_fit);
        ChunkPlan { times: self.times, tracks: self.cuts }
    }
}

#[cfg(test)]
mod tests;
