//! Opening and answering: a presentation of any files is opened in a bounded number of batches, and every
//! reply to a request for it is what its length, its noun and its files say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use smooth_origin::base::{
    Error, ErrorGroup, FileEnds, FileId, Got, Limits, Name, ReadError, ReadErrorKind, Step, Want,
};
use smooth_origin::bmff::{AnyBox, Body, Boxes, Tfhd, Trun};
use smooth_origin::manifest::{ClientManifest, Layout, StreamKind};
use smooth_origin::output::mss::{FragmentRequest, ManifestOptions, Noun, Request, answer};
use smooth_origin::presentation::{
    ManifestSource, OpenOptions, Piece, Presentation, Reply, Stream, Timeline, Track, open,
};

use super::client_manifest::times;
use super::container::Container;
use super::stored_manifest::stored_manifest;
use super::survey::survey;

/// Batches that opening may take, and a walk through files without an index.
pub(super) const BATCHES: usize = 5 + WALK as usize;

/// Reads of a walk through a file.
const WALK: u64 = 64;

/// Batches that a reply may take: a fragment's head is given up after so many.
const LOOKS: usize = 8;

/// Chunks of a track that are asked for: the first and the last.
const ASKED: usize = 3;

/// Opens the files of a [`Container`] and asks for everything in them.
pub fn opening(data: &[u8]) {
    let container = Container::decode(data);
    #[cfg(feature = "package")]
    {
        super::mend::mend(&container);
        super::package::package(&container);
    }
    if container.client.is_none() && container.media[0].is_some() {
        let files = Files { name: "1.mp4.ism", ..Files::new(container.clone()) };
        ask_all(&files, &OpenOptions::default().limits(limits()).bare_mp4(true));
    }
    open_and_ask(container);
}

/// Opens some files and asks for everything in them.
pub(super) fn open_and_ask(container: Container) {
    ask_all(&Files::new(container), &OpenOptions::default().limits(limits()));
}

fn ask_all(files: &Files, options: &OpenOptions) {
    let presentation = match files.open(options) {
        Ok(presentation) => Arc::new(presentation),
        Err(error) => return assert_ne!(error.kind.group(), ErrorGroup::Misuse, "{error}"),
    };
    {
        let mut names = &files.names.borrow()[..];
        if files.name != "film.ism" {
            // Behind the presentation and its media, a folder of the name was looked for.
            names = &names[..names.len().min(2)];
        }
        assert!(presentation.files().starts_with(names));
    }
    manifest(files, &presentation);
    stored_manifest(files, &presentation, options);
    if presentation.manifest_source() == ManifestSource::Generated {
        generated(files, &presentation, options);
    }
    survey(files, &presentation);
    for stream in presentation.streams() {
        assert!(stream.tracks().iter().all(|t| t.fragment_count() <= stream.timeline().len()));
        for track in stream.tracks() {
            ask(files, &presentation, stream, track);
        }
    }
    properties(&presentation);
    #[cfg(any(feature = "dash", feature = "hls"))]
    super::segmented::segmented(files, &presentation);
    for finding in presentation.findings() {
        assert!(!finding.to_string().is_empty());
    }
    let lint = presentation.lint();
    assert!(lint.iter().all(|finding| !finding.to_string().is_empty()));
    assert_eq!(lint, presentation.lint());
    assert!(presentation.memory() > 0);
}

