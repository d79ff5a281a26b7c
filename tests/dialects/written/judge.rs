//! Compares what the crate serves with what the writers know that they wrote.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use smooth_origin::base::{FileEnds, Got, Name, ReadError, ReadErrorKind, Step, Want};
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::{ManifestSource, OpenOptions, Presentation, open};
use smooth_origin::storage::MemoryStore;

use super::read::{self, Defaults, announced, fragment};
use super::{Chunk, Dialect, Manifest};
use testkit::{get, status};

impl Dialect {
    pub fn store(&self) -> MemoryStore {
        let store = MemoryStore::new();
        for (name, content) in &self.files {
            store.put(Name::new(name).unwrap(), content.clone());
        }
        store
    }

    /// Opens it by hand, from memory; gives the number of batches of reads as well.
    pub fn open(&self) -> (Presentation, usize) {
        let mut opened: Vec<&[u8]> = Vec::new();
        let mut batches = 0;
        let mut step = open(Name::new(self.ism).unwrap(), &OpenOptions::default());
        loop {
            let reads = match step {
                Step::Ready(presentation) => return (presentation, batches),
                Step::Read(reads) => reads,
            };
            batches += 1;
            let mut got = Vec::new();
            for want in reads.wanted() {
                got.push(match want {
                    Want::Open { file, name, head, tail } => {
                        let found = self.files.iter().find(|(stored, _)| stored == name.as_str());
                        opened.resize(opened.len().max(file.index() + 1), &[]);
                        found.ok_or(ReadError::new(ReadErrorKind::Gone)).map(|(_, bytes)| {
                            opened[file.index()] = bytes;
                            let ends = [*head, *tail].map(|len| bytes.len().min(len as usize));
                            let head = bytes[..ends[0]].to_vec();
                            let tail = bytes[bytes.len() - ends[1]..].to_vec();
                            Got::Opened(FileEnds::new(bytes.len() as u64, head.into(), tail.into()))
                        })
                    }
                    Want::Range { file, range } => {
                        let range = range.start as usize..range.end as usize;
                        Ok(Got::Range(opened[file.index()][range].to_vec().into()))
                    }
                    _ => unreachable!("no other want is known"),
                });
            }
            step = reads.feed(got).unwrap();
        }
    }

    /// Everything: batches, findings, manifest, and every chunk of every track in all four forms.
    pub fn judge(&self) {
        let (presentation, batches) = self.open();
        assert!(batches <= 4, "{}: opened in {batches} batches", self.ism);
        assert_eq!(codes(&presentation), self.findings, "{}: {presentation:?}", self.ism);
        self.judge_manifest(&presentation);
        let origin = Origin::new(self.store());
        // Twice: by a first look, and by what it found.
        for _ in 0..2 {
            self.chunks.iter().for_each(|chunk| self.judge_chunk(&origin, chunk));
        }
        let opened = block_on(origin.open(&Name::new(self.ism).unwrap())).unwrap();
        let after = codes(opened.presentation());
        assert_eq!(after, self.findings, "{}: serving found more", self.ism);
    }

    /// That it is the right one, and announces just what the writers know of.
    pub fn judge_manifest(&self, presentation: &Presentation) {
        let served = presentation.manifest().unwrap();
        let source = presentation.manifest_source();
        match &self.manifest {
            Manifest::Stored(name) => {
                assert_eq!(source, ManifestSource::Stored, "{}", self.ism);
                assert!(served[..] == *self.content(name), "{}: not as it is stored", self.ism);
            }
            Manifest::Mended(wanted) => {
                assert_eq!(source, ManifestSource::Mended, "{}", self.ism);
                assert_eq!(text(served), text(wanted), "{}", self.ism);
            }
            Manifest::Generated => {
                assert_eq!(source, ManifestSource::Generated, "{}", self.ism);
            }
        }
        let mut found = announced(&text(served));
        let of = |chunk: &Chunk| {
            let (stream, attributes) = (chunk.stream.to_owned(), chunk.attributes.to_owned());
            (stream, chunk.bitrate, attributes, chunk.time)
        };
        let mut wanted: Vec<_> = self.chunks.iter().map(of).collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{}: what is announced", self.ism);
    }

    pub fn judge_chunk(&self, origin: &Origin, chunk: &Chunk) {
        let file = self.content(chunk.file);
        let written = &chunk.written;
        let ask = |noun| {
            let path = self.path(chunk, noun);
            get(origin, &path).unwrap_or_else(|error| panic!("{path}: {error}"))
        };
        let same = |noun, wanted: &[u8]| {
            let (path, got) = (self.path(chunk, noun), ask(noun));
            assert!(got == wanted, "{path}: {} bytes, not the {}", got.len(), wanted.len());
        };
        same("Fragments", &file[written.whole()]);
        same("FragmentInfo", &file[written.moof.clone()]);
        same("RawFragments", &file[written.payload.clone()]);
        if written.piece.keys().len() == written.piece.samples.len() {
            same("KeyFrames", &file[written.whole()]);
        } else {
            judge_key_frames(&ask("KeyFrames"), chunk, file);
        }
    }

    /// The path of a request for a chunk.
    pub fn path(&self, chunk: &Chunk, noun: &str) -> String {
        let comma = if chunk.attributes.is_empty() { "" } else { "," };
        let stream = utf8_percent_encode(chunk.stream, NON_ALPHANUMERIC);
        format!(
            "/{}/QualityLevels({}{comma}{})/{noun}({stream}={})",
            self.ism, chunk.bitrate, chunk.attributes, chunk.time
        )
    }

