//! Records in a file, each with its length and a checksum.

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

use crate::base::{Error, ErrorKind};

/// The first bytes of a journal: its letters, and the version of the format.
pub(super) const MAGIC: &[u8; 8] = b"SOjrnl\x00\x01";

/// Bytes before a record: its length and its checksum.
const HEAD: usize = 12;

/// Adds a record to the bytes that are written at byte `start` of a journal.
///
/// The checksum covers the place of the record: what an older journal left there is no record.
pub(super) fn push_frame(bytes: &mut Vec<u8>, start: u64, record: &[u8]) {
    let at = start + bytes.len() as u64;
    // A fragment of 4 GiB is beyond all budgets.
    let len = u32::try_from(record.len()).unwrap_or(u32::MAX);
    bytes.extend(len.to_be_bytes());
    bytes.extend(xxh3_64_with_seed(record, at).to_be_bytes());
    bytes.extend_from_slice(record);
}

/// Adds a record of two parts, as [`push_frame`] adds one.
pub(super) fn push_parts(bytes: &mut Vec<u8>, start: u64, begin: &[u8], rest: &[u8]) {
    let at = start + bytes.len() as u64;
    let record = begin.len().saturating_add(rest.len());
    let len = u32::try_from(record).unwrap_or(u32::MAX);
    let mut sum = Xxh3::with_seed(at);
    sum.update(begin);
    sum.update(rest);
    bytes.reserve(HEAD.saturating_add(record));
    bytes.extend(len.to_be_bytes());
    bytes.extend(sum.digest().to_be_bytes());
    bytes.extend_from_slice(begin);
    bytes.extend_from_slice(rest);
}

/// Writes a journal of these records, whatever they are: for tests and fuzzers.
pub fn journal_of(records: &[&[u8]]) -> Bytes {
    let mut bytes = MAGIC.to_vec();
    records.iter().for_each(|record| push_frame(&mut bytes, 0, record));
    bytes.into()
}

/// The records of a journal, up to the first one that is not whole.
#[derive(Debug)]
pub(super) struct Frames {
    bytes: Bytes,
    at: usize,
    /// Offset of the first of the bytes in the journal.
    start: u64,
}

impl Frames {
    /// Reads a journal from its beginning. One that is shorter than its first letters has no record.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if it is no journal, or one of another version.
    pub(super) fn new(bytes: &Bytes) -> Result<Self, Error> {
        let begin = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(begin) {
            let what = match begin[..begin.len().min(7)] == MAGIC[..7] {
                true => "a journal of another version of this software",
                false => "a file that is no journal of a live event",
            };
            let clause = "the format of journals";
            return Err(ErrorKind::Invalid { what: what.into(), clause }.into());
        }
        let at = if begin.len() < MAGIC.len() { 0 } else { MAGIC.len() };
        Ok(Self { bytes: bytes.clone(), at, start: 0 })
    }

    /// Reads the records that begin at byte `start` of a journal, behind its first letters.
    pub(super) fn behind(bytes: &Bytes, start: u64) -> Self {
        Self { bytes: bytes.clone(), at: 0, start }
    }

    /// Returns the offset of the first byte that is not read: the end of the last whole record, or 0 if the
    /// journal has not even its first letters.
    pub(super) fn end(&self) -> u64 {
        self.start + self.at as u64
    }

    /// Returns the next record, without going on to the one behind it.
    pub(super) fn peek(&self) -> Option<Bytes> {
        let rest = &self.bytes[self.at..];
        if self.end() == 0 || rest.len() < HEAD {
            return None;
        }
        // Both have their length by the check above.
        let len = u32::from_be_bytes(rest[..4].try_into().ok()?) as usize;
        let sum = u64::from_be_bytes(rest[4..HEAD].try_into().ok()?);
        let record = rest[HEAD..].get(..len)?;
        let is_whole = len > 0 && xxh3_64_with_seed(record, self.end()) == sum;
        is_whole.then(|| self.bytes.slice(self.at + HEAD..self.at + HEAD + len))
    }

    /// Goes on to the record behind one that was [peeked](Self::peek) at.
    pub(super) fn pass(&mut self, record: &Bytes) {
        self.at += HEAD + record.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(records: &[&[u8]]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        records.iter().for_each(|record| push_frame(&mut bytes, 0, record));
        bytes
    }

    fn read(bytes: &[u8]) -> (Vec<Bytes>, u64) {
        let mut frames = Frames::new(&Bytes::copy_from_slice(bytes)).unwrap();
        let mut records = Vec::new();
        while let Some(record) = frames.peek() {
            frames.pass(&record);
            records.push(record);
        }
        (records, frames.end())
    }

    #[test]
    fn a_journal_that_is_cut_anywhere_has_the_whole_records_before_the_cut() {
        let (one, two) = (journal(&[b"one"]), journal(&[b"one", b"second"]));
        for len in 0..=two.len() {
            let (records, end) = read(&two[..len]);
            let (count, at) = match len {
                _ if len < MAGIC.len() => (0, 0),
                _ if len < one.len() => (0, MAGIC.len()),
                _ if len < two.len() => (1, one.len()),
                _ => (2, two.len()),
            };
            assert_eq!((records.len(), end), (count, at as u64), "{len} bytes");
        }
    }

    #[test]
    fn a_record_in_parts_is_the_same_record() {
        for len in [1, 100, 239, 240, 241, 1 << 10, 3 << 10, 100_003] {
            let record: Vec<u8> = (0..len).map(|at| at as u8 ^ (at >> 8) as u8).collect();
            for begin in [0, 1, len / 2, len] {
                let (begin, rest) = record.split_at(begin);
                let mut parts = journal(&[b"one"]);
                push_parts(&mut parts, 0, begin, rest);
                assert_eq!(parts, journal(&[b"one", &record]), "{len}");
            }
        }
    }

    #[test]
    fn a_bit_that_is_wrong_ends_the_journal_before_its_record() {
        let bytes = journal(&[b"one", b"second", b"third"]);
        let second = journal(&[b"one"]).len()..journal(&[b"one", b"second"]).len();
        for bit in second.start * 8..second.end * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&bytes), (vec![Bytes::from("one")], second.start as u64), "bit {bit}");
        }
    }

    #[test]
    fn a_record_at_another_place_is_none() {
        let moved = [&MAGIC[..], &journal(&[b"one", b"two"])[journal(&[b"one"]).len()..]].concat();
        assert_eq!(read(&moved), (vec![], MAGIC.len() as u64));
        assert_eq!(read(&[&MAGIC[..], &[0; 64]].concat()).0.len(), 0);
    }

    #[test]
    fn other_files_are_no_journals() {
        let refuse = |bytes: &'static [u8]| Frames::new(&bytes.into()).unwrap_err().to_string();
        assert!(refuse(b"ftyp").contains("no journal"));
        assert!(refuse(b"SOjrnl\x00\x02").contains("another version"));
    }
}
