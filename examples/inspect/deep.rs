//! Looking at every fragment of a presentation, with a progress bar.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use smooth_origin::base::Error;
use smooth_origin::origin::{Opened, block_on};
use smooth_origin::presentation::{Finding, Looked, Survey};

/// The part of each presentation that is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Only the fragments that opening looks at: the first and the last one of each track.
    Ends,
    /// Every fragment.
    All {
        /// Draws a progress bar if standard error is a terminal.
        has_bar: bool,
        /// Keeps the size of each fragment, for `--timeline`.
        is_recorded: bool,
    },
}

impl Depth {
    /// Looks at a presentation that was opened from `path`.
    ///
    /// # Errors
    /// As [`Opened::survey`].
    pub(crate) fn look(self, opened: &Arc<Opened>, path: &Path) -> Result<Seen, Error> {
        let Self::All { has_bar, is_recorded } = self else {
            return Ok(Seen { findings: opened.presentation().findings(), looked: Vec::new() });
        };
        let mut survey = Survey::new(opened.presentation());
        if is_recorded {
            survey = survey.recording();
        }
        let bar = bar(survey.fragments(), path, has_bar);
        while !survey.is_over() {
            survey = block_on(opened.survey(survey))?;
            bar.set_position(survey.looked_at());
        }
        // The report goes to the same terminal, so the bar is removed first.
        bar.finish_and_clear();
        Ok(Seen { findings: survey.findings(), looked: survey.take_looked() })
    }
}

/// The result of looking at a presentation.
pub(crate) struct Seen {
    pub(crate) findings: Vec<Finding>,
    /// The fragments that were looked at, if they are recorded.
    pub(crate) looked: Vec<Looked>,
}

/// Creates a progress bar with count, rate and remaining time. It is hidden unless standard error
/// is a terminal.
pub(crate) fn bar(fragments: u64, path: &Path, is_wanted: bool) -> ProgressBar {
    let target = match is_wanted {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let template = "{msg} {wide_bar} {human_pos}/{human_len} fragments, {rate}/s, {eta} left";
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        // A rate that cannot be written is left out.
        let _ = write!(text, "{:.0}", state.per_sec());
    };
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    let style = style.with_key("rate", rate);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Names are untrusted: control characters must not reach the terminal.
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    ProgressBar::with_draw_target(Some(fragments), target).with_style(style).with_message(name)
}
