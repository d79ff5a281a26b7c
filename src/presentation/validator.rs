//! The validator of an answer, which is its ETag.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use super::representation_id::Tag;
use super::{GENERATOR, RepresentationId, entity_tag};
use crate::fragment::Noun;
use crate::manifest::Layout;

/// A strong validator: equal wherever the same files are served, other as soon as one of them is.
///
/// Over the server manifest, the client manifest, and each media file's length, `moov` and `mfra`
/// it is an XXH3 hash of 128 bits; a fragment's adds its track, its place and the noun. It does not
/// see bytes of an `mdat` that change without changing any length: whoever makes such an edit
/// gives the presentation another epoch ([`OpenOptions::epoch`](super::OpenOptions::epoch)). Over an object
/// store, it sees them by the versions of the objects
/// ([`OriginBuilder::validate_versions`](crate::origin::OriginBuilder::validate_versions)).
///
/// The validator of a fragment in a file of its own is a hash over the epoch, the file's length and
/// the `moof`, and does not depend on the manifest.
///
/// `Display` writes it without quotes: `b0c1…-2-1f40-f`.
///
/// ```
/// # fn example(reply: &smooth_origin::presentation::Reply) {
/// println!("ETag: \"{}\"", reply.validator());
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Validator {
    /// In network order, which needs no alignment: a validator is moved with each reply.
    content: [u8; 16],
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    /// The manifest; 0 as stored, else the revision of what mended or generated it, and how it
    /// lays it out.
    Manifest(u8, Layout),
    /// A manifest without the event streams.
    ManifestWithoutEvents(u8, Layout),
    Fragment {
        track_id: u32,
        start: u64,
        noun: Noun,
    },
    /// A fragment in a file of its own.
    FragmentFile(Noun),
    /// A text, a segment or a part of another output than Smooth Streaming: the fields of a
    /// [`RepresentationId`], which takes more room as a field.
    Output {
        tag: Tag,
        revision: u8,
        track: u32,
        start: u64,
    },
    /// A file passed through as it is.
    File,
}

// It is moved with each reply.
const _: () = assert!(size_of::<Validator>() <= 32);

impl Validator {
    /// The validator of the manifest of Smooth Streaming, made by this revision of the generator (0 if
    /// by none).
    pub(crate) fn of_manifest(content: u128, revision: u8, layout: Layout) -> Self {
        Self { content: content.to_be_bytes(), part: Part::Manifest(revision, layout) }
    }

    /// The validator of the same manifest without the event streams. Those of fragments stay the
    /// same.
    pub(crate) fn without_event_streams(self) -> Self {
        match self.part {
            Part::Manifest(revision, layout) => {
                Self { part: Part::ManifestWithoutEvents(revision, layout), ..self }
            }
            _ => self,
        }
    }

    /// The validator of a file that is passed through: equal if the file has the same size and, if the
    /// store knows it, the same time of change; else the same version.
    pub(crate) fn of_file(size: u64, version: &[u8]) -> Self {
        let mut hash = ContentHash::new("");
        hash.number(size);
        hash.part(Some(version));
        Self { content: hash.finish().to_be_bytes(), part: Part::File }
    }

    /// The validator of the part that a noun asks for of a fragment in a file of its own. `content`
    /// is the hash of that file, which may be rewritten in place at any time.
    pub(crate) fn of_fragment_file(content: u128, noun: Noun) -> Self {
        Self { content: content.to_be_bytes(), part: Part::FragmentFile(noun) }
    }

    /// The validator of the part that a noun asks for of the fragment at byte `start` of its file.
    pub(crate) fn of_fragment(self, track_id: u32, start: u64, noun: Noun) -> Self {
        Self { part: Part::Fragment { track_id, start, noun }, ..self }
    }

    /// The validator of what another output than Smooth Streaming makes of the same presentation.
    #[cfg_attr(
        not(any(feature = "dash", feature = "hls")),
        allow(dead_code, reason = "Smooth Streaming has parts of its own")
    )]
    pub(crate) fn of_output(self, id: RepresentationId) -> Self {
        let RepresentationId { tag, revision, track, start } = id;
        Self { part: Part::Output { tag, revision, track, start }, ..self }
    }

    /// Returns the id of what another output than Smooth Streaming makes of a presentation.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn id(&self) -> Option<RepresentationId> {
        match self.part {
            Part::Output { tag, revision, track, start } => {
                Some(RepresentationId { tag, revision, track, start })
            }
            _ => None,
        }
    }

    /// Returns whether a client that sends this value of `If-None-Match` already has the answer, so
    /// that a host responds with 304 (RFC 9110, 13.1.2).
    ///
    /// The value is `*` or a list of entity tags, which may be weak. A malformed tag and all that
    /// follows it match nothing. If the field has several lines, call this for each.
    pub fn matches(&self, if_none_match: impl AsRef<[u8]>) -> bool {
        let field = if_none_match.as_ref().trim_ascii();
        let mut text = self.text();
        let current = text.quoted();
        field == b"*" || entity_tag::list(field).any(|tag| tag.is_weakly(current))
    }
}

