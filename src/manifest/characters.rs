//! Characters and references that a document can contain (XML 1.0, 2.2 and 4.1).

/// Returns whether XML does not allow a character, neither as it is nor as a reference.
pub(super) fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

pub(super) fn has_forbidden(text: &str) -> bool {
    text.contains(is_forbidden)
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