/// Asks for all that manifests of other formats announce, and for initialization segments.
fn properties(presentation: &Presentation) {
    for system in presentation.protection() {
        assert_eq!(system.pssh()[4..8], *b"pssh");
        assert!(system.keys().len() <= system.data.len().max(system.key_ids.len()));
    }
    for stream in presentation.streams() {
        assert!(!stream.role().as_str().is_empty());
        assert!(stream.language_tag().is_none_or(|tag| tag.is_ascii()));
        for track in stream.tracks() {
            assert!(track.codecs().is_none_or(|codecs| !codecs.is_empty()));
            assert!(track.frame_rate().is_none_or(|rate| rate.to_f64() > 0.0));
            assert!(track.pixel_aspect_ratio().is_none_or(|(across, down)| across > 0 && down > 0));
            let range = track.colour().and_then(|colour| colour.range());
            for range in [range, track.video_range()] {
                assert!(range.is_none_or(|range| !range.as_str().is_empty()));
            }
            assert!(
                track.sound().is_none_or(|sound| sound.sampling_rate > 0 || sound.channels > 0)
            );
            let scheme = track.encryption().map(|encryption| encryption.scheme.as_str());
            assert!(scheme.is_none_or(|scheme| scheme.len() == 4));
            if let Ok(segment) = presentation.init_segment(stream, track) {
                let parsed = Boxes::parse(&segment, 0, &Limits::default()).expect("it was written");
                assert_eq!(parsed.to_bytes(), segment);
            }
        }
    }
}

/// Budgets that small inputs can exceed.
pub(super) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.server_manifest = 32 << 10;
    limits.client_manifest = 64 << 10;
    limits.tracks = 16;
    limits.moov = 32 << 10;
    limits.progressive_samples = 64 << 10;
    limits.mfra = 32 << 10;
    limits.moof = 32 << 10;
    limits.boxes = 1024;
    limits.samples = 8192;
    limits.chunks = 4096;
    limits.backward_steps = 8;
    limits.findings = 50;
    limits.scan_reads = WALK;
    limits
}

/// Runs a step to its end, in no more batches than that.
pub(super) fn drive<T>(
    step: Step<T>,
    batches: usize,
    get: impl FnMut(&Want) -> Result<Got, ReadError>,
) -> Result<T, Error> {
    drive_at(Duration::ZERO, step, batches, get)
}

/// The same, if each batch takes that long.
fn drive_at<T>(
    pace: Duration,
    mut step: Step<T>,
    batches: usize,
    mut get: impl FnMut(&Want) -> Result<Got, ReadError>,
) -> Result<T, Error> {
    let (mut made, mut empty) = (0, 0);
    loop {
        match step {
            Step::Ready(done) => return Ok(done),
            Step::Read(mut reads) => {
                made += 1;
                reads.took(pace);
                assert!(made <= batches, "a batch more than {batches}: {:?}", reads.wanted());
                // A walk ends with one.
                empty += usize::from(reads.wanted().is_empty());
                assert!(empty <= 1, "two batches of nothing");
                let got = reads.wanted().iter().map(&mut get).collect();
                step = reads.feed(got)?;
            }
        }
    }
}

/// The files of an input, and their names by id as they were opened.
pub(super) struct Files {
    container: Container,
    /// Name of the presentation.
    name: &'static str,
    names: RefCell<Vec<Name>>,
    /// The files of fragments that were opened last, by id.
    fragments: RefCell<BTreeMap<FileId, Name>>,
}

impl Files {
    pub(super) fn new(container: Container) -> Self {
        let (names, fragments) = Default::default();
        Self { container, name: "film.ism", names, fragments }
    }

    pub(super) fn container(&self) -> &Container {
        &self.container
    }

    /// Opens the presentation.
    pub(super) fn open(&self, options: &OpenOptions) -> Result<Presentation, Error> {
        self.open_at(Duration::ZERO, options)
    }

    /// Opens the presentation from a store that is slow, so that walks look ahead.
    pub(super) fn open_slowly(&self, options: &OpenOptions) -> Result<Presentation, Error> {
        self.open_at(Duration::from_millis(50), options)
    }

    fn open_at(&self, pace: Duration, options: &OpenOptions) -> Result<Presentation, Error> {
        let step = open(Name::new(self.name).unwrap(), options);
        let mut reads = 0..;
        drive_at(pace, step, BATCHES, |want| {
            match self.container.failure(reads.next().unwrap_or(0)) {
                Some(kind) => {
                    if let Want::Open { file, name, .. } = want {
                        self.meet(*file, name, false);
                    }
                    Err(ReadError::new(kind))
                }
                None => self.get(want),
            }
        })
    }

