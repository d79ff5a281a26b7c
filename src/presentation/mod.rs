//! Floor 4: the model that everyone shares, and how it is opened.
//!
//! A [`Presentation`] is immutable behind an `Arc`: what a request needs is looked up in it, never
//! computed. Opening one is a [`Step`](crate::base::Step) of at most four batches of reads, plus
//! one if files are missing that may have a second name, plus one read per fragment for files
//! without a usable index, many at once if reads are slow. A folder of fragments takes at most five batches; its fragment files are
//! not kept open, because each answer opens its file anew.

mod client_manifest;
mod clip;
mod ended;
pub(crate) mod entity_tag;
mod finding;
mod fragment_file;
mod fragment_files;
mod fragment_view;
#[cfg(feature = "live")]
pub(crate) mod growing;
mod grown;
mod header_chunk;
mod init_segment;
mod kept_clips;
mod kept_heads;
mod keys;
mod lint;
mod live;
mod made;
mod made_length;
#[cfg_attr(not(any(feature = "dash", feature = "hls")), allow(dead_code))]
pub(crate) mod messages;
mod open;
mod prepared_groups;
mod probe;
mod reply;
mod representation;
mod representation_id;
mod representation_map;
mod rewritten;
mod role;
#[cfg(any(feature = "dash", feature = "hls"))]
mod segmented;
#[cfg(feature = "http")]
mod sparse_pointer;
mod stored_around;
mod stream;
mod survey;
mod timeline;
mod track;
mod validator;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;

pub use crate::codec::{
    ChannelLayout, Colour, Encryption, EncryptionScheme, FrameRate, ProtectionSystem, Sound,
    VideoRange,
};
pub use client_manifest::ManifestSource;
use clip::Clip;
pub(crate) use clip::{ClipTime, ClipTimes};
pub(crate) use ended::Ended;
pub use finding::{Finding, FindingCode, Severity};
use fragment_file::LocatedFile;
pub(crate) use fragment_view::{FragmentAddress, FragmentView, Need};
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use init_segment::ONLY_TRACK;
pub(crate) use kept_clips::{ClipKey, KeptClip, KeptClips};
pub(crate) use kept_heads::{HeadKey, KeptHead, KeptHeads};
pub(crate) use keys::Located;
pub use lint::PlayerRule;
pub use live::Live;
pub(crate) use live::Window;
pub(crate) use open::bare_media_of;
pub use open::open;
pub use reply::{Piece, Reply, StoredRange};
pub(crate) use representation::MediaType;
pub use representation::{Liveness, ReplyClass, Representation};
pub(crate) use representation_id::RepresentationId;
#[cfg(any(all(test, feature = "http"), feature = "dash", feature = "hls"))]
pub(crate) use representation_id::Tag;
pub(crate) use representation_map::{RepresentationMap, TextBudget};
pub use role::Role;
#[cfg(feature = "hls")]
pub(crate) use segmented::Gaps;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use segmented::Moment;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use segmented::{
    Beginning, Date, Form, Gap, Listed, Rendition, Segment, Silent, decimal,
};
pub use stream::{Stream, Track};
pub use survey::{Looked, Survey};
#[cfg(feature = "hls")]
pub(crate) use timeline::LONGEST_FILLER;
pub use timeline::Timeline;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use validator::ContentHash;
pub use validator::Validator;
#[cfg(feature = "http")]
pub(crate) use validator::{ContentText, ValidatorText};

use crate::base::{Error, ErrorKind, FileId, Limits, Name, piece};
use crate::bmff::SampleEntry;
use crate::index::IndexWriter;
use crate::manifest::{CustomAttribute, Layout};
use client_manifest::{ClientManifestText, GENERATOR};
use finding::Findings;
use grown::Grown;
use messages::Message;
use stream::Media;

