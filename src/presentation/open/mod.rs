//! Opening: from the name of an `.ism` to a presentation, in at most four batches of reads.
//!
//! 1. the server manifest, whole;
//! 2. the client manifest, whole, and each media file's head and tail; files that are missing are
//!    looked for once more if they may have a second name;
//! 3. the rest of each `moov` and `mfra`;
//! 4. the first and the last `moof` of each track.
//!
//! The duration of the content changes the size of the third batch, never the number of reads. Only
//! a file without a usable index is walked through afterwards, with one read per fragment.
//!
//! If there is no server manifest, the name may be that of a folder of fragments: see [`folder`].

mod adopt;
mod announced;
mod assign;
mod evidence;
mod excerpt;
mod folder;
mod for_players;
mod generate;
mod keys;
mod ladder;
mod licences;
mod matching;
mod media;
mod mend;
mod nearest;
mod protection;
mod resolve;
mod second_names;
mod served;
mod taken;
mod track_set;
mod track_table;
mod tracks;
mod trouble;
mod unpaired;
mod walk;
mod walking;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};
use std::{iter, mem};

use bytes::Bytes;

use self::media::{HEAD, MediaFile, MediaOpening, TAIL};
use self::resolve::{Named, resolve};
use self::trouble::Trouble;
use self::walking::Walking;
use super::finding::{Finding, FindingCode, Findings, cut};
use super::validator::ContentHash;
use super::{OpenOptions, Presentation};
use crate::base::{
    Error, ErrorKind, FileId, Got, Name, Opened, ReadError, ReadErrorKind, Step, Want,
};
use crate::manifest::{ServerManifest, Stored};

/// Batches of reads that an opening may take, the server manifest's included.
const BATCHES: usize = 4;

type Outcome = Result<Got, ReadError>;

/// Opens the presentation whose server manifest is called `name`, or the folder of fragments of
/// that name, which has a client manifest called `Manifest`.
///
/// A file without a usable index is walked through after the fourth batch, under the budgets
/// [`Limits::scan_reads`] and [`Limits::scan_bytes`].
///
/// A file that is missing or broken does not take the others down: see
/// [`Presentation::findings`]. Where all are, [`Presentation::manifest`] says so.
///
/// # Errors
/// Fails if the server manifest, or the folder's client manifest, cannot be read.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smooth_origin::base::{Got, Name, Opened, ReadError, ReadErrorKind, Want};
/// use smooth_origin::presentation::{OpenOptions, open};
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
/// let mut files: Vec<Vec<u8>> = Vec::new();
/// let step = open(Name::new("ffmpeg/ffmpeg.ism")?, &OpenOptions::default());
/// let presentation = step.drive(|want| match want {
///     Want::Open { file, name, head, tail } => {
///         let path = format!("{root}/{name}");
///         let bytes = std::fs::read(path).map_err(|_| ReadError::new(ReadErrorKind::Gone))?;
///         files.resize(files.len().max(file.index() + 1), Vec::new());
///         let (head, tail) = (*head as usize, *tail as usize);
///         let head = bytes[..head.min(bytes.len())].to_vec().into();
///         let tail = bytes[bytes.len() - tail.min(bytes.len())..].to_vec().into();
///         files[file.index()] = bytes;
///         Ok(Got::Opened(Opened::new(files[file.index()].len() as u64, head, tail)))
///     }
///     Want::Range { file, range } => {
///         let range = range.start as usize..range.end as usize;
///         Ok(Got::Range(files[file.index()][range].to_vec().into()))
///     }
///     _ => unreachable!("no other want is known"),
/// })?;
/// assert_eq!(presentation.streams()[0].name(), "video");
/// # Ok(())
/// # }
/// ```
pub fn open(name: Name, options: &OpenOptions) -> Step<Presentation> {
    let options = options.clone();
    let want = Want::Open {
        file: FileId::SERVER_MANIFEST,
        name: name.clone(),
        // One byte beyond the limit tells that it is exceeded.
        head: options.limits.server_manifest.saturating_add(1),
        tail: 0,
    };
    Step::read(vec![want], move |got| {
        let text = match opened(got.into_iter().next()) {
            Err(error) if matches!(error.kind, ErrorKind::NoPresentation) => {
                return folder::open(name, options);
            }
            opened => opened?.head,
        };
        let (server, corrections) = ServerManifest::parse_leniently(&text, &options.limits)
            .map_err(|error| error.in_file(FileId::SERVER_MANIFEST))?;
        let mut opening = Opening::new(name, options, text, server);
        for message in corrections {
            let finding = Finding::new(FindingCode::ManifestCorrected, message);
            opening.findings.push(finding.in_file(opening.name.as_str()));
        }
        opening.open_files()
    })
}

