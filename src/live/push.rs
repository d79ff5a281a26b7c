//! A push that runs.

use std::sync::Arc;

use super::intake::Intake;
use super::moment::Duration;
use crate::base::Error;
use crate::manifest::StreamManifest;

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
    /// Numbers of the tracks of its headers, and of its fragments.
    pub(super) tracks: Vec<u32>,
    /// The last time at which bytes of it came.
    pub(super) heard: Duration,
    /// The streams that it announced before it was part of an event.
    pub(super) announced: Option<StreamManifest>,
    /// The first part behind its first header that could not be used.
    pub(super) refused: Option<Error>,
    /// A fragment of it was used.
    pub(super) has_fragments: bool,
}

impl Push {
    /// The reason why none of its fragments was used, if it brought something that could not be. Its header is known
    /// even so.
    pub(super) fn failure(&mut self) -> Option<Error> {
        self.refused.take_if(|_| !self.has_fragments)
    }
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
