//! Writing big-endian fields into a block that was sized first.

use byteorder::{BigEndian, WriteBytesExt};
use bytes::Bytes;

use super::{FourCc, Guid};

/// Bytes being written, allocated once by a length that was computed before.
#[derive(Debug)]
pub(crate) struct Sink {
    bytes: Vec<u8>,
    planned: usize,
}

impl Sink {
    /// For exactly `planned` bytes.
    pub(crate) fn with_len(planned: usize) -> Self {
        Self { bytes: Vec::with_capacity(planned), planned }
    }

    /// Returns the bytes that were written. Plan and writing are two functions of one type; that
    /// they agree is a property of our code, and debug builds check it.
    pub(crate) fn finish(self) -> Bytes {
        debug_assert_eq!(self.bytes.len(), self.planned, "a box was not of the length it planned");
        self.bytes.into()
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn u16(&mut self, value: u16) {
        // Writing into a `Vec` cannot fail.
        let _ = self.bytes.write_u16::<BigEndian>(value);
    }

    pub(crate) fn u24(&mut self, value: u32) {
        self.put(&value.to_be_bytes()[1..]);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        let _ = self.bytes.write_u32::<BigEndian>(value);
    }

    pub(crate) fn i32(&mut self, value: i32) {
        let _ = self.bytes.write_i32::<BigEndian>(value);
    }

    pub(crate) fn u64(&mut self, value: u64) {
        let _ = self.bytes.write_u64::<BigEndian>(value);
    }

    /// A number that is stored in four bytes or in eight.
    pub(crate) fn word(&mut self, value: u64, wide: bool) {
        if wide { self.u64(value) } else { self.u32(value as u32) }
    }

    pub(crate) fn four_cc(&mut self, value: FourCc) {
        self.put(&value.0);
    }

    pub(crate) fn guid(&mut self, value: Guid) {
        self.put(&value.to_be_bytes());
    }
}
