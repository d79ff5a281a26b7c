//! The outline of boxes, for people: where each box and each field is, and what it says.
//!
//! Nothing is served by it. A box that cannot be read has its error in its place, and the boxes
//! around it and behind it are outlined as well.

mod fields;
mod layouts;
mod place;

use std::ops::Range;

use bytes::Bytes;

use self::fields::Fields;
use self::layouts::Inside;
pub use self::place::{BytePlace, place_of};
use super::Header;
use crate::base::{Cursor, Error, ErrorKind, FourCc, Guid, Limits};

/// A box: its place, its fields, and the boxes inside it.
///
/// ```
/// # #[cfg(feature = "unstable-formats")] {
/// use bytes::Bytes;
/// use smooth_origin::base::Limits;
/// use smooth_origin::bmff::outline;
///
/// let bytes = Bytes::from_static(b"\0\0\0\x18moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x07");
/// let boxes = outline(&bytes, 4096, &Limits::default());
/// let mfhd = &boxes[0].inside[0];
/// assert_eq!((mfhd.name(), mfhd.offset, mfhd.size), ("mfhd".into(), 4104, 16));
/// assert_eq!((mfhd.fields[2].name, &*mfhd.fields[2].value), ("sequence_number", "7"));
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BoxOutline {
    /// The type.
    pub kind: FourCc,
    /// The extended type of a `uuid` box.
    pub extended: Option<Guid>,
    /// Offset of its first byte in the file.
    pub offset: u64,
    /// Bytes of its header.
    pub header: u64,
    /// Bytes of the whole box, as its header says them. Of a box that reaches to the end of what
    /// encloses it: the bytes up to there.
    pub size: u64,
    /// Its fields, in the order in which they are stored. Empty if its type is not known here.
    pub fields: Vec<BoxField>,
    /// The list of equal entries with which it ends, if it has one.
    pub table: Option<BoxTable>,
    /// The boxes inside it.
    pub inside: Vec<Self>,
    /// The reason why it, or the rest of it, cannot be read.
    pub error: Option<Error>,
}

/// A field of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoxField {
    /// Its name in the specification of its box.
    pub name: &'static str,
    /// Its bytes in the file.
    pub bytes: Range<u64>,
    /// Its value: a number in decimal, flags in hexadecimal, a GUID, or a text.
    pub value: String,
}

/// A list of entries of equal fields. Its count has met the bytes that are there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoxTable {
    /// The name of an entry: `sample`, `chunk`, `run`.
    pub entry: &'static str,
    /// Offset of the first entry in the file.
    pub offset: u64,
    /// Number of entries.
    pub count: u64,
    /// Names and bytes of the fields of each entry. Empty if all entries are alike and take no bytes.
    pub columns: Vec<(&'static str, u64)>,
    /// The bytes of all entries.
    pub entries: Bytes,
}

impl BoxTable {
    /// Returns a field of entry `number`, counted from 0. `None` if there is no such entry or column.
    pub fn value(&self, number: u64, column: &str) -> Option<u64> {
        let width: u64 = self.columns.iter().map(|column| column.1).sum();
        let mut from = number.checked_mul(width)?;
        for &(name, len) in &self.columns {
            if name == column {
                let from = usize::try_from(from).ok()?;
                let bytes = self.entries.get(from..from.checked_add(len as usize)?)?;
                return Some(bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)));
            }
            from = from.checked_add(len)?;
        }
        None
    }
}

impl BoxOutline {
    /// The four letters of its type, or the name of its extended type if that is known here (`tfxd`).
    pub fn name(&self) -> String {
        match layouts::extended_name(self.extended) {
            Some(name) => name.to_owned(),
            None => self.kind.to_string(),
        }
    }

    /// Offset of the first byte behind it.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }

    /// Returns the value of a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }

