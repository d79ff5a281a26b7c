//! Opening a folder of fragments: a folder with the name of a presentation, a client manifest and a
//! file per fragment, as `ffmpeg -f smoothstreaming film.ism` or a copy of a site makes it.
//!
//! ```text
//! film.ism/Manifest
//! film.ism/QualityLevels(300000)/Fragments(video=0)
//! ```
//!
//! Opening takes at most five batches of reads if there are no more than sixteen folders, including
//! the batch that did not find a server manifest:
//!
//! 1. (the server manifest, which does not exist;)
//! 2. the client manifest, whole;
//! 3. the list of each quality's folder, sixteen folders at a time;
//! 4. for folders without fragments, the list under a name that a tool may have encoded;
//! 5. the first and the last fragment of each track, unless the presentation is live.
//!
//! The client manifest determines what is announced. The names of the files show which of its
//! chunks have media, and when chunks start if the manifest does not say so.

mod folders;
mod names;
mod present;
mod times;

use crate::presentation::probe::SMALL;
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::presentation::segmented::Segmented;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex, OnceLock};

use self::folders::{Folders, encoded, folder_of};
use self::names::usual;
use self::present::Present;
use super::adopt::{Adopted, check, cut, pixel_aspect, role};
use super::keys::{Labels, check_keys};
use super::mend::Cut;
use super::served::{report_corrections, served_text};
use super::{Outcome, opened};
use super::{for_players, protection};
use crate::base::{Error, ErrorKind, FileId, Got, Limits, Name, ReadErrorKind, Step, Want};
use crate::fragment::Defaults;
use crate::manifest::{ClientManifest, Layout, QualityLevel, Stored, StreamIndex};
use crate::presentation::client_manifest::ClientManifestText;
use crate::presentation::finding::{Finding, FindingCode, Findings, label};
use crate::presentation::fragment_file::{Seen, see};
use crate::presentation::fragment_files::FragmentFiles;
use crate::presentation::representation_map::RepresentationMap;
use crate::presentation::role::settle;
use crate::presentation::stream::{Absent, Media, announced, word};
use crate::presentation::validator::ContentHash;
use crate::presentation::{
    ManifestSource, OpenOptions, Presentation, Stream, Timeline, Track, Window,
};
use bytes::Bytes;

/// The client manifest's name in its folder.
const MANIFEST: &str = "Manifest";

/// The id of the client manifest; it follows the folder's.
const MANIFEST_ID: FileId = FileId::new(1);

/// Number of bytes of a fragment that are looked at.
const LOOK: u64 = 16 << 10;

/// Number of folders that are listed in one batch. The names of a batch are in memory before they
/// are counted against [`Limits::listed_names`].
const LISTED_AT_ONCE: usize = 16;

/// Maximum number of fragments that are looked at.
const MOST_LOOKS: usize = 128;

/// The name of the client manifest of a folder of this name.
pub(super) fn manifest_of(name: &Name) -> Option<Name> {
    Name::new(&format!("{name}/{MANIFEST}")).ok()
}

/// Opens the folder of this name, if it has a client manifest.
pub(super) fn open(name: Name, options: OpenOptions) -> Result<Step<Presentation>, Error> {
    let manifest = manifest_of(&name).ok_or(ErrorKind::NoPresentation)?;
    let want = Want::Open {
        file: MANIFEST_ID,
        name: manifest.clone(),
        head: options.limits.client_manifest.saturating_add(1),
        tail: 0,
    };
    Ok(Step::read(vec![want], move |got| {
        let text = opened(got.into_iter().next())?.head;
        let stored = parse(&text, &options.limits)?.into_owned();
        let (folders, uses) = (Folders::new(&name, &stored.manifest), HashMap::new());
        let findings = Findings::new(&options.limits);
        let opening = Opening { name, manifest, options, text, stored, folders, uses, findings };
        let as_wanted = |folder: &Name| Listing { wanted: folder.clone(), listed: folder.clone() };
        let listings = opening.folders.wanted.iter().map(as_wanted).collect();
        opening.list(listings, Opening::list_encoded)
    }))
}

