//! The folders of the qualities, and their content.

use std::collections::{BTreeSet, HashMap};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::Outcome;
use super::names::FileNames;
use crate::base::{Error, Got, Limits, Name, ReadErrorKind};
use crate::manifest::{ClientManifest, QualityLevel};

/// The folders of the qualities.
#[derive(Default)]
pub(super) struct Folders {
    /// Their names below the presentation's folder, as the manifest's URLs give them.
    pub(super) wanted: BTreeSet<Name>,
    /// Their actual name and their content; `None` if a folder cannot be listed.
    pub(super) listed: HashMap<Name, (Name, Option<FileNames>)>,
    /// Number of names that were looked at.
    pub(super) names: u64,
}

/// `QualityLevels(300000)`, or with the custom attributes of the quality.
fn level(quality: &QualityLevel) -> String {
    let attributes = quality.custom_attributes.iter();
    let attributes = attributes.map(|a| format!(",{}={}", a.name, a.value)).collect::<String>();
    format!("QualityLevels({}{attributes})", quality.bitrate)
}

/// Characters that tools leave unencoded when they derive a file's name from a URL.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Returns the name of the folder as written by tools that percent-encode.
pub(super) fn encoded(folder: &Name) -> Option<Name> {
    let name = utf8_percent_encode(folder.file_name(), AS_IT_IS);
    Name::new(&format!("{}/{name}", folder.folder()?)).ok()
}

impl Folders {
    pub(super) fn new(presentation: &Name, manifest: &ClientManifest) -> Self {
        let streams = manifest.streams.iter().filter(|stream| !stream.is_embedded());
        let qualities = streams.flat_map(|stream| &stream.qualities);
        let folders = qualities.filter_map(|quality| folder_of(presentation, quality));
        Self { wanted: folders.collect(), ..Self::default() }
    }

    /// Keeps the outcome of listing a folder under the name `listed`.
    pub(super) fn keep(
        &mut self,
        wanted: &Name,
        listed: Name,
        got: Option<Outcome>,
        limits: &Limits,
    ) -> Result<(), Error> {
        let files = match got {
            Some(Ok(Got::Listed(Some(names)))) => {
                self.names = self.names.saturating_add(names.len() as u64);
                Limits::check("names of fragment files", self.names, limits.listed_names)?;
                Some(FileNames::new(&names))
            }
            Some(Ok(_)) | None => None,
            Some(Err(error)) => match error.kind {
                ReadErrorKind::Gone => Some(FileNames::default()),
                ReadErrorKind::Denied => None,
                ReadErrorKind::Changed
                | ReadErrorKind::Unsettled { .. }
                | ReadErrorKind::Transient => {
                    return Err(error.into());
                }
            },
        };
        let is_first = !self.listed.contains_key(wanted);
        if is_first || files.as_ref().is_some_and(|files| !files.is_empty()) {
            self.listed.insert(wanted.clone(), (listed, files));
        }
        Ok(())
    }

    /// Returns the folders that contain no fragment.
    pub(super) fn empty(&self) -> Vec<Name> {
        let is_empty = |folder: &&Name| {
            let listed = self.listed.get(*folder).and_then(|(_, files)| files.as_ref());
            listed.is_some_and(FileNames::is_empty)
        };
        self.wanted.iter().filter(is_empty).cloned().collect()
    }
}

/// Returns the folder of a quality; `None` if no folder can have that name.
pub(super) fn folder_of(presentation: &Name, quality: &QualityLevel) -> Option<Name> {
    let level = level(quality);
    let is_segment = !level.contains('/');
    is_segment.then(|| Name::new(&format!("{presentation}/{level}")).ok()).flatten()
}
