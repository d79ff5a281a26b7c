//! Making an ill-formed document well-formed, with as few changes as possible.
//!
//! A document comes here only after the strict reader has refused it.

use std::borrow::Cow;

use super::names::{is_name_start, name_len};

/// Maximum faults that are described, because each counts the lines before it.
const MOST_DESCRIBED: usize = 16;

/// Maximum faults; a document with more is not mended.
const MOST_FAULTS: usize = 1000;

/// Maximum elements without an end tag; a document with more is not mended, because each of them
/// moves the text after it.
const MOST_UNCLOSED: usize = 64;

/// Elements that never contain an element of the same name: the second one ends the first.
const NEVER_NESTED: &[&str] =
    &["StreamIndex", "QualityLevel", "c", "f", "video", "audio", "textstream", "param", "meta"];

/// Elements that are kept without attributes and content if they cannot be read: the times of later
/// chunks depend on a `c`, and a stream on its qualities.
const NEEDED: &[&str] = &["StreamIndex", "QualityLevel", "c"];

/// Returns the document that a text was meant to be, and descriptions of the changes, with lines.
///
/// Everything without a fault is kept byte for byte. `None` if the text has no such root element,
/// ends inside of a child of it, or has too many faults.
pub(super) fn mend(text: &str, root: &str, max_depth: usize) -> Option<(String, Vec<String>)> {
    let mut mender = Mender {
        text,
        root,
        at: 0,
        out: String::with_capacity(text.len() + 64),
        open: Vec::new(),
        cut: None,
        is_root_seen: false,
        last_closed: "",
        faults: 0,
        unclosed: 0,
        described: Vec::new(),
    };
    while mender.at < text.len() {
        mender.step();
        let is_hopeless = mender.faults > MOST_FAULTS || mender.unclosed > MOST_UNCLOSED;
        if is_hopeless || mender.open.len() > max_depth {
            return None;
        }
    }
    mender.finish()
}

struct Mender<'t> {
    text: &'t str,
    /// Local name of the root.
    root: &'t str,
    /// Position of the next byte to read.
    at: usize,
    out: String,
    open: Vec<Open<'t>>,
    /// Number of the open element that is being left out with its content.
    cut: Option<usize>,
    is_root_seen: bool,
    /// Name of the element that was closed last.
    last_closed: &'t str,
    faults: usize,
    unclosed: usize,
    described: Vec<String>,
}

/// An open element.
struct Open<'t> {
    name: &'t str,
    /// Position of its start tag in the text.
    at: usize,
    /// Position of the `>` of its start tag in the output.
    tag_end: usize,
}

/// A start tag as it was meant, or the well-formed part of it.
struct Tag {
    text: String,
    is_empty: bool,
    len: usize,
}

impl<'t> Mender<'t> {
    fn step(&mut self) {
        let text = self.text;
        let rest = &text[self.at..];
        let markup = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        if markup > 0 {
            self.characters(&rest[..markup]);
            self.at += markup;
        } else if let Some(len) = enclosed(rest, "<!--", "-->") {
            let inside = &rest[4..len - 3];
            if inside.contains("--") || inside.ends_with('-') || has_forbidden(inside) {
                self.fault("a comment that is not well-formed is left out");
            } else {
                self.emit(&rest[..len]);
            }
            self.at += len;
        } else if let Some(len) = enclosed(rest, "<![CDATA[", "]]>") {
            if self.open.is_empty() || has_forbidden(&rest[..len]) {
                self.fault("a CDATA section that cannot be here is left out");
            } else {
                self.emit(&rest[..len]);
            }
            self.at += len;
        } else if let Some(len) = enclosed(rest, "<!DOCTYPE", ">") {
            self.fault("a document type is left out");
            // Its internal subset ends with `]` and `>`.
            let subset = rest[..len].contains('[').then(|| rest.find("]>")).flatten();
            self.at += subset.map_or(len, |at| at + 2);
        } else if let Some(len) = enclosed(rest, "<?", "?>") {
            self.instruction(&rest[..len]);
            self.at += len;
        } else if rest.starts_with("</") {
            self.end_tag(rest);
        } else if rest[1..].starts_with(is_name_start) {
            self.start_tag(rest);
        } else {
            self.fault("a `<` that begins nothing is served as text");
            if !self.open.is_empty() {
                self.emit("&lt;");
            }
            self.at += 1;
        }
    }

