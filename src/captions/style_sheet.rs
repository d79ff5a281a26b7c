//! Styles and regions that the head of a document defines.

use std::collections::BTreeMap;

use super::style::Style;

/// Length of a chain of styles that refer to styles. What a longer chain adds is left out.
const CHAIN: usize = 16;

/// Named styles, which may refer to each other.
#[derive(Debug, Default)]
pub(super) struct StyleSheet {
    /// Not resolved yet: the style itself, and the names that it refers to.
    defined: BTreeMap<String, (Style, String)>,
    resolved: BTreeMap<String, Style>,
}

impl StyleSheet {
    /// Defines a style. The first of one name counts.
    pub(super) fn define(&mut self, name: String, style: Style, references: String) {
        self.defined.entry(name).or_insert((style, references));
    }

    /// Returns the styles that a list of names refers to, the last one on top, and whether all of them
    /// are defined.
    pub(super) fn referred(&mut self, names: &str) -> (Style, bool) {
        self.chain(names, CHAIN)
    }

    fn chain(&mut self, names: &str, left: usize) -> (Style, bool) {
        let mut style = Style::default();
        let mut are_defined = true;
        for name in names.split_ascii_whitespace() {
            match self.named(name, left) {
                Some(named) => style = named.over(style),
                None => are_defined = false,
            }
        }
        (style, are_defined)
    }

    fn named(&mut self, name: &str, left: usize) -> Option<Style> {
        if let Some(style) = self.resolved.get(name) {
            return Some(*style);
        }
        if left == 0 {
            return None;
        }
        // A style that is being resolved is not defined any more: a circle ends here.
        let (own, references) = self.defined.remove(name)?;
        let (base, _) = self.chain(&references, left - 1);
        let style = own.over(base);
        self.resolved.insert(name.to_owned(), style);
        Some(style)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn italic() -> Style {
        Style { is_italic: Some(true), ..Style::default() }
    }

    #[test]
    fn styles_are_chained_and_the_nearer_one_wins() {
        let mut sheet = StyleSheet::default();
        let bold = |is_bold| Style { is_bold: Some(is_bold), ..Style::default() };
        sheet.define("c".into(), Style::default(), "b a".into());
        sheet.define("a".into(), bold(true), String::new());
        sheet.define("b".into(), bold(false), "i".into());
        sheet.define("i".into(), italic(), String::new());
        sheet.define("i".into(), bold(true), String::new());
        let (style, are_defined) = sheet.referred("c");
        assert_eq!((style.is_bold, style.is_italic), (Some(true), Some(true)));
        assert!(are_defined);
        assert!(!sheet.referred("c x").1);
    }

    #[test]
    fn circles_and_long_chains_end() {
        let mut sheet = StyleSheet::default();
        sheet.define("a".into(), italic(), "b".into());
        sheet.define("b".into(), Style::default(), "a b".into());
        assert_eq!(sheet.referred("a").0.is_italic, Some(true));
        let mut sheet = StyleSheet::default();
        for n in 0..10_000 {
            sheet.define(n.to_string(), Style::default(), (n + 1).to_string());
        }
        sheet.define("10000".into(), italic(), String::new());
        assert_eq!(sheet.referred("0").0.is_italic, None);
        assert_eq!(sheet.referred("9999").0.is_italic, Some(true));
    }
}
