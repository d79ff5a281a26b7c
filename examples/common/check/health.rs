//! The health of one presentation, with its findings.

use serde_json::{Value, json};
use smooth_origin::base::Name;
use smooth_origin::presentation::{Finding, Severity};

use crate::browsers::{self, Note};
use crate::listing::Outcome;
use crate::{Stored, Trouble};

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
    not_served: Option<Trouble>,
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
    pub(super) fn of(name: &Name, outcome: &Outcome, stored: Option<&Stored>) -> Self {
        let mut notes = Vec::new();
        let mut findings = Vec::new();
        let not_served = match outcome {
            Err(reason) => Some(Trouble::new(reason.clone(), None)),
            Ok(Err(error)) => Some(Trouble::of_opening(error, stored)),
            Ok(Ok(opened)) => {
                let presentation = opened.presentation();
                notes = browsers::notes(presentation);
                findings = crate::findings(presentation);
                if let Some(stored) = stored {
                    crate::explain_links(&mut findings, name.as_str(), stored);
                }
                findings.retain(|finding| finding.severity() > Severity::Info);
                let error = presentation.manifest().err();
                error.map(|error| Trouble::of_manifest(&error, &findings))
            }
        };
        let health = match (&not_served, findings.first().map(Finding::severity)) {
            (Some(_), _) => Health::NotServed,
            (None, None) => Health::Fine,
            (None, Some(Severity::Error)) => Health::Failed,
            (None, Some(_)) => Health::Warned,
        };
        let name = name.as_str().to_owned();
        Self { health, name, not_served, findings, more: 0, notes }
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
        if let Some(Trouble { reason, advice }) = &self.not_served {
            lines.push(format!("  {reason}"));
            lines.extend(advice.iter().map(|advice| format!("    {advice}")));
        }
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
            "error": self.not_served.as_ref().map(|trouble| &trouble.reason),
            "advice": self.not_served.as_ref().and_then(|trouble| trouble.advice.as_ref()),
            "findings": self.findings.iter().map(finding).collect::<Value>(),
            "notes": self.notes.iter().map(Note::json).collect::<Value>(),
        })
    }
}
