//! The places of a track's samples in the file.

use std::ops::Range;

use super::shared::{Shared, is_of};
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{Boxes, Tfhd, Trun};
use crate::fragment::samples::{Defaults, count};

/// The samples of a track.
pub(super) struct Place<'a> {
    /// Its runs, each with the defaults that hold for it.
    pub(super) runs: Vec<(Defaults, &'a Trun)>,
    /// Bytes of the file that have them. Ranges that follow one another are joined.
    pub(super) ranges: Vec<Range<u64>>,
}

/// Maximum number of ranges of one fragment, because each is an operation of its own when it is read.
const MAX_RANGES: u64 = 4096;

/// Offsets count from the first byte of the `moof`.
const DEFAULT_BASE_IS_MOOF: u32 = 0x2_0000;

/// Finds the samples of a track. They must be in the `mdat` behind the `moof`.
///
/// Spec: ISO/IEC 14496-12, 8.8.7 and 8.8.8.
pub(super) fn places<'a>(
    shared: &'a Shared,
    track_id: u32,
    defaults: Defaults,
    limits: &Limits,
) -> Result<Place<'a>, Error> {
    let mut place = Place { runs: Vec::new(), ranges: Vec::new() };
    let payload = shared.start.saturating_add(shared.payload);
    let room = payload..shared.start.saturating_add(shared.len);
    let (mut samples, mut bytes, mut is_there) = (0, 0_u64, false);
    // End of the samples of the `traf` before; `None` if it is not known.
    let mut end = Some(payload);
    for (number, traf) in shared.trafs.iter().enumerate() {
        let is_own = is_of(traf, track_id);
        let tfhd = traf.get::<Tfhd>();
        let base = match tfhd.and_then(|tfhd| tfhd.base_data_offset) {
            Some(base) => Some(base),
            None if number == 0 => Some(shared.start),
            None if tfhd.is_some_and(|tfhd| tfhd.full.has(DEFAULT_BASE_IS_MOOF)) => {
                Some(shared.start)
            }
            None => end,
        };
        // No sample can be in the `moof`.
        end = if base == Some(shared.start) { Some(payload) } else { base };
        let in_file = tfhd.map_or(defaults, |tfhd| defaults.of(tfhd));
        if is_own {
            is_there = true;
            samples += count(traf, limits)?;
            Limits::check("samples of a fragment", samples, limits.samples)?;
        }
        for trun in traf.all::<Trun>() {
            let from = match trun.data_offset {
                Some(offset) => base.and_then(|base| base.checked_add_signed(offset.into())),
                None => end,
            };
            let len = match is_own || says_sizes(traf, trun) {
                true => Some(in_file.bytes(trun)),
                // The header of the file says them.
                false => None,
            };
            end = from.zip(len).and_then(|(from, len)| from.checked_add(len));
            if !is_own {
                continue;
            }
            place.runs.push((in_file, trun));
            let len = in_file.bytes(trun);
            if len == 0 {
                continue;
            }
            let range = from.zip(end).filter(|&(from, end)| from >= room.start && end <= room.end);
            let (from, end) = range
                .ok_or(ErrorKind::NotSliceable("sample data outside of the fragment's `mdat`"))?;
            bytes = bytes.saturating_add(len);
            match place.ranges.last_mut() {
                Some(last) if last.end == from => last.end = end,
                _ => {
                    let found = place.ranges.len() as u64 + 1;
                    Limits::check("places of a fragment's samples", found, MAX_RANGES)?;
                    place.ranges.push(from..end);
                }
            }
        }
    }
    if !is_there {
        let (what, clause) = ("`traf` of the track", "ISO/IEC 14496-12, 8.8.6");
        return Err(ErrorKind::Missing { what, clause }.into());
    }
    if bytes > room.end.saturating_sub(room.start) {
        return Err(ErrorKind::NotSliceable("samples that share their bytes").into());
    }
    if samples > 0 && bytes == 0 && shared.len > shared.payload {
        let unknown = "samples of unknown size: the file's `trex` is missing";
        return Err(ErrorKind::NotSliceable(unknown).into());
    }
    Ok(place)
}

/// Returns whether a fragment says the sizes of the samples of a run itself.
fn says_sizes(traf: &Boxes, trun: &Trun) -> bool {
    let has_default = || traf.get::<Tfhd>().is_some_and(|tfhd| tfhd.default_sample_size.is_some());
    trun.sample_count == 0 || trun.full.has(Trun::SIZE) || has_default()
}
