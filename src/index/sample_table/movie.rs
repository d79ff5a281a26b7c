//! The tracks of a progressive file.

use super::Track;
use super::whereabouts::{inside, located};
use crate::base::{Error, ErrorKind, FourCc, Limits, Timescale};
use crate::bmff::{Body, Boxes, Mvhd, Tkhd};

/// The `moov` of a progressive file, as it was read. An error of one track does not affect others.
#[derive(Debug)]
pub struct Movie {
    /// The tracks in the order in which they are stored.
    pub tracks: Vec<Result<Track, Error>>,
    /// Their numbers in the file, as far as they can be read.
    pub ids: Vec<Option<u32>>,
}

impl Movie {
    /// Reads the `moov` among these boxes, which begin at byte `at` of a file of `file_len` bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] without a `moov`, and [`ErrorKind::Budget`] beyond
    /// [`Limits::tracks`].
    pub fn read(boxes: &Boxes, at: u64, file_len: u64, limits: &Limits) -> Result<Self, Error> {
        let missing = || {
            Error::at(at, ErrorKind::Missing { what: "`moov`", clause: "ISO/IEC 14496-12, 8.2.1" })
        };
        let (moov, at) = inside(boxes, at, *b"moov").ok_or_else(missing)?;
        let movie = moov.get::<Mvhd>().and_then(|mvhd| Timescale::new(mvhd.timescale.into()));
        let traks = located(moov, at).filter(|(item, _)| item.header.kind == *b"trak");
        Limits::check("tracks of a file", traks.clone().count() as u64, limits.tracks as u64)
            .map_err(|kind| Error::at(at, kind))?;
        let read = |(item, offset): (&crate::bmff::AnyBox, u64)| {
            let inside = offset + item.header_len();
            let track = match &item.body {
                Body::Boxes(trak) => Track::read(trak, inside, movie, file_len, limits),
                _ => {
                    let alone = Boxes::from_iter([item.clone()]);
                    let unread = alone.unread_error(offset, limits);
                    let what = "the box `trak` cannot be read".to_owned();
                    let clause = "ISO/IEC 14496-12, 8.3.1";
                    let invalid = || Error::at(offset, ErrorKind::Invalid { what, clause });
                    Err(unread.unwrap_or_else(invalid))
                }
            };
            track.map_err(|error| error.inside(FourCc(*b"moov")))
        };
        let id = |(item, _): (&crate::bmff::AnyBox, u64)| match &item.body {
            Body::Boxes(trak) => trak.get::<Tkhd>().map(|tkhd| tkhd.track_id),
            _ => None,
        };
        let ids = traks.clone().map(id).collect();
        Ok(Self { tracks: traks.map(read).collect(), ids })
    }
}
