//! Properties of a track's pictures, from its sample entry and its parameter sets.

use bytes::Bytes;

use super::colour::{self, Colour, VideoRange};
use super::display::{lowest_terms, pixel_aspect};
use super::frame_rate::FrameRate;
use super::vui::Vui;
use super::{Description, annex_b, avc_parameters, hevc, hevc_parameters};
use crate::base::Limits;
use crate::bmff::{AvcC, Boxes, DvcC, DvvC, HvcC, SampleEntry, VisualSampleEntry};

/// Properties of the pictures of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pictures {
    /// Width and height of a pixel, in lowest terms; `None` if nothing declares them.
    pub(crate) pixel_aspect: Option<(u32, u32)>,
    pub(crate) colour: Option<Colour>,
    pub(crate) range: Option<VideoRange>,
    /// The rate that the parameter sets declare.
    pub(crate) frame_rate: Option<FrameRate>,
}

impl Pictures {
    /// Returns what a sample entry declares in its boxes, and else what the parameter sets declare:
    /// those of the entry, or those of the manifest if the entry has none.
    pub(crate) fn of(
        entry: Option<&SampleEntry>,
        description: Option<&Description>,
        limits: &Limits,
    ) -> Self {
        let entry = entry.and_then(|entry| VisualSampleEntry::parse(entry, limits).ok());
        let boxes = entry.map(|entry| entry.boxes).unwrap_or_default();
        let vui = of_configuration(&boxes).or_else(|| of_private_data(description?));
        let Vui { pixel_aspect: of_set, colour: of_set_colour, frame_rate } =
            vui.unwrap_or_default();
        let of_box = boxes.list.iter().find_map(pixel_aspect).and_then(lowest_terms);
        let pixel_aspect = of_box.or_else(|| {
            let (across, down) = of_set?;
            lowest_terms((across.into(), down.into()))
        });
        let colour = colour::of_boxes(&boxes).or(of_set_colour);
        let range = colour.and_then(Colour::range);
        let range = range.or_else(|| is_perceptual(&boxes).then_some(VideoRange::Pq));
        Self { pixel_aspect, colour, range, frame_rate }
    }
}

fn of_configuration(boxes: &Boxes) -> Option<Vui> {
    if let Some(avcc) = boxes.get::<AvcC>() {
        return Some(avc_parameters::vui(&avcc.sps.first()?));
    }
    let of_type = |array: &crate::bmff::NalArray| array.nal_type() == hevc::SPS;
    let sets = boxes.get::<HvcC>()?.arrays().find(of_type)?;
    Some(hevc_parameters::vui(&sets.units.first()?))
}

fn of_private_data(description: &Description) -> Option<Vui> {
    let codec = description.codec()?;
    let vui = match codec.tags {
        tags if tags.contains(&"H264") => avc_parameters::vui,
        tags if tags.contains(&"HVC1") => hevc_parameters::vui,
        _ => return None,
    };
    let is_set = |unit: &&Bytes| match unit.first() {
        Some(first) if codec.tags.contains(&"H264") => first & 0x1f == 7,
        Some(first) => first >> 1 & 0x3f == hevc::SPS,
        None => false,
    };
    let units = annex_b::split(&description.private_data).ok()?;
    units.iter().find(is_set).map(|unit| vui(unit))
}

/// Returns whether pictures are of profile 5 of Dolby Vision, which has no code points: its base
/// layer is coded for PQ.
fn is_perceptual(boxes: &Boxes) -> bool {
    let first = boxes.get::<DvcC>().map(|config| config.0);
    let config = first.or_else(|| boxes.get::<DvvC>().map(|config| config.0));
    config.is_some_and(|config| config.profile() == 5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FourCc;
    use crate::bmff::AnyBox;
    use crate::codec::{CodecTag, Format, hex};

    /// Parameter sets of x264: pixels of 4:3, BT.709, 30000/1001 frames per second.
    const SETS: &str =
        "000000016742C00DDA05067E7C39A808080A000007D20001D4C01E2855400000000168CE3C80";

    fn described() -> Description {
        let format = Format::Video { width: 320, height: 180, nal_length_size: 4 };
        Description::new(CodecTag::H264, hex(SETS).unwrap(), format)
    }

    fn of(entry: Option<&SampleEntry>, description: Option<&Description>) -> Pictures {
        Pictures::of(entry, description, &Limits::default())
    }

    #[test]
    fn the_entry_and_the_manifest_have_the_same_parameter_sets() {
        let entry = described().sample_entry().unwrap();
        let pictures = of(Some(&entry), None);
        assert_eq!(pictures, of(None, Some(&described())));
        assert_eq!(pictures.pixel_aspect, Some((4, 3)));
        assert_eq!(pictures.range, Some(VideoRange::Sdr));
        assert_eq!(pictures.frame_rate, FrameRate::new(30_000, 1001));
        assert_eq!(of(None, None), Pictures::default());
    }

    #[test]
    fn boxes_of_the_entry_take_precedence_over_parameter_sets() {
        let entry = described().sample_entry().unwrap();
        let mut visual = VisualSampleEntry::parse(&entry, &Limits::default()).unwrap();
        visual.boxes.list.push(AnyBox::other(*b"pasp", &b"\0\0\0\x20\0\0\0\x16"[..]));
        visual.boxes.list.push(AnyBox::other(*b"colr", &b"nclx\0\x09\0\x10\0\x09\0"[..]));
        let pictures = of(Some(&visual.to_entry()), None);
        assert_eq!((pictures.pixel_aspect, pictures.range), (Some((16, 11)), Some(VideoRange::Pq)));
        visual.boxes.list[1] = AnyBox::other(*b"pasp", &[0; 8][..]);
        assert_eq!(of(Some(&visual.to_entry()), None).pixel_aspect, Some((4, 3)));
    }

    #[test]
    fn dolby_vision_without_code_points_is_pq() {
        let entry = VisualSampleEntry {
            format: FourCc(*b"dvh1"),
            width: 320,
            height: 180,
            boxes: [AnyBox::other(*b"dvcC", [&[1, 0, 5 << 1, 0x35][..], &[0; 20]].concat())]
                .into_iter()
                .collect(),
        };
        assert_eq!(of(Some(&entry.to_entry()), None).range, Some(VideoRange::Pq));
    }
}
