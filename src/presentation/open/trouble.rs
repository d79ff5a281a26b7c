//! Reasons why a file or a track is not served.

use std::sync::Arc;

use crate::base::{Error, ErrorKind, Limits, ReadError, ReadErrorKind};
use crate::presentation::finding::{Finding, FindingCode, LONGEST_MESSAGE, shortened};
use crate::presentation::stream::Absent;

/// A reason why a file or a track is not served.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) code: FindingCode,
    pub(super) message: String,
    /// The answer to requests.
    pub(super) absent: Absent,
    /// The failure that the message reports.
    pub(super) cause: Option<Arc<Error>>,
}

impl Trouble {
    pub(super) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        // It is repeated for each track of the file.
        let message = shortened(message.into(), LONGEST_MESSAGE);
        Self { code, message, absent: Absent::Missing, cause: None }
    }

    pub(super) fn not_sliceable(code: FindingCode, why: &'static str) -> Self {
        Self { code, message: why.into(), absent: Absent::NotSliceable(why), cause: None }
    }

    pub(super) fn of(code: FindingCode, error: &Error) -> Self {
        let trouble = match error.kind {
            ErrorKind::NotSliceable(why) => Self::not_sliceable(FindingCode::NotSliceable, why),
            _ => Self::new(code, error.to_string()),
        };
        trouble.because(error.clone())
    }

    /// The headers and indexes of the files need more bytes than a budget allows.
    pub(super) fn beyond_budget(limits: &Limits) -> Self {
        let limit = limits.opening;
        let message = format!(
            "with the files before it, its header and index need more than the budget (`opening`) of {limit} bytes"
        );
        Self::new(FindingCode::BudgetExceeded, message)
    }

    /// The storage does not give the file, or not now.
    pub(super) fn unreadable(error: &ReadError) -> Self {
        let code = match error.kind {
            ReadErrorKind::Gone => FindingCode::FileMissing,
            _ => FindingCode::FileUnreadable,
        };
        let absent = match error.kind {
            ReadErrorKind::Gone | ReadErrorKind::Denied => Absent::Missing,
            ReadErrorKind::Changed | ReadErrorKind::Unsettled { .. } | ReadErrorKind::Transient => {
                Absent::Unreadable
            }
        };
        let trouble = Self { absent, ..Self::new(code, error.to_string()) };
        match error.kind {
            // The code says it all, and any number of files can be missing.
            ReadErrorKind::Gone => trouble,
            _ => trouble.because(Error::from(error.clone())),
        }
    }

    /// Keeps the failure that the message reports.
    pub(super) fn because(mut self, cause: impl Into<Arc<Error>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Returns the finding that reports it about this file.
    pub(super) fn finding(&self, file: &str) -> Finding {
        let finding = Finding::new(self.code, self.message.clone()).in_file(file);
        match &self.cause {
            Some(cause) => finding.because(cause.clone()),
            None => finding,
        }
    }
}
