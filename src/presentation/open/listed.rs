//! The files that a server manifest names.

use std::collections::HashMap;
use std::iter;

use bytes::Bytes;

use super::media::{HEAD, TAIL};
use super::resolve::Named;
use crate::base::{Error, FileId, Name, Want};
use crate::manifest::ServerManifest;
use crate::presentation::finding::{Finding, FindingCode, Findings, cut};
use crate::presentation::{Ended, OpenOptions};

/// The files of a presentation, and the options for opening it. Only the names of files change,
/// when they are found under other spellings.
pub(super) struct Listed {
    pub(super) name: Name,
    pub(super) options: OpenOptions,
    pub(super) server_text: Bytes,
    pub(super) server: ServerManifest,
    /// Names of files by id.
    pub(super) files: Vec<Name>,
    /// One per track of the server manifest.
    pub(super) named: Vec<Named>,
    /// The client manifest, if the server manifest names one.
    pub(super) client: Option<FileId>,
}

impl Listed {
    /// Names every file once, in the order of the server manifest. `name` is that of the presentation.
    pub(super) fn new(
        name: Name,
        options: OpenOptions,
        server_text: Bytes,
        server: ServerManifest,
        findings: &mut Findings,
    ) -> Self {
        let manifest = options.film.clone().unwrap_or_else(|| name.clone());
        let mut names = Names {
            ids: HashMap::from([(manifest.clone(), FileId::SERVER_MANIFEST)]),
            files: vec![manifest],
            findings,
        };
        let client = server.client_manifest().and_then(|path| names.file(path));
        let named = server.tracks.iter().map(|track| {
            let file = track.src().and_then(|src| names.file(src));
            let name = match file {
                Some(file) => names.files[file.index()].to_string(),
                None => cut(track.src().unwrap_or_default()).into_owned(),
            };
            Named { file, name }
        });
        let named = named.collect();
        let Names { files, .. } = names;
        Self { name, options, server_text, server, files, named, client }
    }

    /// Returns the wants that open these files: the first, if it is the client manifest, is read
    /// whole, and media files are read at their ends.
    pub(super) fn wants(&self, files: &[FileId]) -> Vec<Want> {
        let whole = (self.options.limits.client_manifest.saturating_add(1), 0);
        let mut ends = self.client.map(|_| whole).into_iter().chain(iter::repeat((HEAD, TAIL)));
        let want = |&file: &FileId| {
            let (head, tail) = ends.next()?;
            Some(Want::Open { file, name: self.files[file.index()].clone(), head, tail })
        };
        files.iter().filter_map(want).collect()
    }

    /// Returns what the film of an event keeps of it. `None` if it was none.
    pub(super) fn ended(&self) -> Option<Ended> {
        let is_at_point = self.options.film.is_some();
        let epoch = self.server.live_epoch();
        let is_ended = is_at_point || epoch.is_some();
        let (epoch, begin) = (epoch.unwrap_or(0), self.server.live_begin());
        is_ended.then_some(Ended { epoch, begin, is_at_point })
    }

    /// Returns whether the index of a file is not to be believed.
    pub(super) fn is_distrusted(&self, file: FileId) -> bool {
        self.files.get(file.index()).is_some_and(|name| self.options.distrusted.contains(name))
    }

    /// Returns the name of the client manifest, if the server manifest names one.
    pub(super) fn client_name(&self) -> Option<&str> {
        self.client.and_then(|file| self.files.get(file.index())).map(Name::as_str)
    }

    /// Reports why the stored client manifest is not used.
    pub(super) fn generated_because(
        &self,
        message: String,
        cause: Option<Error>,
        findings: &mut Findings,
    ) {
        let finding = Finding::new(FindingCode::ManifestGenerated, message);
        let finding = finding.in_file(self.client_name().unwrap_or(self.name.as_str()));
        findings.push(match cause {
            Some(cause) => finding.because(cause),
            None => finding,
        });
    }
}

/// Files while they are being named.
struct Names<'a> {
    ids: HashMap<Name, FileId>,
    /// Names of files by id; the first is the server manifest.
    files: Vec<Name>,
    findings: &'a mut Findings,
}

impl Names<'_> {
    /// Returns the id of a file that the server manifest refers to.
    fn file(&mut self, reference: &str) -> Option<FileId> {
        let name = match self.files[0].beside(reference) {
            Ok(name) => name,
            Err(error) => {
                let message = format!("`{}` is not opened: {}", cut(reference), error.kind);
                let finding = Finding::new(FindingCode::NameRefused, message);
                self.findings.push(finding.in_file(self.files[0].as_str()).because(error));
                return None;
            }
        };
        if let Some(known) = self.ids.get(&name) {
            return Some(*known);
        }
        let id = FileId::new(u32::try_from(self.files.len()).ok()?);
        self.files.push(name.clone());
        self.ids.insert(name, id);
        Some(id)
    }
}
