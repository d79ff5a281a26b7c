//! An input of the packager.

use crate::base::Name;

/// A progressive or fragmented MP4 that is packaged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Input {
    /// Name for reading and for errors. Its place in the list of inputs is its
    /// [`FileId`](crate::base::FileId), from 0.
    pub name: Name,
    /// Language of its sound, as RFC 1766 writes it, in place of the one that the file says.
    pub language: Option<String>,
}

impl Input {
    /// A file whose sound has the language that the file says.
    pub fn new(name: Name) -> Self {
        Self { name, language: None }
    }

    /// Declares the language of its sound.
    #[must_use]
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = Some(language.into());
        self
    }
}
