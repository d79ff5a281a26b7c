//! Findings: what the opening of a presentation noticed, for its operator. Each code has one line in
//! the table below, and one row in `docs/findings.md`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::mem;
use std::sync::Arc;

use crate::base::{Error, ErrorKind, Limits, Place, piece};

/// Something about a presentation that its operator may want to know, and perhaps to mend.
///
/// Texts that come from files are cut: names to 256 bytes, messages to 512, with `…` at the cut.
///
/// Two findings are equal if they report the same: of a [cause](Self::cause), only its text counts.
///
/// ```
/// use smooth_origin::presentation::{Finding, Severity};
///
/// /// The lines that an operator should read.
/// fn grave(findings: &[Finding]) -> Vec<String> {
///     let grave = findings.iter().filter(|finding| finding.code.severity() == Severity::Error);
///     grave.map(|finding| format!("{}: {}", finding.code.as_str(), finding.message)).collect()
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of finding.
    pub code: FindingCode,
    /// The file that the finding is about, relative to the store's root.
    pub file: Option<String>,
    /// The name of the stream that the finding is about: by the client manifest, or by the server
    /// manifest if the stream of a track is not known.
    pub stream: Option<String>,
    /// The bitrate of the track that the finding is about, in bits per second. `None` if the
    /// finding is about the whole stream, or if the track has no bitrate.
    pub bitrate: Option<u32>,
    /// Start of the chunk, in ticks of the stream.
    pub chunk: Option<u64>,
    /// What was found, in one sentence. It includes the text of the [cause](Self::cause).
    pub message: String,
    cause: Option<Arc<Error>>,
}

/// A stream or a track, as a finding names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    stream: &'a str,
    bitrate: Option<u32>,
}

/// How much a finding matters.
///
/// ```
/// use smooth_origin::presentation::Severity;
/// # fn example(presentation: &smooth_origin::presentation::Presentation) {
/// let findings = presentation.findings();
/// let errors = findings.iter().filter(|finding| finding.severity() == Severity::Error);
/// println!("{} errors", errors.count());
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Everything is served; the presentation only differs from what is usual.
    Info,
    /// Everything is served, but some player may stumble, or the files disagree.
    Warning,
    /// Something that the presentation announces is not served.
    Error,
}

/// Declares the codes: one line each.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident $code:literal $severity:ident $advice:literal,)*) => {
        /// The kind of a finding. The text of a code never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[doc = $doc])+ $name,)*
        }

        impl FindingCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// A stable word for logs and scripts.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much findings of this code matter.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What the operator can do about it.
            pub fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

