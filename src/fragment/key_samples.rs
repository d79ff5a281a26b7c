//! The key samples of a fragment: which they are, where they are stored, and how long each is
//! shown.

use std::ops::Range;

use super::Stored;
use super::samples::{Alike, Defaults, Sample};
use crate::base::{Error, ErrorKind};
use crate::bmff::Sdtp;

/// A sample that is kept.
pub(super) struct Key {
    /// Its number among all samples of the fragment.
    pub(super) index: usize,
    pub(super) run: usize,
    pub(super) first_of_run: bool,
    /// Offset of its bytes from the first byte of the stored `moof`.
    pub(super) offset: u64,
    pub(super) sample: Sample,
    /// Its own duration plus that of the samples dropped after it.
    pub(super) duration: u64,
}

/// The source that identifies a fragment's key samples.
///
/// Expression Encoder writes flags into the wrong bits, so `sdtp` takes precedence, and flags count
/// only if at least one of them is meaningful.
#[derive(Clone, Copy)]
pub(super) enum Rule<'a> {
    Sdtp(&'a [u8]),
    Flags,
    First,
}

impl<'a> Rule<'a> {
    pub(super) fn of(stored: &'a Stored, defaults: Defaults, total: u64) -> Self {
        // Bytes of an `sdtp` beyond the number of samples are ignored.
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

    /// Returns whether sample `index` is a key sample, and for how many of the `left` equal samples
    /// from there on the answer is the same.
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

/// Equal samples of a run, which are either all key samples or all not.
pub(super) struct Part {
    /// Number of the first one among all samples of the fragment.
    pub(super) index: u64,
    /// Number of the run.
    pub(super) run: usize,
    pub(super) first_of_run: bool,
    /// Offset of the first one from the first byte of the stored `moof`.
    pub(super) offset: u64,
    pub(super) alike: Alike,
    pub(super) is_key: bool,
}

/// Passes all samples of a fragment to `each` in parts, and returns the number of parts. Apart from
/// three per run, each part corresponds to a stored entry of a run or of `sdtp`, so a fragment that
/// claims a million samples takes no more steps than it has entries.
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

/// Returns the key samples, whose number the caller has limited, and the duration of the samples
/// before the first of them.
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

/// Drops all key samples but the first, which then lasts as long as all of them.
pub(super) fn keep_first(keys: &mut Vec<Key>) {
    let others = keys.iter().skip(1);
    let duration = others.fold(0, |sum: u64, key| sum.saturating_add(key.duration));
    keys.truncate(1);
    if let Some(first) = keys.first_mut() {
        first.duration = first.duration.saturating_add(duration);
    }
}

/// Returns the byte ranges of the samples, with adjacent ones joined.
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