    /// Gets a want. Ranges lie inside the file that was opened.
    pub(super) fn get(&self, want: &Want) -> Result<Got, ReadError> {
        match want {
            Want::Open { file, name, head, tail } => {
                let bytes = self.container.file(name.as_str());
                self.meet(*file, name, bytes.is_some());
                let bytes = bytes.ok_or(ReadError::new(ReadErrorKind::Gone))?;
                let part = |len: u64| bytes.len().min(usize::try_from(len).unwrap_or(usize::MAX));
                let (head, tail) = (&bytes[..part(*head)], &bytes[bytes.len() - part(*tail)..]);
                let (head, tail) = (head.to_vec().into(), tail.to_vec().into());
                Ok(Got::Opened(FileEnds::new(bytes.len() as u64, head, tail)))
            }
            Want::Range { file, range } => {
                let bytes = self.bytes(*file);
                assert!(range.start <= range.end, "{want:?}");
                assert!(range.end <= bytes.len() as u64, "{want:?} of {} bytes", bytes.len());
                let range = range.start as usize..range.end as usize;
                Ok(Got::Range(bytes[range].to_vec().into()))
            }
            Want::Fragment { file, name, head } => {
                assert!(file.index() >= self.names.borrow().len(), "{want:?} is a kept file's id");
                self.fragments.borrow_mut().insert(*file, name.clone());
                let bytes = self.container.file(name.as_str());
                let bytes = bytes.ok_or(ReadError::new(ReadErrorKind::Gone))?;
                let head = bytes.len().min(usize::try_from(*head).unwrap_or(usize::MAX));
                let head = bytes[..head].to_vec().into();
                Ok(Got::Opened(FileEnds::new(bytes.len() as u64, head, Default::default())))
            }
            Want::List { folder } => {
                let names = self.container.names().filter_map(|name| Name::new(&name).ok());
                let names = names.filter(|name| name.folder().as_ref() == Some(folder));
                Ok(Got::Listed(Some(names.collect())))
            }
            _ => panic!("no other want is known"),
        }
    }

    /// Keeps the name of a file. A second name replaces the first if the file is there.
    fn meet(&self, file: FileId, name: &Name, is_there: bool) {
        let mut names = self.names.borrow_mut();
        if names.len() <= file.index() {
            names.resize(file.index() + 1, name.clone());
        }
        if is_there {
            names[file.index()] = name.clone();
        }
    }

    /// Some reads fail.
    pub(super) fn is_faulty(&self) -> bool {
        !self.container.failing.is_empty()
    }

    /// An error of this group can be; one of the storage only where it has failed.
    fn may_fail(&self, error: &Error, group: ErrorGroup) {
        let found = error.kind.group();
        assert_ne!(found, ErrorGroup::Misuse, "{error}");
        let storage = found == ErrorGroup::Storage;
        assert!(if storage { self.is_faulty() } else { found == group }, "{error}");
    }

    fn name(&self, file: FileId) -> Name {
        let kept = self.names.borrow().get(file.index()).cloned();
        kept.unwrap_or_else(|| self.fragments.borrow()[&file].clone())
    }

    /// The bytes of a file that was opened.
    fn bytes(&self, file: FileId) -> &[u8] {
        let name = self.name(file);
        self.container.file(name.as_str()).expect("a file that is there")
    }
}

