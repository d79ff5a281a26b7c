//! The options of the log.

use std::path::PathBuf;

use clap::Args;

use crate::Failure;
use crate::log::{self, Form, Level};

/// The options of the log.
#[derive(Args)]
pub(crate) struct LogArguments {
    /// Lowest level of messages that are logged
    #[arg(long, default_value = "info", value_name = "LEVEL", value_enum)]
    log_level: Level,

    /// Log only errors, as with --log-level error
    #[arg(long, conflicts_with = "log_level")]
    quiet: bool,

    /// Form of the lines of the log: text for people, json for machines
    #[arg(long, default_value = "text", value_name = "FORM", value_enum)]
    log_format: Form,

    /// File to which the log is appended; SIGHUP opens it again, so that it can be rotated
    /// [default: stderr]
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

impl LogArguments {
    /// Starts the log.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn start(&self) -> Result<(), Failure> {
        log::start(self.level(), self.log_format, self.log_file.as_deref())
    }

    /// Checks whether the log could start. No file is made.
    ///
    /// # Errors
    /// The file could not be opened.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.log_file.as_deref().map_or(Ok(()), |file| log::check_file(file, "log"))
    }

    /// Returns the least important level that is logged.
    pub(crate) fn level(&self) -> Level {
        if self.quiet { Level::Error } else { self.log_level }
    }
}