/// The one file that a batch opened.
fn opened(got: Option<Outcome>) -> Result<Opened, Error> {
    match got {
        Some(Ok(Got::Opened(opened))) => Ok(opened),
        Some(Err(error)) if error.kind == ReadErrorKind::Gone => {
            Err(ErrorKind::NoPresentation.into())
        }
        Some(Err(error)) => Err(error.into()),
        Some(Ok(Got::Range(_) | Got::Listed(_))) | None => {
            Err(ErrorKind::WrongOutcome("a file was to be opened").into())
        }
    }
}

/// An opening in progress.
struct Opening {
    name: Name,
    options: OpenOptions,
    server_text: Bytes,
    server: ServerManifest,
    /// By id.
    files: Vec<Name>,
    /// One a track of the server manifest.
    named: Vec<Named>,
    client: Option<FileId>,
    client_text: Option<Bytes>,
    media: Vec<MediaOpening>,
    /// Bytes of headers and indexes asked for.
    asked: u64,
    /// Files that were walked through.
    walked: Vec<FileId>,
    findings: Findings,
}

impl Opening {
    /// Names every file once, in the order of the server manifest.
    fn new(name: Name, options: OpenOptions, server_text: Bytes, server: ServerManifest) -> Self {
        let findings = Findings::new(&options.limits);
        let mut opening = Self {
            files: vec![name.clone()],
            name,
            options,
            server_text,
            server,
            named: Vec::new(),
            client: None,
            client_text: None,
            media: Vec::new(),
            asked: 0,
            walked: Vec::new(),
            findings,
        };
        let client = opening.server.client_manifest().map(str::to_owned);
        let mut ids = HashMap::from([(opening.name.clone(), FileId::SERVER_MANIFEST)]);
        opening.client = client.and_then(|path| opening.file(&path, &mut ids));
        let srcs: Vec<_> =
            opening.server.tracks.iter().map(|track| track.src().map(str::to_owned)).collect();
        for src in srcs {
            let file = src.as_deref().and_then(|src| opening.file(src, &mut ids));
            let name = match file {
                Some(file) => opening.files[file.index()].to_string(),
                None => cut(src.as_deref().unwrap_or_default()).into_owned(),
            };
            opening.named.push(Named { file, name });
        }
        opening
    }

    /// The id of a file that the server manifest refers to.
    fn file(&mut self, reference: &str, ids: &mut HashMap<Name, FileId>) -> Option<FileId> {
        let name = match self.name.beside(reference) {
            Ok(name) => name,
            Err(error) => {
                let message = format!("`{}` is not opened: {}", cut(reference), error.kind);
                let finding = Finding::new(FindingCode::NameRefused, message);
                self.findings.push(finding.in_file(self.name.as_str()));
                return None;
            }
        };
        if let Some(known) = ids.get(&name) {
            return Some(*known);
        }
        let id = FileId::new(u32::try_from(self.files.len()).ok()?);
        self.files.push(name.clone());
        ids.insert(name, id);
        Some(id)
    }

