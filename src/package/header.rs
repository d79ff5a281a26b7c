//! The beginning of a file: `ftyp` and `moov`.

use bytes::Bytes;

use super::source::Source;
use crate::base::{Error, FourCc, Limits, Timescale};
use crate::bmff::{AnyBox, Body, Boxes, Ftyp, FullBox, Mehd, Tkhd};
use crate::codec::{InitSegment, movie_header};

/// A track that a file has.
pub(super) struct HeaderTrack<'a> {
    pub(super) source: &'a Source,
    /// Its number in the file.
    pub(super) track_id: u32,
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
    for HeaderTrack { source, track_id } in tracks {
        let segment = InitSegment {
            track_id: *track_id,
            kind: source.kind,
            timescale: Timescale::SMOOTH,
            language: source.language.as_deref().and_then(letters),
            entries: vec![&source.track.entry],
            description: None,
            pixel_aspect: None,
            defaults: (0, 0, 0),
            systems: &[],
        };
        let (mut trak, trex) = segment.track(limits).map_err(|error| error.in_file(source.file))?;
        if let Body::Boxes(boxes) = &mut trak.body
            && let Some(tkhd) = boxes.get_mut::<Tkhd>()
        {
            // How the track is shown: its size, its rotation, its volume.
            (tkhd.layout, tkhd.width, tkhd.height) =
                (source.tkhd.layout, source.tkhd.width, source.tkhd.height);
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
