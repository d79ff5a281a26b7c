//! The one gate for names that come from strangers.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Error, ErrorKind, decode_segment};

/// A relative path that stays below the root it is opened under: `/` between segments, none of
/// them empty, `.` or `..`.
///
/// Names come from request paths and from `src` and `clientManifestRelativePath` in a server
/// manifest; both pass here. Cheap to clone.
///
/// ```
/// use smooth_origin::base::Name;
/// let name = Name::new("films/big buck.ism").unwrap();
/// assert_eq!(name.beside("video%201.ismv").unwrap().as_str(), "films/video 1.ismv");
/// assert!(name.beside("../secret.ismv").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Longest name accepted, in bytes: what most file systems can open.
    pub const MAX_LEN: usize = 4096;

    /// From a path that is already decoded.
    ///
    /// # Errors
    /// [`ErrorKind::BadName`] when the path is empty, too long, absolute, names a drive or a
    /// scheme, or holds a backslash, a control character, or a segment that is empty, `.` or `..`.
    pub fn new(path: &str) -> Result<Self, Error> {
        check(path).map_err(|why| Error::request("name", ErrorKind::BadName(why)))?;
        Ok(Self(path.into()))
    }

    /// Returns the name that the path of a URL stands for, as an origin reads it: percent-decoded
    /// once, without empty segments. The path may begin with a slash, and has no query.
    ///
    /// A host that decides by the path whether a request is allowed must decide by this name.
    /// `/%73plit/film.ism` and `//split/film.ism` lead to the same file as `/split/film.ism`, and so
    /// does `/Split/film.ism` if the store ignores letter case. Refuse a request whose path gives an
    /// error.
    ///
    /// ```
    /// use smooth_origin::base::Name;
    ///
    /// /// Returns whether anyone may have what a path leads to.
    /// fn is_public(path: &str) -> bool {
    ///     let name = Name::from_url_path(path);
    ///     name.is_ok_and(|name| !name.as_str().to_lowercase().starts_with("split/"))
    /// }
    /// assert!(is_public("/films/a.ism/Manifest"));
    /// assert!(!is_public("/%73plit/a.ism/Manifest"));
    /// assert!(!is_public("//Split/a.ism/Manifest"));
    /// assert!(!is_public("/films/../split/a.ism/Manifest"));
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] if a segment does not decode to text, or decodes to one with a slash, a
    /// backslash or a zero; else as [`Name::new`].
    pub fn from_url_path(path: &str) -> Result<Self, Error> {
        let mut name = String::with_capacity(path.len());
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let segment = decode_segment(segment)?;
            if !name.is_empty() {
                name.push('/');
            }
            name.push_str(&segment);
        }
        check(&name).map_err(|why| Error::request("path", ErrorKind::BadName(why)))?;
        Ok(Self(name.into()))
    }

    /// Returns the path of a URL that stands for this name: percent-encoded, with a slash at its
    /// beginning. [`from_url_path`](Self::from_url_path) gives the name again.
    ///
    /// ```
    /// use smooth_origin::base::Name;
    /// let name = Name::new("films/a b?.ism").unwrap();
    /// assert_eq!(name.to_url_path(), "/films/a%20b%3F.ism");
    /// assert_eq!(Name::from_url_path(&name.to_url_path()).unwrap(), name);
    /// ```
    pub fn to_url_path(&self) -> String {
        format!("/{}", utf8_percent_encode(&self.0, ENCODED_BY_TOOLS))
    }

    /// The file that `reference`, as written in the manifest called `self`, stands for: decoded
    /// once, relative to the manifest's folder, with `\` read as `/`.
    ///
    /// # Errors
    /// As [`Name::new`].
    pub fn beside(&self, reference: &str) -> Result<Self, Error> {
        let decoded = percent_decode_str(reference.trim()).decode_utf8();
        // A lone `%` in a file's name does not decode to text, and then means itself.
        self.join(decoded.as_deref().unwrap_or(reference))
    }

    /// Returns the second name that `reference` may stand for, if there is no file with the name
    /// that [`beside`](Self::beside) returns: the reference as written if it is percent-encoded,
    /// otherwise its percent-encoded form. Some tools upload `a b.ismv` as `a%20b.ismv`. `None` if
    /// there is no such name.
    ///
    /// ```
    /// # use smooth_origin::base::Name;
    /// let name = Name::new("films/a.ism").unwrap();
    /// assert_eq!(name.beside_otherwise("a%20b.ismv").unwrap().as_str(), "films/a%20b.ismv");
    /// assert_eq!(name.beside_otherwise("a b.ismv").unwrap().as_str(), "films/a%20b.ismv");
    /// assert_eq!(name.beside_otherwise("ab.ismv"), None);
    /// ```
    pub fn beside_otherwise(&self, reference: &str) -> Option<Self> {
        let first = self.beside(reference).ok()?;
        let written = self.join(reference.trim()).ok()?;
        if written != first {
            return Some(written);
        }
        let relative = &first.0[self.0.rfind('/').map_or(0, |end| end + 1)..];
        let encoded = utf8_percent_encode(relative, ENCODED_BY_TOOLS).to_string();
        (encoded != relative).then(|| self.join(&encoded).ok())?
    }

    /// Returns a path in the folder of this file. `\` is read as `/`.
    fn join(&self, relative: &str) -> Result<Self, Error> {
        let relative = relative.replace('\\', "/");
        let mut path = String::with_capacity(self.0.len() + relative.len());
        if let Some(end) = self.0.rfind('/') {
            path.push_str(&self.0[..=end]);
        }
        let relative = relative.strip_prefix("./").unwrap_or(&relative);
        check(relative).map_err(|why| Error::from(ErrorKind::BadName(why)))?;
        path.push_str(relative);
        Self::new(&path)
    }

    /// The folder that it lies in; `None` for the root.
    pub fn folder(&self) -> Option<Self> {
        self.0.rfind('/').map(|end| Self(self.0[..end].into()))
    }

    /// The whole path, segments divided by `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

