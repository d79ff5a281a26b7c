//! Bytes and boxes, written by hand: nothing here is shared with the crate.

/// Bytes being written; numbers are big-endian.
#[derive(Clone, Debug, Default)]
pub struct Out(pub Vec<u8>);

impl Out {
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.put([value])
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.put(value.to_be_bytes())
    }

    pub fn u24(&mut self, value: u32) -> &mut Self {
        self.put(&value.to_be_bytes()[1..])
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.put(value.to_be_bytes())
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.put(value.to_be_bytes())
    }

    /// The low bytes of a number: 4 of them unless `wide`, then 8.
    pub fn word(&mut self, wide: bool, value: u64) -> &mut Self {
        if wide { self.u64(value) } else { self.u32(value as u32) }
    }

    pub fn put(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    pub fn zeros(&mut self, count: usize) -> &mut Self {
        self.put(vec![0; count])
    }

    /// A box around what `body` writes.
    pub fn boxed(&mut self, kind: &[u8; 4], body: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.0.len();
        self.u32(0).put(kind);
        body(self);
        let size = (self.0.len() - start) as u32;
        self.0[start..start + 4].copy_from_slice(&size.to_be_bytes());
        self
    }

    /// A box with version and flags.
    pub fn full(
        &mut self,
        kind: &[u8; 4],
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.boxed(kind, |out| {
            out.u8(version).u24(flags);
            body(out);
        })
    }

    /// A box of an extended type, given in hexadecimal, with version and flags.
    pub fn uuid(
        &mut self,
        id: &str,
        version: u8,
        flags: u32,
        body: impl FnOnce(&mut Self),
    ) -> &mut Self {
        self.boxed(b"uuid", |out| {
            out.put(unhex(id)).u8(version).u24(flags);
            body(out);
        })
    }

    /// A box of `count` bytes with nothing of meaning in it.
    pub fn filler(&mut self, kind: &[u8; 4], count: usize) -> &mut Self {
        self.boxed(kind, |out| {
            out.put((0..count).map(|i| b'a' + (i % 26) as u8).collect::<Vec<_>>());
        })
    }
}

pub fn made(write: impl FnOnce(&mut Out)) -> Vec<u8> {
    let mut out = Out::default();
    write(&mut out);
    out.0
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Reads hexadecimal; hyphens are passed over.
pub fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let value = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let word = part.iter().fold(0_u32, |word, &b| word << 8 | u32::from(b));
        let word = word << (8 * (3 - part.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i)) as usize & 63] as char;
            text.push(if i <= part.len() { digit } else { '=' });
        }
    }
    text
}

pub fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
}
