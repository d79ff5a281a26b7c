//! Chunks of a segment of CMAF, joined into one fragment.

use bytes::Bytes;

use super::samples::{Alike, Defaults, Sample};
use super::stored::{Parsed, Stored};
use super::written::{Head, Sample as Written};
use crate::base::{Error, ErrorKind, FourCc, Limits};
use crate::bmff::{AnyBox, Header, Sdtp, uuid::Tfxd};

/// The fragment that chunks become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whole {
    pub(crate) number: u32,
    pub(crate) track_id: u32,
    /// Start, in ticks of the track; one before 0 is in two's complement.
    pub(crate) start: u64,
    /// Each sample can be decoded on its own, if its flags do not say.
    pub(crate) are_all_sync: bool,
}

/// Returns one fragment of the samples of these, which were rewritten for Smooth Streaming and follow one
/// another; the length of its `moof`; and the sum of their durations. The first sample is shown when the fragment
/// starts: its composition offset is 0, and others are as much less, and may be negative.
///
/// # Errors
/// [`ErrorKind::NotSliceable`] if they have boxes with an entry per sample, such as those of encryption, or composition
/// offsets that are too far apart;
/// [`ErrorKind::Budget`] for too many samples.
pub(crate) fn joined(
    chunks: &[Bytes],
    whole: Whole,
    limits: &Limits,
) -> Result<(Bytes, u64, u64), Error> {
    let mut parts = Vec::with_capacity(chunks.len());
    let (mut count, mut payload) = (0, 0);
    for chunk in chunks {
        let len = chunk.len() as u64;
        let stored = match Stored::parse(chunk, 0, len, limits)? {
            Parsed::Whole(stored) => stored,
            Parsed::Needs(needs) => return Err(ErrorKind::Truncated { needs, has: len }.into()),
        };
        if !stored.traf.list.iter().all(is_joined) {
            let what = "chunks with boxes that have an entry per sample";
            return Err(ErrorKind::NotSliceable(what).into());
        }
        count += stored.samples();
        payload += stored.len - stored.payload;
        Limits::check("samples of a fragment", count, limits.samples)?;
        parts.push((chunk, stored));
    }
    let says = parts
        .iter()
        .any(|(_, stored)| samples_of(stored).any(|alike| alike.sample.has_dependency()));
    let first = parts.iter().find_map(|(_, stored)| samples_of(stored).find(|of| of.count > 0));
    let lead = first.map_or(0, |alike| alike.sample.composition_offset);
    let too_far = ErrorKind::NotSliceable("a composition offset of more than 32 bits");
    let mut samples: Vec<Written> = Vec::with_capacity(count as usize);
    for (_, stored) in &parts {
        let sdtp = stored.traf.get::<Sdtp>().map(|sdtp| &sdtp.samples[..]).unwrap_or_default();
        let mut number = 0;
        for alike in samples_of(stored) {
            for _ in 0..alike.count {
                let Sample { duration, size, flags, composition_offset } = alike.sample;
                let composition_offset =
                    composition_offset.checked_sub(lead).ok_or_else(|| too_far.clone())?;
                let of_sdtp = sdtp.get(number).copied();
                let is_sync = match of_sdtp.and_then(Sdtp::is_independent) {
                    Some(is_independent) => is_independent,
                    None if says => alike.sample.is_sync(),
                    None => whole.are_all_sync || samples.is_empty(),
                };
                let dependencies = of_sdtp.unwrap_or((flags >> 20) as u8);
                samples.push(Written { duration, size, composition_offset, is_sync, dependencies });
                number += 1;
            }
        }
    }
    let duration = samples.iter().map(|sample| u64::from(sample.duration)).sum();
    let Whole { number, track_id, start, .. } = whole;
    let head = Head { number, track_id, start, duration, samples: &samples, has_tfxd: true };
    let head = head.to_bytes(limits)?;
    let mdat = Header::new(FourCc(*b"mdat")).around(payload).len();
    let mut bytes = Vec::with_capacity(head.len() + payload as usize);
    bytes.extend_from_slice(&head);
    for (chunk, stored) in &parts {
        bytes.extend_from_slice(&chunk[stored.payload as usize..stored.len as usize]);
    }
    Ok((bytes.into(), head.len() as u64 - mdat, duration))
}

fn samples_of(stored: &Stored) -> impl Iterator<Item = Alike> + '_ {
    stored.runs(Defaults::default()).flat_map(|run| run.samples())
}

/// Returns whether what a box of a `traf` says is written for all samples, or is of no use to them. Groups of samples
/// in the clear say from where sound is right.
fn is_joined(item: &AnyBox) -> bool {
    let is_plain = matches!(
        &item.header.kind.0,
        b"tfhd" | b"tfdt" | b"trun" | b"sdtp" | b"sbgp" | b"sgpd" | b"free"
    );
    is_plain || item.header.extended == Some(Tfxd::UUID)
}
