//! What opening a presentation noticed, for its operator: one line a code in the table below, and
//! one row in `FINDINGS.md`.

use std::fmt;

/// Something about a presentation that its operator may want to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What sort of thing it is.
    pub code: FindingCode,
    /// The file it was found in, relative to the store's root.
    pub file: Option<String>,
    /// The stream and track: `video`, `video at 1200000`, `track 2`.
    pub track: Option<String>,
    /// Start of the chunk, in ticks of the stream.
    pub chunk: Option<u64>,
    /// What was found, in a sentence.
    pub message: String,
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Everything is served; this is how it differs from what is usual.
    Info,
    /// Everything is served, but some player may stumble, or the files disagree.
    Warning,
    /// Something that the presentation announces is not served.
    Error,
}

/// Declares the codes: one line each.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident $code:literal $severity:ident $advice:literal,)*) => {
        /// What sort of thing a finding is. The text of a code never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[doc = $doc])+ $name,)*
        }

        impl FindingCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// A stable word for logs and scripts.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much it matters.
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
        "check the file's permissions and the storage it lies on",
    /// A name leads out of the presentation's folder.
    NameRefused "name-refused" Error
        "name a file in the .ism's own folder, without `..`, drive or scheme",
    /// A media file's header cannot be read.
    FileBroken "file-broken" Error
        "copy the file again from its source, or package it again",
    /// A media file is not fragmented.
    NeedsPackaging "needs-packaging" Error
        "package the file as fragmented MP4 (.ismv), one fragment a key frame",
    /// A media file has no index of the track's fragments, and none was found in it.
    IndexMissing "index-missing" Error
        "the end of the file is missing or was cut off: copy it again, or package it again",
    /// The index of a track is not in order, or leads to something else than the track.
    IndexBroken "index-broken" Error
        "the file was changed after it was indexed: copy it again, or package it again",
    /// The fragments of a track were found by a walk through its file.
    IndexRebuilt "index-rebuilt" Warning
        "opening is slower by a read a fragment: package the file again, to give it an index",
    /// A media file ends in the middle of a fragment.
    RecordingCutOff "recording-cut-off" Warning
        "all before it is served: copy the file again, if its source has more",
    /// A walk through a file without a usable index did not reach its end.
    ScanGivenUp "scan-given-up" Error
        "package the file again, to give it an index; or raise the budget that is named",
    /// A budget of the whole presentation is used up.
    BudgetExceeded "budget-exceeded" Error
        "if the presentation is as large as that, raise the budget that is named",
    /// The server manifest names a track that the file does not have.
    TrackMissing "track-missing" Error
        "correct trackID in the .ism; `inspect` lists the tracks of a file",
    /// Fragments of the track cannot be cut out of the file as they are.
    NotSliceable "not-sliceable" Error
        "package the file again: one track a moof, offsets relative to it",
    /// A fragment is not what the index says.
    FragmentBroken "fragment-broken" Error
        "the file was changed after it was indexed: copy it again, or package it again",
    /// A stored track or stream was taken out of the manifest, for want of media.
    ManifestMended "manifest-mended" Warning
        "see the finding about the track's file; the manifest is served without it",
    /// The client manifest that the server manifest names cannot be used.
    ManifestGenerated "manifest-generated" Warning
        "a manifest is made from the media: compare it with what players had before",
    /// The client manifest is stored in a form that players cannot read.
    ManifestReencoded "manifest-reencoded" Warning
        "save the .ismc as UTF-8 with a declaration that says so",
    /// Chunks of a track have no fragment in its file.
    ChunksWithoutMedia "chunks-without-media" Error
        "the file and the .ismc are not of one making: these chunks are answered with 404",
    /// Fragments of a track have no chunk in the manifest.
    FragmentsWithoutChunk "fragments-without-chunk" Info
        "nothing needs to be done: no player asks for them",
    /// All times of a track differ from the manifest's by one amount.
    TimesShifted "times-shifted" Info
        "nothing needs to be done: fragments are found by their place",
    /// A track of the server manifest and one of the client manifest fit but for a name or bitrate.
    ManifestsDisagree "manifests-disagree" Warning
        "make trackName and systemBitrate in the .ism those of the .ismc, which players use",
    /// The server manifest has a track that the client manifest does not announce.
    TrackNotAnnounced "track-not-announced" Info
        "nothing needs to be done, unless the .ismc should have it",
    /// Two streams have one name, or two tracks of a stream one bitrate and attributes.
    Ambiguous "ambiguous" Warning
        "only the first can be asked for: give them different names or bitrates",
    /// The times of a stream in the client manifest cannot be.
    TimesInvalid "times-invalid" Error
        "the stream is not served: correct its `c` elements in the .ismc, or package it again",
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
    /// The tracks of a generated stream do not have the same chunks.
    TracksNotAligned "tracks-not-aligned" Warning
        "players cannot switch between them: encode with key frames at the same times",
    /// The codec of a track is not understood.
    CodecUnknown "codec-unknown" Warning
        "the manifest announces it by the name in the file; players may not know that",
    /// Files of one presentation have other data for one protection system.
    ProtectionDiffers "protection-differs" Warning
        "the manifest has that of the first file; keep an .ismc whose header is for all keys",
    /// A bitrate is declared nowhere and was computed.
    BitrateComputed "bitrate-computed" Info
        "declare systemBitrate in the .ism, if players shall see another",
    /// A track began before 0, and its times were moved.
    StartMoved "start-moved" Warning
        "sound is later than it should be by this: encode without priming samples",
    /// How long the last chunk is could not be read, and was assumed.
    DurationAssumed "duration-assumed" Info
        "nothing needs to be done: players go by the samples",
    /// Samples of a fragment do not begin where its `mdat` does.
    PayloadOffset "payload-offset" Info
        "answers to RawFragments begin with bytes that belong to no sample",
}