/// An opened presentation: an `.ism` and all files that it names, or a folder of fragments.
///
/// ```
/// # fn example(presentation: &smooth_origin::presentation::Presentation) {
/// for stream in presentation.streams() {
///     let tracks = stream.tracks().iter().map(|track| track.bitrate().to_string());
///     println!("{} {}: {}", stream.kind(), stream.name(), tracks.collect::<Vec<_>>().join(", "));
/// }
/// for finding in presentation.findings() {
///     println!("{finding}");
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Presentation {
    name: Name,
    files: Vec<Name>,
    streams: Vec<Stream>,
    client_manifest: ClientManifestText,
    protection: Box<[ProtectionSystem]>,
    content: u128,
    /// A part of every validator.
    epoch: Box<str>,
    is_live: bool,
    /// Set if it is a snapshot of a presentation to which chunks are added.
    grown: Option<Box<Grown>>,
    /// Set if it is the film of an event.
    ended: Option<Ended>,
    /// Messages of streams of events, by their times.
    messages: Arc<Vec<Message>>,
    /// Set if it is a part of a presentation.
    clip: Option<Box<Clip>>,
    /// True if it is a folder, which may also contain other files.
    is_folder: bool,
    findings: Vec<Finding>,
    /// Texts and initialization segments that other outputs than Smooth Streaming have made.
    #[cfg_attr(not(any(feature = "dash", feature = "hls")), allow(dead_code))]
    kept: RepresentationMap<Bytes>,
    /// Findings of answering.
    late: Arc<Mutex<Findings>>,
    /// Files that were walked through.
    walked: Vec<FileId>,
    /// The boxes that these walks passed, until an origin has taken them for its index files.
    trails: Mutex<Vec<(FileId, IndexWriter)>>,
    /// Files of which an index entry led to something else.
    lying: Mutex<Vec<FileId>>,
    limits: Limits,
    #[cfg(any(feature = "dash", feature = "hls"))]
    segmented: segmented::Segmented,
    /// The place for heads that were written; empty if they are not kept.
    heads: OnceLock<kept_heads::Heads>,
    /// The place for clips that were made; empty if they are not kept.
    clips: OnceLock<kept_clips::Clips>,
    /// A fragment that ends within so many bytes is read whole when it is looked at.
    whole: u64,
}

/// Options for opening a presentation.
///
/// ```
/// use smooth_origin::manifest::Layout;
/// use smooth_origin::presentation::OpenOptions;
/// let options = OpenOptions::default().layout(Layout::Compact).epoch("2026-11");
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    limits: Limits,
    layout: Layout,
    epoch: String,
    distrusted: Vec<Name>,
    without_event_streams: bool,
    /// Memory for texts and initialization segments of other outputs than Smooth Streaming.
    text_budget: TextBudget,
    /// True if a driver gets and keeps index files.
    has_index_files: bool,
    /// True if a media file without a server manifest may be a presentation.
    bare_mp4: bool,
    /// The server manifest, if the presentation has the name of a publishing point, whose event has become this film.
    film: Option<Name>,
}

impl OpenOptions {
    /// Budgets; default [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn limits_in_use(&self) -> &Limits {
        &self.limits
    }

    /// Sets how chunks are written into a generated manifest; default [`Layout::Full`].
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// A word that goes into every validator; default empty. Change it after an edit of media
    /// bytes that kept every length.
    pub fn epoch(mut self, epoch: impl Into<String>) -> Self {
        self.epoch = epoch.into();
        self
    }

    /// Leaves event streams out of the manifest ([`StreamIndex::is_of_events`]), because some
    /// players refuse a film that has them, or show them as subtitles. Nothing else of a stored
    /// manifest changes. Default: they are announced.
    ///
    /// Requests for their fragments are still answered, because active players may have a manifest
    /// that announces them. If a stream is left out, the manifest has a different validator.
    ///
    /// [`StreamIndex::is_of_events`]: crate::manifest::StreamIndex::is_of_events
    pub fn without_event_streams(mut self) -> Self {
        self.without_event_streams = true;
        self
    }

    /// Sets whether a media file is a presentation without a server manifest: `film.mp4` has the name
    /// `film.mp4.ism`; default: no. The files are those that end in `.mp4`, `.m4v`, `.m4a` or `.mov`, in
    /// any letter case, progressive or fragmented.
    ///
    /// A server manifest of that name comes first, and so does a folder of fragments. Streams have the
    /// names that a packager would give them (`video`, `audio`, or `audio_eng` if there are several
    /// languages), and bitrates are measured.
    pub fn bare_mp4(mut self, allowed: bool) -> Self {
        self.bare_mp4 = allowed;
        self
    }

    pub(crate) fn opens_bare_mp4(&self) -> bool {
        self.bare_mp4
    }

    /// Sets that the name is that of a publishing point, whose event has become the film of this server manifest.
    #[cfg(feature = "live")]
    pub(crate) fn film_at_point(mut self, server_manifest: Name) -> Self {
        self.film = Some(server_manifest);
        self
    }

    /// Sets the memory for the texts and initialization segments of other outputs than Smooth
    /// Streaming, which all presentations that are opened with it share; default 64 MiB.
    #[cfg(any(test, feature = "dash", feature = "hls"))]
    #[cfg_attr(test, allow(dead_code, reason = "only an output with texts has a test"))]
    pub(crate) fn text_budget(mut self, budget: TextBudget) -> Self {
        self.text_budget = budget;
        self
    }

    /// Lets the opening ask for index files ([`Want::Index`](crate::base::Want::Index)).
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn with_index_files(mut self) -> Self {
        self.has_index_files = true;
        self
    }

    /// A file whose index is not believed: it is walked through. See
    /// [`Presentation::distrusted`].
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn distrust(mut self, file: Name) -> Self {
        self.distrusted.push(file);
        self
    }
}

