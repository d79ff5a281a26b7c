//! The part of a URL's path that names the presentation.

use std::borrow::Cow;

use memchr::memchr;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use crate::base::{Error, decode_segment};

/// A possible presentation in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    /// Decoded name of the server manifest. Not checked yet: opening it does that.
    pub(super) name: Cow<'a, str>,
    /// The path after it, still encoded: empty, or from the slash on.
    pub(super) rest: &'a str,
}

/// Maximum number of segments that are tried, because each may cost an opening.
const MAX_TRIES: usize = 4;

/// Each part of `path` that ends with a segment in `.ism` or `.isml`, shortest first. Empty segments
/// do not count, as on IIS: clients join paths with one slash too many.
pub(super) fn presentations(path: &str) -> impl Iterator<Item = Result<Found<'_>, Error>> {
    let mut path = path;
    while let Some(rest) = path.strip_prefix('/') {
        path = rest;
    }
    let (mut start, mut is_clean) = (Some(0), true);
    let found = std::iter::from_fn(move || {
        while let Some(from) = start {
            let end = memchr(b'/', &path.as_bytes()[from..]).map(|at| from + at);
            start = end.map(|end| end + 1);
            let end = end.unwrap_or(path.len());
            is_clean &= end > from;
            if is_presentation(&path.as_bytes()[from..end]) {
                return Some((&path[..end], &path[end..], is_clean));
            }
        }
        None
    });
    found.take(MAX_TRIES).map(|(name, rest, is_clean)| {
        Ok(Found { name: if is_clean { decode(name)? } else { joined(name)? }, rest })
    })
}

/// The first possible presentation of a path, if the path needs no decoding up to there, as most
/// paths do. One look at each byte finds it.
#[cfg(feature = "http")]
pub(super) fn first_plain(path: &str) -> Option<Found<'_>> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let bytes = path.as_bytes();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'/' {
            if at == start {
                return None;
            }
            if has_extension(&bytes[start..at]) {
                let (name, rest) = path.split_at(at);
                return Some(Found { name: name.into(), rest });
            }
            start = at + 1;
        } else if byte == b'%' {
            return None;
        }
    }
    None
}

/// Returns whether a segment has the extension, in any letter case, percent-encoded or not.
fn is_presentation(segment: &[u8]) -> bool {
    // No encoding of a byte has a dot in it: what ends so as it is does so decoded.
    has_extension(segment)
        || memchr(b'%', segment).is_some() && has_extension(&Cow::from(percent_decode(segment)))
}

/// Returns whether a name ends like that of a presentation.
#[inline]
pub(super) fn has_extension(segment: &[u8]) -> bool {
    let is_letters = |letters: u32, of: &[u8; 4]| letters | 0x20_2020 == u32::from_be_bytes(*of);
    match segment {
        [.., b'.', i, s, m] => is_letters(u32::from_be_bytes([b'.', *i, *s, *m]), b".ism"),
        [.., b'.', i, s, m, l] => {
            matches!(l, b'l' | b'L') && is_letters(u32::from_be_bytes([b'.', *i, *s, *m]), b".ism")
        }
        _ => false,
    }
}

/// A path without its empty segments, decoded.
fn joined(path: &str) -> Result<Cow<'_, str>, Error> {
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    decode(&segments.join("/")).map(|name| name.into_owned().into())
}

/// Decodes a path once, segment by segment: a separator must not come out of it.
fn decode(path: &str) -> Result<Cow<'_, str>, Error> {
    if memchr(b'%', path.as_bytes()).is_none() {
        return Ok(path.into());
    }
    let mut decoded = String::with_capacity(path.len());
    for (number, segment) in path.split('/').enumerate() {
        if number > 0 {
            decoded.push('/');
        }
        decoded.push_str(&decode_segment(segment)?);
    }
    Ok(decoded.into())
}

/// Characters that a segment of a relative URL need not encode. A colon is not one of them: it would
/// end a scheme.
const IN_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The URL of a resource below a presentation, relative to a URL that ends with the presentation's
/// own segment (`film.ism`).
pub(super) fn beside(presentation: &str, to: &str) -> String {
    match presentation {
        "" => to.into(),
        name => format!("{}/{to}", utf8_percent_encode(name, IN_SEGMENT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(path: &str) -> Vec<(String, &str)> {
        presentations(path)
            .map(|found| found.unwrap())
            .map(|f| (f.name.into_owned(), f.rest))
            .collect()
    }

    #[test]
    fn the_presentation_is_a_segment_with_its_extension_in_any_case() {
        let one = |name: &str, rest| vec![(name.to_owned(), rest)];
        assert_eq!(all("/a.ism/Manifest"), one("a.ism", "/Manifest"));
        assert_eq!(all("a/b.ISML"), one("a/b.ISML", ""));
        assert_eq!(all("/a.ism/"), one("a.ism", "/"));
        assert_eq!(all("/%C3%A9/a%20b%2Eism/x%2Fy"), one("é/a b.ism", "/x%2Fy"));
        assert_eq!(all("/a.ismv/b.ismc/.ism"), one("a.ismv/b.ismc/.ism", ""));
        assert_eq!(all("/%61%2Eis%6D/x"), one("a.ism", "/x"));
        assert_eq!(all("//films//a.ism//Manifest"), one("films/a.ism", "//Manifest"));
        assert_eq!(all("/films//a%20b.ism/"), one("films/a b.ism", "/"));
        assert_eq!(all("/a/b"), []);
        assert_eq!(all(""), []);
    }

    #[test]
    fn folders_of_that_name_give_further_tries_but_not_without_end() {
        let found = all("/a.ism/b.ism/Manifest");
        assert_eq!(
            found,
            [("a.ism".to_owned(), "/b.ism/Manifest"), ("a.ism/b.ism".to_owned(), "/Manifest")]
        );
        assert_eq!(all(&"/a.ism".repeat(1000)).len(), MAX_TRIES);
    }

    #[cfg(feature = "http")]
    #[test]
    fn the_first_plain_presentation_is_the_first_of_all() {
        for path in
            ["/a.ism/Manifest", "films/a.ISML/x%20y", "/a.ism/b.ism/", "/.ism/", "/a/b.ism/"]
        {
            let first = presentations(path).next().unwrap().unwrap();
            assert_eq!(first_plain(path), Some(first), "{path}");
        }
        for path in ["", "/", "/a.ism", "//a.ism/x", "/a//b.ism/x", "/a%20b.ism/x", "/a/b", "/a/"] {
            assert_eq!(first_plain(path), None, "{path}");
        }
    }

    #[test]
    fn what_decodes_to_a_separator_is_malformed() {
        for path in ["/a%2Fb.ism", "/a%5Cb.ism", "/a%00.ism", "/%FF.ism"] {
            let error = presentations(path).next().unwrap().unwrap_err();
            assert_eq!(error.kind.status(), 400, "{path}");
        }
    }

    #[test]
    fn a_redirect_is_relative_and_encoded() {
        assert_eq!(beside("", "Manifest"), "Manifest");
        assert_eq!(beside("a b:é.ism", "Manifest"), "a%20b%3A%C3%A9.ism/Manifest");
    }
}
