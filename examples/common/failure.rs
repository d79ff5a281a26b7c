//! Reason why an example does not start or ends early: a sentence and an exit status.

use std::fmt;
use std::process::ExitCode;

use crate::terminal;
use crate::trouble::without_numbers;

/// A sentence for the person who started the example.
pub enum Failure {
    /// The command line asks for something that makes no sense: exit status 2.
    Usage(String),
    /// The system refuses something: exit status 1.
    System(String),
}

impl Failure {
    /// For `map_err`: what failed, and the system's reason.
    pub fn system(what: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self::System(without_numbers(format!("{what}: {reason}")))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(sentence) | Self::System(sentence) => f.write_str(sentence),
        }
    }
}

/// Prints a failure on stderr; gives the exit status of the process.
pub fn exit_code(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    terminal::error_line(&format!("error: {failure}"));
    match failure {
        Failure::Usage(_) => {
            terminal::error_line("\nFor more information, try '--help'.");
            ExitCode::from(2)
        }
        Failure::System(_) => ExitCode::from(1),
    }
}
