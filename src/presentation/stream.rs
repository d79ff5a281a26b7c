//! Streams and tracks of an opened presentation.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::fragment_files::FragmentFiles;
use super::header_chunk::HeaderChunk;
use super::made::MadeTrack;
use super::{Role, Timeline, Window};
use crate::base::{ErrorKind, FileId, Guid, Limits, Name, ReadError, ReadErrorKind, Timescale};
use crate::bmff::SampleEntry;
use crate::codec::{Description, Format, encryption};
use crate::fragment::Defaults;
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::fragment::cmaf::Growth;
use crate::index::Fragments;
use crate::manifest::{CustomAttribute, QualityLevel, StreamIndex, StreamKind};

/// A stream: one kind, name and timescale, and the chunks that its tracks share.
///
/// ```
/// # fn example(stream: &smooth_origin::presentation::Stream) {
/// let (ticks, per_second) = (stream.timeline().end(), stream.timescale().get());
/// println!("{} ends after {} s", stream.name(), ticks / per_second);
/// # }
/// ```
#[derive(Debug)]
pub struct Stream {
    pub(crate) kind: StreamKind,
    pub(crate) name: String,
    /// A second name that answers too.
    pub(crate) label: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) timescale: Timescale,
    pub(crate) timeline: Timeline,
    pub(crate) tracks: Vec<Track>,
    pub(crate) subtype: Option<Box<str>>,
    pub(crate) parent: Option<Box<str>>,
    /// The URI of the kind of samples that commands and events have.
    pub(crate) scheme: Option<Box<str>>,
    /// Set once all streams are known.
    pub(crate) role: Option<Role>,
    pub(crate) window: Window,
}

/// A track: one bitrate of a stream.
///
/// ```
/// # fn example(track: &smooth_origin::presentation::Track) {
/// match track.picture_size() {
///     Some((width, height)) => println!("{width} x {height} at {} bit/s", track.bitrate()),
///     None => println!("{} bit/s", track.bitrate()),
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Track {
    pub(crate) kind: StreamKind,
    pub(crate) bitrate: u32,
    pub(crate) attributes: Vec<CustomAttribute>,
    pub(crate) media: Media,
    /// Its codec and configuration, if they are known and short.
    pub(crate) description: Option<Box<Description>>,
    /// Width and height of a pixel by the track's header or the manifest, in lowest terms.
    pub(crate) pixel_aspect: Option<Box<(u32, u32)>>,
}

impl Stream {
    /// Makes its segments those that manifests of the event had.
    pub(super) fn keep_window(&mut self) {
        let longest = self.timeline.iter().map(|(_, duration)| duration).max().unwrap_or(0);
        self.window = Window { longest, is_of_event: true, ..self.window };
    }
}

/// Maximum bytes of a description, a sample entry or another text of a manifest that is kept.
pub(crate) const LONGEST_KEPT: usize = 4 << 10;

/// Returns a description to keep with a track.
pub(crate) fn kept(description: &Description) -> Option<Box<Description>> {
    description.kept(LONGEST_KEPT).map(Box::new)
}

/// Returns how a manifest says that a track is coded, to keep with the track.
pub(crate) fn announced(stream: &StreamIndex, quality: &QualityLevel) -> Option<Box<Description>> {
    kept(&Description::of(stream, quality).ok()?)
}

/// Returns a word of a manifest to keep with a stream.
pub(crate) fn word(text: Option<&str>) -> Option<Box<str>> {
    text.filter(|text| text.len() <= LONGEST_KEPT).map(Into::into)
}

/// The place of a track's fragments.
#[derive(Debug)]
pub(crate) enum Media {
    /// In the one file of the track.
    Stored(Box<StoredTrack>),
    /// In files of their own.
    Files(Box<FragmentFiles>),
    Absent(Absent),
}

/// Why a track is not served; a finding says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// The media is missing or broken.
    Missing,
    /// The media is there and cannot be served as it is.
    NotSliceable(&'static str),
    /// The media could not be read just now.
    Unreadable,
}

impl From<Absent> for ErrorKind {
    fn from(absent: Absent) -> Self {
        match absent {
            Absent::Missing => Self::NoMedia,
            Absent::NotSliceable(why) => Self::NotSliceable(why),
            Absent::Unreadable => Self::Read(ReadError::new(ReadErrorKind::Transient)),
        }
    }
}

