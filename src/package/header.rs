//! The beginning of a file: `ftyp` and `moov`.

use bytes::Bytes;

use super::source::Source;
use super::text::TextStream;
use crate::base::{Error, FileId, FourCc, Limits, Timescale};
use crate::bmff::{AnyBox, Body, Boxes, Ftyp, FullBox, Mehd, SampleEntry, Tkhd};
use crate::codec::{InitSegment, movie_header};
use crate::manifest::StreamKind;

/// A track that a file has.
pub(super) struct HeaderTrack<'a> {
    file: FileId,
    kind: StreamKind,
    language: Option<&'a str>,
    entry: &'a SampleEntry,
    /// How it is shown, as its input says.
    tkhd: Option<&'a Tkhd>,
    /// Its number in the file.
    track_id: u32,
}

impl<'a> HeaderTrack<'a> {
    pub(super) fn of_source(source: &'a Source, track_id: u32) -> Self {
        let Source { file, kind, .. } = *source;
        let (language, entry) = (source.language.as_deref(), &source.track.entry);
        Self { file, kind, language, entry, tkhd: Some(&source.tkhd), track_id }
    }

    pub(super) fn of_text(text: &'a TextStream, track_id: u32) -> Self {
        let (file, kind) = (text.track.file, TextStream::KIND);
        Self {
            file,
            kind,
            language: text.language.as_deref(),
            entry: &text.entry,
            tkhd: None,
            track_id,
        }
    }
}

/// Returns the header of a file with these tracks, whose fragments last until `end`.
pub(super) fn header(
    tracks: &[HeaderTrack<'_>],
    end: u64,
    limits: &Limits,
) -> Result<Bytes, Error> {
    let next = tracks.iter().map(|track| track.track_id).max().unwrap_or(0).saturating_add(1);
    // The timescale has 24 bits.
    let mut moov = vec![movie_header(Timescale::SMOOTH.get() as u32, next)];
    let mehd = Mehd { full: FullBox { version: 1, flags: 0 }, fragment_duration: end };
    let mut mvex = vec![AnyBox::new(mehd)];
    for HeaderTrack { file, kind, language, entry, tkhd: shown, track_id } in tracks {
        let segment = InitSegment {
            track_id: *track_id,
            kind: *kind,
            timescale: Timescale::SMOOTH,
            language: language.and_then(letters),
            entries: vec![entry],
            description: None,
            pixel_aspect: None,
            defaults: (0, 0, 0),
            systems: &[],
        };
        let (mut trak, trex) = segment.track(limits).map_err(|error| error.in_file(*file))?;
        if let Body::Boxes(boxes) = &mut trak.body
            && let (Some(tkhd), Some(shown)) = (boxes.get_mut::<Tkhd>(), shown)
        {
            // How the track is shown: its size, its rotation, its volume.
            (tkhd.layout, tkhd.width, tkhd.height) = (shown.layout, shown.width, shown.height);
        }
        moov.push(trak);
        mvex.push(trex);
    }
    moov.push(AnyBox::container(*b"mvex", mvex));
    let ftyp = AnyBox::new(Ftyp {
        major_brand: FourCc(*b"isml"),
        minor_version: 1,
        // Composition offsets may be negative, which `iso6` allows.
        compatible_brands: [*b"piff", *b"iso2", *b"iso6"].map(FourCc).to_vec(),
    });
    Ok(Boxes::from_iter([ftyp, AnyBox::container(*b"moov", moov)]).to_bytes())
}

/// A code of ISO 639-2.
fn letters(language: &str) -> Option<[u8; 3]> {
    let letters: [u8; 3] = language.as_bytes().try_into().ok()?;
    letters.iter().all(u8::is_ascii_lowercase).then_some(letters)
}
