//! Boxes inside boxes: the tree, and the table of the types that are read field by field.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Header, uuid};
use crate::base::{Cursor, Error, ErrorKind, FourCc, Guid, Limits, Sink};

/// Boxes that follow one another, in the order in which they were stored.
///
/// Nothing is dropped: a type that is not known here keeps its bytes, so that writing what was
/// parsed gives the same bytes again. A box whose fields cannot be read keeps its bytes as well,
/// as [`Body::Other`], unless fragments cannot be cut out of their file without it: `mfhd`,
/// `tfhd`, `trun`, `tkhd`, `mdhd`, `hdlr`, `tfra`, and the boxes that enclose these.
///
/// ```
/// use bytes::Bytes;
/// use smooth_origin::base::Limits;
/// use smooth_origin::bmff::{Boxes, Mfhd};
///
/// let bytes = Bytes::from_static(b"\0\0\0\x18moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\x07");
/// let boxes = Boxes::parse(&bytes, 0, &Limits::default()).unwrap();
/// let moof = boxes.inside(*b"moof").unwrap();
/// assert_eq!(moof.get::<Mfhd>().unwrap().sequence_number, 7);
/// assert_eq!(boxes.to_bytes(), bytes);
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
    /// What it holds.
    pub body: Body,
    /// Bytes after the last field that is understood: kept.
    pub rest: Bytes,
}

/// Types that can be asked of a tree: [`Boxes::get`], [`Boxes::all`]. Only this crate has them.
pub trait Typed: sealed::Sealed + Sized + 'static {
    /// The type, and for `uuid` boxes the extended type.
    const HEADER: Header;
    #[doc(hidden)]
    fn of(body: &Body) -> Option<&Self>;
    #[doc(hidden)]
    fn of_mut(body: &mut Body) -> Option<&mut Self>;
    #[doc(hidden)]
    fn into_body(self) -> Body;
}

/// What every typed box can do: be read, measured and written.
pub(crate) trait Content: Sized {
    /// Reads the fields; what is left in `body` is kept as the box's rest.
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error>;
    /// Bytes that [`Content::write`] puts.
    fn len(&self) -> u64;
    fn write(&self, sink: &mut Sink);
}

mod sealed {
    pub trait Sealed {}
}

/// Declares the table: a box type is one line here and one file beside.
macro_rules! table {
    (
        containers { $($container:literal)* }
        boxes { $($kind:literal => $module:ident::$name:ident,)* }
        extended { $($ext_module:ident::$ext_name:ident,)* }
    ) => {
        /// What a box holds.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Body {
            /// Other boxes, and nothing else.
            Boxes(Boxes),
            /// A type that is not read here, or fields that cannot be read: all its bytes after the
            /// header.
            Other(Bytes),
            $(#[doc = concat!("`", stringify!($module), "`")] $name(super::$name),)*
            $(#[doc = concat!("extended type `", stringify!($ext_module), "`")] $ext_name(uuid::$ext_name),)*
        }

        impl Body {
            fn parse_typed(header: &Header, body: &mut Cursor<'_>) -> Result<Option<Self>, Error> {
                let Some(extended) = header.extended else {
                    return match &header.kind.0 {
                        $($kind => super::$name::parse(body).map(Self::$name).map(Some),)*
                        _ => Ok(None),
                    };
                };
                $(if extended == uuid::$ext_name::UUID {
                    return uuid::$ext_name::parse(body).map(Self::$ext_name).map(Some);
                })*
                Ok(None)
            }

            /// Name of the type, if [`parse_typed`](Self::parse_typed) reads its fields.
            fn typed_name(header: &Header) -> Option<&'static str> {
                let Some(extended) = header.extended else {
                    return match &header.kind.0 {
                        $($kind => Some(stringify!($module)),)*
                        _ => None,
                    };
                };
                $(if extended == uuid::$ext_name::UUID {
                    return Some(stringify!($ext_module));
                })*
                None
            }

            fn len(&self) -> u64 {
                match self {
                    Self::Boxes(boxes) => boxes.len(),
                    Self::Other(bytes) => bytes.len() as u64,
                    $(Self::$name(content) => content.len(),)*
                    $(Self::$ext_name(content) => content.len(),)*
                }
            }

            fn write(&self, sink: &mut Sink) {
                match self {
                    Self::Boxes(boxes) => boxes.write(sink),
                    Self::Other(bytes) => sink.put(bytes),
                    $(Self::$name(content) => content.write(sink),)*
                    $(Self::$ext_name(content) => content.write(sink),)*
                }
            }
        }

        const CONTAINERS: &[[u8; 4]] = &[$(*$container),*];

        $(table!(@typed super::$name, $name, Header::new(FourCc(*$kind)));)*
        $(table!(@typed uuid::$ext_name, $ext_name, Header::extended(uuid::$ext_name::UUID));)*
    };
    (@typed $type:path, $name:ident, $header:expr) => {
        impl sealed::Sealed for $type {}
        impl Typed for $type {
            const HEADER: Header = $header;
            fn of(body: &Body) -> Option<&Self> {
                if let Body::$name(content) = body { Some(content) } else { None }
            }
            fn of_mut(body: &mut Body) -> Option<&mut Self> {
                if let Body::$name(content) = body { Some(content) } else { None }
            }
            fn into_body(self) -> Body {
                Body::$name(self)
            }
        }
    };
}

