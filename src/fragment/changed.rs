//! A fragment that begins later than stored, or ends later.

use std::ops::Range;

use bytes::Bytes;

use super::Stored;
use super::key_samples::{Key, ranges};
use super::sample_boxes::moof;
use super::samples::{Alike, Defaults};
use crate::base::{Error, FourCc, Limits, Sink};
use crate::bmff::Header;

/// A fragment of which the first samples are left out, or whose last sample lasts longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The written `moof` and the header of the `mdat`.
    pub(crate) head: Bytes,
    /// The samples, as parts of the stored fragment.
    pub(crate) samples: Vec<Range<u64>>,
    /// Duration of the samples that are left out, in ticks of the track.
    pub(crate) earlier: u64,
}

/// Samples of a fragment that is changed. They may take no bytes there, and take some here.
const MAX_SAMPLES: u64 = 16_384;

impl Changed {
    /// Changes a fragment of CMAF, whose samples are in its payload, so that it begins as near to `ticks`
    /// after its start as its samples allow. `None` if that leaves out none of them or all, or if the
    /// fragment has boxes that cannot be read, because these may have an entry per sample.
    ///
    /// # Errors
    /// [`Budget`](crate::base::ErrorKind::Budget) for a fragment of more than 16,384 samples;
    /// [`NotSliceable`](crate::base::ErrorKind::NotSliceable) if it cannot be changed.
    pub(crate) fn from(
        stored: &Stored,
        ticks: u64,
        defaults: Defaults,
        limits: &Limits,
    ) -> Result<Option<Self>, Error> {
        let Some(mut keys) = all(stored, defaults, limits)? else { return Ok(None) };
        let mut earlier: u64 = 0;
        let is_later = |key: &Key| {
            let middle = earlier.saturating_add(key.duration / 2);
            if middle >= ticks {
                return true;
            }
            earlier = earlier.saturating_add(key.duration);
            false
        };
        let first = keys.iter().position(is_later);
        match first {
            Some(first) if first > 0 => keys.drain(..first),
            _ => return Ok(None),
        };
        Self::of(stored, &keys, earlier).map(Some)
    }

    /// Changes a fragment of CMAF so that its last sample lasts to `ticks` after its start. `None` if it
    /// lasts as long already, or as for [`from`](Self::from).
    ///
    /// # Errors
    /// As [`from`](Self::from).
    pub(crate) fn until(
        stored: &Stored,
        ticks: u64,
        defaults: Defaults,
        limits: &Limits,
    ) -> Result<Option<Self>, Error> {
        let Some(mut keys) = all(stored, defaults, limits)? else { return Ok(None) };
        let end = keys.iter().fold(0_u64, |end, key| end.saturating_add(key.duration));
        let missing = ticks.saturating_sub(end);
        match keys.last_mut() {
            Some(last) if missing > 0 => last.duration += missing,
            _ => return Ok(None),
        }
        Self::of(stored, &keys, 0).map(Some)
    }

    fn of(stored: &Stored, keys: &[Key], earlier: u64) -> Result<Self, Error> {
        let samples = ranges(keys);
        let payload: u64 = samples.iter().map(|range| range.end - range.start).sum();
        let mdat = Header::new(FourCc(*b"mdat")).around(payload);
        let moof = moof(stored, keys, 0, mdat.len())?;
        let mut sink = Sink::with_len((moof.len() + mdat.len()) as usize);
        moof.write(&mut sink);
        mdat.write(&mut sink);
        Ok(Self { head: sink.finish(), samples, earlier })
    }
}

/// Returns all samples of a fragment.
fn all(stored: &Stored, defaults: Defaults, limits: &Limits) -> Result<Option<Vec<Key>>, Error> {
    stored.check_samples(defaults, limits)?;
    if stored.unread().is_some() || stored.is_absolute() {
        return Ok(None);
    }
    let runs = || stored.runs(defaults);
    let count = runs().flat_map(|run| run.samples().map(|of| of.count)).sum();
    Limits::check("samples of a segment that is changed", count, MAX_SAMPLES)?;
    let mut keys: Vec<Key> = Vec::with_capacity(count as usize);
    for (run, of_run) in runs().enumerate() {
        let Some(mut offset) = of_run.from else { return Ok(None) };
        let first = keys.len();
        for Alike { sample, count } in of_run.samples() {
            for _ in 0..count {
                let index = keys.len();
                let (first_of_run, duration) = (index == first, sample.duration.into());
                keys.push(Key { index, run, first_of_run, offset, sample, duration });
                offset = offset.saturating_add(sample.size.into());
            }
        }
    }
    Ok(Some(keys))
}
