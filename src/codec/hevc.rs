//! HEVC: `hvc1`, `hev1` and `hvcC` ◄► `HVC1`, `HEV1` with Annex B parameter sets ◄► `hvc1.1.6.L93.B0`.
//!
//! With Dolby Vision it is `dvh1` or `dvhe`, announced by that name and otherwise alike.

use std::fmt::Write;

use bytes::Bytes;

use super::bits::{Bits, without_emulation_prevention};
use super::{
    Codec, CodecTag, Description, Format, annex_b, dolby_vision, invalid, missing, picture, video,
};
use crate::base::{Error, FourCc, Limits};
use crate::bmff::{AnyBox, HvcC, NalArray, SampleEntry, VisualSampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"hvc1", *b"hev1", *b"dvh1", *b"dvhe"],
    tags: &["HVC1", "HEV1", "DVH1", "DVHE"],
    describe,
    sample_entry,
    rfc6381,
};

const VPS: u8 = 32;
pub(super) const SPS: u8 = 33;
const PPS: u8 = 34;

/// Microsoft's amendment leaves the VPS out; players want all three, in this order.
const PARAMETER_SETS: [u8; 3] = [VPS, SPS, PPS];

fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let visual = VisualSampleEntry::parse(entry, limits)?;
    let Some(hvcc) = visual.boxes.get::<HvcC>() else {
        return Err(missing(entry, "`hvcC` in the sample entry", "ISO/IEC 14496-15, 8.4.1"));
    };
    let tag = match &entry.format().0 {
        b"hev1" => CodecTag::HEV1,
        b"dvh1" => CodecTag::DVH1,
        b"dvhe" => CodecTag::DVHE,
        _ => CodecTag::HVC1,
    };
    let of_type = |kind| hvcc.arrays().filter(move |array| array.nal_type() == kind);
    let arrays: Vec<NalArray> = PARAMETER_SETS.into_iter().flat_map(of_type).collect();
    let private_data = annex_b::join(arrays.iter().flat_map(|array| array.units.iter()));
    let described = Description::new(tag, private_data, video(&visual, hvcc.nal_length_size()));
    let codecs = dolby_vision::codecs(entry.format(), &visual.boxes);
    Ok(Description { codecs, ..described })
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let units = annex_b::split(&description.private_data)?;
    let Some(sps) = of_type(&units, SPS).next() else {
        return Err(invalid("no sequence parameter set"));
    };
    let Format::Video { nal_length_size: length @ (1 | 2 | 4), .. } = description.format else {
        return Err(invalid("lengths of NAL units are not of 1, 2 or 4 bytes"));
    };
    let general =
        general(sps, length).ok_or_else(|| invalid("a sequence parameter set cut short"))?;
    let arrays = PARAMETER_SETS.map(|kind| NalArray {
        header: 0x80 | kind, // all sets of this type are here
        units: of_type(&units, kind).cloned().collect(),
    });
    let arrays = arrays.into_iter().filter(|array| !array.units.is_empty());
    let mut entry = picture(description, FourCc(format(description)))?;
    entry.boxes.list.push(AnyBox::new(HvcC::new(general, arrays)));
    Ok(entry.to_entry())
}

/// The entry's name is the tag's. What `dvcC` adds to Dolby Vision's no manifest carries: such an
/// entry sets up an HEVC decoder.
fn format(description: &Description) -> [u8; 4] {
    match description.tag.as_str().to_ascii_uppercase().as_str() {
        "HEV1" => *b"hev1",
        "DVH1" => *b"dvh1",
        "DVHE" => *b"dvhe",
        _ => *b"hvc1",
    }
}

fn of_type(units: &[Bytes], kind: u8) -> impl Iterator<Item = &Bytes> {
    units.iter().filter(move |unit| unit.first().is_some_and(|byte| byte >> 1 & 0x3f == kind))
}

/// The fixed part of `hvcC`, out of the first sequence parameter set.
///
/// Spec: ISO/IEC 14496-15, 8.3.3.1.2; the set by ITU-T H.265, 7.3.2.2.
fn general(sps: &[u8], nal_length_size: u8) -> Option<[u8; 22]> {
    let payload = without_emulation_prevention(sps);
    let mut bits = Bits::new(&payload);
    bits.skip(16 + 4)?;
    let sub_layers = bits.take(3)?;
    let nested = bits.take(1)?;
    bits.skip(96)?;
    skip_sub_layers(&mut bits, sub_layers)?;
    bits.ue()?;
    let chroma = bits.ue()?;
    if chroma == 3 {
        bits.take(1)?;
    }
    bits.ue()?; // width
    bits.ue()?; // height
    if bits.take(1)? == 1 {
        for _ in 0..4 {
            bits.ue()?; // conformance window
        }
    }
    let (luma_depth, chroma_depth) = (bits.ue()?, bits.ue()?);

    let mut general = [0; 22];
    general[0] = 1;
    general[1..13].copy_from_slice(payload.get(3..15)?); // profile, tier and level
    general[13] = 0xf0; // no spatial segmentation
    general[15] = 0xfc; // no parallelism known
    general[16] = 0xfc | chroma as u8 & 3;
    general[17] = 0xf8 | luma_depth as u8 & 7;
    general[18] = 0xf8 | chroma_depth as u8 & 7;
    general[21] = (sub_layers as u8 + 1) << 3 | (nested as u8) << 2 | (nal_length_size - 1);
    Some(general)
}

