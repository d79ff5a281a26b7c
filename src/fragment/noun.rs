//! The four things that can be asked of a fragment.

use std::fmt;

/// The part of a fragment that a request asks for.
///
/// Spec: [MS-SSTR] 2.2.3. The set is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    /// `moof` and `mdat`, as stored.
    Fragments,
    /// The `moof` alone, as stored.
    FragmentInfo,
    /// The payload of the `mdat` alone, as stored.
    RawFragments,
    /// A fragment of those samples that can be decoded on their own.
    KeyFrames,
}

impl Noun {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Fragments, Self::FragmentInfo, Self::RawFragments, Self::KeyFrames];

    /// As URLs spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fragments => "Fragments",
            Self::FragmentInfo => "FragmentInfo",
            Self::RawFragments => "RawFragments",
            Self::KeyFrames => "KeyFrames",
        }
    }

    /// Reads a noun in any letter case, which mostly is the specification's.
    pub fn parse(text: &str) -> Option<Self> {
        let mut nouns = Self::ALL.into_iter();
        nouns
            .find(|noun| noun.as_str() == text)
            .or_else(|| Self::ALL.into_iter().find(|noun| noun.as_str().eq_ignore_ascii_case(text)))
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