    /// Gives `each` this box and all boxes inside it, with the number of boxes around each.
    pub fn each<'a>(&'a self, each: &mut impl FnMut(&'a Self, usize)) {
        // As deep as `Limits::box_depth` allows.
        fn walk<'a>(
            of: &'a BoxOutline,
            depth: usize,
            each: &mut impl FnMut(&'a BoxOutline, usize),
        ) {
            each(of, depth);
            of.inside.iter().for_each(|inside| walk(inside, depth + 1, each));
        }
        walk(self, 0, each);
    }
}

/// Outlines the boxes in `block`, whose first byte is byte `base` of its file.
///
/// A fault of a box is the [`error`](BoxOutline::error) of that box; the boxes behind it are outlined
/// as well if its end is known. More boxes than [`Limits::boxes`], and boxes deeper than
/// [`Limits::box_depth`], are an error of the box around them.
///
/// Spec: ISO/IEC 14496-12; the extended types by [MS-SSTR] 2.2.4 and PIFF.
pub fn outline(block: &Bytes, base: u64, limits: &Limits) -> Vec<BoxOutline> {
    let mut left = limits.boxes;
    let mut list = Vec::new();
    if let Some(error) = boxes(Cursor::new(block, base), limits.box_depth, &mut left, &mut list) {
        list.push(BoxOutline::unread(base.saturating_add(block.len() as u64), error));
    }
    list
}

impl BoxOutline {
    /// Something that is no box.
    fn unread(offset: u64, error: Error) -> Self {
        let (kind, fields, inside) = (FourCc(*b"????"), Vec::new(), Vec::new());
        let error = Some(error);
        Self {
            kind,
            extended: None,
            offset,
            header: 0,
            size: 0,
            fields,
            table: None,
            inside,
            error,
        }
    }

    /// Reads the fields, and the boxes inside it.
    fn read(&mut self, header: &Header, body: Cursor<'_>, depth: usize, left: &mut usize) {
        let mut fields = Fields::new(body);
        let read = layouts::read(header, &mut fields);
        let rest = fields.cursor.clone();
        (self.fields, self.table) = (fields.list, fields.table);
        let error = match read {
            Ok(Inside::Nothing) => None,
            Ok(Inside::Boxes) => boxes(rest, depth, left, &mut self.inside),
            Err(error) => Some(error),
        };
        self.error = error.map(|error| error.inside(self.kind));
    }
}

