//! 128-bit identifiers and their two byte orders.

use std::fmt;
use std::str::FromStr;

/// A GUID, held in the order in which it is printed (big-endian).
///
/// Box types and CENC key ids are stored in this order; PlayReady headers hold the same value in
/// the memory order of a Windows `GUID` ([`Guid::to_le_bytes`]), where the first three groups are
/// reversed.
///
/// ```
/// use smooth_origin::base::Guid;
/// let kid: Guid = "{09E36702-8F33-436C-A5DD-60FFE6671E70}".parse().unwrap();
/// assert_eq!(kid.to_le_bytes()[..4], [0x02, 0x67, 0xe3, 0x09]);
/// assert_eq!(kid.to_string(), "09e36702-8f33-436c-a5dd-60ffe6671e70");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    /// From a number whose hexadecimal digits are the printed ones.
    pub const fn from_u128(value: u128) -> Self {
        Self(value.to_be_bytes())
    }

    /// From bytes in printed order.
    pub const fn from_be_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// From bytes in the memory order of a Windows `GUID`.
    pub const fn from_le_bytes(bytes: [u8; 16]) -> Self {
        Self(swapped(bytes))
    }

    /// The bytes in printed order.
    pub const fn to_be_bytes(self) -> [u8; 16] {
        self.0
    }

    /// The bytes in the memory order of a Windows `GUID`.
    pub const fn to_le_bytes(self) -> [u8; 16] {
        swapped(self.0)
    }
}

/// Reverses the first three groups (4, 2 and 2 bytes); the last eight bytes stay.
const fn swapped(b: [u8; 16]) -> [u8; 16] {
    [
        b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13],
        b[14], b[15],
    ]
}

/// The text was not 32 hexadecimal digits with optional braces and dashes.
///
/// ```
/// use smooth_origin::base::{Guid, ParseGuidError};
///
/// assert_eq!("PlayReady".parse::<Guid>(), Err(ParseGuidError));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID: wants 32 hexadecimal digits, with or without braces and dashes")]
pub struct ParseGuidError;

impl FromStr for Guid {
    type Err = ParseGuidError;

    /// Reads the spellings met in manifests: with or without braces, any case, dashes anywhere.
    fn from_str(text: &str) -> Result<Self, ParseGuidError> {
        let text = text.trim();
        let inner = text.strip_prefix('{').map_or(Some(text), |t| t.strip_suffix('}'));
        let mut value = 0_u128;
        let mut digits = 0;
        for c in inner.ok_or(ParseGuidError)?.chars().filter(|&c| c != '-') {
            let digit = c.to_digit(16).ok_or(ParseGuidError)?;
            digits += 1;
            if digits > 32 {
                return Err(ParseGuidError);
            }
            value = value << 4 | u128::from(digit);
        }
        if digits == 32 { Ok(Self::from_u128(value)) } else { Err(ParseGuidError) }
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_name_the_key_of_a_real_playready_header() {
        // A WRMHEADER's KID and the default_KID of the same file (Expression Encoder).
        let le = [
            0x02, 0x67, 0xe3, 0x09, 0x33, 0x8f, 0x6c, 0x43, 0xa5, 0xdd, 0x60, 0xff, 0xe6, 0x67,
            0x1e, 0x70,
        ];
        let kid = Guid::from_le_bytes(le);
        assert_eq!(kid, Guid::from_u128(0x09e36702_8f33_436c_a5dd_60ffe6671e70));
        assert_eq!(kid.to_le_bytes(), le);
    }

    #[test]
    fn spellings_of_real_manifests_parse_and_others_do_not() {
        let playready = Guid::from_u128(0x9a04f079_9840_4286_ab92_e65be0885f95);
        for text in [
            "9A04F079-9840-4286-AB92-E65BE0885F95",
            "{9a04f079-9840-4286-ab92-e65be0885f95}",
            " {9A04F079-9840-4286-AB92E65BE0885F95} ",
        ] {
            assert_eq!(text.parse(), Ok(playready), "{text}");
        }
        for text in [
            "",
            "{}",
            "9A04F079",
            "{9a04f079-9840-4286-ab92-e65be0885f95",
            "9a04f079-9840-4286-ab92-e65be0885f9500",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(ParseGuidError), "{text}");
        }
    }
}