/// All compressed forms of a manifest of `len` bytes together are no longer: each of a long one takes
/// less than a third, even where no two chunks are equally long; a short one's may take more.
pub(crate) const fn compressed_forms(len: usize) -> usize {
    let most = len - len / 3 + (2 << 10);
    if most < len { most } else { len }
}

/// Returns what a map has of this id, or what `make` makes, which is kept if there is room.
fn kept_in(
    map: &RepresentationMap<Bytes>,
    id: RepresentationId,
    make: impl FnOnce() -> Result<Bytes, Error>,
) -> Result<Bytes, Error> {
    if let Some(kept) = map.get(&id) {
        return Ok(kept.clone());
    }
    let made = make()?;
    map.get_or_make(&id, piece(made.len()), || made.clone());
    Ok(made)
}

impl Presentation {
    /// The server manifest's name, or the folder's.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its files by id, the server manifest first. Each file occurs once. For a folder of
    /// fragments, these are the folder and its client manifest; fragments have no ids.
    pub fn files(&self) -> &[Name] {
        &self.files
    }

    /// Its streams, in the order of the manifest. A stored stream without media is among them, to
    /// answer requests for it.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// Returns whether its manifest says that it is live: it is a folder to which fragments are added
    /// while it is open, or a [snapshot](Self::live) of an event. A film whose manifest says so is not
    /// live, and has a [finding](FindingCode::LiveFilm).
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// Returns the state of a live event of which this is a snapshot. `None` for a film, for an event that
    /// has ended, and for a folder of fragments, which only its files describe.
    pub fn live(&self) -> Option<&Live> {
        self.grown.as_ref()?.live.as_ref()
    }

    /// Returns whether it is an event, or one that has ended, at the URL of its publishing point.
    #[inline]
    pub(crate) fn is_of_event(&self) -> bool {
        self.is_grown() || self.is_at_point()
    }

    /// Returns whether it is the film of an event, at the URL of the publishing point.
    #[inline]
    pub(crate) fn is_at_point(&self) -> bool {
        self.ended.is_some_and(|ended| ended.is_at_point)
    }

    /// Returns whether it is a folder of fragments.
    pub(crate) fn is_folder(&self) -> bool {
        self.is_folder
    }

    /// The client manifest as it is served.
    ///
    /// # Errors
    /// [`NothingToServe`](crate::base::ErrorKind::NothingToServe) or
    /// [`NotSliceable`](crate::base::ErrorKind::NotSliceable) where nothing of the
    /// presentation can be served; the findings say why.
    pub fn manifest(&self) -> Result<&Bytes, Error> {
        self.client_manifest.text(|| self.written_manifest())
    }

    /// Returns whether the client manifest may have runs of chunks (`c@r`), which version 2.0 does not
    /// know. Its text is searched once.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest).
    pub(crate) fn manifest_has_repeats(&self) -> Result<bool, Error> {
        self.client_manifest.has_repeats(|| self.written_manifest())
    }

    /// Writes the client manifest of a presentation whose manifest is not there when it is opened.
    fn written_manifest(&self) -> Result<Bytes, ErrorKind> {
        match self.clip.as_ref().filter(|_| !self.is_grown()) {
            Some(clip) => clip.film_manifest(self.client_manifest.layout(), &self.limits),
            None => self.grown_manifest(),
        }
    }

    /// The source of the client manifest.
    pub fn manifest_source(&self) -> ManifestSource {
        self.client_manifest.source()
    }

