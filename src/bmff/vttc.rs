//! `vttC`: how WebVTT cues are set up.

use bytes::Bytes;

use super::Content;
use crate::base::{Cursor, Error, Sink};

/// WebVTT configuration.
///
/// Spec: ISO/IEC 14496-30, 7.5.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VttC {
    /// Text above the first cue of the text file: `WEBVTT`, regions, styles.
    pub config: Bytes,
}

impl Content for VttC {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { config: body.rest() })
    }

    fn len(&self) -> u64 {
        self.config.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        sink.put(&self.config);
    }
}
