//! Characters that text or attribute values cannot contain, and what is served in their place.

use std::borrow::Cow;

use crate::manifest::characters::{is_forbidden, reference_len};

/// Characters that were escaped or removed in a text.
pub(super) struct Escapes {
    /// Position of the first one.
    pub(super) at: usize,
    pub(super) fault: &'static str,
    pub(super) count: usize,
}

/// Escapes or removes characters that text, or an attribute value, cannot contain.
pub(super) fn escaped(text: &str, is_value: bool) -> (Cow<'_, str>, Option<Escapes>) {
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
