//! The difference in length between a fragment of CMAF and the stored one.

use super::{Start, Track, rewrite_stored};
use crate::base::Limits;
use crate::bmff::{AnyBox, Boxes, Saiz, SampleEncryption, Sdtp, Senc, Trun, uuid};
use crate::fragment::Stored;

/// The bytes that fragments of a track become longer by, as far as one of them shows it.
///
/// Fill bytes and the list of fragments to come are left out of a segment, and do not count as saved:
/// other fragments of the track may have fewer of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Growth {
    /// Bytes for a fragment of `samples` samples; below 0 if it becomes shorter.
    bytes: i32,
    samples: u32,
    /// Bytes for each sample more.
    per_sample: u8,
    /// Ticks of the shortest sample.
    shortest: u32,
}

/// The growth if no fragment was seen: `tfdt`, all defaults, `saiz`, `saio` and a group of samples.
const UNSEEN: Growth = Growth { bytes: 160, samples: 0, per_sample: 0, shortest: 0 };

/// Bytes of `saiz` and `saio` besides one per sample.
const AUXILIARY: i64 = 17 + 20;

impl Default for Growth {
    fn default() -> Self {
        UNSEEN
    }
}

impl Growth {
    /// Returns the growth of a fragment, whose shortest sample lasts `shortest` ticks. `None` if it
    /// cannot be a fragment of CMAF.
    pub(crate) fn of(
        stored: &Stored,
        track: &Track,
        shortest: u32,
        limits: &Limits,
    ) -> Option<Self> {
        let delay = stored.first_offset(track.defaults).max(0).unsigned_abs();
        let track = track.clone().delay(delay);
        let written = rewrite_stored(stored, Start::Shown(0), &track, limits).ok()?;
        let samples = stored.traf.all::<Trun>().fold(0, |sum: u32, trun| {
            // The number of samples has met its budget.
            sum.saturating_add(trun.sample_count)
        });
        let mut bytes = i64::try_from(written.head.len()).ok()?;
        bytes -= i64::try_from(stored.payload).ok()?;
        bytes += i64::try_from(unsteady(stored)).ok()?;
        let mut per_sample = 0;
        let has_flags = stored.traf.all::<Trun>().all(|trun| trun.full.has(Trun::FLAGS));
        let moof = Boxes::parse(&written.head.slice(..moof_len(&written.head)?), 0, limits).ok()?;
        let traf = moof.path(&[*b"moof", *b"traf"])?;
        if stored.traf.get::<Sdtp>().is_some() && !has_flags {
            // Another fragment may need flags for each sample, in place of a byte for each.
            if !traf.all::<Trun>().all(|trun| trun.full.has(Trun::FLAGS)) {
                bytes += 4 * i64::from(samples);
            }
            per_sample += 3;
        }
        let is_encrypted = track.key_id.is_some();
        if is_encrypted && stored.traf.get::<Saiz>().is_none() {
            let senc = stored.traf.get::<Senc>().map(|senc| &senc.0);
            let senc = senc.or(stored.traf.get::<uuid::PiffSenc>().map(|senc| &senc.0));
            bytes += match senc {
                // Fragments in the clear may come before those that are not.
                None => AUXILIARY + i64::from(samples),
                // Sizes of entries differ only where they have subsamples.
                Some(senc) if senc.full.has(SampleEncryption::SUBSAMPLES) => {
                    let has_sizes = traf.get::<Saiz>().is_some_and(|saiz| !saiz.sizes.is_empty());
                    if has_sizes { 0 } else { i64::from(samples) }
                }
                Some(_) => 0,
            };
            per_sample += 1;
        }
        Some(Self { bytes: i32::try_from(bytes).ok()?, samples, per_sample, shortest })
    }

    /// Returns the most bytes that a segment of this many stored bytes and ticks has.
    pub(crate) fn grown(self, stored: u64, ticks: u64) -> u64 {
        let samples = match u64::from(self.shortest) {
            0 => u64::from(self.samples),
            shortest => ticks.div_ceil(shortest),
        };
        // No sample takes less than four bytes of a `moof`, or the samples are a run.
        let more = samples.saturating_sub(self.samples.into()).min(stored / 4);
        let more = more.saturating_mul(self.per_sample.into());
        stored.saturating_add_signed(self.bytes.into()).saturating_add(more)
    }

    /// Returns the most bytes that a segment becomes longer by when its first samples are left out: each
    /// sample then has a duration of its own.
    pub(crate) fn cut(self) -> u64 {
        4 * u64::from(self.samples)
    }
}

/// Bytes of boxes that are left out and that another fragment may not have.
fn unsteady(stored: &Stored) -> u64 {
    let is_unsteady = |item: &&AnyBox| match &item.header.kind.0 {
        b"free" | b"skip" => true,
        b"uuid" => item.header.extended == Some(uuid::Tfrf::UUID),
        _ => false,
    };
    let all = stored.moof_boxes().iter().chain(&stored.traf.list);
    all.filter(is_unsteady).map(AnyBox::len).sum()
}

/// Returns bytes of the `moof` at the start of a head.
fn moof_len(head: &[u8]) -> Option<usize> {
    let len = u32::from_be_bytes(*head.first_chunk()?) as usize;
    (8..=head.len()).contains(&len).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_fragments_grow_by_each_sample_more() {
        let growth = Growth { bytes: -20, samples: 48, per_sample: 3, shortest: 10 };
        assert_eq!(growth.grown(5000, 480), 4980);
        assert_eq!(growth.grown(5000, 100), 4980);
        assert_eq!(growth.grown(5000, 500), 4980 + 6);
        assert_eq!(growth.grown(20, 480), 0);
        assert_eq!(growth.grown(u64::MAX, u64::MAX), u64::MAX);
        let unknown = Growth { shortest: 0, ..growth };
        assert_eq!(unknown.grown(5000, u64::MAX), 4980);
        assert_eq!(Growth::default().grown(0, 0), 160);
    }
}