    fn characters(&mut self, text: &str) {
        if self.open.is_empty() {
            let document = text.trim_ascii();
            if !document.is_empty() {
                let side = if self.is_root_seen { "behind" } else { "before" };
                let at = self.at + (text.len() - text.trim_ascii_start().len());
                self.fault_at(at, &format!("text {side} the root element is left out"));
            } else if !self.out.is_empty() {
                self.emit(text);
            }
            return;
        }
        let (mended, fault) = escaped(text, false);
        if let Some(Escapes { at, fault, count }) = fault {
            self.fault_at(self.at + at, fault);
            self.faults += count - 1;
        }
        self.emit(&mended);
    }

    fn instruction(&mut self, text: &str) {
        let inside = &text[2..text.len() - 2];
        let target = &inside[..name_len(inside)];
        let is_declaration = target == "xml";
        if is_declaration && self.out.is_empty() {
            if is_declaration_sound(text) {
                self.emit(text);
            } else {
                self.fault("the XML declaration is not well-formed and is replaced");
                self.emit("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
            }
        } else if is_declaration {
            self.fault("an XML declaration that is not at the start is left out");
        } else if !is_instruction_sound(inside) || has_forbidden(inside) {
            self.fault("a processing instruction that is not well-formed is left out");
        } else {
            self.emit(text);
        }
    }

    fn start_tag(&mut self, rest: &'t str) {
        let name = &rest[1..1 + name_len(&rest[1..])];
        let is_root = self.open.is_empty();
        if is_root && (self.is_root_seen || local(name) != self.root) {
            let side = if self.is_root_seen { "behind" } else { "before" };
            self.fault(&format!("an element {side} the root element is left out"));
            self.at += broken_len(rest);
            return;
        }
        if self.open.last().is_some_and(|open| open.name == name)
            && NEVER_NESTED.contains(&local(name))
        {
            self.fault(&format!("`{name}` is closed here, before the next one"));
            self.unclosed += 1;
            self.close(None);
        }
        self.is_root_seen = true;
        let (mut tag, is_broken) = self.tag(rest, name);
        if is_root && is_broken {
            tag.is_empty = rest[..tag.len].ends_with("/>");
        }
        if is_broken && !is_root {
            self.fault(&format!(
                "the start tag of `{name}` is not well-formed: the element is left out"
            ));
            if self.cut.is_none() {
                // The reader then knows that an element was here, and which others depend on it.
                if NEEDED.contains(&local(name)) {
                    self.emit(&format!("<{name}/>"));
                }
                self.cut = (!tag.is_empty).then_some(self.open.len());
            }
        } else {
            if is_broken {
                self.fault(&format!("the rest of the start tag of `{name}` is left out"));
            }
            self.emit(&tag.text);
        }
        let tag_end = self.out.len();
        if tag.is_empty {
            self.last_closed = name;
            if !is_broken || is_root {
                self.emit("/>");
            }
        } else {
            self.open.push(Open { name, at: self.at, tag_end });
            self.emit(">");
        }
        self.at += tag.len;
    }

    /// Returns a start tag as it was meant. If that is not clear, returns its well-formed part, and
    /// `true`.
    fn tag(&mut self, rest: &str, name: &str) -> (Tag, bool) {
        let mut text = rest[..1 + name.len()].to_owned();
        let mut names: Vec<(&str, &str)> = Vec::new();
        let mut faults: Vec<(usize, String)> = Vec::new();
        let mut at = text.len();
        loop {
            let space = rest[at..].len() - rest[at..].trim_ascii_start().len();
            let next = &rest[at + space..];
            let end = if next.starts_with('>') { Some(1) } else { None };
            let end = end.or(next.starts_with("/>").then_some(2));
            if let Some(end) = end {
                text.push_str(&rest[at..at + space]);
                for (at, fault) in faults {
                    self.fault_at(self.at + at, &fault);
                }
                return (Tag { text, is_empty: end == 2, len: at + space + end }, false);
            }
            let Some(attribute) = Attribute::read(next) else {
                let len = broken_len(rest);
                return (Tag { text, is_empty: is_broken_empty(&rest[..len]), len }, true);
            };
            let Attribute { name, value, len, quote, is_odd } = attribute;
            let offset = at + space;
            match names.iter().find(|(other, _)| *other == name) {
                Some((_, same)) if *same == value => {
                    faults.push((offset, format!("`{name}` is repeated: one is left out")));
                }
                Some(_) => {
                    let len = broken_len(rest);
                    return (Tag { text, is_empty: is_broken_empty(&rest[..len]), len }, true);
                }
                None => {
                    let (mended, fault) = escaped(value, true);
                    if let Some(Escapes { fault, count, .. }) = fault {
                        faults.push((offset, format!("in `{name}`, {fault}")));
                        self.faults += count - 1;
                    }
                    if space == 0 {
                        faults.push((offset, format!("a space is missing before `{name}`")));
                        text.push(' ');
                    }
                    text.push_str(&rest[at..at + space]);
                    if is_odd {
                        faults.push((offset, format!("`{name}` is not written as name=\"value\"")));
                        text.push_str(&format!("{name}={quote}{mended}{quote}"));
                    } else if let Cow::Owned(mended) = &mended {
                        text.push_str(&format!("{name}={quote}{mended}{quote}"));
                    } else {
                        text.push_str(&next[..len]);
                    }
                    names.push((name, value));
                }
            }
            if names.len().max(faults.len()) > MOST_FAULTS {
                self.faults = usize::MAX / 2;
                return (Tag { text, is_empty: true, len: rest.len() }, true);
            }
            at += space + len;
        }
    }

    fn end_tag(&mut self, rest: &'t str) {
        let len = broken_len(rest);
        let name = &rest[2..2 + name_len(&rest[2..])];
        let is_whole = rest[2 + name.len()..len].trim_ascii_start() == ">";
        let number = self.open.iter().rposition(|open| open.name == name);
        match number {
            _ if self.open.is_empty() => self.fault("an end tag outside of the root is left out"),
            Some(number) => {
                while self.open.len() > number + 1 {
                    self.close_empty();
                }
                if !is_whole {
                    self.fault(&format!("the end tag of `{name}` is not well-formed"));
                }
                self.close(is_whole.then_some(&rest[..len]));
            }
            None if name == self.last_closed || self.open.len() == 1 => {
                self.fault(&format!("an end tag `{name}` that ends nothing is left out"));
            }
            None => {
                let top = self.open.last().map_or("", |open| open.name);
                self.fault(&format!("an end tag `{name}` where `{top}` ends"));
                self.close(None);
            }
        }
        self.at += len;
    }

    /// Closes the innermost element, with its end tag as it is in the text.
    fn close(&mut self, tag: Option<&str>) {
        let Some(open) = self.open.pop() else { return };
        self.last_closed = open.name;
        if self.cut == Some(self.open.len()) {
            self.cut = None;
        } else if let Some(tag) = tag {
            self.emit(tag);
        } else {
            self.emit(&format!("</{}>", open.name));
        }
    }

    /// Makes the innermost element, which has no end tag, an empty element.
    fn close_empty(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.fault_at(open.at, &format!("`{}` is not closed", open.name));
        self.unclosed += 1;
        match self.cut {
            Some(cut) if cut == self.open.len() => self.cut = None,
            Some(_) => {}
            None => self.out.insert(open.tag_end, '/'),
        }
    }

    fn emit(&mut self, text: &str) {
        if self.cut.is_none() {
            self.out.push_str(text);
        }
    }

    fn fault(&mut self, what: &str) {
        self.fault_at(self.at, what);
    }

    fn fault_at(&mut self, at: usize, what: &str) {
        // An element that is left out was described as a whole.
        if self.cut.is_some() {
            return;
        }
        self.faults += 1;
        if self.described.len() < MOST_DESCRIBED {
            let before = &self.text.as_bytes()[..at.min(self.text.len())];
            let line = 1 + memchr::memchr_iter(b'\n', before).count();
            self.described.push(format!("line {line}: {what}"));
        }
    }

    fn finish(mut self) -> Option<(String, Vec<String>)> {
        if !self.is_root_seen || self.open.len() > 1 {
            return None;
        }
        if let [root] = &self.open[..] {
            let name = root.name;
            self.fault(&format!("`{name}` is not closed"));
            self.close(None);
        }
        Some((self.out, self.described))
    }
}

/// An attribute of a start tag.
struct Attribute<'e> {
    name: &'e str,
    value: &'e str,
    len: usize,
    quote: char,
    /// True if it lacks its `=` or a quote.
    is_odd: bool,
}

