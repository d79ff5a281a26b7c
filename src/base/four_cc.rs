//! The four letters that name a box, a handler or a codec.

use std::fmt;

/// Four bytes that name a thing, usually printable: `moof`, `vide`, `H264`.
///
/// Spec: ISO/IEC 14496-12, 4.2.
///
/// ```
/// use smooth_origin::base::FourCc;
/// assert_eq!(FourCc(*b"moof").to_string(), "moof");
/// assert_eq!(FourCc([0, b'a', b'b', b'c']).to_string(), "\\x00abc");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{self}'")
    }
}

impl PartialEq<[u8; 4]> for FourCc {
    fn eq(&self, other: &[u8; 4]) -> bool {
        self.0 == *other
    }
}
