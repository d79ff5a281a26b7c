//! The walk through a media file: its header, its fragments, and what is behind them.

use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;

use crate::base::{Cursor, Error, ErrorKind, FourCc, Limits, Timescale};
use crate::bmff::{Boxes, Hdlr, Header, Mdhd, Mfro, Tkhd, Trex};
use crate::fragment::Defaults;
use crate::index::{KnownStarts, Outcome, Scan, Scanned, Spent};
use crate::manifest::StreamKind;

/// A track, as the header describes it.
#[derive(Clone, Debug)]
pub(super) struct TrackHeader {
    pub(super) track_id: u32,
    /// `None` for one that no stream has.
    pub(super) kind: Option<StreamKind>,
    pub(super) timescale: Timescale,
    pub(super) language: Option<String>,
}

/// The end of a file, behind its last fragment.
#[derive(Debug, Default)]
pub(super) struct End {
    /// End of what is whole: the last fragment, and other boxes behind it.
    pub(super) whole: u64,
    /// The last `mfra`, if it is whole.
    pub(super) mfra: Option<Range<u64>>,
    /// Its boxes, if they can be read.
    pub(super) index: Option<Boxes>,
    /// True if its `mfro` leads to it from the end of the file.
    pub(super) is_found_from_end: bool,
    /// Start of the part that is not whole, and the type of its box if it has one.
    pub(super) rest: Option<(u64, Option<FourCc>)>,
    /// Where another fragment begins in the rest: the damage is in the middle.
    pub(super) continues: Option<u64>,
    /// True if the last box has no length of its own: nothing can be written behind it.
    pub(super) is_open: bool,
}

/// The result of a walk.
#[derive(Debug)]
pub(super) struct Walked {
    pub(super) size: u64,
    pub(super) tracks: Vec<TrackHeader>,
    /// True if some track has no header that can be read.
    pub(super) has_others: bool,
    /// `None` if the file has no fragments by its header.
    pub(super) scanned: Option<Scanned>,
    pub(super) end: End,
}

/// A walk that asks for one range after the other.
#[derive(Debug)]
pub(super) struct Walk {
    size: u64,
    limits: Limits,
    phase: Phase,
    spent: Spent,
    walked: Walked,
    /// Boxes that were passed one by one.
    boxes: u64,
}

#[derive(Debug)]
enum Phase {
    /// A header in front of the `moov`.
    Header(u64),
    Moov(Range<u64>),
    Fragments(Box<Scan>),
    /// A header behind the last fragment's start, up to an offset.
    Behind(u64, u64),
    /// A part of what is not whole.
    Rest(Range<u64>),
    Index(Range<u64>),
    Done,
}

const HEADER: u64 = 32;
const PART: u64 = 1 << 20;
/// Bytes of a `moof` by which it is recognized.
const START: u64 = 16;
/// Boxes that are passed one by one.
const BOXES: u64 = 4096;

impl Walk {
    pub(super) fn new(size: u64, limits: &Limits) -> Self {
        let end = End { whole: size, ..End::default() };
        let walked = Walked { size, tracks: Vec::new(), has_others: false, scanned: None, end };
        let phase = Phase::Header(0);
        Self { size, limits: limits.clone(), phase, spent: Spent::default(), walked, boxes: 0 }
    }

    /// Returns the range to be read next; `None` at the end.
    ///
    /// # Errors
    /// Fails where the file cannot be walked through.
    pub(super) fn wanted(&mut self) -> Result<Option<Range<u64>>, Error> {
        loop {
            return Ok(Some(match &mut self.phase {
                Phase::Header(at) | Phase::Behind(at, _) => {
                    *at..self.size.min(at.saturating_add(HEADER))
                }
                Phase::Moov(range) | Phase::Index(range) => range.clone(),
                Phase::Rest(range) => range.start..range.end.min(range.start + PART),
                Phase::Fragments(scan) => match scan.wanted(&self.limits, &mut self.spent) {
                    Some(range) => range,
                    None => {
                        self.end_of_fragments();
                        continue;
                    }
                },
                Phase::Done => return Ok(None),
            }));
        }
    }

