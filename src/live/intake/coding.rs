//! The coding that the sample entry of a track says, by which tracks are of one stream, and the bitrate.

use bytes::Bytes;

use crate::base::Limits;
use crate::bmff::{AudioSampleEntry, Body, Boxes, SampleEntry, Stsd, VisualSampleEntry};
use crate::codec::{Description, Format};
use crate::manifest::StreamKind;

/// Returns the codec of a track in lower case, such as `h264`, and behind a space the sampling rate of sound: all tracks
/// of a stream have the same. Empty for text.
///
/// Spec: CMAF, 7.3.4; DASH-IF ingest 1.2, general, 13.
pub(super) fn coding(
    kind: StreamKind,
    entry: &SampleEntry,
    description: Option<&Description>,
) -> String {
    if kind == StreamKind::Text {
        return String::new();
    }
    let Some(of) = description else {
        return String::from_utf8_lossy(&entry.format().0).trim().to_ascii_lowercase();
    };
    let codec = of.tag.as_str().to_ascii_lowercase();
    // With parameter sets among the samples or not, the codec is the same, as it is for `avc1` and `avc3`.
    let codec = match codec.as_str() {
        "hev1" => "hvc1".to_owned(),
        "dvhe" => "dvh1".to_owned(),
        _ => codec,
    };
    match of.format {
        Format::Audio { sampling_rate, .. } => format!("{codec} {sampling_rate}"),
        _ => codec,
    }
}

/// Returns the [coding](coding) of the track of such a head.
pub(in crate::live) fn coding_of(head: &Bytes, kind: StreamKind) -> Option<String> {
    let (entry, description) = entry_of(head, kind)?;
    Some(coding(kind, &entry, description.as_ref()))
}

/// Bits per second below which a header does not say what a track has: 0, or kilobits.
const LEAST: u32 = 1000;

/// Returns the bits per second that the header of a track says: on average, else at most. `None` if it says none.
///
/// Spec: ISO/IEC 14496-12, 8.5.2; ISO/IEC 14496-1, 7.2.6.6; DASH-IF ingest 1.2, general, 12.
pub(in crate::live) fn bitrate_of(head: &Bytes, kind: StreamKind) -> Option<u32> {
    let (entry, description) = entry_of(head, kind)?;
    let limits = Limits::default();
    let boxes = match kind {
        StreamKind::Video => VisualSampleEntry::parse(&entry, &limits).ok()?.boxes,
        StreamKind::Audio => AudioSampleEntry::parse(&entry, &limits).ok()?.boxes,
        StreamKind::Text => return None,
    };
    let of_codec = description.map(|description| description.bitrate);
    btrt(&boxes).or(of_codec.filter(|&bitrate| bitrate >= LEAST))
}

/// Returns what the box `btrt` says: bytes of a buffer, then the most and the average of the bits per second.
fn btrt(boxes: &Boxes) -> Option<u32> {
    let found = boxes.list.iter().find(|item| item.header.kind == *b"btrt")?;
    let Body::Other(bytes) = &found.body else { return None };
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    [word(8)?, word(4)?].into_iter().find(|&bitrate| bitrate >= LEAST)
}

fn entry_of(head: &Bytes, kind: StreamKind) -> Option<(SampleEntry, Option<Description>)> {
    let limits = Limits::default();
    let boxes = Boxes::parse(head, 0, &limits).ok()?;
    let stbl = boxes.path(&[*b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl"])?;
    let entry = stbl.get::<Stsd>()?.entries().next()?;
    let description = Description::of_entry(kind, &entry, &limits).ok();
    Some((entry, description))
}