/// Characters that a URL's path segment cannot contain unencoded (RFC 3986, 3.3).
const ENCODED_BY_TOOLS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Why `path` may not be opened, by the rule of [`Name::new`].
fn check(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > Name::MAX_LEN {
        return Err("a name is empty or too long");
    }
    if path.bytes().any(|b| b < 0x20 || b == 0x7f || b == b'\\') {
        return Err("a name holds a backslash or a control character");
    }
    if has_scheme(path) || cfg!(windows) && path.contains(':') {
        return Err("a name begins with a drive or a scheme");
    }
    for segment in path.split('/') {
        match segment {
            "" => return Err("a name is absolute or holds an empty segment"),
            "." | ".." => return Err("a name holds a `.` or `..` segment"),
            _ => {}
        }
    }
    Ok(())
}

/// `C:`, or `http://` (RFC 3986, 3.1): a letter, then letters, digits, `+`, `-`, `.`, then a colon
/// and two slashes. Any other colon is part of a file's name: `rec-2026-11-28T10:00:00.ismv`.
fn has_scheme(path: &str) -> bool {
    let Some((scheme, rest)) = path.split_once(':') else {
        return false;
    };
    let is_drive = scheme.len() == 1;
    (is_drive || rest.starts_with("//"))
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_root_are_refused() {
        for path in [
            "",
            "/a",
            "a//b",
            "a/",
            ".",
            "..",
            "a/../b",
            "../a",
            "a/./b",
            "C:a",
            "C:/a",
            "http://x/a",
            "s3://bucket/a",
            "a\\b",
            "\\\\server\\share",
            "a\0b",
            "a\nb",
            "a\x7fb",
        ] {
            assert!(Name::new(path).is_err(), "{path:?}");
        }
        assert!(Name::new(&"a".repeat(Name::MAX_LEN + 1)).is_err());
    }

    #[test]
    fn names_of_real_files_pass() {
        for path in [
            "a.ism",
            "films/été/a b.ism",
            "..a/b",
            "a..",
            "2019-01-01T10:00:00.ism",
            "x/C:y",
            "-a",
            "100%.ismv",
            "a(1).ismv",
        ] {
            assert_eq!(Name::new(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn all_spellings_of_a_url_path_give_one_name() {
        for path in ["/split/a.ism", "split/a.ism", "//split//a.ism/", "/%73plit/a%2Eism"] {
            assert_eq!(Name::from_url_path(path).unwrap().as_str(), "split/a.ism", "{path}");
        }
        // Decoded once.
        assert_eq!(Name::from_url_path("/%2573plit/a").unwrap().as_str(), "%73plit/a");
        assert_eq!(Name::from_url_path("/100%/a").unwrap().as_str(), "100%/a");
    }

    #[test]
    fn url_paths_that_are_no_names_are_refused() {
        let malformed = ["/a%2Fb", "/a%5Cb", "/a%00b", "/%FF"];
        let bad = ["", "/", "//", "/a/../b", "/%2e%2e/a", "/a/./b", "/C:/a", "/a%0Ab", "/a\\b/.."];
        for path in malformed.into_iter().chain(bad) {
            let error = Name::from_url_path(path).unwrap_err();
            assert_eq!(error.kind.status(), 400, "{path}: {error}");
        }
        assert!(Name::from_url_path(&"/a".repeat(Name::MAX_LEN)).is_err());
    }

    #[test]
    fn a_name_comes_back_from_its_url_path() {
        for text in ["a.ism", "films/été/a b.ism", "100%.ismv", "a#b?c&d=e;f", "%41", "ab:c/d"] {
            let name = Name::new(text).unwrap();
            assert_eq!(Name::from_url_path(&name.to_url_path()).unwrap(), name, "{text}");
        }
    }

    #[test]
    fn the_other_name_is_the_written_one_or_the_encoded_one() {
        let name = Name::new("films/a b.ism").unwrap();
        for (reference, other) in [
            ("a%20b.ismv", Some("films/a%20b.ismv")),
            ("sub\\a%20b.ismv", Some("films/sub/a%20b.ismv")),
            ("a%2520b.ismv", Some("films/a%2520b.ismv")),
            ("a b.ismv", Some("films/a%20b.ismv")),
            ("a\u{e9}(1).ismv", Some("films/a%C3%A9(1).ismv")),
            ("100%.ismv", Some("films/100%25.ismv")),
            (" a.ismv ", None),
            ("./a,b.ismv", None),
            ("..%2Fa b.ismv", None),
            ("../a b.ismv", None),
            ("%00", None),
        ] {
            let found = name.beside_otherwise(reference);
            assert_eq!(found.as_ref().map(Name::as_str), other, "{reference}");
        }
    }

    #[test]
    fn references_are_decoded_once_and_stay_in_the_manifests_folder() {
        let name = Name::new("films/a.ism").unwrap();
        let beside = |reference: &str| name.beside(reference).map(|n| n.as_str().to_owned());
        assert_eq!(beside("b.ismv").unwrap(), "films/b.ismv");
        assert_eq!(beside("./b.ismv").unwrap(), "films/b.ismv");
        assert_eq!(beside("sub\\b.ismv").unwrap(), "films/sub/b.ismv");
        assert_eq!(beside("b%2520.ismv").unwrap(), "films/b%20.ismv");
        assert_eq!(beside("100%.ismv").unwrap(), "films/100%.ismv");
        for reference in [
            "../b",
            "%2e%2e/b",
            "..%2fb",
            "sub/..%5cb",
            "/etc/passwd",
            "%2Fetc/passwd",
            "\\\\h\\b",
            "C:\\b",
            "http://h/b",
            "b%00",
            "",
        ] {
            assert!(beside(reference).is_err(), "{reference}");
        }
        assert_eq!(Name::new("a.ism").unwrap().beside("b").unwrap().as_str(), "b");
        assert_eq!(Name::new("a/b/c").unwrap().folder(), Some(Name::new("a/b").unwrap()));
        assert_eq!(Name::new("a").unwrap().folder(), None);
    }
}