codes! {
    /// The server manifest names a file that is not there.
    FileMissing "file-missing" Error
        "put the file back beside the .ism, or take its tracks out of the .ism",
    /// A file is there and cannot be read.
    FileUnreadable "file-unreadable" Error
        "check the file's permissions, and the storage that has it",
    /// The server manifest spells the name of a file otherwise than the storage does.
    NameSpelledOtherwise "name-spelled-otherwise" Info
        "rename the file, or correct its name in the .ism, before it moves to another storage",
    /// A name leads out of the presentation's folder.
    NameRefused "name-refused" Error
        "name a file in the .ism's own folder, without `..`, drive or scheme",
    /// A media file's header cannot be read.
    FileBroken "file-broken" Error
        "copy the file again from its source, or package it again",
    /// A media file is not fragmented.
    NeedsPackaging "needs-packaging" Error
        "package it: `ffmpeg -i in.mp4 -c copy -movflags frag_keyframe -f ismv out.ismv`, and name out.ismv in the .ism",
    /// A media file has no index of the track's fragments, and none was found in it.
    IndexMissing "index-missing" Error
        "if the file ends too early, copy it again or package it again; if it never had the track, take the track out of the .ism, or name the file that has it",
    /// The index of a track is not in order, or leads to something else than the track.
    IndexBroken "index-broken" Error
        "the file was changed after it was indexed: copy it again, or package it again",
    /// The fragments of a track were found by a walk through its file.
    IndexRebuilt "index-rebuilt" Warning
        "opening takes one more read per fragment: package the file again, to give it an index",
    /// A media file ends in the middle of a fragment.
    RecordingCutOff "recording-cut-off" Warning
        "everything before it is served: copy the file again if its source has more",
    /// A walk through a file without a usable index did not reach its end.
    ScanGivenUp "scan-given-up" Error
        "package the file again, to give it an index; or raise the budget in the message",
    /// A budget of the whole presentation is used up.
    BudgetExceeded "budget-exceeded" Error
        "if the presentation is as large as that, raise the budget in the message",
    /// The server manifest names a track that the file does not have.
    TrackMissing "track-missing" Error
        "correct trackID in the .ism; `inspect` lists the tracks of a file",
    /// Fragments of the track cannot be cut out of the file as they are.
    NotSliceable "not-sliceable" Error
        "package the file again: one track per moof, offsets relative to it",
    /// A fragment is not what the index says.
    FragmentBroken "fragment-broken" Error
        "the file was changed after it was indexed: copy it again, or package it again",
    /// A box that nothing here needs cannot be read.
    BoxUnreadable "box-unreadable" Warning
        "the bytes are served as they are, but a player may need that box: package the file again",
    /// A fragment says another time than the index and the manifest.
    TimeInFragment "time-in-fragment" Warning
        "players that go by `tfxd` or `tfdt` may stumble: package the file again, with the times of its index in its fragments",
    /// A stored track or stream was taken out of the manifest, for want of media.
    ManifestMended "manifest-mended" Warning
        "see the finding about the track's file; the manifest is served without it",
    /// Some of the stored manifest is not what players can read, and is served corrected.
    ManifestCorrected "manifest-corrected" Warning
        "correct the file at the line in the message: until then, players get the corrected text",
    /// A stream or quality of the stored manifest cannot be used and is left out.
    ManifestPartLeftOut "manifest-part-left-out" Error
        "correct the .ismc at the line in the message: until then, players get the film without that part",
    /// The client manifest that the server manifest names cannot be used.
    ManifestGenerated "manifest-generated" Warning
        "a manifest is made from the media: compare it with what players had before",
    /// The client manifest is stored in a form that players cannot read.
    ManifestReencoded "manifest-reencoded" Warning
        "save the .ismc as UTF-8 with a declaration that says so",
    /// Chunks of a track have no fragment in its file.
    ChunksWithoutMedia "chunks-without-media" Error
        "the file and the .ismc were not made together: these chunks are answered with 404",
    /// A chunk whose fragment should have a file of its own has no file.
    FragmentFileMissing "fragment-file-missing" Error
        "copy the presentation's folder again from its source: chunks without a file are answered with 404",
    /// The names of fragment files give other times than the manifest, and are used instead.
    TimesFromNames "times-from-names" Warning
        "players get the times of the files; before the folder goes to another server, write them as `t` into the `c` elements of its Manifest",
    /// Fragments of a track have no chunk in the manifest.
    FragmentsWithoutChunk "fragments-without-chunk" Info
        "nothing needs to be done: no player asks for them",
    /// All times of a track differ from the manifest's by one amount.
    TimesShifted "times-shifted" Info
        "nothing needs to be done: fragments are found by their place",
    /// Times of a track differ from the manifest's by more than rounding, and its fragments were
    /// found by number.
    TimesInexact "times-inexact" Warning
        "players may drift or stall at seeks: write the times of the file's index into the `c` elements of the .ismc, or package it again",
    /// A track of the server manifest and a quality of the client manifest are the same, but a
    /// name, bitrate, picture size or track number differs between the manifests or from the file.
    ManifestsDisagree "manifests-disagree" Warning
        "in the .ism, set trackName, systemBitrate, MaxWidth and MaxHeight to the values of the .ismc, which players use, and trackID to the number in the file",
    /// Nothing tells which track of the server manifest a quality of the client manifest is.
    TrackGuessed "track-guessed" Error
        "it may be the wrong track: in the .ism, set systemBitrate to the Bitrate of the .ismc, and trackID to the number of each element's own track",
    /// The server manifest has a track that the client manifest does not announce.
    TrackNotAnnounced "track-not-announced" Info
        "nothing needs to be done, unless the .ismc should have it",
    /// Two tracks have one name, bitrate and attributes.
    Ambiguous "ambiguous" Error
        "players get only the first: in the .ismc, give the second another word in its `Url` or another Bitrate (1 more will do), and in the .ism the same trackName or systemBitrate",
    /// Tracks differ by custom attributes that players do not ask for.
    AttributesNotAsked "attributes-not-asked" Error
        "players get only the first: add the attributes to the Url in the .ismc, QualityLevels({bitrate},{CustomAttributes})/Fragments(NAME={start time})",
    /// The times of a stream in the client manifest cannot be.
    TimesInvalid "times-invalid" Error
        "the stream is not served: correct its `c` elements in the .ismc, or package it again",
    /// The stored manifest of a film says that it is live.
    LiveFilm "live-film" Warning
        "set IsLive to FALSE in the .ismc: players begin at its end, and ask for more again and again",
    /// The manifest of a folder of fragments says that it is live.
    LivePresentation "live-presentation" Info
        "if its encoder has ended, take IsLive, LookAheadFragmentCount and DVRWindowLength out of the Manifest: players wait for more",
    /// A stream of the stored manifest does not say how its fragments are asked for.
    UrlMissing "url-missing" Warning
        "give the StreamIndex in the .ismc its Url: QualityLevels({bitrate})/Fragments(NAME={start time})",
    /// A text quality of the stored manifest does not say what its codec is.
    FourCcMissing "fourcc-missing" Warning
        "dash.js and Shaka Player refuse the whole film: in the .ismc, give each QualityLevel of text its FourCC (TTML, or DFXP for documents of 2006); or leave event streams out of the manifest",
    /// The configuration of AAC-LC in the stored manifest is followed by more that says nothing.
    AacDataLong "aac-data-long" Info
        "RxPlayer does not play it in Firefox: in the .ismc, cut the CodecPrivateData to the digits in the message",
    /// A protection system of the stored manifest is named in braces.
    SystemIdBraced "system-id-braced" Warning
        "Shaka Player does not recognize the system and finds no licence: write the SystemID in the .ismc without { and }",
    /// There is time between two chunks of pictures or sound of the stored manifest.
    GapBetweenChunks "gap-between-chunks" Warning
        "dash.js ends the film too early, by the sum of all gaps: in the .ismc, add each gap to the `d` of the chunk before it",
    /// Requests that players make from the `Url` of a stream are not answered here, or those for all
    /// of its qualities are answered with one.
    UrlUnanswered "url-unanswered" Error
        "players do not get the stream, or not each of its qualities: write its Url in the .ismc as QualityLevels({bitrate})/Fragments(NAME={start time}), with a NAME without slashes",
    /// Chunks of a stream overlap or step back in time.
    ChunksOverlap "chunks-overlap" Warning
        "players expect ascending times: package the presentation again",
    /// A stream's timescale is not 10,000,000.
    TimescaleUnusual "timescale-unusual" Info
        "some players assume 10,000,000 and show a wrong duration: package with that",
    /// A stream's timescale is another in the manifest than in its file.
    TimescalesDiffer "timescales-differ" Warning
        "players take the samples' durations for the manifest's units: package the file again",
    /// Fragments leave to the file's header what their samples are.
    DefaultsInHeader "defaults-in-header" Warning
        "players do not get the header: package the file again, with all fields in its fragments",
    /// The first samples of a track are in the header of its file and in no fragment.
    SamplesInHeader "samples-in-header" Error
        "players never get them: package it again with `ffmpeg -movflags frag_keyframe+empty_moov`, or with `-f ismv`",
    /// The tracks of a generated stream do not have the same chunks.
    TracksNotAligned "tracks-not-aligned" Warning
        "players cannot switch between them: encode with key frames at the same times",
    /// The codec of a track is not understood.
    CodecUnknown "codec-unknown" Warning
        "the manifest announces it by the name in the file; players may not know that",
    /// Files of one presentation have other data for one protection system.
    ProtectionDiffers "protection-differs" Warning
        "the manifest has that of the first file; keep an .ismc whose header is for all keys",
    /// Samples are encrypted, and the manifest does not say where players get a licence.
    LicenceUnknown "licence-unknown" Warning
        "add to the .ismc a Protection element with the PlayReady header for this key, or package the file again with that header (`pssh`) in its `moov`",
    /// A bitrate is declared nowhere and was computed.
    BitrateComputed "bitrate-computed" Info
        "declare systemBitrate in the .ism, if players should see another",
    /// A stored manifest announces pictures or sound of 0 bit/s.
    BitrateZero "bitrate-zero" Warning
        "RxPlayer plays no such quality: give it its bitrate in the .ism and the .ismc",
    /// The `CodecPrivateData` of a quality of a stored manifest is not hexadecimal, or has an odd
    /// number of digits.
    CodecDataInvalid "codec-data-invalid" Warning
        "players cannot set up a decoder with it: write the data of the file's codec in hexadecimal, or package the film again",
    /// A track began before 0, and its times were moved.
    StartMoved "start-moved" Warning
        "sound is later than it should be by this: encode without priming samples",
    /// Chunks of video begin without a key frame.
    KeyFrameMissing "key-frame-missing" Warning
        "players can neither begin nor switch quality there: encode with a key frame at the start of each chunk, or package with chunks that begin at key frames",
    /// Fragments of an encrypted track do not say how their samples are decrypted.
    IvsMissing "ivs-missing" Warning
        "no player can decrypt them: package and encrypt the file again, with a tool that writes `senc` (or PIFF's `uuid`) into each fragment",
    /// Samples of a fragment last longer or shorter than its chunk.
    DurationInFragment "duration-in-fragment" Warning
        "players may stall or skip there: package the file again together with its manifest; if the source has the gap, encode it again",
    /// How long the last chunk is could not be read, and was assumed.
    DurationAssumed "duration-assumed" Info
        "nothing needs to be done: players go by the samples",
    /// There were more findings than the budget allows.
    FindingsLeftOut "findings-left-out" Info
        "mend what the other findings name, then look again; or raise the budget in the message",
    /// The offset of a fragment's samples does not lead into its `mdat`.
    DataOffsetWrong "data-offset-wrong" Warning
        "the bytes are served as they are, but a player that follows the offset fails: package the file again (ffmpeg: `-movflags +default_base_moof`, or `-f ismv`)",
    /// Samples of a fragment do not begin where its `mdat` does.
    PayloadOffset "payload-offset" Info
        "answers to RawFragments begin with bytes that belong to no sample",
}

