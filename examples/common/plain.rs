//! Text from files and clients, made harmless for terminals and logs.

use std::fmt::{self, Display, Write};

/// Writes a text with its control characters escaped: a stream's name from a manifest can hold
/// line breaks, which would forge log lines, and escape sequences, which would steer a terminal.
pub struct Plain<T>(pub T);

impl<T: Display> Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match is_harmless(character) {
                true => self.0.write_char(character)?,
                false => write!(self.0, "{}", character.escape_default())?,
            }
        }
        Ok(())
    }
}

/// Not a control character, a line separator, or a mark that turns the direction of writing.
fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_all_else_is_kept() {
        let text = "café\n\u{1b}[2J\u{202e}x\u{9b}";
        assert_eq!(Plain(text).to_string(), r"café\n\u{1b}[2J\u{202e}x\u{9b}");
    }
}
