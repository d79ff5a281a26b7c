//! Reading the fields of a box, with the place of each.

use std::fmt::Display;

use super::{BoxField, BoxTable};
use crate::base::{Cursor, Error, FourCc};
use crate::bmff::FullBox;

/// A longer text or list of numbers is cut.
const LONGEST: usize = 64;

/// The fields of a box that have been read, and what is left of the box.
pub(super) struct Fields<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) list: Vec<BoxField>,
    pub(super) table: Option<BoxTable>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(cursor: Cursor<'a>) -> Self {
        Self { cursor, list: Vec::new(), table: None }
    }

    /// Reads a field, and keeps it with the text that `shown` makes of it.
    fn field<T, S: Display>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Cursor<'a>) -> Result<T, Error>,
        shown: impl FnOnce(&T) -> S,
    ) -> Result<T, Error> {
        let from = self.cursor.offset();
        let value = read(&mut self.cursor)?;
        let bytes = from..self.cursor.offset();
        self.list.push(BoxField { name, bytes, value: shown(&value).to_string() });
        Ok(value)
    }

    /// Reads the version and the flags.
    pub(super) fn full(&mut self) -> Result<FullBox, Error> {
        let version = self.field("version", Cursor::u8, |&version| version)?;
        let flags = self.field("flags", Cursor::u24, |flags| format!("0x{flags:06x}"))?;
        Ok(FullBox { version, flags })
    }

    pub(super) fn u8(&mut self, name: &'static str) -> Result<u8, Error> {
        self.field(name, Cursor::u8, |&value| value)
    }

    pub(super) fn u16(&mut self, name: &'static str) -> Result<u16, Error> {
        self.field(name, Cursor::u16, |&value| value)
    }

    pub(super) fn u24(&mut self, name: &'static str) -> Result<u32, Error> {
        self.field(name, Cursor::u24, |&value| value)
    }

    pub(super) fn u32(&mut self, name: &'static str) -> Result<u32, Error> {
        self.field(name, Cursor::u32, |&value| value)
    }

    pub(super) fn i32(&mut self, name: &'static str) -> Result<i32, Error> {
        self.field(name, Cursor::i32, |&value| value)
    }

    /// Reads a number of 32 bits that is shown in hexadecimal.
    pub(super) fn flags(&mut self, name: &'static str) -> Result<u32, Error> {
        self.field(name, Cursor::u32, |value| format!("0x{value:08x}"))
    }

    /// Reads a number of 32 bits whose half is behind the point.
    pub(super) fn fixed(&mut self, name: &'static str) -> Result<u32, Error> {
        self.field(name, Cursor::u32, |&value| f64::from(value) / 65536.0)
    }

    pub(super) fn u64(&mut self, name: &'static str) -> Result<u64, Error> {
        self.field(name, Cursor::u64, |&value| value)
    }

    /// Reads a number of 64 bits, or else of 32.
    pub(super) fn word(&mut self, name: &'static str, is_wide: bool) -> Result<u64, Error> {
        self.field(name, |cursor| cursor.word(is_wide), |&value| value)
    }

    pub(super) fn four_cc(&mut self, name: &'static str) -> Result<FourCc, Error> {
        self.field(name, Cursor::four_cc, |&value| value)
    }

    pub(super) fn guid(&mut self, name: &'static str) -> Result<(), Error> {
        self.field(name, Cursor::guid, |&value| value).map(drop)
    }

    /// Reads the three letters of a language.
    pub(super) fn language(&mut self, name: &'static str) -> Result<(), Error> {
        let letters = |packed: &u16| -> String {
            let letter = |shift: u32| char::from((packed >> shift & 0x1f) as u8 + 0x60);
            [10, 5, 0].map(letter).into_iter().collect()
        };
        self.field(name, Cursor::u16, letters).map(drop)
    }

    /// Reads what is left as a text, up to a NUL.
    pub(super) fn text(&mut self, name: &'static str) -> Result<(), Error> {
        let len = self.cursor.remaining();
        let shown = |bytes: &&[u8]| {
            let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(&text[..text.len().min(LONGEST)]).into_owned()
        };
        self.field(name, |cursor| cursor.take(len), shown).map(drop)
    }

    /// Reads what is left as four-letter words.
    pub(super) fn words(&mut self, name: &'static str) -> Result<(), Error> {
        let len = self.cursor.remaining() / 4 * 4;
        let shown = |bytes: &&[u8]| {
            let words = bytes.chunks_exact(4).take(LONGEST / 4);
            let words: Vec<_> =
                words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            words.join(" ")
        };
        self.field(name, |cursor| cursor.take(len), shown).map(drop)
    }

    /// Passes over bytes that are reserved.
    pub(super) fn skip(&mut self, len: usize) -> Result<(), Error> {
        self.cursor.take(len).map(drop)
    }

    /// Reads a list of `count` entries of these fields.
    pub(super) fn table(
        &mut self,
        entry: &'static str,
        count: u32,
        columns: &[(&'static str, u64)],
    ) -> Result<(), Error> {
        let width: u64 = columns.iter().map(|column| column.1).sum();
        let offset = self.cursor.offset();
        let entries = self.cursor.entries(count, width as usize)?;
        let (count, columns) = (count.into(), columns.to_vec());
        self.table = Some(BoxTable { entry, offset, count, columns, entries });
        Ok(())
    }

    /// Reads what is left as entries of these fields.
    pub(super) fn rest(
        &mut self,
        entry: &'static str,
        columns: &[(&'static str, u64)],
    ) -> Result<(), Error> {
        let width: u64 = columns.iter().map(|column| column.1).sum();
        let count = (self.cursor.remaining() as u64).checked_div(width).unwrap_or(0);
        self.table(entry, u32::try_from(count).unwrap_or(u32::MAX), columns)
    }
}
