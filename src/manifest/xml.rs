//! The one place that knows the XML library: a strict reader and a plain writer.
//!
//! The library accepts what an XML reader must not (two roots, text outside the root, unclosed
//! elements, control characters) and bounds nothing; this module does both.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader as Events;

use super::instruction::{is_declaration_sound, is_instruction_sound};
use super::names::fault_of_tag;
use super::plain_element::PlainElement;
use crate::base::{Error, ErrorKind, Limits, Place};

/// Walks a document element by element.
///
/// After [`child`](Self::child) gave an element, its own children, its [`text`](Self::text) or
/// [`skip`](Self::skip) must be taken before its next sibling.
pub(crate) struct Reader<'t> {
    text: &'t str,
    events: Events<&'t [u8]>,
    /// Bytes that were read past the library.
    passed: usize,
    depth: usize,
    max_depth: usize,
    max_attributes: usize,
}

/// A start tag.
pub(crate) struct Element<'t> {
    text: &'t str,
    tag: BytesStart<'t>,
    /// Offset of the tag.
    pub(crate) start: usize,
    max_attributes: usize,
}

/// An attribute of a start tag.
pub(crate) struct Attribute<'e> {
    /// As written, with its prefix.
    pub(crate) name: &'e str,
    /// With references resolved and white space normalised.
    pub(crate) value: Cow<'e, str>,
    /// Range of the value in the text, quotes not included.
    pub(super) span: Range<usize>,
}

impl<'t> Reader<'t> {
    /// Over a decoded document.
    ///
    /// # Errors
    /// [`ErrorKind::Xml`] when the text holds a character that XML does not allow.
    pub(crate) fn new(text: &'t str, limits: &Limits) -> Result<Self, Error> {
        if let Some(at) = forbidden(text) {
            return Err(xml_error(text, at, "", "a character that XML does not allow"));
        }
        let mut events = Events::from_str(text);
        let config = events.config_mut();
        config.expand_empty_elements = true;
        config.check_end_names = true;
        config.check_comments = true;
        let (max_depth, max_attributes) = (limits.xml_depth, limits.xml_attributes);
        Ok(Self { text, events, passed: 0, depth: 0, max_depth, max_attributes })
    }

