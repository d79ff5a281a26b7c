//! The result: what is to be written, and what remains wrong.

use bytes::Bytes;

use crate::base::{Limits, Name};
use crate::presentation::{Finding, FindingCode};

/// Choices for [`mend`](super::mend).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MendOptions {
    /// Media files that may belong to the presentation. They are looked at if the server manifest is
    /// missing, cannot be read, or names files that are missing.
    pub media: Vec<Name>,
    /// Budgets for what is read.
    pub limits: Limits,
}

/// What mends a presentation. Nothing is to be written for one that is whole.
#[derive(Debug, Default)]
pub struct Mending {
    pub(super) changes: Vec<Change>,
    pub(super) remarks: Vec<Remark>,
}

impl Mending {
    /// The changes in the order in which they are to be written: media, the client manifest, the server
    /// manifest. Each file has one at most.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What stays wrong after the changes, and what to do about it.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

/// The bytes of a file from an offset to its end, which are to be replaced.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The file.
    pub file: Name,
    /// What is done.
    pub kind: ChangeKind,
    /// What is wrong.
    pub code: FindingCode,
    /// What is wrong, with the place, and what is written.
    pub reason: String,
    /// Size of the file before, in bytes; `None` if it does not exist.
    pub size: Option<u64>,
    /// First byte that is replaced: 0 for a manifest, which is written whole; else the end of what is
    /// whole.
    pub at: u64,
    /// Bytes that are written there. The file ends behind them.
    pub bytes: Bytes,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// The file has an index of its fragments, where it had none.
    IndexAdded,
    /// The index of the file is replaced.
    IndexRebuilt,
    /// What is behind the last whole fragment is cut off, and an index follows.
    Cut,
    /// The client manifest is written anew.
    ClientManifest,
    /// The server manifest is written anew.
    ServerManifest,
}

impl ChangeKind {
    /// Its stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IndexAdded => "index-added",
            Self::IndexRebuilt => "index-rebuilt",
            Self::Cut => "cut",
            Self::ClientManifest => "client-manifest",
            Self::ServerManifest => "server-manifest",
        }
    }
}

/// Something that cannot be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remark {
    /// The file, if it is about one.
    pub file: Option<String>,
    /// What is wrong.
    pub code: FindingCode,
    /// What is wrong, with the place.
    pub message: String,
    /// What to do.
    pub advice: String,
}

impl Remark {
    pub(super) fn new(file: &Name, code: FindingCode, message: String) -> Self {
        let file = Some(file.as_str().to_owned());
        Self { file, code, message, advice: code.advice().to_owned() }
    }

    pub(super) fn advice(mut self, advice: &str) -> Self {
        advice.clone_into(&mut self.advice);
        self
    }
}

impl From<&Finding> for Remark {
    fn from(finding: &Finding) -> Self {
        let message = match finding.track() {
            Some(track) => format!("{track}: {}", finding.message),
            None => finding.message.clone(),
        };
        let (file, code) = (finding.file.clone(), finding.code);
        Self { file, code, message, advice: code.advice().to_owned() }
    }
}