impl Finding {
    /// All that tells it from another.
    fn key(&self) -> impl Eq + Hash {
        let Self { code, file, stream, bitrate, chunk, message, cause: _ } = self;
        (code, file, stream, bitrate, chunk, message)
    }

    /// A finding about the presentation as a whole.
    pub(crate) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        let message = shortened(message.into(), LONGEST_MESSAGE);
        let (file, stream, bitrate, chunk, cause) = (None, None, None, None, None);
        Self { code, file, stream, bitrate, chunk, message, cause }
    }

    pub(crate) fn in_file(mut self, file: &str) -> Self {
        self.file = Some(cut(file).into_owned());
        self
    }

    /// About a stream, or about one of its tracks.
    pub(crate) fn of_track(mut self, track: &(impl Labelled + ?Sized)) -> Self {
        let Label { stream, bitrate } = track.label();
        (self.stream, self.bitrate) = (Some(cut(stream).into_owned()), bitrate);
        self
    }

    /// Keeps the failure that it reports, unless that quotes a long text of a file.
    pub(crate) fn because(mut self, cause: impl Into<Arc<Error>>) -> Self {
        self.cause = Some(cause.into()).filter(|cause| text_of(cause) <= LONGEST_MESSAGE);
        self
    }

    pub(crate) fn at_chunk(mut self, time: Option<u64>) -> Self {
        self.chunk = time;
        self
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, |text| piece(text.len()));
        size_of_val(self)
            + piece(self.message.len())
            + text(&self.file)
            + text(&self.stream)
            + self
                .cause
                .as_ref()
                .map_or(0, |cause| piece(size_of_val(&**cause) + 16) + piece(text_of(cause)))
    }

    /// The failure that the finding reports, if there is one, with its kind and place. Its file is
    /// [`file`](Self::file). `None` as well if the failure quotes more than 512 bytes of a file.
    pub fn cause(&self) -> Option<&Error> {
        self.cause.as_deref()
    }

    /// The stream or track in words: `video`, `video at 1200000`.
    pub fn track(&self) -> Option<String> {
        let stream = self.stream.as_deref()?;
        let label = Label { stream, bitrate: self.bitrate }.to_string();
        Some(cut(&label).into_owned())
    }

    /// How much the finding matters.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// The finding for clients: without the names of files and streams, and without what the
    /// storage said. Only the messages of the codes below are made of numbers and words of formats.
    pub(crate) fn public(&self) -> String {
        use FindingCode::*;
        let what = match self.code {
            FileBroken | NeedsPackaging | NotSliceable | IndexMissing | IndexBroken
            | ScanGivenUp | BudgetExceeded | TrackMissing | FragmentBroken | TimesInvalid => {
                &*self.message
            }
            FragmentFileMissing => "fragments have no files",
            FileMissing => "a file that the server manifest names is missing",
            FileUnreadable => "a media file cannot be read",
            NameRefused => "a name in the server manifest leads out of the presentation",
            code => return code.to_string(),
        };
        format!("{}: {what}", self.code)
    }
}