    /// The root element, which must have this local name.
    pub(crate) fn root(&mut self, name: &str) -> Result<Element<'t>, Error> {
        let Some(root) = self.child()? else { return Err(self.error("no element at all")) };
        if root.name() != name {
            return Err(root.error(&format!("the root is `{}`, not `{name}`", root.name())));
        }
        Ok(root)
    }

    /// The next child of the element whose content is being read; `None` at its end.
    pub(super) fn child(&mut self) -> Result<Option<Element<'t>>, Error> {
        loop {
            match self.event()? {
                Part::Start(element) => return Ok(Some(element)),
                Part::End => return Ok(None),
                Part::Text(_) => {}
            }
        }
    }

    /// Returns the next part of the element whose content is being read, in document order.
    #[cfg(any(feature = "dash", feature = "hls", feature = "package"))]
    pub(crate) fn part(&mut self) -> Result<Part<'t>, Error> {
        self.event()
    }

    /// The text of the element just given, up to its end; children are skipped.
    pub(super) fn text(&mut self) -> Result<String, Error> {
        let mut text = String::new();
        loop {
            match self.event()? {
                Part::Start(_) => self.skip()?,
                Part::End => return Ok(text),
                Part::Text(part) => text.push_str(&part),
            }
        }
    }

    /// The rest of the element just given, up to its end.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        self.leave(self.depth - 1)
    }

    /// Returns the number of open elements.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Skips the rest of all elements beyond the first `depth` open ones.
    pub(super) fn leave(&mut self, depth: usize) -> Result<(), Error> {
        while self.depth > depth {
            self.event()?;
        }
        Ok(())
    }

    /// Returns what `make` makes of the next sibling of an element that was read to its end, if that
    /// is a plain one of this name: nearly all of a long manifest are chunks, and the library takes
    /// ten times as long for each. Anything else is left for [`child`](Self::child).
    pub(super) fn plain_sibling<T>(
        &mut self,
        name: &str,
        make: impl FnOnce(&PlainElement<'t>) -> Option<T>,
    ) -> Option<T> {
        let (element, len) = PlainElement::read(&self.text[self.position()..], name)?;
        let made = make(&element)?;
        let unread = self.events.get_mut();
        *unread = unread.get(len..)?;
        self.passed += len;
        Some(made)
    }

    /// After the root's end: nothing else may follow.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        match self.child()? {
            None => Ok(()),
            Some(element) => Err(element.error("a second root element")),
        }
    }

    /// Returns the offset of the next byte to be read.
    pub(crate) fn position(&self) -> usize {
        self.place_of(self.events.buffer_position())
    }

    fn place_of(&self, position: u64) -> usize {
        usize::try_from(position).map_or(self.text.len(), |position| position + self.passed)
    }

    fn event(&mut self) -> Result<Part<'t>, Error> {
        loop {
            let start = self.position();
            let event = self.events.read_event().map_err(|error| {
                let at = self.place_of(self.events.error_position());
                xml_error(self.text, at, "", &error.to_string())
            })?;
            match event {
                Event::Start(tag) => return self.start(tag, start).map(Part::Start),
                Event::End(_) => {
                    self.depth -= 1;
                    return Ok(Part::End);
                }
                Event::Text(text) if self.depth > 0 && ends_cdata(&text) => {
                    return Err(self.error("`]]>` in a text"));
                }
                Event::Text(text) if self.depth > 0 => return Ok(Part::Text(text.into_inner())),
                Event::Text(text) if text.trim().is_empty() => {}
                Event::Text(_) => return Err(self.error("text outside of the root element")),
                Event::CData(text) if self.depth > 0 => {
                    return Ok(Part::Text(text.into_inner()));
                }
                Event::GeneralRef(name) if self.depth > 0 => {
                    let resolved = resolve(&name).ok_or_else(|| {
                        self.error(&format!("the reference `&{};` stands for nothing", &*name))
                    })?;
                    return Ok(Part::Text(resolved.into()));
                }
                Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(self.error("text outside of the root element"));
                }
                // What it refers to is not fetched; what it defines could be anything.
                Event::DocType(text) if text.contains('[') => {
                    return Err(self.error("a document type definition"));
                }
                Event::DocType(_) if self.depth > 0 => {
                    return Err(self.error("a document type inside of an element"));
                }
                Event::Decl(_) if start > 0 => {
                    return Err(self.error("an XML declaration that is not at the start"));
                }
                Event::Decl(_) if !is_declaration_sound(&self.text[start..self.position()]) => {
                    return Err(self.error("an XML declaration that is not well-formed"));
                }
                Event::PI(inside) if !is_instruction_sound(&inside) => {
                    return Err(self.error("a processing instruction that is not well-formed"));
                }
                Event::Comment(inside) if inside.ends_with('-') => {
                    return Err(self.error("a comment that ends with `--->`"));
                }
                Event::Decl(_)
                | Event::DocType(_)
                | Event::Comment(_)
                | Event::PI(_)
                | Event::Empty(_) => {}
                Event::Eof if self.depth > 0 => return Err(self.error("an unclosed element")),
                Event::Eof => return Ok(Part::End),
            }
        }
    }

    fn start(&mut self, tag: BytesStart<'t>, start: usize) -> Result<Element<'t>, Error> {
        self.depth += 1;
        let element = Element { text: self.text, tag, start, max_attributes: self.max_attributes };
        let (found, limit) = (self.depth as u64, self.max_depth as u64);
        Limits::check("elements inside one another", found, limit)
            .map_err(|kind| element.failure(kind))?;
        if let Some(fault) = fault_of_tag(&element.tag) {
            return Err(element.error(fault));
        }
        Ok(element)
    }

    fn error(&self, what: &str) -> Error {
        xml_error(self.text, self.position(), "", what)
    }
}

