//! The call: from the name of a presentation to what mends it.

use bytes::Bytes;

use super::change::{Change, ChangeKind, MendOptions, Mending, Remark};
use super::client;
use super::medium::Medium;
use super::overlay::{Nested, Overlay};
use super::server;
use super::walk::Walk;
use crate::base::{
    Error, ErrorKind, FileEnds, FileId, Got, Name, ReadError, ReadErrorKind, Step, Want,
};
use crate::manifest::{ClientManifest, ServerManifest};
use crate::presentation::{Finding, FindingCode, OpenOptions, Presentation, Severity, open};

type Outcome = Result<Got, ReadError>;
type Next = Result<Step<Mending>, Error>;

/// Looks for what is wrong with the presentation whose server manifest is `name`, and says what is to be
/// written to mend it. Nothing is written here.
///
/// The step walks through each media file from box to box: it wants its header, the `moof`s of all
/// fragments, and what is behind the last one that is whole. Then it opens the presentation as it will
/// be.
///
/// # Errors
/// [`ErrorKind::NoPresentation`] if there is no server manifest, and no media to write one for; what
/// reading gives, if it fails. What cannot be mended is no error: see [`Mending::remarks`].
///
/// ```no_run
/// use smooth_origin::base::{FileEnds, Got, Name, ReadError, ReadErrorKind, Want};
/// use smooth_origin::package::mend::{MendOptions, mend};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut files: Vec<Vec<u8>> = Vec::new();
/// let mending = mend(Name::new("film.ism")?, MendOptions::default()).drive(|want| match want {
///     Want::Open { file, name, head, tail } => {
///         let bytes = std::fs::read(name.as_str()).map_err(|_| ReadError::new(ReadErrorKind::Gone))?;
///         files.resize(files.len().max(file.index() + 1), Vec::new());
///         let head = bytes[..bytes.len().min(*head as usize)].to_vec().into();
///         let tail = bytes[bytes.len().saturating_sub(*tail as usize)..].to_vec().into();
///         let size = bytes.len() as u64;
///         files[file.index()] = bytes;
///         Ok(Got::Opened(FileEnds::new(size, head, tail)))
///     }
///     Want::Range { file, range } => {
///         let range = range.start as usize..range.end as usize;
///         Ok(Got::Range(files[file.index()][range].to_vec().into()))
///     }
///     _ => Ok(Got::Listed(None)),
/// })?;
/// for change in mending.changes() {
///     println!("{}: {}", change.file, change.reason);
///     let mut bytes = std::fs::read(change.file.as_str()).unwrap_or_default();
///     bytes.truncate(change.at as usize);
///     bytes.extend(&change.bytes);
///     std::fs::write(change.file.as_str(), bytes)?;
/// }
/// # Ok(())
/// # }
/// ```
pub fn mend(name: Name, options: MendOptions) -> Step<Mending> {
    let head = options.limits.server_manifest.saturating_add(1);
    let want = Want::Open { file: FileId::SERVER_MANIFEST, name: name.clone(), head, tail: 0 };
    Step::read(vec![want], move |got| {
        let mut work = Work {
            name,
            options,
            next: 1,
            server: None,
            server_size: None,
            server_fault: String::new(),
            names: Vec::new(),
            missing: Vec::new(),
            has_candidates: false,
            media: Vec::new(),
            findings: Vec::new(),
            served: 0,
            server_change: None,
            mending: Mending::default(),
        };
        match got.into_iter().next() {
            Some(Ok(Got::Opened(ends))) => work.server_size = Some(ends.size),
            Some(Err(error)) if error.kind == ReadErrorKind::Gone => {
                "it is missing".clone_into(&mut work.server_fault);
                return work.media_files();
            }
            Some(Err(error)) => return Err(error.into()),
            _ => return Err(ErrorKind::WrongOutcome("a file was to be opened").into()),
        }
        let options = OpenOptions::default().limits(work.options.limits.clone());
        let step = open(work.name.clone(), &options);
        let first = work.next;
        Nested::open(step, Overlay::default(), first, move |opened, next| {
            work.next = next;
            work.take_server(opened)
        })
    })
}

