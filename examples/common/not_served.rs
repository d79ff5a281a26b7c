//! Presentations that are not served: the reason in words, and what to do. The check, the list of a
//! server, its page and `inspect` all say the same.

use std::fs::File;
use std::path::{Path, PathBuf};

use smooth_origin::base::{Error, ErrorKind, ReadErrorKind};
use smooth_origin::presentation::{Finding, FindingCode, Presentation};

use crate::file_kind::FileKind;
use crate::other_file::{self, SMALLEST};
use crate::trouble::without_numbers;
use crate::{Trouble, refused_link};

/// The place of a presentation on the disk.
pub struct Stored {
    /// The served folder.
    pub root: PathBuf,
    /// The server manifest, or the folder of fragments.
    pub path: PathBuf,
}

impl Trouble {
    /// Explains why a presentation could not be opened.
    pub fn of_opening(error: &Error, stored: Option<&Stored>) -> Self {
        let of_file = match &error.kind {
            ErrorKind::NoPresentation => stored.map(missing),
            ErrorKind::Read(_) => stored.and_then(unreadable),
            ErrorKind::Busy(_) => None,
            _ => stored.and_then(|stored| misnamed(&stored.path)),
        };
        of_file.unwrap_or_else(|| Self::new(reason(error), advice(&error.kind).map(Into::into)))
    }

    /// Explains why nothing of a presentation that was opened can be served.
    pub fn of_manifest(error: &Error, findings: &[Finding]) -> Self {
        match &error.kind {
            ErrorKind::NothingToServe { .. } if !findings.is_empty() => Self::advised(
                "no track of it can be served; its findings say why",
                "do what each of them advises",
            ),
            kind => Self::new(reason(error), advice(kind).map(Into::into)),
        }
    }
}

/// Returns what opening noticed, the gravest first, [for people](for_people).
pub fn findings(presentation: &Presentation) -> Vec<Finding> {
    for_people(presentation, presentation.findings())
}

/// Leaves out of findings what helps nobody: the numbers of the system's errors, and, if the presentation is
/// not served, the findings about its client manifest, which nobody gets.
pub fn for_people(presentation: &Presentation, mut findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &mut findings {
        finding.message = without_numbers(std::mem::take(&mut finding.message));
    }
    let of_manifest = [FindingCode::ManifestMended, FindingCode::ManifestGenerated];
    if presentation.manifest().is_err() {
        findings.retain(|finding| !of_manifest.contains(&finding.code));
    }
    findings
}

/// Says of each missing file that is behind a link which is not followed where the link leads, and what
/// serves it. The presentation is `name`.
pub fn explain_links(findings: &mut [Finding], name: &str, stored: &Stored) {
    let Stored { root, path } = stored;
    let below = path.strip_prefix(root).ok().and_then(Path::to_str);
    // What stands before it in URLs.
    let Some(prefix) = below.and_then(|below| name.strip_suffix(below)) else { return };
    let missing = findings.iter_mut().filter(|finding| finding.code == FindingCode::FileMissing);
    for finding in missing.take(MAX_LINKS) {
        let file = finding.file.as_deref().and_then(|file| file.strip_prefix(prefix));
        if let Some(link) = file.and_then(|file| refused_link::explain(root, &root.join(file))) {
            finding.message = link.to_string();
        }
    }
}

/// No more links of a presentation are explained.
const MAX_LINKS: usize = 100;

/// Returns what went wrong, in a sentence.
pub fn reason(error: &Error) -> String {
    match error.kind {
        ErrorKind::NoPresentation => "there is no presentation of this name".into(),
        // The place of the error says `name` once more.
        ErrorKind::BadName(_) => error.kind.to_string(),
        _ => without_numbers(error.to_string()),
    }
}

/// Returns what to do about a failure, if that is known.
pub fn advice(kind: &ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NoPresentation => IN_THE_LIST,
        ErrorKind::BadName(_) => "name it as the list does, with / between folders",
        ErrorKind::Busy(_) => "wait a moment and ask again",
        ErrorKind::Read(read) => match read.kind {
            ReadErrorKind::Unsettled { .. } => {
                "the file was written a moment ago: wait until it has settled, and ask again"
            }
            ReadErrorKind::Denied => "let the server's user read the file and its folder",
            ReadErrorKind::Gone => "copy the file there again",
            ReadErrorKind::Changed => "the file was replaced: ask again",
            _ => "look at the disk or the store that has it, and ask again",
        },
        ErrorKind::NothingToServe { .. } => {
            "name each track by a `video`, `audio` or `textstream` element (see \"The smallest \
             presentation\" in README.md)"
        }
        ErrorKind::Budget { .. } => {
            "look at the file: it is larger than presentations are; --limit raises the limit"
        }
        ErrorKind::Xml(_) => {
            "correct that line of the file, or copy the file again from its source: it is cut off, or \
             no XML"
        }
        ErrorKind::Invalid { .. } | ErrorKind::Missing { .. } | ErrorKind::Malformed(_) => {
            "make the file again, with the packager that made the others"
        }
        ErrorKind::Truncated { .. } => "copy the file again from its source: it is not whole",
        _ => return None,
    })
}

const IN_THE_LIST: &str = "look for it in the list of presentations";

/// Explains why there is nothing at a place.
fn missing(Stored { root, path }: &Stored) -> Trouble {
    if let Some(trouble) = refused_link::explain(root, path) {
        return trouble;
    }
    match path.metadata() {
        Err(error) => {
            let Trouble { reason, advice } = Trouble::of(path, &error);
            let advice = advice.or_else(|| Some(IN_THE_LIST.into()));
            Trouble { reason, advice }
        }
        Ok(about) if about.is_dir() => Trouble::advised(
            "this is a folder without a manifest, so it is no folder of fragments",
            format!(
                "put its file `Manifest` into it, or a server manifest in its place ({SMALLEST})"
            ),
        ),
        Ok(about) if !about.is_file() => other_file::neither(),
        Ok(_) => {
            let kind = ErrorKind::NoPresentation;
            Trouble::new(reason(&kind.into()), None)
        }
    }
}

/// Explains why a file cannot be read, if that is still so.
fn unreadable(Stored { path, .. }: &Stored) -> Option<Trouble> {
    path.metadata().ok().filter(|about| about.is_file())?;
    File::open(path).err().map(|error| Trouble::of(path, &error))
}

/// Explains a file that has the name of a server manifest and is none.
fn misnamed(path: &Path) -> Option<Trouble> {
    match FileKind::of(path)? {
        FileKind::Other if other_file::is_publishing_point(path) => {
            Some(other_file::publishing_point())
        }
        FileKind::Other => None,
        _ => Some(other_file::file(path)),
    }
}
