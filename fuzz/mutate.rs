//! Inputs made out of valid ones: one box is changed, and the sizes of those around it, the index
//! and the offsets of samples are mended, so that the change is reached.

use libfuzzer_sys::fuzzer_mutate;
use smooth_origin::base::{Cursor, Limits};
use smooth_origin::bmff::{AnyBox, Body, Boxes, Header, Size, Tfra};

use crate::bodies::container::Container;

/// Changes an input of the target `boxes`.
pub fn boxes(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random::new(seed);
    let made = match random.below(4) {
        0 => None,
        _ => change_a_box(&data[..size], &mut random).map(|(_, after)| after.to_bytes().to_vec()),
    };
    put(data, size, max_size, made)
}

/// Changes an input of the target `fragments`.
pub fn fragments(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random::new(seed);
    let made = match random.below(4) {
        0 => None,
        mended => change_a_box(&data[..size], &mut random).map(|(before, mut after)| {
            if mended > 1 {
                mend(&before, &mut after);
            }
            after.to_bytes().to_vec()
        }),
    };
    put(data, size, max_size, made)
}

/// Changes an input of the target `cmaf`: its settings, or a box of its fragment.
pub fn cmaf(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    const SETTINGS: usize = 16;
    match data[..size].split_at_mut_checked(SETTINGS) {
        Some((_, rest)) if !rest.is_empty() && seed % 4 > 0 => {
            let (size, max_size) = (rest.len(), max_size.saturating_sub(SETTINGS));
            SETTINGS + fragments(&mut data[SETTINGS..], size, max_size, seed)
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

/// Changes an input of the targets `opening` and `index`.
pub fn opening(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random::new(seed);
    let mut files = Container::decode(&data[..size]);
    let made = change_a_file(&mut files, &mut random).map(|()| files.encode());
    put(data, size, max_size, made)
}

fn change_a_file(files: &mut Container, random: &mut Random) -> Option<()> {
    match random.below(8) {
        0..=3 => {
            let fragments = files.files.iter_mut().map(|(_, bytes)| bytes);
            let mut media: Vec<_> = files.media.iter_mut().flatten().chain(fragments).collect();
            let file = match media.len() {
                0 => return None,
                count => media.swap_remove(random.below(count)),
            };
            let (before, mut after) = change_a_box(file, random)?;
            if random.below(8) > 0 {
                mend(&before, &mut after);
            }
            *file = after.to_bytes().to_vec();
        }
        4 => change_text(files.manifest.as_mut().unwrap_or(&mut files.server), random),
        5 if !files.files.is_empty() => {
            let number = random.below(files.files.len());
            let path = &mut files.files[number].0;
            let mut text = std::mem::take(path).into_bytes();
            change_text(&mut text, random);
            *path = String::from_utf8_lossy(&text).into_owned();
        }
        5 => change_text(files.client.as_mut()?, random),
        6 if random.below(4) == 0 => {
            files.failing.push((random.below(4) << 6 | random.below(12)) as u8)
        }
        _ => return None,
    }
    Some(())
}

/// Puts what was made in place; where there is nothing, or it is too long, the fuzzer's own change.
fn put(data: &mut [u8], size: usize, max_size: usize, made: Option<Vec<u8>>) -> usize {
    match made {
        Some(made) if made.len() <= max_size.min(data.len()) => {
            data[..made.len()].copy_from_slice(&made);
            made.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

/// The boxes of a file, and the same with one of them changed.
fn change_a_box(bytes: &[u8], random: &mut Random) -> Option<(Boxes, Boxes)> {
    let before = Boxes::parse(&bytes.to_vec().into(), 0, &Limits::default()).ok()?;
    let mut after = before.clone();
    let mut paths = Vec::new();
    paths_of(&before, &mut Vec::new(), &mut paths);
    if paths.is_empty() {
        return None;
    }
    let (path, other) = (&paths[random.below(paths.len())], &paths[random.below(paths.len())]);
    let other = at(&mut after, other).clone();
    let (item, siblings) = (*path.last()?, list(&mut after, path));
    match random.below(12) {
        0 => drop(siblings.remove(item)),
        1 => siblings.insert(item, siblings[item].clone()),
        2 => siblings.insert(item, other),
        3 => {
            let other = random.below(siblings.len());
            siblings.swap(item, other);
        }
        4 => siblings[item].header.kind = other.header.kind,
        5 => {
            let sizes = [Size::Compact(0), Size::Large(0), Size::ToEnd];
            siblings[item].header.size = sizes[random.below(sizes.len())];
        }
        6 | 7 => change_number(&mut siblings[item], random),
        _ => change_body(&mut siblings[item]),
    }
    Some((before, after))
}

/// The way to every box: its number in each list on the way.
fn paths_of(boxes: &Boxes, path: &mut Vec<usize>, paths: &mut Vec<Vec<usize>>) {
    for (number, item) in boxes.list.iter().enumerate() {
        path.push(number);
        paths.push(path.clone());
        if let Body::Boxes(inside) = &item.body {
            paths_of(inside, path, paths);
        }
        path.pop();
    }
}

/// The list that holds the box at the end of a path.
fn list<'a>(boxes: &'a mut Boxes, path: &[usize]) -> &'a mut Vec<AnyBox> {
    match path {
        [_] | [] => &mut boxes.list,
        [first, rest @ ..] => match &mut boxes.list[*first].body {
            Body::Boxes(inside) => list(inside, rest),
            _ => unreachable!("a path leads through boxes"),
        },
    }
}

fn at<'a>(boxes: &'a mut Boxes, path: &[usize]) -> &'a AnyBox {
    &list(boxes, path)[*path.last().expect("a path leads somewhere")]
}

/// What follows the header of a box.
fn body_of(item: &AnyBox) -> Vec<u8> {
    let bytes = Boxes::from_iter([item.clone()]).to_bytes();
    let mut cursor = Cursor::new(&bytes, 0);
    Header::parse(&mut cursor).expect("what is written is read");
    cursor.rest().to_vec()
}

/// The body changed as the fuzzer likes, longer or shorter.
fn change_body(item: &mut AnyBox) {
    let mut body = body_of(item);
    let len = body.len();
    body.resize(len + 64, 0);
    let new = fuzzer_mutate(&mut body, len, len + 64);
    body.truncate(new);
    set_body(item, body);
}

/// One number of a body set to an edge.
fn change_number(item: &mut AnyBox, random: &mut Random) {
    let mut body = body_of(item);
    let width = [1, 2, 4, 4, 4, 8][random.below(6)];
    if body.len() >= width {
        let from = random.below(body.len() - width + 1) & !(width.min(4) - 1);
        let len = body.len() as u64;
        let edges =
            [0, 1, 2, len, u64::MAX, u64::MAX >> 1, 1 << 63, 1 << 31, u64::MAX >> 33, 0xff, 16, 8];
        let edge = edges[random.below(edges.len())].wrapping_add(random.below(3) as u64);
        body[from..from + width].copy_from_slice(&edge.wrapping_sub(1).to_be_bytes()[8 - width..]);
    }
    set_body(item, body);
}

fn set_body(item: &mut AnyBox, body: Vec<u8>) {
    item.body = Body::Other(body.into());
    item.rest = Default::default();
}

/// Sets what counts from elsewhere: offsets of fragments in the index, offsets of samples in a
/// fragment whose head has grown, the length of the index in its last box.
fn mend(before: &Boxes, after: &mut Boxes) {
    let heads = |boxes: &Boxes| {
        let mut at = 0;
        let mut heads = Vec::new();
        for item in &boxes.list {
            if item.header.kind == *b"moof" {
                heads.push((at, item.len()));
            }
            at += item.len();
        }
        heads
    };
    let (old, new) = (heads(before), heads(after));
    let moofs = after.list.iter_mut().filter(|item| item.header.kind == *b"moof");
    for (moof, (old, new)) in moofs.zip(old.iter().zip(&new)) {
        let Body::Boxes(moof) = &mut moof.body else { continue };
        let trafs = moof.list.iter_mut().filter_map(|item| match &mut item.body {
            Body::Boxes(traf) => Some(traf),
            _ => None,
        });
        for item in trafs.flat_map(|traf| &mut traf.list) {
            if let Body::Trun(trun) = &mut item.body {
                let grown = (new.1 as i32).wrapping_sub(old.1 as i32);
                trun.data_offset = trun.data_offset.map(|at| at.wrapping_add(grown));
            }
        }
    }
    let Some(mfra) = after.list.iter_mut().find(|item| item.header.kind == *b"mfra") else {
        return;
    };
    let len = mfra.len() as u32;
    let Body::Boxes(mfra) = &mut mfra.body else { return };
    for item in &mut mfra.list {
        match &mut item.body {
            Body::Tfra(tfra) => move_entries(tfra, |offset| {
                let moof = old.iter().position(|(at, _)| *at == offset)?;
                new.get(moof).map(|(at, _)| *at)
            }),
            Body::Mfro(mfro) => mfro.size = len,
            _ => {}
        }
    }
}

fn move_entries(tfra: &mut Tfra, to: impl Fn(u64) -> Option<u64>) {
    let width = if tfra.full.version > 0 { 8 } else { 4 };
    let mut bytes = tfra.bytes.to_vec();
    for (number, entry) in tfra.entries().enumerate() {
        if let Some(new) = to(entry.moof_offset) {
            let from = number * tfra.entry_len() + width;
            bytes[from..from + width].copy_from_slice(&new.to_be_bytes()[8 - width..]);
        }
    }
    tfra.bytes = bytes.into();
}

/// A number in a manifest set to an edge or to another of its numbers, or the fuzzer's own change.
fn change_text(text: &mut Vec<u8>, random: &mut Random) {
    let mut numbers: Vec<std::ops::Range<usize>> = Vec::new();
    for at in (0..text.len()).filter(|&at| text[at].is_ascii_digit()) {
        match numbers.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => numbers.push(at..at + 1),
        }
    }
    if numbers.is_empty() || random.below(3) == 0 {
        let len = text.len();
        text.resize(len + 64, 0);
        let new = fuzzer_mutate(text, len, len + 64);
        return text.truncate(new);
    }
    let at = numbers[random.below(numbers.len())].clone();
    let another = text[numbers[random.below(numbers.len())].clone()].to_vec();
    let edges: [&[u8]; 8] = [
        b"0",
        b"1",
        b"17",
        b"4294967295",
        b"4294967296",
        b"9223372036854775808",
        b"18446744073709551615",
        &another,
    ];
    let edge = edges[random.below(edges.len())].to_vec();
    text.splice(at, edge);
}

/// Numbers that follow from the fuzzer's seed.
struct Random(u64);

impl Random {
    fn new(seed: u32) -> Self {
        Self(u64::from(seed) << 1 | 1)
    }

    /// Less than `limit`, which is not 0.
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
