//! What an input costs: the memory that it takes, and the steps that can be counted.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use smooth_origin::base::{
    Error, FileEnds, Got, Limits, Name, ReadError, ReadErrorKind, Step, Want,
};
use smooth_origin::bmff::{AnyBox, Boxes};
use smooth_origin::manifest::{ClientManifest, ServerManifest, runs};
use smooth_origin::output::mss::{FragmentRequest, ManifestOptions, Noun, Request, answer};
use smooth_origin::presentation::{OpenOptions, Piece, Timeline, open};

use testkit::name;

/// Something that a stranger can make large.
#[derive(Clone)]
pub enum Input {
    /// Boxes that follow one another.
    Boxes(Bytes),
    Server(Vec<u8>),
    Client(Vec<u8>),
    /// The rest of a request's path, or a name.
    Path(String),
    /// Files by name, `film.ism` among them.
    Files(Vec<(String, Bytes)>),
}

/// What it came to.
#[derive(Debug)]
pub struct Cost {
    /// Bytes allocated at one time, at most.
    pub peak: u64,
    pub allocations: u64,
    /// Bytes of all allocations.
    pub allocated: u64,
    pub reads: u64,
    /// Bytes of all reads.
    pub read: u64,
    /// Reads that were asked for together.
    pub batches: u64,
}

impl Input {
    pub fn boxes(boxes: impl IntoIterator<Item = AnyBox>) -> Self {
        Self::Boxes(Boxes::from_iter(boxes).to_bytes())
    }

    pub fn files<'a>(files: impl IntoIterator<Item = (&'a str, Vec<u8>)>) -> Self {
        let files = files.into_iter().map(|(name, content)| (name.to_owned(), content.into()));
        Self::Files(files.collect())
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Boxes(bytes) => bytes.len(),
            Self::Server(bytes) | Self::Client(bytes) => bytes.len(),
            Self::Path(path) => path.len(),
            Self::Files(files) => files.iter().map(|(_, content)| content.len()).sum(),
        }
    }

    /// Does with it what it is for.
    pub fn cost(&self, limits: &Limits) -> Cost {
        let mut reads = Reads::default();
        let counted = allocation_counter::measure(|| match self {
            Self::Boxes(bytes) => drop(Boxes::parse(bytes, 0, limits)),
            Self::Server(bytes) => drop(ServerManifest::parse(bytes, limits)),
            Self::Client(bytes) => client(bytes, limits),
            Self::Path(path) => {
                drop(Request::parse(path, Some(path)));
                drop(Name::new(path));
                drop(name("folder/film.ism").beside(path));
            }
            Self::Files(files) => serve(files, limits, &mut reads),
        });
        Cost {
            peak: counted.bytes_max,
            allocations: counted.count_total,
            allocated: counted.bytes_total,
            reads: reads.reads,
            read: reads.bytes,
            batches: reads.batches,
        }
    }
}

impl Cost {
    /// Each sort of step, by name, with so many that say nothing of how it grows.
    pub fn steps(&self) -> [(&'static str, u64, u64); 5] {
        [
            ("allocations", self.allocations, 64),
            ("bytes allocated", self.allocated, 64 << 10),
            ("reads", self.reads, 8),
            ("bytes read", self.read, 64 << 10),
            ("batches", self.batches, 8),
        ]
    }
}

/// A client manifest, and the timelines of its streams.
fn client(bytes: &[u8], limits: &Limits) {
    let Ok(manifest) = ClientManifest::parse(bytes, limits) else { return };
    for stream in &manifest.streams {
        drop(Timeline::new(&stream.chunks, limits));
        assert!(runs(&stream.chunks).count() <= stream.chunks.len());
    }
}

/// Opens a presentation, and asks for the manifest and for the first and the last fragment of some
/// tracks, under every noun.
fn serve(files: &[(String, Bytes)], limits: &Limits, reads: &mut Reads) {
    let options = OpenOptions::default().limits(limits.clone());
    let opened = reads.drive(open(name("film.ism"), &options), files);
    let Ok(presentation) = opened.map(Arc::new) else { return };
    drop(answer(&presentation, &Request::Manifest(ManifestOptions::default())));
    for stream in presentation.streams() {
        let timeline = stream.timeline();
        let ends = [0, timeline.len().saturating_sub(1)];
        for (time, _) in ends.into_iter().filter_map(|number| timeline.chunk(number)) {
            for (track, noun) in
                stream.tracks().iter().take(TRACKS).flat_map(|track| Noun::ALL.map(|n| (track, n)))
            {
                let fragment = FragmentRequest {
                    noun,
                    bitrate: track.bitrate(),
                    attributes: "".into(),
                    stream: stream.name().into(),
                    time,
                };
                let step = answer(&presentation, &Request::Fragment(fragment));
                if let Ok(reply) = step.and_then(|step| reads.drive(step, files)) {
                    let lengths: u64 = reply.pieces().iter().map(Piece::len).sum();
                    assert_eq!(lengths, reply.length());
                }
            }
        }
    }
}

/// Tracks of a stream whose fragments are asked for.
const TRACKS: usize = 2;

/// Reads made for steps: copies, as from files.
#[derive(Default)]
struct Reads {
    reads: u64,
    bytes: u64,
    batches: u64,
    /// Of files, by id.
    names: BTreeMap<usize, Name>,
}

impl Reads {
    fn drive<T>(&mut self, mut step: Step<T>, files: &[(String, Bytes)]) -> Result<T, Error> {
        loop {
            let reads = match step {
                Step::Ready(done) => return Ok(done),
                Step::Read(reads) => reads,
            };
            self.batches += 1;
            let got = reads.wanted().iter().map(|want| self.get(want, files)).collect();
            step = reads.feed(got)?;
        }
    }

    fn get(&mut self, want: &Want, files: &[(String, Bytes)]) -> Result<Got, ReadError> {
        let find = |name: &Name| files.iter().find(|(file, _)| file == name.as_str());
        let gone = || ReadError::new(ReadErrorKind::Gone);
        self.reads += 1;
        match want {
            Want::Open { file, name, head, tail } => {
                let (_, bytes) = find(name).ok_or_else(gone)?;
                self.names.insert(file.index(), name.clone());
                let size = bytes.len() as u64;
                let head = self.copy(&bytes[..size.min(*head) as usize]);
                let tail = self.copy(&bytes[(size - size.min(*tail)) as usize..]);
                Ok(Got::Opened(FileEnds::new(size, head, tail)))
            }
            Want::Range { file, range } => {
                let (_, bytes) = find(&self.names[&file.index()]).ok_or_else(gone)?;
                Ok(Got::Range(self.copy(&bytes[range.start as usize..range.end as usize])))
            }
            other => panic!("no other want is known: {other:?}"),
        }
    }

    fn copy(&mut self, bytes: &[u8]) -> Bytes {
        self.bytes += bytes.len() as u64;
        Bytes::copy_from_slice(bytes)
    }
}
