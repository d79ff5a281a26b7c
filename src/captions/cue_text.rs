//! Text of cues of SubRip and WebVTT: tags and references.

use super::colour::Colour;
use super::loss::{LossKind, Losses};
use super::markup::{Look, Markup};
use super::style::Style;

/// Tags inside one another that count. Those further inside are ignored: a search for the tag that is closed
/// stays short.
const DEPTH: usize = 32;

/// Longest reference, such as `&rarr;`.
const REFERENCE: usize = 12;

/// Text of a cue that is being read.
pub(super) struct CueText<'t, 'l> {
    /// All of the file, in which places of losses count.
    pub(super) file: &'t str,
    pub(super) losses: &'l mut Losses,
    markup: Markup,
    /// Names and styles of the open tags.
    open: Vec<(&'t str, Style)>,
}

impl<'t, 'l> CueText<'t, 'l> {
    pub(super) fn new(file: &'t str, losses: &'l mut Losses) -> Self {
        Self { file, losses, markup: Markup::default(), open: Vec::new() }
    }

    /// Returns the text with the markup of WebVTT: balanced and escaped, and without empty lines.
    pub(super) fn finish(self) -> String {
        self.markup.finish()
    }

    /// Notes a loss at a part of the file.
    pub(super) fn lose(&mut self, kind: LossKind, part: &str) {
        let at = (part.as_ptr() as usize).checked_sub(self.file.as_ptr() as usize);
        self.losses.note(kind, self.file, at.unwrap_or(0));
    }

    fn style(&self) -> Style {
        self.open.last().map_or(Style::default(), |(_, style)| *style)
    }

    /// Adds text as it is. Line ends are line breaks; characters that XML cannot hold are left out.
    pub(super) fn literal(&mut self, text: &str) {
        let look = Look::of(&self.style());
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.markup.line_break();
            }
            let is_odd = |c: char| (c < ' ' && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}');
            line.split(is_odd).for_each(|part| self.markup.push(part, look, false));
        }
    }

    /// Adds text in which references (`&amp;`) stand for characters.
    pub(super) fn text(&mut self, mut text: &str) {
        while let Some(at) = memchr::memchr(b'&', text.as_bytes()) {
            let (before, from) = text.split_at(at);
            self.literal(before);
            let end = from.bytes().take(REFERENCE).position(|byte| byte == b';');
            let character = end.and_then(|end| referred(&from[1..end]));
            let len = match (character, end) {
                (Some(character), Some(end)) => {
                    self.literal(character.encode_utf8(&mut [0; 4]));
                    end + 1
                }
                _ => {
                    self.literal("&");
                    1
                }
            };
            text = &from[len..];
        }
        self.literal(text);
    }

    /// Opens a tag whose text has another style.
    pub(super) fn open(&mut self, name: &'t str, change: impl FnOnce(&mut Style)) {
        if self.open.len() < DEPTH {
            let mut style = self.style();
            change(&mut style);
            self.open.push((name, style));
        }
    }

    /// Closes the innermost tag of this name and those inside, and returns whether there was one.
    pub(super) fn close(&mut self, name: &str) -> bool {
        let found = self.open.iter().rposition(|(open, _)| open.eq_ignore_ascii_case(name));
        if let Some(at) = found {
            self.open.truncate(at);
        }
        found.is_some()
    }

    pub(super) fn is_open(&self, name: &str) -> bool {
        self.open.iter().any(|(open, _)| open.eq_ignore_ascii_case(name))
    }

    /// Opens a tag of bold, italic or underlined text; returns whether it is one of these.
    pub(super) fn open_plain(&mut self, name: &'t str) -> bool {
        match name.to_ascii_lowercase().as_str() {
            "b" | "strong" => self.open(name, |style| style.is_bold = Some(true)),
            "i" | "em" => self.open(name, |style| style.is_italic = Some(true)),
            "u" => self.open(name, |style| style.is_underlined = Some(true)),
            _ => return false,
        }
        true
    }
}

/// Divides a text at its first tag: what precedes it, the inside of the tag, and what follows. A `<`
/// that no `>` of its line closes is text.
pub(super) fn first_tag(text: &str, [open, close]: [char; 2]) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find(open)?;
        let inside = &text[at + 1..];
        let end = inside.find([open, close, '\n'])?;
        if inside[end..].starts_with(close) {
            return Some((&text[..at], &inside[..end], &inside[end + 1..]));
        }
        from = at + 1 + end;
    }
}

/// Returns the character that a reference stands for: the names of WebVTT and the most usual ones of HTML,
/// and numbers.
fn referred(name: &str) -> Option<char> {
    let number = |digits: &str, radix| {
        let code = u32::from_str_radix(digits, radix).ok()?;
        char::from_u32(code).filter(|c| *c >= ' ')
    };
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "lrm" => '\u{200e}',
        "rlm" => '\u{200f}',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        "shy" => '\u{ad}',
        _ => {
            let digits = name.strip_prefix('#')?;
            return match digits.strip_prefix(['x', 'X']) {
                Some(digits) => number(digits, 16),
                None => number(digits, 10),
            };
        }
    })
}

/// Reads a colour as HTML has it: a name in any letter case, or digits with or without `#`.
pub(super) fn html_colour(text: &str) -> Option<Colour> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.strip_prefix('#').unwrap_or(&text);
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match digits.len() {
        3 if is_hex && text.starts_with('#') => {
            let twice = digits.chars().flat_map(|digit| [digit; 2]);
            Colour::read(&String::from_iter(['#'].into_iter().chain(twice)))
        }
        6 | 8 if is_hex => Colour::read(&format!("#{digits}")),
        _ => Colour::read(&text),
    }
}

/// Returns whether a text is written from right to left, by its first letter.
pub(super) fn is_right_to_left(text: &str) -> bool {
    let first = text.chars().find(|c| c.is_alphabetic());
    first.is_some_and(
        |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_ends_in_its_line_and_before_the_next_one() {
        let tags = ['<', '>'];
        assert_eq!(first_tag("a<b>c", tags), Some(("a", "b", "c")));
        assert_eq!(first_tag("1 < 2 <i>c", tags), Some(("1 < 2 ", "i", "c")));
        assert_eq!(first_tag("1 < 2\n> <<", tags), None);
        assert_eq!(first_tag(&"<".repeat(1 << 20), tags), None);
        assert_eq!(first_tag("{\\an8}a", ['{', '}']), Some(("", "\\an8", "a")));
    }

    #[test]
    fn references_and_colours_are_read() {
        let mut losses = Losses::default();
        let mut text = CueText::new("", &mut losses);
        text.text("a &amp; &lt;b&gt; &nope; &#233;&#x41; &&amp;amp; \u{1}c&#1;");
        let expected = "a &amp; &lt;b&gt; &amp;nope; éA &amp;&amp;amp; c&amp;#1;";
        assert_eq!(text.finish(), expected);
        for (colour, class) in [
            ("#FFFF00", Some("yellow")),
            ("ffff00", Some("yellow")),
            ("#FF0", Some("yellow")),
            ("Yellow", Some("yellow")),
            ("#123456", None),
            ("blurple", None),
            ("", None),
        ] {
            assert_eq!(html_colour(colour).and_then(Colour::class), class, "{colour}");
        }
    }
}