/// The manifest that is served announces what can be asked for.
fn manifest(files: &Files, presentation: &Arc<Presentation>) {
    let bytes = match presentation.manifest() {
        Ok(bytes) => bytes.clone(),
        Err(error) => return files.may_fail(&error, ErrorGroup::Content),
    };
    let manifest = ClientManifest::parse(&bytes, &Limits::default()).unwrap_or_else(|error| {
        panic!("{error} in the served manifest: {}", String::from_utf8_lossy(&bytes))
    });
    let source = presentation.manifest_source();
    if source == ManifestSource::Stored {
        let Container { client, manifest, .. } = &files.container;
        assert_eq!(Some(&bytes[..]), manifest.as_deref().or(client.as_deref()));
    }
    for index in &manifest.streams {
        let mut named = presentation.streams().iter().filter(|s| s.name() == index.name());
        let stream = named.next().expect("a stream that is announced");
        if named.next().is_some() || index.is_embedded() {
            continue;
        }
        if source == ManifestSource::Generated {
            assert_eq!(index.chunks.len(), stream.timeline().len());
        }
        for quality in &index.qualities {
            let alike = |track: &&Track| track.bitrate() == quality.bitrate;
            let tracks: Vec<&Track> = stream.tracks().iter().filter(alike).collect();
            assert!(!tracks.is_empty(), "a track that is announced and is not there");
            if let [track] = tracks[..] {
                // What could not be read is announced, to be there the next time.
                let served = track.is_served() || files.is_faulty();
                assert!(served, "a track that is announced and is not served");
            }
        }
    }
    let request = Request::Manifest(ManifestOptions::default());
    let first = reply(files, presentation, &request).expect("a manifest that is there is a reply");
    assert!(body(files, &first) == bytes);
    again(files, presentation, &request, &first);
    for query in ["start=1&end=3", "start=2", "end=2.5"] {
        part(files, presentation, query);
    }
}

/// The manifest of a part can be read, and announces chunks of the whole alone.
fn part(files: &Files, presentation: &Arc<Presentation>, query: &str) {
    let request = smooth_origin::output::Request::parse("Manifest", Some(query));
    let step = request.expect("times that can be read").answer(presentation);
    let Ok(of_part) = step.and_then(|step| drive(step, LOOKS, |want| files.get(want))) else {
        return;
    };
    let bytes = body(files, &of_part);
    let manifest = ClientManifest::parse(&bytes, &Limits::default()).unwrap_or_else(|error| {
        panic!("{error} in the manifest of a part: {}", String::from_utf8_lossy(&bytes))
    });
    assert!(!manifest.streams.is_empty(), "a part of nothing");
}

/// The other layout says the same, and another epoch makes other validators.
fn generated(files: &Files, presentation: &Arc<Presentation>, options: &OpenOptions) {
    let options = options.clone().layout(Layout::Compact).epoch("other");
    let other = files.open(&options).expect("what was opened is opened again");
    assert_ne!(other.validator(), presentation.validator());
    let (Ok(full), Ok(compact)) = (presentation.manifest(), other.manifest()) else {
        return assert!(presentation.manifest().is_err(), "the shorter layout is too long");
    };
    let limits = Limits::default();
    let parse = |bytes| ClientManifest::parse(bytes, &limits).unwrap();
    for (full, compact) in parse(full).streams.iter().zip(&parse(compact).streams) {
        assert_eq!(times(&full.chunks), times(&compact.chunks));
        assert_eq!((&full.name, &full.qualities), (&compact.name, &compact.qualities));
    }
}