impl Validator {
    /// Returns the beginning of the text, which all validators of one content share, for
    /// [`text_after`](Self::text_after).
    #[cfg(feature = "http")]
    pub(crate) fn content_text(&self) -> ContentText {
        ContentText { content: self.content, digits: digits(self.content) }
    }

    /// Returns the text that [`Display`](fmt::Display) writes. Each response has one, and the formatter
    /// of the library takes ten times the instructions.
    pub(crate) fn text(&self) -> ValidatorText {
        self.text_of(digits(self.content))
    }

    /// Returns the same as [`text`](Self::text), most of which may be known already.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn text_after(&self, known: &ContentText) -> ValidatorText {
        match self.content == known.content {
            true => self.text_of(known.digits),
            false => self.text(),
        }
    }

    #[inline]
    fn text_of(&self, content: [u8; 32]) -> ValidatorText {
        let mut text = ValidatorText::new(content);
        match self.part {
            Part::Manifest(revision, layout) => text.push_manifest(revision, layout),
            Part::ManifestWithoutEvents(revision, layout) => {
                text.push_manifest(revision, layout);
                text.push(*b"n");
            }
            Part::Fragment { track_id, start, noun } => {
                text.push(*b"-");
                text.push_hex(track_id.into());
                text.push(*b"-");
                text.push_hex(start);
                text.push_noun(noun);
            }
            Part::FragmentFile(noun) => text.push_noun(noun),
            Part::Output { tag, revision, track, start } => {
                text.push(*b"-");
                text.push(tag.letters());
                text.push_hex(revision.into());
                text.push(*b"-");
                text.push_hex(track.into());
                text.push(*b"-");
                text.push_hex(start);
            }
            Part::File => text.push(*b"-x"),
        }
        text
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(self.text().as_bytes()).unwrap_or_default())
    }
}

/// The hexadecimal digits of a content.
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContentText {
    content: [u8; 16],
    digits: [u8; 32],
}

