//! Cues from timed pieces of text.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::cue::{Cue, CueSettings};
use super::markup::{Look, Markup};
use super::seconds::Seconds;
use super::time_base::{TimeBase, Window};
use crate::base::{Error, Limits};

/// A piece of text, or a line break, with its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) begin: Seconds,
    /// `None` if nothing in the document ends it.
    pub(super) end: Option<Seconds>,
    /// Number of the paragraph that it belongs to.
    pub(super) paragraph: u32,
    /// Number of the place at which it is shown.
    pub(super) place: u32,
    pub(super) content: Content,
}

/// Content of a [`Run`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Break,
    Text {
        /// Start of the text among the texts of the document, in bytes.
        from: usize,
        /// End of the text.
        to: usize,
        look: Look,
        is_preserved: bool,
    },
}

impl Run {
    /// Bytes of the text; a line break counts as one.
    fn len(&self) -> u64 {
        match self.content {
            Content::Break => 1,
            Content::Text { from, to, .. } => (to - from) as u64,
        }
    }
}

/// The runs of a document, in document order.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    pub(super) runs: Vec<Run>,
    pub(super) texts: String,
    /// Settings by the number of the place.
    pub(super) places: Vec<CueSettings>,
}

/// A run that starts or ends at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    place: u32,
    at: u64,
    run: usize,
    is_start: bool,
}

impl Schedule {
    /// Returns the cues that are visible within a window, by start and place.
    ///
    /// At one place, everything that is visible at a time is one cue, in document order: WebVTT
    /// would stack cues that overlap from the bottom, so that a later line is above an earlier one.
    ///
    /// # Errors
    /// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget).
    pub(super) fn cues(
        &self,
        base: TimeBase,
        window: &Window,
        limits: &Limits,
    ) -> Result<Vec<Cue>, Error> {
        let changes = self.changes(base.origin(window), window);
        let mut cues = Vec::new();
        let mut visible = BTreeSet::new();
        // Bytes of the texts that are visible, and those that were put together so far: white space
        // costs time and leaves no trace in the output.
        let (mut visible_len, mut work, mut bytes) = (0, 0, 0);
        let mut changes = changes.iter().peekable();
        while let Some(change) = changes.next() {
            let len = self.runs.get(change.run).map_or(0, Run::len);
            if change.is_start {
                visible.insert(change.run);
                visible_len += len;
            } else {
                visible.remove(&change.run);
                visible_len -= len;
            }
            // A run ends at its own place: nothing is visible behind the last change of a place.
            let Some(next) = changes.peek().filter(|next| next.place == change.place) else {
                continue;
            };
            let (whole_start, whole_end) = (change.at, next.at);
            let (start, end) = (whole_start.max(window.start), whole_end.min(window.end()));
            if whole_start == whole_end || start >= end || visible.is_empty() {
                continue;
            }
            work += visible_len;
            Limits::check("bytes of texts that are visible together", work, limits.caption_bytes)?;
            let text = self.text(&visible);
            if text.is_empty() {
                continue;
            }
            bytes += text.len() as u64;
            Limits::check("bytes of captions", bytes, limits.caption_bytes)?;
            Limits::check("cues", cues.len() as u64 + 1, limits.cues as u64)?;
            let settings = self.places.get(change.place as usize).copied().unwrap_or_default();
            cues.push(Cue { start, end, whole_start, whole_end, settings, text });
        }
        // The order of a WebVTT track (WebVTT, 3.1): the longer cue first.
        cues.sort_by_key(|cue| (cue.whole_start, Reverse(cue.whole_end)));
        Ok(cues)
    }

    /// Returns the starts and ends of all runs in order of place and time.
    fn changes(&self, origin: u64, window: &Window) -> Vec<Change> {
        let mut changes = Vec::with_capacity(2 * self.runs.len());
        let ticks = |time: Seconds| time.to_ticks(window.timescale)?.checked_add(origin);
        for (run, &Run { begin, end, place, .. }) in self.runs.iter().enumerate() {
            let Some(begin) = ticks(begin) else { continue };
            // What does not end is visible up to the end of the window.
            let end = end.and_then(ticks).unwrap_or_else(|| window.end().max(begin));
            if begin < end {
                changes.push(Change { place, at: begin, run, is_start: true });
                changes.push(Change { place, at: end, run, is_start: false });
            }
        }
        changes.sort_unstable();
        changes
    }

    fn text(&self, visible: &BTreeSet<usize>) -> String {
        let mut markup = Markup::default();
        let mut paragraph = None;
        for run in visible.iter().filter_map(|&run| self.runs.get(run)) {
            if paragraph.replace(run.paragraph).is_some_and(|before| before != run.paragraph) {
                markup.end_paragraph();
            }
            match run.content {
                Content::Break => markup.line_break(),
                Content::Text { from, to, look, is_preserved } => {
                    let text = self.texts.get(from..to).unwrap_or_default();
                    markup.push(text, look, is_preserved);
                }
            }
        }
        markup.finish()
    }
}

/// Numbers places in the order in which they appear.
#[derive(Debug, Default)]
pub(super) struct Places {
    numbers: BTreeMap<CueSettings, u32>,
}

impl Places {
    pub(super) fn number(&mut self, settings: CueSettings, places: &mut Vec<CueSettings>) -> u32 {
        *self.numbers.entry(settings).or_insert_with(|| {
            places.push(settings);
            places.len() as u32 - 1
        })
    }
}
