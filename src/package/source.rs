//! The tracks of an input.

use bytes::Bytes;

use super::input::Input;
use crate::base::{Error, ErrorKind, FileId, FourCc, Limits};
use crate::bmff::{Body, Boxes, Hdlr, Tkhd};
use crate::codec::{Description, encryption};
use crate::index::sample_table::{Movie, Track, is_elsewhere};
use crate::manifest::StreamKind;

/// A track of an input that is packaged.
pub(super) struct Source {
    pub(super) file: FileId,
    /// Name of the file.
    pub(super) name: String,
    pub(super) kind: StreamKind,
    pub(super) language: Option<String>,
    pub(super) track: Track,
    pub(super) tkhd: Tkhd,
    pub(super) description: Description,
}

/// Reads the tracks in the `moov` of an input, which begins at byte `at` of `file_len`. What is left
/// out or odd is told in `notices`.
pub(super) fn sources(
    (file, input): (FileId, &Input),
    (at, moov): (u64, &Bytes),
    file_len: u64,
    limits: &Limits,
    notices: &mut Vec<String>,
) -> Result<Vec<Source>, Error> {
    let boxes = Boxes::parse(moov, at, limits)?;
    let moov = boxes.inside(*b"moov").ok_or_else(|| {
        let (what, clause) = ("`moov` that can be read", "ISO/IEC 14496-12, 8.2.1");
        Error::at(at, ErrorKind::Missing { what, clause })
    })?;
    if moov.inside(*b"mvex").is_some() {
        return Err(FRAGMENTED.into());
    }
    let movie = Movie::read(&boxes, at, file_len, limits)?;
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
        let (Some(tkhd), track) = (trak.get::<Tkhd>(), track?) else { continue };
        if track.tables.count() == 0 {
            let (name, id) = (&input.name, track.track_id);
            notices.push(format!("{name}: track {id} is left out: it has no samples"));
            continue;
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
        sources.push(Source { file, name, kind, language, track, tkhd, description });
    }
    Ok(sources)
}

/// Error of an input that is no progressive file.
pub(super) const FRAGMENTED: ErrorKind =
    ErrorKind::NotSliceable("it is fragmented, and only progressive MP4 is packaged");

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
            && (ours.tables.count(), ours.tables.ticks())
                == (theirs.tables.count(), theirs.tables.ticks())
            && ours.tables.samples().zip(theirs.tables.samples()).all(|pair| match pair {
                (Ok(a), Ok(b)) => (a.size, a.decode_time) == (b.size, b.decode_time),
                _ => false,
            })
    }
}