fn parse<'t>(text: &'t [u8], limits: &Limits) -> Result<Stored<'t>, Error> {
    Stored::parse(text, limits).map_err(|error| error.in_file(MANIFEST_ID))
}

/// An opening in progress.
struct Opening {
    name: Name,
    manifest: Name,
    options: OpenOptions,
    text: Bytes,
    /// The parsed manifest, with the times of the files once they are known.
    stored: Stored<'static>,
    folders: Folders,
    /// Number of tracks that use the files of one stream in one folder. The stream has the name
    /// that the files spell.
    uses: HashMap<(Name, String), usize>,
    findings: Findings,
}

/// A folder to list.
struct Listing {
    /// The name that the manifest gives it.
    wanted: Name,
    /// The name that is listed.
    listed: Name,
}

impl Opening {
    /// Lists these folders, a few at a time, and continues with `then`. The budget for names is
    /// checked after each batch.
    fn list(
        mut self,
        mut listings: VecDeque<Listing>,
        then: fn(Self) -> Result<Step<Presentation>, Error>,
    ) -> Result<Step<Presentation>, Error> {
        let batch: Vec<_> = listings.drain(..listings.len().min(LISTED_AT_ONCE)).collect();
        if batch.is_empty() {
            return then(self);
        }
        let want = |listing: &Listing| Want::List { folder: listing.listed.clone() };
        let wants = batch.iter().map(want).collect();
        Ok(Step::read(wants, move |got| {
            for (Listing { wanted, listed }, got) in batch.into_iter().zip(got) {
                self.folders.keep(&wanted, listed, Some(got), &self.options.limits)?;
            }
            self.list(listings, then)
        }))
    }

    /// Lists folders without fragments again, under the name that a tool may have given them.
    fn list_encoded(self) -> Result<Step<Presentation>, Error> {
        let empty = self.folders.empty().into_iter();
        let listing = |wanted: Name| Some(Listing { listed: encoded(&wanted)?, wanted });
        let listings = empty.filter_map(listing).collect();
        self.list(listings, Self::look)
    }

    /// Looks at the first and the last fragment of each track.
    fn look(mut self) -> Result<Step<Presentation>, Error> {
        let limits = self.options.limits.clone();
        let is_live = self.stored.manifest.is_live == Some(true);
        let is_rewritten = !is_live && self.mend_times(&limits)?;
        let manifest = mem::take(&mut self.stored.manifest);
        let streams = self.streams(&manifest, is_live, &limits);
        self.stored.manifest = manifest;
        let looks = if is_live { Vec::new() } else { looks(&streams) };
        if looks.is_empty() {
            return self.conclude(streams, is_live, is_rewritten).map(Step::Ready);
        }
        let want = |(number, look): (usize, &FirstOrLast)| Want::Fragment {
            file: FileId::new(MANIFEST_ID.index() as u32 + 1 + number as u32),
            name: look.name.clone(),
            head: LOOK,
        };
        let wants = looks.iter().enumerate().map(want).collect();
        Ok(Step::read(wants, move |got| {
            for (look, got) in looks.iter().zip(got) {
                self.judge(look, got, &streams, &limits);
            }
            self.conclude(streams, is_live, is_rewritten).map(Step::Ready)
        }))
    }