/// The digits of a content's hash.
fn digits(content: [u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (digits, bytes) in digits.chunks_exact_mut(8).zip(content.chunks_exact(4)) {
        let number = bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
        digits.copy_from_slice(&hex(number));
    }
    digits
}

/// A validator's text: lower-case hexadecimal digits, letters and dashes, with room for the quotes of
/// an ETag.
pub(crate) struct ValidatorText {
    /// Begins with a quote.
    bytes: [u8; ROOM],
    len: usize,
}

/// Size of a text. A quote, 32 digits, 2 letters, 8 digits of a track, 16 of a place, 2 of a revision,
/// the separators, the name of a coding and another quote take 72 bytes at most;
/// [`ValidatorText::push_hex`] writes 8 or 16 digits though fewer count.
const ROOM: usize = 96;

impl ValidatorText {
    #[inline]
    fn new(content: [u8; 32]) -> Self {
        let mut text = Self { bytes: [b'"'; ROOM], len: 1 };
        text.push(content);
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[1..self.len]
    }

    /// Adds the name of a content coding.
    #[cfg(feature = "http")]
    pub(crate) fn push_coding(&mut self, coding: &'static str) {
        self.push(*b"-");
        let coding = coding.as_bytes();
        self.bytes[self.len..self.len + coding.len()].copy_from_slice(coding);
        self.len += coding.len();
    }

    /// Returns the text in quotes, as an ETag has it.
    pub(crate) fn quoted(&mut self) -> &[u8] {
        self.bytes[self.len] = b'"';
        &self.bytes[..=self.len]
    }

    #[inline]
    fn push<const N: usize>(&mut self, bytes: [u8; N]) {
        let end = self.len + N;
        self.bytes[self.len..end].copy_from_slice(&bytes);
        self.len = end;
    }

    fn push_manifest(&mut self, revision: u8, layout: Layout) {
        self.push(*b"-m");
        self.push_hex(revision.into());
        if layout == Layout::Compact {
            self.push(*b"c");
        }
    }

    fn push_noun(&mut self, noun: Noun) {
        match noun {
            Noun::Fragments => self.push(*b"-f"),
            Noun::FragmentInfo => self.push(*b"-i"),
            Noun::RawFragments => self.push(*b"-r"),
            Noun::KeyFrames => {
                self.push(*b"-k");
                self.push_hex(GENERATOR.into());
            }
        }
    }

    /// Adds hexadecimal digits without leading zeros.
    #[inline]
    fn push_hex(&mut self, number: u64) {
        if let digit @ 0..16 = number {
            return self.push([DIGITS[digit as usize]]);
        }
        let count = number.checked_ilog2().unwrap_or(0) / 4 + 1;
        let digits = number << (64 - 4 * count);
        let end = self.len + count as usize;
        self.push(hex((digits >> 32) as u32));
        if count > 8 {
            self.push(hex(digits as u32));
        }
        self.len = end;
    }
}

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// The 8 digits of a number, all at once.
#[inline]
fn hex(number: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // One digit in each byte.
    let mut digits = u64::from(number);
    digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
    digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
    digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // 1 where the digit is a letter.
    let letters = ((digits + 6 * EACH) >> 4) & EACH;
    let ascii = digits + u64::from(b'0') * EACH + letters * u64::from(b'a' - b'0' - 10);
    ascii.to_be_bytes()
}

/// The hash of a presentation's content, built part by part.
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
    fn text_is_in_hexadecimal_digits() {
        for content in [0, 1, u128::MAX, 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210] {
            let manifest = Validator::of_manifest(content, 0, Layout::Full);
            assert_eq!(manifest.to_string(), format!("{content:032x}-m0"));
            let compact = Validator::of_manifest(content, u8::MAX, Layout::Compact);
            assert_eq!(compact.to_string(), format!("{content:032x}-mffc"));
            let without = compact.without_event_streams();
            assert_eq!(without.to_string(), format!("{content:032x}-mffcn"));
            let of = |manifest: Validator| manifest.of_fragment(1, 2, Noun::Fragments);
            assert_eq!(of(without), of(compact));
            for (track_id, start) in [(0, 0), (1, 0x10), (31, 0x8000), (u32::MAX, u64::MAX)] {
                let of = |noun| manifest.of_fragment(track_id, start, noun).to_string();
                let begin = format!("{content:032x}-{track_id:x}-{start:x}");
                assert_eq!(of(Noun::Fragments), format!("{begin}-f"));
                assert_eq!(of(Noun::KeyFrames), format!("{begin}-k{GENERATOR:x}"));
            }
        }
    }

    #[test]
    fn no_two_parts_have_one_text() {
        const PLAYLIST: Tag = Tag::new(*b"pl");
        const SEGMENT: Tag = Tag::new(*b"sg");
        let manifest = Validator::of_manifest(7, 1, Layout::Full);
        let of = |tag, revision, track, start| {
            manifest.of_output(RepresentationId { tag, revision, track, start })
        };
        let text = of(SEGMENT, 0x1f, u32::MAX, u64::MAX).to_string();
        assert_eq!(text, format!("{:032x}-sg1f-ffffffff-ffffffffffffffff", 7));
        let numbers = [0, 1, 0x10_u32];
        let mut all = vec![manifest, manifest.without_event_streams()];
        for (track, start) in numbers.iter().flat_map(|a| numbers.map(|b| (*a, b.into()))) {
            all.push(manifest.of_fragment(track, start, Noun::Fragments));
            for revision in [0, 1, 0x10] {
                all.extend([PLAYLIST, SEGMENT].map(|tag| of(tag, revision, track, start)));
            }
        }
        let texts: std::collections::BTreeSet<String> = all.iter().map(|v| v.to_string()).collect();
        assert_eq!(texts.len(), all.len());
    }

    #[test]
    fn if_none_match_is_a_list_of_tags_strong_or_weak() {
        let validator = Validator::of_manifest(1, 0, Layout::Full);
        let tag = format!("\"{validator}\"");
        let other = "\"0-m0\"";
        for field in [&*tag, "*", " * "] {
            assert!(validator.matches(field), "{field}");
        }
        assert!(validator.matches(format!("W/{tag}")));
        assert!(validator.matches(format!("{other}, \"a,b\" ,, {tag}")));
        for field in ["", other, "\"\"", "\"*\"", &validator.to_string(), &tag[..tag.len() - 1]] {
            assert!(!validator.matches(field), "{field}");
        }
        assert!(!validator.matches(format!("{other}, oops, {tag}")));
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
        assert!(fragment.to_string().ends_with("-2-1f40-k2"));
    }
}
