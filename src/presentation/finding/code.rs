//! Codes of findings. Each has one entry in the table below, and one row in `docs/findings.md`.

use std::fmt;

/// The importance of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Everything is served; the presentation only differs from what is usual.
    Info,
    /// Everything is served, but some player may stumble, or the files disagree.
    Warning,
    /// Something that the presentation announces is not served, or a file has lost its end.
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

            /// Returns the severity of findings of this code.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// Returns what the operator can do about it.
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
    /// The sample tables of a progressive file cannot be read, or lead out of the file.
    SampleTablesBroken "sample-tables-broken" Error
        "copy the file again from its source; if that is the same, make it again (`ffmpeg -i in.mp4 -c copy out.mp4`)",
    /// Sample tables of a progressive file contradict one another, and have one harmless reading.
    SampleTablesOdd "sample-tables-odd" Warning
        "nothing needs to be done if the film plays as it should; else make the file again (`ffmpeg -i in.mp4 -c copy out.mp4`)",
    /// Progressive files of one stream cannot be cut into the same chunks.
    QualitiesNotAligned "qualities-not-aligned" Error
        "encode all qualities with key frames at the same times, and from the same start",
    /// The samples of a progressive track are encrypted.
    SamplesEncrypted "samples-encrypted" Error
        "name a fragmented MP4 in the .ism, whose fragments say how they are encrypted, or the file before it was encrypted",
    /// The samples of a progressive track are in another file.
    SamplesElsewhere "samples-elsewhere" Error
        "put the samples into the file itself: `ffmpeg -i in.mp4 -c copy out.mp4`",
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
    RecordingCutOff "recording-cut-off" Error
        "what is whole is served: copy the file again from its source; if that has no more, package the file again, and make the .ismc from the new file",
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
    /// Fragments of the track cannot be cut out of the file, and are served with another `moof`.
    FragmentsRewritten "fragments-rewritten" Info
        "nothing needs to be done: the samples are served as they are; package the file again (one track per moof, offsets relative to it) to spare a read per fragment",
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
        "players get 404 for these chunks in the middle of the film: copy the whole file again, or the .ismc that was made with it; until then, take the track out of both manifests",
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
    /// Manifests of DASH and HLS do not list a track or a stream.
    TrackLeftOut "track-left-out" Info
        "players of Smooth Streaming get it; for players of DASH and HLS, encode it as H.264, HEVC, AAC or AC-3, and text as TTML",
    /// Some captions are not in the text that players of DASH and HLS get.
    CaptionsLost "captions-lost" Warning
        "players that get the stored TTML (`stpp`) show it; for all others, store the captions as text, with times by the standard",
    /// Captions lose some of their look in the text that players of DASH and HLS get.
    CaptionsSimplified "captions-simplified" Info
        "nothing needs to be done: the words and times are kept, and players that get the stored TTML (`stpp`) show the rest",
    /// Files of one presentation have other data for one protection system.
    ProtectionDiffers "protection-differs" Warning
        "the manifest has that of the first file; keep an .ismc whose header is for all keys",
    /// Samples are encrypted, and the manifest does not say where players get a licence.
    LicenceUnknown "licence-unknown" Warning
        "add to the .ismc a Protection element with the PlayReady header for this key, or package the file again with that header (`pssh`) in its `moov`",
    /// Samples are encrypted by a scheme that Smooth Streaming does not have.
    SchemeNotSmooth "scheme-not-smooth" Warning
        "players of Smooth Streaming cannot decrypt them; players of DASH and HLS can: encrypt with `cenc` (AES-CTR) for both",
    /// A bitrate is declared nowhere and was computed.
    BitrateComputed "bitrate-computed" Info
        "declare systemBitrate in the .ism, if players should see another",
    /// A stored manifest announces pictures or sound of 0 bit/s.
    BitrateZero "bitrate-zero" Warning
        "RxPlayer plays no such quality: give it its bitrate in the .ism and the .ismc",
    /// A quality has the media of another quality of its stream.
    SameMedia "same-media" Warning
        "players that switch between the two get the same bits: in the .ism, name the file and trackID of this quality, or put the right file in its place; or take the quality out of both manifests",
    /// The pictures of a quality have the size that another quality of its stream declares.
    PicturesContradicted "pictures-contradicted" Warning
        "players may show nothing, or pictures of another quality: see that the .ism names the right file and trackID for this quality, and that the file is the right one",
    /// The media of a quality have another bitrate than it declares, by far.
    BitrateContradicted "bitrate-contradicted" Warning
        "players choose qualities by the declared bitrate: see that the .ism names the right file and trackID for this quality, and that the file is the right one; else declare the bitrate of its media",
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
    /// The duration of the last chunk could not be read, and was assumed.
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
    /// The samples of a fragment are shorter than its `mdat`.
    SizesContradicted "sizes-contradicted" Warning
        "samples are missing, or bytes are left over that no player needs: package the file again",
    /// A named player does not take an attribute of the manifest, and does not play something.
    PlayerRefuses "player-refuses" Warning
        "do what the message says at the attribute that it names, in the .ismc; docs/players.md has all players and attributes",
    /// A named player leaves something out because of an attribute of the manifest.
    PlayerLimited "player-limited" Info
        "nothing needs to be done, unless viewers have this player; docs/players.md has all players and attributes",
    /// Of several streams of sound or text, one does not say its language.
    LanguageMissing "language-missing" Warning
        "viewers cannot tell the streams apart: give each StreamIndex its Language in the .ismc, or systemLanguage in the .ism",
    /// Two streams of the manifest have one name.
    NamesEqual "names-equal" Warning
        "a player may refuse the manifest or take the streams for one: give each StreamIndex a Name of its own, the same as in its Url",
    /// The first chunks of two streams begin at other times.
    StartsDiffer "starts-differ" Warning
        "players begin with a black picture or in silence, or wait for ever: package the film again from sources that begin together",
    /// The duration in the manifest is not that of its chunks.
    DurationContradicted "duration-contradicted" Warning
        "players show a wrong duration, and seek beyond the end or stop before it: correct Duration in the .ismc",
    /// The `CodecPrivateData` of a quality sets up another decoder than its file does.
    CodecDataContradicted "codec-data-contradicted" Warning
        "players show nothing, or wrong pictures, or play noise: see that the .ism names the right file and trackID, then write the data of the file into the .ismc",
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
}
