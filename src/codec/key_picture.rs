//! Tells from NAL units whether a player can begin with a coded picture.

use super::bits::{Bits, without_emulation_prevention};
use crate::bmff::{AvcC, Boxes, HvcC};

/// The format of the NAL units of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NalFormat {
    is_hevc: bool,
    /// Number of bytes of the length field before each unit.
    length_size: usize,
}

/// The result of looking at the first bytes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyPicture {
    /// True if a player can begin with the picture.
    Known(bool),
    /// The bytes are not a valid list of units.
    Unknown,
    /// This many bytes of the picture are needed.
    Needs(usize),
}

/// Bytes of a slice that are looked at. The slice type is among the first.
const SLICE: usize = 16;

/// Maximum bytes of supplemental information that are searched.
const SEI: usize = 4 << 10;

impl NalFormat {
    /// Reads the format from the boxes of a sample entry; `None` for other codecs.
    pub(crate) fn of_entry(boxes: &Boxes) -> Option<Self> {
        let avc = boxes.get::<AvcC>().map(|avcc| (false, avcc.nal_length_size()));
        let hevc = || boxes.get::<HvcC>().map(|hvcc| (true, hvcc.nal_length_size()));
        let (is_hevc, length_size) = avc.or_else(hevc)?;
        Some(Self { is_hevc, length_size: length_size.into() })
    }

    /// Returns whether a player can begin with a picture of `size` bytes, of which `bytes` are the
    /// first: its slices depend on no other picture, or it is marked as a recovery point.
    ///
    /// Spec: ISO/IEC 14496-10, 7.4.1.2 and D.1.8; ISO/IEC 23008-2, 7.4.2.2.
    pub(crate) fn key_picture(self, bytes: &[u8], size: usize) -> KeyPicture {
        let (mut at, mut recovers) = (0_usize, false);
        loop {
            let Some(start) = at.checked_add(self.length_size).filter(|&start| start < size) else {
                return KeyPicture::Unknown;
            };
            let Some(length) = bytes.get(at..start) else { return KeyPicture::Needs(start) };
            let length = length.iter().fold(0_usize, |all, &byte| all << 8 | usize::from(byte));
            let Some(end) = start.checked_add(length).filter(|&end| end <= size && length > 0)
            else {
                return KeyPicture::Unknown;
            };
            let most = match self.is_sei(bytes.get(start).copied()) {
                true => SEI,
                false => SLICE,
            };
            let wanted = end.min(start + most);
            let Some(unit) = bytes.get(start..wanted) else { return KeyPicture::Needs(wanted) };
            match self.unit(unit) {
                Unit::Picture(is_key) => return KeyPicture::Known(is_key || recovers),
                Unit::Recovery => recovers = true,
                Unit::Other => {}
                Unit::Unknown => return KeyPicture::Unknown,
            }
            at = end;
        }
    }

    fn is_sei(self, first: Option<u8>) -> bool {
        matches!((self.is_hevc, self.kind(first.unwrap_or(0))), (false, 6) | (true, 39))
    }

    fn kind(self, first: u8) -> u8 {
        if self.is_hevc { first >> 1 & 0x3f } else { first & 0x1f }
    }

    fn unit(self, unit: &[u8]) -> Unit {
        let Some(&first) = unit.first() else { return Unit::Unknown };
        match (self.is_hevc, self.kind(first)) {
            (false, 5) => Unit::Picture(true),
            (false, 1 | 2) => slice(&unit[1..]),
            (true, 16..=23) => Unit::Picture(true),
            (true, 0..=9) => Unit::Picture(false),
            (false, 6) if recovers(&unit[1..]) => Unit::Recovery,
            (true, 39) if unit.len() > 2 && recovers(&unit[2..]) => Unit::Recovery,
            (false, 0 | 24..) | (true, 48..) => Unit::Unknown,
            _ => Unit::Other,
        }
    }
}

enum Unit {
    /// A slice; true if it depends on no other picture.
    Picture(bool),
    /// A mark that decoding can begin here.
    Recovery,
    Other,
    Unknown,
}

/// Reads the header of an H.264 slice: first macroblock, then type.
fn slice(header: &[u8]) -> Unit {
    let mut bits = Bits::new(header);
    match bits.ue().and_then(|_| bits.ue()) {
        Some(kind @ 0..=9) => Unit::Picture(matches!(kind % 5, 2 | 4)),
        _ => Unit::Unknown,
    }
}

