//! The loop over all files of an export.

use std::fmt;

use common::Failure;
use indicatif::HumanBytes;

use crate::folder::{Folder, Outcome, Unwritten};
use crate::listing::Listing;
use crate::progress::Progress;
use crate::source::{Source, Unanswered, failure};

/// The files of an export by what became of them.
#[derive(Default)]
pub(crate) struct Copied {
    written: u64,
    kept: u64,
    left_out: u64,
    /// Length of the written files.
    bytes: u64,
}

/// Number of missing segments that are reported one by one.
const REPORTED: u64 = 20;

/// Writes the files of a listing, then the manifests. Segments that the presentation cannot give are
/// reported and left out.
///
/// # Errors
/// If the folder cannot be written, or a manifest not be read; if the presentation changes.
pub(crate) fn all(
    source: &Source,
    listing: &Listing,
    manifests: Vec<&str>,
    mut folder: Folder,
) -> Result<Copied, Failure> {
    folder.remove_unfinished(listing.renditions())?;
    let files = listing.len() + manifests.len();
    let mut progress = Progress::new(files as u64);
    for &manifest in &manifests {
        let served = source.ask(manifest).map_err(|why| source.failure(manifest, &why))?;
        let doubts = folder.doubt_by(manifest, &served);
        if doubts.map_err(|why| ended(source, manifest, why))? {
            progress.say(&format!(
                "the folder has another {manifest}: the content of all files is compared"
            ));
            break;
        }
    }
    let mut copied = Copied::default();
    for url in listing.urls() {
        match put(source, &folder, &url, &mut progress) {
            Ok(outcome) => copied.count(outcome),
            Err(Unwritten::Source(error)) => match source.unanswered(error) {
                Unanswered::Error(error) => {
                    copied.left_out += 1;
                    if copied.left_out <= REPORTED {
                        progress.say(&failure(format!("{url} is left out: {error}")).to_string());
                    }
                    progress.count(0, false);
                }
                Unanswered::Changed => return Err(source.failure(&url, &Unanswered::Changed)),
            },
            Err(Unwritten::Final(failure)) => return Err(failure),
        }
    }
    for manifest in manifests {
        let outcome = put(source, &folder, manifest, &mut progress);
        copied.count(outcome.map_err(|why| ended(source, manifest, why))?);
    }
    copied.bytes = progress.finish();
    Ok(copied)
}

/// Writes the file of a URL.
fn put(
    source: &Source,
    folder: &Folder,
    url: &str,
    progress: &mut Progress,
) -> Result<Outcome, Unwritten> {
    let served = source.ask(url).map_err(|why| match why {
        Unanswered::Error(error) => Unwritten::Source(error),
        Unanswered::Changed => Unwritten::Final(source.failure(url, &Unanswered::Changed)),
    })?;
    let outcome = folder.put(url, &served)?;
    progress.count(served.reply().length(), outcome == Outcome::Written);
    Ok(outcome)
}

/// Returns the failure for a file that an export cannot do without.
fn ended(source: &Source, url: &str, why: Unwritten) -> Failure {
    match why {
        Unwritten::Source(error) => source.failure(url, &source.unanswered(error)),
        Unwritten::Final(failure) => failure,
    }
}

impl Copied {
    /// Returns the number of files that the presentation could not give.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out
    }

    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Kept => self.kept += 1,
            Outcome::Written => self.written += 1,
        }
    }
}

impl fmt::Display for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { written, kept, left_out, bytes } = self;
        write!(f, "{written} files written ({}), {kept} were complete", HumanBytes(*bytes))?;
        match left_out {
            0 => Ok(()),
            _ => write!(f, ", {left_out} are missing"),
        }
    }
}
