//! The runs of a fragment (`trun`): where its samples are, and whether its `mdat` holds them.

use super::Stored;
use super::samples::{Alike, Defaults, count};
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{Body, Tfhd, Trun};

/// Samples that are stored one after the other.
pub(crate) struct Run<'a> {
    /// Offset of the first sample from the first byte of the `moof`; `None` if it would be before
    /// the `moof`.
    pub(crate) from: Option<u64>,
    /// Number of bytes of all samples.
    pub(crate) bytes: u64,
    defaults: Defaults,
    trun: &'a Trun,
}

impl<'a> Run<'a> {
    /// Iterates over the samples. Adjacent equal samples without fields of their own are joined.
    pub(crate) fn samples(&self) -> impl Iterator<Item = Alike> + use<'a> {
        self.defaults.samples(self.trun)
    }
}

/// The position of the samples of a fragment, by the offsets of its runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// They begin at the start of the payload of the `mdat`.
    Start,
    /// They are in the payload, but do not begin at its start.
    Payload,
    /// Some are outside of the payload: an offset is wrong.
    Elsewhere {
        /// True if the samples take as many bytes as the payload has.
        fill: bool,
    },
}

impl Stored {
    /// Returns where the samples are by the offsets of the runs. A fragment with a wrong offset can
    /// still be cut out of its file, because the `mdat` after the `moof` holds the samples.
    ///
    /// # Errors
    /// [`ErrorKind::NotSliceable`] if the `mdat` cannot hold the samples, or if offsets point
    /// behind the `mdat` and the samples do not fill it, so that it may hold those of another
    /// fragment. [`ErrorKind::Budget`] for too many samples.
    pub(crate) fn check_samples(
        &self,
        defaults: Defaults,
        limits: &Limits,
    ) -> Result<Whereabouts, Error> {
        count(&self.traf, limits)?;
        let (mut first, mut all, mut is_astray, mut is_behind) = (None, 0_u64, false, false);
        for Run { from, bytes, .. } in self.runs(defaults) {
            all = all.saturating_add(bytes);
            let to = from.and_then(|from| from.checked_add(bytes));
            if bytes > 0 && (from < Some(self.payload) || to.is_none_or(|to| to > self.len)) {
                is_astray = true;
                is_behind |= from >= Some(self.len);
            }
            first.get_or_insert(from);
        }
        let room = self.len - self.payload;
        if self.is_absolute() {
            // No offset is right once the fragment is cut out; only the sizes show whether this
            // `mdat` is its own.
            if all == room {
                return Ok(Whereabouts::Elsewhere { fill: true });
            }
            let absolute = "a `tfhd` with an absolute `base_data_offset`";
            return Err(ErrorKind::NotSliceable(absolute).into());
        }
        if all > room || is_behind && all < room {
            let outside = "sample data outside of the fragment's `mdat`";
            return Err(ErrorKind::NotSliceable(outside).into());
        }
        Ok(match first {
            _ if is_astray => Whereabouts::Elsewhere { fill: all == room },
            Some(first) if first != Some(self.payload) && room > 0 => Whereabouts::Payload,
            _ => Whereabouts::Start,
        })
    }

    /// Returns the bytes of all samples together, as its runs say them.
    pub(crate) fn sample_bytes(&self, defaults: Defaults) -> u64 {
        self.runs(defaults).fold(0, |sum, run| run.bytes.saturating_add(sum))
    }

    /// Returns whether its offsets count from the start of the file, or of another file.
    pub(crate) fn is_absolute(&self) -> bool {
        self.traf.get::<Tfhd>().is_some_and(|tfhd| tfhd.base_data_offset.is_some())
    }

    /// Returns the same fragment without the offsets of its runs, so that its samples follow one
    /// another from the start of the payload.
    pub(crate) fn without_offsets(&self) -> Self {
        let mut stored = self.clone();
        for item in &mut stored.traf.list {
            if let Body::Trun(trun) = &mut item.body {
                trun.data_offset = None;
            }
        }
        stored
    }

