//! Making an ill-formed document well-formed, with as few changes as possible.
//!
//! A document comes here only after the strict reader has refused it.

mod attribute;
mod closing_marks;
mod escapes;
mod start_tag;

use closing_marks::{ClosingMarks, Mark};
use escapes::{Escapes, escaped};
use start_tag::{StartTag, broken_len};

use super::characters::has_forbidden;
use super::instruction::{is_declaration_sound, is_instruction_sound};
use super::names::{is_name_start, name_len};

/// Maximum faults that are described, because each counts the lines before it.
const MOST_DESCRIBED: usize = 16;

/// Maximum faults; a document with more is not mended.
const MOST_FAULTS: usize = 1000;

/// Maximum elements without an end tag; a document with more is not mended, because each of them
/// moves the text after it.
const MOST_UNCLOSED: usize = 64;

/// Maximum bytes that are looked at beyond reading each once, as a multiple of the text: for the
/// marks that close something, and for start tags that prove to be broken far behind their end.
const MOST_LOOKED_AT: usize = 8;

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
    let mut mender = Mender::new(text, root);
    if mender.read(max_depth) { mender.finish() } else { None }
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
    marks: ClosingMarks<'t>,
    /// Number of bytes that are read again, because they were read as a part of a broken tag.
    read_again: usize,
}

/// An open element.
struct Open<'t> {
    name: &'t str,
    /// Position of its start tag in the text.
    at: usize,
    /// Position of the `>` of its start tag in the output.
    tag_end: usize,
}

impl<'t> Mender<'t> {
    fn new(text: &'t str, root: &'t str) -> Self {
        Self {
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
            marks: ClosingMarks::new(text),
            read_again: 0,
        }
    }

    /// Reads the text to its end. Returns `false` if it has too many faults.
    fn read(&mut self, max_depth: usize) -> bool {
        while self.at < self.text.len() {
            self.step();
            if self.faults > MOST_FAULTS
                || self.unclosed > MOST_UNCLOSED
                || self.open.len() > max_depth
                || self.looked_at() > MOST_LOOKED_AT * self.text.len()
            {
                return false;
            }
        }
        true
    }

    /// Returns the number of bytes that were looked at beyond reading each once.
    fn looked_at(&self) -> usize {
        self.marks.searched + self.read_again
    }

    fn step(&mut self) {
        let text = self.text;
        let rest = &text[self.at..];
        let markup = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        if markup > 0 {
            self.characters(&rest[..markup]);
            self.at += markup;
        } else if let Some(len) = self.enclosed("<!--", Mark::Comment) {
            let inside = &rest[4..len - 3];
            if inside.contains("--") || inside.ends_with('-') || has_forbidden(inside) {
                self.fault("a comment that is not well-formed is left out");
            } else {
                self.emit(&rest[..len]);
            }
            self.at += len;
        } else if let Some(len) = self.enclosed("<![CDATA[", Mark::CData) {
            if self.open.is_empty() || has_forbidden(&rest[..len]) {
                self.fault("a CDATA section that cannot be here is left out");
            } else {
                self.emit(&rest[..len]);
            }
            self.at += len;
        } else if let Some(len) = self.enclosed("<!DOCTYPE", Mark::DocumentType) {
            self.fault("a document type is left out");
            // Its internal subset ends with `]` and `>`.
            let has_subset = rest[..len].contains('[');
            let subset = has_subset.then(|| self.marks.end(Mark::Subset, self.at)).flatten();
            self.at = subset.unwrap_or(self.at + len);
        } else if let Some(len) = self.enclosed("<?", Mark::Instruction) {
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

    /// Returns the length of the next part if it starts with `begin` and ends with a mark.
    fn enclosed(&mut self, begin: &str, mark: Mark) -> Option<usize> {
        if !self.text[self.at..].starts_with(begin) {
            return None;
        }
        Some(self.marks.end(mark, self.at + begin.len())? - self.at)
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
        let mut tag = StartTag::read(rest, name, MOST_FAULTS);
        if tag.len == 0 {
            self.faults = usize::MAX / 2;
            return;
        }
        let is_broken = tag.is_broken;
        self.read_again += tag.read.saturating_sub(tag.len);
        self.faults += tag.more_faults;
        if !is_broken {
            for (at, fault) in &tag.faults {
                self.fault_at(self.at + at, fault);
            }
        } else if is_root {
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
        self.faults += 1;
        // An element that is left out was described as a whole.
        if self.cut.is_none() && self.described.len() < MOST_DESCRIBED {
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

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests;