    /// Rewrites the manifest if the names of the files show other times. Returns whether they do.
    fn mend_times(&mut self, limits: &Limits) -> Result<bool, Error> {
        let mut manifest = mem::take(&mut self.stored.manifest);
        let (mut is_mended, mut looked_at) = (false, 0);
        for number in 0..manifest.streams.len() {
            let stream = &manifest.streams[number];
            // Streams may share files. Each file is looked at a few times, not once per stream.
            if stream.is_embedded() || looked_at > limits.uses_of_track as u64 * self.folders.names
            {
                continue;
            }
            let name = stream.name().into_owned();
            let folders: BTreeSet<_> =
                stream.qualities.iter().filter_map(|q| folder_of(&self.name, q)).collect();
            let listed = folders.iter().filter_map(|of| self.folders.listed.get(of)?.1.as_ref());
            let mut times: Vec<u64> = listed.flat_map(|files| files.times(&name)).collect();
            looked_at += times.len() as u64;
            times.sort_unstable();
            times.dedup();
            let timescale = manifest.timescale_of(stream);
            let Some(chunks) = times::mended(&stream.chunks, timescale, &times, limits) else {
                continue;
            };
            let start = chunks.first().and_then(|chunk| chunk.time).unwrap_or(0);
            let message =
                format!("its chunks are announced from {start}, following the names of its files");
            let finding = Finding::new(FindingCode::TimesFromNames, message).of_track(&name);
            self.findings.push(finding.in_file(self.manifest.as_str()));
            manifest.streams[number].chunks = chunks;
            is_mended = true;
        }
        if is_mended {
            // The rewritten text has nothing left to correct.
            let file = self.manifest.as_str();
            report_corrections(&self.stored.decoded, &self.stored, file, &mut self.findings);
            self.text = manifest.to_xml(Layout::Full, limits)?.into();
            self.stored = parse(&self.text, limits)?.into_owned();
        } else {
            self.stored.manifest = manifest;
        }
        Ok(is_mended)
    }

    /// Returns the streams that the manifest announces, with the files that exist.
    fn streams(
        &mut self,
        manifest: &ClientManifest,
        is_live: bool,
        limits: &Limits,
    ) -> Vec<Stream> {
        let labels = Labels::new(&manifest.streams);
        let mut streams = Vec::with_capacity(manifest.streams.len());
        for index in &manifest.streams {
            let name = index.name().into_owned();
            let (timeline, is_possible) = match Timeline::new(&index.chunks, limits) {
                Ok(timeline) => (timeline, true),
                Err(error) => {
                    let finding = Finding::new(FindingCode::TimesInvalid, error.to_string());
                    self.findings.push(finding.of_track(&name).because(error));
                    (Timeline::default(), false)
                }
            };
            let timescale = manifest.timescale_of(index);
            let mut tracks = Vec::with_capacity(index.qualities.len());
            for quality in &index.qualities {
                let attributes = quality.custom_attributes.clone();
                let is_asked_for = is_possible && !index.is_embedded();
                let media = match is_asked_for {
                    true => self.media(&name, quality, &timeline, is_live),
                    false => Media::Absent(Absent::Missing),
                };
                tracks.push(Track {
                    kind: index.kind,
                    bitrate: quality.bitrate,
                    attributes,
                    media,
                    description: announced(index, quality),
                    pixel_aspect: pixel_aspect(index, quality, None).map(Box::new),
                });
            }
            streams.push(Stream {
                kind: index.kind,
                name,
                label: labels.of(index).map(str::to_owned),
                language: index.language.clone(),
                timescale,
                timeline,
                tracks,
                subtype: word(index.subtype.as_deref()),
                parent: word(index.parent.as_deref()),
                scheme: word(index.event_scheme()),
                role: role(index, &labels, None),
                window: Window::default(),
            });
        }
        streams
    }

