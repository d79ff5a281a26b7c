//! Samples with which chunks may begin.

use super::runs::Runs;
use super::{Point, Points, Tables};
use crate::base::{Error, ErrorKind};
use crate::bmff::Stss;

impl Tables {
    /// Returns the sync samples with the times at which they are composed.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] if there are none.
    pub fn points(&self) -> Result<Points, Error> {
        let mut walk = Walk {
            durations: Runs::new(&self.durations),
            offsets: Runs::counted(&self.offsets, &self.offset_counts),
            at: 0,
            ticks: 0,
        };
        let mut points = Points::default();
        let mut last = None;
        match &self.syncs {
            None if self.offsets.is_empty() => {
                let (mut sample, mut time) = (0, 0);
                while let Some((count, ticks)) = walk.durations.take(self.count - sample) {
                    points.push_samples(Point { sample, time }, count, ticks);
                    sample += count;
                    time += i64::from(count) * i64::from(ticks);
                    if sample == self.count {
                        break;
                    }
                }
                last = (self.count > 0).then_some(0);
            }
            None => {
                for sample in 0..self.count {
                    let (time, offset) = walk.to(sample);
                    points.push(Point { sample, time });
                    last = Some(offset);
                }
            }
            Some(syncs) => {
                for entry in syncs.chunks_exact(Stss::ENTRY).filter_map(<[u8]>::first_chunk) {
                    // Numbers count from 1 and ascend.
                    let sample = u32::from_be_bytes(*entry) - 1;
                    let (time, offset) = walk.to(sample);
                    points.push(Point { sample, time });
                    last = Some(offset);
                }
            }
        }
        let Some(offset) = last else {
            let what = "key frame in the track";
            let clause = "ISO/IEC 14496-12, 8.6.2";
            return Err(Error::at(self.syncs_at, ErrorKind::Missing { what, clause }));
        };
        // Fewer than 2^24 samples of less than 2^31 ticks.
        points.finish(self.count, self.ticks as i64 + i64::from(offset));
        Ok(points)
    }
}

/// A walk that passes over samples by their runs.
struct Walk<'a> {
    durations: Runs<'a>,
    offsets: Runs<'a>,
    at: u32,
    ticks: u64,
}

impl Walk<'_> {
    /// Goes on to a sample: the time at which it is composed, and its composition offset.
    fn to(&mut self, index: u32) -> (i64, i32) {
        let samples = index - self.at;
        self.offsets.pass(samples);
        let offset = self.offsets.next().unwrap_or(0) as i32;
        self.ticks += self.durations.skip(samples);
        let time = self.ticks as i64 + i64::from(offset);
        self.ticks += self.durations.skip(1);
        self.at = index + 1;
        (time, offset)
    }
}