table! {
    containers {
        b"moov" b"trak" b"mdia" b"minf" b"stbl" b"mvex" b"moof" b"traf" b"mfra" b"sinf" b"schi"
    }
    boxes {
        b"ftyp" => ftyp::Ftyp,
        b"mvhd" => mvhd::Mvhd,
        b"pssh" => pssh::Pssh,
        b"tkhd" => tkhd::Tkhd,
        b"mdhd" => mdhd::Mdhd,
        b"hdlr" => hdlr::Hdlr,
        b"stsd" => stsd::Stsd,
        b"stsz" => stsz::Stsz,
        b"mehd" => mehd::Mehd,
        b"trex" => trex::Trex,
        b"mfhd" => mfhd::Mfhd,
        b"tfhd" => tfhd::Tfhd,
        b"tfdt" => tfdt::Tfdt,
        b"trun" => trun::Trun,
        b"sdtp" => sdtp::Sdtp,
        b"senc" => senc::Senc,
        b"saiz" => saiz::Saiz,
        b"saio" => saio::Saio,
        b"subs" => subs::Subs,
        b"sbgp" => sbgp::Sbgp,
        b"tfra" => tfra::Tfra,
        b"mfro" => mfro::Mfro,
        b"avcC" => avcc::AvcC,
        b"hvcC" => hvcc::HvcC,
        b"esds" => esds::Esds,
        b"dvc1" => dvc1::Dvc1,
        b"dvcC" => dvcc::DvcC,
        b"dvvC" => dvcc::DvvC,
        b"wfex" => wfex::Wfex,
        b"dac3" => dac3::Dac3,
        b"dec3" => dec3::Dec3,
        b"dOps" => dops::DOps,
        b"vttC" => vttc::VttC,
        b"frma" => frma::Frma,
        b"schm" => schm::Schm,
        b"tenc" => tenc::Tenc,
    }
    extended {
        tfxd::Tfxd,
        tfrf::Tfrf,
        piff_pssh::PiffPssh,
        piff_senc::PiffSenc,
        piff_tenc::PiffTenc,
    }
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

    /// The same for what is left of `cursor` inside a sample entry, where padding may follow. Every
    /// box that is read field by field must be readable: the codec depends on it.
    pub(crate) fn parse_in(cursor: &mut Cursor<'_>, limits: &Limits) -> Result<Self, Error> {
        Reader::new(cursor, limits, true).list(cursor, limits.box_depth)
    }

    /// Describes the first box, or the first bytes behind the last box of a list, that could not
    /// be read and was kept as it is.
    pub(crate) fn unread(&self) -> Option<String> {
        let of_item = |item: &AnyBox| match &item.body {
            Body::Boxes(boxes) => boxes.unread().or_else(|| {
                let stray = boxes.has_stray_bytes().then_some(boxes.padding.len())?;
                Some(format!(
                    "{stray} bytes behind the last box of `{}` are no box",
                    item.header.kind
                ))
            }),
            Body::Other(_) => {
                item.unread_name().map(|name| format!("the box `{name}` cannot be read"))
            }
            _ => None,
        };
        self.list.iter().find_map(of_item)
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

    /// What the first box of this type encloses.
    pub fn inside(&self, kind: [u8; 4]) -> Option<&Self> {
        self.each(kind).next()
    }

    /// The same, to be changed.
    pub fn inside_mut(&mut self, kind: [u8; 4]) -> Option<&mut Self> {
        self.list.iter_mut().find_map(|item| match &mut item.body {
            Body::Boxes(boxes) if item.header.kind == kind => Some(boxes),
            _ => None,
        })
    }

    /// What each box of this type encloses.
    pub fn each(&self, kind: [u8; 4]) -> impl Iterator<Item = &Self> {
        self.list.iter().filter_map(move |item| match &item.body {
            Body::Boxes(boxes) if item.header.kind == kind => Some(boxes),
            _ => None,
        })
    }

    /// What the boxes at the end of a path enclose: `[*b"mdia", *b"minf"]`.
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

/// So many boxes are read of any block, and beyond that one for each [`BYTES_A_BOX`]: a box takes
/// more memory than the smallest has bytes.
const FEW_BOXES: usize = 1024;
const BYTES_A_BOX: usize = 32;

/// Types without which a fragment cannot be cut out of its file, and those that enclose them.
fn is_needed(kind: &[u8; 4]) -> bool {
    let encloses = matches!(kind, b"moov" | b"trak" | b"mdia" | b"moof" | b"traf" | b"mfra");
    let is_read =
        matches!(kind, b"mfhd" | b"tfhd" | b"trun" | b"tkhd" | b"mdhd" | b"hdlr" | b"tfra");
    encloses || is_read
}

/// Reads a tree, and counts the boxes of each list before it reads them.
struct Reader {
    limit: usize,
    depth: usize,
    /// Boxes of the lists that were begun: there is memory for all of them, the lists around the
    /// one that is being read among them.
    claimed: usize,
    /// Every typed box must be readable, whether slicing needs it or not.
    is_strict: bool,
}

impl Reader {
    fn new(cursor: &Cursor<'_>, limits: &Limits, is_strict: bool) -> Self {
        let of_bytes = FEW_BOXES + cursor.remaining() / BYTES_A_BOX;
        let limit = limits.boxes.min(of_bytes);
        Self { limit, depth: limits.box_depth, claimed: 0, is_strict }
    }

    fn list(&mut self, cursor: &mut Cursor<'_>, depth: usize) -> Result<Boxes, Error> {
        let count = self.claim(cursor)?;
        let mut list = Vec::with_capacity(count);
        // Only what encloses the list knows where it ends: of the outermost, the end may be missing.
        let may_stray = !self.is_strict && depth < self.depth;
        while cursor.remaining() >= 8 {
            let mut next = cursor.clone();
            match Self::split(&mut next) {
                Ok((header, body)) => {
                    list.push(self.one(header, body, depth)?);
                    *cursor = next;
                }
                Err(_) if may_stray && !holds_needed(cursor.peek()) => break,
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

    /// How many boxes there are by their sizes alone: as many as reading them gives, unless it ends
    /// with an error.
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
            // What is no size, or beyond the end, is an error when the box is read; a size of 0
            // reaches to the end.
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

    fn one(&mut self, header: Header, cursor: Cursor<'_>, depth: usize) -> Result<AnyBox, Error> {
        match self.body(&header, &mut cursor.clone(), depth) {
            Ok((body, rest)) => Ok(AnyBox { header, body, rest }),
            Err(error) if self.must_fail(&header, &error) => Err(error.inside(header.kind)),
            Err(_) => {
                let body = Body::Other(cursor.clone().rest());
                Ok(AnyBox { header, body, rest: Bytes::new() })
            }
        }
    }

    /// Whether an error inside this box is one of all that encloses it.
    fn must_fail(&self, header: &Header, error: &Error) -> bool {
        let is_budget = matches!(error.kind, ErrorKind::Budget { .. });
        // In a sample entry, `mfra` is no index but a misspelled `frma`.
        let is_frma = self.is_strict && header.kind == *b"mfra";
        is_budget || !is_frma && (self.is_strict || is_needed(&header.kind.0))
    }

    fn body(
        &mut self,
        header: &Header,
        cursor: &mut Cursor<'_>,
        depth: usize,
    ) -> Result<(Body, Bytes), Error> {
        if CONTAINERS.contains(&header.kind.0) {
            let Some(depth) = depth.checked_sub(1) else {
                let limit = self.depth;
                return Err(over(cursor, "boxes inside one another", limit + 1, limit));
            };
            return Ok((Body::Boxes(self.list(cursor, depth)?), Bytes::new()));
        }
        Ok(match Body::parse_typed(header, cursor)? {
            Some(typed) => (typed, cursor.rest()),
            None => (Body::Other(cursor.rest()), Bytes::new()),
        })
    }
}

/// These bytes may hold a box that slicing needs: one that must not be overlooked.
fn holds_needed(bytes: &[u8]) -> bool {
    bytes.windows(4).any(|word| word.first_chunk().is_some_and(is_needed))
}

fn over(cursor: &Cursor<'_>, what: &'static str, found: usize, limit: usize) -> Error {
    cursor.error(ErrorKind::Budget { what, found: found as u64, limit: limit as u64 })
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

    #[test]
    fn a_box_of_size_zero_reaches_to_the_end_and_ends_the_walk() {
        // 16 bytes that another parser never finished.
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
        assert!(
            error
                .to_string()
                .ends_with("boxes inside one another: 17 is more than the budget of 16")
        );

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
        // The level that is one box too many is the innermost, and nothing of it was made.
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

    /// A `moof` around these bytes.
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
            let says = format!("{} bytes behind the last box of `moof` are no box", tail.len());
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
        for kind in [b"mfhd", b"tfhd", b"trun", b"tkhd", b"mdhd", b"hdlr", b"tfra"] {
            let mut needed = bytes.clone();
            needed[12..16].copy_from_slice(kind);
            assert!(parse(&needed).is_err(), "{}", FourCc(*kind));
        }
        // In a sample entry, the codec needs every box.
        let block = Bytes::from_static(saiz);
        let limits = Limits::default();
        assert!(Boxes::parse_in(&mut Cursor::new(&block, 0), &limits).is_err());
        // A budget is one for all boxes.
        let nested = moof(&[&b"\0\0\0\x18mvex"[..], &b"\0\0\0\x08free".repeat(2)].concat());
        let limits = Limits { boxes: 3, ..Limits::default() };
        assert!(Boxes::parse(&nested.into(), 0, &limits).is_err());
    }
}
