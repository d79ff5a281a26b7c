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

    /// Returns the tags of the look, the outermost first.
    fn tags(self) -> Vec<Tag> {
        let Self { colour, background, .. } = self;
        let has_class = colour.is_some() || background.is_some();
        let tags = [
            has_class.then_some(Tag::Class { colour, background }),
            self.is_bold.then_some(Tag::Bold),
            self.is_italic.then_some(Tag::Italic),
            self.is_underlined.then_some(Tag::Underline),
        ];
        tags.into_iter().flatten().collect()
    }

    pub(super) fn is_hidden(self) -> bool {
        self.is_hidden
    }
}

/// A tag of WebVTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Class { colour: Option<&'static str>, background: Option<&'static str> },
    Bold,
    Italic,
    Underline,
}

impl Tag {
    fn name(self) -> &'static str {
        match self {
            Self::Class { .. } => "c",
            Self::Bold => "b",
            Self::Italic => "i",
            Self::Underline => "u",
        }
    }
}

/// Puts the text of a cue together.
///
/// No line of the result is empty, because an empty line ends a cue, and none begins or ends with
/// white space.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
    /// Look of the last character.
    look: Look,
    /// Tags that are open, the outermost first.
    open: Vec<Tag>,
    /// Spaces that are written if text follows in the same line.
    spaces: usize,
    /// Look of the first of them: `<u>a</u> b` underlines no space.
    look_of_spaces: Look,
    /// Line breaks that are written if text follows.
    breaks: usize,
    /// `true` if there is a character that is no white space.
    is_visible: bool,
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
                ' ' | '\t' | '\n' | '\r' if self.spaces == 0 => {
                    (self.spaces, self.look_of_spaces) = (1, look);
                }
                ' ' | '\t' if is_preserved => self.spaces += 1,
                ' ' | '\t' | '\n' | '\r' => {}
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
        if self.is_visible { self.text } else { String::new() }
    }

    fn character(&mut self, character: char, look: Look) {
        if !self.text.is_empty() && self.breaks > 0 {
            // Tags that end here end in their own line. An empty line has a no-break space, as a
            // character: ffmpeg 5.1 makes `\h` of the reference, and webvtt-py leaves it.
            self.close(look);
            for line in 0..self.breaks {
                self.text.push_str(if line == 0 { "\n" } else { "\u{a0}\n" });
            }
        } else if !self.text.is_empty() && self.spaces > 0 {
            self.switch(self.look_of_spaces);
            self.text.extend(std::iter::repeat_n(' ', self.spaces));
        }
        (self.breaks, self.spaces) = (0, 0);
        self.switch(look);
        self.is_visible |= !character.is_whitespace();
        match character {
            '&' => self.text.push_str("&amp;"),
            '<' => self.text.push_str("&lt;"),
            '>' => self.text.push_str("&gt;"),
            _ => self.text.push(character),
        }
    }

    /// Closes the tags that are open, except for the outer ones that another look has too.
    fn close(&mut self, look: Look) {
        let kept = common(&self.open, &look.tags());
        for tag in self.open.drain(kept..).rev() {
            self.text.extend(["</", tag.name(), ">"]);
        }
    }

    /// Closes the tags that are open, and opens those of another look.
    fn switch(&mut self, look: Look) {
        if self.look == look {
            return;
        }
        self.look = look;
        self.close(look);
        for tag in look.tags().into_iter().skip(self.open.len()) {
            self.text.extend(["<", tag.name()]);
            if let Tag::Class { colour, background } = tag {
                colour.iter().for_each(|class| self.text.extend([".", class]));
                background.iter().for_each(|class| self.text.extend([".bg_", class]));
            }
            self.text.push('>');
            self.open.push(tag);
        }
    }
}

/// Returns the number of tags at the start that are equal.
fn common(a: &[Tag], b: &[Tag]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(style: Style) -> Look {
        Look::of(&style)
    }

    #[test]
    fn white_space_has_the_look_with_which_it_came() {
        let italic = look(Style { is_italic: Some(true), ..Style::default() });
        let plain = Look::default();
        for (parts, expected) in [
            (&[("Fish", italic), (" & chips", plain)][..], "<i>Fish</i> &amp; chips"),
            (&[("Fish ", italic), ("& chips", plain)], "<i>Fish </i>&amp; chips"),
            (&[("a", plain), (" b", italic)], "a<i> b</i>"),
            (&[("a", plain), (" ", italic), ("b", plain)], "a<i> </i>b"),
            (&[("a ", italic), (" b", plain)], "<i>a </i>b"),
            (&[("a", italic), (" ", plain), ("b", italic)], "<i>a</i> <i>b</i>"),
            (&[(" a ", italic), ("", plain)], "<i>a</i>"),
        ] {
            let mut markup = Markup::default();
            for (text, look) in parts {
                markup.push(text, *look, false);
            }
            assert_eq!(markup.finish(), expected);
        }
    }

    #[test]
    fn white_space_is_collapsed_or_preserved() {
        for (text, is_preserved, expected) in [
            ("\n   a \t b\r\n c  ", false, "a b c"),
            ("\n   a  b\r\n c\r\r", true, "a  b\nc"),
            ("a\n\n \n b", true, "a\n\u{a0}\n\u{a0}\nb"),
            ("  \n ", false, ""),
            ("  \n ", true, ""),
            ("\u{a0}\n\u{a0}\u{3000}", true, ""),
            ("a\u{a0}b", false, "a\u{a0}b"),
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
        markup.line_break();
        markup.push("f", look(Style { is_underlined: Some(true), ..italic }), false);
        markup.line_break();
        markup.push("g", Look::default(), false);
        let text =
            "<i>a </i><c.yellow.bg_blue><b><i>b</i></b></c><i> </i>c\n<i>d\ne\n<u>f</u></i>\ng";
        assert_eq!(markup.finish(), text);
    }
}
