//! The grammar of requests, behind the presentation's name.

use std::borrow::Cow;
use std::fmt;

use memchr::{memchr, memchr3, memrchr};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{ManifestOptions, options};
use crate::base::{Error, ErrorKind};
use crate::fragment::Noun;

/// A request for a part of a presentation.
///
/// Spec: [MS-SSTR] 2.2.1 and 2.2.3. Reserved words are read in any letter case.
///
/// ```
/// use smooth_origin::output::mss::{Noun, Request};
///
/// let request = Request::parse("QualityLevels(952962)/Fragments(video=20000000)", None).unwrap();
/// let Request::Fragment(fragment) = request else { panic!("it asks for a fragment") };
/// assert_eq!((fragment.noun, fragment.bitrate, fragment.time), (Noun::Fragments, 952_962, 20_000_000));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// The presentation itself: a host redirects to its manifest.
    Presentation,
    /// `Manifest` or `Manifest(…)`, perhaps with a query.
    Manifest(ManifestOptions<'a>),
    /// `QualityLevels(…)/Noun(…)`.
    Fragment(FragmentRequest<'a>),
}

/// `QualityLevels(bitrate[,key=value…])/Noun(stream=time)`. `Display` writes what `parse` reads.
///
/// Borrows from the path, so that a request without `%` allocates nothing.
///
/// Spec: [MS-SSTR] 2.2.3.
///
/// ```
/// use smooth_origin::output::mss::FragmentRequest;
/// let path = "QualityLevels(307200,Compatibility=Handheld)/Fragments(video=1968000)";
/// let request = FragmentRequest::parse(path).unwrap();
/// assert_eq!((request.bitrate, &*request.attributes), (307_200, "Compatibility=Handheld"));
/// assert_eq!(request.to_string(), path);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FragmentRequest<'a> {
    /// The part of the fragment that is wanted.
    pub noun: Noun,
    /// Bits per second: which track.
    pub bitrate: u32,
    /// `key=value` pairs, divided by commas; empty if there are none.
    pub attributes: Cow<'a, str>,
    /// Name of the stream.
    pub stream: Cow<'a, str>,
    /// Start of the chunk, in ticks of the stream. Players written in JavaScript round starts above
    /// 2^53 to a double: see
    /// [`Timeline::locate_double`](crate::presentation::Timeline::locate_double).
    pub time: u64,
}

/// Longest path that is looked at, in bytes.
const MAX_PATH: usize = 4096;

impl<'a> Request<'a> {
    /// Reads what follows the presentation's name in a URL: percent-encoded, without query, with
    /// or without slashes before and behind it. Empty segments do not count. `query` is the query of
    /// the URL, if it has one: only a manifest has options there.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] by the grammar, [`ErrorKind::NotServed`] for requests in the grammar
    /// of an output that is not served here.
    pub fn parse(path: &'a str, query: Option<&'a str>) -> Result<Self, Error> {
        let path = without_slashes_behind(without_slashes_before(path));
        if let Some(fragment) = FragmentRequest::parse_usual(path) {
            return Ok(Self::Fragment(fragment));
        }
        if path.is_empty() {
            return Ok(Self::Presentation);
        }
        match memchr(b'/', path.as_bytes()) {
            Some(_) => FragmentRequest::parse(path).map(Self::Fragment).map_err(|error| {
                let of_file = path.rsplit_once('/').and_then(|(options, file)| {
                    let options = without_slashes_behind(options);
                    other_output(options).or_else(|| {
                        strip_word(options, "Manifest(").and(options::of_virtual_file(file))
                    })
                });
                of_file.unwrap_or(error)
            }),
            None => {
                let mut options = match path {
                    "Manifest" => ManifestOptions::default(),
                    _ => match segment(path)? {
                        Cow::Borrowed(segment) => manifest(segment)?,
                        Cow::Owned(segment) => manifest(&segment)?.into_owned(),
                    },
                };
                if let Some(query) = query {
                    options.add_query(query);
                }
                Ok(Self::Manifest(options))
            }
        }
    }
}

impl Request<'_> {
    /// Returns whether the path of a URL looks like a request, though no segment of it may name a
    /// presentation: it ends in a server manifest's extension, in `Manifest`, or in a fragment.
    pub fn is_addressed(path: &str) -> bool {
        let path = without_slashes_behind(path);
        let last = path.rsplit_once('/').map_or(path, |(_, last)| last);
        let ends = |end: &str| {
            last.len()
                .checked_sub(end.len())
                .and_then(|at| last.split_at_checked(at))
                .is_some_and(|(_, tail)| tail.eq_ignore_ascii_case(end))
        };
        ends(".ism")
            || ends(".isml")
            || strip_word(last, "Manifest")
                .is_some_and(|end| end.is_empty() || end.starts_with('('))
            || last.ends_with(')') && path.to_ascii_lowercase().contains("qualitylevels(")
    }
}