    /// What is answered for each chunk: nothing but its own bytes, or an error of the server's.
    /// Gives the numbers of those that are refused.
    pub fn served_rightly_or_not(&self, origin: &Origin) -> Vec<usize> {
        let mut refused = Vec::new();
        for (number, chunk) in self.chunks.iter().enumerate() {
            let path = self.path(chunk, "Fragments");
            match get(origin, &path) {
                Ok(body) => {
                    let wanted = &self.content(chunk.file)[chunk.written.whole()];
                    assert!(body == wanted, "{path}: {} bytes of something else", body.len());
                }
                Err(_) => {
                    assert!([404, 415, 500].contains(&status(origin, &path)), "{path}");
                    refused.push(number);
                }
            }
        }
        refused
    }
}

/// One `moof` and `mdat` of the key samples, each lasting until the next.
fn judge_key_frames(answer: &[u8], chunk: &Chunk, file: &[u8]) {
    let what = format!("{} at {}, chunk {}", chunk.stream, chunk.bitrate, chunk.time);
    let piece = &chunk.written.piece;
    let keys = piece.keys();
    let kinds: Vec<_> = read::boxes(answer, 0..answer.len()).iter().map(|b| b.kind).collect();
    assert_eq!(kinds, [*b"moof", *b"mdat"], "{what}");
    // What only the `moov` tells is told by the writers here.
    let whole = &file[chunk.written.whole()];
    let defaults = Defaults([piece.samples[0].duration, 0, 0]);
    let (cut, stored) = (fragment(answer, 0, &defaults), fragment(whole, 0, &defaults));
    assert_eq!(cut.track, chunk.written.track, "{what}");
    assert_eq!(cut.samples.len(), keys.len(), "{what}");
    assert_eq!(cut.samples[0].range.start, cut.payload.start, "{what}: data offset");
    assert_eq!(cut.samples[keys.len() - 1].range.end, cut.payload.end, "{what}: the last byte");
    assert_eq!(cut.payload.end, answer.len(), "{what}");
    for (i, (got, &key)) in cut.samples.iter().zip(&keys).enumerate() {
        let next = keys.get(i + 1).copied().unwrap_or(piece.samples.len());
        let wanted = &piece.samples[key];
        assert!(answer[got.range.clone()] == wanted.data, "{what}: sample {key}");
        let lasts: u32 = piece.samples[key..next].iter().map(|sample| sample.duration).sum();
        assert_eq!(got.duration, lasts, "{what}: duration of sample {key}");
        assert_eq!(got.composition, wanted.composition, "{what}: sample {key}");
        assert_eq!(got.flags, stored.samples[key].flags, "{what}: flags of sample {key}");
    }
    for (got, wanted) in cut.extra.iter().zip(&stored.extra) {
        assert_eq!(got.0, wanted.0, "{what}: the order of boxes");
        let wanted = cut_extra(&wanted.0, &wanted.1, &keys, piece.samples.len());
        assert_eq!(got.1, wanted, "{what}: `{}`", String::from_utf8_lossy(&got.0));
    }
    assert_eq!(cut.extra.len(), stored.extra.len(), "{what}");
}

/// A box with only the entries of these samples, if it has one for each.
fn cut_extra(kind: &[u8; 4], body: &[u8], keys: &[usize], samples: usize) -> Vec<u8> {
    let sample_encryption = super::bytes::unhex("A2394F52-5A9B-4F14-A244-6C427C648DF4");
    let (head, entry) = match kind {
        b"sdtp" => (4, 1),
        b"uuid" if body[..16] == sample_encryption => (24, (body.len() - 24) / samples),
        _ => return body.to_vec(),
    };
    let mut cut = body[..head].to_vec();
    if head == 24 {
        cut[20..24].copy_from_slice(&(keys.len() as u32).to_be_bytes());
    }
    keys.iter().for_each(|key| cut.extend(&body[head + key * entry..][..entry]));
    cut
}

/// Returns the codes of the findings, sorted. The sound of all dialects comes from one encoder,
/// whose configuration has redundant data.
pub fn codes(presentation: &Presentation) -> Vec<&'static str> {
    let mut codes: Vec<_> = presentation.findings().iter().map(|f| f.code.as_str()).collect();
    codes.retain(|code| *code != "aac-data-long");
    codes.sort_unstable();
    codes
}

/// A manifest in UTF-8, or in UTF-16 with a mark.
pub fn text(bytes: &[u8]) -> String {
    let units = |of: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes.chunks_exact(2).skip(1).map(|pair| of([pair[0], pair[1]])).collect()
    };
    match bytes {
        [0xff, 0xfe, ..] => String::from_utf16(&units(u16::from_le_bytes)).unwrap(),
        [0xfe, 0xff, ..] => String::from_utf16(&units(u16::from_be_bytes)).unwrap(),
        _ => String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

/// Makes the committed files, where `WRITE_TESTDATA` is set; else that they are what the writers
/// give, and that there are no others.
pub fn committed(dialects: &[Dialect]) {
    let mut wanted: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for (name, content) in dialects.iter().flat_map(|dialect| &dialect.files) {
        if let Some(other) = wanted.insert(name, content) {
            assert!(other == content, "{name} is written in two ways");
        }
    }
    let root = format!("{}/testdata/dialects", env!("CARGO_MANIFEST_DIR"));
    for (name, content) in &wanted {
        let path = std::path::Path::new(&root).join(name);
        if std::env::var_os("WRITE_TESTDATA").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
        }
        let stored = std::fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(stored == *content, "{name}: not what the writers give; set WRITE_TESTDATA");
    }
    let folders: std::collections::BTreeSet<&str> = dialects.iter().map(Dialect::folder).collect();
    for folder in folders {
        for entry in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
            let name = format!("{folder}{}", entry.unwrap().file_name().to_string_lossy());
            assert!(wanted.contains_key(&*name), "{name} is not of the writers' making");
        }
    }
}
