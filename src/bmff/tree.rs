//! Boxes inside boxes: the tree.

use std::borrow::Cow;

use bytes::Bytes;

use super::Header;
use super::reader::Reader;
use super::table::{Body, CONTAINERS, Typed};
use crate::base::{Cursor, Error, ErrorKind, FourCc, Guid, Limits, Sink};

/// Boxes that follow one another, in the order in which they were stored.
///
/// Nothing is dropped: a type that is not known here keeps its bytes, so that writing what was
/// parsed gives the same bytes again. A box whose fields cannot be read keeps its bytes as well,
/// as [`Body::Other`], unless fragments cannot be cut out of their file without it: `mfhd`,
/// `tfhd`, `trun`, `tkhd`, `mdhd`, `hdlr`, and the boxes that enclose these but for a `trak`.
///
/// ```
/// # #[cfg(feature = "unstable-formats")] {
/// use bytes::Bytes;
/// use smooth_origin::base::Limits;
/// use smooth_origin::bmff::{Boxes, Mfhd};
///
/// let bytes = Bytes::from_static(b"\0\0\0\x18moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x07");
/// let boxes = Boxes::parse(&bytes, 0, &Limits::default()).unwrap();
/// let moof = boxes.inside(*b"moof").unwrap();
/// assert_eq!(moof.get::<Mfhd>().unwrap().sequence_number, 7);
/// assert_eq!(boxes.to_bytes(), bytes);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boxes {
    /// The boxes.
    pub list: Vec<AnyBox>,
    /// Bytes that follow the last box and are no box: zeros that are too few for one (QuickTime's
    /// terminator), or anything that a faulty writer left there.
    pub padding: Bytes,
}

/// A box: its header, what it holds, and what its type does not explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyBox {
    /// As it was read. The size is computed anew when the box is written.
    pub header: Header,
    /// Content of the box.
    pub body: Body,
    /// Bytes after the last field that is understood: kept.
    pub rest: Bytes,
}

impl Boxes {
    /// Reads the boxes that fill `block`, which begins at byte `base` of its file.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] where an outermost box, or one that slicing needs, reaches beyond
    /// what encloses it, [`ErrorKind::Budget`] beyond [`Limits::boxes`] or [`Limits::box_depth`],
    /// and what the types that slicing needs find in their fields.
    pub fn parse(block: &Bytes, base: u64, limits: &Limits) -> Result<Self, Error> {
        let mut cursor = Cursor::new(block, base);
        let list = Reader::new(&cursor, limits, false).list(&mut cursor, limits.box_depth)?;
        match list.padding.len() as u64 {
            0 => Ok(list),
            has => Err(cursor.error(ErrorKind::Truncated { needs: 8, has })),
        }
    }

    /// Parses the boxes that are left of `cursor` inside a sample entry, where padding may follow.
    /// Every box that is read field by field must be readable: the codec depends on it.
    pub(crate) fn parse_in(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Self, Error> {
        Reader::new(cursor, limits, true).list(cursor, limits.box_depth)
    }

    /// Describes the first box, or the first bytes behind the last box of a list, that could not
    /// be read and was kept as it is.
    pub(crate) fn unread(&self) -> Option<String> {
        let of_item = |item: &AnyBox| match &item.body {
            Body::Boxes(boxes) => boxes.unread_in(item.header.kind),
            Body::Other(_) => {
                item.unread_name().map(|name| format!("the box `{name}` cannot be read"))
            }
            _ => None,
        };
        self.list.iter().find_map(of_item)
    }

    /// Returns the error of the first box that could not be read and was kept as it is. The boxes
    /// begin at byte `base` of their file.
    pub(crate) fn unread_error(&self, base: u64, limits: &Limits) -> Option<Error> {
        let mut at = base;
        self.list.iter().find_map(|item| {
            let body = at + item.header_len();
            at += item.len();
            let error = match &item.body {
                Body::Boxes(boxes) => boxes.unread_error(body, limits),
                Body::Other(bytes) if CONTAINERS.contains(&item.header.kind.0) => {
                    Self::parse(bytes, body, limits).err()
                }
                Body::Other(bytes) => {
                    Body::parse_typed(&item.header, &mut Cursor::new(bytes, body)).err()
                }
                _ => None,
            };
            error.map(|error| error.inside(item.header.kind))
        })
    }

    /// Does the same for the boxes inside a box of type `kind`, and for stray bytes at its end.
    pub(crate) fn unread_in(&self, kind: FourCc) -> Option<String> {
        self.unread().or_else(|| {
            let stray = self.has_stray_bytes().then_some(self.padding.len())?;
            Some(format!("{stray} bytes after the last box of `{kind}` are not a box"))
        })
    }

    /// Bytes other than zeros follow the last box.
    pub(crate) fn has_stray_bytes(&self) -> bool {
        self.padding.iter().any(|&byte| byte != 0)
    }

    /// The first box of type `T`.
    pub fn get<T: Typed>(&self) -> Option<&T> {
        self.all().next()
    }

    /// Every box of type `T`.
    pub fn all<T: Typed>(&self) -> impl Iterator<Item = &T> {
        self.list.iter().filter_map(|item| T::of(&item.body))
    }

    /// The first box of type `T`, to be changed.
    pub fn get_mut<T: Typed>(&mut self) -> Option<&mut T> {
        self.list.iter_mut().find_map(|item| T::of_mut(&mut item.body))
    }

    /// Returns the boxes inside the first box of this type.
    pub fn inside(&self, kind: [u8; 4]) -> Option<&Self> {
        self.each(kind).next()
    }

    /// Returns the boxes inside the first box of this type, to be changed.
    pub fn inside_mut(&mut self, kind: [u8; 4]) -> Option<&mut Self> {
        self.list.iter_mut().find_map(|item| match &mut item.body {
            Body::Boxes(boxes) if item.header.kind == kind => Some(boxes),
            _ => None,
        })
    }

    /// Returns the boxes inside each box of this type.
    pub fn each(&self, kind: [u8; 4]) -> impl Iterator<Item = &Self> {
        self.list.iter().filter_map(move |item| match &item.body {
            Body::Boxes(boxes) if item.header.kind == kind => Some(boxes),
            _ => None,
        })
    }

    /// Returns the boxes inside the box at the end of a path: `[*b"mdia", *b"minf"]`.
    pub fn path(&self, kinds: &[[u8; 4]]) -> Option<&Self> {
        kinds.iter().try_fold(self, |boxes, &kind| boxes.inside(kind))
    }

    /// Bytes that [`to_bytes`](Self::to_bytes) gives.
    pub fn len(&self) -> u64 {
        self.list.iter().map(AnyBox::len).sum::<u64>() + self.padding.len() as u64
    }

    /// No box, no padding.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.padding.is_empty()
    }

