//! The `traf` of a fragment.

use super::encryption::Encryption;
use super::flags::Flags;
use super::other_boxes::OtherBoxes;
use super::runs::Runs;
use super::track::{Start, Track};
use crate::base::{Error, ErrorKind, Limits, Sink};
use crate::bmff::{AnyBox, FullBox, Tfdt, Tfhd, Trun};
use crate::fragment::Stored;
use crate::fragment::samples::count;

/// The `traf` of a fragment, as it is written.
pub(super) struct Traf<'a> {
    tfhd: AnyBox,
    tfdt: AnyBox,
    runs: Runs<'a>,
    encryption: Encryption<'a>,
    others: OtherBoxes<'a>,
}

/// Offsets count from the first byte of the `moof`.
const DEFAULT_BASE_IS_MOOF: u32 = 0x2_0000;

impl<'a> Traf<'a> {
    pub(super) fn plan(
        stored: &'a Stored,
        start: Start,
        track: &Track,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let total = count(&stored.traf, limits)?;
        let whereabouts = stored.check_samples(track.defaults, limits)?;
        let defaults = stored.defaults(track.defaults);
        let sizes = || stored.traf.all::<Trun>().map(|trun| defaults.bytes(trun));
        if total > 0 && stored.len > stored.payload && sizes().all(|bytes| bytes == 0) {
            let unknown = "samples of unknown size: the file's `trex` is missing";
            return Err(ErrorKind::NotSliceable(unknown).into());
        }
        let flags = Flags::of(stored, track.kind, defaults, total);
        let (decoded, earlier) = decoding(stored, start, track.delay)?;
        let runs = Runs::plan(stored, defaults, flags, whereabouts, earlier)?;

        let mut tfhd = stored.traf.get::<Tfhd>().cloned().unwrap_or_default();
        tfhd.track_id = track.id;
        tfhd.base_data_offset = None;
        tfhd.full = FullBox { version: 0, flags: tfhd.full.flags | DEFAULT_BASE_IS_MOOF };
        runs.set_defaults(&mut tfhd);
        let full = FullBox { version: 1, flags: 0 };
        let tfdt = Tfdt { full, base_media_decode_time: decoded };
        Ok(Self {
            tfhd: AnyBox::new(tfhd),
            tfdt: AnyBox::new(tfdt),
            runs,
            encryption: Encryption::plan(stored, track, total)?,
            others: OtherBoxes::of_traf(&stored.traf.list),
        })
    }

    /// Bytes of the boxes in it.
    pub(super) fn len(&self) -> u64 {
        self.tfhd.len()
            + self.tfdt.len()
            + self.runs.len()
            + self.encryption.len()
            + self.others.len()
    }

    /// Writes the boxes in it, of which the first begins at byte `at` of the `moof`. The head of the
    /// fragment has `head_len` bytes.
    pub(super) fn write(&self, sink: &mut Sink, at: u64, head_len: u64) -> Result<(), Error> {
        self.tfhd.write(sink);
        self.tfdt.write(sink);
        self.runs.write(sink, head_len)?;
        let at = at + self.tfhd.len() + self.tfdt.len() + self.runs.len();
        self.encryption.write(sink, at, head_len)?;
        self.others.write(sink);
        Ok(())
    }
}

/// Returns the time at which the first sample is decoded, and the ticks to subtract from all
/// composition offsets because of it. A `tfdt` cannot be before 0.
fn decoding(stored: &Stored, start: Start, delay: u32) -> Result<(u64, i128), Error> {
    let first = stored.traf.all::<Trun>().find_map(|trun| trun.samples().next());
    let offset = first.and_then(|sample| sample.composition_offset).unwrap_or(0);
    let decoded = start.decoded(offset);
    let later = i128::from(delay).max(-decoded);
    let too_late = ErrorKind::NotSliceable("a start of more than 64 bits");
    let time = u64::try_from(decoded + later).map_err(|_| too_late)?;
    Ok((time, if first.is_some() { later } else { 0 }))
}
