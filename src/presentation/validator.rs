//! What tells two answers to one URL apart: the ETag.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use super::GENERATOR;
use crate::fragment::Noun;
use crate::manifest::Layout;

/// A strong validator: equal wherever the same files are served, other as soon as one of them is.
///
/// Over the server manifest, the client manifest, and each media file's length, `moov` and `mfra`
/// it is an XXH3 hash of 128 bits; a fragment's adds its track, its place and the noun. It does not
/// see bytes of an `mdat` that change without changing any length: whoever makes such an edit
/// gives the presentation another epoch ([`OpenOptions::epoch`](super::OpenOptions::epoch)).
///
/// `Display` writes it without quotes: `b0c1…-2-1f40-f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Validator {
    content: u128,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// The manifest; 0 as stored, else the revision of what mended or generated it, and how it
    /// lays it out.
    Manifest(u8, Layout),
    Fragment {
        track_id: u32,
        start: u64,
        noun: Noun,
    },
    /// A file passed through as it is.
    File,
}

impl Validator {
    /// Of the presentation's manifest, made by this revision of the generator (0 if by none).
    pub(crate) fn of_manifest(content: u128, revision: u8, layout: Layout) -> Self {
        Self { content, part: Part::Manifest(revision, layout) }
    }

    /// Of a file that is passed through: equal where it has the same size and, where the store
    /// knows it, the same time of change; else the same version.
    pub(crate) fn of_file(size: u64, version: &[u8]) -> Self {
        let mut hash = ContentHash::new("");
        hash.number(size);
        hash.part(Some(version));
        Self { content: hash.finish(), part: Part::File }
    }

    /// Of what a noun makes of the fragment at byte `start` of its file.
    pub(crate) fn of_fragment(self, track_id: u32, start: u64, noun: Noun) -> Self {
        Self { part: Part::Fragment { track_id, start, noun }, ..self }
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&digits(self.content)).unwrap_or_default())?;
        match self.part {
            Part::Manifest(revision, Layout::Full) => write!(f, "-m{revision}"),
            Part::Manifest(revision, Layout::Compact) => write!(f, "-m{revision}c"),
            Part::Fragment { track_id, start, noun } => {
                let noun = match noun {
                    Noun::Fragments => 'f',
                    Noun::FragmentInfo => 'i',
                    Noun::RawFragments => 'r',
                    Noun::KeyFrames => return write!(f, "-{track_id:x}-{start:x}-k{GENERATOR}"),
                };
                write!(f, "-{track_id:x}-{start:x}-{noun}")
            }
            Part::File => f.write_str("-x"),
        }
    }
}

/// What `{:032x}` writes, in a tenth of the instructions: each response has one.
fn digits(content: u128) -> [u8; 32] {
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(content.to_be_bytes()) {
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    digits
}

fn digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

/// Puts the hash of a presentation's content together, part by part.
pub(crate) struct ContentHash(Xxh3);

impl ContentHash {
    /// Begins with the operator's epoch.
    pub(crate) fn new(epoch: &str) -> Self {
        let mut hash = Self(Xxh3::new());
        hash.part(Some(epoch.as_bytes()));
        hash
    }

    /// Adds a part, with its length, so that no two rows of parts run together.
    pub(crate) fn part(&mut self, bytes: Option<&[u8]>) {
        self.number(bytes.map_or(u64::MAX, |bytes| bytes.len() as u64));
        self.0.update(bytes.unwrap_or_default());
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.0.update(&number.to_be_bytes());
    }

    pub(crate) fn finish(self) -> u128 {
        self.0.digest128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_hash() {
        for content in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210] {
            assert_eq!(digits(content), format!("{content:032x}").as_bytes());
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let hash = |parts: &[Option<&[u8]>]| {
            let mut hash = ContentHash::new("");
            parts.iter().for_each(|part| hash.part(*part));
            hash.finish()
        };
        let all = [
            hash(&[]),
            hash(&[None]),
            hash(&[Some(b"")]),
            hash(&[Some(b"ab"), Some(b"c")]),
            hash(&[Some(b"a"), Some(b"bc")]),
            ContentHash::new("1").finish(),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one), "{i}");
        }
    }

    #[test]
    fn the_hash_is_the_same_on_every_machine() {
        let mut hash = ContentHash::new("");
        hash.part(Some(b"smooth"));
        let manifest = Validator::of_manifest(hash.finish(), 0, Layout::Full);
        // As the reference implementation computes it.
        assert_eq!(manifest.to_string(), "ac19478937da1ef8f81a7376108bb899-m0");
        let fragment = manifest.of_fragment(2, 8000, Noun::KeyFrames);
        assert!(fragment.to_string().ends_with("-2-1f40-k1"));
    }
}
