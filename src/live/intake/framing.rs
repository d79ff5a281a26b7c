//! Boxes one after the other, out of bytes in pieces of any size.

use bytes::{Buf, Bytes};

use crate::base::{Cursor, Error, ErrorKind, FourCc};
use crate::bmff::Header;

/// Cuts a body into its outermost boxes. It keeps no more than the header of one.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// Bytes of the body so far.
    at: u64,
    header: Vec<u8>,
    /// Bytes of the current box that are still to come; `None` between boxes and in a header.
    left: Option<u64>,
}

/// A step through the boxes.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// A box begins at this byte of the body.
    Begin { header: Header, start: u64 },
    /// The next bytes of its content; never none.
    Content(Bytes),
    /// The box is whole.
    End,
}

impl Framing {
    /// Takes the next part out of `piece`. `None` if all of it is taken.
    ///
    /// # Errors
    /// Errors of a box whose end cannot be known: nothing behind it can be understood.
    pub(super) fn next(&mut self, piece: &mut Bytes) -> Result<Option<Part>, Error> {
        match self.left {
            Some(0) => {
                self.left = None;
                return Ok(Some(Part::End));
            }
            Some(_) if piece.is_empty() => return Ok(None),
            Some(left) => {
                let len = usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len()));
                self.at += len as u64;
                self.left = Some(left - len as u64);
                return Ok(Some(Part::Content(piece.split_to(len))));
            }
            None => {}
        }
        loop {
            let needs = self.header_len()?;
            let missing = needs - self.header.len();
            if missing == 0 {
                break;
            }
            if piece.is_empty() {
                return Ok(None);
            }
            let len = missing.min(piece.len());
            self.header.extend_from_slice(&piece[..len]);
            piece.advance(len);
            self.at += len as u64;
        }
        let start = self.at - self.header.len() as u64;
        let bytes = Bytes::from(std::mem::take(&mut self.header));
        let header = Header::parse(&mut Cursor::new(&bytes, start))?;
        // `header_len` has refused a box without a size.
        let total = header.total().unwrap_or(header.len());
        if total > u64::MAX / 4 {
            let what = format!("a box `{}` of {total} bytes", header.kind);
            let clause = "ISO/IEC 14496-12, 4.2";
            return Err(Error::at(start, ErrorKind::Invalid { what, clause }));
        }
        self.left = Some(total - header.len());
        Ok(Some(Part::Begin { header, start }))
    }

    /// Returns the number of bytes of the header, as far as it is known.
    fn header_len(&self) -> Result<usize, Error> {
        let Some(first) = self.header.first_chunk::<8>() else { return Ok(8) };
        let [a, b, c, d, kind @ ..] = *first;
        let error = |kind_of: ErrorKind| {
            let start = self.at - self.header.len() as u64;
            Error::at(start, kind_of).inside(FourCc(kind))
        };
        let (total, header) = match u32::from_be_bytes([a, b, c, d]) {
            0 => {
                let what =
                    "a box of size 0, which reaches to the end of the body: the encoder has failed";
                let clause = "[MS-SSTR] 2.2.7";
                return Err(error(ErrorKind::Invalid { what: what.into(), clause }));
            }
            1 => match self.header.get(8..16).and_then(<[u8]>::first_chunk) {
                Some(large) => (u64::from_be_bytes(*large), 16),
                None => return Ok(16),
            },
            size => (size.into(), 8),
        };
        // As `Header::parse` has it: a `uuid` box too short for its type has none.
        let is_extended = kind == *b"uuid" && total >= header as u64 + 16;
        Ok(if is_extended { header + 16 } else { header })
    }

    /// Bytes of the body so far.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Returns whether the body is in the middle of a box.
    pub(super) fn is_inside(&self) -> bool {
        self.left.is_some() || !self.header.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &[u8], step: usize) -> Result<Vec<String>, Error> {
        let (mut framing, mut parts, mut content) = (Framing::default(), Vec::new(), Vec::new());
        for piece in body.chunks(step) {
            let mut piece = Bytes::copy_from_slice(piece);
            while let Some(part) = framing.next(&mut piece)? {
                match part {
                    Part::Begin { header, start } => parts.push(format!("{}@{start}", header.kind)),
                    Part::Content(bytes) => content.extend(bytes),
                    Part::End => {
                        let content = std::mem::take(&mut content);
                        parts.push(String::from_utf8(content).unwrap());
                    }
                }
            }
        }
        let is_inside = framing.is_inside();
        parts.push(format!("{} {is_inside}", framing.at()));
        Ok(parts)
    }

    #[test]
    fn any_pieces_give_the_same_boxes() {
        let body =
            b"\0\0\0\x0afreeab\0\0\0\x08skip\0\0\0\x01mdat\0\0\0\0\0\0\0\x13xyz\0\0\0\x0cuuid1234\
            \0\0\0\x1auuid0123456789abcdefgh\0\0\0";
        let all = parts(body, body.len()).unwrap();
        let says = "free@0,ab,skip@10,,mdat@18,xyz,uuid@37,1234,uuid@49,gh,78 true";
        assert_eq!(all.join(","), says);
        for step in 1..body.len() {
            assert_eq!(parts(body, step).unwrap(), all, "{step}");
        }
    }

    #[test]
    fn sizes_that_cannot_be_end_the_body() {
        for (body, says) in [
            (&b"\0\0\0\0moov"[..], "moov at byte 0: a box of size 0"),
            (b"\0\0\0\x08free\0\0\0\x07free", "free at byte 8: size 7 is less"),
            (b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff", "at byte 0: a box `mdat` of"),
            (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", "mdat at byte 0: size 15 is less"),
        ] {
            for step in [1, 3, 100] {
                let error = parts(body, step).unwrap_err().to_string();
                assert!(error.starts_with(says), "{error}");
            }
        }
    }
}