    /// The answer to a request for the manifest.
    ///
    /// # Errors
    /// As [`manifest`](Self::manifest).
    pub(crate) fn manifest_reply(&self) -> Result<Reply, Error> {
        let manifest = self.manifest()?.clone();
        Ok(Reply::of_bytes(self.manifest_representation(), manifest))
    }

    /// The representation of the manifest.
    pub(crate) fn manifest_representation(&self) -> Representation {
        let text = Representation::text(MediaType::SmoothManifest, self.validator());
        text.with_liveness(self.liveness())
    }

    /// Returns how long answers about it stay the same. The URLs of an event that has ended may be those of the next
    /// one.
    #[inline]
    pub(crate) fn liveness(&self) -> Liveness {
        match self.is_live || self.is_of_event() {
            true => Liveness::Live,
            false => Liveness::Final,
        }
    }

    /// Returns a text or an initialization segment of another output than Smooth Streaming. `make` is
    /// called when it is first asked for, and again if there was no room to keep it.
    ///
    /// # Errors
    /// Those of `make`. They are not kept.
    #[cfg_attr(
        not(any(feature = "dash", feature = "hls")),
        allow(dead_code, reason = "Smooth Streaming keeps none")
    )]
    pub(crate) fn kept(
        &self,
        id: RepresentationId,
        make: impl FnOnce() -> Result<Bytes, Error>,
    ) -> Result<Bytes, Error> {
        kept_in(&self.kept, id, make)
    }

    /// Returns the initialization segment of a track as [`kept`](Self::kept) does: once for all snapshots of an
    /// event, as long as no track is added.
    ///
    /// # Errors
    /// The reason why the track has no media, if it has none; those of `make`.
    #[cfg_attr(
        not(any(feature = "dash", feature = "hls")),
        allow(dead_code, reason = "Smooth Streaming has no headers")
    )]
    pub(crate) fn kept_header(
        &self,
        (of, id): (&Track, RepresentationId),
        make: impl FnOnce() -> Result<Bytes, Error>,
    ) -> Result<Bytes, Error> {
        of.check_media()?;
        match &self.grown {
            Some(grown) => kept_in(&grown.event.headers, id, make),
            None => self.kept(id, make),
        }
    }

    /// The memory for what [`kept`](Self::kept) keeps.
    #[cfg(feature = "http")]
    pub(crate) fn text_budget(&self) -> &TextBudget {
        self.kept.budget()
    }

    /// Validator of the manifest. That of a live presentation is another one for each snapshot.
    pub fn validator(&self) -> Validator {
        self.client_manifest.validator(self.content_of_manifest())
    }

    /// Returns the hash of what its manifests stand for: another one for each snapshot of a live presentation.
    fn content_of_manifest(&self) -> u128 {
        self.grown.as_ref().map_or(self.content, |grown| grown.content)
    }

    /// Returns the validator of what stays the same for all snapshots of a live presentation, as long as
    /// no track is added; else that of the manifest.
    #[cfg_attr(
        not(any(feature = "dash", feature = "hls")),
        allow(dead_code, reason = "Smooth Streaming has no headers")
    )]
    pub(crate) fn lasting_validator(&self) -> Validator {
        self.client_manifest.validator(self.content)
    }

    /// Findings of opening and of answering, the gravest first. Of equally grave ones, those about
    /// whole files come first, because they are the reason for others; those of answering come last.
    pub fn findings(&self) -> Vec<Finding> {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut findings: Vec<_> = self.findings.iter().cloned().chain(late.sorted()).collect();
        findings.sort_by_key(Finding::rank);
        findings
    }

    /// Files whose index led to something else than the fragment that was asked for, and that were
    /// not walked through yet. Opened with [`OpenOptions::distrust`], the presentation has what they
    /// really hold.
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn distrusted(&self) -> Vec<Name> {
        let lying = self.lying.lock().unwrap_or_else(PoisonError::into_inner);
        lying.iter().filter_map(|file| self.files.get(file.index()).cloned()).collect()
    }

    /// Bytes of memory that it takes, for caches that weigh: with what an allocator takes beside each
    /// piece, and without what lies between pieces.
    pub fn memory(&self) -> usize {
        let track = |track: &Track| match &track.media {
            Media::Stored(stored) => {
                let entry = |entry: &SampleEntry| piece(entry.body.len());
                let entries = stored.entry.iter().chain(&*stored.more_entries).map(entry);
                let more = piece(size_of_val(&*stored.more_entries));
                let made = stored.made.as_ref().map_or(0, |made| made.memory());
                let header = stored.header_chunk.as_ref().map_or(0, |chunk| chunk.memory());
                let made = made + header;
                let stored = piece(size_of_val(&**stored)) + stored.fragments.memory() + made;
                stored + more + entries.sum::<usize>()
            }
            Media::Files(files) => piece(size_of_val(&**files)) + files.memory(),
            Media::Absent(_) => 0,
        };
        let attribute = |attribute: &CustomAttribute| {
            size_of_val(attribute) + piece(attribute.name.len()) + piece(attribute.value.len())
        };
        let attributes = |track: &Track| track.attributes.iter().map(attribute).sum::<usize>();
        let description = |track: &Track| {
            let described = track.description.as_ref();
            described.map_or(0, |of| piece(size_of_val(&**of)) + of.memory())
        };
        let track = |of: &Track| track(of) + attributes(of) + description(of);
        let stream = |stream: &Stream| {
            let tracks = stream.tracks.iter().map(track).sum::<usize>();
            let others = [&stream.label, &stream.language].into_iter().flatten();
            let others = others.map(|text| piece(text.len())).sum::<usize>();
            let words = [&stream.subtype, &stream.parent, &stream.scheme].into_iter().flatten();
            let words = words.map(|text| piece(text.len())).sum::<usize>();
            let names = piece(stream.name.len()) + others + words;
            tracks + piece(size_of_val(&*stream.tracks)) + stream.timeline.memory() + names
        };
        let streams = self.streams.iter().map(stream).sum::<usize>();
        // Two counters lie beside the text of each.
        let name = |name: &Name| size_of_val(name) + piece(name.as_str().len() + 16);
        let names = self.files.iter().map(name).sum::<usize>();
        // Late ones come after a cache has weighed it: as many again are allowed for.
        let system = |of: &ProtectionSystem| {
            let keys = piece(size_of_val(&*of.key_ids));
            size_of_val(of) + keys + piece(of.data.len() + 32)
        };
        let systems = self.protection.iter().map(system).sum::<usize>();
        let findings = 2 * self.findings.iter().map(Finding::memory).sum::<usize>();
        let grown = self.grown.as_ref();
        let grown = grown.map_or(0, |of| piece(size_of_val(&**of)) + of.memory());
        piece(size_of_val(self))
            + grown
            + self.messages.iter().map(Message::memory).sum::<usize>()
            + self.client_manifest.memory()
            + streams
            + piece(size_of_val(&*self.streams))
            + names
            + systems
            + findings
            + self.segmented_memory()
    }

    /// Bytes of memory that it takes for DASH and HLS.
    fn segmented_memory(&self) -> usize {
        #[cfg(any(feature = "dash", feature = "hls"))]
        return self.segmented.memory();
        #[cfg(not(any(feature = "dash", feature = "hls")))]
        0
    }

    /// The protection systems from which players get a licence: of each system the data in the
    /// client manifest, or else the data in the media files. Empty if samples are not encrypted.
    pub fn protection(&self) -> &[ProtectionSystem] {
        &self.protection
    }

    /// Takes what its walks passed, by file.
    pub(crate) fn take_trails(&self) -> Vec<(FileId, IndexWriter)> {
        std::mem::take(&mut *self.trails.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An entry of a file's index was found to lie.
    fn distrust(&self, file: FileId) {
        let mut lying = self.lying.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.walked.contains(&file) && !lying.contains(&file) {
            lying.push(file);
        }
    }

    /// Keeps what answering noticed.
    fn notice(&self, finding: Finding) {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).push(finding);
    }

    /// The findings that answering made after the first `known`, and how many it made in all.
    pub(crate) fn late_findings(&self, known: usize) -> (Vec<Finding>, usize) {
        self.late.lock().unwrap_or_else(PoisonError::into_inner).since(known)
    }

    pub(crate) fn stream_of(&self, at: Located) -> &Stream {
        &self.streams[at.stream]
    }

    pub(crate) fn track_of(&self, at: Located) -> &Track {
        &self.streams[at.stream].tracks[at.track]
    }

    /// Name of a file, for findings.
    fn file_name(&self, file: FileId) -> String {
        self.files.get(file.index()).map(|name| name.to_string()).unwrap_or_default()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}
