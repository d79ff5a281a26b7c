//! The log: a line on stderr for each failure, with its time, its level and its cause.

use std::error::Error;
use std::fmt::{self, Display};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

use crate::plain::Plain;
use crate::terminal;

/// The weight of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Level {
    /// A presentation or a request cannot be served
    Error,
    /// A part of a presentation is not served, or something may need attention
    Warn,
    /// Work of the server
    Info,
    /// Failures of single connections, and presentations that were opened
    Debug,
}

/// The least important level that is shown.
static SHOWN: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Shows lines of this level and of all that matter more; default [`Level::Info`].
pub fn show(level: Level) {
    SHOWN.store(level as u8, Ordering::Relaxed);
}

/// Returns whether lines of this level are shown.
pub fn shows(level: Level) -> bool {
    level as u8 <= SHOWN.load(Ordering::Relaxed)
}

/// Writes a line.
pub fn log(level: Level, message: impl Display) {
    if shows(level) {
        let now = humantime::format_rfc3339_millis(SystemTime::now());
        terminal::error_line(&format!("{now} {level:<5} {}", Plain(message)));
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

/// An error and what caused it: `error writing a body: Broken pipe (os error 32)`.
pub struct WithCauses<'a>(pub &'a dyn Error);

impl Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            // Some errors say what their cause says.
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            (said, cause) = (text, error.source());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_ordered_and_padded() {
        assert!(Level::Error < Level::Warn && Level::Info < Level::Debug);
        assert_eq!(format!("{:<5}|", Level::Warn), "warn |");
    }
}
