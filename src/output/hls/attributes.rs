//! Attribute lists of tags.

use std::fmt::{Display, Write};

/// A tag with attributes: `#EXT-X-MAP:URI="init.mp4"`.
///
/// Spec: RFC 8216, 4.2.
pub(super) struct Tag<'a> {
    text: &'a mut String,
    is_first: bool,
}

impl<'a> Tag<'a> {
    /// Begins the line of a tag.
    pub(super) fn new(text: &'a mut String, name: &str) -> Self {
        text.push_str(name);
        Self { text, is_first: true }
    }

    /// Adds `NAME=value`.
    pub(super) fn plain(mut self, name: &str, value: impl Display) -> Self {
        self.name(name);
        // Writing into a `String` cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    /// Adds `NAME="value"`. Characters that a quoted string cannot hold are left out.
    pub(super) fn quoted(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.text.push('"');
        self.text.push_str(&without_quotes(value));
        self.text.push('"');
        self
    }

    /// Ends the line.
    pub(super) fn end(self) {
        self.text.push('\n');
    }

    fn name(&mut self, name: &str) {
        self.text.push(if self.is_first { ':' } else { ',' });
        self.is_first = false;
        self.text.push_str(name);
        self.text.push('=');
    }
}

/// Returns a value as a quoted string holds it.
pub(super) fn without_quotes(value: &str) -> String {
    value.chars().filter(|&c| c != '"' && !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_has_no_quote_and_no_line_end() {
        let mut text = String::new();
        Tag::new(&mut text, "#EXT-X-MEDIA").plain("A", 1).quoted("B", "a\"b\r\nc,d").end();
        assert_eq!(text, "#EXT-X-MEDIA:A=1,B=\"abc,d\"\n");
    }
}
