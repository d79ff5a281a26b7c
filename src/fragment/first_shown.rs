//! A fragment whose first sample is shown when the fragment starts.

use bytes::Bytes;

use super::Lengths;
use super::edited::Slot;
use super::look_ahead::changed;
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{Body, Trun, TrunSample, uuid::Tfxd};

/// Returns a fragment (`moof` and `mdat`) whose first sample is shown when it starts, by its `tfxd`, and its lengths:
/// the composition offset of the first sample is 0, and others are as much less, and may be negative. `tfdt` says the
/// start, too. Everything else stays as it is, so samples may be encrypted.
///
/// # Errors
/// Errors of a fragment that cannot be read; [`ErrorKind::NotSliceable`] if some runs have composition offsets and
/// others do not, or if they are too far apart.
///
/// Spec: [MS-SSTR] 2.2.4.4; ISO/IEC 14496-12, 8.8.8.
pub(crate) fn shown_at_start(fragment: &Bytes, limits: &Limits) -> Result<(Bytes, Lengths), Error> {
    changed(fragment, limits, |slots| {
        let runs =
            || slots.iter().filter_map(|slot| run_of(slot)).filter(|run| run.sample_count > 0);
        let first = runs().next().and_then(|run| run.samples().next());
        let lead = first.and_then(|first| first.composition_offset).unwrap_or(0);
        if lead == 0 {
            return Ok(());
        }
        if runs().any(|run| !run.full.has(Trun::COMPOSITION_OFFSET)) {
            let what = "runs with and without composition offsets";
            return Err(ErrorKind::NotSliceable(what).into());
        }
        let start = slots.iter().find_map(|slot| match &slot.item.body {
            Body::Tfxd(Tfxd { time, .. }) => Some(*time),
            _ => None,
        });
        for slot in slots {
            match &mut slot.item.body {
                Body::Trun(run) => *run = earlier(run, lead)?,
                Body::Tfdt(tfdt) => {
                    tfdt.base_media_decode_time = start.unwrap_or(tfdt.base_media_decode_time);
                }
                _ => {}
            }
        }
        Ok(())
    })
}

fn run_of(slot: &Slot) -> Option<&Trun> {
    match &slot.item.body {
        Body::Trun(run) => Some(run),
        _ => None,
    }
}

/// Returns a run whose samples, each of which has a composition offset, are shown earlier. They take bytes, so there
/// are no more than there is room for.
fn earlier(run: &Trun, by: i32) -> Result<Trun, Error> {
    let too_far = ErrorKind::NotSliceable("a composition offset of more than 32 bits");
    let samples = run.samples().map(|sample| {
        let offset = sample.composition_offset.unwrap_or(0).checked_sub(by);
        let composition_offset = Some(offset.ok_or_else(|| too_far.clone())?);
        Ok(TrunSample { composition_offset, ..sample })
    });
    let samples: Vec<TrunSample> = samples.collect::<Result<_, Error>>()?;
    let mut run = run.with_samples(&samples);
    // Offsets are signed.
    run.full.version = 1;
    Ok(run)
}
