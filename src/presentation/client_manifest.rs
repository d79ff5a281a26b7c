//! The client manifest of Smooth Streaming, as it is served.

use std::sync::OnceLock;

use bytes::Bytes;
use memchr::memmem;

use super::Validator;
use crate::base::{Error, ErrorKind, piece};
use crate::manifest::Layout;

/// The source of a presentation's manifest.
///
/// ```
/// use smooth_origin::presentation::ManifestSource;
/// # fn example(presentation: &smooth_origin::presentation::Presentation) {
/// if presentation.manifest_source() == ManifestSource::Generated {
///     println!("{} has no client manifest that fits its media", presentation.name());
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManifestSource {
    /// The stored client manifest, byte for byte.
    Stored,
    /// The stored client manifest, in another encoding, corrected, or without elements that have no
    /// media or are left out by [option](super::OpenOptions::without_event_streams).
    Mended,
    /// Made from the media.
    Generated,
}

/// Revision of what mends and generates manifests and cuts key frames: part of their validators.
pub(super) const GENERATOR: u8 = 2;

/// The client manifest of Smooth Streaming, as it is served.
#[derive(Debug)]
pub(super) struct ClientManifestText {
    /// The text, or the reason why nothing can be served. That of a live presentation is written when it
    /// is first asked for.
    text: OnceLock<Result<Bytes, ErrorKind>>,
    source: ManifestSource,
    /// The layout of a generated manifest.
    layout: Layout,
    has_repeats: OnceLock<bool>,
    /// True if event streams are left out.
    has_left_out: bool,
}

impl ClientManifestText {
    /// `layout` is that of generated manifests.
    pub(super) fn new(
        text: Result<Bytes, ErrorKind>,
        source: ManifestSource,
        layout: Layout,
    ) -> Self {
        Self { text: OnceLock::from(text), ..Self::later(source, layout) }
    }

    /// A manifest whose text is written when it is first asked for.
    pub(super) fn later(source: ManifestSource, layout: Layout) -> Self {
        let (text, has_repeats) = (OnceLock::new(), OnceLock::new());
        Self { text, source, layout, has_repeats, has_left_out: false }
    }

    /// Sets whether event streams are left out.
    pub(super) fn with_left_out(mut self, has_left_out: bool) -> Self {
        self.has_left_out = has_left_out;
        self
    }

    /// Returns the text. `write` writes it if there is none yet.
    ///
    /// # Errors
    /// The reason why nothing can be served.
    pub(super) fn text(
        &self,
        write: impl FnOnce() -> Result<Bytes, ErrorKind>,
    ) -> Result<&Bytes, Error> {
        self.text.get_or_init(write).as_ref().map_err(|kind| kind.clone().into())
    }

    /// The layout of a generated manifest.
    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns whether event streams are left out.
    pub(super) fn has_left_out(&self) -> bool {
        self.has_left_out
    }

    pub(super) fn source(&self) -> ManifestSource {
        self.source
    }

    /// Returns whether the text may have runs of chunks (`c@r`). It is looked through once.
    ///
    /// # Errors
    /// As [`text`](Self::text).
    pub(super) fn has_repeats(
        &self,
        write: impl FnOnce() -> Result<Bytes, ErrorKind>,
    ) -> Result<bool, Error> {
        let text = self.text(write)?;
        let find = || {
            // Text of two bytes per character is not looked through.
            let is_wide = text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff");
            let has = |name: &str| memmem::find(text, name.as_bytes()).is_some();
            is_wide || [" r=", "\tr=", "\nr=", " r ="].into_iter().any(has)
        };
        Ok(*self.has_repeats.get_or_init(find))
    }

    /// Returns the validator of the text. `content` is the hash of the files.
    pub(super) fn validator(&self, content: u128) -> Validator {
        let (revision, layout) = match self.source {
            ManifestSource::Stored => (0, Layout::Full),
            ManifestSource::Mended => (GENERATOR, Layout::Full),
            ManifestSource::Generated => (GENERATOR, self.layout),
        };
        let manifest = Validator::of_manifest(content, revision, layout);
        if self.has_left_out { manifest.without_event_streams() } else { manifest }
    }

    /// Bytes of memory that it takes outside of itself.
    pub(super) fn memory(&self) -> usize {
        let text = self.text.get().and_then(|text| text.as_ref().ok());
        text.map_or(0, |text| piece(text.len()))
    }
}