/// The word `Manifest`, with or without options in parentheses.
fn manifest(segment: &str) -> Result<ManifestOptions<'_>, Error> {
    match strip_word(segment, "Manifest") {
        Some(behind) if behind.is_empty() || behind.trim_start().starts_with('(') => {
            ManifestOptions::of_predicate(behind.trim()).map_err(|error| {
                // `Manifest(video,format=…)`: Azure's form for one stream.
                match error.kind {
                    ErrorKind::Malformed(_) => other_output(segment).unwrap_or(error),
                    _ => error,
                }
            })
        }
        _ => Err(options::of_virtual_file(segment).unwrap_or_else(unknown)),
    }
}

/// Returns the error for a manifest inside a quality, as Azure's players of HLS ask for it:
/// `QualityLevels(…)/Manifest(video,format=m3u8-aapl-v3)`.
fn other_output(segment: &str) -> Option<Error> {
    let options = strip_word(segment, "Manifest(")?;
    options::of_list(options.strip_suffix(')')?)
}

impl<'a> FragmentRequest<'a> {
    /// Reads the two segments of a fragment request, percent-encoded.
    ///
    /// # Errors
    /// As [`Request::parse`].
    pub fn parse(path: &'a str) -> Result<Self, Error> {
        let path = without_slashes_behind(path);
        if path.len() > MAX_PATH {
            return Err(malformed("path", "it is longer than any request"));
        }
        // One look at each byte tells that there is nothing to decode and nothing to refuse.
        if memchr3(b'%', b'\\', 0, path.as_bytes()).is_none() {
            return Self::parse_decoded(path);
        }
        let (level, fragment) = path.split_once('/').ok_or_else(unknown)?;
        let fragment = without_slashes_before(fragment);
        let decoded = format!("{}/{}", segment(level)?, segment(fragment)?);
        let request = FragmentRequest::parse_decoded(&decoded)?;
        Ok(Self {
            attributes: Cow::Owned(request.attributes.into_owned()),
            stream: Cow::Owned(request.stream.into_owned()),
            ..request
        })
    }

    /// Reads the spelling of nearly all requests: the words of the specification, no attributes,
    /// and nothing to decode or to refuse. Any other spelling is `None`.
    #[inline]
    fn parse_usual(path: &'a str) -> Option<Self> {
        let rest = path.strip_prefix("QualityLevels(")?;
        let (bitrate, rest) = decimal(rest);
        let bitrate = u32::try_from(bitrate?).ok()?;
        let (noun, predicate) = strip_noun(rest.strip_prefix(")/")?)?;
        let is_other = |byte: u8| matches!(byte, b'=' | b'/' | b'%' | b'\\' | 0);
        let end = predicate.bytes().position(is_other).filter(|&at| at > 0)?;
        let (stream, time) = predicate.split_at(end);
        let (Some(time), ")") = decimal(time.strip_prefix('=')?) else { return None };
        let stream = Cow::Borrowed(stream);
        let is_short = path.len() <= MAX_PATH;
        is_short.then_some(Self { noun, bitrate, attributes: Cow::Borrowed(""), stream, time })
    }

    /// Reads the segments with their percent-encoding gone. The only slash is the one between.
    fn parse_decoded(path: &'a str) -> Result<Self, Error> {
        let rest = strip_word(path, "QualityLevels(").ok_or_else(unknown)?;
        let (bitrate, rest) = decimal(rest);
        let bitrate = bitrate
            .and_then(|bitrate| u32::try_from(bitrate).ok())
            .ok_or_else(|| malformed("QualityLevels", "its bitrate is no 32-bit number"))?;
        let (attributes, rest) = attributes(rest)?;

        let open = memchr(b'(', rest.as_bytes()).ok_or_else(unknown)?;
        let noun =
            Noun::parse(&rest[..open]).ok_or_else(|| other_output(rest).unwrap_or_else(unknown))?;
        let predicate = rest[open + 1..].strip_suffix(')').ok_or_else(|| {
            // `Fragments(video=0,format=m3u8-aapl).ts`.
            match rest[open + 1..].rsplit_once(").") {
                Some((predicate, _)) if is_format(predicate) => other_format(),
                _ => unknown(),
            }
        })?;
        if memchr(b'/', predicate.as_bytes()).is_some() {
            return Err(unknown());
        }
        let equals = memrchr(b'=', predicate.as_bytes()).filter(|&at| at > 0);
        let equals = equals
            .ok_or_else(|| malformed("fragment", "it wants a stream's name, `=`, and a time"))?;
        match decimal(&predicate[equals + 1..]) {
            (Some(time), behind) if behind.is_empty() || is_comma(behind) => {
                let stream = Cow::Borrowed(&predicate[..equals]);
                Ok(Self { noun, bitrate, attributes: attributes.into(), stream, time })
            }
            _ if is_format(predicate) => Err(other_format()),
            _ => Err(malformed("fragment", "its time is no 64-bit number")),
        }
    }
}

