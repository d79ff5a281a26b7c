//! Colour of pictures: the code points that video codecs share.

use crate::bmff::{AnyBox, Body, Boxes};

/// The relation between the numbers of a picture and light.
///
/// Spec: ISO/IEC 23091-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Colour {
    /// `ColourPrimaries`: 1 for BT.709, 9 for BT.2020; 2 if unspecified.
    pub primaries: u8,
    /// `TransferCharacteristics`: 1 for BT.709, 16 for PQ, 18 for HLG; 2 if unspecified.
    pub transfer: u8,
    /// `MatrixCoefficients`: 1 for BT.709, 9 for BT.2020; 2 if unspecified.
    pub matrix: u8,
    /// `true` if all values of a sample are used: black is 0.
    pub is_full_range: bool,
}

/// The dynamic range of pictures: `VIDEO-RANGE` of HLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VideoRange {
    /// Standard dynamic range.
    Sdr,
    /// Hybrid log-gamma: BT.2100 HLG.
    Hlg,
    /// Perceptual quantizer: SMPTE ST 2084.
    Pq,
}

/// Code point of "unspecified".
pub(super) const UNSPECIFIED: u8 = 2;

impl Colour {
    /// Returns the dynamic range; `None` if the transfer characteristics are unspecified.
    pub fn range(self) -> Option<VideoRange> {
        match self.transfer {
            0 | UNSPECIFIED => None,
            16 => Some(VideoRange::Pq),
            18 => Some(VideoRange::Hlg),
            _ => Some(VideoRange::Sdr),
        }
    }

    /// Returns whether no code point is specified.
    fn is_unspecified(self) -> bool {
        [self.primaries, self.transfer, self.matrix].iter().all(|&code| code == UNSPECIFIED)
    }
}

impl VideoRange {
    /// The word in a playlist.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sdr => "SDR",
            Self::Hlg => "HLG",
            Self::Pq => "PQ",
        }
    }
}

/// Returns the colour that a `colr` among these boxes specifies.
///
/// Spec: ISO/IEC 14496-12, 12.1.5; `nclc` by QuickTime.
pub(super) fn of_boxes(boxes: &Boxes) -> Option<Colour> {
    boxes.list.iter().find_map(of_box).filter(|colour| !colour.is_unspecified())
}

fn of_box(item: &AnyBox) -> Option<Colour> {
    let Body::Other(bytes) = &item.body else { return None };
    let bytes = bytes.get(..).filter(|_| item.header.kind == *b"colr")?;
    let is_full_range = match bytes.get(..4)? {
        b"nclx" => bytes.get(10)? & 0x80 != 0,
        b"nclc" => false,
        _ => return None,
    };
    let code = |at: usize| {
        let code = u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        Some(u8::try_from(code).unwrap_or(UNSPECIFIED))
    };
    Some(Colour { primaries: code(4)?, transfer: code(6)?, matrix: code(8)?, is_full_range })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(bytes: &[u8]) -> Option<Colour> {
        of_boxes(&[AnyBox::other(*b"colr", bytes.to_vec())].into_iter().collect())
    }

    #[test]
    fn both_kinds_of_colr_are_read_and_profiles_are_not() {
        let hlg = colour(b"nclx\0\x09\0\x12\0\x09\x80").unwrap();
        assert_eq!((hlg.primaries, hlg.transfer, hlg.matrix, hlg.is_full_range), (9, 18, 9, true));
        assert_eq!(hlg.range(), Some(VideoRange::Hlg));
        let pq = colour(b"nclc\0\x09\0\x10\0\x09").unwrap();
        assert_eq!((pq.range().unwrap().as_str(), pq.is_full_range), ("PQ", false));
        assert_eq!(colour(b"nclx\0\x01\0\x01\0\x01\0").unwrap().range(), Some(VideoRange::Sdr));
        assert_eq!(colour(b"nclx\0\x01\0\x02\0\x01\0").unwrap().range(), None);
        for other in
            [&b"prof\0\0\0\0"[..], b"nclx\0\x02\0\x02\0\x02\0", b"nclx\0\x09\0", b"", b"nc"]
        {
            assert_eq!(colour(other), None);
        }
    }
}