/// A mending in progress.
struct Work {
    name: Name,
    options: MendOptions,
    /// The first id that no file has.
    next: u32,
    /// Names of the media files that the server manifest has, once each, and its client manifest.
    server: Option<Option<Name>>,
    server_size: Option<u64>,
    server_fault: String,
    /// Media files that are to be looked at, the next one last.
    names: Vec<Name>,
    missing: Vec<Name>,
    /// True once the files that the host knows are among the names.
    has_candidates: bool,
    media: Vec<Medium>,
    /// Findings of opening it as it is.
    findings: Vec<Finding>,
    /// Fragments that are served as it is.
    served: usize,
    server_change: Option<Change>,
    mending: Mending,
}

impl Work {
    /// Takes what opening the presentation as it is gave.
    fn take_server(mut self, opened: Result<Presentation, Error>) -> Next {
        match opened {
            Ok(presentation) => {
                if presentation.is_folder() {
                    return Err(ErrorKind::NoPresentation.into());
                }
                self.findings = presentation.findings();
                self.served = client::served(&presentation);
                self.read_server()
            }
            Err(error)
                if error.file().is_some() || matches!(error.kind, ErrorKind::Invalid { .. }) =>
            {
                self.server_fault = format!("it cannot be read: {error}");
                self.media_files()
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the names in the server manifest.
    fn read_server(mut self) -> Next {
        let head = self.options.limits.server_manifest.saturating_add(1);
        let (file, name) = (self.id(), self.name.clone());
        let want = Want::Open { file, name, head, tail: 0 };
        Ok(Step::read(vec![want], move |got| {
            let text = opened(got)?.head;
            let (server, _) = ServerManifest::parse_leniently(&text, &self.options.limits)?;
            let client = server.client_manifest().and_then(|path| self.name.beside(path).ok());
            self.server = Some(client);
            for src in server.tracks.iter().filter_map(|track| track.src()) {
                if let Ok(name) = self.name.beside(src)
                    && !self.names.contains(&name)
                {
                    self.names.push(name);
                }
            }
            self.names.reverse();
            self.media_files()
        }))
    }

    fn id(&mut self) -> FileId {
        let id = FileId::new(self.next);
        self.next = self.next.saturating_add(1);
        id
    }

    /// Walks through the next media file.
    fn media_files(mut self) -> Next {
        let Some(name) = self.names.pop() else {
            let is_short = self.server.is_none() || !self.missing.is_empty();
            if is_short && !self.has_candidates {
                self.has_candidates = true;
                let known = |name: &Name| self.media.iter().any(|medium| medium.name == *name);
                let new = self.options.media.iter().filter(|name| !known(name));
                self.names = new.filter(|name| !self.missing.contains(name)).cloned().collect();
                self.names.reverse();
                return self.media_files();
            }
            return self.write_server();
        };
        let file = self.id();
        let want = Want::Open { file, name: name.clone(), head: 0, tail: 0 };
        Ok(Step::read(vec![want], move |got| match opened(got) {
            Ok(ends) => {
                let walk = Walk::new(ends.size, &self.options.limits);
                self.walk(file, name, walk)
            }
            Err(error) if matches!(error.kind, ErrorKind::NoPresentation) => {
                self.missing.push(name);
                self.media_files()
            }
            Err(error) => Err(error.in_file(file)),
        }))
    }

    fn walk(mut self, file: FileId, name: Name, mut walk: Walk) -> Next {
        match walk.wanted() {
            Ok(Some(range)) => Ok(Step::read(vec![Want::Range { file, range }], move |got| {
                let bytes = match got.into_iter().next() {
                    Some(Ok(Got::Range(bytes))) => bytes,
                    Some(Err(error)) => return Err(Error::from(error).in_file(file)),
                    _ => return Err(ErrorKind::WrongOutcome("a range was to be read").into()),
                };
                match walk.feed(&bytes) {
                    Ok(()) => self.walk(file, name, walk),
                    Err(error) => {
                        self.media.push(Medium::failed(name, error.to_string()));
                        self.media_files()
                    }
                }
            })),
            Ok(None) => {
                let medium = Medium::new(name, walk.finish(), &self.findings);
                self.media.push(medium);
                self.media_files()
            }
            Err(error) => {
                self.media.push(Medium::failed(name, error.to_string()));
                self.media_files()
            }
        }
    }

    /// Writes a server manifest, if there is none that is of use.
    fn write_server(mut self) -> Next {
        let found = self.media.iter().filter(|medium| !medium.tracks.is_empty()).count();
        let is_lost = self.server.is_none() && found == 0;
        if is_lost && self.server_size.is_none() {
            return Err(ErrorKind::NoPresentation.into());
        }
        let is_named = |medium: &Medium| self.options.media.contains(&medium.name);
        let has_others =
            self.media.iter().any(|medium| is_named(medium) && !medium.tracks.is_empty());
        if self.server.is_some() && (self.missing.is_empty() || !has_others) {
            return self.open_mended();
        }
        if is_lost {
            let message = format!("{}, and no media is known", self.server_fault);
            let remark = Remark::new(&self.name, FindingCode::FileMissing, message);
            let advice = "put the media beside it, and name them";
            self.mending.remarks.push(remark.advice(advice));
            return Ok(Step::Ready(self.mending));
        }
        if let Some(missing) = self.missing.first() {
            self.server_fault =
                format!("it names {missing}, which is missing, and another file is there");
        }
        let stem = server::stem(&self.name).to_owned();
        let client = self.server.clone().flatten();
        let Some(client) = client.or_else(|| self.name.beside(&format!("{stem}.ismc")).ok()) else {
            return Err(ErrorKind::BadName("a name for a client manifest").into());
        };
        let head = self.options.limits.client_manifest.saturating_add(1);
        let want = Want::Open { file: self.id(), name: client.clone(), head, tail: 0 };
        Ok(Step::read(vec![want], move |got| {
            let limits = &self.options.limits;
            let stored = opened(got).ok();
            let stored = stored.and_then(|ends| ClientManifest::parse(&ends.head, limits).ok());
            let client_stem = server::stem(&client).to_owned();
            let media: Vec<&Medium> =
                self.media.iter().filter(|medium| !medium.tracks.is_empty()).collect();
            let names: Vec<&str> = media.iter().map(|medium| medium.name.as_str()).collect();
            let names = names.join(", ");
            if let Some(text) = server::written(&client_stem, &media, stored.as_ref())? {
                self.server_change = Some(Change {
                    file: self.name.clone(),
                    kind: ChangeKind::ServerManifest,
                    code: FindingCode::FileMissing,
                    reason: format!("{}; one of {names} is written", self.server_fault),
                    size: self.server_size,
                    at: 0,
                    bytes: text.into(),
                });
                self.server = Some(Some(client));
            }
            self.open_mended()
        }))
    }

    fn overlay(&self) -> Overlay {
        let media = self.media.iter().filter_map(|medium| medium.change.as_ref());
        Overlay::new(media.chain(&self.server_change))
    }

    fn open_over(
        mut self,
        overlay: Overlay,
        then: impl FnOnce(Self, Result<Presentation, Error>) -> Next + Send + 'static,
    ) -> Next {
        let options = OpenOptions::default().limits(self.options.limits.clone());
        let step = open(self.name.clone(), &options);
        Nested::open(step, overlay, self.next, move |opened, next| {
            self.next = next;
            then(self, opened)
        })
    }

    /// Opens the presentation with the mended media and the client manifest that is stored.
    fn open_mended(self) -> Next {
        let overlay = self.overlay();
        self.open_over(overlay, |mut work, opened| {
            let presentation = opened?;
            if client::served(&presentation) < work.served {
                // The index was right after all.
                return work.leave_indexes();
            }
            let client = work.server.clone().flatten();
            let fault = client::fault(&presentation, &work.options.limits);
            // What is announced and lost may come back with a copy of its file.
            let is_lost = work.server_change.is_none() && !work.missing.is_empty()
                || work.media.iter().any(|medium| medium.remark.is_some());
            let fault = fault
                .filter(|(code, _)| !is_lost || matches!(code, FindingCode::ManifestGenerated));
            match client.zip(fault) {
                Some((client, (code, message))) => {
                    work.served = client::served(&presentation);
                    let errors = client::errors(&presentation);
                    work.read_client(client, (code, message), presentation, errors)
                }
                None => work.finish(&presentation),
            }
        })
    }

    /// Takes back all indexes that are not those of files without one.
    fn leave_indexes(mut self) -> Next {
        let mut taken_back = false;
        for medium in &mut self.media {
            let is_rebuilt = |change: &mut Change| change.kind == ChangeKind::IndexRebuilt;
            if let Some(change) = medium.change.take_if(is_rebuilt) {
                taken_back = true;
                let message = format!("{}; less would be served with another one", change.reason);
                medium.remark = Some(Remark::new(&medium.name, change.code, message));
            }
        }
        if taken_back {
            return self.open_mended();
        }
        self.served = 0;
        self.open_mended()
    }

    /// Reads the stored client manifest, which is at fault.
    fn read_client(
        mut self,
        client: Name,
        fault: (FindingCode, String),
        as_is: Presentation,
        errors: usize,
    ) -> Next {
        let head = self.options.limits.client_manifest.saturating_add(1);
        let want = Want::Open { file: self.id(), name: client.clone(), head, tail: 0 };
        Ok(Step::read(vec![want], move |got| {
            let stored = match opened(got) {
                Ok(ends) => Some(ends),
                Err(error) if matches!(error.kind, ErrorKind::NoPresentation) => None,
                Err(error) => return Err(error),
            };
            let overlay = self.overlay().without(&client);
            self.open_over(overlay, move |work, opened| {
                let size = stored.as_ref().map(|stored| stored.size);
                let text = stored.as_ref().map(|stored| &stored.head[..]);
                let generated = opened?;
                let mut candidates = client::candidates(text, &generated, &work.options.limits);
                candidates.reverse();
                let rewriting = Rewriting { client, fault, as_is, errors, size, candidates };
                work.try_client(rewriting)
            })
        }))
    }

    /// Tries the next client manifest.
    fn try_client(self, mut rewriting: Rewriting) -> Next {
        let Some(text) = rewriting.candidates.pop() else {
            return self.finish(&rewriting.as_is);
        };
        let text = Bytes::from(text);
        let overlay = self.overlay().with(&rewriting.client, text.clone());
        self.open_over(overlay, move |mut work, opened| {
            let Ok(presentation) = opened else { return work.try_client(rewriting) };
            let is_right = client::fault(&presentation, &work.options.limits).is_none();
            let is_last = rewriting.candidates.is_empty();
            let errors = client::errors(&presentation);
            let is_better = errors < rewriting.errors || is_right && errors == rewriting.errors;
            if !(is_better && (is_right || is_last)) {
                return work.try_client(rewriting);
            }
            let Rewriting { client, fault: (code, message), size, .. } = rewriting;
            let reason = match size {
                None => "it is missing; one of the media is written".to_owned(),
                Some(_) => format!("it contradicts the media: {message}; it is written anew"),
            };
            let kind = ChangeKind::ClientManifest;
            let change = Change { file: client, kind, code, reason, size, at: 0, bytes: text };
            work.mending.changes.push(change);
            work.finish(&presentation)
        })
    }

    /// Gathers the changes, and what stays wrong.
    fn finish(self, mended: &Presentation) -> Next {
        let Self { media, server_change, mut mending, .. } = self;
        let (mut changes, mut remarks) = (Vec::new(), Vec::new());
        for medium in media {
            changes.extend(medium.change);
            remarks.extend(medium.remark);
        }
        changes.append(&mut mending.changes);
        changes.extend(server_change);
        for finding in mended.findings() {
            let is_told = |remark: &Remark| remark.file.is_some() && remark.file == finding.file;
            if finding.severity() == Severity::Error && !remarks.iter().any(is_told) {
                remarks.push(Remark::from(&finding));
            }
        }
        Ok(Step::Ready(Mending { changes, remarks }))
    }
}

/// A client manifest that is written anew.
struct Rewriting {
    client: Name,
    fault: (FindingCode, String),
    /// The presentation without another one.
    as_is: Presentation,
    errors: usize,
    size: Option<u64>,
    /// Texts to try, the next one last.
    candidates: Vec<String>,
}

/// The one file that a batch opened; [`ErrorKind::NoPresentation`] if it is missing.
fn opened(got: Vec<Outcome>) -> Result<FileEnds, Error> {
    match got.into_iter().next() {
        Some(Ok(Got::Opened(ends))) => Ok(ends),
        Some(Err(error)) if error.kind == ReadErrorKind::Gone => {
            Err(ErrorKind::NoPresentation.into())
        }
        Some(Err(error)) => Err(error.into()),
        _ => Err(ErrorKind::WrongOutcome("a file was to be opened").into()),
    }
}