/// A child, a text or the end of an element.
pub(crate) enum Part<'t> {
    Start(Element<'t>),
    /// Text with its references resolved; a text may come in several parts.
    Text(Cow<'t, str>),
    End,
}

impl<'t> Element<'t> {
    /// The name without its prefix.
    pub(crate) fn name(&self) -> &str {
        self.tag.local_name().into_inner()
    }

    /// Returns the prefix of the name; empty if the name has none.
    #[cfg(any(feature = "dash", feature = "hls", feature = "package"))]
    pub(crate) fn prefix(&self) -> &str {
        self.tag.name().prefix().map_or("", |prefix| prefix.into_inner())
    }

    /// The attributes in document order; none twice.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = Result<Attribute<'_>, Error>> {
        self.tag.attributes().enumerate().map(|(i, attribute)| {
            if i >= self.max_attributes {
                let (found, limit) = (i as u64 + 1, self.max_attributes as u64);
                let what = "attributes of one element";
                return Err(self.failure(ErrorKind::Budget { what, found, limit }));
            }
            let attribute = attribute.map_err(|error| self.error(&error.to_string()))?;
            if !is_name(attribute.key.into_inner()) {
                return Err(self.error("an attribute without a proper name"));
            }
            // The raw value is a part of the text: its place is the difference of two addresses.
            let at = attribute.value.as_ptr() as usize - self.text.as_ptr() as usize;
            let span = at..at + attribute.value.len();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| self.error(&error.to_string()))?;
            if matches!(value, Cow::Owned(_)) && forbidden(&value).is_some() {
                return Err(self.error("a character that XML does not allow"));
            }
            Ok(Attribute { name: attribute.key.into_inner(), value, span })
        })
    }

    /// An error in this element.
    pub(crate) fn error(&self, what: &str) -> Error {
        xml_error(self.text, self.start, self.name(), what)
    }

    /// Returns an error of this kind at the element.
    pub(crate) fn failure(&self, kind: ErrorKind) -> Error {
        Error { kind, ..self.error("") }
    }
}

/// Returns whether a text can name an attribute, as far as ASCII goes (XML 1.0, 2.3).
fn is_name(text: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..);
    let is_other =
        |byte: u8| is_first(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    text.bytes().next().is_some_and(is_first) && text.bytes().all(is_other)
}

/// Returns whether a text contains `]]>`, which is not allowed outside of CDATA (XML 1.0, 2.4).
fn ends_cdata(text: &str) -> bool {
    memchr::memchr_iter(b'>', text.as_bytes()).any(|at| text[..at].ends_with("]]"))
}

/// Returns the offset of the first character that no XML document may contain (XML 1.0, 2.2): a
/// control character, U+FFFE or U+FFFF.
fn forbidden(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let no_character = |at: &usize| matches!(bytes[*at..], [0xef, 0xbf, 0xbe | 0xbf, ..]);
    let control = bytes.iter().position(control);
    control.or_else(|| memchr::memchr_iter(0xef, bytes).find(no_character))
}

/// Returns the text that one of the five predefined references or a character reference stands for.
fn resolve(name: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if name.is_char_ref() {
        let text = String::from(name.resolve_char_ref().ok()??);
        return forbidden(&text).is_none().then_some(text);
    }
    quick_xml::escape::resolve_predefined_entity(name).map(Into::into)
}

fn xml_error(text: &str, at: usize, element: &str, what: &str) -> Error {
    let before = &text.as_bytes()[..at.min(text.len())];
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count() as u32;
    let place = Place::Xml { file: None, line, element: element.into() };
    Error { kind: ErrorKind::Xml(what.into()), place }
}

/// Puts a document together, with the library's escaping.
pub(crate) struct Writer {
    text: String,
    /// Offset of the tag that is being written.
    tag: usize,
    limit: u64,
}

impl Writer {
    /// Begins with the declaration. [`finish`](Self::finish) refuses more than `limit` bytes.
    pub(crate) fn new(limit: u64) -> Self {
        let text = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
        Self { text, tag: 0, limit }
    }

    /// `<name`, to be followed by attributes and [`children`](Self::children) or
    /// [`close`](Self::close).
    pub(crate) fn open(&mut self, name: &str) {
        self.tag = self.text.len();
        self.text.push('<');
        self.text.push_str(name);
    }

