//! Attributes that are not understood, of elements of which a manifest may have very many.

use std::fmt;

/// Attributes that are not understood, by name, in document order.
///
/// All of them are one piece of text: an attribute of four bytes in the manifest would take fifty
/// in a list of strings, for each `c` and each `f`.
///
/// ```
/// use smooth_origin::manifest::OtherAttributes;
///
/// let attributes: OtherAttributes = [("a", "1"), ("b", "")].into_iter().collect();
/// assert_eq!(attributes.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "")]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OtherAttributes(
    /// Each name and each value with [`END`] behind it.
    Box<str>,
);

/// No XML document holds it.
const END: char = '\0';

impl OtherAttributes {
    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.0)
    }

    /// Returns the attributes that [`push`] has put together.
    pub(super) fn of_text(text: String) -> Self {
        Self(text.into())
    }
}

/// Adds an attribute to a text.
pub(super) fn push(text: &mut String, name: &str, value: &str) {
    text.reserve(name.len() + value.len() + 2);
    for part in [name, value] {
        text.push_str(part);
        text.push(END);
    }
}

/// The attributes of a text.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = text.split_terminator(END);
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
}

/// Those that XML cannot hold, because there is a zero character in them, are left out.
impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for OtherAttributes {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(attributes: I) -> Self {
        let mut text = String::new();
        for (name, value) in attributes {
            let (name, value) = (name.as_ref(), value.as_ref());
            if !name.contains(END) && !value.contains(END) {
                push(&mut text, name, value);
            }
        }
        Self::of_text(text)
    }
}

impl fmt::Debug for OtherAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_come_back_as_they_were_given() {
        for attributes in [&[][..], &[("a", "")], &[("a", "1"), ("é", " x\n"), ("a", "")]] {
            let kept: OtherAttributes = attributes.iter().copied().collect();
            assert_eq!(kept.iter().collect::<Vec<_>>(), attributes);
            assert_eq!(kept.is_empty(), attributes.is_empty());
            assert_eq!(format!("{kept:?}"), format!("{attributes:?}"));
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_left_out() {
        let kept: OtherAttributes = [("a\0", "1"), ("b", "\0"), ("c", "2")].into_iter().collect();
        assert_eq!(kept.iter().collect::<Vec<_>>(), [("c", "2")]);
    }
}