    /// Finds the files of a track.
    fn media(
        &mut self,
        stream: &str,
        quality: &QualityLevel,
        timeline: &Timeline,
        is_live: bool,
    ) -> Media {
        let label = label(stream, quality.bitrate);
        let Some(folder) = folder_of(&self.name, quality) else {
            let message = "no folder can have the name of this quality";
            let finding = Finding::new(FindingCode::NameRefused, message).of_track(&label);
            self.findings.push(finding.in_file(self.manifest.as_str()));
            return Media::Absent(Absent::Missing);
        };
        let Some((folder, Some(names))) = self.folders.listed.get(&folder) else {
            // If the storage cannot list, the manifest is relied on.
            let mut files = FragmentFiles::new(folder, (&usual(stream), ")"), Vec::new());
            files.count = timeline.len();
            return Media::Files(Box::new(files));
        };
        // Several spellings of a stream's name may stand for the same files.
        let spelled = names.spelled(stream).unwrap_or(stream).to_owned();
        let uses = self.uses.entry((folder.clone(), spelled)).or_default();
        *uses += 1;
        let limit = self.options.limits.uses_of_track;
        if *uses > limit {
            let message = format!(
                "more tracks than the budget of {limit} (`uses_of_track`) share these files"
            );
            let finding = Finding::new(FindingCode::BudgetExceeded, message).of_track(&label);
            self.findings.push(finding.in_file(folder.as_str()));
            return Media::Absent(Absent::Missing);
        }
        let mut files = names.files(folder.clone(), stream);
        let there = Present::new(timeline, names.times(stream));
        files.count = there.count;
        let mut tell = |code, message: String, chunk: Option<u64>| {
            let finding = Finding::new(code, message).of_track(&label).at_chunk(chunk);
            let name = chunk.and_then(|time| files.name(time).ok());
            self.findings.push(finding.in_file(name.as_ref().unwrap_or(folder).as_str()));
        };
        if there.count == 0 && !timeline.is_empty() {
            let message = format!("there is no file `Fragments({stream}=…)` of any chunk");
            tell(FindingCode::FragmentFileMissing, message, None);
            return Media::Absent(Absent::Missing);
        }
        let (count, len) = (there.count, timeline.len());
        // The window of a live presentation may have moved on since its manifest was read.
        let missing = if is_live { there.gap } else { there.first_missing };
        if let Some(time) = missing {
            let message =
                format!("{count} of the {len} chunks have a file: this is the first without");
            tell(FindingCode::FragmentFileMissing, message, Some(time));
        }
        if there.unannounced > 0 && !is_live {
            let message = format!("fragment files without a chunk: {}", there.unannounced);
            tell(FindingCode::FragmentsWithoutChunk, message, None);
        }
        Media::Files(Box::new(files))
    }

    /// Reports a fragment that cannot be served.
    fn judge(&mut self, look: &FirstOrLast, got: Outcome, streams: &[Stream], limits: &Limits) {
        let Some(stream) = streams.get(look.stream) else { return };
        let wrong = match got {
            Ok(Got::Opened(opened)) => {
                match see(&opened.head, None, opened.size, limits) {
                    Ok(Seen::Whole(_, stored)) => {
                        stored.check_samples(Defaults::default(), limits).err()
                    }
                    // The rest is checked when the fragment is requested.
                    Ok(Seen::Needs(_)) => None,
                    Err(error) => Some(error),
                }
            }
            Ok(_) => None,
            Err(error) => Some(error.into()),
        };
        let Some(error) = wrong else { return };
        let code = match &error.kind {
            ErrorKind::Read(read) if read.kind == ReadErrorKind::Gone => {
                FindingCode::FragmentFileMissing
            }
            ErrorKind::Read(_) => FindingCode::FileUnreadable,
            _ => FindingCode::FragmentBroken,
        };
        let finding = Finding::new(code, error.to_string()).at_chunk(Some(look.time));
        let finding = finding.of_track(&label(&stream.name, look.bitrate)).because(error);
        self.findings.push(finding.in_file(look.name.as_str()));
    }