impl<'e> Attribute<'e> {
    /// Reads the attribute at the start of a text, if it is clear what was meant.
    fn read(text: &'e str) -> Option<Self> {
        let name = &text[..name_len(text)];
        if name.is_empty() {
            return None;
        }
        let rest = text[name.len()..].trim_ascii_start();
        let value = rest.strip_prefix('=').map(str::trim_ascii_start);
        let (mut is_odd, value) = (value.is_none(), value.unwrap_or(rest));
        let begin = text.len() - value.len();
        let (value, len, quote) = match value.chars().next()? {
            quote @ ('"' | '\'') => {
                let len = value[1..].find(quote)?;
                (&value[1..1 + len], begin + len + 2, quote)
            }
            _ if is_odd => return None,
            _ => {
                let is_end = |c: char| c.is_ascii_whitespace() || "\"'<>=&/".contains(c);
                let len = value.find(is_end)?;
                is_odd = true;
                let closing = usize::from(value[len..].starts_with(['"', '\'']));
                (&value[..len], begin + len + closing, '"')
            }
        };
        let next = text[len..].chars().next()?;
        let is_end = next.is_ascii_whitespace() || matches!(next, '>' | '/');
        let is_clear = !value.contains('<') && !value.contains('\n') && is_name_start(next);
        (!(value.is_empty() && is_odd) && (is_end || is_clear)).then_some(Self {
            name,
            value,
            len,
            quote,
            is_odd,
        })
    }
}

