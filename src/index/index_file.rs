//! Index files: what a walk through a file without an index found, for the next opening.
//!
//! An index file has four letters, a version of the format, a checksum, the size of the media file,
//! the first byte of the walk, and each box that the walk passed. Numbers are written in groups of
//! seven bits, times as differences. A fragment takes about twelve bytes.
//!
//! The checksum covers the version of the media file, so the index file of another version is as
//! wrong as a damaged one. It is no proof: a fragment is checked when it is first read, as one that
//! an `mfra` names.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use xxhash_rust::xxh3::Xxh3;

use crate::base::FourCc;

/// The first bytes of an index file: its letters, and the version of the format.
const MAGIC: &[u8; 5] = b"SOix\x01";

/// Bytes before the boxes' list: [`MAGIC`] and the checksum.
const START: usize = MAGIC.len() + 8;

/// A longer one is not kept or read. There is room for three hundred thousand fragments.
pub(crate) const MOST: usize = 4 << 20;

/// Tracks of one file whose times are written as differences.
const TRACKS: usize = 1024;

/// A box that a walk passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// A box that is no fragment.
    Other {
        kind: FourCc,
        /// Bytes of the header.
        header: u64,
        /// Bytes of the box.
        len: u64,
    },
    Fragment(PassedFragment),
}

/// A fragment that a walk passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PassedFragment {
    pub(crate) track_id: u32,
    /// Bytes of the `moof`.
    pub(crate) moof: u64,
    /// Bytes of the fragment.
    pub(crate) len: u64,
    /// Start that it declares, in ticks of the track.
    pub(crate) said: Option<i64>,
    pub(crate) is_short_time: bool,
    /// Duration that its `tfxd` declares, and that of its samples.
    pub(crate) declared: u64,
    pub(crate) duration: u64,
    pub(crate) is_empty: bool,
}

/// Writes the boxes of a walk.
#[derive(Clone, Debug)]
pub(crate) struct IndexWriter {
    bytes: Vec<u8>,
    times: Times,
}

/// Reads the boxes of a walk.
#[derive(Clone, Debug)]
pub(crate) struct IndexReader {
    bytes: Bytes,
    times: Times,
}

/// The last declared start of each track.
#[derive(Clone, Debug, Default)]
struct Times(BTreeMap<u32, i64>);

impl Times {
    fn last(&self, track_id: u32) -> i64 {
        self.0.get(&track_id).copied().unwrap_or(0)
    }

    fn set(&mut self, track_id: u32, time: i64) {
        if self.0.len() < TRACKS || self.0.contains_key(&track_id) {
            self.0.insert(track_id, time);
        }
    }
}

const OTHER: u8 = 0;
const FRAGMENT: u8 = 1;
const SAYS: u8 = 1 << 1;
const SHORT: u8 = 1 << 2;
const EMPTY: u8 = 1 << 3;

impl IndexWriter {
    /// Starts the index of a file of `size` bytes that is walked through from byte `from` on.
    pub(crate) fn new(size: u64, from: u64) -> Self {
        let mut writer = Self { bytes: vec![0; START], times: Times::default() };
        writer.number(size);
        writer.number(from);
        writer
    }

    /// Adds the next box. Returns whether there was room for it.
    pub(crate) fn push(&mut self, passed: &Passed) -> bool {
        match passed {
            Passed::Other { kind, header, len } => {
                self.bytes.push(OTHER);
                self.bytes.extend_from_slice(&kind.0);
                self.number(*header);
                self.number(*len);
            }
            Passed::Fragment(fragment) => self.push_fragment(fragment),
        }
        self.bytes.len() <= MOST
    }

