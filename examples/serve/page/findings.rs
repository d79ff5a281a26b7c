//! Findings as JSON.

use common::Stored;
use serde::Serialize;
use smooth_origin::base::{FourCc, Place};
use smooth_origin::presentation::{Finding, Presentation, Severity};

/// A finding as JSON.
#[derive(Serialize)]
pub(super) struct FindingJson {
    severity: &'static str,
    name: &'static str,
    what: String,
    file: Option<String>,
    place: Option<String>,
    advice: &'static str,
}

/// Returns the findings of a presentation, the gravest first. Looks at the links on the way to files that are
/// missing, so this is for a thread that may wait.
pub(super) fn of(presentation: &Presentation, stored: Option<&Stored>) -> Vec<Finding> {
    let mut findings = common::findings(presentation);
    if let Some(stored) = stored {
        common::explain_links(&mut findings, presentation.name().as_str(), stored);
    }
    findings
}

/// Returns findings as JSON.
pub(super) fn in_json(findings: Vec<Finding>) -> Vec<FindingJson> {
    findings.into_iter().map(FindingJson::of).collect()
}

impl FindingJson {
    fn of(finding: Finding) -> Self {
        Self {
            severity: match finding.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Info => "note",
            },
            name: finding.code.as_str(),
            place: place(&finding),
            advice: finding.code.advice(),
            what: finding.message,
            file: finding.file,
        }
    }
}

/// Returns the track, the chunk and the place in the file: `video at 300000, chunk 20000000,
/// moof/traf at byte 1234`.
fn place(finding: &Finding) -> Option<String> {
    let in_file = finding.cause().and_then(|cause| match &cause.place {
        Place::Box { offset, path, .. } => {
            let path: Vec<_> = path.iter().rev().map(FourCc::to_string).collect();
            let path = if path.is_empty() { String::new() } else { path.join("/") + " " };
            Some(format!("{path}at byte {offset}"))
        }
        Place::Xml { line, element, .. } if element.is_empty() => Some(format!("line {line}")),
        Place::Xml { line, element, .. } => Some(format!("line {line}, element {element}")),
        _ => None,
    });
    let chunk = finding.chunk.map(|time| format!("chunk {time}"));
    let parts: Vec<_> = [finding.track(), chunk, in_file].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