/// Outlines boxes that follow one another. Returns the fault of the list itself.
fn boxes(
    mut cursor: Cursor<'_>,
    depth: usize,
    left: &mut usize,
    list: &mut Vec<BoxOutline>,
) -> Option<Error> {
    while cursor.remaining() >= 8 {
        let Some(inner) = depth.checked_sub(1) else {
            return Some(cursor.error(ErrorKind::Budget {
                what: "boxes inside boxes",
                found: 1,
                limit: 0,
            }));
        };
        *left = match left.checked_sub(1) {
            Some(left) => left,
            None => {
                let kind = ErrorKind::Budget { what: "boxes", found: 1, limit: 0 };
                return Some(cursor.error(kind));
            }
        };
        let (start, offset) = (cursor.clone(), cursor.offset());
        let header = match Header::parse(&mut cursor) {
            Ok(header) => header,
            // The end of a box without a usable header is not known.
            Err(error) => {
                let mut unread = BoxOutline::unread(offset, error);
                let mut again = start;
                if again.take(4).is_ok() {
                    unread.kind = again.four_cc().unwrap_or(unread.kind);
                }
                list.push(unread);
                return None;
            }
        };
        let has = cursor.remaining() as u64;
        let needs = header.total().map_or(has, |total| total - header.len());
        let size = needs.saturating_add(header.len());
        let mut item = BoxOutline {
            kind: header.kind,
            extended: header.extended,
            offset,
            header: header.len(),
            size,
            fields: Vec::new(),
            table: None,
            inside: Vec::new(),
            error: None,
        };
        let cut_off = (needs > has).then(|| {
            start.error(ErrorKind::Truncated { needs: size, has: start.remaining() as u64 })
        });
        let Ok(body) = cursor.split(needs.min(has) as usize) else { return None };
        item.read(&header, body, inner, left);
        // That it is cut off is the reason for everything else.
        if let Some(error) = cut_off {
            item.error = Some(error.inside(header.kind));
        }
        list.push(item);
    }
    let padding = cursor.peek();
    let is_stray = padding.iter().any(|&byte| byte != 0);
    is_stray.then(|| cursor.error(ErrorKind::Truncated { needs: 8, has: padding.len() as u64 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::{AnyBox, Boxes, FullBox, Mfhd, Tfhd, Trun};

    fn moof() -> Bytes {
        let trun = Trun {
            full: FullBox { version: 0, flags: Trun::DURATION | Trun::SIZE },
            sample_count: 3,
            data_offset: Some(100),
            entries: [7, 0x10, 7, 0x11, 7, 0x12].into_iter().flat_map(u32::to_be_bytes).collect(),
            ..Trun::default()
        };
        let tfhd = Tfhd { track_id: 2, ..Tfhd::default() };
        let traf = AnyBox::container(*b"traf", [AnyBox::new(tfhd), AnyBox::new(trun)]);
        let mfhd = AnyBox::new(Mfhd { sequence_number: 9, ..Mfhd::default() });
        let mdat = AnyBox::other(*b"mdat", vec![1; 0x33]);
        Boxes::from_iter([AnyBox::container(*b"moof", [mfhd, traf]), mdat]).to_bytes()
    }

    #[test]
    fn a_byte_is_found_by_box_field_and_sample() {
        let bytes = moof();
        let boxes = outline(&bytes, 1000, &Limits::default());
        assert_eq!(boxes.len(), 2);
        let trun = &boxes[0].inside[1].inside[1];
        let table = trun.table.as_ref().unwrap();
        assert_eq!((table.count, table.columns.len()), (3, 2));
        let of = |byte: u64| place_of(&boxes, byte).to_string();
        assert_eq!(of(table.offset + 5), "moof/traf/trun, sample 1's sample_size");
        assert_eq!(of(table.offset + 23), "moof/traf/trun, sample 3's sample_size");
        assert_eq!(of(1000), "moof, its header");
        assert_eq!(of(1000 + 8 + 15), "moof/mfhd, sequence_number");
        let mdat = &boxes[1];
        assert_eq!(of(mdat.offset + 8), "mdat, byte 0 of its content (sample 1, byte 0)");
        assert_eq!(of(mdat.offset + 8 + 0x11), "mdat, byte 17 of its content (sample 2, byte 1)");
        assert_eq!(of(mdat.end()), "behind the last box");
    }

    #[test]
    fn a_fault_stays_in_its_place_and_what_follows_is_outlined() {
        let mut bytes = moof().to_vec();
        // The count of the run.
        let trun = bytes.windows(4).position(|word| word == b"trun").unwrap();
        bytes[trun + 8] = 0xff;
        let boxes = outline(&bytes.into(), 0, &Limits::default());
        assert_eq!(boxes.len(), 2);
        let broken = &boxes[0].inside[1].inside[1];
        let error = broken.error.as_ref().unwrap().to_string();
        assert!(error.starts_with("trun at byte "), "{error}");
        assert_eq!(broken.value("sample_count"), Some("4278190083"));
        assert!(boxes[1].error.is_none());
    }

    #[test]
    fn any_prefix_and_any_size_is_outlined_within_its_bytes() {
        let bytes = moof();
        for len in 0..bytes.len() {
            let cut = bytes.slice(..len);
            for boxes in outline(&cut, 0, &Limits::default()) {
                boxes.each(&mut |of, _| assert!(of.offset <= len as u64));
            }
        }
        let nested = (0..200).fold(Vec::new(), |inner: Vec<u8>, _| {
            [&(inner.len() as u32 + 8).to_be_bytes()[..], b"moof", &inner].concat()
        });
        let boxes = outline(&nested.into(), 0, &Limits::default());
        let mut errors = 0;
        boxes[0].each(&mut |of, _| errors += usize::from(of.error.is_some()));
        assert_eq!(errors, 1, "too deep");
    }
}