impl PartialEq for Finding {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Finding {}

impl Hash for Finding {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// `error file-missing: films/a.ismv, video at 300000, chunk 20000000: it is not there`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.severity(), self.code)?;
        let chunk = self.chunk.map(|time| format!("chunk {time}"));
        let track = self.track();
        let place = [self.file.as_deref(), track.as_deref(), chunk.as_deref()];
        let place: Vec<_> = place.into_iter().flatten().collect();
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        f.write_str(&self.message)
    }
}

/// Longest text of a message that is kept, in bytes.
pub(crate) const LONGEST_MESSAGE: usize = 512;

/// Longest name of a file, stream or codec that a finding repeats, in bytes.
const LONGEST_NAME: usize = 256;

/// A name out of a file, cut to what a finding repeats of it. It is cut before it becomes part of
/// a message: a long name that many findings repeat would otherwise be copied for each.
pub(crate) fn cut(name: &str) -> Cow<'_, str> {
    match name.len() <= LONGEST_NAME {
        true => name.into(),
        false => format!("{}…", &name[..floor(name, LONGEST_NAME - '…'.len_utf8())]).into(),
    }
}

/// What [`FindingCode::DataOffsetWrong`] says, at open and later.
pub(crate) const WRONG_OFFSET: &str =
    "the `data_offset` of a `trun` does not lead into the `mdat` that follows the `moof`";

