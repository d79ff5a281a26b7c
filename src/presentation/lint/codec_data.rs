//! The `CodecPrivateData` of the manifest, compared with that in the header of the media.

use bytes::Bytes;

use super::called;
use crate::codec::Description;
use crate::presentation::finding::{Finding, FindingCode, Findings, label};
use crate::presentation::{Presentation, Stream, Track};

/// Reports qualities whose data in the manifest sets up another decoder than their files do.
pub(super) fn check(presentation: &Presentation, stream: &Stream, findings: &mut Findings) {
    for track in &stream.tracks {
        if let Some(why) = contradiction(presentation, track) {
            let message = format!("the `CodecPrivateData` of the {} {why}", called(stream));
            let finding = Finding::new(FindingCode::CodecDataContradicted, message);
            let finding = finding.of_track(&label(&stream.name, track.bitrate));
            findings.push(match track.stored() {
                Ok(stored) => finding.in_file(&presentation.file_name(stored.file)),
                Err(_) => finding,
            });
        }
    }
}

/// Says how the data of a track contradicts all sample entries of its file.
fn contradiction(presentation: &Presentation, track: &Track) -> Option<String> {
    let announced = track.description()?;
    let limits = presentation.limits();
    let compared = track.sample_entries().map(|entry| {
        let stored = Description::of_entry(track.kind, entry, limits).ok()?;
        (stored.tag == announced.tag).then_some(())?;
        match announced.tag.as_str() {
            "H264" | "AVC1" => pictures(&announced.private_data, &stored.private_data, avc_sps),
            "HVC1" | "HEV1" | "HEVC" => {
                pictures(&announced.private_data, &stored.private_data, hevc_sps)
            }
            "AACL" => sound(&announced.private_data, &stored.private_data),
            _ => None,
        }
    });
    // One entry that fits, or of which nothing can be said, suffices.
    let contradictions: Option<Vec<String>> = compared.collect();
    contradictions?.into_iter().next()
}

/// Compares sequence parameter sets: a decoder that is set up with another one shows nothing, or
/// pictures of another size.
fn pictures(announced: &Bytes, stored: &Bytes, is_sps: fn(&[u8]) -> bool) -> Option<String> {
    let sets = |bytes: &Bytes| -> Vec<Vec<u8>> {
        units(bytes).into_iter().filter(|unit| is_sps(unit)).map(<[u8]>::to_vec).collect()
    };
    let (announced, stored) = (sets(announced), sets(stored));
    let is_other = !announced.is_empty()
        && !stored.is_empty()
        && !announced.iter().any(|set| stored.contains(set));
    is_other.then(|| "has another sequence parameter set than its file".to_owned())
}

fn avc_sps(unit: &[u8]) -> bool {
    unit.first().is_some_and(|byte| byte & 0x1f == 7)
}

fn hevc_sps(unit: &[u8]) -> bool {
    unit.first().is_some_and(|byte| byte >> 1 & 0x3f == 33)
}

/// Cuts Annex B at its start codes of three or four bytes.
fn units(bytes: &[u8]) -> Vec<&[u8]> {
    let starts: Vec<usize> = memchr::memmem::find_iter(bytes, &[0, 0, 1]).collect();
    let unit = |(number, &start): (usize, &usize)| {
        let end = starts.get(number + 1).copied().unwrap_or(bytes.len());
        let unit = bytes.get(start + 3..end).unwrap_or_default();
        // A zero before a start code belongs to it, and no unit ends with one.
        let len = unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        &unit[..len]
    };
    starts.iter().enumerate().map(unit).collect()
}

/// Compares the sampling frequency and the channels of two configurations of AAC, if both are of the
/// same object type: signals of HE-AAC have several right forms.
///
/// Spec: ISO/IEC 14496-3, 1.6.2.1.
fn sound(announced: &Bytes, stored: &Bytes) -> Option<String> {
    let fields = |bytes: &Bytes| {
        let &[first, second] = bytes.first_chunk::<2>()?;
        let bits = u16::from_be_bytes([first, second]);
        Some((bits >> 11, bits >> 7 & 0xf, bits >> 3 & 0xf))
    };
    let ((object, rate, channels), (other, other_rate, other_channels)) =
        (fields(announced)?, fields(stored)?);
    if object != other {
        return None;
    }
    if rate != other_rate {
        return Some("says another sampling frequency than its file".to_owned());
    }
    (channels != other_channels).then(|| "says other channels than its file".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_end_where_the_next_start_code_begins() {
        let bytes = [0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x68, 4];
        assert_eq!(units(&bytes), [&[0x67, 1, 2][..], &[0x68, 3], &[0x68, 4]]);
    }

    #[test]
    fn sound_is_compared_field_by_field() {
        let of = |one: [u8; 2], other: [u8; 2]| {
            sound(&Bytes::copy_from_slice(&one), &Bytes::copy_from_slice(&other)).is_some()
        };
        // AAC-LC of 48 kHz in stereo, of 44.1 kHz, in mono; HE-AAC of 24 kHz.
        assert!(!of([0x11, 0x90], [0x11, 0x90]));
        assert!(of([0x11, 0x90], [0x12, 0x10]));
        assert!(of([0x11, 0x90], [0x11, 0x88]));
        assert!(!of([0x2b, 0x11], [0x11, 0x90]));
    }
}
