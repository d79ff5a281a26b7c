//! Reading a tree of boxes: its budgets, and which boxes may be unreadable.

use bytes::Bytes;

use super::table::CONTAINERS;
use super::{AnyBox, Body, Boxes, Header};
use crate::base::{Cursor, Error, ErrorKind, Limits};

/// Number of boxes that are read of any block. Beyond it, one more box is read per [`BYTES_A_BOX`],
/// because a box takes more memory than the bytes of the smallest one.
const FEW_BOXES: usize = 1024;
const BYTES_A_BOX: usize = 32;

/// Returns whether a fragment cannot be cut out of its file without this type, or whether the type
/// encloses such a box.
fn is_needed(kind: &[u8; 4]) -> bool {
    let encloses = matches!(kind, b"moov" | b"trak" | b"mdia" | b"moof" | b"traf" | b"mfra");
    let is_read =
        matches!(kind, b"mfhd" | b"tfhd" | b"trun" | b"tkhd" | b"mdhd" | b"hdlr" | b"tfra");
    encloses || is_read
}

/// Returns whether a box of this type describes one track of a file. An error inside of it must not
/// affect other tracks.
fn is_of_one_track(kind: &[u8; 4]) -> bool {
    matches!(kind, b"trak" | b"tfra")
}

/// Reads a tree, and counts the boxes of each list before it reads them.
pub(super) struct Reader {
    limit: usize,
    depth: usize,
    /// Number of boxes in the lists that were begun, including the lists around the current one.
    /// Memory is reserved for all of them.
    claimed: usize,
    /// True if every typed box must be readable, whether slicing needs it or not.
    is_strict: bool,
}

impl Reader {
    pub(super) fn new(cursor: &Cursor<'_>, limits: &Limits, is_strict: bool) -> Self {
        let of_bytes = FEW_BOXES + cursor.remaining() / BYTES_A_BOX;
        let limit = limits.boxes.min(of_bytes);
        Self { limit, depth: limits.box_depth, claimed: 0, is_strict }
    }

