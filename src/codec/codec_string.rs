//! Codec strings of tracks that have both a sample entry and a manifest.

use super::{Description, protected};
use crate::base::Limits;
use crate::bmff::SampleEntry;
use crate::manifest::StreamKind;

/// Returns the `codecs` parameter for an initialization segment with this sample entry, or with an
/// entry that is made from the manifest if there is none. `None` if the codec has no such string.
///
/// The entry takes precedence, because it is what players get. The manifest counts for AAC, whose
/// configuration need not say that bandwidth is replicated, and for codecs that are not known.
pub(crate) fn codec_string(
    kind: StreamKind,
    entry: Option<&SampleEntry>,
    description: Option<&Description>,
    limits: &Limits,
) -> Option<String> {
    let of_manifest = || description.and_then(Description::rfc6381);
    let stored = entry.and_then(|entry| Description::of_entry(kind, entry, limits).ok());
    let Some(mut stored) = stored else { return of_manifest() };
    if let Some(said) = description.filter(|said| is_aac(said) && is_aac(&stored)) {
        stored.tag = said.tag.clone();
    }
    let string = stored.rfc6381().or_else(of_manifest)?;
    let format = protected::original(entry?, limits).ok()?.format();
    match string.strip_prefix("avc1") {
        // Parameter sets may also be in the samples.
        Some(rest) if format == *b"avc3" => Some(format!("avc3{rest}")),
        _ => Some(string),
    }
}

fn is_aac(description: &Description) -> bool {
    let tag = description.tag.as_str().to_ascii_uppercase();
    matches!(tag.as_str(), "AACL" | "AACH" | "AACP" | "AAC")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FourCc;
    use crate::bmff::{Boxes, VisualSampleEntry};
    use crate::codec::{CodecTag, Format, hex};

    const AUDIO: Format = Format::Audio {
        sampling_rate: 48_000,
        channels: 2,
        bits_per_sample: 16,
        packet_size: 4,
        audio_tag: 255,
    };

    fn string(
        kind: StreamKind,
        entry: Option<&SampleEntry>,
        said: Option<&Description>,
    ) -> Option<String> {
        codec_string(kind, entry, said, &Limits::default())
    }

    #[test]
    fn the_entry_takes_precedence_but_for_profiles_of_aac() {
        let format = Format::Video { width: 480, height: 270, nal_length_size: 4 };
        let sets = |level| format!("00000001676400{level}ACD941E08FEB01100000000168EBECB22C");
        let video =
            |level| Description::new(CodecTag::H264, hex(&sets(level)).unwrap(), format.clone());
        let mut entry = video("15").sample_entry().unwrap();
        let (kind, said) = (StreamKind::Video, video("28"));
        assert_eq!(string(kind, Some(&entry), Some(&said)).unwrap(), "avc1.640015");
        assert_eq!(string(kind, None, Some(&said)).unwrap(), "avc1.640028");
        entry.header.kind = FourCc(*b"avc3");
        assert_eq!(string(kind, Some(&entry), None).unwrap(), "avc3.640015");
        let core = Description::new(CodecTag::AACL, hex("1310").unwrap(), AUDIO);
        let entry = core.sample_entry().unwrap();
        let said = Description { tag: CodecTag::AACH, ..core };
        assert_eq!(string(StreamKind::Audio, Some(&entry), Some(&said)).unwrap(), "mp4a.40.5");
        assert_eq!(string(StreamKind::Audio, Some(&entry), None).unwrap(), "mp4a.40.2");
    }

    #[test]
    fn codecs_whose_name_is_their_string_need_no_configuration() {
        for (tag, says) in [("DTSC", "dtsc"), ("dtse", "dtse"), ("FLAC", "fLaC")] {
            let said = Description::new(CodecTag::new(tag), hex("").unwrap(), AUDIO);
            assert_eq!(string(StreamKind::Audio, None, Some(&said)).as_deref(), Some(says));
        }
        let entry = VisualSampleEntry {
            format: FourCc(*b"av01"),
            width: 320,
            height: 180,
            boxes: Boxes::default(),
        };
        assert_eq!(string(StreamKind::Video, Some(&entry.to_entry()), None), None);
        assert_eq!(string(StreamKind::Text, None, None), None);
    }
}
