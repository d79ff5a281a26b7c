//! The times that a live fragment tells: its own (`tfxd`), and those of the next ones (`tfrf`).

use bytes::Bytes;

use super::Lengths;
use super::edited::{Slot, edited};
use super::media_data::{Behind, header_at, mdat_behind, total};
use crate::base::{Error, ErrorKind, FourCc, Limits};
use crate::bmff::uuid::{Tfrf, TfrfEntry, Tfxd};
use crate::bmff::{AnyBox, Body, FullBox, Trex};

/// Times are written in 64 bits: some players read no others.
const WIDE: FullBox = FullBox { version: 1, flags: 0 };

/// Returns a fragment (`moof` and `mdat`) that announces the next ones, nearest first, and its lengths.
///
/// `tfrf` is put behind `tfxd`, in place of an older one, and of a `free` box that an encoder left there
/// for it. No box but these changes, apart from sizes and offsets; the samples stay as they are. With
/// nothing to announce, the fragment has no `tfrf`.
///
/// # Errors
/// Errors of a fragment that cannot be read; [`ErrorKind::NotSliceable`] if its offsets cannot be kept
/// right.
///
/// Spec: [MS-SSTR] 2.2.4.5.
pub(crate) fn with_tfrf(
    fragment: &Bytes,
    next: &[TfrfEntry],
    limits: &Limits,
) -> Result<(Bytes, Lengths), Error> {
    changed(fragment, limits, |slots| {
        slots.retain(|slot| !slot.is_extended(Tfrf::UUID));
        if next.is_empty() {
            return Ok(());
        }
        let behind = slots.iter().position(|slot| slot.is_extended(Tfxd::UUID));
        let behind = behind.map_or(slots.len(), |at| at + 1);
        if slots.get(behind).is_some_and(|slot| slot.item.header.kind == *b"free") {
            slots.remove(behind);
        }
        let tfrf = Tfrf { full: WIDE, entries: next.to_vec() };
        slots.insert(behind, Slot::new(AnyBox::new(tfrf)));
        Ok(())
    })
}

/// Returns a fragment (`moof` and `mdat`) with this start and this duration, in ticks of the track, and its
/// lengths. `tfxd` becomes one of 64 bits if it is not; a fragment without one gets it as the last
/// box of its `traf`. A `tfdt`, which tells another time, is left out.
///
/// # Errors
/// As [`with_tfrf`].
///
/// Spec: [MS-SSTR] 2.2.4.4.
pub(crate) fn with_time(
    fragment: &Bytes,
    time: u64,
    duration: u64,
    limits: &Limits,
) -> Result<(Bytes, Lengths), Error> {
    changed(fragment, limits, |slots| {
        set_time(slots, time, duration);
        Ok(())
    })
}

/// Returns a fragment (`moof` and `mdat`) of the track that one `trex` is of as one of another's, and its lengths. What it
/// left to the first `trex`, and what the second says otherwise, is written into its `tfhd`; the samples stay as they are.
///
/// # Errors
/// As [`with_tfrf`].
///
/// Spec: ISO/IEC 14496-12, 8.8.7.
pub(crate) fn of_other_track(
    fragment: &Bytes,
    from: &Trex,
    to: &Trex,
    limits: &Limits,
) -> Result<(Bytes, Lengths), Error> {
    let explicit = |field: &mut Option<u32>, own: u32, other: u32| {
        if own != other {
            field.get_or_insert(own);
        }
    };
    changed(fragment, limits, |slots| {
        for slot in slots {
            let Body::Tfhd(tfhd) = &mut slot.item.body else { continue };
            tfhd.track_id = to.track_id;
            explicit(
                &mut tfhd.sample_description_index,
                from.default_sample_description_index,
                to.default_sample_description_index,
            );
            explicit(
                &mut tfhd.default_sample_duration,
                from.default_sample_duration,
                to.default_sample_duration,
            );
            explicit(
                &mut tfhd.default_sample_size,
                from.default_sample_size,
                to.default_sample_size,
            );
            explicit(
                &mut tfhd.default_sample_flags,
                from.default_sample_flags,
                to.default_sample_flags,
            );
        }
        Ok(())
    })
}

