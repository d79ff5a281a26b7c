//! Which names are one name to people: letter case and Unicode's spellings aside.

use std::borrow::Cow;

/// A form that is equal for all names that differ only in letter case or in how Unicode writes them
/// (NFC and NFD, UAX #15). It is for comparison alone, and never opened.
///
/// Letters are compared in lower case, each by itself ([`char::to_lowercase`]). That is the rule of
/// NTFS but for a few letters: it takes `ς` and `σ` for one, for example. Without the feature `fs`
/// only letter case is set aside.
pub(crate) fn folded(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => name.to_ascii_lowercase().into(),
            false => name.into(),
        };
    }
    decomposed(&lower_case(&decomposed(name))).into()
}

fn lower_case(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(feature = "fs")]
fn decomposed(name: &str) -> String {
    use unicode_normalization::UnicodeNormalization;

    name.nfd().collect()
}

#[cfg(not(feature = "fs"))]
fn decomposed(name: &str) -> String {
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_is_set_aside() {
        assert_eq!(folded("Film 1.ISM"), "film 1.ism");
        assert!(matches!(folded("film.ism"), Cow::Borrowed("film.ism")));
        assert_eq!(folded("ÉTÉ.ism"), folded("été.ism"));
        assert_eq!(folded("ΣΑΣ"), folded("σασ"));
        assert_ne!(folded("film.ism"), folded("film2.ism"));
        assert_ne!(folded("ete.ism"), folded("été.ism"));
    }

    #[test]
    #[cfg(feature = "fs")]
    fn unicode_spellings_are_one_name_and_lookalikes_are_not() {
        assert_eq!(folded("\u{c9}t\u{e9}.ism"), folded("e\u{301}te\u{301}.ism"));
        // The sign for Angstrom is the letter; a full-width letter or a dot leader is another.
        assert_eq!(folded("\u{212b}"), folded("\u{e5}"));
        assert_ne!(folded("\u{ff41}"), folded("a"));
        assert_ne!(folded("\u{2024}"), folded("."));
    }
}
