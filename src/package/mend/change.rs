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

/// The changes that mend a presentation. One that is whole needs none.
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

    /// Returns the faults that remain after the changes, each with advice.
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
    /// Kind of the change.
    pub kind: ChangeKind,
    /// Code of the fault that it mends.
    pub code: FindingCode,
    /// The fault with its place, and the bytes that are written, as a sentence.
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
    /// The file is cut behind its last whole fragment, and an index follows.
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
    /// Code of the fault.
    pub code: FindingCode,
    /// The fault with its place, as a sentence.
    pub message: String,
    /// The remedy, as a sentence.
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
