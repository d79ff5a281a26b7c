//! The beginning of an event.

use std::sync::Arc;

/// The beginning of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Began {
    /// Identifier of the event, as the encoders' URL has it.
    pub(crate) event: Option<Arc<str>>,
    pub(crate) number: u64,
    /// Wall time in nanoseconds since 1970.
    pub(crate) wall: u64,
}

impl Began {
    /// Returns the part of validators that tells the event from others. A process without an archive counts its events
    /// anew.
    pub(crate) fn epoch(&self) -> String {
        format!("{}/{}/{}", self.number, self.event.as_deref().unwrap_or_default(), self.wall)
    }
}
