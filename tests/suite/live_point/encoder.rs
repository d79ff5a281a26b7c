//! Encoders that push.

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::bmff::uuid::{LiveServerManifest, Tfxd};
use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Trun};
use smooth_origin::manifest::{ServerManifest, ServerTrack, StreamKind};
pub use testkit::film::Style;
use testkit::film::{self, Fragment, Track};

/// A track that encoders push.
#[derive(Clone, Debug)]
pub struct Spec {
    pub id: u32,
    pub kind: StreamKind,
    pub name: &'static str,
    /// 0: the encoder does not say it.
    pub bitrate: u32,
    pub language: &'static str,
    pub timescale: u32,
    /// Another one is new codec data.
    pub level: u8,
}

pub fn video(id: u32, bitrate: u32) -> Spec {
    let kind = StreamKind::Video;
    Spec { id, kind, name: "video", bitrate, language: "", timescale: 10_000_000, level: 1 }
}

pub fn audio(id: u32, bitrate: u32) -> Spec {
    Spec { kind: StreamKind::Audio, name: "audio", ..video(id, bitrate) }
}

pub fn text(id: u32) -> Spec {
    Spec { kind: StreamKind::Text, name: "captions", ..video(id, 1000) }
}

impl Spec {
    fn track(&self) -> Track {
        let track = Track::new(self.id, self.kind, Vec::new());
        Track { timescale: self.timescale, ..track }
    }

    fn server(&self) -> ServerTrack {
        let mut server = ServerTrack::new(self.kind, "Streams");
        if self.bitrate > 0 {
            server.attributes.push(("systemBitrate".into(), self.bitrate.to_string()));
        }
        if !self.language.is_empty() {
            server.attributes.push(("systemLanguage".into(), self.language.into()));
        }
        server.params.push(("trackID".into(), self.id.to_string()));
        server.params.push(("trackName".into(), self.name.into()));
        if self.kind == StreamKind::Text {
            if self.name != "subtitles" {
                server.params.push(("parentTrackName".into(), "video".into()));
            }
            if self.name == "scte35" {
                server.params.push(("Subtype".into(), "DATA".into()));
                server.params.push(("Scheme".into(), "urn:scte:scte35:2013:bin".into()));
            }
            if self.name == "id3" {
                server.params.push(("Subtype".into(), "DATA".into()));
                let scheme = "https://aomedia.org/emsg/ID3";
                server.params.push(("Scheme".into(), scheme.into()));
            }
            if self.name == "events" {
                server.params.push(("Subtype".into(), "DATA".into()));
            }
        }
        server
    }

    /// A fragment of two samples, whose bytes depend on the track, the time and `seed`.
    pub fn fragment(&self, time: i64, duration: u32, seed: u64) -> Bytes {
        let durations = [duration / 2, duration - duration / 2];
        self.fragment_of(time, durations, seed, Style::default())
    }

    /// Returns a fragment of one document that says this text for all of its time.
    pub fn caption(&self, time: i64, duration: u32, text: &str) -> Bytes {
        let seconds = f64::from(duration) / f64::from(self.timescale);
        let document = format!(
            r#"<tt xmlns="http://www.w3.org/ns/ttml"><body><div><p begin="0s" end="{seconds}s">{text}</p></div></body></tt>"#
        );
        let samples = vec![(duration, document.len() as u32)];
        let moof = self.track().moof(&Fragment { time, samples }, 1, Style::default());
        let moof = [moof].into_iter().collect::<Boxes>().to_bytes();
        let len = (document.len() as u32 + 8).to_be_bytes();
        [&moof[..], &len, b"mdat", document.as_bytes()].concat().into()
    }

    /// Returns the fragment with a `tfxd` of 32 bits.
    pub fn short_fragment(&self, time: i64, duration: u32, seed: u64) -> Bytes {
        let long = self.fragment(time, duration, seed);
        let moof = u32::from_be_bytes(long[..4].try_into().unwrap()) as usize;
        let mut boxes = Boxes::parse(&long.slice(..moof), 0, &Limits::default()).unwrap();
        let traf = boxes.inside_mut(*b"moof").and_then(|moof| moof.inside_mut(*b"traf")).unwrap();
        traf.get_mut::<Tfxd>().unwrap().full.version = 0;
        if let Some(offset) = &mut traf.get_mut::<Trun>().unwrap().data_offset {
            *offset -= 8;
        }
        [&boxes.to_bytes()[..], &long[moof..]].concat().into()
    }

    /// A fragment whose samples last so long.
    pub fn fragment_of(&self, time: i64, ticks: [u32; 2], seed: u64, style: Style) -> Bytes {
        let size = 40 + (self.bitrate / 1_000_000) * 8;
        let samples = ticks.map(|ticks| (ticks, size)).to_vec();
        let moof = self.track().moof(&Fragment { time, samples }, 1, style);
        let words = [u64::from(self.bitrate), time as u64, seed].map(u64::to_be_bytes).concat();
        let payload: Vec<u8> = words.into_iter().cycle().take(2 * size as usize).collect();
        let moof = [moof].into_iter().collect::<Boxes>().to_bytes();
        let len = (payload.len() as u32 + 8).to_be_bytes();
        [&moof[..], &len, b"mdat", &payload].concat().into()
    }
}

impl Spec {
    /// A segment of CMAF: a fragment behind a `styp`, with `tfdt` and `free` in place of `tfxd`.
    pub fn segment(&self, time: i64, duration: u32) -> Bytes {
        let mut fragment = self.fragment(time, duration, 0).to_vec();
        let tfxd = 0x6d1d_9b05_42d5_44e6_80e2_141d_aff7_57b2_u128.to_be_bytes();
        let at = fragment.windows(16).position(|bytes| bytes == tfxd).unwrap() - 8;
        let tfdt = [&b"\0\0\0\x14tfdt\x01\0\0\0"[..], &time.to_be_bytes(), b"\0\0\0\x18free"];
        let tfdt = tfdt.concat();
        fragment[at..][..tfdt.len()].copy_from_slice(&tfdt);
        [&b"\0\0\0\x10stypmsdh\0\0\0\0"[..], &fragment].concat().into()
    }
}

/// `ftyp`, live server manifest and `moov` of a body.
pub fn header(specs: &[Spec]) -> Bytes {
    let mut manifest = ServerManifest::default();
    manifest.tracks = specs.iter().map(Spec::server).collect();
    let document = manifest.to_xml().unwrap().into_bytes().into();
    let boxed = AnyBox::new(LiveServerManifest { full: FullBox::default(), document });
    let manifest = [boxed].into_iter().collect::<Boxes>().to_bytes();
    [&b"\0\0\0\x18ftypisml\0\0\0\x01piffiso2"[..], &manifest, &moov(specs)].concat().into()
}

fn moov(specs: &[Spec]) -> Vec<u8> {
    let tracks: Vec<_> = specs.iter().map(Spec::track).collect();
    let moov = [film::moov(&tracks)].into_iter().collect::<Boxes>().to_bytes();
    let mut moov = moov.to_vec();
    let level = specs[0].level;
    // The last byte of the sequence parameter set.
    if let Some(at) = moov.windows(5).position(|bytes| bytes == [0x67, 66, 0, 30, 1]) {
        moov[at + 4] = level;
    }
    moov
}

/// What ends a body and its stream.
pub const END: &[u8] = b"\0\0\0\x08mfra";