    fn push_fragment(&mut self, fragment: &PassedFragment) {
        let flag = |is: bool, flag: u8| if is { flag } else { 0 };
        let says = flag(fragment.said.is_some(), SAYS);
        let short = flag(fragment.is_short_time, SHORT);
        let empty = flag(fragment.is_empty, EMPTY);
        self.bytes.push(FRAGMENT | says | short | empty);
        self.number(fragment.track_id.into());
        self.number(fragment.moof);
        self.number(fragment.len);
        self.number(fragment.duration);
        self.signed(fragment.declared.wrapping_sub(fragment.duration) as i64);
        if let Some(said) = fragment.said {
            let last = self.times.last(fragment.track_id);
            self.signed(said.wrapping_sub(last));
            self.times.set(fragment.track_id, said);
        }
    }

    /// Ends the index of this version of the media file.
    pub(crate) fn finish(mut self, version: &[u8]) -> Bytes {
        let sum = checksum(version, &self.bytes[START..]);
        self.bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        self.bytes[MAGIC.len()..START].copy_from_slice(&sum.to_be_bytes());
        self.bytes.into()
    }

    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Small negative numbers are short too.
    fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }
}

impl IndexReader {
    /// Reads the list of boxes that [`opened`] returns.
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes, times: Times::default() }
    }

    /// Returns whether it is of a file of `size` bytes, walked through from byte `from` on, and every
    /// box in it is inside of the file.
    pub(crate) fn fits(&mut self, size: u64, from: u64) -> bool {
        if (self.number(), self.number()) != (Some(size), Some(from)) {
            return false;
        }
        let (mut all, mut at) = (self.clone(), Some(from));
        for passed in all.by_ref() {
            let len = match passed {
                Passed::Other { header, len, .. } if header >= 8 && len >= header => len,
                Passed::Fragment(PassedFragment { moof, len, .. }) if 8 < moof && moof <= len => {
                    len
                }
                _ => return false,
            };
            at = at.and_then(|at| at.checked_add(len)).filter(|&at| at <= size);
            if at.is_none() {
                return false;
            }
        }
        all.bytes.is_empty()
    }

    fn fragment(&mut self, flags: u8) -> Option<PassedFragment> {
        let track_id = u32::try_from(self.number()?).ok()?;
        let (moof, len, duration) = (self.number()?, self.number()?, self.number()?);
        let declared = duration.wrapping_add(self.signed()? as u64);
        let mut said = None;
        if flags & SAYS != 0 {
            let time = self.times.last(track_id).wrapping_add(self.signed()?);
            self.times.set(track_id, time);
            said = Some(time);
        }
        let (is_short_time, is_empty) = (flags & SHORT != 0, flags & EMPTY != 0);
        let fragment = PassedFragment {
            track_id,
            moof,
            len,
            said,
            is_short_time,
            declared,
            duration,
            is_empty,
        };
        Some(fragment)
    }

    fn byte(&mut self) -> Option<u8> {
        self.bytes.has_remaining().then(|| self.bytes.get_u8())
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return (bits << shift >> shift == bits).then_some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

impl Iterator for IndexReader {
    type Item = Passed;

    fn next(&mut self) -> Option<Passed> {
        // What cannot be read stays, and so is not taken for the end.
        let before = self.bytes.clone();
        let passed = match self.byte()? {
            OTHER => (|| {
                let kind = FourCc([self.byte()?, self.byte()?, self.byte()?, self.byte()?]);
                Some(Passed::Other { kind, header: self.number()?, len: self.number()? })
            })(),
            flags if flags & !(FRAGMENT | SAYS | SHORT | EMPTY) == 0 && flags & FRAGMENT != 0 => {
                self.fragment(flags).map(Passed::Fragment)
            }
            _ => None,
        };
        if passed.is_none() {
            self.bytes = before;
        }
        passed
    }
}

/// Returns the list of boxes in an index file. `None` if the file is damaged, is of another version
/// of the media file or of another format, or is longer than one that is kept.
pub(crate) fn opened(file: &Bytes, version: &[u8]) -> Option<Bytes> {
    if file.len() > MOST + START || !file.starts_with(MAGIC) {
        return None;
    }
    let sum = u64::from_be_bytes(*file.get(MAGIC.len()..START)?.first_chunk()?);
    let bytes = file.slice(START..);
    (checksum(version, &bytes) == sum).then_some(bytes)
}

/// Returns a number for the name of a media file, of which no two have the same.
#[cfg(feature = "fs")]
pub(crate) fn number_of(name: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(name.as_bytes())
}

fn checksum(version: &[u8], bytes: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&(version.len() as u64).to_be_bytes());
    hash.update(version);
    hash.update(bytes);
    hash.digest()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn passed() -> impl Strategy<Value = Passed> {
        let other = (any::<[u8; 4]>(), 8..40_u64, 0..1000_u64).prop_map(|(kind, header, more)| {
            let len = header + more;
            Passed::Other { kind: FourCc(kind), header, len }
        });
        let numbers = (any::<u32>(), 9..5000_u64, 0..(1_u64 << 33), any::<u64>(), any::<u64>());
        let fragment = (numbers, any::<Option<i64>>(), any::<(bool, bool)>()).prop_map(
            |((track_id, moof, more, declared, duration), said, (is_short_time, is_empty))| {
                let len = moof + more;
                let (track_id, declared) = (track_id % 3000, declared);
                Passed::Fragment(PassedFragment {
                    track_id,
                    moof,
                    len,
                    said,
                    is_short_time,
                    declared,
                    duration,
                    is_empty,
                })
            },
        );
        prop_oneof![other, fragment]
    }

    fn len(passed: &Passed) -> u64 {
        match passed {
            Passed::Other { len, .. } => *len,
            Passed::Fragment(fragment) => fragment.len,
        }
    }

    fn file_of(boxes: &[Passed], size: u64, version: &[u8]) -> Bytes {
        let mut writer = IndexWriter::new(size, 100);
        assert!(boxes.iter().all(|passed| writer.push(passed)));
        writer.finish(version)
    }

    proptest! {
        #[test]
        fn boxes_are_read_as_they_were_written(boxes in vec(passed(), 0..50)) {
            let size = 100 + boxes.iter().map(len).sum::<u64>();
            let file = file_of(&boxes, size, b"1");
            let mut reader = IndexReader::new(opened(&file, b"1").unwrap());
            prop_assert!(reader.fits(size, 100));
            prop_assert_eq!(reader.collect::<Vec<_>>(), boxes);
            prop_assert!(opened(&file, b"2").is_none(), "another version");
            for (size, from) in [(size + 1, 100), (size, 99)] {
                let mut reader = IndexReader::new(opened(&file, b"1").unwrap());
                prop_assert!(!reader.fits(size, from));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..100)) {
            let mut reader = IndexReader::new(bytes.into());
            let _ = reader.fits(1 << 20, 100);
            let _ = reader.count();
        }
    }

    #[test]
    fn a_damaged_index_file_is_none() {
        let other = Passed::Other { kind: FourCc(*b"free"), header: 8, len: 20 };
        let file = file_of(&[other.clone(), other], 140, b"1");
        for at in 0..file.len() {
            let mut damaged = file.to_vec();
            damaged[at] ^= 0x40;
            assert!(opened(&damaged.into(), b"1").is_none(), "{at}");
            assert!(opened(&file.slice(..at), b"1").is_none(), "{at}");
        }
        assert!(opened(&file, b"1").is_some() && opened(&file, b"").is_none());
    }

    #[test]
    fn boxes_that_leave_the_file_or_have_no_room_for_their_headers_do_not_fit() {
        let fits = |boxes: &[Passed], size: u64| {
            let file = file_of(boxes, size, b"1");
            IndexReader::new(opened(&file, b"1").unwrap()).fits(size, 100)
        };
        let other = |header, len| Passed::Other { kind: FourCc(*b"free"), header, len };
        assert!(fits(&[other(8, 20)], 120));
        assert!(!fits(&[other(8, 21)], 120));
        assert!(!fits(&[other(8, u64::MAX), other(8, u64::MAX)], 120));
        assert!(!fits(&[other(8, 7)], 120) && !fits(&[other(0, 0)], 120));
    }
}
