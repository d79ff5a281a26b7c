//! A presentation with its Smooth manifest, its MPD and its playlists.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Trex};
use smooth_origin::origin::{Answer, Opened, Origin, block_on};
use smooth_origin::presentation::Track;
use smooth_origin::storage::MemoryStore;
use testkit::corpus::all;
use testkit::{get, name, read};

use super::element::Element;
use super::playlist::Playlist;
use super::samples::Defaults;

/// Reads a stored file by its name.
type ReadFile = Box<dyn Fn(&str) -> Vec<u8>>;

/// A presentation, and how its stored files are read.
pub struct Film {
    pub origin: Origin,
    /// Path of the server manifest.
    pub path: String,
    pub opened: Arc<Opened>,
    stored: ReadFile,
}

/// A stream of the Smooth manifest.
#[derive(Clone, Debug)]
pub struct Smooth {
    pub name: String,
    pub kind: String,
    pub timescale: u64,
    pub bitrates: Vec<u64>,
    /// Start and duration of each chunk.
    pub chunks: Vec<(u64, u64)>,
}

/// A quality of a stream: the number among those of one bitrate counts from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quality {
    pub bitrate: u64,
    pub nth: usize,
}

/// An Adaptation Set of the MPD.
#[derive(Clone, Debug)]
pub struct Set {
    pub kind: String,
    pub timescale: u64,
    pub offset: u64,
    /// Time and duration of each segment.
    pub times: Vec<(u64, u64)>,
    pub representations: Vec<Element>,
}

impl Film {
    pub fn new(origin: Origin, path: &str, stored: impl Fn(&str) -> Vec<u8> + 'static) -> Self {
        let opened = block_on(origin.open(&name(path)));
        let opened = opened.unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { origin, path: format!("/{path}"), opened, stored: Box::new(stored) }
    }

    /// Opens `film.ism` of a store.
    pub fn of_store(store: &MemoryStore, files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::new(Origin::new(store.clone()), "film.ism", move |name| files[name].clone())
    }

    /// Opens `film.ism` of these files.
    pub fn of_files<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Self {
        let files: BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        let store = testkit::store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
        Self::of_store(&store, files)
    }

    /// Returns the whole answer to what follows the name of the presentation.
    #[track_caller]
    pub fn get(&self, rest: &str) -> Bytes {
        let path = format!("{}/{rest}", self.path);
        let bytes = get(&self.origin, &path).unwrap_or_else(|error| panic!("{path}: {error}"));
        bytes.into()
    }

    /// Returns the status of the answer.
    pub fn status(&self, rest: &str) -> u16 {
        testkit::status(&self.origin, &format!("{}/{rest}", self.path))
    }

