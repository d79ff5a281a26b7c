//! Tracks of progressive files of which no fragments are made, although their samples have places.

use std::collections::HashMap;

use super::tracks::MediaTrack;
use super::trouble::Trouble;
use crate::base::Limits;
use crate::bmff::{Boxes, Tkhd};
use crate::codec::encryption;
use crate::index::sample_table::is_elsewhere;
use crate::presentation::FindingCode;

/// Sample entries of encrypted samples: of common encryption, and of FairPlay.
const ENCRYPTED: [[u8; 4]; 6] = [*b"encv", *b"enca", *b"enct", *b"encs", *b"drmi", *b"drms"];

/// Refuses tracks whose samples are encrypted, and those whose samples are in another file.
///
/// What decryption needs to know about each sample (`senc`, or `saiz` and `saio`, in the `stbl`) would have
/// to be in each fragment.
///
/// Spec: ISO/IEC 14496-12, 8.7.2 and 8.12; ISO/IEC 23001-7, 7.
pub(super) fn refuse(tracks: &mut [MediaTrack], moov: &Boxes, limits: &Limits) {
    let mut elsewhere: HashMap<u32, bool> = HashMap::new();
    for trak in moov.each(*b"trak") {
        if let Some(tkhd) = trak.get::<Tkhd>() {
            // The first of a number counts.
            elsewhere.entry(tkhd.track_id).or_insert_with(|| is_elsewhere(trak));
        }
    }
    for track in tracks {
        let is_encrypted = track.entry.as_ref().is_some_and(|entry| {
            ENCRYPTED.iter().any(|kind| entry.format() == *kind)
                || encryption(entry, limits).is_some()
        });
        let trouble = if elsewhere.get(&track.track_id) == Some(&true) {
            Trouble::not_sliceable(
                FindingCode::SamplesElsewhere,
                "the samples of a progressive track are in another file",
            )
        } else if is_encrypted {
            Trouble::not_sliceable(
                FindingCode::SamplesEncrypted,
                "the samples of a progressive track are encrypted",
            )
        } else {
            continue;
        };
        track.tables = None;
        track.fragments = Err(trouble);
    }
}
