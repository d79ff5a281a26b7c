//! Parameter sets inside decoder configurations: NAL units, each behind its length.

use bytes::Bytes;

use crate::base::{Cursor, Error};

/// NAL units as a decoder configuration stores them: each with its NAL header, behind 16 bits of
/// length.
///
/// They stay bytes, because a unit of two bytes would take sixteen times as many in a list;
/// [`NalUnits::iter`] decodes them as it walks.
///
/// ```
/// # #[cfg(feature = "unstable-formats")] {
/// use bytes::Bytes;
/// use smooth_origin::bmff::NalUnits;
///
/// let units: NalUnits = [Bytes::from_static(b"\x67sps")].into_iter().collect();
/// assert_eq!((units.len(), units.first().unwrap()), (1, Bytes::from_static(b"\x67sps")));
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NalUnits {
    count: usize,
    /// Lengths and units.
    bytes: Bytes,
}

impl NalUnits {
    /// Number of units.
    pub fn len(&self) -> usize {
        self.count
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The units in order.
    pub fn iter(&self) -> impl Iterator<Item = Bytes> + Clone + '_ {
        let mut left = Cursor::new(&self.bytes, 0);
        (0..self.count).map_while(move |_| unit(&mut left).ok())
    }

    /// The first unit.
    pub fn first(&self) -> Option<Bytes> {
        self.iter().next()
    }

    /// Reads `count` units.
    pub(super) fn parse(body: &mut Cursor<'_>, count: usize) -> Result<Self, Error> {
        let mut end = body.clone();
        Self::skip(&mut end, count)?;
        Ok(Self { count, bytes: body.bytes(body.remaining() - end.remaining())? })
    }

    /// Passes `count` units by.
    pub(super) fn skip(body: &mut Cursor<'_>, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            let len = body.u16()?;
            body.take(len.into())?;
        }
        Ok(())
    }

    /// As many of the first units as `most`, and the bytes that they are stored in.
    pub(super) fn counted(&self, most: usize) -> (usize, &[u8]) {
        if self.count <= most {
            return (self.count, &self.bytes);
        }
        let len = self.iter().take(most).map(|unit| 2 + unit.len()).sum();
        (most, &self.bytes[..len])
    }
}

fn unit(cursor: &mut Cursor<'_>) -> Result<Bytes, Error> {
    let len = cursor.u16()?;
    cursor.bytes(len.into())
}

/// At most 65,535 bytes of a unit can be counted: the rest is left out.
impl FromIterator<Bytes> for NalUnits {
    fn from_iter<I: IntoIterator<Item = Bytes>>(units: I) -> Self {
        let (mut count, mut bytes) = (0, Vec::new());
        for unit in units {
            let len = u16::try_from(unit.len()).unwrap_or(u16::MAX);
            bytes.extend(len.to_be_bytes());
            bytes.extend(&unit[..len.into()]);
            count += 1;
        }
        Self { count, bytes: bytes.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_come_back_and_as_many_are_counted_as_may_be() {
        let units = [&b"abc"[..], b"", b"d"].map(Bytes::from_static);
        let all: NalUnits = units.clone().into_iter().collect();
        assert_eq!((all.len(), all.is_empty()), (3, false));
        assert_eq!(all.iter().collect::<Vec<_>>(), units);
        let stored = b"\0\x03abc\0\0\0\x01d";
        assert_eq!(all.counted(3), (3, &stored[..]));
        assert_eq!(all.counted(2), (2, &stored[..7]));
        let block = Bytes::from_static(stored);
        assert_eq!(NalUnits::parse(&mut Cursor::new(&block, 0), 3).unwrap(), all);
        assert!(NalUnits::parse(&mut Cursor::new(&block, 0), 4).is_err());
    }

    #[test]
    fn a_unit_that_is_too_long_to_be_counted_is_cut() {
        let long: NalUnits = [Bytes::from(vec![7; 1 << 16])].into_iter().collect();
        assert_eq!(long.first().map(|unit| unit.len()), Some(65_535));
    }
}