/// Returns a `moof` with this start and this duration, and with its runs at the right offsets if the payload
/// of the `mdat` follows `mdat_header` bytes after it. It was `payload` bytes after the start of the old
/// `moof`. If `begins_at_payload`, the one run had a wrong offset, and its samples are all of the payload.
///
/// # Errors
/// As [`with_tfrf`].
pub(crate) fn timed_moof(
    moof: &Bytes,
    (payload, mdat_header): (u64, u64),
    begins_at_payload: bool,
    (time, duration): (u64, u64),
    limits: &Limits,
) -> Result<Bytes, Error> {
    let dropped = payload as i64 - (moof.len() as u64 + mdat_header) as i64;
    edited(moof, dropped, limits, |slots| {
        let tfxd = slots.iter().find_map(|slot| match &slot.item.body {
            Body::Tfxd(tfxd) => Some(tfxd),
            _ => None,
        });
        let is_same =
            |tfxd: &Tfxd| (tfxd.time, tfxd.duration) == (time, duration) && tfxd.full.version > 0;
        if !tfxd.is_some_and(is_same) {
            set_time(slots, time, duration);
        }
        if begins_at_payload {
            let too_large = |_| ErrorKind::NotSliceable("a `moof` of more than 2 GiB");
            let offset = i32::try_from(payload).map_err(too_large)?;
            for slot in slots {
                if let Body::Trun(trun) = &mut slot.item.body {
                    trun.data_offset = Some(offset);
                }
            }
        }
        Ok(())
    })
}

fn set_time(slots: &mut Vec<Slot>, time: u64, duration: u64) {
    // It would tell the time of before.
    slots.retain(|slot| slot.item.header.kind != *b"tfdt");
    let found = slots.iter_mut().find(|slot| slot.is_extended(Tfxd::UUID));
    match found {
        Some(slot) => match &mut slot.item.body {
            // What a later version adds behind the times stays.
            Body::Tfxd(tfxd) => {
                let version = tfxd.full.version.max(1);
                let full = FullBox { version, ..tfxd.full };
                *tfxd = Tfxd { full, time, duration };
            }
            _ => slot.item = AnyBox::new(Tfxd { full: WIDE, time, duration }),
        },
        None => slots.push(Slot::new(AnyBox::new(Tfxd { full: WIDE, time, duration }))),
    }
}

/// Returns a fragment (`moof` and `mdat`) whose `traf` was changed, and its lengths.
///
/// # Errors
/// As [`with_tfrf`], and those of `change`.
pub(super) fn changed(
    fragment: &Bytes,
    limits: &Limits,
    change: impl FnOnce(&mut Vec<Slot>) -> Result<(), Error>,
) -> Result<(Bytes, Lengths), Error> {
    let has = fragment.len() as u64;
    let cut_off = |needs| Error::from(ErrorKind::Truncated { needs, has });
    let header = header_at(fragment, 0, 0, has)?.ok_or_else(|| cut_off(8))?;
    let moof_len = total(&header, 0, 0, has)?;
    let (payload, len) = match mdat_behind(fragment, 0, moof_len, has)? {
        Behind::Mdat { payload, len } => (payload, len),
        Behind::Needs(needs) => return Err(cut_off(needs)),
    };
    let moof = fragment.slice(..moof_len as usize);
    let edited = edited(&moof, 0, limits, change);
    let edited = edited.map_err(|error| error.inside(FourCc(*b"moof")))?;
    let lengths = |moof: u64| {
        let moved = |at: u64| at - moof_len + moof;
        Lengths { moof, payload: moved(payload), len: moved(len) }
    };
    if edited == moof {
        return Ok((fragment.slice(..len as usize), lengths(moof_len)));
    }
    let behind = &fragment[moof_len as usize..len as usize];
    let mut bytes = Vec::with_capacity(edited.len() + behind.len());
    bytes.extend_from_slice(&edited);
    bytes.extend_from_slice(behind);
    Ok((bytes.into(), lengths(edited.len() as u64)))
}