/// A track, for findings: `video at 1200000`.
pub(crate) fn label(stream: &str, bitrate: u32) -> Label<'_> {
    Label { stream, bitrate: Some(bitrate) }
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cut(self.stream))?;
        self.bitrate.map_or(Ok(()), |bitrate| write!(f, " at {bitrate}"))
    }
}

/// What a finding can be about: a stream, by its name, or a track.
pub(crate) trait Labelled {
    fn label(&self) -> Label<'_>;
}

impl Labelled for str {
    fn label(&self) -> Label<'_> {
        Label { stream: self, bitrate: None }
    }
}

impl Labelled for String {
    fn label(&self) -> Label<'_> {
        self.as_str().label()
    }
}

impl Labelled for Cow<'_, str> {
    fn label(&self) -> Label<'_> {
        self.as_ref().label()
    }
}

impl Labelled for Label<'_> {
    fn label(&self) -> Label<'_> {
        *self
    }
}

/// Bytes of the texts that an error keeps.
fn text_of(error: &Error) -> usize {
    let kind = match &error.kind {
        ErrorKind::Invalid { what, .. } => what.len(),
        ErrorKind::Xml(text) => text.len(),
        ErrorKind::NothingToServe { findings, public } => findings.len() + public.len(),
        _ => 0,
    };
    let place = match &error.place {
        Place::Box { path, .. } => size_of_val(&**path),
        Place::Xml { element, .. } => element.len(),
        _ => 0,
    };
    kind + place
}