/// A noun as the specification spells it and its parenthesis, and the text behind them.
#[inline]
fn strip_noun(text: &str) -> Option<(Noun, &str)> {
    Noun::ALL.into_iter().find_map(|noun| {
        let rest = text.strip_prefix(noun.as_str())?.strip_prefix('(')?;
        Some((noun, rest))
    })
}

/// Splits off the text between the bitrate and the next segment: `)`, or `,key=value…)`.
fn attributes(rest: &str) -> Result<(&str, &str), Error> {
    if let Some(rest) = rest.strip_prefix(")/") {
        return Ok(("", without_slashes_before(rest)));
    }
    let (level, rest) = rest.split_once('/').ok_or_else(unknown)?;
    let rest = without_slashes_before(rest);
    let level = level.strip_suffix(')').ok_or_else(unknown)?;
    match level.strip_prefix(',') {
        // Many players leave the placeholder in the URL of a track without attributes.
        Some(attributes) if is_placeholder(attributes) => Ok(("", rest)),
        Some(attributes) => Ok((attributes, rest)),
        None => Err(malformed("QualityLevels", "its bitrate is no 32-bit number")),
    }
}

/// Returns whether this is what remains of `,{CustomAttributes}` after the time if the track has no
/// attributes.
#[cold]
fn is_comma(behind: &str) -> bool {
    behind.strip_prefix(',').is_some_and(|rest| rest.is_empty() || is_placeholder(rest))
}

fn is_placeholder(attributes: &str) -> bool {
    attributes.starts_with('{') && attributes.eq_ignore_ascii_case("{CustomAttributes}")
}

/// Removes leading slashes. Most paths have at most one, so this looks at one byte or two.
fn without_slashes_before(mut path: &str) -> &str {
    while let Some(rest) = path.strip_prefix('/') {
        path = rest;
    }
    path
}

fn without_slashes_behind(mut path: &str) -> &str {
    while let Some(rest) = path.strip_suffix('/') {
        path = rest;
    }
    path
}

/// Decodes a segment once.
fn segment(raw: &str) -> Result<Cow<'_, str>, Error> {
    let decoded = percent_decode_str(raw).decode_utf8();
    let decoded = decoded.map_err(|_| malformed("path", "its percent-encoding is not UTF-8"))?;
    if decoded.bytes().any(|byte| matches!(byte, b'/' | b'\\' | 0)) {
        return Err(malformed(
            "path",
            "a path segment contains an encoded slash, a backslash or a NUL byte",
        ));
    }
    Ok(decoded)
}

/// The text behind a word in any letter case, which mostly is the specification's.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.strip_prefix(word).or_else(|| {
        let (start, rest) = text.split_at_checked(word.len())?;
        start.eq_ignore_ascii_case(word).then_some(rest)
    })
}

/// A number of at least one digit, if 64 bits hold it, and the text behind its digits.
///
/// JavaScript writes the last 1024 times as [`PLAYERS_LAST`], which exceeds 64 bits. It is read as
/// the largest number, which is the same double as these times.
fn decimal(text: &str) -> (Option<u64>, &str) {
    /// Number of digits that fit into 64 bits, whichever they are.
    const SAFE: usize = 19;
    let (mut value, mut len) = (0_u64, 0);
    let bytes = text.as_bytes();
    // Eight digits at once, as far as there are so many bytes.
    while let Some(eight) = bytes.get(len..).and_then(<[u8]>::first_chunk) {
        let (number, digits) = leading_digits(u64::from_le_bytes(*eight));
        value = value.wrapping_mul(POWERS[digits]).wrapping_add(number);
        len += digits;
        if digits < 8 {
            break;
        }
    }
    while let Some(digit @ 0..=9) = bytes.get(len).map(|byte| byte.wrapping_sub(b'0')) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        len += 1;
    }
    let value = match len {
        0 => None,
        1..=SAFE => Some(value),
        _ if text[..len] == *PLAYERS_LAST => Some(u64::MAX),
        _ => text[..len].parse().ok(),
    };
    (value, &text[len..])
}

