//! Beginning of a box: its size in one of three forms, its type, and its extended type.

use crate::base::{Cursor, Error, ErrorKind, FourCc, Guid, Sink};

/// The start of a box, in the form in which it was written.
///
/// Spec: ISO/IEC 14496-12, 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The type; `uuid` for extended types.
    pub kind: FourCc,
    /// The extended type of a `uuid` box. `None` for other boxes, and for a `uuid` box that is too
    /// short to have one.
    pub extended: Option<Guid>,
    /// Form in which the size was stored.
    pub size: Size,
}

/// The three forms of a box's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 32 bits: the whole box, header included.
    Compact(u32),
    /// 64 bits after the type; the 32-bit field says 1.
    Large(u64),
    /// To the end of what encloses it; the 32-bit field says 0.
    ToEnd,
}

/// Number of bytes of an extended type.
const GUID: u64 = 16;

impl Header {
    /// A header for a box that is still to be measured.
    pub const fn new(kind: FourCc) -> Self {
        Self { kind, extended: None, size: Size::Compact(0) }
    }

    /// A header of an extended type.
    pub const fn extended(kind: Guid) -> Self {
        Self { kind: FourCc(*b"uuid"), extended: Some(kind), size: Size::Compact(0) }
    }

    /// Reads a header and leaves `cursor` at the body. Whether the body is there is not looked at.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] inside the header, [`ErrorKind::BoxTooSmall`] when the size does
    /// not cover it.
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        let start = cursor.clone();
        let size = cursor.u32()?;
        let kind = cursor.four_cc()?;
        let size = match size {
            0 => Size::ToEnd,
            1 => Size::Large(cursor.u64()?),
            _ => Size::Compact(size),
        };
        // The type is known before a size that cannot be is refused: the error names the box.
        let header = Self { kind, extended: None, size };
        header.check(&start)?;
        // A `uuid` box too short for its type has none, and ends where its size says.
        let has_type = header.total().is_none_or(|size| size >= header.len() + GUID);
        let extended = if kind == *b"uuid" && has_type { Some(cursor.guid()?) } else { None };
        Ok(Self { extended, ..header })
    }

    fn check(&self, start: &Cursor<'_>) -> Result<(), Error> {
        let header = self.len();
        match self.total() {
            Some(size) if size < header => {
                Err(start.error(ErrorKind::BoxTooSmall { size, header }).inside(self.kind))
            }
            _ => Ok(()),
        }
    }

    /// Bytes of the header itself: 8, 16, 24 or 32.
    pub fn len(&self) -> u64 {
        let large = matches!(self.size, Size::Large(_));
        8 + if large { 8 } else { 0 } + if self.extended.is_some() { 16 } else { 0 }
    }

    /// Bytes of the whole box; `None` when it reaches to the end of what encloses it.
    pub fn total(&self) -> Option<u64> {
        match self.size {
            Size::Compact(size) => Some(size.into()),
            Size::Large(size) => Some(size),
            Size::ToEnd => None,
        }
    }

    /// Returns this header around a body of `body` bytes. A 32-bit size that cannot hold the sum
    /// becomes a 64-bit one.
    pub(crate) fn around(self, body: u64) -> Self {
        let size = match self.size {
            Size::ToEnd => Size::ToEnd,
            Size::Compact(_) => match u32::try_from(self.len() + body) {
                Ok(size) => Size::Compact(size),
                Err(_) => self.large(body),
            },
            Size::Large(_) => self.large(body),
        };
        Self { size, ..self }
    }

    /// The 64-bit size of a box with this header's type and a body of `body` bytes.
    fn large(self, body: u64) -> Size {
        let header = Self { size: Size::Large(0), ..self };
        Size::Large(header.len() + body)
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        sink.u32(match self.size {
            Size::Compact(size) => size,
            Size::Large(_) => 1,
            Size::ToEnd => 0,
        });
        sink.four_cc(self.kind);
        if let Size::Large(size) = self.size {
            sink.u64(size);
        }
        if let Some(extended) = self.extended {
            sink.guid(extended);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn parse(bytes: &'static [u8]) -> Result<(Header, usize), Error> {
        let block = Bytes::from_static(bytes);
        let mut cursor = Cursor::new(&block, 0);
        Header::parse(&mut cursor).map(|header| (header, cursor.remaining()))
    }

    #[test]
    fn the_three_forms_of_a_size_are_read_and_written_again() {
        let forms: [(&[u8], Size, u64); 3] = [
            (b"\0\0\0\x09mdatx", Size::Compact(9), 8),
            (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x11x", Size::Large(17), 16),
            (b"\0\0\0\0mdatx", Size::ToEnd, 8),
        ];
        for (bytes, size, len) in forms {
            let block = Bytes::copy_from_slice(bytes);
            let mut cursor = Cursor::new(&block, 0);
            let header = Header::parse(&mut cursor).unwrap();
            assert_eq!((header.size, header.len(), cursor.remaining()), (size, len, 1));
            assert_eq!(header.around(1), header);
            let mut sink = Sink::with_len(bytes.len() - 1);
            header.write(&mut sink);
            assert_eq!(sink.finish(), bytes[..bytes.len() - 1]);
        }
    }

    #[test]
    fn an_extended_type_belongs_to_the_header() {
        let bytes =
            b"\0\0\0\x18uuid\xd4\x80\x7e\xf2\xca\x39\x46\x95\x8e\x54\x26\xcb\x9e\x46\xa7\x9f";
        let (header, left) = parse(bytes).unwrap();
        assert_eq!(header.extended, Some(Guid::from_u128(0xd4807ef2_ca39_4695_8e54_26cb9e46a79f)));
        assert_eq!((header.len(), left), (24, 0));
    }

    #[test]
    fn a_size_that_does_not_cover_its_header_is_refused() {
        for (bytes, says) in [
            (&b"\0\0\0\x07free"[..], "free at byte 0: size 7 is less than its header of 8 bytes"),
            (
                b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f",
                "mdat at byte 0: size 15 is less than its header of 16 bytes",
            ),
        ] {
            let block = Bytes::copy_from_slice(bytes);
            let error = Header::parse(&mut Cursor::new(&block, 0)).unwrap_err();
            assert_eq!(error.to_string(), says);
        }
        assert_eq!(
            parse(b"\0\0\0\x08fre").unwrap_err().to_string(),
            "at byte 4: needs 4 bytes, has 3"
        );
    }

    #[test]
    fn a_uuid_box_too_short_for_its_type_has_none() {
        let (header, left) = parse(b"\0\0\0\x17uuid0123456789abcde").unwrap();
        assert_eq!((header.extended, header.len(), header.total(), left), (None, 8, Some(23), 15));
        assert_eq!(header.around(15), header);
    }

    #[test]
    fn a_body_too_long_for_32_bits_gets_a_64_bit_size() {
        let header = Header::new(FourCc(*b"mdat")).around(u64::from(u32::MAX));
        assert_eq!(header.size, Size::Large(u64::from(u32::MAX) + 16));
    }
}