    /// Returns the bytes of each sample that has any, and the ticks from the start of the fragment to
    /// its end, if together they fill the payload.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn sample_sizes(&self, defaults: Defaults) -> Option<Vec<(u64, u64)>> {
        let room = self.len.saturating_sub(self.payload);
        let (mut sizes, mut all, mut end) = (Vec::new(), 0_u64, 0_u64);
        let samples = self.runs(defaults).flat_map(|run| run.samples());
        for alike in samples {
            if alike.sample.size == 0 {
                end = end.saturating_add(alike.ticks());
                continue;
            }
            all = all.saturating_add(alike.bytes());
            // There are no more of them than the payload has bytes.
            if all > room {
                return None;
            }
            sizes.extend((0..alike.count).map(|_| {
                end = end.saturating_add(alike.sample.duration.into());
                (u64::from(alike.sample.size), end)
            }));
        }
        (all == room).then_some(sizes)
    }

    /// Returns the ticks of all samples.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn ticks(&self, defaults: Defaults) -> u64 {
        let samples = self.runs(defaults).flat_map(|run| run.samples());
        samples.fold(0, |sum, alike| sum.saturating_add(alike.ticks()))
    }

    /// Returns whether it leaves durations or sizes of its samples to the `trex` of its file.
    pub(crate) fn needs_defaults(&self) -> bool {
        let tfhd = self.traf.get::<Tfhd>();
        let in_tfhd = |field: fn(&Tfhd) -> Option<u32>| tfhd.and_then(field).is_some();
        let has_duration = in_tfhd(|tfhd| tfhd.default_sample_duration);
        let has_size = in_tfhd(|tfhd| tfhd.default_sample_size);
        let needs = |trun: &Trun| {
            !(has_duration || trun.full.has(Trun::DURATION))
                || !(has_size || trun.full.has(Trun::SIZE))
        };
        self.traf.all::<Trun>().any(|trun| trun.sample_count > 0 && needs(trun))
    }

    /// Iterates over the runs, in order.
    ///
    /// A run without an offset begins where the one before it ends; the first one begins at the
    /// payload (ISO/IEC 14496-12, 8.8.8 says at the `moof`, where no sample can be).
    pub(crate) fn runs(&self, defaults: Defaults) -> impl Iterator<Item = Run<'_>> + '_ {
        let defaults = self.defaults(defaults);
        let mut next = Some(self.payload);
        self.traf.all::<Trun>().map(move |trun| {
            let from = match trun.data_offset {
                Some(offset) => u64::try_from(offset).ok(),
                None => next,
            };
            let bytes = defaults.bytes(trun);
            next = from.and_then(|from| from.checked_add(bytes));
            Run { from, bytes, defaults, trun }
        })
    }

    pub(super) fn defaults(&self, defaults: Defaults) -> Defaults {
        self.traf.get::<Tfhd>().map_or(defaults, |tfhd| defaults.of(tfhd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::{AnyBox, FullBox};
    use crate::fragment::stored::tests::{bytes, mdat, moof, traf, whole};

    #[test]
    fn a_wrong_offset_is_found_out_and_samples_that_the_mdat_cannot_hold_are_refused() {
        let with = |offset: i32, count: u32, size: u32| {
            let trun = Trun { sample_count: count, data_offset: Some(offset), ..Trun::default() };
            let stored = whole(&bytes([moof([traf([AnyBox::new(trun)])]), mdat()]));
            let defaults = Defaults { size, ..Defaults::default() };
            (stored.payload as i32, stored.check_samples(defaults, &Limits::default()))
        };
        let payload = with(0, 0, 0).0;
        let found = |offset, count, size| with(offset, count, size).1.unwrap();
        assert_eq!(found(payload, 4, 10), Whereabouts::Start);
        assert_eq!(found(payload + 8, 4, 8), Whereabouts::Payload);
        for offset in [payload - 1, payload - 8, 0, -1, payload + 1, payload + 40, i32::MAX] {
            assert_eq!(found(offset, 4, 10), Whereabouts::Elsewhere { fill: true }, "{offset}");
        }
        for offset in [payload - 1, 0, i32::MIN, payload + 38] {
            assert_eq!(found(offset, 3, 1), Whereabouts::Elsewhere { fill: false }, "{offset}");
        }
        for (offset, count, size) in
            [(payload, 41, 1), (0, 41, 1), (payload, 2, u32::MAX), (payload + 40, 1, 1)]
        {
            let error = with(offset, count, size).1.unwrap_err();
            assert!(matches!(error.kind, ErrorKind::NotSliceable(_)), "{offset} {count} {size}");
        }
        for (count, fills) in [(39, false), (40, true), (41, false)] {
            let full = FullBox::default();
            let tfhd = Tfhd { full, track_id: 2, base_data_offset: Some(100), ..Tfhd::default() };
            let trun = Trun { sample_count: count, ..Trun::default() };
            let traf = AnyBox::container(*b"traf", [AnyBox::new(tfhd), AnyBox::new(trun)]);
            let stored = whole(&bytes([moof([traf]), mdat()]));
            let defaults = Defaults { size: 1, ..Defaults::default() };
            let found = stored.check_samples(defaults, &Limits::default());
            assert_eq!(found.ok(), fills.then_some(Whereabouts::Elsewhere { fill: true }));
        }
        assert!(with(payload, u32::MAX, 0).1.unwrap_err().to_string().contains("budget"));
    }
}
