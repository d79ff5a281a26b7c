//! Names of streams and tracks in findings.

use std::borrow::Cow;
use std::fmt;

use super::cut::cut;

/// A stream or a track, as a finding names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    pub(super) stream: &'a str,
    pub(super) bitrate: Option<u32>,
}

/// A track, for findings: `video at 1200000`.
pub(crate) fn label(stream: &str, bitrate: u32) -> Label<'_> {
    Label { stream, bitrate: Some(bitrate) }
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cut(self.stream))?;
        self.bitrate.map_or(Ok(()), |bitrate| write!(f, " at {bitrate}"))
    }
}

/// A thing that a finding can be about: a stream, by its name, or a track.
pub(crate) trait Labelled {
    fn label(&self) -> Label<'_>;
}

impl Labelled for str {
    fn label(&self) -> Label<'_> {
        Label { stream: self, bitrate: None }
    }
}

impl Labelled for String {
    fn label(&self) -> Label<'_> {
        self.as_str().label()
    }
}

impl Labelled for Cow<'_, str> {
    fn label(&self) -> Label<'_> {
        self.as_ref().label()
    }
}

impl Labelled for Label<'_> {
    fn label(&self) -> Label<'_> {
        *self
    }
}
