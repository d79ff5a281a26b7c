//! Patterns in which a star stands for any run of characters.

use std::fmt;

/// A pattern of paths, in which `*` stands for any run of characters, slashes included, or for
/// none.
///
/// It is compared with the path that the service sees: below the prefix that a router has removed
/// (axum's `nest_service`, [`OriginService::router`](super::OriginService)), percent-decoded, without
/// the query and without the slash at its beginning. So all percent-encoded spellings of a path
/// match alike. Letter case of ASCII is ignored, as in the words of a Smooth Streaming URL and in
/// many stores. A slash at the beginning of the pattern changes nothing.
///
/// ```
/// use smooth_origin::service::Pattern;
/// let posters = Pattern::new("*/poster*.jpg");
/// assert!(posters.matches("films/a/poster-2.JPG"));
/// assert!(!posters.matches("poster.png"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// A pattern of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// The text of the pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether it matches this path, which is percent-decoded already. Takes at most as
    /// many steps as the product of both lengths.
    pub fn matches(&self, path: &str) -> bool {
        let [pattern, path] = [&*self.0, path].map(|text| text.strip_prefix('/').unwrap_or(text));
        stands_for(pattern.as_bytes(), path.as_bytes(), |one, other| {
            one.eq_ignore_ascii_case(other)
        })
    }
}

/// Returns whether a text with stars matches another text.
pub(super) fn stands_for(pattern: &[u8], text: &[u8], same: impl Fn(&u8, &u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    // Behind the last star, and where its run ends so far.
    let mut star = None;
    loop {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            None if t == text.len() => return true,
            Some(byte) if text.get(t).is_some_and(|other| same(byte, other)) => {
                (p, t) = (p + 1, t + 1);
            }
            _ => match star {
                Some((behind, end)) if end < text.len() => {
                    star = Some((behind, end + 1));
                    (p, t) = (behind, end + 1);
                }
                _ => return false,
            },
        }
    }
}

impl<T: Into<String>> From<T> for Pattern {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_and_all_else_itself() {
        for (pattern, path) in [
            ("*", ""),
            ("*", "a/b"),
            ("a", "a"),
            ("a", "A"),
            ("a*", "a"),
            ("a*b*c", "axxbxbyc"),
            ("*.jpg", "a/b.jpg"),
            ("/a/*", "a/b"),
            ("a/*", "/a/b"),
            ("**", "x"),
        ] {
            assert!(Pattern::new(pattern).matches(path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("", "a"),
            ("a", ""),
            ("é", "É"),
            ("a*b", "ab c"),
            ("*.jpg", "a.jpg.ism"),
            ("//a", "a"),
            ("a/*", "b/a/c"),
        ] {
            assert!(!Pattern::new(pattern).matches(path), "{pattern} {path}");
        }
    }
}