    fn conclude(
        mut self,
        streams: Vec<Stream>,
        is_live: bool,
        is_rewritten: bool,
    ) -> Result<Presentation, Error> {
        let limits = self.options.limits.clone();
        let stored = self.stored;
        if is_live {
            let finding = Finding::new(FindingCode::LivePresentation, "it says `IsLive`");
            self.findings.push(finding.in_file(self.manifest.as_str()));
        }
        for_players::check(&stored.manifest, &mut self.findings);
        let mut adopted = Adopted { streams, cuts: Vec::new(), has_left_out: false };
        for (index, stream) in stored.manifest.streams.iter().zip(&adopted.streams) {
            let mut cut = cut(index, stream, &mut self.findings);
            if self.options.without_event_streams && index.is_of_events() {
                adopted.has_left_out = true;
                cut = Cut::All;
            }
            let is_cut = cut == Cut::All;
            adopted.cuts.push(cut);
            check(stream, &mut self.findings);
            if !is_live && !is_cut {
                for_players::check_stream(index, stream, &mut self.findings);
            }
        }
        check_keys(&stored.manifest.streams, &adopted.streams, &mut self.findings);
        let file = self.manifest.as_str();
        let (manifest, source) = served_text(
            &self.text,
            &stored.decoded,
            &stored,
            &adopted.cuts,
            file,
            &mut self.findings,
        );
        let source = if is_rewritten { ManifestSource::Mended } else { source };
        let mut hash = ContentHash::new(&self.options.epoch);
        hash.part(Some(&manifest));
        let is_of_use = adopted.is_of_use() || stored.manifest.streams.iter().all(is_silent);
        let manifest = match is_of_use {
            true => Ok(manifest),
            false => Err(nothing(&self.findings)),
        };
        settle(&mut adopted.streams);
        Ok(Presentation {
            whole: SMALL,
            #[cfg(any(feature = "dash", feature = "hls"))]
            segmented: Segmented::new(&adopted.streams),
            heads: OnceLock::new(),
            clips: OnceLock::new(),
            files: vec![self.name.clone(), self.manifest],
            name: self.name,
            streams: adopted.streams,
            client_manifest: ClientManifestText::new(manifest, source, Layout::Full)
                .with_left_out(adopted.has_left_out),
            protection: protection::systems(&stored.manifest.protection, &[]),
            content: hash.finish(),
            epoch: mem::take(&mut self.options.epoch).into(),
            is_live,
            grown: None,
            ended: None,
            messages: Arc::default(),
            clip: None,
            is_folder: true,
            findings: self.findings.sorted(),
            kept: RepresentationMap::new(self.options.text_budget.clone()),
            late: Arc::new(Mutex::new(Findings::new(&limits))),
            walked: Vec::new(),
            trails: Mutex::default(),
            lying: Mutex::default(),
            limits,
        })
    }
}

/// Returns whether a stream announces nothing that could be requested.
fn is_silent(stream: &StreamIndex) -> bool {
    stream.chunks.is_empty() || stream.qualities.is_empty() || stream.is_embedded()
}

fn nothing(findings: &Findings) -> ErrorKind {
    let findings = findings.clone().sorted();
    let first: Vec<_> = findings.iter().take(3).map(Finding::to_string).collect();
    let public = findings.first().map_or_else(String::new, Finding::public);
    ErrorKind::NothingToServe { findings: first.join("; "), public }
}

/// A fragment that is looked at.
struct FirstOrLast {
    stream: usize,
    bitrate: u32,
    time: u64,
    name: Name,
}

/// The first and the last fragment of each track.
fn looks(streams: &[Stream]) -> Vec<FirstOrLast> {
    let mut looks = Vec::new();
    for (number, stream) in streams.iter().enumerate() {
        let last = stream.timeline.len().saturating_sub(1);
        for track in &stream.tracks {
            let Media::Files(files) = &track.media else { continue };
            for chunk in [Some(0), Some(last).filter(|&last| last > 0)].into_iter().flatten() {
                let Some((time, _)) = stream.timeline.chunk(chunk) else { continue };
                let Ok(name) = files.name(time) else { continue };
                looks.push(FirstOrLast { stream: number, bitrate: track.bitrate, time, name });
            }
        }
    }
    looks.truncate(MOST_LOOKS);
    looks
}
