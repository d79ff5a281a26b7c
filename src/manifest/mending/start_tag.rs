//! Start tags, each as it was meant.

use std::borrow::Cow;
use std::collections::HashMap;

use super::attribute::Attribute;
use super::escapes::{Escapes, escaped};

/// Up to this many attributes are compared one by one.
const FEW_ATTRIBUTES: usize = 16;

/// A start tag as it was meant, or the well-formed part of it.
pub(super) struct StartTag {
    /// The tag without its end, `>` or `/>`.
    pub(super) text: String,
    pub(super) is_empty: bool,
    /// True if it is not clear what was meant.
    pub(super) is_broken: bool,
    /// Bytes that the tag takes in the document.
    pub(super) len: usize,
    /// Bytes that were read to find that out.
    pub(super) read: usize,
    /// Descriptions of what was corrected, with positions in the tag.
    pub(super) faults: Vec<(usize, String)>,
    /// Number of corrections that no fault describes.
    pub(super) more_faults: usize,
}

impl StartTag {
    /// Reads the tag at the start of a text. If it has more attributes or faults than `most`, it is
    /// broken and has no length.
    pub(super) fn read(rest: &str, name: &str, most: usize) -> Self {
        let mut tag = Self {
            text: rest[..1 + name.len()].to_owned(),
            is_empty: false,
            is_broken: false,
            len: 0,
            read: 0,
            faults: Vec::new(),
            more_faults: 0,
        };
        let mut seen = Seen::default();
        let mut at = tag.text.len();
        loop {
            let space = rest[at..].len() - rest[at..].trim_ascii_start().len();
            let next = &rest[at + space..];
            tag.read = at + space;
            let end = if next.starts_with('>') { Some(1) } else { None };
            let end = end.or(next.starts_with("/>").then_some(2));
            if let Some(end) = end {
                tag.text.push_str(&rest[at..at + space]);
                (tag.is_empty, tag.len) = (end == 2, at + space + end);
                return tag;
            }
            let Some(attribute) = Attribute::read(next) else { return tag.broken(rest) };
            match seen.insert(attribute.name, attribute.value) {
                None => tag.push(&attribute, &rest[at..at + space], at + space, next),
                Some(first) => {
                    let Attribute { name, value, .. } = attribute;
                    let fault = match first == value {
                        true => format!("`{name}` is repeated: one is left out"),
                        false => format!("`{name}` is repeated: its first value is kept"),
                    };
                    tag.faults.push((at + space, fault));
                }
            }
            if seen.count.max(tag.faults.len()) > most {
                tag.is_broken = true;
                return tag;
            }
            at += space + attribute.len;
        }
    }

    /// Adds an attribute with the space before it. `stored` begins with the attribute.
    fn push(&mut self, attribute: &Attribute<'_>, space: &str, at: usize, stored: &str) {
        let Attribute { name, value, len, quote, is_odd } = *attribute;
        let (mended, fault) = escaped(value, true);
        if let Some(Escapes { fault, count, .. }) = fault {
            self.faults.push((at, format!("in `{name}`, {fault}")));
            self.more_faults += count - 1;
        }
        if space.is_empty() {
            self.faults.push((at, format!("a space is missing before `{name}`")));
            self.text.push(' ');
        }
        self.text.push_str(space);
        if is_odd {
            self.faults.push((at, format!("`{name}` is not written as name=\"value\"")));
            self.text.push_str(&format!("{name}={quote}{mended}{quote}"));
        } else if let Cow::Owned(mended) = &mended {
            self.text.push_str(&format!("{name}={quote}{mended}{quote}"));
        } else {
            self.text.push_str(&stored[..len]);
        }
    }

    fn broken(mut self, rest: &str) -> Self {
        self.len = broken_len(rest);
        let tag = &rest[..self.len];
        // A broken tag opens no element if it closes itself, or if it does not end.
        self.is_empty = tag.ends_with("/>") || !tag.ends_with('>');
        self.is_broken = true;
        self
    }
}

/// Attributes of a tag, by name.
#[derive(Default)]
struct Seen<'e> {
    first: Vec<(&'e str, &'e str)>,
    more: HashMap<&'e str, &'e str>,
    count: usize,
}

impl<'e> Seen<'e> {
    /// Adds an attribute. If there is one of this name already, keeps that and returns its value.
    fn insert(&mut self, name: &'e str, value: &'e str) -> Option<&'e str> {
        let first = self.first.iter().find(|(other, _)| *other == name);
        if let Some(&(_, value)) = first {
            return Some(value);
        }
        if self.first.len() < FEW_ATTRIBUTES {
            self.first.push((name, value));
        } else if let Some(value) = self.more.get(name) {
            return Some(value);
        } else {
            self.more.insert(name, value);
        }
        self.count += 1;
        None
    }
}

/// Returns the length of a tag whose quotes cannot be relied on.
pub(super) fn broken_len(text: &str) -> usize {
    match memchr::memchr2(b'<', b'>', &text.as_bytes()[1..]) {
        Some(at) => 1 + at + usize::from(text.as_bytes()[1 + at] == b'>'),
        None => text.len(),
    }
}
