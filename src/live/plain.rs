//! Texts of encoders in the names of files.

/// Returns a text as a part of a file's name that no system reads in another way.
pub(super) fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let text: String = text.chars().map(|c| if is_plain(c) { c } else { '_' }).take(64).collect();
    if text.is_empty() { "_".to_owned() } else { text }
}