/// Returns whether supplemental information has a recovery point.
fn recovers(sei: &[u8]) -> bool {
    const RECOVERY_POINT: usize = 6;
    let sei = without_emulation_prevention(sei);
    let mut left = &sei[..];
    let number = |left: &mut &[u8]| {
        let mut number = 0;
        loop {
            let (&byte, rest) = left.split_first()?;
            *left = rest;
            number += usize::from(byte);
            if byte != 0xff {
                return Some(number);
            }
        }
    };
    while let Some((kind, size)) = number(&mut left).zip(number(&mut left)) {
        if kind == RECOVERY_POINT {
            return true;
        }
        left = left.get(size..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVC: NalFormat = NalFormat { is_hevc: false, length_size: 4 };
    const HEVC: NalFormat = NalFormat { is_hevc: true, length_size: 4 };

    fn sample(units: &[&[u8]]) -> Vec<u8> {
        let unit = |unit: &&[u8]| [&(unit.len() as u32).to_be_bytes()[..], unit].concat();
        units.iter().flat_map(unit).collect()
    }

    fn judge(format: NalFormat, units: &[&[u8]]) -> KeyPicture {
        let sample = sample(units);
        format.key_picture(&sample, sample.len())
    }

    const IDR: &[u8] = &[0x65, 0x88, 0x84];
    // First macroblock 0, slice type 5 (P), 7 (I), 2 (I).
    const P: &[u8] = &[0x41, 0b1001_1000];
    const I: &[u8] = &[0x41, 0b1000_1000];
    const I_OF_SEVERAL: &[u8] = &[0x41, 0b1011_0000];

    #[test]
    fn slices_tell_pictures_that_a_player_can_begin_with() {
        let (delimiter, sps) = (&[9, 0xf0][..], &[0x67, 66, 0, 30][..]);
        let title = &[&[6, 5, 20][..], &[7; 20], &[0x80]].concat()[..];
        let recovery = &[6, 5, 1, 9, 6, 1, 0xc4, 0x80][..];
        for (units, is_key) in [
            (&[IDR][..], true),
            (&[delimiter, sps, title, IDR], true),
            (&[P], false),
            (&[delimiter, sps, title, P], false),
            (&[I], true),
            (&[I_OF_SEVERAL, P], true),
            (&[recovery, P], true),
        ] {
            assert_eq!(judge(AVC, units), KeyPicture::Known(is_key), "{units:?}");
        }
        let (vps, idr, cra, trail) = (&[64, 1, 7][..], &[40, 1, 7][..], &[42, 1, 7], &[2, 1, 7]);
        for (units, is_key) in [
            (&[vps, idr][..], true),
            (&[cra], true),
            (&[vps, trail], false),
            (&[&[78, 1, 6, 1, 0xc4, 0x80], trail], true),
        ] {
            assert_eq!(judge(HEVC, units), KeyPicture::Known(is_key), "{units:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_units_says_nothing() {
        assert_eq!(judge(AVC, &[]), KeyPicture::Unknown);
        assert_eq!(judge(AVC, &[&[9, 0xf0]]), KeyPicture::Unknown, "no slice");
        assert_eq!(AVC.key_picture(&[0; 8], 8), KeyPicture::Unknown, "a unit of no bytes");
        let start_code = [0, 0, 0, 1, 0x41, 0x9a, 0, 0, 9, 9, 9, 9];
        assert_eq!(AVC.key_picture(&start_code, 12), KeyPicture::Unknown);
        assert_eq!(AVC.key_picture(&[0xff; 12], 12), KeyPicture::Unknown);
    }

    #[test]
    fn any_prefix_asks_for_more_and_then_says_the_same() {
        let title = &[&[6, 5, 200][..], &[7; 200], &[0x80]].concat()[..];
        for last in [P, IDR] {
            let all = sample(&[&[9, 0xf0], title, last]);
            let wanted = AVC.key_picture(&all, all.len());
            for len in 0..all.len() {
                let mut have = len;
                let found = loop {
                    match AVC.key_picture(&all[..have], all.len()) {
                        KeyPicture::Needs(needs) => {
                            assert!(needs > have && needs <= all.len());
                            have = needs;
                        }
                        found => break found,
                    }
                };
                assert_eq!(found, wanted, "{len}");
            }
        }
    }
}