impl Finding {
    /// A finding about the presentation as a whole.
    pub(crate) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, file: None, track: None, chunk: None, message: message.into() }
    }

    pub(crate) fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    pub(crate) fn of_track(mut self, track: impl Into<String>) -> Self {
        self.track = Some(track.into());
        self
    }

    pub(crate) fn at_chunk(mut self, time: Option<u64>) -> Self {
        self.chunk = time;
        self
    }

    /// How much it matters.
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
            FileMissing => "a file that the server manifest names is missing",
            FileUnreadable => "a media file cannot be read",
            NameRefused => "a name in the server manifest leads out of the presentation",
            code => return code.to_string(),
        };
        format!("{}: {what}", self.code)
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
        let place = [self.file.as_deref(), self.track.as_deref(), chunk.as_deref()];
        let place: Vec<_> = place.into_iter().flatten().collect();
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        f.write_str(&self.message)
    }
}

/// Findings as they are made, up to a number that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    kept: Vec<Finding>,
    limit: usize,
}

impl Findings {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), limit }
    }

    /// Keeps a finding, unless there are too many or the same is there.
    pub(crate) fn push(&mut self, finding: Finding) {
        if self.kept.len() < self.limit && !self.kept.contains(&finding) {
            self.kept.push(finding);
        }
    }

    /// The gravest first; otherwise as they were made.
    pub(crate) fn sorted(mut self) -> Vec<Finding> {
        self.kept.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
        self.kept
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

    #[test]
    fn the_gravest_come_first_and_no_more_than_the_limit_are_kept() {
        let mut findings = Findings::new(2);
        for code in [
            FindingCode::StartMoved,
            FindingCode::StartMoved,
            FindingCode::FileMissing,
            FindingCode::Ambiguous,
        ] {
            findings.push(Finding::new(code, "x").in_file("a.ismv").at_chunk(Some(5)));
        }
        let findings = findings.sorted();
        assert_eq!(findings.len(), 2);
        assert_eq!(findings[0].to_string(), "error file-missing: a.ismv, chunk 5: x");
    }
}