/// Asks for some chunks of a track under every noun.
fn ask(files: &Files, presentation: &Arc<Presentation>, stream: &Stream, track: &Track) {
    let timeline = stream.timeline();
    let last = timeline.len().saturating_sub(ASKED).max(ASKED);
    let numbers = (0..timeline.len().min(ASKED)).chain(last..timeline.len());
    let times = numbers.filter_map(|number| timeline.chunk(number)).map(|(start, _)| start);
    let attributes: Vec<_> =
        track.attributes().iter().map(|a| format!("{}={}", a.name, a.value)).collect();
    let attributes = attributes.join(",");
    for time in times.chain([timeline.end().saturating_add(1)]) {
        let replies = Noun::ALL.map(|noun| {
            let fragment = FragmentRequest {
                noun,
                bitrate: track.bitrate(),
                attributes: attributes.as_str().into(),
                stream: stream.name().into(),
                time,
            };
            let request = Request::Fragment(fragment);
            match reply(files, presentation, &request) {
                Ok(first) => {
                    again(files, presentation, &request, &first);
                    Some((body(files, &first), first))
                }
                Err(error) => {
                    let second = reply(files, presentation, &request).unwrap_err();
                    assert_eq!(second.kind.status(), error.kind.status(), "{error}, then {second}");
                    files.may_fail(&error, error.kind.group());
                    None
                }
            }
        });
        shouted(files, presentation, stream, track, time);
        // Of streams that share a name, one with a track of this bitrate is asked.
        let mut asked = presentation
            .streams()
            .iter()
            .filter(|other| other.name() == stream.name() && has_bitrate(other, track.bitrate()));
        let is_chunk = |timeline: &Timeline| {
            timeline.locate(time).or_else(|| timeline.locate_double(time)).is_some()
        };
        // An encoder writes fragments before it announces them.
        if !presentation.is_live() && !asked.any(|asked| is_chunk(asked.timeline())) {
            assert!(replies.iter().all(Option::is_none), "a reply for a chunk that is not there");
        }
        let [fragment, info, raw, keys] = &replies;
        if let Some((whole, whole_reply)) = fragment {
            let (info, raw) = (info.as_ref().unwrap(), raw.as_ref().unwrap());
            check_fragment(whole, &info.0, &raw.0);
            check_track(files, presentation, stream, track, whole_reply, &info.0);
            if let Some((keys, keys_reply)) = keys {
                check_key_frames(stream.kind(), keys, keys_reply, whole, &info.0);
                check_source(keys_reply, whole_reply, raw.0.len() as u64);
                check_samples(keys, keys_reply, whole_reply, &info.0, raw.0.len() as u64);
            }
        } else {
            assert!(info.is_none() && raw.is_none() && keys.is_none(), "a noun alone");
        }
    }
}

fn has_bitrate(stream: &Stream, bitrate: u32) -> bool {
    stream.tracks().iter().any(|track| track.bitrate() == bitrate)
}

/// A stream is found by its name in other letter case, where no other has that.
fn shouted(
    files: &Files,
    presentation: &Arc<Presentation>,
    stream: &Stream,
    track: &Track,
    time: u64,
) {
    let alike = |other: &&Stream| other.name().to_lowercase() == stream.name().to_lowercase();
    if presentation.streams().iter().filter(alike).count() > 1 {
        return;
    }
    let [as_it_is, upper] =
        [stream.name().to_owned(), stream.name().to_ascii_uppercase()].map(|name| {
            let fragment = FragmentRequest {
                noun: Noun::FragmentInfo,
                bitrate: track.bitrate(),
                attributes: "".into(),
                stream: name.into(),
                time,
            };
            let reply = reply(files, presentation, &Request::Fragment(fragment));
            reply.map(|reply| reply.validator()).map_err(|error| error.kind.status())
        });
    assert_eq!(as_it_is, upper);
}

pub(super) fn reply(
    files: &Files,
    presentation: &Arc<Presentation>,
    request: &Request<'_>,
) -> Result<Reply, Error> {
    drive(answer(presentation, request)?, LOOKS, |want| files.get(want))
}

/// The same request once more: the same reply.
fn again(files: &Files, presentation: &Arc<Presentation>, request: &Request<'_>, first: &Reply) {
    let second = reply(files, presentation, request).expect("what was answered is answered again");
    assert_eq!(second.validator(), first.validator());
    assert_eq!(second.validator().to_string(), first.validator().to_string());
    assert_eq!(second.length(), first.length());
    assert_eq!(second.representation(), first.representation());
    assert!(body(files, &second) == body(files, first));
}

/// The bytes that a reply stands for, with what must hold of its pieces.
pub(super) fn body(files: &Files, reply: &Reply) -> Vec<u8> {
    let lengths: u64 = reply.pieces().iter().map(Piece::len).sum();
    assert_eq!(lengths, reply.length(), "the pieces are not of the reply's length");
    let mut body = Vec::new();
    for piece in reply.pieces() {
        match piece {
            Piece::Bytes(bytes) => body.extend(bytes),
            Piece::Stored(stored) => {
                let file = files.bytes(stored.file);
                let range = stored.range.start as usize..stored.range.end as usize;
                let bytes = file.get(range).expect("a stored range inside of its file");
                assert!(bytes.starts_with(&stored.read), "bytes that were read are of elsewhere");
                body.extend(bytes);
            }
            _ => panic!("no other piece is known"),
        }
    }
    assert_eq!(body.len() as u64, reply.length());
    body
}

