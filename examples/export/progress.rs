//! The progress of an export on standard error: a bar on a terminal, else a line now and then.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::error_line;
use indicatif::{
    HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

/// Time between two lines, if there is no terminal.
const LINE_EACH: Duration = Duration::from_secs(10);

/// The progress of an export.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Bytes of files that were written or compared.
    bytes: Arc<AtomicU64>,
    begun: Instant,
    /// Time of the last line; `None` on a terminal.
    line: Option<Instant>,
}

impl Progress {
    /// Shows the progress through this many files.
    pub(crate) fn new(files: u64) -> Self {
        let bytes = Arc::<AtomicU64>::default();
        let begun = Instant::now();
        let written = Arc::clone(&bytes);
        let rate = move |_: &ProgressState, text: &mut dyn Write| {
            // A rate that cannot be written is left out.
            let _ = write!(text, "{}", rate(written.load(Ordering::Relaxed), begun));
        };
        let template = "{wide_bar} {human_pos}/{human_len} files, {bytes_per_second}, {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
        let style = style.with_key("bytes_per_second", rate);
        let line = (!stderr().is_terminal()).then_some(begun);
        let bar = ProgressBar::with_draw_target(Some(files), ProgressDrawTarget::stderr());
        Self { bar: bar.with_style(style), bytes, begun, line }
    }

    /// Counts a file of this length, of which something was written or not.
    pub(crate) fn count(&mut self, length: u64, is_written: bool) {
        if is_written {
            self.bytes.fetch_add(length, Ordering::Relaxed);
        }
        self.bar.inc(1);
        if self.line.is_some_and(|line| line.elapsed() >= LINE_EACH) {
            self.line = Some(Instant::now());
            let (at, of) = (self.bar.position(), self.bar.length().unwrap_or(0));
            let rate = rate(self.bytes.load(Ordering::Relaxed), self.begun);
            let left = HumanDuration(self.bar.eta());
            error_line(&format!("{at} of {of} files, {rate}, {left} left"));
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn say(&self, text: &str) {
        self.bar.suspend(|| error_line(text));
    }

    /// Removes the bar and returns the bytes that were written.
    pub(crate) fn finish(self) -> u64 {
        self.bar.finish_and_clear();
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Returns a rate as text.
fn rate(bytes: u64, since: Instant) -> String {
    let seconds = since.elapsed().as_secs_f64().max(0.001);
    // A rate far beyond `u64` is cut by the conversion.
    format!("{}/s", HumanBytes((bytes as f64 / seconds) as u64))
}
