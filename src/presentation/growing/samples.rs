//! Tracks and fragments for tests.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Growing, GrowingFile};
use crate::base::{Error, FileId, Got, Limits, Name, Step, Timescale, Want};
use crate::codec::{Description, InitSegment};
use crate::fragment::Lengths;
use crate::fragment::written::{Head, Sample};
use crate::manifest::{QualityLevel, ServerTrack, StreamIndex, StreamKind};
use crate::presentation::{Live, OpenOptions, Presentation};

/// A track that an encoder pushes.
#[derive(Clone, Debug)]
pub(crate) struct Pushed {
    pub(crate) kind: StreamKind,
    pub(crate) track_id: u32,
    pub(crate) bitrate: u32,
    pub(crate) timescale: Timescale,
    pub(crate) name: Option<&'static str>,
    pub(crate) language: Option<&'static str>,
    /// Number of its samples in a fragment.
    pub(crate) samples: u32,
    /// Level of its pictures, in tenths.
    pub(crate) level: u8,
}

/// Parameter sets, but for the level.
const AVC: [&str; 2] =
    ["00000001676400", "ACD941E08FEB011000003E90000EA600F162D9600000000168EBECB22C"];

impl Pushed {
    pub(crate) fn new(kind: StreamKind, track_id: u32, bitrate: u32) -> Self {
        let (timescale, samples) = (Timescale::SMOOTH, 2);
        let (name, language, level) = (None, None, 21);
        Self { kind, track_id, bitrate, timescale, name, language, samples, level }
    }

    pub(crate) fn head(&self) -> Bytes {
        let mut stream = StreamIndex::new(self.kind);
        let mut quality = QualityLevel { bitrate: self.bitrate, ..QualityLevel::default() };
        match self.kind {
            StreamKind::Video => {
                quality.four_cc = Some("H264".into());
                let [before, behind] = AVC;
                let sets = format!("{before}{:02X}{behind}", self.level);
                quality.codec_private_data = Some(sets);
                (quality.max_width, quality.max_height) = (Some(480), Some(360));
            }
            StreamKind::Audio => {
                quality.four_cc = Some("AACL".into());
                quality.codec_private_data = Some("1190".into());
                (quality.sampling_rate, quality.channels) = (Some(48_000), Some(2));
                (quality.bits_per_sample, quality.audio_tag) = (Some(16), Some(255));
            }
            StreamKind::Text => {
                stream.subtype = Some("CAPT".into());
                quality.four_cc = Some("TTML".into());
            }
        }
        let description = Description::of(&stream, &quality).unwrap();
        let segment = InitSegment {
            track_id: self.track_id,
            kind: self.kind,
            timescale: self.timescale,
            language: self.language.map(|code| code.as_bytes().try_into().unwrap()),
            entries: Vec::new(),
            description: Some(&description),
            pixel_aspect: None,
            defaults: (0, 0, 0),
            systems: &[],
        };
        segment.to_bytes(&Limits::default()).unwrap()
    }

    /// A fragment of samples of a few bytes, which differ from those at another time.
    pub(crate) fn fragment(&self, time: u64, duration: u64) -> (Bytes, Lengths) {
        let count = self.samples;
        let ticks = u32::try_from(duration).unwrap() / count;
        let samples: Vec<Sample> = (0..count)
            .map(|number| {
                let rest = if number == 0 { duration as u32 % count } else { 0 };
                let is_sync = number == 0 || self.kind != StreamKind::Video;
                Sample { duration: ticks + rest, size: 8, is_sync, ..Sample::default() }
            })
            .collect();
        let (track_id, samples) = (self.track_id, &samples[..]);
        let head = Head { number: 1, track_id, start: time, duration, samples, has_tfxd: true };
        let head = head.to_bytes(&Limits::default()).unwrap();
        let payload = (0..u64::from(count)).flat_map(|number| (time + number).to_be_bytes());
        let bytes: Bytes = head.iter().copied().chain(payload).collect();
        let payload = head.len() as u64;
        let lengths = Lengths { moof: payload - 8, payload, len: bytes.len() as u64 };
        (bytes, lengths)
    }

