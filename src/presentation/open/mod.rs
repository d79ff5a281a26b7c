//! Opening: from the name of an `.ism` to a presentation, in at most four batches of reads.
//!
//! 1. the server manifest, whole;
//! 2. the client manifest, whole, and each media file's head and tail; files that are missing are
//!    looked for once more if they may have a second name;
//! 3. the rest of each `moov` and `mfra`; the tails too, if the store gives none with the heads;
//! 4. the first and the last `moof` of each track.
//!
//! Each phase owns what the next one needs: [`Listed`] names the files, [`Reading`] reads their
//! headers and indexes, [`Complete`] pairs their tracks with the manifests, and [`Walking`] walks
//! through files without a usable index.
//!
//! [`Walking`]: walking::Walking
//!
//! A file without an `mfra` may have a `sidx` behind its `moov`, which is read in the third batch as well,
//! or in one more. One that refers to others takes a batch a level.
//!
//! The samples of a progressive file are in its `moov`, which may be behind them: then it is read in the
//! third batch. [`plan`] plans the chunks of all such files.
//!
//! The duration of the content changes the size of the third batch, never the number of reads. Only
//! a file without a usable index is walked through afterwards, with one read per fragment. If reads
//! are slow, these are made in many places of the file at one time.
//!
//! If there is no server manifest, the name may be that of a folder of fragments: see [`folder`]. If the
//! options allow it, it may be that of a media file with `.ism` added: see [`bare`].

mod adopt;
mod announced;
mod assign;
mod bare;
mod complete;
mod cut_off;
mod doubts;
mod evidence;
mod excerpt;
mod folder;
mod for_players;
mod generate;
mod header_chunks;
mod keys;
mod lacking;
mod ladder;
mod licences;
mod listed;
mod matching;
mod measured;
mod media;
mod mend;
mod messages;
mod mix_ups;
mod nearest;
mod own_bytes;
mod plan;
mod progressive;
mod protection;
mod resolve;
mod second_names;
mod served;
mod subsegments;
mod taken;
mod track_set;
mod track_table;
mod tracks;
mod trouble;
mod twins;
mod unmade;
mod unpaired;
mod walk;
mod walking;

use std::collections::HashMap;

use bytes::Bytes;
use memchr::memmem;

pub(crate) use self::bare::media_of as bare_media_of;
use self::complete::Complete;
use self::listed::Listed;
use self::media::MediaOpening;
use self::tracks::MediaTrack;
use self::trouble::Trouble;
use super::finding::{Finding, FindingCode, Findings};
use super::{OpenOptions, Presentation};
use crate::base::{
    Error, ErrorKind, FileEnds, FileId, Got, Name, ReadError, ReadErrorKind, Step, Want,
};
use crate::manifest::{ClientDocument, ServerManifest};

/// Batches of reads that an opening may take, the server manifest's included; one more if the store
/// gives no tails with the heads.
const BATCHES: usize = 4;

/// Bytes of an `mfra` per fragment, with numbers of 64 bits for time and place, and in addition.
const AN_ENTRY: u64 = 19;
const AN_MFRA: u64 = 4 << 10;

type Outcome = Result<Got, ReadError>;

/// Opens the presentation whose server manifest is called `name`, or the folder of fragments of
/// that name, which has a client manifest called `Manifest`.
///
/// A file without a usable index is walked through after the fourth batch, under the budgets
/// [`Limits::scan_reads`](crate::base::Limits::scan_reads) and
/// [`Limits::scan_bytes`](crate::base::Limits::scan_bytes).
///
/// A file that is missing or broken does not take the others down: see
/// [`Presentation::findings`]. Where all are, [`Presentation::manifest`] says so.
///
/// # Errors
/// Fails if the server manifest, or the folder's client manifest, cannot be read.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smooth_origin::base::{Got, Name, FileEnds, ReadError, ReadErrorKind, Want};
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
///         Ok(Got::Opened(FileEnds::new(files[file.index()].len() as u64, head, tail)))
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
        name: options.film.as_ref().unwrap_or(&name).clone(),
        // One byte beyond the limit tells that it is exceeded.
        head: options.limits.server_manifest.saturating_add(1),
        tail: 0,
    };
    Step::read(vec![want], move |got| {
        let text = match opened(got.into_iter().next()) {
            Err(error)
                if matches!(error.kind, ErrorKind::NoPresentation) && options.film.is_none() =>
            {
                return match bare_media_of(&name).filter(|_| options.bare_mp4) {
                    Some(media) => bare::open(name, media, options),
                    None => folder::open(name, options),
                };
            }
            opened => opened?.head,
        };
        let (server, corrections) = ServerManifest::parse_leniently(&text, &options.limits)
            .map_err(|error| error.in_file(FileId::SERVER_MANIFEST))?;
        let mut findings = Findings::new(&options.limits);
        let listed = Listed::new(name, options, text, server, &mut findings);
        for message in corrections {
            let finding = Finding::new(FindingCode::ManifestCorrected, message);
            findings.push(finding.in_file(listed.name.as_str()));
        }
        Reading::new(listed, findings).open_files()
    })
}

