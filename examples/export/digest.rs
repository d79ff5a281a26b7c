//! Length and hash of content.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use smooth_origin::base::Error;
use smooth_origin::origin::{Body, block_on};
use xxhash_rust::xxh3::Xxh3;

/// Length and hash of content, by which a file is compared with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) length: u64,
    hash: u128,
}

/// A digest in the making.
#[derive(Default)]
pub(crate) struct Digester {
    length: u64,
    hasher: Xxh3,
}

/// Bytes that are read at a time.
const PART: usize = 256 << 10;

impl Digester {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    pub(crate) fn finish(&self) -> Digest {
        Digest { length: self.length, hash: self.hasher.digest128() }
    }
}

impl Digest {
    /// Reads a file, a part at a time.
    pub(crate) fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut digester = Digester::default();
        let mut part = vec![0; PART];
        loop {
            match file.read(&mut part) {
                Ok(0) => return Ok(digester.finish()),
                // A read gives no more than there is room for.
                Ok(length) => digester.add(&part[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads a body, a part at a time.
    pub(crate) fn of_body(mut body: Body) -> Result<Self, Error> {
        let mut digester = Digester::default();
        while let Some(bytes) = block_on(body.next()) {
            digester.add(&bytes?);
        }
        Ok(digester.finish())
    }
}
