//! Text in JSON: RFC 8259, 7.

use std::fmt::Write;

/// Escapes a text for a place between the quotes of a JSON string. All control characters are escaped,
/// also those that JSON would allow (U+007F to U+009F): the text may end up on a terminal.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            // Control characters have at most four hexadecimal digits.
            _ if character.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_and_control_characters_are_escaped() {
        assert_eq!(escaped("plain `moof`/é…🎬"), "plain `moof`/é…🎬");
        assert_eq!(escaped("a\"b\\c"), r#"a\"b\\c"#);
        assert_eq!(escaped("\0\n\t\u{1f}\u{7f}\u{9b}"), r"\u0000\u000a\u0009\u001f\u007f\u009b");
    }
}
