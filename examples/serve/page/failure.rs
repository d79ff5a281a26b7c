//! A failure of the API: a status, a sentence, and what to do.

use std::sync::Arc;

use common::{Trouble, advice, reason};
use http::StatusCode;
use serde::Serialize;
use smooth_origin::base::{Error, FileId, Name};
use smooth_origin::presentation::Presentation;

use super::Page;
use super::answer::Answer;
use super::findings::{self, FindingJson};
use super::open::aside;

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
            Self::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), reason(error));
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

    /// A failure to open a presentation.
    pub(super) async fn of_opening(page: &Page, error: Error, name: &Name) -> Self {
        let mut failure = Self::of(&error, Some(name), None);
        let stored = page.catalogue.stored(name);
        // Looks at the file. If too much is asked for at a time, the sentence says less.
        if let Ok(trouble) = aside(move || Trouble::of_opening(&error, stored.as_ref())).await {
            failure.say(trouble);
        }
        failure
    }

    /// A presentation that was opened, and of which nothing can be served.
    pub(super) async fn of_manifest(
        page: &Page,
        error: Error,
        presentation: &Arc<Presentation>,
    ) -> Self {
        let mut failure = Self::of(&error, Some(presentation.name()), Some(presentation));
        let stored = page.catalogue.stored(presentation.name());
        let opened = Arc::clone(presentation);
        // Without a turn, findings about links say less.
        let found = aside(move || findings::of(&opened, stored.as_ref())).await;
        let found = found.unwrap_or_else(|_| common::findings(presentation));
        failure.say(Trouble::of_manifest(&error, &found));
        failure.with_findings(findings::in_json(found))
    }

    fn say(&mut self, Trouble { reason, advice }: Trouble) {
        let sentence = &mut self.body.error;
        (sentence.what, sentence.advice) = (reason, advice);
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
