//! The size at which pictures with non-square pixels are shown.

use super::Limits;
use super::frame_rate::greatest_common_divisor;
use crate::bmff::{AnyBox, Body, SampleEntry, VisualSampleEntry};

/// Maximum ratio between the sides of a pixel.
const MOST: u64 = 10;

/// Returns width and height, in pixels, at which pictures of this entry are shown; `None` if their
/// pixels are square. The height is that of the coded picture.
///
/// The box `pasp` takes precedence. Without it, the track's size in `tkhd` (`track`, 16.16 fixed
/// point) counts if its shape differs from that of the coded picture by more than the rows that
/// fill up a macroblock.
///
/// Spec: ISO/IEC 14496-12, 12.1.4 and 8.3.2.
pub(crate) fn display_size(
    entry: &SampleEntry,
    track: Option<(u32, u32)>,
    limits: &Limits,
) -> Option<(u32, u32)> {
    let visual = VisualSampleEntry::parse(entry, limits).ok()?;
    let (width, height) = (u64::from(visual.width), u64::from(visual.height));
    let pixel = visual.boxes.list.iter().find_map(pixel_aspect).and_then(shape);
    let (across, down) = match pixel {
        Some(pixel) => pixel,
        None => of_track((width, height), track?)?,
    };
    // Factors of at most 16, 48 and 48 bits.
    let wide = u128::from(width) * u128::from(across) + u128::from(down / 2);
    let wide = u32::try_from(wide / u128::from(down)).ok()?;
    (wide > 0 && height > 0 && u64::from(wide) != width).then_some((wide, u32::from(visual.height)))
}

/// Returns width and height of a pixel, in lowest terms, if the track's size in `tkhd` shows that
/// pixels of this entry are not square.
pub(crate) fn pixel_aspect_of_track(entry: &SampleEntry, track: (u32, u32)) -> Option<(u32, u32)> {
    let (width, height) = VisualSampleEntry::picture_size(entry)?;
    of_track((width.into(), height.into()), track).and_then(lowest_terms)
}

/// Returns a ratio in lowest terms; `None` if one of its terms is 0 or too large.
pub(crate) fn lowest_terms((across, down): (u64, u64)) -> Option<(u32, u32)> {
    let divisor = greatest_common_divisor(across, down).max(1);
    let (across, down) = (across / divisor, down / divisor);
    let (across, down) = (u32::try_from(across).ok()?, u32::try_from(down).ok()?);
    (across > 0 && down > 0).then_some((across, down))
}

/// Returns a ratio that the sides of a pixel can have.
fn shape((across, down): (u64, u64)) -> Option<(u64, u64)> {
    let is_possible = across > 0 && down > 0 && across / down < MOST && down / across < MOST;
    is_possible.then_some((across, down))
}

/// Returns the ratio of the sides of a pixel, if it differs from 1 by more than the rows that fill
/// up a macroblock.
fn of_track((width, height): (u64, u64), track: (u32, u32)) -> Option<(u64, u64)> {
    let (shown_width, shown_height) = track;
    let pixel = (u64::from(shown_width) * height, u64::from(shown_height).checked_mul(width)?);
    let (across, down) = shape(pixel)?;
    (across.abs_diff(down) > down / 50).then_some((across, down))
}

/// Returns horizontal and vertical spacing of a `pasp`.
pub(super) fn pixel_aspect(item: &AnyBox) -> Option<(u64, u64)> {
    let Body::Other(bytes) = &item.body else { return None };
    let spacing = bytes.first_chunk::<8>().filter(|_| item.header.kind == *b"pasp")?;
    let spacing = u64::from_be_bytes(*spacing);
    Some((spacing >> 32, spacing & u64::from(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FourCc;

    fn shown(coded: (u16, u16), pasp: Option<(u32, u32)>, track: (u32, u32)) -> Option<(u32, u32)> {
        let pasp = pasp.map(|(h, v)| [h.to_be_bytes(), v.to_be_bytes()].concat());
        let boxes = pasp.map(|bytes| AnyBox::other(*b"pasp", bytes)).into_iter().collect();
        let (width, height) = coded;
        let entry = VisualSampleEntry { format: FourCc(*b"avc1"), width, height, boxes };
        let track = (track.0 << 16, track.1 << 16);
        display_size(&entry.to_entry(), Some(track), &Limits::default())
    }

    #[test]
    fn pixels_that_are_not_square_widen_or_narrow_the_picture() {
        let pal = (720, 576);
        assert_eq!(shown(pal, Some((64, 45)), (1024, 576)), Some((1024, 576)));
        assert_eq!(shown(pal, Some((16, 15)), (0, 0)), Some((768, 576)));
        assert_eq!(shown((704, 480), Some((10, 11)), (704, 480)), Some((640, 480)));
        assert_eq!(shown((1440, 1080), Some((4, 3)), (1440, 1080)), Some((1920, 1080)));
    }

    #[test]
    fn square_pixels_change_nothing() {
        for pasp in [None, Some((1, 1)), Some((u32::MAX, u32::MAX))] {
            assert_eq!(shown((1280, 720), pasp, (1280, 720)), None);
            assert_eq!(shown((1280, 720), pasp, (0, 0)), None);
        }
        // `pasp` takes precedence; a size with cropped rows, or of half the picture, gives no
        // shape.
        assert_eq!(shown((1280, 720), Some((1, 1)), (1920, 720)), None);
        assert_eq!(shown((1920, 1088), None, (1920, 1080)), None);
        assert_eq!(shown((1280, 720), None, (640, 360)), None);
    }

    #[test]
    fn the_size_of_the_track_rules_where_there_is_no_usable_pasp() {
        for pasp in [None, Some((0, 0)), Some((1, 0)), Some((0, 1)), Some((u32::MAX, 1))] {
            assert_eq!(shown((720, 576), pasp, (1024, 576)), Some((1024, 576)));
            assert_eq!(shown((720, 576), pasp, (0, 0)), None);
            assert_eq!(shown((0, 0), pasp, (1024, 576)), None);
        }
        assert_eq!(shown((65_535, 1), None, (1, 65_535)), None);
    }

    #[test]
    fn the_size_of_the_track_gives_the_sides_of_a_pixel() {
        let of = |width: u32, height: u32| {
            let boxes = Default::default();
            let format = FourCc(*b"avc1");
            let entry = VisualSampleEntry { format, width: 720, height: 576, boxes };
            let track = (width << 16, height << 16);
            pixel_aspect_of_track(&entry.to_entry(), track)
        };
        assert_eq!(of(1024, 576), Some((64, 45)));
        assert_eq!((of(720, 576), of(0, 0), of(1, 65_535)), (None, None, None));
    }
}