/// Returns the length of the part that starts with `begin` and ends with `end`.
fn enclosed(text: &str, begin: &str, end: &str) -> Option<usize> {
    let inside = text.strip_prefix(begin)?;
    Some(begin.len() + inside.find(end)? + end.len())
}

/// Returns the length of a tag whose quotes cannot be relied on.
fn broken_len(text: &str) -> usize {
    match memchr::memchr2(b'<', b'>', &text.as_bytes()[1..]) {
        Some(at) => 1 + at + usize::from(text.as_bytes()[1 + at] == b'>'),
        None => text.len(),
    }
}

/// Returns whether a broken tag opens no element: it closes itself, or it does not end.
fn is_broken_empty(tag: &str) -> bool {
    tag.ends_with("/>") || !tag.ends_with('>')
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

fn has_forbidden(text: &str) -> bool {
    text.contains(is_forbidden)
}

/// Characters that were escaped or removed in a text.
struct Escapes {
    /// Position of the first one.
    at: usize,
    fault: &'static str,
    count: usize,
}

/// Escapes or removes characters that text, or an attribute value, cannot contain.
fn escaped(text: &str, is_value: bool) -> (Cow<'_, str>, Option<Escapes>) {
    let (mut out, mut from, mut escapes) = (String::new(), 0, None::<Escapes>);
    for (at, c) in text.char_indices() {
        let (instead, fault) = match c {
            '&' if reference_len(&text[at..]).is_none() => {
                ("&amp;", "a `&` that begins no reference is served as `&amp;`")
            }
            '<' if is_value => ("&lt;", "a `<` is served as `&lt;`"),
            '>' if !is_value && text[..at].ends_with("]]") => ("&gt;", "`]]>` is escaped"),
            c if is_forbidden(c) => ("", "a control character is left out"),
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(instead);
        from = at + c.len_utf8();
        escapes.get_or_insert(Escapes { at, fault, count: 0 }).count += 1;
    }
    if escapes.is_none() {
        return (Cow::Borrowed(text), None);
    }
    out.push_str(&text[from..]);
    (Cow::Owned(out), escapes)
}

/// Returns the length of the reference at the start of a text: one of the five predefined ones, or
/// a reference to a character that XML allows.
pub(super) fn reference_len(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let end = memchr::memchr(b';', &bytes[..bytes.len().min(12)])?;
    let name = text[..end].strip_prefix('&')?;
    let is_known = match name.strip_prefix('#') {
        Some(number) => {
            let (digits, radix) = match number.strip_prefix('x') {
                Some(digits) => (digits, 16),
                None => (number, 10),
            };
            let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let code = u32::from_str_radix(digits, radix).ok().filter(|_| is_number);
            code.and_then(char::from_u32).is_some_and(|c| !is_forbidden(c))
        }
        None => matches!(name, "amp" | "lt" | "gt" | "quot" | "apos"),
    };
    is_known.then_some(end + 1)
}

/// Returns whether an XML declaration is as strict readers require it (XML 1.0, 2.8).
pub(super) fn is_declaration_sound(declaration: &str) -> bool {
    let inside = declaration.strip_prefix("<?xml").and_then(|rest| rest.strip_suffix("?>"));
    let Some(mut rest) = inside else { return false };
    let mut from = 0;
    while !rest.trim_ascii().is_empty() {
        let next = rest.trim_ascii_start();
        let Some(attribute) = Attribute::read_in_declaration(next) else { return false };
        let number =
            ["version", "encoding", "standalone"].iter().position(|n| *n == attribute.name);
        let is_value = match number {
            Some(0) => attribute.value.starts_with("1."),
            Some(1) => attribute.value.starts_with(|c: char| c.is_ascii_alphabetic()),
            _ => matches!(attribute.value, "yes" | "no"),
        };
        let is_in_order = number.is_some_and(|number| number >= from && (number == 0 || from > 0));
        if next.len() == rest.len() || !is_in_order || !is_value {
            return false;
        }
        from = number.map_or(3, |number| number + 1);
        rest = &next[attribute.len..];
    }
    from > 0
}

impl<'e> Attribute<'e> {
    fn read_in_declaration(text: &'e str) -> Option<Self> {
        let name = &text[..name_len(text)];
        let value = text[name.len()..].trim_ascii_start().strip_prefix('=')?.trim_ascii_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let end = value[1..].find(quote)?;
        let len = text.len() - value.len() + end + 2;
        Some(Self { name, value: &value[1..1 + end], len, quote, is_odd: false })
    }
}

/// Returns whether a processing instruction has a target other than `xml`.
pub(super) fn is_instruction_sound(inside: &str) -> bool {
    let target = &inside[..name_len(inside)];
    let rest = &inside[target.len()..];
    !target.is_empty()
        && !target.eq_ignore_ascii_case("xml")
        && (rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_whitespace()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(inside: &str) -> (String, Vec<String>) {
        let (text, faults) = mend(&format!("<r>\n{inside}</r>"), "r", 10).unwrap();
        let text = text.strip_prefix("<r>\n").and_then(|text| text.strip_suffix("</r>"));
        (text.unwrap().to_owned(), faults)
    }

    #[test]
    fn each_fault_costs_as_little_as_possible() {
        for (text, right) in [
            ("<a n='x & y'/>", "<a n='x &amp; y'/>"),
            ("<a n='&eacute;'>&b;</a>", "<a n='&amp;eacute;'>&amp;b;</a>"),
            ("<a n='1 < 2'/>", "<a n='1 &lt; 2'/>"),
            ("<a n='\u{1}x'>\0</a>", "<a n='x'></a>"),
            ("<a n='1' n='1'/>", "<a n='1'/>"),
            ("<a n='1'm='1'/>", "<a n='1' m='1'/>"),
            ("<a n=1 m=\"2\"/>", "<a n=\"1\" m=\"2\"/>"),
            ("<a n\"1\"/>", "<a n=\"1\"/>"),
            ("<a n=1\"/>", "<a n=\"1\"/>"),
            ("<a n='1' n='2'><b/>x</a><b/>", "<b/>"),
            ("<a n='1/><b m='2'/><b/>", "<b m='2'/><b/>"),
            ("<a n/><b/>", "<b/>"),
            ("<a><b></a>", "<a><b/></a>"),
            ("<a/></b>", "<a/>"),
            ("<c d='1'><c d='2'/>", "<c d='1'></c><c d='2'/>"),
            ("<a></aa>", "<a></a>"),
            ("<a><ab<c d='1'>x</abc></a>", "<a><c d='1'>x</c></a>"),
            ("<c d='1/><c d='2'/>", "<c/><c d='2'/>"),
            (
                "<QualityLevel Bitrate='1' Bitrate='2'><a/></QualityLevel><a/>",
                "<QualityLevel/><a/>",
            ),
            ("<!-- a -- b --><a/>", "<a/>"),
            ("<?xml version='1.0'?><a/>", "<a/>"),
            ("x ]]> y < z", "x ]]&gt; y &lt; z"),
        ] {
            let (mended, faults) = mended(text);
            assert_eq!(mended, right, "{text}");
            assert!(faults[0].starts_with("line 2: "), "{text}: {faults:?}");
        }
    }

    #[test]
    fn what_is_around_the_root_goes() {
        for (text, right) in [
            ("<r/>junk", "<r/>"),
            ("<r/><r/><a", "<r/>"),
            ("<r></r>eam></r>\n", "<r></r>\n"),
            ("hello <r/>", "<r/>"),
            ("\0\0<?xml version='1.0'?><r/>", "<?xml version='1.0'?><r/>"),
            ("<?x y?><?xml version='1.0'?>\n<r/>", "<?x y?>\n<r/>"),
            ("<?xml encoding='utf-8'?><r/>", "<?xml version=\"1.0\" encoding=\"utf-8\"?><r/>"),
            ("<r><a/>", "<r><a/></r>"),
        ] {
            let (mended, faults) = mend(text, "r", 10).unwrap();
            assert_eq!((mended.as_str(), faults.is_empty()), (right, false), "{text}");
        }
        for text in ["", "junk", "<a/>", "<r", "<r><a>"] {
            assert_eq!(mend(text, "r", 10).filter(|(text, _)| text != "<r></r>"), None, "{text}");
        }
    }

    #[test]
    fn what_is_well_formed_stays_and_too_many_faults_are_not_mended() {
        let good = "<?xml version='1.0' encoding='utf-8'?>\n<r a = 'x>y'><!-- - --><b>&#x41;&lt;</b\n>\
                    <![CDATA[<&]]><?p?></r>\n<!-- z -->";
        assert_eq!(mend(good, "r", 10), Some((good.to_owned(), Vec::new())));
        assert!(mend(&format!("<r>{}</r>", "<".repeat(MOST_FAULTS + 1)), "r", 10).is_none());
        let unclosed = |count: usize| format!("<r>{}</r>", "<c>".repeat(count));
        assert!(mend(&unclosed(MOST_UNCLOSED), "r", 10).is_some());
        assert!(mend(&unclosed(MOST_UNCLOSED + 2), "r", 10).is_none());
        assert!(mend(&"<r>".repeat(20), "r", 10).is_none());
    }
}