    /// The boxes as they are stored.
    pub fn to_bytes(&self) -> Bytes {
        let mut sink = Sink::with_len(self.len() as usize);
        self.write(&mut sink);
        sink.finish()
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        for item in &self.list {
            item.write(sink);
        }
        sink.put(&self.padding);
    }
}

impl FromIterator<AnyBox> for Boxes {
    fn from_iter<I: IntoIterator<Item = AnyBox>>(boxes: I) -> Self {
        Self { list: boxes.into_iter().collect(), padding: Bytes::new() }
    }
}

impl AnyBox {
    /// A box of a typed body.
    pub fn new<T: Typed>(content: T) -> Self {
        Self { header: T::HEADER, body: content.into_body(), rest: Bytes::new() }
    }

    /// A box that encloses others.
    pub fn container(kind: [u8; 4], boxes: impl IntoIterator<Item = Self>) -> Self {
        let body = Body::Boxes(boxes.into_iter().collect());
        Self { header: Header::new(FourCc(kind)), body, rest: Bytes::new() }
    }

    /// A box of any type with the bytes that follow its header.
    pub fn other(kind: [u8; 4], bytes: impl Into<Bytes>) -> Self {
        let header = Header::new(FourCc(kind));
        Self { header, body: Body::Other(bytes.into()), rest: Bytes::new() }
    }

    /// The type, and for `uuid` boxes the extended type.
    pub fn kind(&self) -> (FourCc, Option<Guid>) {
        (self.header.kind, self.header.extended)
    }

    /// Name of the type, if it is one that is read here and its bytes were kept instead.
    fn unread_name(&self) -> Option<Cow<'static, str>> {
        if !matches!(self.body, Body::Other(_)) {
            return None;
        }
        if CONTAINERS.contains(&self.header.kind.0) {
            return Some(self.header.kind.to_string().into());
        }
        if self.header.kind == *b"uuid" && self.header.extended.is_none() {
            return Some("uuid".into());
        }
        Body::typed_name(&self.header).map(Cow::Borrowed)
    }

    /// Bytes of the whole box when it is written.
    pub fn len(&self) -> u64 {
        // Once: a box that encloses others measures them.
        let body = self.body_len();
        self.header.around(body).len() + body
    }

    /// Bytes of the header when the box is written.
    pub(crate) fn header_len(&self) -> u64 {
        self.header.around(self.body_len()).len()
    }

    fn body_len(&self) -> u64 {
        self.body.len() + self.rest.len() as u64
    }

    pub(crate) fn write(&self, sink: &mut Sink) {
        self.header.around(self.body_len()).write(sink);
        self.body.write(sink);
        sink.put(&self.rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::Mfhd;

    fn parse(bytes: &[u8]) -> Result<Boxes, Error> {
        Boxes::parse(&Bytes::copy_from_slice(bytes), 0, &Limits::default())
    }

    #[test]
    fn unknown_boxes_and_bytes_after_the_last_field_are_kept() {
        let bytes = b"\0\0\0\x2cmoof\0\0\0\x14mfhd\0\0\0\0\0\0\0\x07more\0\0\0\x0cwxyzbody\0\0\0\0";
        let mut boxes = parse(bytes).unwrap();
        assert_eq!(boxes.to_bytes(), bytes[..]);
        let Body::Boxes(moof) = &mut boxes.list[0].body else { panic!("moof is a container") };
        moof.get_mut::<Mfhd>().unwrap().sequence_number = 9;
        assert_eq!(moof.list[1].body, Body::Other(Bytes::from_static(b"body")));
        let again = Boxes::parse(&boxes.to_bytes(), 0, &Limits::default()).unwrap();
        assert_eq!(again, boxes);
    }
}
