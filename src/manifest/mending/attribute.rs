//! Attributes of start tags, also if it is only clear what was meant.

use crate::manifest::names::{is_name_start, name_len};

/// An attribute of a start tag.
pub(super) struct Attribute<'e> {
    pub(super) name: &'e str,
    pub(super) value: &'e str,
    pub(super) len: usize,
    pub(super) quote: char,
    /// True if it lacks its `=` or a quote.
    pub(super) is_odd: bool,
}

impl<'e> Attribute<'e> {
    /// Reads the attribute at the start of a text, if it is clear what was meant.
    pub(super) fn read(text: &'e str) -> Option<Self> {
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
