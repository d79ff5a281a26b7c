//! Reading big-endian fields out of shared bytes, without copying them.

use byteorder::{BigEndian, ReadBytesExt};
use bytes::Bytes;

use super::{Error, ErrorKind, FourCc, Guid};

/// A place in a block of bytes, with the bytes that may still be read from it.
///
/// Every read names what it needs and fails with [`ErrorKind::Truncated`] where that is not there,
/// at the absolute offset of the field; what is cut out ([`bytes`](Self::bytes),
/// [`rest`](Self::rest)) shares the block.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    block: &'a Bytes,
    at: usize,
    end: usize,
    /// Offset of the block in the file.
    base: u64,
}

impl<'a> Cursor<'a> {
    /// Creates a cursor over all of `block`, which begins at byte `base` of its file.
    pub fn new(block: &'a Bytes, base: u64) -> Self {
        Self { block, at: 0, end: block.len(), base }
    }

    /// Returns the offset of the next byte in the file.
    pub fn offset(&self) -> u64 {
        self.base.saturating_add(self.at as u64)
    }

    /// Returns the number of bytes that are left.
    pub fn remaining(&self) -> usize {
        self.end - self.at
    }

    /// Returns whether no byte is left.
    pub fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// Takes the next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Error> {
        if len > self.remaining() {
            return Err(self.truncated(len as u64));
        }
        let from = self.at;
        self.at += len;
        Ok(&self.block[from..self.at])
    }

    /// Takes the next `len` bytes as a cursor of their own.
    pub fn split(&mut self, len: usize) -> Result<Cursor<'a>, Error> {
        let from = self.at;
        self.take(len)?;
        Ok(Self { block: self.block, at: from, end: self.at, base: self.base })
    }

    /// Takes the next `len` bytes and shares them.
    pub fn bytes(&mut self, len: usize) -> Result<Bytes, Error> {
        let from = self.at;
        self.take(len)?;
        Ok(self.block.slice(from..self.at))
    }

    /// Returns all bytes that are left, and takes none.
    pub(crate) fn peek(&self) -> &'a [u8] {
        &self.block[self.at..self.end]
    }

    /// Takes all bytes that are left and shares them.
    pub fn rest(&mut self) -> Bytes {
        let from = self.at;
        self.at = self.end;
        self.block.slice(from..self.end)
    }

    /// Reads one byte.
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.field(1, |mut b| b.read_u8())
    }

    /// Reads two bytes.
    pub fn u16(&mut self) -> Result<u16, Error> {
        self.field(2, |mut b| b.read_u16::<BigEndian>())
    }

    /// Reads three bytes.
    pub fn u24(&mut self) -> Result<u32, Error> {
        self.field(3, |mut b| b.read_u24::<BigEndian>())
    }

    /// Reads four bytes.
    pub fn u32(&mut self) -> Result<u32, Error> {
        self.field(4, |mut b| b.read_u32::<BigEndian>())
    }

    /// Reads four bytes as two's complement.
    pub fn i32(&mut self) -> Result<i32, Error> {
        self.field(4, |mut b| b.read_i32::<BigEndian>())
    }

    /// Reads eight bytes.
    pub fn u64(&mut self) -> Result<u64, Error> {
        self.field(8, |mut b| b.read_u64::<BigEndian>())
    }

    /// Reads a big-endian number of 1 to 8 bytes.
    pub fn uint(&mut self, len: usize) -> Result<u64, Error> {
        self.field(len, |mut b| b.read_uint::<BigEndian>(len))
    }

    /// Reads eight bytes if `wide`, otherwise four: the version of a full box decides.
    pub(crate) fn word(&mut self, wide: bool) -> Result<u64, Error> {
        if wide { self.u64() } else { self.u32().map(u64::from) }
    }

    /// Takes the next `count` entries of `len` bytes each, shared and undivided.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if there are fewer bytes, whatever the count claims.
    pub(crate) fn entries(&mut self, count: u32, len: usize) -> Result<Bytes, Error> {
        let needs = u64::from(count).saturating_mul(len as u64);
        let fits = usize::try_from(needs).ok().filter(|&needs| needs <= self.remaining());
        self.bytes(fits.ok_or_else(|| self.truncated(needs))?)
    }

    /// Takes the next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Reads four letters.
    pub fn four_cc(&mut self) -> Result<FourCc, Error> {
        Ok(FourCc(self.array()?))
    }

    /// Reads sixteen bytes in printed order.
    pub fn guid(&mut self) -> Result<Guid, Error> {
        Ok(Guid::from_be_bytes(self.array()?))
    }

    /// Returns an error at the next byte.
    pub(crate) fn error(&self, kind: ErrorKind) -> Error {
        Error::at(self.offset(), kind)
    }

    fn field<T>(
        &mut self,
        len: usize,
        read: impl FnOnce(&'a [u8]) -> std::io::Result<T>,
    ) -> Result<T, Error> {
        // `take` gives the whole field, so that reading it cannot come out short.
        read(self.take(len)?).map_err(|_| self.truncated(len as u64))
    }

    fn truncated(&self, needs: u64) -> Error {
        self.error(ErrorKind::Truncated { needs, has: self.remaining() as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_big_endian_and_cut_bytes_share_the_block() {
        let block = Bytes::from_static(&[1, 0, 2, 0, 0, 3, 0xff, 0xff, 0xff, 0xfe, 9, 9]);
        let mut cursor = Cursor::new(&block, 100);
        assert_eq!(cursor.u8().unwrap(), 1);
        assert_eq!(cursor.u16().unwrap(), 2);
        assert_eq!(cursor.u24().unwrap(), 3);
        assert_eq!(cursor.i32().unwrap(), -2);
        assert_eq!(cursor.offset(), 110);
        assert_eq!(cursor.rest().as_ptr(), block[10..].as_ptr());
        assert!(cursor.is_empty());
    }

    #[test]
    fn a_short_field_says_where_and_how_much_it_lacks() {
        let block = Bytes::from_static(&[0; 6]);
        let mut cursor = Cursor::new(&block, 4096);
        cursor.u32().unwrap();
        let error = cursor.u64().unwrap_err();
        assert_eq!(error.to_string(), "at byte 4100: needs 8 bytes, has 2");
        assert_eq!(cursor.remaining(), 2, "a failed read takes nothing");
    }

    #[test]
    fn entries_are_cut_out_only_if_all_are_there() {
        let block = Bytes::from_static(&[0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6]);
        let mut cursor = Cursor::new(&block, 0);
        assert_eq!((cursor.word(false).unwrap(), cursor.word(true).unwrap()), (7, 8));
        assert_eq!(cursor.entries(2, 2).unwrap(), [1, 2, 3, 4][..]);
        let error = cursor.entries(u32::MAX, 28).unwrap_err();
        assert_eq!(error.to_string(), "at byte 16: needs 120259084260 bytes, has 2");
        assert_eq!((cursor.remaining(), cursor.entries(0, 9).unwrap().len()), (2, 0));
    }

    #[test]
    fn a_split_part_ends_where_it_was_cut() {
        let block = Bytes::from_static(&[0; 8]);
        let mut cursor = Cursor::new(&block, 0);
        let mut part = cursor.split(3).unwrap();
        assert_eq!((part.remaining(), cursor.remaining()), (3, 5));
        assert_eq!(part.u32().unwrap_err().to_string(), "at byte 0: needs 4 bytes, has 3");
    }
}
