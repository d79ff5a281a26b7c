//! Counts of things in messages.

use std::fmt;

/// A count with its noun: `1 fragment`, `2 fragments`.
///
/// The plural of the noun ends in `s`.
pub(crate) struct Counted(pub(crate) usize, pub(crate) &'static str);

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, noun) = self;
        let ending = if *count == 1 { "" } else { "s" };
        write!(f, "{count} {noun}{ending}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let said = [0, 1, 2].map(|count| Counted(count, "chunk").to_string());
        assert_eq!(said, ["0 chunks", "1 chunk", "2 chunks"]);
    }
}
