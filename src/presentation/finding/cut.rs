//! Texts that are cut, because findings repeat them.

use std::borrow::Cow;

/// Longest text of a message that is kept, in bytes.
pub(crate) const LONGEST_MESSAGE: usize = 512;

/// Longest name of a file, stream or codec that a finding repeats, in bytes.
pub(super) const LONGEST_NAME: usize = 256;

/// A name out of a file, cut to what a finding repeats of it. It is cut before it becomes part of
/// a message: a long name that many findings repeat would otherwise be copied for each.
pub(crate) fn cut(name: &str) -> Cow<'_, str> {
    match name.len() <= LONGEST_NAME {
        true => name.into(),
        false => format!("{}…", &name[..floor(name, LONGEST_NAME - '…'.len_utf8())]).into(),
    }
}

/// A text of at most so many bytes, without spare room.
pub(crate) fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(floor(&text, most - '…'.len_utf8()));
        text.push('…');
    }
    text.shrink_to_fit();
    text
}

/// The last boundary of a character that is no later than `most` bytes.
fn floor(text: &str, most: usize) -> usize {
    (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}