    pub(super) fn list(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Boxes, Error> {
        let count = self.claim(cursor)?;
        let mut list = Vec::with_capacity(count);
        // Only the enclosing box knows where its list ends; the end of the outermost list may be
        // missing.
        let may_stray = !self.is_strict && depth < self.depth;
        while cursor.remaining() >= 8 {
            let start = cursor.clone();
            match Self::split(cursor) {
                Ok((header, body)) => match self.read(header, body.clone(), depth) {
                    Ok(item) => list.push(item),
                    Err(error) if self.must_fail(&header, &error) => {
                        return Err(error.inside(header.kind));
                    }
                    Err(_) => list.push(other(header, body)),
                },
                Err(_) if may_stray && !holds_needed(start.peek()) => {
                    *cursor = start;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let mut end = cursor.clone();
        let padding = end.rest();
        let is_stray = padding.iter().any(|&byte| byte != 0);
        if is_stray && (!may_stray || holds_needed(&padding)) {
            return Err(cursor.error(ErrorKind::Truncated { needs: 8, has: padding.len() as u64 }));
        }
        Ok(Boxes { list, padding })
    }

    /// Counts the boxes by their sizes alone. Reading gives the same number, unless it ends with an
    /// error.
    fn claim(&mut self, cursor: &Cursor<'_>) -> Result<usize, Error> {
        let bytes = cursor.peek();
        let (mut at, mut count) = (0_usize, 0);
        while let Some(&[a, b, c, d, _, _, _, _]) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            if self.claimed + count == self.limit {
                let mut place = cursor.clone();
                place.take(at)?;
                return Err(over(&place, "boxes", self.limit + 1, self.limit));
            }
            count += 1;
            let size = match u32::from_be_bytes([a, b, c, d]) {
                1 => bytes.get(at + 8..).and_then(<[u8]>::first_chunk).map_or(0, |large| {
                    usize::try_from(u64::from_be_bytes(*large)).unwrap_or(usize::MAX)
                }),
                size => size as usize,
            };
            // An invalid size, or one beyond the end, is an error when the box is read; a size of 0
            // reaches
            // to the end.
            if size < 8 {
                break;
            }
            at = at.saturating_add(size);
        }
        self.claimed += count;
        Ok(count)
    }

    /// Takes the next box: its header and its body.
    fn split<'a>(cursor: &mut Cursor<'a>) -> Result<(Header, Cursor<'a>), Error> {
        let header = Header::parse(cursor)?;
        let body = header.total().map_or(cursor.remaining() as u64, |size| size - header.len());
        // A length beyond the address space is beyond the block as well.
        let body = usize::try_from(body).unwrap_or(usize::MAX);
        let body = cursor.split(body).map_err(|error| error.inside(header.kind))?;
        Ok((header, body))
    }

    /// Returns whether an error inside this box is an error of all boxes around it.
    fn must_fail(&self, header: &Header, error: &Error) -> bool {
        let is_budget = matches!(error.kind, ErrorKind::Budget { .. });
        // In a sample entry, `mfra` is no index but a misspelled `frma`.
        let is_frma = self.is_strict && header.kind == *b"mfra";
        let is_needed = is_needed(&header.kind.0) && !is_of_one_track(&header.kind.0);
        is_budget || !is_frma && (self.is_strict || is_needed)
    }

    fn read(
        &mut self,
        header: Header,
        mut cursor: Cursor<'_>,
        depth: usize,
    ) -> Result<AnyBox, Error> {
        if CONTAINERS.contains(&header.kind.0) {
            let Some(depth) = depth.checked_sub(1) else {
                let limit = self.depth;
                return Err(over(&cursor, "nested boxes", limit + 1, limit));
            };
            let body = Body::Boxes(self.list(&mut cursor, depth)?);
            return Ok(AnyBox { header, body, rest: Bytes::new() });
        }
        match Body::parse_typed(&header, &mut cursor)? {
            Some(body) => Ok(AnyBox { header, body, rest: cursor.rest() }),
            None => Ok(other(header, cursor)),
        }
    }
}

/// Makes a box that keeps its bytes as they are.
fn other(header: Header, mut cursor: Cursor<'_>) -> AnyBox {
    AnyBox { header, body: Body::Other(cursor.rest()), rest: Bytes::new() }
}

/// Returns whether these bytes may hold a box that slicing needs, which must not be overlooked.
fn holds_needed(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|word| word.first_chunk().is_some_and(is_needed))
}

fn over(cursor: &Cursor<'_>, what: &'static str, found: usize, limit: usize) -> Error {
    cursor.error(ErrorKind::Budget { what, found: found as u64, limit: limit as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FourCc;

    fn parse(bytes: &[u8]) -> Result<Boxes, Error> {
        Boxes::parse(&Bytes::copy_from_slice(bytes), 0, &Limits::default())
    }

    #[test]
    fn a_box_of_size_zero_reaches_to_the_end_and_ends_the_walk() {
        // 16 bytes that the writer never finished.
        let boxes = parse(b"\0\0\0\x10moof\0\0\0\0free").unwrap();
        assert_eq!(boxes.inside(*b"moof").unwrap().list.len(), 1);
        assert_eq!(boxes.to_bytes(), b"\0\0\0\x10moof\0\0\0\0free"[..]);
    }

    #[test]
    fn a_box_that_reaches_beyond_its_parent_names_the_way_to_it() {
        let error = parse(b"\0\0\0\x10moof\0\0\0\x11traf").unwrap_err();
        assert_eq!(error.to_string(), "moof/traf at byte 16: needs 9 bytes, has 0");
        let error = parse(b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff").unwrap_err();
        assert!(error.to_string().starts_with("mdat at byte 16: needs"), "{error}");
    }

    #[test]
    fn nesting_and_number_meet_their_budgets() {
        let mut nested = Vec::new();
        for depth in (1..=20_u8).rev() {
            nested.extend([0, 0, 0, depth * 8]);
            nested.extend(b"moov");
        }
        let error = parse(&nested).unwrap_err();
        assert!(error.to_string().ends_with("nested boxes: 17 is more than the budget of 16"));

        let limits = Limits { boxes: 3, ..Limits::default() };
        let many = Bytes::from(b"\0\0\0\x08free".repeat(4));
        let error = Boxes::parse(&many, 0, &limits).unwrap_err();
        assert_eq!(error.to_string(), "at byte 24: boxes: 4 is more than the budget of 3");
    }

    #[test]
    fn the_boxes_of_all_levels_meet_one_budget_before_there_is_memory_for_them() {
        let free = |n| b"\0\0\0\x08free".repeat(n);
        let around = |inside: Vec<u8>| {
            let size = (inside.len() as u32 + 8).to_be_bytes();
            [&size[..], b"moov", &inside].concat()
        };
        let inner = [around(free(2)), free(2)].concat();
        let bytes = Bytes::from([around(inner), free(2)].concat());
        let parse = |boxes| {
            let limits = Limits { boxes, ..Limits::default() };
            let mut reader = Reader { limit: boxes, depth: 16, claimed: 0, is_strict: false };
            let list = reader.list(&mut Cursor::new(&bytes, 0), 16);
            assert_eq!(Boxes::parse(&bytes, 0, &limits).ok(), list.as_ref().ok().cloned());
            assert!(reader.claimed <= boxes);
            list
        };
        let boxes = parse(8).unwrap();
        let capacities = |boxes: &Boxes| (boxes.list.len(), boxes.list.capacity());
        assert_eq!(capacities(&boxes), (3, 3));
        let inner = boxes.inside(*b"moov").unwrap();
        assert_eq!(capacities(inner), (3, 3));
        assert_eq!(capacities(inner.inside(*b"moov").unwrap()), (2, 2));
        // The innermost level exceeds the budget by one box, and none of it was read.
        let error = parse(7).unwrap_err().to_string();
        assert_eq!(error, "moov/moov at byte 24: boxes: 8 is more than the budget of 7");
        assert!(parse(2).unwrap_err().to_string().starts_with("at byte 56: boxes: 3 is more"));
    }

    #[test]
    fn outermost_bytes_that_are_no_box_are_an_error_and_zeros_inside_a_container_are_not() {
        assert!(parse(b"\0\0\0\x08free\0\0\0").is_err());
        assert!(parse(b"\0\0\0\x08freeabcdefghijkl").is_err());
        let padded = b"\0\0\0\x0cmoov\0\0\0\0";
        let boxes = parse(padded).unwrap();
        assert_eq!((boxes.to_bytes(), boxes.unread()), (padded[..].into(), None));
    }

    /// Encloses these bytes in a `moof`.
    fn moof(inside: &[u8]) -> Vec<u8> {
        [&(inside.len() as u32 + 8).to_be_bytes()[..], b"moof", inside].concat()
    }

    #[test]
    fn bytes_behind_the_last_box_of_a_container_are_kept_unless_slicing_may_need_them() {
        let free = b"\0\0\0\x08free";
        for tail in [&b"abc"[..], b"\0\0\0\x05freexyz", b"\0\0\0\xffsaizwhatever", b"0123456789"] {
            let bytes = moof(&[free, tail].concat());
            let boxes = parse(&bytes).unwrap();
            assert_eq!(boxes.to_bytes(), bytes);
            let moof = boxes.inside(*b"moof").unwrap();
            assert_eq!((moof.list.len(), &moof.padding[..]), (1, tail));
            let says = format!("{} bytes after the last box of `moof` are not a box", tail.len());
            assert_eq!(boxes.unread(), Some(says));
        }
        for tail in [&b"\0\0\0\xfftraf"[..], b"\0\0\0\xffjunk\0\0\0\x08traf"] {
            assert!(parse(&moof(&[free, tail].concat())).is_err(), "{tail:?}");
        }
    }

    #[test]
    fn a_box_that_cannot_be_read_is_kept_as_bytes_unless_slicing_needs_it() {
        let saiz = b"\0\0\0\x0esaiz\0\0\0\0\x08\0";
        let bytes = moof(saiz);
        let boxes = parse(&bytes).unwrap();
        assert_eq!(boxes.to_bytes(), bytes);
        let item = &boxes.inside(*b"moof").unwrap().list[0];
        assert_eq!(item.body, Body::Other(Bytes::from_static(b"\0\0\0\0\x08\0")));
        assert_eq!(boxes.unread().unwrap(), "the box `saiz` cannot be read");
        let unknown = moof(b"\0\0\0\x0ajunk\0\0");
        assert_eq!(parse(&unknown).unwrap().unread(), None, "it need not be readable");
        for kind in [b"mfhd", b"tfhd", b"trun", b"tkhd", b"mdhd", b"hdlr"] {
            let mut needed = bytes.clone();
            needed[12..16].copy_from_slice(kind);
            assert!(parse(&needed).is_err(), "{}", FourCc(*kind));
        }
        let of_one_track = b"\0\0\0\x25moov\0\0\0\x08free\0\0\0\x15trak\0\0\0\x0dtkhd\0\0\0\0\0";
        let boxes = parse(of_one_track).unwrap();
        assert_eq!(boxes.unread().unwrap(), "the box `trak` cannot be read");
        assert_eq!(boxes.to_bytes(), &of_one_track[..]);
        // In a sample entry, the codec needs every box.
        let block = Bytes::from_static(saiz);
        let limits = Limits::default();
        assert!(Boxes::parse_in(&mut Cursor::new(&block, 0), &limits).is_err());
        // All boxes share one budget.
        let nested = moof(&[&b"\0\0\0\x18mvex"[..], &b"\0\0\0\x08free".repeat(2)].concat());
        let limits = Limits { boxes: 3, ..Limits::default() };
        assert!(Boxes::parse(&nested.into(), 0, &limits).is_err());
    }
}
