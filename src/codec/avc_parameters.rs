//! Sequence parameter sets of H.264.

use super::bits::{Bits, without_emulation_prevention};
use super::vui::Vui;

/// Most frames that the order of pictures may count on.
const MOST_OFFSETS: u32 = 255;

/// Returns the properties that a sequence parameter set declares, as far as it can be read.
///
/// Spec: ISO/IEC 14496-10, 7.3.2.1.1 and annex E.
pub(super) fn vui(unit: &[u8]) -> Vui {
    let payload = without_emulation_prevention(unit);
    let mut vui = Vui::default();
    // What was read before the end is kept.
    let _ = read(&mut Bits::new(&payload), &mut vui);
    vui
}

fn read(bits: &mut Bits<'_>, vui: &mut Vui) -> Option<()> {
    bits.skip(8)?;
    let profile = bits.take(8)?;
    bits.skip(16)?;
    bits.ue()?;
    if has_formats(profile) {
        let chroma = bits.ue()?;
        if chroma == 3 {
            bits.take(1)?;
        }
        bits.skip_ue(2)?; // bit depths
        bits.take(1)?;
        if bits.take(1)? == 1 {
            for list in 0..if chroma == 3 { 12 } else { 8 } {
                if bits.take(1)? == 1 {
                    skip_scaling_list(bits, if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.ue()?;
    match bits.ue()? {
        0 => _ = bits.ue()?,
        1 => {
            bits.take(1)?;
            bits.skip_ue(2)?;
            let count = bits.ue().filter(|&count| count <= MOST_OFFSETS)?;
            bits.skip_ue(count)?;
        }
        _ => {}
    }
    bits.ue()?; // reference frames
    bits.take(1)?;
    bits.skip_ue(2)?; // width and height
    if bits.take(1)? == 0 {
        bits.take(1)?; // fields
    }
    bits.take(1)?;
    if bits.take(1)? == 1 {
        bits.skip_ue(4)?; // cropping
    }
    if bits.take(1)? == 1 {
        vui.read_common(bits)?;
        // A tick is a field.
        vui.read_timing(bits, 2)?;
    }
    Some(())
}

/// Returns whether sets of a profile have chroma format, bit depths and scaling lists.
fn has_formats(profile: u32) -> bool {
    matches!(profile, 44 | 83 | 86 | 100 | 110 | 118 | 122 | 128 | 134 | 135 | 138 | 139 | 244)
}

/// Spec: ISO/IEC 14496-10, 7.3.2.1.1.1.
fn skip_scaling_list(bits: &mut Bits<'_>, size: usize) -> Option<()> {
    let (mut last, mut next) = (8, 8);
    for _ in 0..size {
        if next != 0 {
            next = (last + bits.se()?).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::VideoRange;
    use crate::codec::hex;

    /// Sets that x264 wrote, and what ffprobe says of them: pixel aspect ratio and frame rate.
    const REAL: [(&str, (u32, u32), &str); 3] = [
        ("6742C00DDA05067E7C39A808080A000007D20001D4C01E285540", (4, 3), "30000/1001"),
        ("67640015ACD941533CD27FE0080005AD9000000300100000030321F1429960", (64, 45), "25"),
        (
            "6764002AACD940780227E5C04400000300040000030191810000B71B00016E36934E01E30632C0",
            (1, 1),
            "50",
        ),
    ];

    #[test]
    fn pixel_aspect_and_frame_rate_are_those_that_ffprobe_finds() {
        for (set, aspect, rate) in REAL {
            let vui = vui(&hex(set).unwrap());
            assert_eq!(vui.pixel_aspect, Some(aspect), "{set}");
            assert_eq!(vui.frame_rate.unwrap().to_string(), rate, "{set}");
        }
    }

    #[test]
    fn colour_is_read_and_one_that_is_not_there_is_not_made_up() {
        let of = |number: usize| vui(&hex(REAL[number].0).unwrap()).colour;
        let bt709 = of(0).unwrap();
        assert_eq!((bt709.primaries, bt709.transfer, bt709.matrix), (1, 1, 1));
        assert_eq!((bt709.range(), bt709.is_full_range), (Some(VideoRange::Sdr), false));
        let full = of(1).unwrap();
        assert_eq!((full.range(), full.is_full_range), (None, true));
        assert_eq!(of(2), None);
    }

    #[test]
    fn a_set_that_is_cut_anywhere_gives_no_panic_and_nothing_wrong() {
        for (set, aspect, _) in REAL {
            let whole = hex(set).unwrap();
            for len in 0..whole.len() {
                let cut = vui(&whole[..len]);
                assert!(cut.pixel_aspect.is_none_or(|found| found == aspect), "{len}");
            }
        }
    }
}
