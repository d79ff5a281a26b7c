//! Encoders that push.

use bytes::Bytes;
use smooth_origin::bmff::uuid::LiveServerManifest;
use smooth_origin::bmff::{AnyBox, Boxes, FullBox};
use smooth_origin::manifest::{ServerManifest, ServerTrack, StreamKind};
use testkit::film::{self, Fragment, Style, Track};

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
            server.params.push(("parentTrackName".into(), "video".into()));
        }
        server
    }

    /// A fragment of two samples, whose bytes depend on the track, the time and `seed`.
    pub fn fragment(&self, time: i64, duration: u32, seed: u64) -> Bytes {
        let size = 40 + (self.bitrate / 1_000_000) * 8;
        let samples = vec![(duration / 2, size), (duration - duration / 2, size)];
        let moof = self.track().moof(&Fragment { time, samples }, 1, Style::default());
        let words = [u64::from(self.bitrate), time as u64, seed].map(u64::to_be_bytes).concat();
        let payload: Vec<u8> = words.into_iter().cycle().take(2 * size as usize).collect();
        let moof = [moof].into_iter().collect::<Boxes>().to_bytes();
        let len = (payload.len() as u32 + 8).to_be_bytes();
        [&moof[..], &len, b"mdat", &payload].concat().into()
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