/// A track of a file.
#[derive(Debug)]
pub(crate) struct StoredTrack {
    pub(crate) file: FileId,
    pub(crate) track_id: u32,
    /// Ticks per second of the times in the file.
    pub(crate) timescale: Timescale,
    /// Difference between a time of the manifest and the same time of the file, in ticks of the
    /// stream.
    pub(crate) shift: i64,
    pub(crate) defaults: Defaults,
    pub(crate) fragments: Fragments,
    /// Fragments are added behind the others: one that is missing there may still come.
    pub(crate) is_growing: bool,
    /// Number in the event of the first chunk that it had, which may have left the window. `None` unless it grows, or grew.
    pub(crate) joined: Option<u64>,
    /// The samples of a progressive file. Then its fragments are made of them, and their places are
    /// not those of bytes in the file.
    pub(crate) made: Option<Arc<MadeTrack>>,
    /// The first fragment, if its samples are in the header of its file.
    pub(crate) header_chunk: Option<Arc<HeaderChunk>>,
    /// The first sample entry, if all of them together are small.
    pub(crate) entry: Option<SampleEntry>,
    /// The other sample entries.
    pub(crate) more_entries: Box<[SampleEntry]>,
    /// The code of the language in the header of its file.
    pub(crate) language: Option<[u8; 3]>,
    /// The shortest and the longest duration of a sample in the first fragment, in ticks of the
    /// file.
    pub(crate) durations: Option<(u32, u32)>,
    /// The bytes that its segments of CMAF are longer by than its fragments.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) growth: Growth,
    /// Times in the fragments are no evidence against the index: they were weighed when it was
    /// opened.
    pub(crate) is_settled: bool,
    /// A finding about the times in its fragments has been made.
    pub(crate) is_time_told: AtomicBool,
}

impl Stream {
    /// The kind of its samples.
    pub fn kind(&self) -> StreamKind {
        self.kind
    }

    /// Its name in URLs: what the client manifest's `Url` says, percent-decoded, else its `Name`.
    ///
    /// Several streams may have one name: then their tracks differ in bitrate or attributes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client manifest's `Name`, where it differs from [`name`](Self::name) and no stream has
    /// it as its name in URLs. Requests may use it as well.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Its language, as the manifest has it.
    pub fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// Ticks per second of its chunks.
    pub fn timescale(&self) -> Timescale {
        self.timescale
    }

    /// The purpose of its samples, as the manifest says it: of text `CAPT` for captions, `SUBT` for
    /// subtitles, `DATA` for events. `None` if the manifest does not say so, which is usual for
    /// pictures and sound.
    ///
    /// Spec: [MS-SSTR] 2.2.2.3, `Subtype`.
    pub fn subtype(&self) -> Option<&str> {
        self.subtype.as_deref()
    }

    /// The name of the stream to which it belongs, if it is sparse: its fragments are announced
    /// within those of that stream.
    ///
    /// Spec: [MS-SSTR] 2.2.2.3, `ParentStreamIndex`.
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

    /// Start and duration of its chunks. A live stream also has a few that manifests do not announce any
    /// more, because players may still ask for them.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Returns the number of chunks that have left the window of a live presentation: all before the
    /// first one that manifests announce. 0 for a film.
    pub fn dropped(&self) -> u64 {
        self.window.before()
    }

    /// Its tracks, in the order of the manifest.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// Numbers of the tracks with this bitrate and these attributes: exactly these, or these and
    /// more, because not every `Url` asks for the attributes of its tracks.
    pub(crate) fn find_tracks(
        &self,
        is_exact: bool,
        bitrate: u32,
        attributes: &str,
    ) -> impl Iterator<Item = usize> {
        let pairs = pairs(attributes);
        let fits = move |track: &Track| {
            // No manifest makes a player name more pairs than the track has. A request has room for
            // a thousand, and each would be compared with every attribute of every track.
            let count_fits = match is_exact {
                true => pairs == track.attributes.len(),
                false => pairs < track.attributes.len(),
            };
            track.bitrate == bitrate && count_fits && track.has(attributes)
        };
        let tracks = self.tracks.iter().enumerate();
        tracks.filter(move |(_, track)| fits(track)).map(|(number, _)| number)
    }
}

/// Returns the number of `key=value` pairs.
fn pairs(attributes: &str) -> usize {
    match attributes {
        "" => 0,
        _ => 1 + memchr::memchr_iter(b',', attributes.as_bytes()).count(),
    }
}

impl Track {
    /// Bits per second, as in URLs.
    pub fn bitrate(&self) -> u32 {
        self.bitrate
    }

    /// Attributes that tell it from another track of its bitrate.
    pub fn attributes(&self) -> &[CustomAttribute] {
        &self.attributes
    }

    /// Its coding, as the manifest announces it: the codec, its configuration, and everything else that
    /// a player needs to set a decoder up. `None` if the manifest says nothing that can be read, or
    /// more than 4 KiB.
    ///
    /// ```
    /// # fn example(track: &smooth_origin::presentation::Track) {
    /// if let Some(description) = track.description() {
    ///     println!("{} ({:?})", description.tag, description.rfc6381());
    /// }
    /// # }
    /// ```
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn description(&self) -> Option<&Description> {
        self.description.as_deref()
    }

    /// Width and height of its pictures in pixels, as the manifest announces them (`MaxWidth` and
    /// `MaxHeight`). `None` for a track without pictures, and if a side is not known.
    pub fn picture_size(&self) -> Option<(u32, u32)> {
        match self.description()?.format {
            Format::Video { width, height, .. } if width > 0 && height > 0 => Some((width, height)),
            _ => None,
        }
    }

