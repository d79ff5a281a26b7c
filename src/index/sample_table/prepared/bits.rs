//! Numbers of any width, one after the other.

/// Bits that are written, the lowest first.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    words: Vec<u64>,
    /// Bits that are not yet a word, and their number.
    last: u64,
    used: u32,
}

/// Bits that are read. Behind the last word all are 0.
#[derive(Clone, Debug)]
pub(super) struct BitReader<'a> {
    words: &'a [u64],
    at: u64,
}

/// Largest width of one number.
pub(super) const WIDEST: u32 = 56;

impl BitWriter {
    /// Number of bits that were written.
    pub(super) fn len(&self) -> u64 {
        self.words.len() as u64 * 64 + u64::from(self.used)
    }

    /// Appends the lowest `width` bits of a value, whose other bits are 0. At most [`WIDEST`].
    #[inline]
    pub(super) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width <= WIDEST && value >> width == 0);
        self.last |= value << self.used;
        let used = self.used + width;
        if used >= 64 {
            self.words.push(self.last);
            // A shift by 64 cannot be: the width is less.
            self.last = value.checked_shr(64 - self.used).unwrap_or(0);
            self.used = used - 64;
        } else {
            self.used = used;
        }
    }

    /// Appends a number of up to 64 bits, with its width before it.
    pub(super) fn put_wide(&mut self, value: u64) {
        // Widths of 63 and 64 share a code, and have 64 bits.
        let width = (64 - value.leading_zeros()).min(63);
        self.put(width.into(), 6);
        self.put(value & u64::from(u32::MAX), width.min(32));
        match width {
            0..=32 => {}
            33..=62 => self.put(value >> 32, width - 32),
            _ => self.put(value >> 32, 32),
        }
    }

    pub(super) fn finish(mut self) -> Box<[u64]> {
        if self.used > 0 {
            self.words.push(self.last);
        }
        self.words.into_boxed_slice()
    }
}

impl<'a> BitReader<'a> {
    pub(super) fn new(words: &'a [u64], at: u64) -> Self {
        Self { words, at }
    }

    /// The next 57 bits or more; others are 0.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        let (word, shift) = ((self.at / 64) as usize, self.at % 64);
        let low = self.words.get(word).copied().unwrap_or(0) >> shift;
        match shift {
            0 => low,
            _ => low | self.words.get(word + 1).copied().unwrap_or(0) << (64 - shift),
        }
    }

    #[inline]
    pub(super) fn skip(&mut self, width: u32) {
        self.at += u64::from(width);
    }

    /// Takes a number of at most [`WIDEST`] bits.
    #[inline]
    pub(super) fn take(&mut self, width: u32) -> u64 {
        let value = self.peek() & ((1 << width) - 1);
        self.skip(width);
        value
    }

    /// Takes what [`BitWriter::put_wide`] wrote.
    pub(super) fn take_wide(&mut self) -> u64 {
        let width = self.take(6) as u32;
        let low = self.take(width.min(32));
        match width {
            0..=32 => low,
            33..=62 => low | self.take(width - 32) << 32,
            _ => low | self.take(32) << 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_are_read_again() {
        let mut writer = BitWriter::default();
        let widths = || (0..=WIDEST).chain([1, 56, 7, 56, 56]);
        let value = |width: u32| 0x00aa_5533_cc99_6677 & ((1_u64 << width) - 1);
        widths().for_each(|width| writer.put(value(width), width));
        let wide = [0, 1, 2, u64::from(u32::MAX), 1 << 32, 1 << 61, 1 << 62, 1 << 63, u64::MAX];
        wide.into_iter().for_each(|value| writer.put_wide(value));
        let len = writer.len();
        let words = writer.finish();
        assert_eq!(words.len() as u64, len.div_ceil(64));
        let mut reader = BitReader::new(&words, 0);
        widths().for_each(|width| assert_eq!(reader.take(width), value(width), "{width}"));
        wide.into_iter().for_each(|value| assert_eq!(reader.take_wide(), value));
        assert_eq!((reader.at, reader.take(56)), (len, 0));
    }
}
