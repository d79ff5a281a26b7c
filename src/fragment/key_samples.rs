//! The key samples of a fragment: which they are, where they lie, and how long each is shown.

use std::ops::Range;

use super::Stored;
use super::samples::{Alike, Defaults, Sample};
use crate::base::{Error, ErrorKind};
use crate::bmff::Sdtp;

/// A sample that stays.
pub(super) struct Key {
    /// Its place among all samples of the fragment.
    pub(super) index: usize,
    pub(super) run: usize,
    pub(super) first_of_run: bool,
    /// Where it lies, from the first byte of the stored `moof`.
    pub(super) offset: u64,
    pub(super) sample: Sample,
    /// Its own duration and that of the samples dropped after it.
    pub(super) duration: u64,
}

/// What tells a fragment's key samples.
///
/// Expression Encoder writes flags into the wrong bits, so that `sdtp` comes first, and flags
/// count only where one of them says anything.
#[derive(Clone, Copy)]
pub(super) enum Rule<'a> {
    Sdtp(&'a [u8]),
    Flags,
    First,
}

impl<'a> Rule<'a> {
    pub(super) fn of(stored: &'a Stored, defaults: Defaults, total: u64) -> Self {
        // What an `sdtp` says beyond the samples is of none.
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        if let Some(sdtp) = stored.traf.get::<Sdtp>()
            && let mut of_samples = sdtp.samples.iter().take(total)
            && of_samples.any(|&byte| Sdtp::is_independent(byte) == Some(true))
        {
            return Self::Sdtp(&sdtp.samples);
        }
        let samples = || stored.runs(defaults).flat_map(|run| run.samples().map(|a| a.sample));
        if samples().any(|sample| sample.has_dependency())
            && samples().any(|sample| sample.is_sync())
        {
            return Self::Flags;
        }
        Self::First
    }

    /// Whether sample `index` is a key sample, and for how many of `left` equal samples from there
    /// on that is known at once.
    fn judge(self, index: u64, left: u64, sample: &Sample) -> (bool, u64) {
        match self {
            Self::Sdtp(bytes) => {
                let byte = usize::try_from(index).ok().and_then(|index| bytes.get(index));
                let Some(&byte) = byte else { return (false, left) };
                (Sdtp::is_independent(byte) == Some(true), 1)
            }
            Self::Flags => (sample.is_sync(), left),
            Self::First if index == 0 => (true, 1),
            Self::First => (false, left),
        }
    }
}

/// Equal samples of a run: all of them are key samples, or none is.
pub(super) struct Part {
    /// Place of the first among all samples of the fragment.
    pub(super) index: u64,
    /// Number of the run.
    pub(super) run: usize,
    pub(super) first_of_run: bool,
    /// Where the first begins, from the first byte of the stored `moof`.
    pub(super) offset: u64,
    pub(super) alike: Alike,
    pub(super) is_key: bool,
}

/// Hands over all samples of a fragment in parts, and gives the number of parts: the fragment
/// stores an entry of a run or of `sdtp` for each, but for three of each run. A claim of a million
/// samples takes no more steps than that.
pub(super) fn each_part(
    stored: &Stored,
    defaults: Defaults,
    rule: Rule<'_>,
    mut each: impl FnMut(Part),
) -> Result<u64, Error> {
    let (mut index, mut steps) = (0, 0);
    for (number, run) in stored.runs(defaults).enumerate() {
        let mut offset = run.from.ok_or(ErrorKind::NotSliceable("samples before their `moof`"))?;
        let first = index;
        for mut alike in run.samples() {
            let mut left = alike.count;
            while left > 0 {
                let is_key;
                (is_key, alike.count) = rule.judge(index, left, &alike.sample);
                let first_of_run = index == first;
                each(Part { index, run: number, first_of_run, offset, alike, is_key });
                offset = offset.saturating_add(alike.bytes());
                index += alike.count;
                left -= alike.count;
                steps += 1;
            }
        }
    }
    Ok(steps)
}

/// The key samples, of which there are few enough, and the duration of what lies before the first
/// of them.
pub(super) fn keys(
    stored: &Stored,
    defaults: Defaults,
    rule: Rule<'_>,
) -> Result<(Vec<Key>, u64), Error> {
    let mut keys: Vec<Key> = Vec::new();
    let mut lead: u64 = 0;
    each_part(stored, defaults, rule, |part| {
        let Part { index, run, first_of_run, offset, alike, is_key } = part;
        if !is_key {
            let duration = keys.last_mut().map_or(&mut lead, |key| &mut key.duration);
            *duration = duration.saturating_add(alike.ticks());
            return;
        }
        let Alike { sample, count } = alike;
        keys.extend((0..count).map(|i| Key {
            index: (index + i) as usize,
            run,
            first_of_run: first_of_run && i == 0,
            offset: offset + i * u64::from(sample.size),
            sample,
            duration: sample.duration.into(),
        }));
    })?;
    if let Some(first) = keys.first_mut() {
        first.duration = first.duration.saturating_add(lead);
    }
    Ok((keys, lead))
}

/// Where the samples lie, neighbours joined.
pub(super) fn ranges(keys: &[Key]) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for key in keys.iter().filter(|key| key.sample.size > 0) {
        let end = key.offset + u64::from(key.sample.size);
        match ranges.last_mut() {
            Some(last) if last.end == key.offset => last.end = end,
            _ => ranges.push(key.offset..end),
        }
    }
    ranges
}
