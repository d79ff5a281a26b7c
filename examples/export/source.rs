//! The presentation that is exported.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::{Failure, Plain, Trouble, line};
use smooth_origin::base::{Error, ErrorKind, Name};
use smooth_origin::origin::{Answer, Origin, Served, block_on};
use smooth_origin::presentation::{Finding, Presentation, Validator};
use smooth_origin::storage::LocalStore;

/// A presentation, and the origin that answers for it.
pub(crate) struct Source {
    path: PathBuf,
    /// The folder that names are relative to.
    root: PathBuf,
    origin: Origin,
    name: Name,
    presentation: Arc<Presentation>,
}

/// The reason why there is no answer.
pub(crate) enum Unanswered {
    /// This resource is not served.
    Error(Error),
    /// The files of the presentation have changed since it was opened.
    Changed,
}

impl Source {
    /// Opens the presentation that a path names.
    ///
    /// # Errors
    /// A sentence for the person who named it.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let metadata = path.metadata();
        let trouble =
            |error| failure(format!("{shown} cannot be read: {}", Trouble::of(path, &error)));
        let metadata = metadata.map_err(trouble)?;
        // A path such as `.` has no file name, so it is resolved first.
        let resolved = match path.file_name() {
            Some(_) => path.to_owned(),
            None => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
        };
        let (Some(file), Some(root)) = (resolved.file_name(), resolved.parent()) else {
            return Err(failure(format!("{shown} is no presentation; name an .ism")));
        };
        if !resolved.extension().is_some_and(|e| e.eq_ignore_ascii_case("ism")) {
            let sort = if metadata.is_dir() { "folder" } else { "file" };
            return Err(failure(format!(
                "the {sort} {shown} is no presentation; name the .ism (`inspect` finds those of a folder)"
            )));
        }
        let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
        let file =
            file.to_str().ok_or_else(|| failure(format!("{shown}: its name is no UTF-8")))?;
        let cannot = |error: &dyn Display| {
            failure(format!("{shown} cannot be opened: {error}; `inspect` may say more"))
        };
        let store = LocalStore::new(root).map_err(|error| cannot(&error))?.ignore_case(true);
        // Files that were written a moment ago are exported, too.
        let origin = Origin::builder(store).settling_time(Duration::ZERO).build();
        let opened = Name::new(file).and_then(|name| Ok((block_on(origin.open(&name))?, name)));
        let (opened, name) = opened.map_err(|error| cannot(&error))?;
        let presentation = Arc::clone(opened.presentation());
        Ok(Self { path: path.to_owned(), root: root.to_owned(), origin, name, presentation })
    }

    /// Prints the findings of the presentation as `inspect` does, beneath its path.
    pub(crate) fn print_findings(&self) {
        let findings = common::findings(&self.presentation);
        if findings.is_empty() {
            return;
        }
        // Nobody need read them.
        let _ = line(&self.path.display().to_string());
        for finding in findings {
            let finding = self.with_path(finding);
            let _ = line(&finding.to_string());
            let _ = line(&format!("  {}", finding.code.advice()));
        }
    }

    /// Checks that there is something to export.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let shown = self.path.display();
        if self.presentation.is_live() {
            let message = "is being recorded; export it when the recording is over";
            return Err(failure(format!("{shown} {message}")));
        }
        match self.presentation.manifest() {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(format!("nothing of {shown} can be exported: {error}"))),
        }
    }

    /// Asks for the resource of this URL, relative to the presentation.
    pub(crate) fn ask(&self, url: &str) -> Result<Served, Unanswered> {
        let answer =
            block_on(async { self.origin.ask_in(&self.name, url, None).await?.answer().await });
        match answer {
            Ok(Answer::Reply(served)) => {
                let opened = served.opened().map(|opened| opened.presentation().validator());
                match opened.is_none_or(|validator| validator == self.validator()) {
                    true => Ok(served),
                    false => Err(Unanswered::Changed),
                }
            }
            Ok(_) => Err(Unanswered::Error(Error::from(ErrorKind::NoFile))),
            Err(error) => Err(self.unanswered(error)),
        }
    }

    /// Returns the reason for an error of this presentation.
    pub(crate) fn unanswered(&self, error: Error) -> Unanswered {
        match block_on(self.origin.open(&self.name)) {
            Ok(opened) if opened.presentation().validator() == self.validator() => {
                Unanswered::Error(error)
            }
            _ => Unanswered::Changed,
        }
    }

    /// Returns the failure that ends an export, for a resource that it cannot do without.
    pub(crate) fn failure(&self, url: &str, unanswered: &Unanswered) -> Failure {
        let shown = self.path.display();
        match unanswered {
            Unanswered::Error(error) => failure(format!("{shown}/{url} cannot be read: {error}")),
            Unanswered::Changed => failure(format!(
                "the files of {shown} changed during the export; run it again when they are final"
            )),
        }
    }

    fn validator(&self) -> Validator {
        self.presentation.validator()
    }

    /// Replaces the name in a finding by the path of the file.
    fn with_path(&self, mut finding: Finding) -> Finding {
        // What is not among its files is a refused name, which stays as the .ism has it.
        let is_own = |name: &String| {
            let in_folder = || name.strip_prefix(self.presentation.name().as_str());
            self.presentation.files().iter().any(|own| own.as_str() == name)
                || in_folder().is_some_and(|rest| rest.starts_with('/'))
        };
        if let Some(name) = finding.file.take_if(|name| is_own(name)) {
            finding.file = Some(self.root.join(name).to_string_lossy().into_owned());
        }
        finding
    }
}

/// Returns a failure whose sentence may have names from strangers.
pub(crate) fn failure(sentence: impl Display) -> Failure {
    Failure::System(Plain(sentence).to_string())
}
