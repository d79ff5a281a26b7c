//! The tree of boxes. Content is hostile: depth, number and rows are bounded, and a box that cannot be read
//! is shown with the reason.

use bytes::Bytes;
use serde::Serialize;
use smooth_origin::base::{Cursor, Error, Limits};
use smooth_origin::bmff::{Boxes, Header};

use super::fields::{self, hex};
use super::names;
use super::reading::Top;
use super::table::{Field, field};

/// A box as JSON.
#[derive(Serialize)]
pub(super) struct BoxJson {
    r#type: String,
    name: &'static str,
    offset: u64,
    size: u64,
    header: u64,
    fields: Vec<Field>,
    boxes: Vec<BoxJson>,
}

/// Maximum number of boxes.
const MOST_BOXES: usize = 2000;

/// Maximum number of boxes around a box.
const MOST_DEPTH: usize = 16;

/// Returns the tree of these boxes. Offsets count from byte `start` of the file.
pub(super) fn of(tops: &[Top], start: u64) -> Vec<BoxJson> {
    let mut tree = Tree { start, left: MOST_BOXES };
    tops.iter().map(|top| tree.top(top)).collect()
}

struct Tree {
    start: u64,
    /// Number of boxes for which there is room.
    left: usize,
}

/// Bytes, and the first of them in the file.
struct Block<'a> {
    bytes: &'a Bytes,
    offset: u64,
}

impl Tree {
    fn top(&mut self, top: &Top) -> BoxJson {
        self.left = self.left.saturating_sub(1);
        let block = Block { bytes: &top.bytes, offset: top.offset };
        match header(&block, 0) {
            Ok(header) => {
                let mut json = self.any(&header, &block, top.size, 0);
                if header.size == smooth_origin::bmff::Size::ToEnd {
                    json.fields.push(field("size", "to the end of the file"));
                }
                json
            }
            Err(error) => self.broken(top, &error),
        }
    }

