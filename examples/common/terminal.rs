//! The two output streams: lines on stdout and stderr, and on a terminal one status line that is
//! written over. A closed pipe or a full disk ends the output, never the process.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::plain::Plain;

/// The status line that stands on stderr; empty where there is none.
static STATUS: Mutex<String> = Mutex::new(String::new());

static HAS_TERMINAL: LazyLock<bool> = LazyLock::new(|| stderr().is_terminal());

/// Back to the start of the line, and erases it.
const ERASE: &str = "\r\x1b[K";

/// Writes a line to stderr, above the status line.
pub(crate) fn error_line(line: &str) {
    let status = lock();
    let text = match status.is_empty() {
        true => format!("{line}\n"),
        false => format!("{ERASE}{line}\n{status}"),
    };
    let _ = stderr().write_all(text.as_bytes());
}

/// Shows a status on stderr in place of the one before; nothing where stderr is no terminal.
pub(crate) fn show_status(text: String) {
    if *HAS_TERMINAL {
        let mut status = lock();
        *status = text;
        let _ = stderr().write_all(format!("{ERASE}{status}").as_bytes());
    }
}

/// Takes the status away.
pub(crate) fn hide_status() {
    let mut status = lock();
    if !status.is_empty() {
        status.clear();
        let _ = stderr().write_all(ERASE.as_bytes());
    }
}

/// Writes a line to stdout; `false` where nobody reads it.
///
/// Whoever does not read a pipe stops the thread that calls this, and no other.
#[must_use]
pub(crate) fn line(text: &str) -> bool {
    hide_status();
    let mut stdout = stdout().lock();
    writeln!(stdout, "{}", Plain(text)).and_then(|()| stdout.flush()).is_ok()
}

fn lock() -> MutexGuard<'static, String> {
    STATUS.lock().unwrap_or_else(PoisonError::into_inner)
}
