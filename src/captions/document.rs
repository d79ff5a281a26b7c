//! A TTML document.

use super::cue::Cue;
use super::loss::Loss;
use super::reading::Reading;
use super::schedule::Schedule;
use super::seconds::Seconds;
use super::time_base::{TimeBase, Window};
use crate::base::{Error, Limits, Timescale};

/// The captions of a TTML document, and what could not be kept of them.
///
/// Reads the namespaces of 2006 and the present one, all time expressions but those of a wall clock,
/// nested and sequential times, styles and regions. Metadata and foreign elements are ignored.
///
/// Spec: W3C TTML1, and the parts of TTML2 that IMSC has.
#[derive(Debug)]
pub struct Document {
    schedule: Schedule,
    losses: Vec<Loss>,
}

impl Document {
    /// Reads the bytes of a document in UTF-8, UTF-16 or the encoding that it declares.
    ///
    /// # Errors
    /// - [`ErrorKind::Xml`](crate::base::ErrorKind::Xml) if the document is not well-formed, has a document
    ///   type definition, or if its root is not `tt`.
    /// - [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) beyond [`Limits::caption_document`],
    ///   [`Limits::caption_texts`], [`Limits::xml_depth`] or [`Limits::xml_attributes`].
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Reading::read(bytes, limits).map(|(schedule, losses)| Self { schedule, losses })
    }

    /// Returns the cues that are visible within a window, by start.
    ///
    /// Captions that are visible together at the same place become one cue per interval.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) beyond [`Limits::cues`] or
    /// [`Limits::caption_bytes`].
    pub fn cues(
        &self,
        base: TimeBase,
        window: &Window,
        limits: &Limits,
    ) -> Result<Vec<Cue>, Error> {
        self.schedule.cues(base, window, limits)
    }

    /// Returns the parts of the document that WebVTT cannot express: one entry per kind.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Returns whether the document shows nothing at any time.
    pub fn is_empty(&self) -> bool {
        self.schedule.runs.is_empty()
    }

    /// Returns begin and end of each piece of text.
    pub(super) fn times(&self) -> impl Iterator<Item = (Seconds, Option<Seconds>)> {
        self.schedule.runs.iter().map(|run| (run.begin, run.end))
    }
}

impl TimeBase {
    /// Decides the time base from the document of a fragment with this start and duration.
    ///
    /// Returns `None` if the document fits both: for the fragment at 0, for a document without captions,
    /// and if every caption would be visible in the fragment either way. Then another fragment of the
    /// track has to decide. Also returns `None` if captions contradict each other.
    pub fn of_document(document: &Document, chunk: &Window) -> Option<Self> {
        if chunk.start == 0 {
            return None;
        }
        let (mut relative, mut absolute) = (false, false);
        for (begin, end) in document.times() {
            let is_in = |from: u64, to: u64| is_visible(begin, end, chunk.timescale, from, to);
            let is_relative = is_in(0, chunk.duration);
            let is_absolute = is_in(chunk.start, chunk.end());
            // A caption that fits both says nothing.
            relative |= is_relative && !is_absolute;
            absolute |= is_absolute && !is_relative;
        }
        match (relative, absolute) {
            (true, false) => Some(Self::Fragment),
            (false, true) => Some(Self::Presentation),
            _ => None,
        }
    }
}

/// Returns whether a caption is visible between two times in ticks.
fn is_visible(begin: Seconds, end: Option<Seconds>, scale: Timescale, from: u64, to: u64) -> bool {
    let ticks = |time: Seconds| time.to_ticks(scale).unwrap_or(u64::MAX);
    ticks(begin) < to && end.is_none_or(|end| ticks(end) > from)
}