/// The one file that a batch opened.
fn opened(got: Option<Outcome>) -> Result<FileEnds, Error> {
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

/// An opening whose files are being read.
struct Reading {
    listed: Listed,
    client_text: Option<Bytes>,
    media: Vec<MediaOpening>,
    /// Number of bytes of headers and indexes that were asked for.
    asked: u64,
    /// Batches that it may take.
    batches: usize,
    /// There is no server manifest: one is written when the tracks are known.
    is_bare: bool,
    findings: Findings,
}

impl Reading {
    fn new(listed: Listed, findings: Findings) -> Self {
        let (media, batches, is_bare) = (Vec::new(), BATCHES, false);
        Self { listed, client_text: None, media, asked: 0, batches, is_bare, findings }
    }

    /// The second batch: the client manifest and all media files.
    fn open_files(self) -> Result<Step<Presentation>, Error> {
        let mut media: Vec<FileId> =
            self.listed.named.iter().filter_map(|named| named.file).collect();
        media.sort_unstable();
        media.dedup();
        let files: Vec<FileId> = self.listed.client.into_iter().chain(media).collect();
        let wants = self.listed.wants(&files);
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
        if self.listed.client.is_some() {
            files.next();
            self.client_opened(got.next())?;
        }
        self.media_opened(files, got);
        self.expect_indexes();
        self.read_on(2)
    }

    /// Guesses how long each `mfra` is if not even its end was read with the file, as from a store
    /// that cannot read the end of an object of unknown size: then it is read at once. Needs
    /// one more batch if the guess is too short.
    fn expect_indexes(&mut self) {
        if !self.media.iter().any(MediaOpening::lacks_tail) {
            return;
        }
        self.batches += 1;
        let text = self.client_text.as_deref().unwrap_or_default();
        let count = |letters: &[u8]| memmem::find_iter(text, letters).count() as u64;
        let chunks = count(b"<c ") / count(b"<StreamIndex").max(1);
        for media in &mut self.media {
            let tracks = self.listed.named.iter().filter(|named| named.file == Some(media.file));
            let entries = chunks.saturating_mul(tracks.count() as u64);
            let bytes = entries.saturating_mul(AN_ENTRY).saturating_add(AN_MFRA);
            media.expect_mfra(bytes.min(self.listed.options.limits.mfra));
        }
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
                let stored = opened.stored_as.as_ref().unwrap_or(&self.listed.files[file.index()]);
                let known = *first.entry(stored.clone()).or_insert(file);
                if known != file {
                    same.insert(file, known);
                    continue;
                }
            }
            self.media.push(media_opened(file, got));
        }
        for file in self.listed.named.iter_mut().filter_map(|named| named.file.as_mut()) {
            *file = same.get(file).copied().unwrap_or(*file);
        }
    }

    /// A file that is stored under another spelling of its name.
    fn compare_spelling(&mut self, file: FileId, got: &Outcome) {
        if let Ok(Got::Opened(FileEnds { stored_as: Some(stored), .. })) = got {
            let named = self.listed.files[file.index()].file_name();
            // On a screen, two Unicode forms of one name look the same.
            let form = match named.to_lowercase() == stored.file_name().to_lowercase() {
                true => "",
                false => ", in another Unicode form (NFC or NFD)",
            };
            let message = format!("it is stored as `{}`{form}", stored.file_name());
            let finding = Finding::new(FindingCode::NameSpelledOtherwise, message);
            self.findings.push(finding.in_file(self.listed.files[file.index()].as_str()));
        }
    }

    /// The contract for names, bitrates and times: where it is there and can just not be read,
    /// nothing is made up in its place.
    fn client_opened(&mut self, got: Option<Outcome>) -> Result<(), Error> {
        let error = match opened(got) {
            Ok(opened) => {
                self.client_text = Some(opened.head);
                return Ok(());
            }
            Err(error) => error,
        };
        let message = match &error.kind {
            ErrorKind::NoPresentation => "the client manifest is not there".into(),
            ErrorKind::Read(why) if why.kind == ReadErrorKind::Denied => {
                format!("the client manifest cannot be read: {why}")
            }
            _ => return Err(error),
        };
        let cause = matches!(error.kind, ErrorKind::Read(_)).then_some(error);
        self.listed.generated_because(message, cause, &mut self.findings);
        Ok(())
    }

    /// Further batches, until no file needs one or as many as may be have been made.
    fn read_on(mut self, batches: usize) -> Result<Step<Presentation>, Error> {
        let (mut wants, mut wanted) = (Vec::new(), Vec::new());
        for (number, media) in self.media.iter_mut().enumerate() {
            let ranges = media.advance(&self.listed.options.limits);
            let bytes: u64 = ranges.iter().map(|range| range.end - range.start).sum();
            self.asked += bytes;
            if self.asked > self.listed.options.limits.opening {
                self.asked -= bytes;
                media.fail(Trouble::beyond_budget(&self.listed.options.limits));
                continue;
            }
            for range in ranges {
                wanted.push((number, range.start));
                wants.push(Want::Range { file: media.file, range });
            }
        }
        let more = self.media.iter().map(MediaOpening::more_batches).max().unwrap_or(0);
        if wants.is_empty() || batches >= self.batches + more {
            return Ok(self.finish());
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

    /// Goes on when all headers and indexes are there: to the walks, if files need one, else to the
    /// end.
    fn finish(self) -> Step<Presentation> {
        let Self { mut listed, client_text, media, is_bare, findings, .. } = self;
        let limits = &listed.options.limits;
        let finished = media.into_iter().map(|media| (media.file, media.finish(limits)));
        let mut media: Vec<_> = finished.collect();
        if is_bare {
            listed.name_tracks(&media);
        }
        let limits = &listed.options.limits;
        let client = client_text.clone().map(|text| ClientDocument::parse(text, limits));
        let manifest = client.as_ref().and_then(|client| client.as_ref().ok());
        plan::plan(&listed, manifest.map(ClientDocument::manifest), &mut media);
        let tracks = media.iter_mut().flat_map(|(_, media)| media.tracks.iter_mut().flatten());
        tracks.for_each(MediaTrack::add_header_chunk);
        Complete { listed, client_text, client, media, walked: Vec::new(), trails: Vec::new() }
            .finish(findings)
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
