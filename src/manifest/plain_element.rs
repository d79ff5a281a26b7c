//! Elements that are read without the XML library.

/// An empty element whose attributes are numbers in decimal digits: `<c t="0" d="20000000"/>`.
pub(super) struct PlainElement<'t> {
    attributes: [(&'t str, &'t str); PLAIN_ATTRIBUTES],
    len: usize,
}

/// With more, an element is not plain.
const PLAIN_ATTRIBUTES: usize = 4;

impl<'t> PlainElement<'t> {
    /// Names, none twice, and values.
    pub(super) fn attributes(&self) -> &[(&'t str, &'t str)] {
        &self.attributes[..self.len]
    }

    /// The element that a text begins with behind white space, and where it ends.
    // It is called once per chunk, and is large to move.
    #[inline(always)]
    pub(super) fn read(text: &'t str, name: &str) -> Option<(Self, usize)> {
        let mut rest = text.trim_ascii_start().strip_prefix('<')?.strip_prefix(name)?;
        let mut element = Self { attributes: [("", ""); PLAIN_ATTRIBUTES], len: 0 };
        loop {
            let next = rest.trim_ascii_start();
            if let Some(behind) = next.strip_prefix("/>") {
                return Some((element, text.len() - behind.len()));
            }
            if next.len() == rest.len() {
                return None;
            }
            let (name, value);
            (name, rest) = run(next, u8::is_ascii_alphabetic)?;
            (value, rest) = run(rest.strip_prefix("=\"")?, u8::is_ascii_digit)?;
            rest = rest.strip_prefix('"')?;
            if element.attributes().iter().any(|(other, _)| *other == name) {
                return None;
            }
            *element.attributes.get_mut(element.len)? = (name, value);
            element.len += 1;
        }
    }
}

/// The bytes in front that are of a kind, at least one, and the rest.
fn run(text: &str, is_of_kind: fn(&u8) -> bool) -> Option<(&str, &str)> {
    let len = text.bytes().position(|byte| !is_of_kind(&byte))?;
    (len > 0).then(|| text.split_at(len))
}
