//! Sequence parameter sets of HEVC.

use super::bits::{Bits, without_emulation_prevention};
use super::vui::Vui;

/// Most sets of reference pictures.
const MOST_SETS: u32 = 64;

/// Most pictures of a set, in each direction.
const MOST_PICTURES: u32 = 16;

/// Returns the properties that a sequence parameter set declares, as far as it can be read.
///
/// Spec: ITU-T H.265, 7.3.2.2.1 and annex E.
pub(super) fn vui(unit: &[u8]) -> Vui {
    let payload = without_emulation_prevention(unit);
    let mut vui = Vui::default();
    // What was read before the end is kept.
    let _ = read(&mut Bits::new(&payload), &mut vui);
    vui
}

fn read(bits: &mut Bits<'_>, vui: &mut Vui) -> Option<()> {
    bits.skip(16 + 4)?;
    let sub_layers = bits.take(3)?;
    bits.skip(1 + 96)?;
    super::hevc::skip_sub_layers(bits, sub_layers)?;
    bits.ue()?;
    if bits.ue()? == 3 {
        bits.take(1)?; // separate planes
    }
    bits.skip_ue(2)?; // width and height
    if bits.take(1)? == 1 {
        bits.skip_ue(4)?; // conformance window
    }
    bits.skip_ue(2)?; // bit depths
    let order_bits = bits.ue()?.checked_add(4)?;
    let is_of_each = bits.take(1)? == 1;
    for _ in if is_of_each { 0 } else { sub_layers }..=sub_layers {
        bits.skip_ue(3)?; // buffering
    }
    bits.skip_ue(6)?; // sizes of blocks
    if bits.take(1)? == 1 && bits.take(1)? == 1 {
        skip_scaling_lists(bits)?;
    }
    bits.take(2)?;
    if bits.take(1)? == 1 {
        bits.take(8)?;
        bits.skip_ue(2)?;
        bits.take(1)?; // PCM
    }
    skip_reference_sets(bits)?;
    if bits.take(1)? == 1 {
        let count = bits.ue()?;
        for _ in 0..count.min(32) {
            bits.skip(order_bits as usize + 1)?; // long-term pictures
        }
    }
    bits.take(2)?;
    if bits.take(1)? == 1 {
        vui.read_common(bits)?;
        bits.take(1)?;
        let is_of_fields = bits.take(1)? == 1;
        bits.take(1)?;
        if bits.take(1)? == 1 {
            bits.skip_ue(4)?; // default window
        }
        vui.read_timing(bits, if is_of_fields { 2 } else { 1 })?;
    }
    Some(())
}

/// Spec: ITU-T H.265, 7.3.4.
fn skip_scaling_lists(bits: &mut Bits<'_>) -> Option<()> {
    for size in 0..4 {
        for _ in (0..6).step_by(if size == 3 { 3 } else { 1 }) {
            if bits.take(1)? == 0 {
                bits.ue()?;
                continue;
            }
            if size > 1 {
                bits.ue()?;
            }
            for _ in 0..64.min(1 << (4 + 2 * size)) {
                bits.ue()?;
            }
        }
    }
    Some(())
}

/// Spec: ITU-T H.265, 7.3.7.
fn skip_reference_sets(bits: &mut Bits<'_>) -> Option<()> {
    let count = bits.ue().filter(|&count| count <= MOST_SETS)?;
    let mut pictures = 0;
    for set in 0..count {
        if set > 0 && bits.take(1)? == 1 {
            bits.take(1)?;
            bits.ue()?;
            let mut kept = 0;
            // Of the set before, and the picture that refers to it.
            for _ in 0..=pictures {
                let is_used = bits.take(1)? == 1;
                kept += u32::from(is_used || bits.take(1)? == 1);
            }
            pictures = kept;
        } else {
            let few = |&count: &u32| count <= MOST_PICTURES;
            pictures = bits.ue().filter(few)? + bits.ue().filter(few)?;
            for _ in 0..pictures {
                bits.ue()?;
                bits.take(1)?;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;

    /// Sets that x265 wrote, and what ffprobe says of them: pixel aspect ratio, frame rate and
    /// dynamic range.
    const REAL: [(&str, (u32, u32), &str, &str); 3] = [
        (
            "42010102200000030090000003000003003CA00A080B9F6D96566924CAF016A1224120800001F48000753004",
            (1, 1),
            "60000/1001",
            "HLG",
        ),
        (
            "42010102200000030090000003000003003CA00A480B9D5365959649395E0AD42440241000003E900005DC0080",
            (40, 33),
            "24000/1001",
            "PQ",
        ),
        (
            "42010101600000030090000003000003003CA00A080B9F796566924E5780B404000003000400000300C9803261B800493C00124F88",
            (1, 1),
            "50",
            "none",
        ),
    ];

    #[test]
    fn pixel_aspect_frame_rate_and_range_are_those_that_ffprobe_finds() {
        for (set, aspect, rate, range) in REAL {
            let vui = vui(&hex(set).unwrap());
            assert_eq!(vui.pixel_aspect, Some(aspect), "{set}");
            assert_eq!(vui.frame_rate.unwrap().to_string(), rate, "{set}");
            let found = vui.colour.and_then(|colour| colour.range());
            assert_eq!(found.map_or("none", |range| range.as_str()), range, "{set}");
        }
    }

    #[test]
    fn a_set_that_is_cut_anywhere_gives_no_panic_and_nothing_wrong() {
        for (set, aspect, ..) in REAL {
            let whole = hex(set).unwrap();
            for len in 0..whole.len() {
                let cut = vui(&whole[..len]);
                assert!(cut.pixel_aspect.is_none_or(|found| found == aspect), "{len}");
            }
        }
    }
}
