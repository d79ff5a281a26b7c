//! One track of a progressive file.

use super::tables::AROUND;
use super::whereabouts::{first, inside};
use super::{Clock, Tables, edits};
use crate::base::{Error, ErrorKind, FourCc, Limits, Timescale};
use crate::bmff::{Body, Boxes, Elst, Hdlr, Mdhd, SampleEntry, Stsd, Tkhd};

/// A track with samples outside of fragments.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its number in the file.
    pub track_id: u32,
    /// `vide`, `soun`, `text`, `subt`, …
    pub handler: FourCc,
    /// The code of ISO 639-2, if there is one.
    pub language: Option<String>,
    /// The coding of all its samples.
    pub entry: SampleEntry,
    /// From the time of its media to the time at which it is shown.
    pub clock: Clock,
    /// Its samples.
    pub tables: Tables,
}

impl Track {
    /// Reads a `trak` whose first box begins at byte `at` of a file of `file_len` bytes.
    ///
    /// # Errors
    /// Errors of [`Tables::read`]; and if a box is missing, if there is no coding of its samples, or
    /// if its edits need more than a shift of time.
    pub(super) fn read(
        trak: &Boxes,
        at: u64,
        movie: Option<Timescale>,
        file_len: u64,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let missing =
            |what| Error::at(at, ErrorKind::Missing { what, clause: "ISO/IEC 14496-12, 8.3" });
        let tkhd = trak.get::<Tkhd>().ok_or_else(|| missing("`tkhd`"))?;
        let (mdia, mdia_at) = inside(trak, at, *b"mdia").ok_or_else(|| missing("`mdia`"))?;
        let mdhd = mdia.get::<Mdhd>().ok_or_else(|| missing("`mdhd`"))?;
        let hdlr = mdia.get::<Hdlr>().ok_or_else(|| missing("`hdlr`"))?;
        let timescale = Timescale::new(mdhd.timescale.into())
            .ok_or_else(|| missing("timescale in `mdhd` but 0"))?;
        let stbl =
            inside(mdia, mdia_at, *b"minf").and_then(|(minf, at)| inside(minf, at, *b"stbl"));
        let (stbl, stbl_at) = stbl.ok_or_else(|| missing("`stbl`"))?;
        let tables = Tables::read(stbl, stbl_at, tkhd.track_id, file_len, limits)
            .map_err(|error| AROUND.into_iter().fold(error, Error::inside))?;
        let number = tables.description();
        let stsd = stbl.get::<Stsd>().ok_or_else(|| missing("`stsd`"))?;
        let index = (number as usize).checked_sub(1);
        let entry = index.and_then(|index| stsd.entries().nth(index)).ok_or_else(|| {
            let what = format!("track {} has no sample description {number}", tkhd.track_id);
            Error::at(stbl_at, ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.5.2" })
        })?;
        let clock = edits::clock(elst(trak, at)?, timescale, movie)
            .map_err(|error| error.inside(FourCc(*b"edts")).inside(FourCc(*b"trak")))?;
        let (track_id, language) = (tkhd.track_id, mdhd.language());
        Ok(Self { track_id, handler: hdlr.handler_type, language, entry, clock, tables })
    }
}

/// The edit list of a track, and its offset.
fn elst(trak: &Boxes, at: u64) -> Result<Option<(&Elst, u64)>, Error> {
    let Some((edts, at)) = inside(trak, at, *b"edts") else { return Ok(None) };
    match first(edts, at, *b"elst") {
        None => Ok(None),
        Some((item, offset)) => match &item.body {
            Body::Elst(elst) => Ok(Some((elst, offset))),
            _ => {
                let what = "the edit list cannot be read".to_owned();
                let clause = "ISO/IEC 14496-12, 8.6.6";
                Err(Error::at(offset, ErrorKind::Invalid { what, clause }))
            }
        },
    }
}