    /// Takes what was wanted.
    ///
    /// # Errors
    /// As [`wanted`](Self::wanted).
    pub(super) fn feed(&mut self, bytes: &Bytes) -> Result<(), Error> {
        match &mut self.phase {
            Phase::Header(at) => {
                let at = *at;
                self.header(at, bytes)
            }
            Phase::Moov(range) => {
                let range = range.clone();
                self.moov(&range, bytes)
            }
            Phase::Fragments(scan) => {
                scan.feed(bytes, &self.limits);
                Ok(())
            }
            Phase::Behind(at, end) => {
                let (at, end) = (*at, *end);
                self.behind(at, end, bytes)
            }
            Phase::Rest(range) => {
                let range = range.clone();
                self.search(&range, bytes);
                Ok(())
            }
            Phase::Index(range) => {
                let range = range.clone();
                self.index(&range, bytes);
                Ok(())
            }
            Phase::Done => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Walked {
        self.walked
    }

    fn count_box(&mut self, at: u64) -> Result<(), Error> {
        self.boxes += 1;
        Limits::check("boxes around the fragments of a file", self.boxes, BOXES)
            .map_err(|kind| Error::at(at, kind))
    }

    fn header(&mut self, at: u64, bytes: &Bytes) -> Result<(), Error> {
        let missing = || {
            let (what, clause) = ("`moov`", "ISO/IEC 14496-12, 8.2.1");
            Error::at(at, ErrorKind::Missing { what, clause })
        };
        if at >= self.size {
            return Err(missing());
        }
        self.count_box(at)?;
        let header = Header::parse(&mut Cursor::new(bytes, at))?;
        let len = header.total().unwrap_or(self.size - at);
        let end = at.checked_add(len).filter(|&end| end <= self.size);
        let Some(end) = end else {
            let (needs, has) = (len, self.size - at);
            return Err(Error::at(at, ErrorKind::Truncated { needs, has }).inside(header.kind));
        };
        self.phase = match &header.kind.0 {
            b"moov" => {
                Limits::check("bytes of `moov`", len, self.limits.moov)
                    .map_err(|kind| Error::at(at, kind))?;
                Phase::Moov(at..end)
            }
            b"moof" => return Err(missing()),
            _ => Phase::Header(end),
        };
        Ok(())
    }

    fn moov(&mut self, range: &Range<u64>, bytes: &Bytes) -> Result<(), Error> {
        let boxes = Boxes::parse(bytes, range.start, &self.limits)?;
        let moov = boxes.inside(*b"moov").ok_or_else(|| {
            let (what, clause) = ("`moov` that can be read", "ISO/IEC 14496-12, 8.2.1");
            Error::at(range.start, ErrorKind::Missing { what, clause })
        })?;
        let Some(mvex) = moov.inside(*b"mvex") else {
            self.phase = Phase::Done;
            return Ok(());
        };
        let traks = moov.list.iter().filter(|item| item.header.kind == *b"trak").count();
        self.walked.tracks =
            moov.each(*b"trak").take(self.limits.tracks).filter_map(track).collect();
        self.walked.has_others = self.walked.tracks.len() < traks;
        let defaults = |track: &TrackHeader| {
            let trex = mvex.all::<Trex>().find(|trex| trex.track_id == track.track_id);
            (track.track_id, trex.map(Defaults::from).unwrap_or_default())
        };
        let tracks: Vec<_> = self.walked.tracks.iter().map(defaults).collect();
        let has_others = self.walked.has_others;
        let scan = Scan::new(range.end, self.size, tracks, has_others, KnownStarts::default());
        self.walked.end.whole = range.end;
        self.phase = Phase::Fragments(Box::new(scan));
        Ok(())
    }

    fn end_of_fragments(&mut self) {
        let Phase::Fragments(scan) = std::mem::replace(&mut self.phase, Phase::Done) else {
            return;
        };
        let scanned = scan.finish();
        let end = match &scanned.outcome {
            Outcome::CutOff { at, .. } => *at,
            _ => self.size,
        };
        let places = scanned.tracks.iter().filter_map(|track| track.places.last());
        if let Some(last) = places.max_by_key(|place| place.end) {
            self.walked.end.whole = last.end;
            // Its boxes are passed once more, for their lengths.
            self.phase = Phase::Behind(last.start, end);
        } else {
            self.phase = Phase::Behind(self.walked.end.whole, end);
        }
        if let Outcome::CutOff { at, kind } = scanned.outcome {
            self.walked.end.rest = Some((at, kind));
        }
        self.walked.scanned = Some(scanned);
        self.go_behind();
    }

    /// Ends the walk over the boxes at the end, if there are no more.
    fn go_behind(&mut self) {
        let Phase::Behind(at, end) = self.phase else { return };
        if at < end {
            return;
        }
        if let Some((at, _)) = self.walked.end.rest
            && at < self.size
            // A cut box begins as a fragment may; what is inside of it counts.
            && self.size - at > START
        {
            self.phase = Phase::Rest(at + 1..self.size);
            return;
        }
        self.read_index();
    }

    fn read_index(&mut self) {
        self.phase = match &self.walked.end.mfra {
            Some(range) if range.end - range.start <= self.limits.mfra => {
                Phase::Index(range.clone())
            }
            _ => Phase::Done,
        };
    }

    fn behind(&mut self, at: u64, end: u64, bytes: &Bytes) -> Result<(), Error> {
        self.count_box(at)?;
        let header = Header::parse(&mut Cursor::new(bytes, at)).ok();
        let header =
            header.filter(|header| header.kind.0.iter().all(|byte| (b' '..=b'~').contains(byte)));
        let len = header.as_ref().map(|header| header.total().unwrap_or(self.size - at));
        let next = len.and_then(|len| at.checked_add(len)).filter(|&next| next <= end);
        let Some((header, next)) = header.zip(next) else {
            // Garbage.
            self.walked.end.rest = Some((at, None));
            self.phase = Phase::Behind(end, end);
            self.go_behind();
            return Ok(());
        };
        let whole = &mut self.walked.end;
        whole.is_open = header.total().is_none();
        match &header.kind.0 {
            b"mfra" => whole.mfra = Some(at..next),
            b"free" | b"skip" => {}
            _ => whole.whole = whole.whole.max(next),
        }
        self.phase = Phase::Behind(next, end);
        self.go_behind();
        Ok(())
    }

    /// Looks for a fragment in a part of what is not whole.
    fn search(&mut self, range: &Range<u64>, bytes: &Bytes) {
        let found = memmem::find_iter(bytes, b"moof").find(|&letters| {
            let rest = bytes.get(letters + 4..letters + 12);
            letters >= 4 && rest == Some(b"\0\0\0\x10mfhd")
        });
        if let Some(letters) = found {
            self.walked.end.continues = Some(range.start + letters as u64 - 4);
            self.read_index();
            return;
        }
        let next = range.start + bytes.len() as u64;
        if next >= range.end {
            self.read_index();
        } else {
            self.phase = Phase::Rest(next - START..range.end);
        }
    }

    fn index(&mut self, range: &Range<u64>, bytes: &Bytes) {
        self.phase = Phase::Done;
        let Ok(boxes) = Boxes::parse(bytes, range.start, &self.limits) else { return };
        let Some(mfra) = boxes.inside(*b"mfra") else { return };
        let size = mfra.get::<Mfro>().map(|mfro| u64::from(mfro.size));
        let end = &mut self.walked.end;
        end.is_found_from_end = range.end == self.size && size == Some(range.end - range.start);
        end.index = Some(mfra.clone());
    }
}

fn track(trak: &Boxes) -> Option<TrackHeader> {
    let track_id = trak.get::<Tkhd>()?.track_id;
    let mdia = trak.inside(*b"mdia")?;
    let (mdhd, hdlr) = (mdia.get::<Mdhd>()?, mdia.get::<Hdlr>()?);
    let kind = match &hdlr.handler_type.0 {
        b"vide" => Some(StreamKind::Video),
        b"soun" => Some(StreamKind::Audio),
        b"text" | b"subt" | b"sbtl" | b"meta" | b"clcp" => Some(StreamKind::Text),
        _ => None,
    };
    let timescale = Timescale::new(mdhd.timescale.into())?;
    let language = mdhd.language().filter(|language| language != "und");
    Some(TrackHeader { track_id, kind, timescale, language })
}
