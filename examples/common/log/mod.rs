//! The log: a line for each failure, with its time, its level and its cause, as text or as JSON, on
//! stderr or in a file.
//!
//! ```text
//!  log(level, message) ─┐
//!                       ├─► tracing ─► chosen (level) ─► form (text, JSON) ─► stderr, or a file
//!  the library's events ┘                                  ▲
//!                                               request ───┘ (the one that the thread works for)
//! ```

mod chosen;
mod file;
mod form;
mod request;

use std::error::Error;
use std::fmt::{self, Display};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Once};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

use crate::{Failure, Trouble, terminal};

use chosen::Chosen;
pub use chosen::{show, shows};
pub use file::{LogFile, reopen};
pub use form::Form;
pub use request::{RequestId, during};

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

/// Target of the lines of the server itself.
const OWN: &str = "server";

/// Target of the events of the library.
const LIBRARY: &str = "smooth_origin";

static STARTED: Once = Once::new();

/// Starts the log. Without it, the first line starts one: text on stderr.
///
/// # Errors
/// The file cannot be opened.
pub(crate) fn start(level: Level, form: Form, file: Option<&Path>) -> Result<(), Failure> {
    let place = match file {
        None => Place::Stderr,
        Some(path) => {
            Place::File(LogFile::open(path).map_err(|error| cannot_write("log", path, &error))?)
        }
    };
    show(level);
    install(form, place);
    Ok(())
}

/// Checks whether a file of a log could be opened, and makes none.
///
/// # Errors
/// It could not: the sentence calls it by this word.
pub fn check_file(path: &Path, word: &str) -> Result<(), Failure> {
    file::check(path).map_err(|error| cannot_write(word, path, &error))
}

/// A sentence about a file of a log that cannot be opened.
pub fn cannot_write(word: &str, path: &Path, error: &io::Error) -> Failure {
    let what = format!("cannot write the {word} {}", path.display());
    Failure::system(what, Trouble::of_new_file(path, error))
}

fn install(form: Form, place: Place) {
    STARTED.call_once(|| {
        let lines = tracing_subscriber::fmt::layer().event_format(form).with_writer(place);
        // No other part of this process installs one.
        let _ = tracing_subscriber::registry().with(Chosen).with(lines).try_init();
    });
}

/// Writes a line.
pub fn log(level: Level, message: impl Display) {
    install(Form::Text, Place::Stderr);
    match level {
        Level::Error => tracing::error!(target: OWN, "{message}"),
        Level::Warn => tracing::warn!(target: OWN, "{message}"),
        Level::Info => tracing::info!(target: OWN, "{message}"),
        Level::Debug => tracing::debug!(target: OWN, "{message}"),
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

/// The place of the lines.
enum Place {
    Stderr,
    File(Arc<LogFile>),
}

impl<'a> MakeWriter<'a> for Place {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// Takes whole lines. A full disk ends the log, never the process.
impl Write for &Place {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match self {
            Place::Stderr => terminal::error_line(String::from_utf8_lossy(line).trim_end()),
            Place::File(file) => drop(file.write(line)),
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
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