/// Kind and length of the box that begins here, by a reader of its own.
fn header(bytes: &[u8]) -> ([u8; 4], usize, usize) {
    let size = u32::from_be_bytes(bytes[..4].try_into().unwrap());
    let kind = bytes[4..8].try_into().unwrap();
    match size {
        0 => (kind, 8, bytes.len()),
        1 => (kind, 16, u64::from_be_bytes(bytes[8..16].try_into().unwrap()) as usize),
        size => (kind, 8, size as usize),
    }
}

/// Checks that a fragment is a `moof`, boxes that may follow it, and an `mdat` to its end, or a
/// `moof` alone whose samples, if it has any, have no bytes. The other nouns are parts of the
/// fragment.
fn check_fragment(whole: &[u8], info: &[u8], raw: &[u8]) {
    let (kind, _, moof) = header(whole);
    assert_eq!(&kind, b"moof");
    assert!(info == &whole[..moof], "another `moof`");
    if whole.len() == moof {
        let traf = traf(whole);
        // Sizes that the fragment leaves to the file's header are not known.
        let default = traf.get::<Tfhd>().and_then(|tfhd| tfhd.default_sample_size);
        let has_bytes = |trun: &Trun| match trun.full.flags & Trun::SIZE {
            0 => trun.sample_count > 0 && default != Some(0),
            _ => trun.samples().any(|sample| sample.size != Some(0)),
        };
        assert!(!traf.all::<Trun>().any(has_bytes), "samples without an `mdat`");
        assert!(raw.is_empty(), "a payload without an `mdat`");
        return;
    }
    let mut at = moof;
    loop {
        let (kind, header, len) = header(&whole[at..]);
        assert_ne!(&kind, b"moof", "two fragments in one");
        if &kind == b"mdat" {
            assert_eq!(at + len, whole.len(), "it does not end with its `mdat`");
            assert!(raw == &whole[at + header..], "another payload");
            return;
        }
        at += len;
    }
}

fn traf(moof: &[u8]) -> Boxes {
    let boxes = Boxes::parse(&moof.to_vec().into(), 0, &Limits::default()).unwrap();
    let moof = boxes.inside(*b"moof").expect("a `moof`");
    moof.inside(*b"traf").expect("a `traf`").clone()
}

/// The fragment is of a track with the name and the bitrate that are asked for.
fn check_track(
    files: &Files,
    presentation: &Presentation,
    stream: &Stream,
    track: &Track,
    reply: &Reply,
    moof: &[u8],
) {
    // Of a fragment that is made, one without bytes of samples names no file.
    let Some((file, _)) = ranges(reply).next() else { return };
    let named = presentation.streams().iter().filter(|other| other.name() == stream.name());
    let tracks = named.flat_map(Stream::tracks);
    let tracks = tracks.filter(|other| other.bitrate() == track.bitrate());
    let (sources, folders): (Vec<_>, Vec<_>) = tracks.map(|t| (t.source(), t.folder())).unzip();
    let folder = files.name(file).folder();
    if folders.iter().any(|known| known.is_some() && *known == folder.as_ref()) {
        return;
    }
    let sources: Vec<_> = sources.into_iter().flatten().collect();
    let track_id = traf(moof).get::<Tfhd>().expect("a `tfhd`").track_id;
    assert!(sources.contains(&(file, track_id)), "of track {track_id}, not {sources:?}");
}

/// The stored ranges of a reply.
fn ranges(reply: &Reply) -> impl Iterator<Item = (FileId, std::ops::Range<u64>)> {
    reply.pieces().iter().filter_map(|piece| match piece {
        Piece::Stored(stored) => Some((stored.file, stored.range.clone())),
        _ => None,
    })
}

