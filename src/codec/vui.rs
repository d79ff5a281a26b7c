//! Video usability information: properties of pictures that a sequence parameter set declares.

use super::bits::Bits;
use super::colour::{Colour, UNSPECIFIED};
use super::frame_rate::FrameRate;

/// Properties that a sequence parameter set declares, as far as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Vui {
    /// Width and height of a pixel.
    pub(super) pixel_aspect: Option<(u32, u32)>,
    pub(super) colour: Option<Colour>,
    pub(super) frame_rate: Option<FrameRate>,
}

/// `sample_aspect_ratio` by `aspect_ratio_idc`, from 1.
const ASPECTS: [(u32, u32); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

const EXTENDED_ASPECT: u32 = 255;

impl Vui {
    /// Reads the fields that H.264 and HEVC have in common.
    ///
    /// Spec: ISO/IEC 14496-10 and ITU-T H.265, annex E.
    pub(super) fn read_common(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        if bits.take(1)? == 1 {
            let (width, height) = match bits.take(8)? {
                EXTENDED_ASPECT => (bits.take(16)?, bits.take(16)?),
                index => *ASPECTS.get((index as usize).wrapping_sub(1)).unwrap_or(&(0, 0)),
            };
            self.pixel_aspect = (width > 0 && height > 0).then_some((width, height));
        }
        if bits.take(1)? == 1 {
            bits.take(1)?; // overscan
        }
        if bits.take(1)? == 1 {
            bits.take(3)?; // format
            let is_full_range = bits.take(1)? == 1;
            if bits.take(1)? == 1 {
                let (primaries, transfer) = (bits.take(8)? as u8, bits.take(8)? as u8);
                let matrix = bits.take(8)? as u8;
                let colour = Colour { primaries, transfer, matrix, is_full_range };
                self.colour = Some(colour);
            } else if is_full_range {
                let (primaries, transfer, matrix) = (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED);
                self.colour = Some(Colour { primaries, transfer, matrix, is_full_range });
            }
        }
        if bits.take(1)? == 1 {
            bits.skip_ue(2)?; // location of chroma samples
        }
        Some(())
    }

    /// Reads how long a tick is. A frame has `ticks`.
    pub(super) fn read_timing(&mut self, bits: &mut Bits<'_>, ticks: u64) -> Option<()> {
        if bits.take(1)? == 1 {
            let (units, time_scale) = (u64::from(bits.take(32)?), u64::from(bits.take(32)?));
            self.frame_rate = FrameRate::declared(time_scale, units * ticks);
        }
        Some(())
    }
}
