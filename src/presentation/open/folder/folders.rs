//! The folders of the qualities, and what is in them.

use std::collections::{BTreeSet, HashMap};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::Outcome;
use super::names::FileNames;
use crate::base::{Error, ErrorKind, Got, Limits, Name, ReadErrorKind};
use crate::manifest::{ClientManifest, QualityLevel};

/// The folders of the qualities.
#[derive(Default)]
pub(super) struct Folders {
    /// Their names below the presentation's, as the manifest's URLs have them.
    pub(super) wanted: BTreeSet<Name>,
    /// What is in them, and the name that they really have. `None` if it cannot be listed.
    pub(super) listed: HashMap<Name, (Name, Option<FileNames>)>,
    /// Names that were looked at.
    pub(super) names: u64,
}

/// `QualityLevels(300000)`, or with the custom attributes of the quality.
fn level(quality: &QualityLevel) -> String {
    let attributes = quality.custom_attributes.iter();
    let attributes = attributes.map(|a| format!(",{}={}", a.name, a.value)).collect::<String>();
    format!("QualityLevels({}{attributes})", quality.bitrate)
}

/// What tools leave as it is when they make a file's name of a URL.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The same folder as tools name it that percent-encode.
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

    /// Keeps what came of listing a folder under this name.
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
                if self.names > limits.listed_names {
                    let (what, found, limit) =
                        ("names of fragment files", self.names, limits.listed_names);
                    return Err(ErrorKind::Budget { what, found, limit }.into());
                }
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

    /// Folders in which there is no fragment.
    pub(super) fn empty(&self) -> Vec<Name> {
        let is_empty = |folder: &&Name| {
            let listed = self.listed.get(*folder).and_then(|(_, files)| files.as_ref());
            listed.is_some_and(FileNames::is_empty)
        };
        self.wanted.iter().filter(is_empty).cloned().collect()
    }
}

/// The folder of a quality; `None` if no folder can have that name.
pub(super) fn folder_of(presentation: &Name, quality: &QualityLevel) -> Option<Name> {
    let level = level(quality);
    let is_segment = !level.contains('/');
    is_segment.then(|| Name::new(&format!("{presentation}/{level}")).ok()).flatten()
}
