//! Text of a cue: white space, line breaks, markup and escaping.

use super::colour::Colour;
use super::style::Style;

/// Look of a piece of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    colour: Option<&'static str>,
    background: Option<&'static str>,
    is_bold: bool,
    is_italic: bool,
    is_underlined: bool,
    is_hidden: bool,
}

impl Look {
    /// White text and a black background are the default of WebVTT.
    pub(super) fn of(style: &Style) -> Self {
        let class = |colour: Option<Colour>, default| {
            colour.filter(|colour| *colour != default).and_then(Colour::class)
        };
        Self {
            colour: class(style.colour, Colour::WHITE),
            background: class(style.background, Colour::BLACK),
            is_bold: style.is_bold == Some(true),
            is_italic: style.is_italic == Some(true),
            is_underlined: style.is_underlined == Some(true),
            is_hidden: style.is_hidden == Some(true),
        }
    }

    pub(super) fn is_hidden(self) -> bool {
        self.is_hidden
    }
}

/// Puts the text of a cue together.
///
/// No line of the result is empty, because an empty line ends a cue, and none begins or ends with
/// white space.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
    /// Look of the last character, and so the tags that are open.
    look: Look,
    /// Spaces that are written if text follows in the same line.
    spaces: usize,
    /// Line breaks that are written if text follows.
    breaks: usize,
}

impl Markup {
    /// Adds text of one look. If `is_preserved` is false, white space becomes one space; else line ends
    /// become line breaks.
    pub(super) fn push(&mut self, text: &str, look: Look, is_preserved: bool) {
        let mut previous = '\0';
        for character in text.chars() {
            match character {
                '\n' if is_preserved && previous == '\r' => {}
                '\n' | '\r' if is_preserved => self.line_break(),
                ' ' | '\t' if is_preserved => self.spaces += 1,
                ' ' | '\t' | '\n' | '\r' => self.spaces = self.spaces.max(1),
                _ => self.character(character, look),
            }
            previous = character;
        }
    }

    pub(super) fn line_break(&mut self) {
        self.breaks += 1;
        self.spaces = 0;
    }

    /// Ends a paragraph: the next one begins in a new line.
    pub(super) fn end_paragraph(&mut self) {
        self.breaks = self.breaks.max(1);
        self.spaces = 0;
    }

    /// Returns the text; empty if it has no visible character.
    pub(super) fn finish(mut self) -> String {
        self.switch(Look::default());
        self.text
    }

    fn character(&mut self, character: char, look: Look) {
        if !self.text.is_empty() {
            for line in 0..self.breaks {
                self.text.push_str(if line == 0 { "\n" } else { "&nbsp;\n" });
            }
            if self.breaks == 0 {
                self.text.extend(std::iter::repeat_n(' ', self.spaces));
            }
        }
        (self.breaks, self.spaces) = (0, 0);
        self.switch(look);
        match character {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            _ => self.text.push(character),
        }
    }

    /// Closes the tags that are open, and opens those of another look.
    fn switch(&mut self, look: Look) {
        if self.look == look {
            return;
        }
        let open = std::mem::replace(&mut self.look, look);
        let tags = |look: Look| {
            let has_class = look.colour.is_some() || look.background.is_some();
            [
                (has_class, "c"),
                (look.is_bold, "b"),
                (look.is_italic, "i"),
                (look.is_underlined, "u"),
            ]
        };
        for (_, tag) in tags(open).iter().rev().filter(|(is_open, _)| *is_open) {
            self.text.extend(["</", tag, ">"]);
        }
        for (_, tag) in tags(look).iter().filter(|(is_open, _)| *is_open) {
            self.text.extend(["<", tag]);
            if *tag == "c" {
                look.colour.iter().for_each(|class| self.text.extend([".", class]));
                look.background.iter().for_each(|class| self.text.extend([".bg_", class]));
            }
            self.text.push('>');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(style: Style) -> Look {
        Look::of(&style)
    }

    #[test]
    fn white_space_is_collapsed_or_preserved() {
        for (text, is_preserved, expected) in [
            ("\n   a \t b\r\n c  ", false, "a b c"),
            ("\n   a  b\r\n c\r\r", true, "a  b\nc"),
            ("a\n\n \n b", true, "a\n&nbsp;\n&nbsp;\nb"),
            ("  \n ", false, ""),
            ("  \n ", true, ""),
        ] {
            let mut markup = Markup::default();
            markup.push(text, Look::default(), is_preserved);
            assert_eq!(markup.finish(), expected, "{text:?}");
        }
    }

    #[test]
    fn text_that_looks_like_markup_is_escaped() {
        let mut markup = Markup::default();
        markup.push("<b>a</b> &amp; 00:01.000 --> x", Look::default(), false);
        let text = "&lt;b&gt;a&lt;/b&gt; &amp;amp; 00:01.000 --&gt; x";
        assert_eq!(markup.finish(), text);
    }

    #[test]
    fn tags_are_nested_and_closed() {
        let italic = Style { is_italic: Some(true), ..Style::default() };
        let rich = Style {
            colour: Some(Colour::Plain(6)),
            background: Some(Colour::Plain(1)),
            is_bold: Some(true),
            ..italic
        };
        let white =
            Style { colour: Some(Colour::WHITE), background: Some(Colour::BLACK), ..italic };
        let mut markup = Markup::default();
        markup.push("a ", look(italic), false);
        markup.push("b", look(rich), false);
        markup.push(" ", look(italic), false);
        markup.push(" c", look(Style::default()), false);
        markup.line_break();
        markup.push("d", look(white), false);
        markup.end_paragraph();
        markup.push("e", look(white), false);
        let text = "<i>a </i><c.yellow.bg_blue><b><i>b </i></b></c>c\n<i>d\ne</i>";
        assert_eq!(markup.finish(), text);
    }
}