    /// The second batch: the client manifest and all media files.
    fn open_files(self) -> Result<Step<Presentation>, Error> {
        let mut media: Vec<FileId> = self.named.iter().filter_map(|named| named.file).collect();
        media.sort_unstable();
        media.dedup();
        let files: Vec<FileId> = self.client.into_iter().chain(media).collect();
        let wants = self.wants(&files);
        if wants.is_empty() {
            return self.read_on(BATCHES);
        }
        Ok(Step::read(wants, move |got| self.try_second_names(files, got)))
    }

    /// Takes the outcomes for the client manifest, if there is one, and for the media files.
    fn files_opened(
        mut self,
        files: Vec<FileId>,
        got: Vec<Outcome>,
    ) -> Result<Step<Presentation>, Error> {
        for (file, got) in files.iter().zip(&got) {
            self.compare_spelling(*file, got);
        }
        let (mut files, mut got) = (files.into_iter(), got.into_iter());
        if self.client.is_some() {
            files.next();
            self.client_opened(got.next())?;
        }
        self.media_opened(files, got);
        self.read_on(2)
    }

    /// Returns the wants that open these files: the first, if it is the client manifest, is read
    /// whole, and media files are read at their ends.
    fn wants(&self, files: &[FileId]) -> Vec<Want> {
        let whole = (self.options.limits.client_manifest.saturating_add(1), 0);
        let mut ends = self.client.map(|_| whole).into_iter().chain(iter::repeat((HEAD, TAIL)));
        let want = |&file: &FileId| {
            let (head, tail) = ends.next()?;
            Some(Want::Open { file, name: self.files[file.index()].clone(), head, tail })
        };
        files.iter().filter_map(want).collect()
    }

    /// The media files. One that several tracks name under different spellings is opened once: its
    /// headers and fragments would be read and kept for every spelling.
    fn media_opened(
        &mut self,
        media: impl Iterator<Item = FileId>,
        got: impl Iterator<Item = Outcome>,
    ) {
        let mut first: HashMap<Name, FileId> = HashMap::new();
        let mut same: HashMap<FileId, FileId> = HashMap::new();
        for (file, got) in media.zip(got) {
            if let Ok(Got::Opened(opened)) = &got {
                let stored = opened.stored_as.as_ref().unwrap_or(&self.files[file.index()]);
                let known = *first.entry(stored.clone()).or_insert(file);
                if known != file {
                    same.insert(file, known);
                    continue;
                }
            }
            self.media.push(media_opened(file, got));
        }
        for file in self.named.iter_mut().filter_map(|named| named.file.as_mut()) {
            *file = same.get(file).copied().unwrap_or(*file);
        }
    }

    /// A file that is stored under another spelling of its name.
    fn compare_spelling(&mut self, file: FileId, got: &Outcome) {
        if let Ok(Got::Opened(Opened { stored_as: Some(stored), .. })) = got {
            let named = self.files[file.index()].file_name();
            // On a screen, two Unicode forms of one name look the same.
            let form = match named.to_lowercase() == stored.file_name().to_lowercase() {
                true => "",
                false => ", in another Unicode form (NFC or NFD)",
            };
            let message = format!("it is stored as `{}`{form}", stored.file_name());
            let finding = Finding::new(FindingCode::NameSpelledOtherwise, message);
            self.findings.push(finding.in_file(self.files[file.index()].as_str()));
        }
    }