    /// Returns bytes in place of a box.
    fn broken(&self, top: &Top, error: &Error) -> BoxJson {
        let fields = vec![problem(error), field("bytes", hex(&top.bytes))];
        let offset = top.offset.saturating_sub(self.start);
        let (r#type, name) = ("????".to_owned(), "No box");
        BoxJson { r#type, name, offset, size: top.size, header: 0, fields, boxes: Vec::new() }
    }

    /// Returns a box whose bytes begin a block; `size` is that of the whole box.
    fn any(&mut self, header: &Header, block: &Block<'_>, size: u64, depth: usize) -> BoxJson {
        let kind = header.kind.0;
        let mut json = BoxJson {
            r#type: header.kind.to_string(),
            name: names::of(header),
            offset: block.offset.saturating_sub(self.start),
            size,
            header: header.len(),
            fields: Vec::new(),
            boxes: Vec::new(),
        };
        if let Some(extended) = header.extended {
            json.fields.push(field("extended type", extended));
        }
        let has = block.bytes.len() as u64;
        let body = block.bytes.slice(block.bytes.len().min(header.len() as usize)..);
        if kind == *b"mdat" {
            json.fields.push(field(
                "payload",
                format_args!("{} bytes", size.saturating_sub(header.len())),
            ));
            json.fields.push(field("bytes", hex(&body)));
            return json;
        }
        if has < size {
            let text = format!("{size} bytes by its header, of which {has} are shown or there");
            json.fields.push(field("problem", text));
        }
        match names::children(&kind, &body) {
            Some(skipped) if skipped <= body.len() => {
                fields::before(&kind, &body, &mut json.fields);
                let inner = body.slice(skipped..);
                let offset = block.offset + header.len() + skipped as u64;
                self.children(&mut json, Block { bytes: &inner, offset }, depth + 1);
            }
            _ if has < size => json.fields.push(field("bytes", hex(&body))),
            _ => self.leaf(&mut json, block, &body),
        }
        json
    }

    /// Reads the boxes inside a box.
    fn children(&mut self, json: &mut BoxJson, block: Block<'_>, depth: usize) {
        if depth > MOST_DEPTH {
            json.fields.push(field("problem", "more boxes inside each other are not shown"));
            return;
        }
        let mut at = 0;
        while at < block.bytes.len() {
            let rest = block.bytes.slice(at..);
            if rest.len() < 8 || rest.iter().take(8).all(|&byte| byte == 0) {
                let kind = if rest.iter().all(|&byte| byte == 0) { "padding" } else { "no box" };
                let text = format!("{} bytes: {}", rest.len(), hex(&rest));
                json.fields.push(field(kind, text));
                return;
            }
            let Some(left) = self.left.checked_sub(1) else {
                json.fields.push(field("more", format!("{} bytes of boxes", rest.len())));
                return;
            };
            self.left = left;
            let this = Block { bytes: &rest, offset: block.offset + at as u64 };
            let header = match header(&this, this.offset) {
                Ok(header) => header,
                Err(error) => {
                    json.fields.push(problem(&error));
                    return;
                }
            };
            let size = header.total().unwrap_or(rest.len() as u64);
            let len = usize::try_from(size).unwrap_or(usize::MAX).min(rest.len());
            let bytes = rest.slice(..len);
            let this = Block { bytes: &bytes, offset: this.offset };
            json.boxes.push(self.any(&header, &this, size, depth));
            // A header is 8 bytes at least.
            at += len;
        }
    }

    /// Reads the fields of a box.
    fn leaf(&self, json: &mut BoxJson, block: &Block<'_>, body: &Bytes) {
        let limits = Limits::default();
        match Boxes::parse(block.bytes, block.offset, &limits) {
            Ok(boxes) => match boxes.list.first() {
                Some(first) => fields::of(first, body, &mut json.fields),
                None => json.fields.push(field("bytes", hex(body))),
            },
            Err(error) => {
                json.fields.push(problem(&error));
                json.fields.push(field("bytes", hex(body)));
            }
        }
    }
}

fn header(block: &Block<'_>, offset: u64) -> Result<Header, Error> {
    Header::parse(&mut Cursor::new(block.bytes, offset))
}

fn problem(error: &Error) -> Field {
    field("problem", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(bytes: Vec<u8>) -> Vec<BoxJson> {
        let (size, bytes) = (bytes.len() as u64, Bytes::from(bytes));
        of(&[Top { offset: 100, size, bytes }], 100)
    }

    fn in_box(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = (body.len() as u32 + 8).to_be_bytes();
        [&size[..], kind, body].concat()
    }

    fn count(boxes: &[BoxJson]) -> usize {
        boxes.iter().map(|inner| 1 + count(&inner.boxes)).sum()
    }

    #[test]
    fn offsets_count_from_the_start_of_the_fragment() {
        let mfhd = in_box(b"mfhd", &[0, 0, 0, 0, 0, 0, 0, 7]);
        let all = tree(in_box(b"moof", &[mfhd, in_box(b"abcd", b"x")].concat()));
        let moof = &all[0];
        assert_eq!((moof.offset, moof.size, moof.boxes.len()), (0, 33, 2));
        assert_eq!(moof.boxes[0].fields[0].name, "sequence number");
        assert_eq!(moof.boxes[0].fields[0].value, "7");
        assert_eq!((moof.boxes[1].offset, moof.boxes[1].size), (24, 9));
        assert_eq!(moof.boxes[1].fields[0].value, "78");
    }

    #[test]
    fn hostile_boxes_are_bounded() {
        let mut nested = Vec::new();
        for _ in 0..5000 {
            nested = in_box(b"moof", &nested);
        }
        assert!(count(&tree(nested)) <= MOST_DEPTH + 2);
        let many = in_box(b"moof", &in_box(b"free", b"").repeat(100_000));
        assert!(count(&tree(many)) <= MOST_BOXES);
        let count_alone = [&[0; 4][..], &[0xff; 4]].concat();
        let trun = tree(in_box(b"moof", &in_box(b"traf", &in_box(b"trun", &count_alone))));
        let fields = &trun[0].boxes[0].boxes[0].fields;
        assert!(fields.len() < 80, "{}", fields.len());
    }

    #[test]
    fn boxes_that_cannot_be_read_have_a_reason() {
        for bytes in [
            in_box(b"moof", b"\0\0\0\x03abcd"),
            in_box(b"moof", b"\0\0\x10\0trafx"),
            in_box(b"moof", &in_box(b"tfhd", b"x")),
            in_box(b"moof", &in_box(b"trun", &[0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff])),
            b"\0\0\0\x02moof".to_vec(),
            b"\0\0\0\x01moof".to_vec(),
        ] {
            let text = serde_json::to_string(&tree(bytes)).unwrap();
            assert!(text.contains("\"problem\""), "{text}");
        }
    }

    #[test]
    fn broken_copies_of_real_files_are_shown_within_bounds() {
        let testdata = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata");
        let mut seed = 1_u64;
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % below.max(1) as u64) as usize
        };
        for file in
            ["ladder/ladder.ismv", "dialects/playready/playready.ismv", "ntsc/ntsc_low.ismv"]
        {
            let file = std::fs::read(format!("{testdata}/{file}")).unwrap();
            let moov = file.windows(4).position(|four| four == b"moov").unwrap() - 4;
            let moof = file.windows(4).position(|four| four == b"moof").unwrap() - 4;
            for start in [moov, moof] {
                let size = u32::from_be_bytes(*file[start..].first_chunk().unwrap()) as usize;
                let whole = &file[start..start + size];
                for _ in 0..500 {
                    let mut bytes = whole.to_vec();
                    for _ in 0..1 + random(4) {
                        let place = random(bytes.len());
                        bytes[place] = [0, 1, 0xff, random(256) as u8][random(4)];
                    }
                    bytes.truncate(if random(2) == 0 { size } else { random(size) });
                    let tree = tree(bytes);
                    assert!(count(&tree) <= MOST_BOXES);
                    assert!(serde_json::to_string(&tree).unwrap().len() < 1 << 20);
                }
            }
        }
    }
}