/// A text of at most so many bytes, without spare room.
pub(crate) fn shortened(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(floor(&text, most - '…'.len_utf8()));
        text.push('…');
    }
    text.shrink_to_fit();
    text
}

/// The last boundary of a character that is no later than `most` bytes.
fn floor(text: &str, most: usize) -> usize {
    (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// Findings as they are made, each once, under a budget of number and bytes.
///
/// When the budget is used up, a graver finding takes the place of the last of the least grave ones.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    /// Each list with the number that a finding had when it was made.
    errors: Vec<(usize, Finding)>,
    warnings: Vec<(usize, Finding)>,
    infos: Vec<(usize, Finding)>,
    /// How many were kept, at one time or another.
    made: usize,
    /// Hashes of what was kept.
    known: HashSet<u64>,
    hasher: RandomState,
    bytes: usize,
    most: usize,
    most_bytes: usize,
    has_left_out: bool,
}

impl Findings {
    /// None yet, with the budgets [`Limits::findings`] and [`Limits::finding_bytes`].
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            errors: Vec::new(),
            warnings: Vec::new(),
            infos: Vec::new(),
            made: 0,
            known: HashSet::new(),
            hasher: RandomState::new(),
            bytes: 0,
            most: limits.findings,
            most_bytes: limits.finding_bytes,
            has_left_out: false,
        }
    }

    /// Keeps a finding, unless the same is there, or the budget is used up by others that are as
    /// grave. Says whether it is kept.
    pub(crate) fn push(&mut self, finding: Finding) -> bool {
        if self.most == 0 {
            return false;
        }
        let hash = self.hasher.hash_one(&finding);
        if self.known.contains(&hash) {
            return false;
        }
        while !self.has_room_for(&finding) {
            self.has_left_out = true;
            if !self.drop_one_below(finding.severity()) {
                return false;
            }
        }
        self.known.insert(hash);
        self.bytes += finding.memory();
        let number = self.made;
        self.made += 1;
        self.list(finding.severity()).push((number, finding));
        true
    }

    /// Some were left out before.
    pub(crate) fn set_left_out(&mut self) {
        self.has_left_out = true;
    }

    fn has_room_for(&self, finding: &Finding) -> bool {
        self.len() < self.most && self.bytes.saturating_add(finding.memory()) <= self.most_bytes
    }

    fn drop_one_below(&mut self, severity: Severity) -> bool {
        let lesser = [Severity::Info, Severity::Warning].into_iter().filter(|&s| s < severity);
        let dropped = lesser.filter_map(|severity| self.list(severity).pop()).next();
        self.bytes -= dropped.as_ref().map_or(0, |(_, finding)| finding.memory());
        dropped.is_some()
    }

    fn list(&mut self, severity: Severity) -> &mut Vec<(usize, Finding)> {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
            Severity::Info => &mut self.infos,
        }
    }

    fn len(&self) -> usize {
        self.errors.len() + self.warnings.len() + self.infos.len()
    }

    /// Those that were made after the first `known`, in the order of their making, and how many were
    /// made in all.
    pub(crate) fn since(&self, known: usize) -> (Vec<Finding>, usize) {
        let all = [&self.errors, &self.warnings, &self.infos].into_iter().flatten();
        let mut late: Vec<_> = all.filter(|(number, _)| *number >= known).collect();
        late.sort_by_key(|(number, _)| *number);
        (late.into_iter().map(|(_, finding)| finding.clone()).collect(), self.made)
    }

    /// The gravest first; otherwise as they were made. Where some were left out, the last says so.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        let mut sorted = Vec::with_capacity(self.len() + usize::from(self.has_left_out));
        let all = [&mut self.errors, &mut self.warnings, &mut self.infos].map(mem::take);
        sorted.extend(all.into_iter().flatten().map(|(_, finding)| finding));
        if self.has_left_out {
            let Self { most, most_bytes, .. } = self;
            let message = format!(
                "there are more than the budgets of {most} findings (`findings`) and {most_bytes} bytes (`finding_bytes`) allow"
            );
            sorted.push(Finding::new(FindingCode::FindingsLeftOut, message));
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_words_of_their_own() {
        let mut words: Vec<_> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
        for word in &words {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{word}");
        }
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), FindingCode::ALL.len());
    }

    fn findings(most: usize, most_bytes: usize) -> Findings {
        Findings::new(&Limits { findings: most, finding_bytes: most_bytes, ..Limits::default() })
    }

    #[test]
    fn the_gravest_come_first_and_take_the_place_of_lesser_ones() {
        let mut findings = findings(2, 1 << 20);
        let codes = [
            (FindingCode::StartMoved, true),
            (FindingCode::StartMoved, false),
            (FindingCode::DurationAssumed, true),
            (FindingCode::FileMissing, true),
            (FindingCode::BitrateZero, false),
            (FindingCode::FileBroken, true),
            (FindingCode::FileUnreadable, false),
        ];
        for (code, is_kept) in codes {
            let finding = Finding::new(code, "x").in_file("a.ismv").at_chunk(Some(5));
            assert_eq!(findings.push(finding), is_kept, "{code}");
        }
        let findings: Vec<_> = findings.sorted().iter().map(Finding::to_string).collect();
        assert_eq!(
            findings,
            [
                "error file-missing: a.ismv, chunk 5: x",
                "error file-broken: a.ismv, chunk 5: x",
                "info findings-left-out: there are more than the budgets of 2 findings (`findings`) and 1048576 bytes (`finding_bytes`) allow",
            ]
        );
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let name = "é".repeat(4000);
        let finding = Finding::new(FindingCode::FileBroken, name.clone());
        let finding = finding.in_file(&name).of_track(&label(&name, 5));
        let lengths = [finding.file.clone(), finding.track()].map(|text| text.unwrap().len());
        assert!(lengths.iter().all(|&len| (250..=LONGEST_NAME).contains(&len)), "{lengths:?}");
        assert!((500..=LONGEST_MESSAGE).contains(&finding.message.len()));
        assert!(finding.message.ends_with("é…"));
        assert_eq!(cut("short"), "short");
    }

    #[test]
    fn later_findings_are_given_in_the_order_of_their_making() {
        let mut findings = findings(3, 1 << 20);
        for code in [FindingCode::StartMoved, FindingCode::FileBroken, FindingCode::PayloadOffset] {
            findings.push(Finding::new(code, "x"));
        }
        let codes = |known| {
            let (late, made) = findings.since(known);
            (late.iter().map(|finding| finding.code).collect::<Vec<_>>(), made)
        };
        assert_eq!(codes(1), (vec![FindingCode::FileBroken, FindingCode::PayloadOffset], 3));
        assert_eq!(codes(3), (vec![], 3));
        findings.push(Finding::new(FindingCode::FileMissing, "in place of the last"));
        let (late, made) = findings.since(3);
        assert_eq!((late[0].code, late.len(), made), (FindingCode::FileMissing, 1, 4));
    }

    #[test]
    fn a_cause_that_quotes_much_is_not_kept() {
        let caused = |len: usize| {
            let cause = Error::from(ErrorKind::Xml("x".repeat(len)));
            Finding::new(FindingCode::ManifestGenerated, "x").because(cause)
        };
        assert!(caused(LONGEST_MESSAGE).cause().is_some());
        assert!(caused(LONGEST_MESSAGE).memory() > LONGEST_MESSAGE);
        assert!(caused(LONGEST_MESSAGE + 1).cause().is_none());
        assert_eq!(caused(1), caused(2), "two findings with one text are one");
    }

    #[test]
    fn findings_are_bounded_by_their_bytes() {
        let mut findings = findings(1000, 10_000);
        for number in 0..1000 {
            findings.push(Finding::new(FindingCode::FileBroken, format!("{number:0500}")));
        }
        let kept = findings.sorted();
        assert!(kept.iter().map(Finding::memory).sum::<usize>() <= 11_000);
        assert!(kept.len() > 10, "{}", kept.len());
    }
}
