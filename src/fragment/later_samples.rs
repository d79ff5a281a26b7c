//! A fragment without its first samples.

use std::ops::Range;

use bytes::Bytes;

use super::Stored;
use super::key_samples::{Key, ranges};
use super::sample_boxes::moof;
use super::samples::{Alike, Defaults};
use crate::base::{Error, FourCc, Limits, Sink};
use crate::bmff::Header;

/// A fragment without the samples before a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaterSamples {
    /// The written `moof` and the header of the `mdat`.
    pub(crate) head: Bytes,
    /// The samples, as parts of the stored fragment.
    pub(crate) samples: Vec<Range<u64>>,
    /// Duration of the samples that are left out, in ticks of the track.
    pub(crate) earlier: u64,
}

/// Samples of a fragment that is cut. They may take no bytes there, and take some here.
const MAX_SAMPLES: u64 = 16_384;

impl LaterSamples {
    /// Cuts a fragment of CMAF, whose samples are in its payload, so that it begins as near to `ticks`
    /// after its start as its samples allow. `None` if that leaves out none of them or all, or if the
    /// fragment has boxes that cannot be read, because these may have an entry per sample.
    ///
    /// # Errors
    /// [`Budget`](crate::base::ErrorKind::Budget) for a fragment of more than 16,384 samples;
    /// [`NotSliceable`](crate::base::ErrorKind::NotSliceable) if it cannot be cut.
    pub(crate) fn cut(
        stored: &Stored,
        ticks: u64,
        defaults: Defaults,
        limits: &Limits,
    ) -> Result<Option<Self>, Error> {
        stored.check_samples(defaults, limits)?;
        if stored.unread().is_some() || stored.is_absolute() {
            return Ok(None);
        }
        let count = stored.runs(defaults).flat_map(|run| run.samples().map(|of| of.count)).sum();
        Limits::check("samples of a segment that is cut", count, MAX_SAMPLES)?;
        let (mut kept, mut index, mut end, mut earlier) = (Vec::new(), 0, 0_u64, 0);
        for (number, run) in stored.runs(defaults).enumerate() {
            let Some(mut offset) = run.from else { return Ok(None) };
            let first = index;
            for Alike { sample, count } in run.samples() {
                for _ in 0..count {
                    end = end.saturating_add(sample.duration.into());
                    let middle = end - u64::from(sample.duration / 2);
                    if kept.is_empty() && middle <= ticks {
                        earlier = end;
                    } else {
                        let (run, first_of_run) = (number, index == first);
                        let duration = sample.duration.into();
                        kept.push(Key { index, run, first_of_run, offset, sample, duration });
                    }
                    index += 1;
                    offset = offset.saturating_add(sample.size.into());
                }
            }
        }
        if kept.is_empty() || kept.len() == index {
            return Ok(None);
        }
        let samples = ranges(&kept);
        let payload: u64 = samples.iter().map(|range| range.end - range.start).sum();
        let mdat = Header::new(FourCc(*b"mdat")).around(payload);
        let moof = moof(stored, &kept, 0, mdat.len())?;
        let mut sink = Sink::with_len((moof.len() + mdat.len()) as usize);
        moof.write(&mut sink);
        mdat.write(&mut sink);
        Ok(Some(Self { head: sink.finish(), samples, earlier }))
    }
}
