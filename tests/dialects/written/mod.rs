//! Presentations as other producers write them, by writers of their own: if they shared code with
//! the crate, its reader would agree with its writer, and nothing were proved.

pub mod bytes;
pub mod damage;
pub mod judge;
pub mod media;
pub mod moov;
pub mod producers;
pub mod read;
pub mod samples;

use media::{Media, Written};

/// A presentation, and all that is known of it without the crate.
pub struct Dialect {
    /// Name of the server manifest, its folder included.
    pub ism: &'static str,
    /// Every file by its name, the folder included.
    pub files: Vec<(String, Vec<u8>)>,
    pub chunks: Vec<Chunk>,
    /// Codes of the findings, sorted.
    pub findings: Vec<&'static str>,
    pub manifest: Manifest,
}

/// The client manifest that must be served.
pub enum Manifest {
    /// The stored file of this name, byte for byte.
    Stored(&'static str),
    /// The stored one with something taken out.
    Mended(Vec<u8>),
    /// One made from the media.
    Generated,
}

/// A chunk of a track, and the fragment that is the answer.
pub struct Chunk {
    pub stream: &'static str,
    pub bitrate: u32,
    /// `Name=Value`, or nothing.
    pub attributes: &'static str,
    /// As in the URL.
    pub time: u64,
    /// Name of the file, its folder included.
    pub file: &'static str,
    pub written: Written,
}

impl Dialect {
    pub fn new(ism: &'static str) -> Self {
        let (files, chunks, findings) = Default::default();
        Self { ism, files, chunks, findings, manifest: Manifest::Generated }
    }

    /// The part of `ism` before the file's own name, with its slash.
    pub fn folder(&self) -> &'static str {
        &self.ism[..=self.ism.rfind('/').unwrap()]
    }

    pub fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.push((name.to_owned(), content.as_ref().to_vec()));
        self
    }

    /// Expects the fragments of a file's track; `time` gives a chunk's start for a fragment's.
    pub fn track(
        mut self,
        (stream, bitrate, attributes): (&'static str, u32, &'static str),
        (file, media, track): (&'static str, &Media, u32),
        time: impl Fn(i64) -> u64,
    ) -> Self {
        self.chunks.extend(media.of(track).map(|written| {
            let (time, written) = (time(written.time), written.clone());
            Chunk { stream, bitrate, attributes, time, file, written }
        }));
        self
    }

    pub fn findings(mut self, mut codes: Vec<&'static str>) -> Self {
        codes.sort_unstable();
        self.findings = codes;
        self
    }

    pub fn manifest(mut self, manifest: Manifest) -> Self {
        self.manifest = manifest;
        self
    }

    pub fn content(&self, name: &str) -> &[u8] {
        &self.files.iter().find(|(file, _)| file == name).unwrap().1
    }
}