/// Samples that are cut out are of the fragment's own payload, wherever its offsets lead.
fn check_source(keys: &Reply, whole: &Reply, payload: u64) {
    let Some(whole) = whole.stored() else {
        // It is made of the samples of a progressive file.
        for (file, part) in ranges(keys) {
            let has = |(of, range): (FileId, std::ops::Range<u64>)| {
                of == file && range.start <= part.start && part.end <= range.end
            };
            assert!(ranges(whole).any(has), "samples of elsewhere");
        }
        return;
    };
    if keys.stored().is_some() {
        return;
    }
    for piece in keys.pieces() {
        if let Piece::Stored(part) = piece {
            assert_eq!(part.file, whole.file);
            let (from, to) = (whole.range.end - payload, whole.range.end);
            assert!(from <= part.range.start && part.range.end <= to, "samples of elsewhere");
        }
    }
}

/// Checks that each sample that was cut out is a whole sample of the fragment, starts where it is
/// stored there, and keeps its order.
fn check_samples(keys: &[u8], reply: &Reply, whole: &Reply, info: &[u8], payload: u64) {
    let Some(whole) = whole.stored() else { return };
    if reply.stored().is_some() {
        return;
    }
    // Where each byte of the reply is in the fragment.
    let (mut at, mut places) = (0, Vec::new());
    for piece in reply.pieces() {
        if let Piece::Stored(part) = piece {
            places.push((at, part.range.start - whole.range.start, piece.len()));
        }
        at += piece.len();
    }
    let (_, _, moof) = header(keys);
    let (_, mdat_header, _) = header(&keys[moof..]);
    let cut = placed(&traf(&keys[..moof]), (moof + mdat_header) as u64, true);
    // Sizes may be given in the `moov` alone.
    let Some(cut) = cut else { return };
    let cut = cut.into_iter().map(|(at, size)| {
        let place = places.iter().find(|&&(from, _, len)| from <= at && at + size <= from + len);
        let &(from, stored, _) = place.unwrap_or_else(|| panic!("no stored sample at {at}"));
        (stored + at - from, size)
    });
    let (cut, traf): (Vec<_>, _) = (cut.collect(), traf(info));
    let payload = whole.range.end - whole.range.start - payload;
    // A wrong offset does not move a sample.
    let stored = [true, false].map(|by_offset| placed(&traf, payload, by_offset));
    if stored.iter().any(Option::is_none) {
        return;
    }
    let has = |stored: Vec<(u64, u64)>| {
        let mut stored = stored.into_iter();
        cut.iter().all(|sample| stored.any(|other| other == *sample))
    };
    assert!(stored.into_iter().flatten().any(has), "other samples than those that are stored");
}

/// Returns position and size of each sample that has bytes, by the offsets of the runs or one after
/// the other from the start of the payload; `None` if the fragment does not give them.
fn placed(traf: &Boxes, payload: u64, by_offset: bool) -> Option<Vec<(u64, u64)>> {
    let default = traf.get::<Tfhd>().and_then(|tfhd| tfhd.default_sample_size);
    let (mut at, mut samples) = (payload, Vec::new());
    for trun in traf.all::<Trun>() {
        if let Some(offset) = trun.data_offset.filter(|_| by_offset) {
            // A position before the fragment is out of range.
            at = u64::try_from(offset).unwrap_or(u64::MAX >> 1);
        }
        for sample in trun.samples() {
            let size = u64::from(sample.size.or(default)?);
            samples.extend((size > 0).then_some((at, size)));
            at += size;
        }
    }
    Some(samples)
}

