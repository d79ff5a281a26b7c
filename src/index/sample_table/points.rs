//! Places at which chunks of a track may begin.

/// The samples of a track with which chunks may begin, in order of time. Samples that follow one
/// another at equal distances are one run, so that sound takes a few bytes and not some per sample.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Points {
    runs: Vec<PointRun>,
    len: usize,
    samples: u32,
    end: i64,
}

/// A sample with which a chunk may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Index in the track, from 0.
    pub sample: u32,
    /// Time at which the sample is shown, in ticks of the track's media.
    pub time: i64,
}

/// Points at equal distances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PointRun {
    /// Number of points before it.
    before: usize,
    first: Point,
    count: usize,
    samples: u32,
    ticks: i64,
}

impl PointRun {
    fn get(&self, index: usize) -> Point {
        // Both products are those of a point that was pushed.
        Point {
            sample: self.first.sample + self.samples * index as u32,
            time: self.first.time + self.ticks * index as i64,
        }
    }
}

impl Points {
    /// Adds the next point. One that is not later than the point before it is left out.
    pub fn push(&mut self, point: Point) {
        if let Some(run) = self.runs.last_mut() {
            let last = run.get(run.count - 1);
            let (samples, ticks) = (point.sample.checked_sub(last.sample), point.time - last.time);
            let Some(samples) = samples.filter(|&samples| samples > 0 && ticks > 0) else { return };
            if run.count == 1 {
                (run.samples, run.ticks) = (samples, ticks);
            }
            if (run.samples, run.ticks) == (samples, ticks) {
                run.count += 1;
                self.len += 1;
                return;
            }
        }
        let before = self.len;
        self.runs.push(PointRun { before, first: point, count: 1, samples: 0, ticks: 0 });
        self.len += 1;
    }

    /// Adds `count` samples that follow one another at `ticks`.
    pub fn push_samples(&mut self, first: Point, count: u32, ticks: u32) {
        let point = |index: u32| Point {
            sample: first.sample + index,
            time: first.time + i64::from(index) * i64::from(ticks),
        };
        // The first one may belong to the run before, and the second one may begin another.
        (0..count.min(3)).for_each(|index| self.push(point(index)));
        if let Some(more) = count.checked_sub(3)
            && let Some(run) = self.runs.last_mut()
            && (run.samples, run.ticks) == (1, ticks.into())
        {
            run.count += more as usize;
            self.len += more as usize;
        }
    }

    /// Says how many samples the track has, and when it ends: the time of its last point, and the
    /// durations from there on.
    pub fn finish(&mut self, samples: u32, end: i64) {
        (self.samples, self.end) = (samples, end);
        self.runs.shrink_to_fit();
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Number of samples of the track.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// End of the track, in ticks of its media.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// The point at an index, from 0.
    pub fn get(&self, index: usize) -> Option<Point> {
        if index >= self.len {
            return None;
        }
        let at = self.runs.partition_point(|run| run.before <= index).checked_sub(1)?;
        let run = &self.runs[at];
        Some(run.get(index - run.before))
    }

    /// Index of the first point that is not before `time`.
    pub fn first_from(&self, time: i64) -> usize {
        let Some(at) = self.runs.partition_point(|run| run.first.time < time).checked_sub(1) else {
            return 0;
        };
        let run = &self.runs[at];
        // Every run but the first one begins behind the last point of the run before.
        let ticks = time.saturating_sub(run.first.time).unsigned_abs();
        let within = ticks.div_ceil(run.ticks.unsigned_abs().max(1));
        run.before + usize::try_from(within).map_or(run.count, |within| within.min(run.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_equal_distances_are_one_run() {
        let mut points = Points::default();
        let given = [(0, 5), (2, 9), (4, 13), (6, 17), (7, 18), (8, 19), (9, 19), (11, 30)];
        given.iter().for_each(|&(sample, time)| points.push(Point { sample, time }));
        points.finish(12, 40);
        let read: Vec<_> = (0..points.len()).map(|at| points.get(at).unwrap()).collect();
        let read: Vec<_> = read.iter().map(|point| (point.sample, point.time)).collect();
        assert_eq!(read, [(0, 5), (2, 9), (4, 13), (6, 17), (7, 18), (8, 19), (11, 30)]);
        assert_eq!((points.runs.len(), points.get(7)), (3, None));
        let from = [-9, 5, 6, 17, 18, 20, 30, 31].map(|time| points.first_from(time));
        assert_eq!(from, [0, 0, 1, 3, 4, 6, 6, 7]);
    }

    #[test]
    fn samples_of_one_duration_are_added_at_once() {
        for counts in [[(1, 5), (4, 5), (5, 7)], [(4, 0), (2, 7), (3, 0)], [(5, 1), (1, 9), (4, 1)]]
        {
            let (mut at_once, mut one_by_one) = (Points::default(), Points::default());
            let mut next = Point { sample: 0, time: -3 };
            for (count, ticks) in counts {
                at_once.push_samples(next, count, ticks);
                for _ in 0..count {
                    one_by_one.push(next);
                    next = Point { sample: next.sample + 1, time: next.time + i64::from(ticks) };
                }
            }
            let list =
                |points: &Points| (0..points.len()).map(|at| points.get(at)).collect::<Vec<_>>();
            assert_eq!(list(&at_once), list(&one_by_one), "{counts:?}");
        }
    }
}
