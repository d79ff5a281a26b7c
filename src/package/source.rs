//! The tracks of an input.

use bytes::Bytes;

use super::input::Input;
use super::stretch::Stretch;
use crate::base::{Error, ErrorKind, FileId, FourCc, Limits};
use crate::bmff::{Body, Boxes, Hdlr, Stsd, Tkhd, Trex};
use crate::codec::{Description, encryption};
use crate::index::sample_table::{Movie, Point, Points, Track, is_elsewhere};
use crate::manifest::StreamKind;

/// A track of an input that is packaged.
pub(super) struct Source {
    pub(super) file: FileId,
    /// Name of the file.
    pub(super) name: String,
    pub(super) kind: StreamKind,
    pub(super) language: Option<String>,
    /// Its samples, those of fragments too, are in its tables. Times of the tables count from 0.
    pub(super) track: Track,
    /// Where its samples follow one another without a gap. There is one at least.
    pub(super) stretches: Vec<Stretch>,
    /// Indexes of the first samples of the fragments that it was cut into, if all its samples can be
    /// decoded on their own.
    pub(super) starts: Vec<u32>,
    pub(super) tkhd: Tkhd,
    pub(super) description: Description,
}

/// The tracks of an input.
pub(super) enum Found {
    Progressive(Vec<Source>),
    /// Samples are in fragments, and there may be some in the `moov`.
    Fragmented(Vec<Source>, Vec<Trex>),
}

/// Reads the tracks in the `moov` of an input, which begins at byte `at` of `file_len`. What is left
/// out or odd is told in `notices`.
pub(super) fn sources(
    (file, input): (FileId, &Input),
    (at, moov): (u64, &Bytes),
    file_len: u64,
    limits: &Limits,
    notices: &mut Vec<String>,
) -> Result<Found, Error> {
    let boxes = Boxes::parse(moov, at, limits)?;
    let moov = boxes.inside(*b"moov").ok_or_else(|| {
        let (what, clause) = ("`moov` that can be read", "ISO/IEC 14496-12, 8.2.1");
        Error::at(at, ErrorKind::Missing { what, clause })
    })?;
    let movie = Movie::read(&boxes, at, file_len, limits)?;
    let mvex = moov.inside(*b"mvex");
    let trexs: Vec<Trex> = mvex.iter().flat_map(|mvex| mvex.all::<Trex>()).cloned().collect();
    let has_samples = |track: &Track| track.tables.count() > 0;
    let is_fragmented = mvex.is_some() || !movie.tracks.iter().flatten().any(has_samples);
    let traks = moov.list.iter().filter(|item| item.header.kind == *b"trak");
    let mut sources = Vec::new();
    for (number, (item, track)) in traks.zip(movie.tracks).enumerate() {
        let Body::Boxes(trak) = &item.body else {
            track?;
            continue;
        };
        let handler = trak.inside(*b"mdia").and_then(|mdia| mdia.get::<Hdlr>());
        let kind = match handler.map(|hdlr| hdlr.handler_type.0) {
            Some([b'v', b'i', b'd', b'e']) => StreamKind::Video,
            Some([b's', b'o', b'u', b'n']) => StreamKind::Audio,
            other => {
                let what = other.map_or("none".into(), |other| FourCc(other).to_string());
                let number = number + 1;
                let name = &input.name;
                notices.push(format!(
                    "{name}: `trak` {number} is left out: its handler is {what}, and neither video nor sound"
                ));
                continue;
            }
        };
        let (Some(tkhd), mut track) = (trak.get::<Tkhd>(), track?) else { continue };
        if track.tables.count() == 0 && !is_fragmented {
            let (name, id) = (&input.name, track.track_id);
            notices.push(format!("{name}: track {id} is left out: it has no samples"));
            continue;
        }
        let trex = trexs.iter().find(|trex| trex.track_id == track.track_id);
        if let Some(trex) = trex.filter(|_| is_fragmented) {
            choose_entry(&mut track, trak, trex.default_sample_description_index.max(1))?;
        }
        let of_track = |error: Error| error.inside(FourCc(*b"trak")).inside(FourCc(*b"moov"));
        if encryption(&track.entry, limits).is_some() {
            return Err(
                ErrorKind::NotSliceable("a track is encrypted: package it in the clear").into()
            );
        }
        if is_elsewhere(trak) {
            let what = "a track has its samples in another file: put them into this one first";
            return Err(ErrorKind::NotSliceable(what).into());
        }
        let description = Description::of_entry(kind, &track.entry, limits).map_err(of_track)?;
        for oddity in track.tables.oddities() {
            notices.push(format!("{}: {oddity}", input.name));
        }
        let of_file = track.language.clone().filter(|language| language != "und");
        let language = match kind {
            StreamKind::Audio => input.language.clone().or(of_file),
            _ => None,
        };
        let (name, tkhd) = (input.name.as_str().to_owned(), tkhd.clone());
        let (stretches, starts) = (vec![Stretch::WHOLE], Vec::new());
        let source =
            Source { file, name, kind, language, track, stretches, starts, tkhd, description };
        sources.push(source);
    }
    Ok(match is_fragmented {
        true => Found::Fragmented(sources, trexs),
        false => Found::Progressive(sources),
    })
}

