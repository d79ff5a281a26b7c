//! Patterns of paths and of origins.

use std::fmt;

/// A text in which `*` stands for any run of characters, none included.
///
/// ```
/// use smooth_origin::service::Pattern;
/// let posters = Pattern::new("*/poster*.jpg");
/// assert!(posters.matches("films/a/poster-2.jpg"));
/// assert!(!posters.matches("poster.png"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern(Box<str>);

impl Pattern {
    /// From its text. Letter case counts.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for this text. Takes at most the product of both lengths.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
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
                Some(byte) if text.get(t) == Some(byte) => (p, t) = (p + 1, t + 1),
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
        for (pattern, text) in [
            ("*", ""),
            ("*", "a/b"),
            ("a", "a"),
            ("a*", "a"),
            ("a*b*c", "axxbxbyc"),
            ("*.jpg", "a/b.jpg"),
            ("https://*.example.com", "https://tv.example.com"),
            ("**", "x"),
        ] {
            assert!(Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("a", "A"),
            ("a*b", "ab c"),
            ("*.jpg", "a.jpg.ism"),
            ("https://*.example.com", "https://example.com"),
            ("https://*.example.com", "https://tv.example.com.evil.org"),
        ] {
            assert!(!Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
    }
}
