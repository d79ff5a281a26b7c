//! `ftyp`: which specifications the file claims to follow.

use super::Content;
use crate::base::{Cursor, Error, FourCc, Sink};

/// Brands of a file. Real ones vary, so no file is refused by its brand.
///
/// Spec: ISO/IEC 14496-12, 4.3; [MS-SSTR] 2.2.7 asks for `isml`, with `piff` and `iso2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ftyp {
    /// The brand it was made for.
    pub major_brand: FourCc,
    /// Informative version of that brand.
    pub minor_version: u32,
    /// Brands it also fits.
    pub compatible_brands: Vec<FourCc>,
}

impl Content for Ftyp {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let major_brand = body.four_cc()?;
        let minor_version = body.u32()?;
        let mut compatible_brands = Vec::with_capacity(body.remaining() / 4);
        while body.remaining() >= 4 {
            compatible_brands.push(body.four_cc()?);
        }
        Ok(Self { major_brand, minor_version, compatible_brands })
    }

    fn len(&self) -> u64 {
        8 + 4 * self.compatible_brands.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        sink.four_cc(self.major_brand);
        sink.u32(self.minor_version);
        for &brand in &self.compatible_brands {
            sink.four_cc(brand);
        }
    }
}
