//! Fragmented files that are put together from progressive ones, as a packager does, for tests.

use std::collections::BTreeMap;

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::base::{Error, Timescale};
use smooth_origin::bmff::{
    AnyBox, Body, Boxes, Mdhd, Mvhd, Stco, Stsc, Stsd, Stsz, Stts, Tkhd, Trex,
};
use smooth_origin::fragment::written::{Head, Sample};
use smooth_origin::index::chunk_plan::{ChunkPlan, PlanTrack, Wanted};
use smooth_origin::index::sample_table::{Media, Movie, Track, timed};

use crate::progressive::{boxed, words};

/// One chunk of a track.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub track_id: u32,
    pub start: u64,
    pub end: u64,
    pub samples: Vec<Sample>,
    /// Indexes of its samples in the track.
    pub indexes: std::ops::Range<u32>,
    pub head: Bytes,
    pub payload: Vec<u8>,
}

/// The boxes of a progressive file, the offset of its `moov`, and the `moov`.
pub fn moov(file: &Bytes) -> (u64, Bytes) {
    let mut at = 0;
    loop {
        let word = |from: usize| u32::from_be_bytes(file[from..from + 4].try_into().unwrap());
        let size = match word(at) {
            1 => u64::from_be_bytes(file[at + 8..at + 16].try_into().unwrap()) as usize,
            size => size as usize,
        };
        if file[at + 4..at + 8] == *b"moov" {
            return (at as u64, file.slice(at..at + size));
        }
        at += size;
    }
}

/// The tracks of a progressive file that are video or sound.
pub fn tracks(file: &Bytes) -> Result<Vec<Track>, Error> {
    let limits = Limits::default();
    let (at, moov) = moov(file);
    let boxes = Boxes::parse(&moov, at, &limits)?;
    let movie = Movie::read(&boxes, at, file.len() as u64, &limits)?;
    let tracks = movie.tracks.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(tracks.into_iter().filter(|t| [*b"vide", *b"soun"].contains(&t.handler.0)).collect())
}

/// The chunks of all tracks: those of video, and of sound along it.
pub fn chunks(file: &Bytes, wanted: Wanted) -> Result<Vec<Chunk>, Error> {
    let mut tracks = tracks(file)?;
    tracks.sort_by_key(|track| track.handler.0 != *b"vide");
    let (mut chunks, mut guide) = (Vec::new(), Vec::new());
    for track in &tracks {
        let points = track.tables.points()?;
        let (track_id, clock) = (track.track_id, track.clock);
        let planned = PlanTrack { file: "a.mp4", track_id, clock, points: &points };
        let plan = ChunkPlan::new(&[planned], &guide, wanted)?;
        if track.handler.0 == *b"vide" {
            guide.clone_from(&plan.times);
        }
        let all = track.tables.samples().collect::<Result<Vec<_>, _>>()?;
        for number in 0..plan.len() {
            let indexes = plan.tracks[0][number]..plan.tracks[0][number + 1];
            let of_chunk = &all[indexes.start as usize..indexes.end as usize];
            let (start, end) = (plan.times[number], plan.times[number + 1]);
            let local = clock.from(of_chunk[0].composition_time(), wanted.timescale).unwrap();
            let next = (number + 1 < plan.len()).then_some(end);
            let mut samples = Vec::new();
            timed(of_chunk.iter().map(Media::from), &local, start, next, &mut samples)?;
            let number = number as u32 + 1;
            let duration = end - start;
            let head =
                Head { number, track_id, start, duration, samples: &samples, has_tfxd: true };
            let head = head.to_bytes(&Limits::default())?;
            let bytes = |sample: &smooth_origin::index::sample_table::Sample| {
                let from = sample.offset as usize;
                file[from..from + sample.size as usize].to_vec()
            };
            let payload = of_chunk.iter().flat_map(bytes).collect();
            chunks.push(Chunk { track_id, start, end, samples, indexes, head, payload });
        }
    }
    chunks.sort_by_key(|chunk| chunk.start);
    Ok(chunks)
}

/// A fragmented file of these chunks and their index, with the tracks of the progressive one.
pub fn file(source: &Bytes, chunks: &[Chunk], timescale: Timescale) -> Vec<u8> {
    let (at, moov) = moov(source);
    let mut boxes = Boxes::parse(&moov, at, &Limits::default()).unwrap();
    let moov = boxes.inside_mut(*b"moov").unwrap();
    let mvhd = moov.get_mut::<Mvhd>().unwrap();
    (mvhd.timescale, mvhd.duration) = (timescale.get() as u32, 0);
    moov.list.retain(|item| [*b"mvhd", *b"trak"].contains(&item.header.kind.0));
    let mut trexs = Vec::new();
    for item in &mut moov.list {
        let Body::Boxes(trak) = &mut item.body else { continue };
        trak.list.retain(|item| item.header.kind != *b"edts");
        let tkhd = trak.get_mut::<Tkhd>().unwrap();
        tkhd.duration = 0;
        let track_id = tkhd.track_id;
        trexs.push(AnyBox::new(Trex {
            track_id,
            default_sample_description_index: 1,
            ..Trex::default()
        }));
        let mdia = trak.inside_mut(*b"mdia").unwrap();
        let mdhd = mdia.get_mut::<Mdhd>().unwrap();
        (mdhd.timescale, mdhd.duration) = (timescale.get() as u32, 0);
        let minf = mdia.inside_mut(*b"minf").unwrap();
        let stbl = minf.inside_mut(*b"stbl").unwrap();
        let stsd = stbl.get::<Stsd>().unwrap().clone();
        let empty = [
            AnyBox::new(stsd),
            AnyBox::new(Stts::default()),
            AnyBox::new(Stsc::default()),
            AnyBox::new(Stsz::default()),
            AnyBox::new(Stco::default()),
        ];
        *stbl = empty.into_iter().collect();
    }
    moov.list.push(AnyBox::container(*b"mvex", trexs));
    let ftyp = AnyBox::other(*b"ftyp", &b"isml\0\0\0\x01piffiso2"[..]);
    let mut bytes = Boxes::from_iter([ftyp]).to_bytes().to_vec();
    bytes.extend(boxes.to_bytes());
    let mut index: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for chunk in chunks {
        let entry = index.entry(chunk.track_id).or_default();
        entry.extend(chunk.start.to_be_bytes());
        entry.extend((bytes.len() as u64).to_be_bytes());
        entry.extend([1, 1, 1]);
        bytes.extend(&chunk.head);
        bytes.extend(&chunk.payload);
    }
    let tfra = |(track_id, entries): (&u32, &Vec<u8>)| {
        let fields = words(&[0x100_0000, *track_id, 0, entries.len() as u32 / 19]);
        boxed(b"tfra", &[&fields, entries])
    };
    let tfras: Vec<u8> = index.iter().flat_map(tfra).collect();
    let mfro = boxed(b"mfro", &[&words(&[0, 8 + tfras.len() as u32 + 16])]);
    bytes.extend(boxed(b"mfra", &[&tfras, &mfro]));
    bytes
}