    /// The contract for names, bitrates and times: where it is there and can just not be read,
    /// nothing is made up in its place.
    fn client_opened(&mut self, got: Option<Outcome>) -> Result<(), Error> {
        match opened(got) {
            Ok(opened) => self.client_text = Some(opened.head),
            Err(Error { kind: ErrorKind::NoPresentation, .. }) => {
                self.generated_because("the client manifest is not there".into());
            }
            Err(Error { kind: ErrorKind::Read(why), .. }) if why.kind == ReadErrorKind::Denied => {
                self.generated_because(format!("the client manifest cannot be read: {why}"));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Further batches, until no file needs one or [`BATCHES`] have been made.
    fn read_on(mut self, batches: usize) -> Result<Step<Presentation>, Error> {
        let (mut wants, mut wanted) = (Vec::new(), Vec::new());
        for (number, media) in self.media.iter_mut().enumerate() {
            let ranges = media.advance(&self.options.limits);
            let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
            self.asked += bytes;
            if self.asked > self.options.limits.opening {
                self.asked -= bytes;
                media.fail(Trouble::beyond_budget(&self.options.limits));
                continue;
            }
            for range in ranges {
                wanted.push((number, range.start));
                wants.push(Want::Range { file: media.file, range });
            }
        }
        if wants.is_empty() || batches >= BATCHES {
            return self.finish();
        }
        Ok(Step::read(wants, move |got| {
            for ((number, offset), got) in wanted.into_iter().zip(got) {
                match got {
                    Ok(Got::Range(bytes)) => self.media[number].learn(offset, bytes),
                    Ok(Got::Opened(_) | Got::Listed(_)) => {}
                    Err(error) => self.media[number].fail(Trouble::unreadable(&error)),
                }
            }
            self.read_on(batches + 1)
        }))
    }

    /// All headers and indexes are there.
    fn finish(mut self) -> Result<Step<Presentation>, Error> {
        let limits = self.options.limits.clone();
        let media = mem::take(&mut self.media).into_iter();
        let media: Vec<_> = media.map(|media| (media.file, media.finish(&limits))).collect();
        let text = self.client_text.clone();
        let client = text.as_deref().map(|text| Stored::parse(text, &limits));
        let walks = self.walks(&media, client.as_ref().and_then(|client| client.as_ref().ok()));
        if walks.is_empty() {
            return Ok(Step::Ready(self.conclude(media, client)));
        }
        drop(client);
        Ok(Box::new(Walking::new(self, media, walks)).read_on())
    }

    fn is_distrusted(&self, file: FileId) -> bool {
        self.files.get(file.index()).is_some_and(|name| self.options.distrusted.contains(name))
    }

    fn conclude(
        mut self,
        media: Vec<(FileId, MediaFile)>,
        client: Option<Result<Stored<'_>, Error>>,
    ) -> Presentation {
        let limits = self.options.limits.clone();
        let content = self.content(&media);
        let server = mem::take(&mut self.server);
        let resolved = resolve(&server, &self.named, &media, &limits, &mut self.findings);
        let served = match self.adopted(&server, client, &resolved) {
            Some(served) => served,
            None => self.generated(&media, &resolved),
        };
        Presentation {
            name: self.name,
            files: self.files,
            streams: served.streams,
            manifest: served.manifest,
            source: served.source,
            layout: self.options.layout,
            has_repeats: OnceLock::new(),
            has_left_out: served.has_left_out,
            content,
            epoch: self.options.epoch.into(),
            is_live: false,
            is_folder: false,
            findings: self.findings.sorted(),
            late: Mutex::new(Findings::new(&limits)),
            walked: self.walked,
            lying: Mutex::default(),
            limits,
        }
    }

    /// The hash of what the validators stand for.
    fn content(&self, media: &[(FileId, MediaFile)]) -> u128 {
        let mut hash = ContentHash::new(&self.options.epoch);
        hash.part(Some(&self.server_text));
        hash.part(self.client_text.as_deref());
        for (_, file) in media {
            hash.number(file.size);
            hash.part(Some(&file.moov));
            hash.part(Some(&file.mfra));
        }
        hash.finish()
    }
}

fn media_opened(file: FileId, got: Outcome) -> MediaOpening {
    match got {
        Ok(Got::Opened(opened)) => MediaOpening::new(file, opened),
        Ok(Got::Range(_) | Got::Listed(_)) => {
            MediaOpening::failed(file, Trouble::new(FindingCode::FileUnreadable, ""))
        }
        Err(error) => MediaOpening::failed(file, Trouble::unreadable(&error)),
    }
}
