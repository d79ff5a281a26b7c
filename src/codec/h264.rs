//! H.264: `avc1` and `avcC` ◄► `H264` with Annex B parameter sets ◄► `avc1.PPCCLL`.
//!
//! With Dolby Vision it is `dva1` or `dvav`, announced by that name and with the same private data.
//! That is what players know of the HEVC kinds; for these two it is unconfirmed.

use bytes::Bytes;

use super::bits::{Bits, without_emulation_prevention};
use super::{
    Codec, CodecTag, Description, Format, annex_b, dolby_vision, invalid, missing, picture, video,
};
use crate::base::{Error, FourCc, Limits};
use crate::bmff::{AnyBox, AvcC, SampleEntry, VisualSampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"avc1", *b"avc3", *b"dva1", *b"dvav"],
    tags: &["H264", "AVC1", "X264", "DAVC", "DVA1", "DVAV"],
    describe,
    sample_entry,
    rfc6381,
};

const SPS: u8 = 7;
const PPS: u8 = 8;

fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let visual = VisualSampleEntry::parse(entry, limits)?;
    let Some(avcc) = visual.boxes.get::<AvcC>() else {
        return Err(missing(entry, "`avcC` in the sample entry", "ISO/IEC 14496-15, 5.4.2"));
    };
    let tag = match &entry.format().0 {
        b"dva1" => CodecTag::new("DVA1"),
        b"dvav" => CodecTag::new("DVAV"),
        _ => CodecTag::H264,
    };
    let private_data = annex_b::join(avcc.sps.iter().chain(avcc.pps.iter()));
    let described = Description::new(tag, private_data, video(&visual, avcc.nal_length_size()));
    let codecs = dolby_vision::codecs(entry.format(), &visual.boxes);
    Ok(Description { codecs, ..described })
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let (sps, pps) = parameter_sets(description)?;
    let Some([profile, compatibility, level]) = sps.first().and_then(profile_of) else {
        return Err(invalid("no sequence parameter set"));
    };
    let Format::Video { nal_length_size: length @ (1 | 2 | 4), .. } = description.format else {
        return Err(invalid("lengths of NAL units are not of 1, 2 or 4 bytes"));
    };
    let rest = formats_of(profile, &sps[0]).unwrap_or_default();
    let avcc = AvcC {
        configuration_version: 1,
        profile,
        compatibility,
        level,
        length_size: 0xfc | (length - 1),
        sps_reserved: 0xe0,
        sps: sps.into_iter().collect(),
        pps: pps.into_iter().collect(),
    };
    let mut entry =
        picture(description, FourCc(with_dolby_vision(description).unwrap_or(*b"avc1")))?;
    entry.boxes.list.push(AnyBox { rest, ..AnyBox::new(avcc) });
    Ok(entry.to_entry())
}

/// The entry of a track with Dolby Vision. What `dvcC` adds there no manifest carries.
fn with_dolby_vision(description: &Description) -> Option<[u8; 4]> {
    match description.tag.as_str().to_ascii_uppercase().as_str() {
        "DVA1" => Some(*b"dva1"),
        "DVAV" => Some(*b"dvav"),
        _ => None,
    }
}

fn rfc6381(description: &Description) -> Option<String> {
    if with_dolby_vision(description).is_some() {
        return None; // its profile and level are Dolby's
    }
    let (sps, _) = parameter_sets(description).ok()?;
    let [profile, compatibility, level] = profile_of(sps.first()?)?;
    Some(format!("avc1.{profile:02X}{compatibility:02X}{level:02X}"))
}

fn parameter_sets(description: &Description) -> Result<(Vec<Bytes>, Vec<Bytes>), Error> {
    let units = annex_b::split(&description.private_data)?;
    let of = |kind| {
        let of_kind = units.iter().filter(|unit| unit.first().is_some_and(|b| b & 0x1f == kind));
        of_kind.cloned().collect()
    };
    Ok((of(SPS), of(PPS)))
}

/// Profile, constraint flags and level: the three bytes after the NAL header.
pub(super) fn profile_of(sps: &Bytes) -> Option<[u8; 3]> {
    sps.get(1..4)?.try_into().ok()
}

/// Returns the fields that `avcC` adds for the high profiles: chroma format and bit depths.
///
/// Spec: ISO/IEC 14496-15, 5.3.3.1.2.
fn formats_of(profile: u8, sps: &Bytes) -> Option<Bytes> {
    if !matches!(profile, 100 | 110 | 122 | 144) {
        return None;
    }
    let payload = without_emulation_prevention(sps);
    let mut bits = Bits::new(&payload);
    bits.skip(32)?;
    bits.ue()?;
    let chroma = bits.ue()?;
    if chroma == 3 {
        bits.take(1)?;
    }
    let (luma_depth, chroma_depth) = (bits.ue()?, bits.ue()?);
    let byte = |reserved: u8, value: u32| Some(reserved | u8::try_from(value).ok()? & !reserved);
    Some(vec![byte(0xfc, chroma)?, byte(0xf8, luma_depth)?, byte(0xf8, chroma_depth)?, 0].into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;
    use crate::manifest::StreamKind;

    /// CodecPrivateData of a real encoder: High profile, 4-byte start codes.
    const REAL: &str = "0000000167640015ACD941E08FEB011000003E90000EA600F162D9600000000168EBECB22C";

    fn real() -> Description {
        let format = Format::Video { width: 480, height: 270, nal_length_size: 4 };
        Description::new(CodecTag::H264, hex(REAL).unwrap(), format)
    }

    #[test]
    fn private_data_becomes_a_sample_entry_and_comes_back() {
        let entry = real().sample_entry().unwrap();
        let limits = Limits::default();
        assert_eq!(Description::of_entry(StreamKind::Video, &entry, &limits).unwrap(), real());
        let visual = VisualSampleEntry::parse(&entry, &limits).unwrap();
        assert_eq!((visual.width, visual.height), (480, 270));
        // 4:2:0, 8 bits, as the sequence parameter set says.
        assert_eq!(visual.boxes.list[0].rest, [0xfd, 0xf8, 0xf8, 0][..]);
    }

    #[test]
    fn the_codec_string_is_the_three_bytes_of_the_sequence_parameter_set() {
        assert_eq!(real().rfc6381().unwrap(), "avc1.640015");
        let avc1 = Description { tag: CodecTag::AVC1, ..real() };
        assert_eq!(avc1.rfc6381().unwrap(), "avc1.640015");
    }

    #[test]
    fn dolby_vision_keeps_its_name_and_has_no_codec_string() {
        for (tag, format) in [("DVA1", b"dva1"), ("DVAV", b"dvav")] {
            let said = Description { tag: CodecTag::new(tag), ..real() };
            let entry = said.sample_entry().unwrap();
            assert_eq!(entry.format(), *format);
            let back = Description::of_entry(StreamKind::Video, &entry, &Limits::default());
            assert_eq!(back.unwrap(), said);
            assert_eq!(said.rfc6381(), None);
        }
    }

    #[test]
    fn private_data_without_parameter_sets_gives_an_error_and_no_string() {
        for data in ["", "00000001", "0000000167", "0000000168EB", "FFFF"] {
            let broken = Description { private_data: hex(data).unwrap(), ..real() };
            assert_eq!(broken.rfc6381(), None, "{data}");
            assert!(broken.sample_entry().is_err(), "{data}");
        }
        let format = Format::Video { width: 480, height: 270, nal_length_size: 3 };
        assert!(Description { format, ..real() }.sample_entry().is_err());
    }
}