    /// Returns the answer after the identity was asked for, which must be that of the answer.
    #[track_caller]
    pub fn asked(&self, rest: &str) -> Bytes {
        let path = format!("{}/{rest}", self.path);
        let asked = block_on(self.origin.ask(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        let identity = asked.identity();
        let Answer::Reply(served) = block_on(asked.answer()).unwrap() else { panic!("{path}") };
        if let Some(identity) = identity {
            assert_eq!(identity.validator(), served.reply().validator(), "{path}");
        }
        read(&served).unwrap().into()
    }

    pub fn mpd(&self) -> Element {
        Element::parse(&self.get("trick.mpd"))
    }

    pub fn sets(&self) -> Vec<Set> {
        self.mpd().one("Period").each("AdaptationSet").map(Set::of).collect()
    }

    pub fn playlist(&self, uri: &str) -> Playlist {
        Playlist::parse(&self.get(uri))
    }

    /// Returns the streams of the Smooth manifest.
    pub fn smooth(&self) -> Vec<Smooth> {
        let manifest = Element::parse(&self.get("Manifest"));
        let timescale = manifest.number("TimeScale").unwrap_or(10_000_000);
        let streams = manifest.each("StreamIndex");
        streams.map(|stream| Smooth::of(stream, timescale)).collect()
    }

    /// Returns the stream of the Smooth manifest and the quality that the id of a Representation
    /// names.
    pub fn named<'a>(&self, smooth: &'a [Smooth], id: &str) -> (&'a Smooth, Quality) {
        let id = id.trim_end_matches(".key").trim_end_matches(".vtt").trim_end_matches(".wvtt");
        let (stream, bitrate) = id.rsplit_once('-').unwrap();
        let stream = percent_decode_str(stream).decode_utf8().unwrap();
        let found = smooth.iter().find(|of| of.name == stream).unwrap_or_else(|| panic!("{id}"));
        let (bitrate, nth) = bitrate.split_once('~').unwrap_or((bitrate, "1"));
        let (bitrate, nth) = (bitrate.parse().unwrap(), nth.parse::<usize>().unwrap() - 1);
        assert!(found.bitrates.contains(&bitrate), "{id}");
        (found, Quality { bitrate, nth })
    }

    /// Returns what the header of the file says of samples of a track that say nothing.
    pub fn defaults(&self, stream: &str, quality: Quality) -> Defaults {
        let (presentation, track) = (self.opened.presentation(), self.track(stream, quality));
        let Some((file, id)) = track.source() else { return (0, 0, 0) };
        let file = (self.stored)(presentation.files()[file.index()].as_str());
        let moov = all(&file.into(), b"moov").remove(0).1;
        let moov = Boxes::parse(&moov, 0, &Limits::default()).unwrap();
        let mvex = moov.path(&[*b"moov", *b"mvex"]).unwrap();
        let trex = mvex.all::<Trex>().find(|trex| trex.track_id == id).cloned().unwrap_or_default();
        (trex.default_sample_duration, trex.default_sample_size, trex.default_sample_flags)
    }

    fn track(&self, stream: &str, quality: Quality) -> &Track {
        let streams = self.opened.presentation().streams().iter();
        let tracks = streams.filter(|of| of.name() == stream).flat_map(|of| of.tracks());
        let mut alike = tracks.filter(|of| u64::from(of.bitrate()) == quality.bitrate);
        alike.nth(quality.nth).unwrap()
    }

    /// Returns the stored fragment of a chunk. Custom attributes distinguish tracks of one bitrate.
    pub fn fragment(&self, stream: &str, quality: Quality, start: u64) -> Bytes {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
        let attributes = self.track(stream, quality).attributes().iter();
        let attributes: String =
            attributes.map(|found| format!(",{}={}", found.name, found.value)).collect();
        let stream = utf8_percent_encode(stream, NON_ALPHANUMERIC);
        let bitrate = quality.bitrate;
        self.get(&format!("QualityLevels({bitrate}{attributes})/Fragments({stream}={start})"))
    }
}

impl Smooth {
    fn of(stream: &Element, timescale: u64) -> Self {
        let mut chunks: Vec<(u64, u64)> = Vec::new();
        let mut next = 0;
        let all: Vec<&Element> = stream.each("c").collect();
        for (number, c) in all.iter().enumerate() {
            let start = c.number("t").unwrap_or(next);
            let following = all.get(number + 1).and_then(|next| next.number("t"));
            let duration = c.number("d").or(following.map(|next| next - start)).unwrap_or(0);
            for repeat in 0..c.number("r").unwrap_or(1) {
                chunks.push((start + repeat * duration, duration));
            }
            next = chunks.last().map_or(0, |last| last.0 + last.1);
        }
        let kind = stream.get("Type").unwrap().to_owned();
        Self {
            name: stream.get("Name").unwrap_or(&kind).to_owned(),
            timescale: stream.number("TimeScale").unwrap_or(timescale),
            bitrates: stream.each("QualityLevel").filter_map(|q| q.number("Bitrate")).collect(),
            kind,
            chunks,
        }
    }
}

impl Set {
    fn of(element: &Element) -> Self {
        let template = element.one("SegmentTemplate");
        assert_eq!(template.get("initialization"), Some("$RepresentationID$/init.mp4"));
        assert_eq!(template.get("media"), Some("$RepresentationID$/$Time$.m4s"));
        let (mut times, mut next) = (Vec::new(), 0);
        for s in template.one("SegmentTimeline").each("S") {
            let start = s.number("t").unwrap_or(next);
            let duration = s.number("d").unwrap();
            for repeat in 0..=s.number("r").unwrap_or(0) {
                times.push((start + repeat * duration, duration));
            }
            next = times.last().map_or(0, |last: &(u64, u64)| last.0 + last.1);
        }
        Self {
            kind: element.get("contentType").unwrap().to_owned(),
            timescale: template.number("timescale").unwrap(),
            offset: template.number("presentationTimeOffset").unwrap_or(0),
            times,
            representations: element.each("Representation").cloned().collect(),
        }
    }
}
