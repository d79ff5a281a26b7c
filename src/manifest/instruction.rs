//! The XML declaration and processing instructions (XML 1.0, 2.6 and 2.8).

use super::names::name_len;

/// Returns whether an XML declaration is as strict readers require it (XML 1.0, 2.8).
pub(super) fn is_declaration_sound(declaration: &str) -> bool {
    let inside = declaration.strip_prefix("<?xml").and_then(|rest| rest.strip_suffix("?>"));
    let Some(mut rest) = inside else { return false };
    let mut from = 0;
    while !rest.trim_ascii().is_empty() {
        let next = rest.trim_ascii_start();
        let Some(attribute) = Attribute::read(next) else { return false };
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

/// An attribute of a declaration.
struct Attribute<'e> {
    name: &'e str,
    value: &'e str,
    len: usize,
}

impl<'e> Attribute<'e> {
    fn read(text: &'e str) -> Option<Self> {
        let name = &text[..name_len(text)];
        let value = text[name.len()..].trim_ascii_start().strip_prefix('=')?.trim_ascii_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let end = value[1..].find(quote)?;
        let len = text.len() - value.len() + end + 2;
        Some(Self { name, value: &value[1..1 + end], len })
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