/// The powers of ten.
const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that the first of eight characters are, the first in the lowest byte, and how many
/// of them are digits.
#[inline]
fn leading_digits(text: u64) -> (u64, usize) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let text = text ^ (EACH * u64::from(b'0'));
    // The upper half of a byte is 0 in a digit, and stays 0 when 6 is added. The bytes behind the
    // first that is none do not matter.
    let others = (text | text.wrapping_add(EACH * 6)) & (EACH * 0xf0);
    let digits = (others.trailing_zeros() / 8) as usize;
    // Zeros go in front: each digit moves to its place from the end.
    let text = if digits == 0 { 0 } else { text << (64 - 8 * digits) };
    // Pairs of digits, pairs of pairs, and so on.
    let pairs = (text.wrapping_mul(10).wrapping_add(text >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let all = (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff;
    (all, digits)
}

/// 2^64 as JavaScript writes it: the shortest decimal number that stands for this double.
const PLAYERS_LAST: &str = "18446744073709552000";

/// Returns whether the fragment is requested in another format: `video=0,format=…`.
fn is_format(predicate: &str) -> bool {
    let options = predicate.split(',').skip(1).filter_map(|option| option.split_once('='));
    options.into_iter().any(|(key, _)| key.trim().eq_ignore_ascii_case("format"))
}

fn other_format() -> Error {
    Error::request("fragment", ErrorKind::NotServed("a fragment in another format"))
}

fn unknown() -> Error {
    malformed("path", "neither a manifest nor a fragment is asked for")
}

fn malformed(part: &'static str, what: &'static str) -> Error {
    Error::request(part, ErrorKind::Malformed(what))
}

/// Characters that a segment cannot hold as they are.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'`')
    .add(b'{')
    .add(b'}');

impl fmt::Display for FragmentRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { noun, bitrate, attributes, stream, time } = self;
        let comma = if attributes.is_empty() { "" } else { "," };
        let attributes = utf8_percent_encode(attributes, SEGMENT);
        let stream = utf8_percent_encode(stream, SEGMENT);
        write!(f, "QualityLevels({bitrate}{comma}{attributes})/{noun}({stream}={time})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_and_parse_are_inverse() {
        let path = "QualityLevels(64000)/Fragments(audio_eng=20000000)";
        assert_eq!(FragmentRequest::parse(path).unwrap().to_string(), path);
    }

    #[test]
    fn what_real_clients_send_is_understood() {
        let request = |path| match Request::parse(path, None).unwrap() {
            Request::Fragment(r) => {
                (r.noun, r.bitrate, r.attributes.into_owned(), r.stream.into_owned(), r.time)
            }
            other => panic!("{path} is {other:?}"),
        };
        let plain = (Noun::Fragments, 5, String::new(), "video".to_owned(), 0);
        for path in [
            "QualityLevels(5)/Fragments(video=0)",
            "/QualityLevels(5)/Fragments(video=0)",
            "qualitylevels(5)/FRAGMENTS(video=0)",
            "QualityLevels%285%29/Fragments%28video%3D0%29",
            "QualityLevels(5,)/Fragments(video=0)",
            "QualityLevels(5,{CustomAttributes})/Fragments(video=0)",
            "QualityLevels(5,%7Bcustomattributes%7D)/Fragments(video=0)",
            "QualityLevels(5)/Fragments(video=0,)",
            "QualityLevels(5)/Fragments(video=0,{CustomAttributes})",
        ] {
            assert_eq!(request(path), plain, "{path}");
        }
        let (noun, _, attributes, stream, time) = request(
            "QualityLevels(5%2Ca=b,c=d)/KeyFrames(audio_fr%20%C3%A9=x=18446744073709551615)",
        );
        assert_eq!(
            (noun, &*attributes, &*stream, time),
            (Noun::KeyFrames, "a=b,c=d", "audio_fr é=x", u64::MAX)
        );
        for path in ["Manifest", "/manifest", "MANIFEST", "manifest()", "Mani%66est"] {
            assert_eq!(
                Request::parse(path, None).unwrap(),
                Request::Manifest(ManifestOptions::default()),
                "{path}"
            );
        }
        assert_eq!(Request::parse("", None).unwrap(), Request::Presentation);
        assert_eq!(Request::parse("/", None).unwrap(), Request::Presentation);
    }

    #[test]
    fn empty_segments_do_not_count() {
        let plain = Request::parse("QualityLevels(5,a=b)/Fragments(vid%20eo=0)", None).unwrap();
        for path in [
            "//QualityLevels(5,a=b)/Fragments(vid%20eo=0)",
            "/QualityLevels(5,a=b)//Fragments(vid%20eo=0)",
            "QualityLevels(5,a=b)/Fragments(vid%20eo=0)//",
        ] {
            assert_eq!(Request::parse(path, None).unwrap(), plain, "{path}");
        }
        let borrowed = Request::parse("QualityLevels(5)//Fragments(video=0)/", None).unwrap();
        assert_eq!(borrowed, Request::parse("QualityLevels(5)/Fragments(video=0)", None).unwrap());
        assert_eq!(
            Request::parse("//Manifest/", None).unwrap(),
            Request::Manifest(ManifestOptions::default())
        );
        assert_eq!(Request::parse("//", None).unwrap(), Request::Presentation);
    }

    #[test]
    fn a_number_is_read_up_to_the_first_other_character() {
        for digits in 0..=19 {
            let number = &"1234567890987654321"[..digits];
            for behind in
                ["", ")", ")/Fragments(video=0)", "/:", ":;<=>?@", "\u{e9}\u{e9}9", "a123456789"]
            {
                let text = format!("{number}{behind}");
                assert_eq!(decimal(&text), (number.parse().ok(), behind), "{text}");
            }
        }
        assert_eq!(decimal("00000000000000000000007x"), (Some(7), "x"));
        assert_eq!(decimal("18446744073709551615"), (Some(u64::MAX), ""));
        assert_eq!(decimal("18446744073709551616"), (None, ""));
        assert_eq!(decimal(PLAYERS_LAST), (Some(u64::MAX), ""));
    }

    #[test]
    fn a_path_without_percent_borrows() {
        let request = FragmentRequest::parse("QualityLevels(5,a=b)/Fragments(video=0)").unwrap();
        assert!(matches!(
            (request.stream, request.attributes),
            (Cow::Borrowed(_), Cow::Borrowed("a=b"))
        ));
    }

    #[test]
    fn what_is_no_request_is_malformed_and_what_others_serve_is_not_served() {
        for path in [
            "QualityLevels(x)/Fragments(video=0)",
            "QualityLevels()/Fragments(video=0)",
            "QualityLevels(-5)/Fragments(video=0)",
            "QualityLevels(+5)/Fragments(video=0)",
            "QualityLevels(4294967296)/Fragments(video=0)",
            "QualityLevels(5)/Fragments(video=-213333)",
            "QualityLevels(5)/Fragments(video=18446744073709551616)",
            "QualityLevels(5)/Fragments(video=)",
            "QualityLevels(5)/Fragments(=0)",
            "QualityLevels(5)/Fragments(video)",
            "QualityLevels(5)/Fragments(video=0",
            "QualityLevels(5)/Fragments(a%2Fb=0)",
            "QualityLevels(5)/Fragments(a%5Cb=0)",
            "QualityLevels(5)/Fragments(a%00=0)",
            "QualityLevels(5)/Fragments(a%FF=0)",
            "QualityLevels(5)/Pictures(video=0)",
            "QualityLevels(5)",
            "Manifestation",
            "Manifest/x",
            "poster.jpg",
        ] {
            let error = Request::parse(path, None).unwrap_err();
            assert_eq!(error.kind.status(), 400, "{path}: {error}");
        }
        for path in [
            "manifest(format=m3u8-aapl)",
            "Manifest(filter=a;b)",
            "QualityLevels(5)/KeyFrames(video=0,format=m3u8-aapl)",
            "QualityLevels(5)/Manifest(video,format=m3u8-aapl-v3,audiotrack=audio)",
            "manifest(format=m3u8-aapl).m3u8",
            "Manifest(video,format=m3u8-aapl)",
            "manifest(format=mpd-time-csf)/index.mpd",
            "QualityLevels(5)/Fragments(video=0,format=m3u8-aapl).ts",
            "QualityLevels(5)/Fragments(video=0,format=m3u8-aapl,encryption=cbc)",
        ] {
            let checked = Request::parse(path, None).and_then(|request| match request {
                Request::Manifest(options) => options.check(),
                _ => Ok(()),
            });
            assert_eq!(checked.unwrap_err().kind.status(), 415, "{path}");
        }
        let long = format!("QualityLevels(5)/Fragments({}=0)", "v".repeat(5000));
        assert!(Request::parse(&long, None).is_err());
    }
}
