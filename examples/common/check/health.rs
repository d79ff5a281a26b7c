//! The health of one presentation, with its findings.

use serde_json::{Value, json};
use smooth_origin::base::{ErrorKind, Name};
use smooth_origin::presentation::{Finding, Severity};

use crate::advice;
use crate::browsers::{self, Note};
use crate::listing::Outcome;

/// The health of a presentation; a later one is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    /// All of it is served as it should be.
    Fine,
    /// All of it is served, with warnings.
    Warned,
    /// Some of it is not served.
    Failed,
    /// Nothing of it is served.
    NotServed,
}

/// A presentation that was checked.
pub(super) struct Title {
    pub(super) health: Health,
    name: String,
    /// The reason why nothing is served.
    error: Option<String>,
    /// Sentence with what to do about the error.
    advice: Option<&'static str>,
    /// The gravest first; information is left out.
    findings: Vec<Finding>,
    /// Number of findings that are left out.
    more: usize,
    /// Remarks about content that is served as it should be.
    notes: Vec<Note>,
}

/// Number of findings of a presentation that are printed as text.
const MOST_FINDINGS: usize = 10;

impl Health {
    /// From the best to the worst.
    pub(super) const ALL: [Self; 4] = [Self::Fine, Self::Warned, Self::Failed, Self::NotServed];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warned => "with warnings",
            Self::Failed => "with errors",
            Self::NotServed => "not served",
        }
    }

    /// The word in JSON.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warned => "warnings",
            Self::Failed => "errors",
            Self::NotServed => "not-served",
        }
    }
}

impl Title {
    /// Returns the health of a presentation by the result of its opening.
    pub(super) fn of(name: &Name, outcome: &Outcome) -> Self {
        let name = name.as_str().to_owned();
        let not_served = |error, findings| (Health::NotServed, Some(error), findings);
        let (health, error, findings) = match outcome {
            Err(reason) => not_served(reason.clone(), Vec::new()),
            Ok(Err(error)) if matches!(error.kind, ErrorKind::NoPresentation) => {
                let what = "it is gone, is not a regular file, or is a link that is not followed";
                not_served(what.into(), Vec::new())
            }
            Ok(Err(error)) => not_served(error.to_string(), Vec::new()),
            Ok(Ok(opened)) => {
                let presentation = opened.presentation();
                let mut findings = presentation.findings();
                findings.retain(|finding| finding.severity() > Severity::Info);
                match (presentation.manifest(), findings.first().map(Finding::severity)) {
                    (Err(error), Some(_))
                        if matches!(error.kind, ErrorKind::NothingToServe { .. }) =>
                    {
                        not_served("no track of it can be served".into(), findings)
                    }
                    (Err(error), _) => not_served(error.to_string(), findings),
                    (Ok(_), None) => (Health::Fine, None, findings),
                    (Ok(_), Some(Severity::Error)) => (Health::Failed, None, findings),
                    (Ok(_), Some(_)) => (Health::Warned, None, findings),
                }
            }
        };
        let notes = match outcome {
            Ok(Ok(opened)) => browsers::notes(opened.presentation()),
            _ => Vec::new(),
        };
        let advice = outcome.as_ref().ok().and_then(|opened| advice(opened.as_ref().err()?));
        Self { health, name, error, advice, findings, more: 0, notes }
    }

    /// Returns the title with the findings that are printed as text.
    pub(super) fn shortened(mut self) -> Self {
        self.more += self.findings.len().saturating_sub(MOST_FINDINGS);
        self.findings.truncate(MOST_FINDINGS);
        self.findings.shrink_to_fit();
        self
    }

    /// Returns what titles are ordered by: the worst are the greatest.
    pub(super) fn weight(&self) -> (Health, usize) {
        (self.health, self.findings.len() + self.more)
    }

    /// Returns whether nothing is said about the presentation.
    pub(super) fn is_silent(&self) -> bool {
        self.health == Health::Fine && self.notes.is_empty()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} ({})", self.name, self.health.words())];
        lines.extend(self.error.iter().map(|error| format!("  {error}")));
        lines.extend(self.advice.iter().map(|advice| format!("    {advice}")));
        for finding in &self.findings {
            lines.push(format!("  {finding}"));
            lines.push(format!("    {}", finding.code.advice()));
        }
        if self.more > 0 {
            lines.push(format!("  and {} more, which the example inspect shows", self.more));
        }
        for Note { message, advice } in &self.notes {
            lines.extend([format!("  note: {message}"), format!("    {advice}")]);
        }
        lines
    }

    pub(super) fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "code": finding.code.as_str(),
                "severity": finding.severity().to_string(),
                "file": finding.file,
                "track": finding.track(),
                "message": finding.message,
                "advice": finding.code.advice(),
            })
        };
        json!({
            "presentation": self.name,
            "health": self.health.code(),
            "error": self.error,
            "advice": self.advice,
            "findings": self.findings.iter().map(finding).collect::<Value>(),
            "notes": self.notes.iter().map(Note::json).collect::<Value>(),
        })
    }
}