/// Takes the entry of `stsd`, from 1, by which the samples of fragments are coded.
fn choose_entry(track: &mut Track, trak: &Boxes, number: u32) -> Result<(), Error> {
    if number == track.tables.description() {
        return Ok(());
    }
    if track.tables.count() > 0 {
        return Err(ErrorKind::NotSliceable("a track of several codings").into());
    }
    let stbl = trak.path(&[*b"mdia", *b"minf", *b"stbl"]);
    let stsd = stbl.and_then(|stbl| stbl.get::<Stsd>());
    let entry = stsd.and_then(|stsd| stsd.entries().nth(number as usize - 1));
    track.entry = entry.ok_or_else(|| {
        let what = format!("track {} has no sample description {number}", track.track_id);
        ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.3" }
    })?;
    Ok(())
}

impl Source {
    /// Returns whether two tracks of sound have the same samples, by all but their bytes.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.track, &other.track);
        let entries = [&ours.entry, &theirs.entry].map(|entry| (entry.format(), &entry.body));
        self.kind == StreamKind::Audio
            && self.file != other.file
            && self.language == other.language
            && entries[0] == entries[1]
            && ours.clock == theirs.clock
            && self.stretches == other.stretches
            && (ours.tables.count(), ours.tables.ticks())
                == (theirs.tables.count(), theirs.tables.ticks())
            && ours.tables.samples().zip(theirs.tables.samples()).all(|pair| match pair {
                (Ok(a), Ok(b)) => (a.size, a.decode_time) == (b.size, b.decode_time),
                _ => false,
            })
    }
    /// Samples with which chunks may begin, for each stretch: sync samples.
    ///
    /// A sample that is beside the first one of a fragment is none, so that sound that was cut into
    /// fragments along the video is cut there again, and not a sample away.
    pub(super) fn points(&self) -> Result<Vec<Points>, Error> {
        let tables = &self.track.tables;
        if self.stretches == [Stretch::WHOLE] && self.starts.is_empty() {
            return Ok(vec![tables.points()?]);
        }
        let mut stretches = self.stretches.iter().peekable();
        let mut starts = self.starts.iter().peekable();
        let (mut found, mut points) = (Vec::new(), Points::default());
        let (mut shift, mut end, mut was_start) = (0, 0, false);
        for sample in tables.samples() {
            let sample = sample?;
            let index = sample.number - 1;
            if let Some(stretch) = stretches.next_if(|stretch| stretch.first <= index) {
                if index > 0 {
                    points.finish(index, end);
                    found.push(std::mem::take(&mut points));
                }
                shift = stretch.shift;
            }
            let is_start = starts.next_if(|start| **start <= index).is_some();
            let is_beside = was_start || starts.peek().is_some_and(|start| **start == index + 1);
            let time = sample.composition_time() + shift;
            if sample.is_sync && (is_start || !is_beside) {
                points.push(Point { sample: index, time });
                end = time;
            }
            end += i64::from(sample.duration);
            // The first fragment may begin with samples that come before 0.
            was_start = is_start && index > 0;
        }
        points.finish(tables.count(), end);
        found.push(points);
        Ok(found)
    }
}
