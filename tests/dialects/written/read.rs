//! A small reader of its own: for the samples that the writers use, and to judge what is served.

use std::ops::Range;

/// Where a box lies.
pub struct Found {
    pub kind: [u8; 4],
    pub range: Range<usize>,
    header: usize,
}

impl Found {
    pub fn body(&self) -> Range<usize> {
        self.range.start + self.header..self.range.end
    }
}

/// What a fragment says of itself.
#[derive(Debug, Default)]
pub struct Fragment {
    pub track: u32,
    /// Where the payload of the `mdat` is stored.
    pub payload: Range<usize>,
    pub samples: Vec<Entry>,
    /// The boxes behind the `trun`, as they lie there.
    pub extra: Vec<([u8; 4], Vec<u8>)>,
}

#[derive(Debug)]
pub struct Entry {
    pub range: Range<usize>,
    pub duration: u32,
    pub flags: u32,
    pub composition: i32,
}

/// Duration, size and flags where a fragment gives none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults(pub [u32; 3]);

pub fn boxes(bytes: &[u8], range: Range<usize>) -> Vec<Found> {
    let (mut found, mut at) = (Vec::new(), range.start);
    while at < range.end {
        let kind = bytes[at + 4..at + 8].try_into().unwrap();
        let (header, size) = match u32_at(bytes, at) {
            1 => (16, u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap()) as usize),
            size => (8, size as usize),
        };
        assert!(size >= header && at + size <= range.end, "a box at {at} of {size} bytes");
        found.push(Found { kind, range: at..at + size, header });
        at += size;
    }
    found
}

/// What the first box of a kind encloses.
pub fn inside(bytes: &[u8], range: Range<usize>, kind: &[u8; 4]) -> Range<usize> {
    boxes(bytes, range).into_iter().find(|item| item.kind == *kind).unwrap().body()
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The fragment whose `moof` begins at `start`.
pub fn fragment(bytes: &[u8], start: usize, defaults: &Defaults) -> Fragment {
    let top = boxes_until_mdat(bytes, start);
    let (moof, mdat) = (&top[0], top.last().unwrap());
    assert_eq!((&moof.kind, &mdat.kind), (b"moof", b"mdat"));
    let mut found = Fragment { payload: mdat.body(), ..Fragment::default() };
    let mut defaults = defaults.0;
    let mut next = found.payload.start;
    for item in boxes(bytes, inside(bytes, moof.body(), b"traf")) {
        let mut at = item.body().start + 4;
        let flags = u32_at(bytes, at - 4) & 0xff_ffff;
        let mut word = || {
            at += 4;
            u32_at(bytes, at - 4)
        };
        match &item.kind {
            b"tfhd" => {
                found.track = word();
                assert_eq!(flags & 1, 0, "a base data offset");
                if flags & 2 != 0 {
                    word();
                }
                for (i, default) in defaults.iter_mut().enumerate() {
                    if flags & 8 << i != 0 {
                        *default = word();
                    }
                }
            }
            b"trun" => {
                let count = word();
                if flags & 1 != 0 {
                    next = start + word() as usize;
                }
                let first = (flags & 4 != 0).then(&mut word);
                for i in 0..count {
                    let mut values = [defaults[0], defaults[1], defaults[2], 0];
                    if i == 0
                        && let Some(first) = first
                    {
                        values[2] = first;
                    }
                    for (bit, value) in values.iter_mut().enumerate() {
                        if flags & 0x100 << bit != 0 {
                            *value = word();
                        }
                    }
                    let [duration, size, flags, composition] = values;
                    let range = next..next + size as usize;
                    next = range.end;
                    let composition = composition as i32;
                    found.samples.push(Entry { range, duration, flags, composition });
                }
            }
            kind => found.extra.push((*kind, bytes[item.body()].to_vec())),
        }
    }
    found
}

fn boxes_until_mdat(bytes: &[u8], start: usize) -> Vec<Found> {
    let (mut found, mut at) = (Vec::<Found>::new(), start);
    while found.last().is_none_or(|last| last.kind != *b"mdat") {
        let size = match u32_at(bytes, at) {
            1 => u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap()) as usize,
            size => size as usize,
        };
        found.extend(boxes(bytes, at..at + size));
        at += size;
    }
    found
}

/// Elements of a manifest with their attributes, and whether they are ends: enough for what is
/// written here and for what the crate generates.
pub fn elements(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut found = Vec::new();
    for part in text.split('<').skip(1).filter(|part| !part.starts_with(['?', '!'])) {
        let inside = &part[..part.find('>').unwrap()];
        let (name, mut rest) = inside.split_once([' ', '\n']).unwrap_or((inside, ""));
        let mut attributes = Vec::new();
        while let Some((name, after)) = rest.split_once('=') {
            let quote = after.chars().next().unwrap();
            let (value, after) = after[1..].split_once(quote).unwrap();
            attributes.push((name.trim().to_owned(), value.to_owned()));
            rest = after;
        }
        found.push((name.trim_end_matches('/').to_owned(), attributes));
    }
    found
}

/// What a manifest announces: stream, bitrate, attributes and start of each chunk of each track.
pub fn announced(manifest: &str) -> Vec<(String, u32, String, u64)> {
    let mut found = Vec::new();
    let (mut name, mut tracks, mut next) = (String::new(), Vec::<(u32, String)>::new(), 0);
    for (element, attributes) in elements(manifest) {
        let value = |wanted: &str| {
            let found = attributes.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        let number = |name: &str| value(name).map(|value| value.parse::<u64>().unwrap());
        match &*element {
            "StreamIndex" => {
                name = value("Name").or(value("Type")).unwrap();
                (tracks, next) = (Vec::new(), 0);
            }
            "QualityLevel" => tracks.push((number("Bitrate").unwrap() as u32, String::new())),
            "Attribute" => {
                let (_, list) = tracks.last_mut().unwrap();
                let comma = if list.is_empty() { "" } else { "," };
                *list += &format!("{comma}{}={}", value("Name").unwrap(), value("Value").unwrap());
            }
            "c" => {
                let start = number("t").unwrap_or(next);
                let (duration, count) = (number("d").unwrap_or(0), number("r").unwrap_or(1));
                for i in 0..count {
                    for (bitrate, attributes) in &tracks {
                        let start = start + i * duration;
                        found.push((name.clone(), *bitrate, attributes.clone(), start));
                    }
                }
                next = start + count * duration;
            }
            _ => {}
        }
    }
    found
}
