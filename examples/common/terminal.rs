//! The two output streams: lines on stdout and stderr, and on a terminal one status line that is
//! overwritten. A closed pipe or a full disk ends the output, never the process.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::plain::Plain;

/// The status line that stands on stderr.
static STATUS: Mutex<Status> = Mutex::new(Status { text: String::new(), written: None });

struct Status {
    /// Empty where there is none.
    text: String,
    written: Option<Instant>,
}

/// Shortest time between two statuses.
const STATUS_EACH: Duration = Duration::from_millis(100);

static IS_TERMINAL: LazyLock<(bool, bool)> =
    LazyLock::new(|| (stdout().is_terminal(), stderr().is_terminal()));

/// Back to the start of the line, and erases it.
const ERASE: &str = "\r\x1b[K";

/// Writes a line to stderr, above the status line.
pub fn error_line(line: &str) {
    let status = lock();
    let text = match status.text.is_empty() {
        true => format!("{line}\n"),
        false => format!("{ERASE}{line}\n{}", status.text),
    };
    let _ = stderr().write_all(text.as_bytes());
}

/// Shows a status on stderr in place of the one before. Does nothing if stderr is not a terminal, or
/// if the one before is newer than [`STATUS_EACH`].
pub fn show_status(text: impl FnOnce() -> String) {
    if !IS_TERMINAL.1 {
        return;
    }
    let mut status = lock();
    if status.written.is_none_or(|written| written.elapsed() >= STATUS_EACH) {
        *status = Status { text: text(), written: Some(Instant::now()) };
        let _ = stderr().write_all(format!("{ERASE}{}", status.text).as_bytes());
    }
}

/// Takes the status away.
pub fn hide_status() {
    let mut status = lock();
    if !status.text.is_empty() {
        status.text.clear();
        let _ = stderr().write_all(ERASE.as_bytes());
    }
}

/// Writes a line to stdout; `false` if nobody reads it.
///
/// A pipe that is full blocks the calling thread, and no other.
#[must_use]
pub fn line(text: &str) -> bool {
    // The status stands on the same terminal.
    if IS_TERMINAL.0 {
        hide_status();
    }
    let mut stdout = stdout().lock();
    writeln!(stdout, "{}", Plain(text)).and_then(|()| stdout.flush()).is_ok()
}

fn lock() -> MutexGuard<'static, Status> {
    STATUS.lock().unwrap_or_else(PoisonError::into_inner)
}