/// Key frames are all of the fragment, or a fragment as long in time that holds some of its
/// samples.
fn check_key_frames(kind: StreamKind, keys: &[u8], reply: &Reply, whole: &[u8], info: &[u8]) {
    if let Some(range) = reply.stored() {
        assert_eq!(range.range.end - range.range.start, whole.len() as u64);
        assert!(keys == whole);
        return;
    }
    let count = |traf: &Boxes| traf.all::<Trun>().map(|t| u64::from(t.sample_count)).sum::<u64>();
    // A fragment that is made is written bytes and ranges, or written bytes alone if it has no samples.
    if keys == whole && (reply.pieces().len() > 1 || count(&traf(info)) == 0) {
        return;
    }
    assert_eq!(kind, StreamKind::Video, "only pictures are cut");
    let (_, _, moof) = header(keys);
    let (mdat, mdat_header, mdat_len) = header(&keys[moof..]);
    assert_eq!((&mdat, moof + mdat_len), (b"mdat", keys.len()));
    let (stored, cut) = (traf(info), traf(&keys[..moof]));
    let track_id = |traf: &Boxes| traf.get::<Tfhd>().map(|tfhd| tfhd.track_id);
    assert_eq!(track_id(&cut), track_id(&stored), "of another track");
    assert!(count(&cut) > 0, "no key frame at all");
    assert!(count(&cut) < count(&stored), "nothing was cut");

    let mut offset = Some((moof + mdat_header) as u64);
    for trun in cut.all::<Trun>() {
        let at = u64::try_from(trun.data_offset.expect("an offset for every run")).unwrap();
        assert_eq!(at, offset.unwrap_or(at), "samples that do not follow one another");
        offset = sizes(&cut, [trun]).and_then(|size| Some(offset? + size));
    }
    if let Some(bytes) = sizes(&cut, cut.all()) {
        assert_eq!(bytes, (mdat_len - mdat_header) as u64, "samples do not fill the `mdat`");
    }
    let duration = |traf: &Boxes| {
        let default = traf.get::<Tfhd>().and_then(|tfhd| tfhd.default_sample_duration);
        let samples = traf.all::<Trun>().flat_map(Trun::samples);
        samples.map(|s| s.duration.or(default).map(u64::from)).sum::<Option<u64>>()
    };
    if let Some(ticks) = duration(&stored) {
        assert_eq!(duration(&cut), Some(ticks), "not as long as the fragment");
    }
    let (all, count) = (count(&stored), count(&cut));
    for (number, item) in cut.list.iter().enumerate() {
        let before = cut.list[..number].iter().filter(|other| other.kind() == item.kind()).count();
        let of_all = like(&stored, item, before);
        let whole = |number: fn(&Body) -> Option<u64>| {
            let (found, before) = (number(&item.body).unwrap(), of_all.and_then(number));
            let enough = before.is_some_and(|before| before >= all);
            assert!(found == count || !enough && found < count, "{found} of {count}: {item:?}");
        };
        match &item.body {
            Body::Sdtp(_) => whole(|body| match body {
                Body::Sdtp(sdtp) => Some(sdtp.samples.len() as u64),
                _ => None,
            }),
            Body::Senc(_) | Body::PiffSenc(_) => whole(|body| match body {
                Body::Senc(senc) => Some(senc.0.sample_count.into()),
                Body::PiffSenc(senc) => Some(senc.0.sample_count.into()),
                _ => None,
            }),
            Body::Saiz(_) => whole(|body| match body {
                Body::Saiz(saiz) => Some(saiz.sample_count.into()),
                _ => None,
            }),
            Body::Sbgp(sbgp) => {
                let grouped: u64 = sbgp.runs().map(|(samples, _)| u64::from(samples)).sum();
                assert!(grouped <= count, "more samples in groups than there are");
            }
            Body::Subs(subs) => {
                let last: u64 = subs.entries().map(|e| u64::from(e.sample_delta)).sum();
                assert!(last <= count, "parts of samples that are not there");
            }
            _ => {}
        }
    }
}

/// The box of a list that is of the same type, after so many others of it.
fn like<'a>(traf: &'a Boxes, item: &AnyBox, after: usize) -> Option<&'a Body> {
    let mut alike = traf.list.iter().filter(|other| other.kind() == item.kind());
    alike.nth(after).map(|other| &other.body)
}

/// Bytes of the samples of some runs, where the fragment itself says them.
fn sizes<'a>(traf: &Boxes, runs: impl IntoIterator<Item = &'a Trun>) -> Option<u64> {
    let default = traf.get::<Tfhd>().and_then(|tfhd| tfhd.default_sample_size);
    let samples = runs.into_iter().flat_map(Trun::samples);
    samples.map(|sample| sample.size.or(default).map(u64::from)).sum()
}