/// Returns profile, compatibility, constraints and level of a sequence parameter set, as `hvcC` has them.
///
/// Spec: ITU-T H.265, 7.3.3.
pub(super) fn profile_of(sps: &[u8]) -> Option<[u8; 12]> {
    without_emulation_prevention(sps).get(3..15)?.try_into().ok()
}

/// Profiles and levels of the sub-layers: ITU-T H.265, 7.3.3.
pub(super) fn skip_sub_layers(bits: &mut Bits<'_>, count: u32) -> Option<()> {
    if count == 0 {
        return Some(());
    }
    let present: Vec<_> = (0..8).map(|_| bits.take(2)).collect::<Option<_>>()?;
    for flags in &present[..count as usize] {
        bits.skip(if flags & 2 != 0 { 88 } else { 0 } + if flags & 1 != 0 { 8 } else { 0 })?;
    }
    Some(())
}

/// `None` for Dolby Vision, whose string has the profile and level of `dvcC`.
///
/// Spec: ISO/IEC 14496-15, annex E.3.
fn rfc6381(description: &Description) -> Option<String> {
    let kind = format(description);
    if matches!(&kind, b"dvh1" | b"dvhe") {
        return None;
    }
    let units = annex_b::split(&description.private_data).ok()?;
    let general = general(of_type(&units, SPS).next()?, 4)?;
    let profile = general[1];
    let space = ["", "A", "B", "C"][usize::from(profile >> 6)];
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    let compatibility: [u8; 4] = general[2..6].try_into().ok()?;
    let compatibility = u32::from_be_bytes(compatibility).reverse_bits();
    let kind = FourCc(kind);
    let mut text =
        format!("{kind}.{space}{}.{compatibility:X}.{tier}{}", profile & 0x1f, general[12]);
    let constraints = &general[6..12];
    let used = constraints.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    for byte in &constraints[..used] {
        write!(text, ".{byte:X}").ok()?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;
    use crate::manifest::StreamKind;

    /// Parameter sets that x265 wrote for 320 × 180, Main profile, level 2.
    const REAL: &str = "\
        0000000140010C01FFFF01600000030090000003000003003C959809\
        0000000142010101600000030090000003000003003CA00A080B9F796566924CAF016808000003000800000300\
        C840000000014401C172B46240";

    /// The start of the `hvcC` that x265 and ffmpeg wrote beside them.
    const GENERAL: &str = "0101600000009000000000003CF000FCFDF8F800000F";

    fn real() -> Description {
        let format = Format::Video { width: 320, height: 180, nal_length_size: 4 };
        Description::new(CodecTag::HVC1, hex(REAL).unwrap(), format)
    }

    #[test]
    fn private_data_becomes_a_sample_entry_and_comes_back() {
        for tag in [CodecTag::HVC1, CodecTag::HEV1, CodecTag::DVH1, CodecTag::DVHE] {
            let description = Description { tag, ..real() };
            let entry = description.sample_entry().unwrap();
            assert_eq!(entry.format().to_string().to_uppercase(), description.tag.as_str());
            let limits = Limits::default();
            let back = Description::of_entry(StreamKind::Video, &entry, &limits).unwrap();
            assert_eq!(back, description);
        }
    }

    #[test]
    fn the_configuration_is_the_one_that_the_encoder_wrote() {
        let units = annex_b::split(&real().private_data).unwrap();
        assert_eq!(general(&units[1], 4).unwrap()[..], hex(GENERAL).unwrap());
    }

    #[test]
    fn the_codec_string_names_profile_tier_level_and_constraints() {
        assert_eq!(real().rfc6381().unwrap(), "hvc1.1.6.L60.90");
        let dolby_vision = Description { tag: CodecTag::DVH1, ..real() };
        assert_eq!(dolby_vision.rfc6381(), None);
    }

    #[test]
    fn private_data_cut_anywhere_gives_no_panic() {
        let whole = hex(REAL).unwrap();
        for len in 0..whole.len() {
            let cut = Description { private_data: whole.slice(..len), ..real() };
            let _ = (cut.rfc6381(), cut.sample_entry());
        }
        let none = Description { private_data: Bytes::new(), ..real() };
        assert!(none.sample_entry().is_err());
    }
}