    /// The sample entry in the header of its file, which sets a decoder up for its samples. `None`
    /// if its media is not in one file, or if the entry is missing or longer than 4 KiB.
    ///
    /// Spec: ISO/IEC 14496-12, 8.5.2.
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn sample_entry(&self) -> Option<&SampleEntry> {
        self.stored().ok()?.entry.as_ref()
    }

    /// The identifier of the key that decrypts its samples, unless a fragment has its own. `None`
    /// if its samples are not encrypted, or if its [sample entry](Self::sample_entry) is not known.
    /// The sample entry is read for each call.
    ///
    /// Spec: ISO/IEC 23001-7, 8.2; PIFF 1.1, 5.3.3.
    pub fn key_id(&self) -> Option<Guid> {
        encryption(self.sample_entry()?, &Limits::default())?.key_id
    }

    /// Returns the file and the number of the track in it, if its media is served from one file.
    pub fn source(&self) -> Option<(FileId, u32)> {
        match &self.media {
            Media::Stored(stored) => Some((stored.file, stored.track_id)),
            Media::Files(_) | Media::Absent(_) => None,
        }
    }

    /// Returns the folder of its fragments, if each is served from a file of its own.
    pub fn folder(&self) -> Option<&Name> {
        match &self.media {
            Media::Files(files) => Some(files.folder()),
            Media::Stored(_) | Media::Absent(_) => None,
        }
    }

    /// Returns whether its media is served, from one file or from a file per fragment.
    pub fn is_served(&self) -> bool {
        match &self.media {
            Media::Stored(_) | Media::Files(_) => true,
            Media::Absent(_) => false,
        }
    }

    /// Returns the number of the stream's chunks for which it has a fragment. If each fragment has
    /// a file of its own and the storage cannot list folders, it is the number of all chunks.
    pub fn fragment_count(&self) -> usize {
        match &self.media {
            Media::Stored(stored) => stored.fragments.len(),
            Media::Files(files) => files.count,
            Media::Absent(_) => 0,
        }
    }

    /// Gives `each` the chunks that have a fragment in its file, in ascending order: the number of the
    /// chunk and the bytes of the file. A fragment that nothing has read yet reaches to what
    /// follows it, and one that is known to be broken has no bytes. Nothing is given if its media is not
    /// in one file, or if its fragments are made of the samples of a progressive file.
    #[cfg_attr(not(feature = "unstable-formats"), doc(hidden))]
    pub fn each_stored(&self, each: impl FnMut(usize, Range<u64>)) {
        if let Ok(stored) = self.stored()
            && stored.made.is_none()
        {
            stored.fragments.each_range(each);
        }
    }

    /// Returns whether its file has no fragment of a chunk that its stream has. Of a clip, whose tracks have none, nobody knows.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn lacks(&self, chunk: usize) -> bool {
        let is_indexed = |stored: &&StoredTrack| {
            let has_any = stored.fragments.len() > 0 || stored.is_growing;
            stored.header_chunk.is_none() && has_any
        };
        let indexed = self.stored().ok().filter(is_indexed);
        indexed.is_some_and(|stored| stored.fragments.place(chunk).is_none())
    }

    /// Returns whether it may [lack](Self::lacks) chunks of a timeline of so many.
    #[cfg(feature = "dash")]
    pub(crate) fn may_lack(&self, chunks: usize) -> bool {
        self.stored().is_ok_and(|stored| stored.fragments.len() < chunks)
    }

    /// Returns whether it had a fragment of the event.
    #[cfg(feature = "hls")]
    pub(crate) fn has_joined(&self) -> bool {
        self.stored().is_ok_and(|of| of.joined.is_some())
    }

    /// Returns the number of the first chunk of the event that it had.
    #[cfg(feature = "dash")]
    pub(crate) fn joined(&self) -> u64 {
        let first = |of: &StoredTrack| of.fragments.at_or_behind(0).unwrap_or(0) as u64;
        self.stored().map_or(0, |of| of.joined.unwrap_or_else(|| first(of)))
    }

    /// Returns the media in one file, or the reason why there is none.
    pub(crate) fn stored(&self) -> Result<&StoredTrack, ErrorKind> {
        match &self.media {
            Media::Stored(stored) => Ok(stored),
            Media::Files(_) => Err(ErrorKind::NoMedia),
            Media::Absent(absent) => Err((*absent).into()),
        }
    }

    /// Checks that there is media. The error is the reason why there is none.
    pub(crate) fn check_media(&self) -> Result<(), ErrorKind> {
        match &self.media {
            Media::Stored(_) | Media::Files(_) => Ok(()),
            Media::Absent(absent) => Err((*absent).into()),
        }
    }

    /// The manifest does not announce it, because it has no media that can be served.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.media {
            Media::Stored(_) | Media::Files(_) | Media::Absent(Absent::Unreadable) => false,
            Media::Absent(Absent::Missing | Absent::NotSliceable(_)) => true,
        }
    }

    /// `key=value` pairs, divided by commas, are all among its attributes.
    fn has(&self, attributes: &str) -> bool {
        attributes.is_empty()
            || attributes.split(',').all(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                self.attributes.iter().any(|own| own.name == name && own.value == value)
            })
    }
}