    pub(crate) fn file(&self) -> GrowingFile {
        let name = format!("event/{}-{}.ismv", self.kind, self.track_id);
        let src = name.trim_start_matches("event/");
        let mut server = ServerTrack::new(self.kind, src);
        server.attributes.push(("systemBitrate".into(), self.bitrate.to_string()));
        server.params.push(("trackID".into(), self.track_id.to_string()));
        let given = self.name.map(|name| ("trackName".into(), name.into()));
        server.params.extend(given);
        let language = self.language.map(|code| ("systemLanguage".into(), code.into()));
        server.attributes.extend(language);
        let name = Name::new(&name).unwrap();
        GrowingFile { name, server, head: self.head(), first: self.fragment(7, 1000).0 }
    }
}

/// An event whose files are in memory.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) growing: Growing,
    pub(crate) tracks: Vec<Pushed>,
    /// The bytes of each file.
    pub(crate) files: Vec<Vec<u8>>,
    number: u64,
}

pub(crate) const SECOND: u64 = 10_000_000;

impl Event {
    pub(crate) fn new(tracks: Vec<Pushed>) -> Self {
        Self::with_options(tracks, &OpenOptions::default().epoch("event 1"))
    }

    pub(crate) fn with_options(tracks: Vec<Pushed>, options: &OpenOptions) -> Self {
        let files: Vec<_> = tracks.iter().map(Pushed::file).collect();
        let heads = files.iter().map(|file| file.head.to_vec()).collect();
        let name = Name::new("event/x.isml").unwrap();
        let growing = Growing::open(&name, files, options).unwrap();
        Self { growing, tracks, files: heads, number: 0 }
    }

    /// Two qualities of pictures, and sound.
    pub(crate) fn usual() -> Self {
        Self::new(vec![
            Pushed::new(StreamKind::Video, 1, 3_000_000),
            Pushed::new(StreamKind::Video, 2, 800_000),
            Pushed::new(StreamKind::Audio, 3, 128_000),
        ])
    }

    pub(crate) fn file_id(track: usize) -> FileId {
        FileId::new(track as u32 + 1)
    }

    /// Adds a fragment of a track, in ticks of the track.
    pub(crate) fn try_add(&mut self, track: usize, time: u64, duration: u64) -> Result<(), Error> {
        let (bytes, lengths) = self.tracks[track].fragment(time, duration);
        let file = &mut self.files[track];
        let start = file.len() as u64;
        self.growing.add(Self::file_id(track), time, duration, start, lengths)?;
        file.extend(&bytes);
        Ok(())
    }

    pub(crate) fn add(&mut self, track: usize, time: u64, duration: u64) {
        self.try_add(track, time, duration).unwrap();
    }

    /// Adds a chunk of two seconds to all tracks in units of 100 ns.
    pub(crate) fn add_chunk(&mut self, number: u64) {
        for track in 0..self.tracks.len() {
            self.add(track, 2 * SECOND * number, 2 * SECOND);
        }
    }

    pub(crate) fn live(window: Option<u64>) -> Live {
        Live {
            look_ahead: 2,
            window: window.map(Duration::from_secs),
            epoch: 17_954_784_000_000_000,
            published: Duration::from_secs(1_795_478_500),
            clock: 17_954_785_000_000_000,
        }
    }

    /// A snapshot with a window of so many seconds.
    pub(crate) fn snapshot(&mut self, window: Option<u64>) -> Arc<Presentation> {
        self.number += 1;
        Arc::new(self.growing.snapshot(Some(Self::live(window)), self.number))
    }

    pub(crate) fn film(&mut self) -> Arc<Presentation> {
        self.number += 1;
        Arc::new(self.growing.snapshot(None, self.number))
    }

    /// Carries out a step with the files.
    pub(crate) fn drive<T>(&self, step: Step<T>) -> Result<T, Error> {
        step.drive(|want| match want {
            Want::Range { file, range } => {
                let bytes = &self.files[file.index() - 1];
                Ok(Got::Range(bytes[range.start as usize..range.end as usize].to_vec().into()))
            }
            other => panic!("{other:?}"),
        })
    }
}
