//! Names of elements and attributes, and the tags that they form (XML 1.0, 2.3 and 3.1).

use std::collections::HashSet;

use super::characters::reference_len;

/// Up to this many attributes are compared one by one.
const FEW_ATTRIBUTES: usize = 16;

/// Returns the length of the name at the start of a text.
pub(super) fn name_len(text: &str) -> usize {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    if letters == 0 && !text.starts_with(is_name_start) {
        return 0;
    }
    let rest = &text[letters..];
    // Nearly all names consist of letters alone.
    if rest.starts_with(['=', ' ', '>']) {
        return letters;
    }
    letters + rest.find(|c| !is_name_character(c)).unwrap_or(rest.len())
}

/// Returns whether a name can begin with this character.
pub(super) fn is_name_start(c: char) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '_' | ':' => true,
        '\0'..='\x7f' => false,
        _ => matches!(c,
            '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
            | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}' | '\u{200d}'
            | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
            | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}'),
    }
}

fn is_name_character(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}' | '\u{2040}')
}

/// Returns the fault of a start tag, given without `<` and `>`, that the XML library accepts but
/// strict readers do not.
pub(super) fn fault_of_tag(tag: &str) -> Option<&'static str> {
    let bytes = tag.as_bytes();
    let mut at = name_len(tag);
    if at == 0 {
        return Some("an element without a proper name");
    }
    let mut seen = [""; FEW_ATTRIBUTES];
    let mut more: Option<HashSet<&str>> = None;
    for number in 0.. {
        let space = bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        at += space;
        if at == bytes.len() {
            return None;
        }
        let name = name_len(&tag[at..]);
        if name == 0 || space == 0 {
            return Some("an attribute without a proper name, or without a space before it");
        }
        let this = &tag[at..at + name];
        let is_twice = match seen.get_mut(number) {
            Some(place) => {
                *place = this;
                seen[..number].contains(&this)
            }
            None => seen.contains(&this) || !more.get_or_insert_default().insert(this),
        };
        if is_twice {
            return Some("a repeated attribute");
        }
        let is_space = |byte: &&u8| byte.is_ascii_whitespace();
        at += name;
        at += bytes[at..].iter().take_while(is_space).count();
        if bytes.get(at).is_some_and(|byte| !byte.is_ascii_alphanumeric() && *byte != b'=') {
            return Some("an attribute without a proper name");
        }
        if bytes.get(at) != Some(&b'=') {
            return Some("an attribute without a value");
        }
        at += 1;
        at += bytes[at..].iter().take_while(is_space).count();
        let quote = bytes.get(at).filter(|&&byte| matches!(byte, b'"' | b'\''));
        let Some(&quote) = quote else { return Some("a value without quotes") };
        at += 1;
        let Some(len) = memchr::memchr(quote, &bytes[at..]) else {
            return Some("a value without its closing quote");
        };
        let value = &tag[at..at + len];
        for special in memchr::memchr2_iter(b'<', b'&', value.as_bytes()) {
            let special = &value[special..];
            if special.starts_with('<') {
                return Some("a `<` in a value");
            } else if reference_len(special).is_none() {
                return Some(match special.starts_with("&#") {
                    true => "a character that XML does not allow",
                    false => "a `&` that begins no reference",
                });
            }
        }
        at += len + 1;
    }
    None
}
