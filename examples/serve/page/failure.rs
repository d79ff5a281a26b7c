//! A failure of the API: a status, a sentence, and what to do.

use http::StatusCode;
use serde::Serialize;
use smooth_origin::base::{Error, ErrorKind, FileId, Name, ReadErrorKind};
use smooth_origin::presentation::Presentation;

use super::answer::Answer;
use super::findings::FindingJson;

/// A failure of the API.
pub(super) struct Failure {
    status: StatusCode,
    body: Body,
}

#[derive(Serialize)]
struct Body {
    error: Sentence,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingJson>>,
}

#[derive(Serialize)]
struct Sentence {
    what: String,
    file: Option<String>,
    advice: Option<String>,
    clause: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, what: impl Into<String>) -> Self {
        let (what, file, advice, clause) = (what.into(), None, None, None);
        let error = Sentence { what, file, advice, clause };
        Self { status, body: Body { error, findings: None } }
    }

    /// A failure of the origin, in the presentation of a name.
    pub(super) fn of(
        error: &Error,
        name: Option<&Name>,
        presentation: Option<&Presentation>,
    ) -> Self {
        let status = StatusCode::from_u16(error.kind.status());
        let mut failure =
            Self::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), what(error));
        let files = presentation.map(Presentation::files).unwrap_or_default();
        let file = error.file().and_then(|id| match files.get(id.index()) {
            None if id == FileId::SERVER_MANIFEST => name,
            file => file,
        });
        let sentence = &mut failure.body.error;
        sentence.file = file.map(|file| file.as_str().to_owned());
        sentence.advice = advice(&error.kind).map(str::to_owned);
        sentence.clause = error.kind.clause();
        failure
    }

    /// Adds what to do.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.body.error.advice = Some(advice.into());
        self
    }

    /// Names the file.
    pub(super) fn in_file(mut self, file: &str) -> Self {
        self.body.error.file = Some(file.to_owned());
        self
    }

    /// Adds what opening noticed.
    pub(super) fn with_findings(mut self, findings: Vec<FindingJson>) -> Self {
        self.body.findings = Some(findings);
        self
    }

    pub(super) fn into_answer(self) -> Answer {
        Answer::json(self.status, &self.body)
    }
}

/// Returns what went wrong, in a sentence.
fn what(error: &Error) -> String {
    match error.kind {
        ErrorKind::NoPresentation => {
            "there is no presentation of this name, or it is not a regular file, or a link that is \
             not followed"
                .into()
        }
        _ => error.to_string(),
    }
}

/// Returns what to do about a failure.
fn advice(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NoPresentation => {
            "look for it in the list; links out of the served folder need --links-into"
        }
        ErrorKind::BadName(_) => "name it as the list does, with / between folders",
        ErrorKind::Busy(_) => "wait a moment and ask again",
        ErrorKind::Read(read) => match read.kind {
            ReadErrorKind::Unsettled { .. } => {
                "the file was written a moment ago: wait until it has settled, and ask again"
            }
            ReadErrorKind::Denied => "let the server's user read the file and its folder",
            ReadErrorKind::Gone => "copy the file there again",
            ReadErrorKind::Changed => "the file was replaced: ask again",
            _ => "look at the disk, and ask again",
        },
        ErrorKind::NothingToServe { .. } => {
            "name each track by a `video`, `audio` or `textstream` element, and look at the findings"
        }
        ErrorKind::Budget { .. } => "look at the file: it is larger than presentations are",
        ErrorKind::Xml(_) => "write the manifest again: it is not well-formed XML",
        ErrorKind::Invalid { .. } | ErrorKind::Missing { .. } | ErrorKind::Malformed(_) => {
            "make the file again, with the packager that made the others"
        }
        ErrorKind::Truncated { .. } => "copy the file again from its source: it is not whole",
        _ => return None,
    })
}
