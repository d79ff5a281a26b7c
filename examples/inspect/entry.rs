//! One entry of the report: a path, and what came of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::Trouble;
use smooth_origin::presentation::{Finding, Looked, Presentation, Severity};

/// A path, and what came of it.
pub(crate) struct Entry {
    pub(crate) path: PathBuf,
    pub(crate) outcome: Outcome,
}

/// The result for a path.
pub(crate) enum Outcome {
    /// A presentation that was opened; its manifest is there, or nothing of it can be served.
    Opened {
        /// The folder that the names of its files are relative to.
        root: PathBuf,
        presentation: Arc<Presentation>,
        /// The most severe first, with paths relative to the current directory.
        findings: Vec<Finding>,
        /// The fragments that were looked at; empty unless they are recorded.
        looked: Vec<Looked>,
    },
    /// No presentation was opened.
    NotOpened(Explanation),
    /// The path was found and not looked at.
    NotLookedAt(Explanation),
}

/// The problem, and the next step.
pub(crate) struct Explanation {
    pub(crate) message: String,
    pub(crate) advice: Option<String>,
}

/// Degrees to which an entry is served, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    Fine,
    Warnings,
    Errors,
    NotServed,
    NotLookedAt,
}

impl Health {
    pub(crate) const ALL: [Self; 5] =
        [Self::Fine, Self::Warnings, Self::Errors, Self::NotServed, Self::NotLookedAt];

    /// As `--help` documents it.
    pub(crate) fn exit_status(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Warnings => 4,
            Self::Errors => 1,
            Self::NotServed | Self::NotLookedAt => 3,
        }
    }

    /// As it stands behind a number.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warnings => "with warnings",
            Self::Errors => "with errors",
            Self::NotServed => "not served",
            Self::NotLookedAt => "not looked at",
        }
    }
}

impl Entry {
    pub(crate) fn not_opened(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self { path: path.into(), outcome: Outcome::NotOpened(Explanation::new(message)) }
    }

    /// A path that is not served, for a known reason.
    pub(crate) fn troubled(path: impl Into<PathBuf>, trouble: Trouble) -> Self {
        Self { path: path.into(), outcome: Outcome::NotOpened(trouble.into()) }
    }

    pub(crate) fn not_looked_at(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self { path: path.into(), outcome: Outcome::NotLookedAt(Explanation::new(message)) }
    }

    /// Says what to do next.
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        if let Outcome::NotOpened(why) | Outcome::NotLookedAt(why) = &mut self.outcome {
            why.advice = Some(advice.into());
        }
        self
    }

    /// Returns how far it is served. Warnings count if it `is_strict`.
    pub(crate) fn health(&self, is_strict: bool) -> Health {
        match &self.outcome {
            Outcome::NotLookedAt(_) => Health::NotLookedAt,
            Outcome::NotOpened(_) => Health::NotServed,
            Outcome::Opened { presentation, .. } if presentation.manifest().is_err() => {
                Health::NotServed
            }
            Outcome::Opened { findings, .. } => match gravest(findings) {
                Some(Severity::Error) => Health::Errors,
                Some(Severity::Warning) if is_strict => Health::Warnings,
                _ => Health::Fine,
            },
        }
    }

    /// Why it is not served or was not looked at; `None` where it is served.
    pub(crate) fn explanation(&self) -> Option<Explanation> {
        match &self.outcome {
            Outcome::NotLookedAt(why) | Outcome::NotOpened(why) => {
                Some(Explanation { message: why.message.clone(), advice: why.advice.clone() })
            }
            Outcome::Opened { presentation, findings, .. } => {
                let error = presentation.manifest().err()?;
                Some(Trouble::of_manifest(&error, findings).into())
            }
        }
    }
}

impl From<Trouble> for Explanation {
    fn from(Trouble { reason, advice }: Trouble) -> Self {
        Self { message: reason, advice }
    }
}

impl Explanation {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), advice: None }
    }
}

/// Replaces names in findings of a presentation beneath `root` by the paths of the files.
pub(crate) fn with_paths(
    root: &Path,
    presentation: &Presentation,
    findings: Vec<Finding>,
) -> Vec<Finding> {
    let with_path = |mut finding: Finding| {
        // What is not among its files is a refused name: it stays as the .ism has it.
        let is_own = |file: &String| {
            let in_folder = || file.strip_prefix(presentation.name().as_str());
            presentation.files().iter().any(|own| own.as_str() == file)
                || in_folder().is_some_and(|rest| rest.starts_with('/'))
        };
        if let Some(file) = finding.file.take_if(|file| is_own(file)) {
            finding.file = Some(root.join(file).to_string_lossy().into_owned());
        }
        finding
    };
    findings.into_iter().map(with_path).collect()
}

/// Returns the highest severity among `findings`.
pub(crate) fn gravest(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(Finding::severity).max()
}
