//! Files that are stored under their percent-encoded names: `a%20b.ismv` for `a b.ismv`, or the
//! reverse.

use std::collections::HashMap;

use super::{Outcome, Reading};
use crate::base::{Error, FileId, Name, ReadErrorKind, Step, Want};
use crate::presentation::Presentation;
use crate::presentation::finding::{Finding, FindingCode};

impl Reading {
    /// Looks for missing files under their second names, in one more batch. There is no further
    /// read if no file is missing.
    pub(super) fn try_second_names(
        mut self,
        files: Vec<FileId>,
        mut got: Vec<Outcome>,
    ) -> Result<Step<Presentation>, Error> {
        if !got.iter().any(is_gone) {
            return self.files_opened(files, got);
        }
        let names = self.second_names();
        let mut wants = self.listed.wants(&files);
        let mut tried = Vec::new();
        for (at, want) in wants.iter_mut().enumerate() {
            if let Want::Open { file, name, .. } = want
                && got.get(at).is_some_and(is_gone)
                && let Some(second) = names.get(file)
            {
                *name = second.clone();
                tried.push((at, *file, second.clone()));
            }
        }
        if tried.is_empty() {
            return self.files_opened(files, got);
        }
        let wants = tried.iter().filter_map(|(at, ..)| wants.get(*at).cloned()).collect();
        Ok(Step::read(wants, move |again| {
            for ((at, file, name), outcome) in tried.into_iter().zip(again) {
                match &outcome {
                    Ok(_) => self.rename(file, name),
                    Err(error) if is_final(error.kind) => continue,
                    // It is not known whether the file exists.
                    Err(_) => {}
                }
                // `got` had an outcome at this position.
                got[at] = outcome;
            }
            self.files_opened(files, got)
        }))
    }

    /// Returns the second name of each file that the server manifest refers to, if it has one.
    fn second_names(&self) -> HashMap<FileId, Name> {
        let client = self.listed.client.zip(self.listed.server.client_manifest());
        let tracks = self.listed.named.iter().zip(&self.listed.server.tracks);
        let tracks = tracks.filter_map(|(named, track)| named.file.zip(track.src()));
        let mut names = HashMap::new();
        for (file, reference) in client.into_iter().chain(tracks) {
            if let Some(name) = self.listed.name.beside_otherwise(reference) {
                names.entry(file).or_insert(name);
            }
        }
        names
    }

    /// Uses the second name for a file from now on.
    fn rename(&mut self, file: FileId, second: Name) {
        let message = format!("it is stored as `{}`", second.file_name());
        let finding = Finding::new(FindingCode::NameSpelledOtherwise, message);
        self.findings.push(finding.in_file(self.listed.files[file.index()].as_str()));
        for named in self.listed.named.iter_mut().filter(|named| named.file == Some(file)) {
            named.name = second.to_string();
        }
        self.listed.files[file.index()] = second;
    }
}

/// Returns whether there is nothing to open under this name.
fn is_final(kind: ReadErrorKind) -> bool {
    matches!(kind, ReadErrorKind::Gone | ReadErrorKind::Denied)
}

fn is_gone(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(|error| error.kind == ReadErrorKind::Gone)
}
