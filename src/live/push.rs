//! A push that runs.

use std::sync::Arc;

use super::intake::Intake;

/// A push that runs.
pub(super) struct Push {
    pub(super) intake: Intake,
    /// Identifier of the event, as the URL has it.
    pub(super) event: Option<Arc<str>>,
    /// Identifier of the stream, as the URL has it.
    pub(super) stream: Arc<str>,
    pub(super) source: Source,
    /// The number of the event that it feeds, and of its feed there; `None` before its first header.
    pub(super) feed: Option<(u64, usize)>,
    /// The number of the newest event when it began.
    pub(super) begun_in: u64,
    /// Numbers of the tracks of its headers.
    pub(super) tracks: Vec<u32>,
}

/// The encoder and the stream of a push: pushes of one source go on with what earlier ones said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Source {
    /// In lower case.
    pub(super) event: Option<String>,
    /// In lower case.
    pub(super) stream: String,
    pub(super) encoder: Arc<str>,
}

impl Source {
    pub(super) fn new(event: Option<&str>, stream: &str, encoder: &str) -> Self {
        let event = event.map(str::to_lowercase);
        Self { event, stream: stream.to_lowercase(), encoder: encoder.into() }
    }
}