    /// ` name="value"`.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        self.name(name);
        self.push_escaped(value);
        self.text.push('"');
    }

    /// Writes an attribute, unless the tag has one of this name.
    pub(crate) fn attribute_once(&mut self, name: &str, value: &str) {
        let tag = &self.text[self.tag..];
        // No value holds a quote as it is: behind an even number of them, none is open.
        let is_outside = |at: usize| tag[..at].matches('"').count().is_multiple_of(2);
        let same = format!(" {name}=\"");
        if !tag.match_indices(&same).any(|(at, _)| is_outside(at)) {
            self.attribute(name, value);
        }
    }

    /// ` name="value"` in decimal digits.
    pub(crate) fn number(&mut self, name: &str, value: impl Into<u64>) {
        self.name(name);
        self.push_digits(value.into());
        self.text.push('"');
    }

    /// ` name="TRUE"`: upper case, because VLC compares exactly.
    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.attribute(name, if value { "TRUE" } else { "FALSE" });
    }

    /// Writes an attribute if there is a value.
    pub(crate) fn attribute_if(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.attribute(name, value.as_ref());
        }
    }

    /// Writes an attribute if there is a value.
    pub(crate) fn number_if(&mut self, name: &str, value: Option<impl Into<u64>>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    /// Writes an attribute if there is a value.
    pub(crate) fn boolean_if(&mut self, name: &str, value: Option<bool>) {
        if let Some(value) = value {
            self.boolean(name, value);
        }
    }

    /// `>` and a line's end: children follow.
    pub(crate) fn children(&mut self) {
        self.text.push_str(">\n");
    }

    /// `/>` and a line's end.
    pub(crate) fn close(&mut self) {
        self.text.push_str("/>\n");
    }

    /// `>text</name>` and a line's end.
    pub(crate) fn content(&mut self, text: &str, name: &str) {
        self.text.push('>');
        self.push_escaped(text);
        self.end(name);
    }

    /// `</name>` and a line's end.
    pub(crate) fn end(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push_str(">\n");
    }

    /// The document.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`] beyond the limit, [`ErrorKind::Invalid`] when a value holds a
    /// character that XML cannot.
    pub(crate) fn finish(self) -> Result<String, Error> {
        self.check()?;
        match forbidden(&self.text) {
            None => Ok(self.text),
            Some(_) => {
                let what = "a value holds a character that XML does not allow".into();
                Err(ErrorKind::Invalid { what, clause: "XML 1.0, 2.2" }.into())
            }
        }
    }

    /// Not beyond the limit yet: to be asked within long lists.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (found, limit) = (self.text.len() as u64, self.limit);
        Ok(Limits::check("bytes of a manifest", found, limit)?)
    }

    fn name(&mut self, name: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
    }

    fn push_escaped(&mut self, value: &str) {
        let escaped = escape(value);
        if escaped.bytes().any(|byte| matches!(byte, b'\t' | b'\n' | b'\r')) {
            // A reader would make spaces of them (XML 1.0, 3.3.3).
            for character in escaped.chars() {
                match character {
                    '\t' | '\n' | '\r' => {
                        self.text.push_str("&#");
                        self.push_digits(character.into());
                        self.text.push(';');
                    }
                    _ => self.text.push(character),
                }
            }
        } else {
            self.text.push_str(&escaped);
        }
    }

    fn push_digits(&mut self, value: u64) {
        self.text.push_str(itoa::Buffer::new().format(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads everything, as a list of `name attribute=value` and text.
    fn read(text: &str) -> Result<Vec<String>, Error> {
        fn walk(reader: &mut Reader<'_>, seen: &mut Vec<String>) -> Result<(), Error> {
            while let Some(element) = reader.child()? {
                let mut entry = element.name().to_owned();
                for attribute in element.attributes() {
                    let attribute = attribute?;
                    entry += &format!(" {}={}", attribute.name, attribute.value);
                }
                seen.push(entry);
                if element.name() == "text" {
                    seen.push(reader.text()?);
                } else {
                    walk(reader, seen)?;
                }
            }
            Ok(())
        }
        let mut reader = Reader::new(text, &Limits::default())?;
        reader.root("a")?;
        let mut seen = Vec::new();
        walk(&mut reader, &mut seen)?;
        reader.finish()?;
        Ok(seen)
    }

    #[test]
    fn a_document_is_walked_with_its_references_resolved() {
        let text = "<?xml version='1.0'?>\n<!-- x --><p:a xmlns:p='n'><b c='1 &lt; &#50;' d=\"\ne\"/>\
                    <text>x &amp;<i>no</i><![CDATA[<y>]]></text></p:a>\n";
        assert_eq!(read(text).unwrap(), ["b c=1 < 2 d= e", "text", "x &<y>"]);
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_line() {
        for (text, says) in [
            ("", "line 1: not well-formed XML: no element at all"),
            ("\n<b/>", "line 2, b: not well-formed XML: the root is `b`, not `a`"),
            ("<a><b></a>", "line 1: not well-formed XML:"),
            ("<a>\n<b>", "line 2: not well-formed XML: an unclosed element"),
            ("<a/>\n<a/>", "line 2, a: not well-formed XML: a second root element"),
            ("<a/>text", "text outside of the root element"),
            ("text<a/>", "text outside of the root element"),
            ("<a/></a>", "line 1: not well-formed XML:"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "a document type definition"),
            ("<a>&b;</a>", "the reference `&b;` stands for nothing"),
            ("<a><b c='&d;'/></a>", "line 1, b: not well-formed XML:"),
            ("<a><b c='1' c='2'/></a>", "line 1, b: not well-formed XML:"),
            ("<a><b c=1/></a>", "line 1, b: not well-formed XML:"),
            (
                "<a><b c;d='1'/></a>",
                "line 1, b: not well-formed XML: an attribute without a proper",
            ),
            ("<a><b 1='1'/></a>", "line 1, b: not well-formed XML: an attribute without a proper"),
            ("<a>\n\x01</a>", "line 2: not well-formed XML: a character that XML does not allow"),
            ("<a><b c='&#1;'/></a>", "a character that XML does not allow"),
            ("<a>\u{ffff}</a>", "a character that XML does not allow"),
            ("<a>&#xFFFE;</a>", "stands for nothing"),
            ("<a>&#1;</a>", "stands for nothing"),
            ("<a>]]></a>", "`]]>` in a text"),
            ("<a><b c='1'd='2'/></a>", "an attribute without a proper name, or without a space"),
            ("<a><b c='<'/></a>", "a `<` in a value"),
            ("<a><b c='x&y'/></a>", "a `&` that begins no reference"),
            ("<a><!-- - -- --></a>", "line 1"),
            ("<a><!-- ---></a>", "line 1"),
            ("<?xml encoding='utf-8'?><a/>", "an XML declaration that is not well-formed"),
            ("<a><?XML?></a>", "a processing instruction that is not well-formed"),
            ("<a><?xml version='1.0'?></a>", "an XML declaration that is not at the start"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text:?} gave {error:?}");
        }
    }

    #[test]
    fn depth_and_attributes_meet_their_budgets() {
        let deep = "<a>".repeat(65);
        let error = read(&deep).unwrap_err().to_string();
        assert!(error.ends_with("elements inside one another: 65 is more than the budget of 64"));
        let many: String = (0..257).map(|i| format!(" a{i}=''")).collect();
        let error = read(&format!("<a><b{many}/></a>")).unwrap_err().to_string();
        assert!(error.ends_with("attributes of one element: 257 is more than the budget of 256"));
    }

    #[test]
    fn what_is_written_reads_as_it_was_meant() {
        let mut writer = Writer::new(1000);
        writer.open("a");
        writer.children();
        writer.open("b");
        writer.attribute("c", "1 < \"2\" & '3'\n\té");
        writer.number("d", u64::MAX);
        writer.number("e", 0_u32);
        writer.boolean("f", true);
        writer.close();
        writer.open("text");
        writer.content("x<y", "text");
        writer.end("a");
        let text = writer.finish().unwrap();
        let b = format!("b c=1 < \"2\" & '3'\n\té d={} e=0 f=TRUE", u64::MAX);
        assert_eq!(read(&text).unwrap(), [b.as_str(), "text", "x<y"]);
    }

    #[test]
    fn a_value_that_xml_cannot_hold_is_refused_when_writing() {
        let mut writer = Writer::new(1000);
        writer.open("a");
        writer.attribute("b", "\u{1}");
        writer.close();
        assert!(writer.finish().unwrap_err().to_string().contains("XML does not allow"));
        let mut writer = Writer::new(50);
        writer.open("a-rather-long-name");
        assert!(writer.finish().unwrap_err().to_string().contains("budget of 50"));
    }
}
