//! The index behind the header of a file: the subsegments of some of its tracks, by `sidx`.
//!
//! It is read if a file has no `mfra`. Boxes are looked at up to the first fragment, and where a
//! `sidx` refers to others, those are read as well: one batch of reads a level, however many there are.
//!
//! | Layout | Reader |
//! |---|---|
//! | one `sidx` (Shaka Packager, MP4Box, ffmpeg) | all its subsegments |
//! | one `sidx` per track, one after the other (ffmpeg) | all subsegments of each track |
//! | a `sidx` whose references lead to others, each in front of its subsegments (hierarchical), or whose last one does (chained) | all subsegments, in order |
//! | a `sidx` in front of each fragment, none of which knows of the next (ffmpeg without `global_sidx`) | none: it does not cover the file |
//!
//! An index that leads out of the file or is not in order is not used at all.
//!
//! Spec: ISO/IEC 14496-12, 8.16.3.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::Bytes;

use crate::base::{Cursor, Error, ErrorKind, Limits, Timescale};
use crate::bmff::{Boxes, Header, Sidx};

/// The subsegments of a track, as its `sidx` tells of them.
#[derive(Clone, Debug)]
pub(crate) struct Subsegments {
    /// Ticks per second of the times here.
    pub(crate) timescale: Timescale,
    /// The earliest time at which anything of the first subsegment is shown.
    pub(crate) earliest: u64,
    /// In order of time and place.
    pub(crate) list: Vec<Subsegment>,
}

/// A subsegment: one fragment, unless the file says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subsegment {
    /// First byte.
    pub(crate) start: u64,
    /// First byte of something else.
    pub(crate) end: u64,
    /// Ticks from the earliest time of the first subsegment to that of this one.
    pub(crate) since: u64,
    /// Ticks to the next subsegment.
    pub(crate) duration: u64,
}

/// The result of reading an index.
#[derive(Debug)]
pub(crate) enum SidxRead {
    /// These bytes of the file are needed.
    Needs(Vec<Range<u64>>),
    /// The indexes that cover the file, and the boxes that they were read of. An index that is of no
    /// use is an error.
    Read(Vec<(u32, Result<Subsegments, Error>)>, Vec<Bytes>),
}

/// Bytes read where nothing is known of what comes: most indexes are shorter.
const WINDOW: u64 = 4 << 10;

/// Bytes in which every header lies.
const HEADER: u64 = 32;

/// Maximum boxes between the header and the first fragment.
const MAX_BOXES: usize = 1024;

/// Maximum number of `sidx` boxes.
const MAX_INDEXES: usize = 4096;

/// Maximum levels of `sidx` boxes: each needs reads of its own.
const MAX_LEVELS: usize = 4;

/// Reads the indexes of a file of `size` bytes, whose header ends at byte `from`. `get` gives bytes that
/// were read.
pub(crate) fn read_sidx(
    from: u64,
    size: u64,
    get: impl Fn(Range<u64>) -> Option<Bytes>,
    limits: &Limits,
) -> SidxRead {
    let mut reader =
        Reader { size, get, limits, needs: Vec::new(), seen: BTreeSet::new(), boxes: Vec::new() };
    let top = reader.top(from);
    let mut found: Vec<(u32, Result<Subsegments, Error>)> = Vec::new();
    for (at, sidx) in top {
        if found.iter().any(|(track_id, _)| *track_id == sidx.reference_id) {
            // The first of a track counts.
            continue;
        }
        let track_id = sidx.reference_id;
        match reader.subsegments(at, &sidx) {
            Ok(Some(of_track)) if reader.needs.is_empty() => {
                if reader.covers(&of_track) {
                    found.push((track_id, Ok(of_track)));
                }
            }
            Ok(_) => {}
            Err(error) => found.push((track_id, Err(error))),
        }
    }
    match reader.needs.is_empty() {
        true if found.is_empty() => SidxRead::Read(found, Vec::new()),
        true => SidxRead::Read(found, reader.boxes),
        false => SidxRead::Needs(reader.needs),
    }
}

struct Reader<'a, G> {
    size: u64,
    get: G,
    limits: &'a Limits,
    /// Ranges that are missing.
    needs: Vec<Range<u64>>,
    /// Positions of the `sidx` boxes that references lead to: none may be told twice.
    seen: BTreeSet<u64>,
    boxes: Vec<Bytes>,
}

impl<G: Fn(Range<u64>) -> Option<Bytes>> Reader<'_, G> {
    /// Returns the `sidx` boxes in front of the first fragment, each with the byte behind it.
    fn top(&mut self, mut at: u64) -> Vec<(u64, Sidx)> {
        let mut top = Vec::new();
        for _ in 0..MAX_BOXES {
            let Some(header) = self.header(at, self.size) else { break };
            let Some(end) = header.total().and_then(|total| at.checked_add(total)) else { break };
            match &header.kind.0 {
                b"sidx" => match self.sidx(at, end) {
                    Ok(Some(sidx)) => top.push((end, sidx)),
                    // One that cannot be read says nothing of any track.
                    Ok(None) | Err(_) => break,
                },
                b"free" | b"skip" | b"styp" | b"uuid" | b"prft" | b"emsg" | b"udta" | b"meta"
                | b"ssix" => {}
                _ => break,
            }
            at = end;
        }
        top
    }

    /// Returns the header of the box at this byte, if there is one and it was read.
    fn header(&mut self, at: u64, end: u64) -> Option<Header> {
        let end = end.min(self.size);
        let range = at..end.min(at.saturating_add(HEADER));
        if range.is_empty() {
            return None;
        }
        match (self.get)(range) {
            Some(bytes) => Header::parse(&mut Cursor::new(&bytes, at)).ok(),
            None => {
                self.needs.push(at..end.min(at.saturating_add(WINDOW)));
                None
            }
        }
    }

    /// Reads the `sidx` from one byte to another. `None` if it was not read yet.
    fn sidx(&mut self, at: u64, end: u64) -> Result<Option<Sidx>, Error> {
        let of_box = |kind| Error::at(at, kind);
        if end > self.size {
            let (needs, has) = (end - at, self.size.saturating_sub(at));
            return Err(of_box(ErrorKind::Truncated { needs, has }));
        }
        let read: u64 = self.boxes.iter().map(|bytes| bytes.len() as u64).sum();
        Limits::check("bytes of `sidx` boxes", read.saturating_add(end - at), self.limits.mfra)
            .map_err(of_box)?;
        let Some(bytes) = (self.get)(at..end) else {
            // And what follows it.
            self.needs.push(at..self.size.min(end.saturating_add(HEADER)));
            return Ok(None);
        };
        let boxes = Boxes::parse(&bytes, at, self.limits)?;
        let sidx = boxes.get::<Sidx>().cloned();
        let error = || boxes.unread_error(at, self.limits);
        let sidx = sidx.ok_or_else(|| error().unwrap_or_else(|| invalid(at, "no `sidx`")))?;
        self.boxes.push(bytes);
        Ok(Some(sidx))
    }

    /// Returns the subsegments of a `sidx` that ends at a byte. `None` if not all of them were read.
    fn subsegments(&mut self, end: u64, sidx: &Sidx) -> Result<Option<Subsegments>, Error> {
        let clock = Timescale::new(sidx.timescale.into());
        let timescale = clock.ok_or_else(|| invalid(end, "a `sidx` without a timescale"))?;
        let mut list = Vec::new();
        let is_whole = self.expand(end, sidx, self.size, MAX_LEVELS, &mut list)?;
        if list.is_empty() {
            return Ok(None);
        }
        let earliest = sidx.earliest_presentation_time;
        Ok(is_whole.then_some(Subsegments { timescale, earliest, list }))
    }

    /// Adds the subsegments of a `sidx` that ends at byte `end`, all of which end before byte `bound`.
    /// Returns whether that is all of them.
    fn expand(
        &mut self,
        end: u64,
        sidx: &Sidx,
        bound: u64,
        levels: usize,
        list: &mut Vec<Subsegment>,
    ) -> Result<bool, Error> {
        let mut is_whole = true;
        let mut at = end.checked_add(sidx.first_offset).ok_or_else(|| leads_out(end))?;
        for reference in sidx.references() {
            let next = at.checked_add(reference.size.into()).filter(|&next| next <= bound);
            let next = next.ok_or_else(|| leads_out(end))?;
            if next == at {
                return Err(invalid(end, "a reference of no bytes"));
            }
            if !reference.is_index {
                let last = list.last();
                if last.is_some_and(|last| last.end > at) {
                    return Err(invalid(end, "a subsegment before the one in front of it"));
                }
                let since = last.map_or(0, |last| last.since.saturating_add(last.duration));
                let duration = reference.duration.into();
                list.push(Subsegment { start: at, end: next, since, duration });
            } else if levels == 0 {
                return Err(invalid(end, "too many levels of `sidx`"));
            } else if !self.seen.insert(at) {
                return Err(invalid(at, "a `sidx` that is referred to twice"));
            } else if self.seen.len() > MAX_INDEXES {
                return Err(invalid(at, "too many `sidx` boxes"));
            } else if let Some(inner_end) = self.inner(at, next)? {
                match self.sidx(at, inner_end)? {
                    Some(inner) if inner.timescale != sidx.timescale => {
                        return Err(invalid(at, "a `sidx` of another timescale"));
                    }
                    Some(inner) => {
                        is_whole &= self.expand(inner_end, &inner, next, levels - 1, list)?;
                    }
                    None => is_whole = false,
                }
            } else {
                is_whole = false;
            }
            at = next;
        }
        Ok(is_whole)
    }

    /// Returns the end of the `sidx` at a byte to which a reference leads. `None` if it was not read yet.
    fn inner(&mut self, at: u64, next: u64) -> Result<Option<u64>, Error> {
        let missing = self.needs.len();
        let Some(header) = self.header(at, next) else {
            return match self.needs.len() > missing {
                true => Ok(None),
                false => Err(invalid(at, "a reference to a `sidx` that leads to no box")),
            };
        };
        let end = header.total().and_then(|total| at.checked_add(total));
        let end = end.filter(|&end| header.kind == *b"sidx" && end <= next);
        end.map(Some).ok_or_else(|| invalid(at, "a reference to a `sidx` that leads elsewhere"))
    }

    /// Returns whether no fragment follows the last subsegment. What was not read may be one.
    fn covers(&self, of_track: &Subsegments) -> bool {
        let end = of_track.list.last().map_or(0, |last| last.end);
        if end >= self.size {
            return true;
        }
        let header = (self.get)(end..self.size.min(end.saturating_add(HEADER)));
        let header = header.and_then(|bytes| Header::parse(&mut Cursor::new(&bytes, end)).ok());
        header.is_some_and(|header| {
            let is_last = header.total().is_none_or(|total| total == self.size - end);
            let kind = &header.kind.0;
            is_last && matches!(kind, b"free" | b"skip" | b"udta" | b"meta" | b"uuid" | b"mfra")
        })
    }
}

fn leads_out(at: u64) -> Error {
    invalid(at, "a reference that leads out of the file, or of the `sidx` above it")
}

fn invalid(at: u64, what: &str) -> Error {
    let (what, clause) = (what.to_owned(), "ISO/IEC 14496-12, 8.16.3");
    Error::at(at, ErrorKind::Invalid { what, clause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::{AnyBox, FullBox, SidxReference};

    fn reference(is_index: bool, size: u64) -> SidxReference {
        SidxReference {
            is_index,
            size: size as u32,
            duration: 20,
            starts_with_sap: true,
            sap_type: 1,
            sap_delta_time: 0,
        }
    }

    fn sidx(track: u32, first_offset: u64, references: &[SidxReference]) -> Vec<u8> {
        let entries: Vec<u8> = references.iter().flat_map(|of| of.to_bytes()).collect();
        let full = FullBox { version: (track % 2) as u8, flags: 0 };
        let sidx = Sidx {
            full,
            reference_id: track,
            timescale: 100,
            earliest_presentation_time: 7,
            first_offset,
            reserved: 0,
            entries: entries.into(),
        };
        Boxes::from_iter([AnyBox::new(sidx)]).to_bytes().to_vec()
    }

    fn media(len: usize) -> Vec<u8> {
        Boxes::from_iter([AnyBox::other(*b"moof", vec![0; len - 8])]).to_bytes().to_vec()
    }

    type Found = Vec<(u32, Result<Subsegments, Error>)>;

    /// Reads a file behind a header of ten bytes, and counts the batches of reads.
    fn read(file: &[u8]) -> (Found, usize) {
        let file = Bytes::from([&[0; 10], file].concat());
        let mut known: Vec<Range<u64>> = Vec::new();
        for batches in 0.. {
            let get = |range: Range<u64>| {
                let is_known = known.iter().any(|r| r.start <= range.start && range.end <= r.end);
                is_known.then(|| file.slice(range.start as usize..range.end as usize))
            };
            match read_sidx(10, file.len() as u64, get, &Limits::default()) {
                SidxRead::Needs(ranges) => known.extend(ranges),
                SidxRead::Read(found, boxes) => {
                    assert_eq!(found.is_empty(), boxes.is_empty());
                    return (found, batches);
                }
            }
            assert!(batches < 20, "it asks for the same again");
        }
        unreachable!("it ends")
    }

    fn places(found: &Found, track: u32) -> Vec<(u64, u64, u64)> {
        let (_, of) = found.iter().find(|(id, _)| *id == track).unwrap();
        let list = &of.as_ref().unwrap().list;
        list.iter().map(|of| (of.start, of.end, of.since)).collect()
    }

    #[test]
    fn every_track_has_its_own_index_and_counts_from_its_end() {
        let parts = [media(40), media(50)];
        let references = [reference(false, 40), reference(false, 50)];
        let second = sidx(2, 0, &references);
        let first = sidx(1, second.len() as u64, &references);
        let start = 10 + (first.len() + second.len()) as u64;
        let file = [&first[..], &second, &parts.concat()].concat();
        let (found, batches) = read(&file);
        for track in [1, 2] {
            assert_eq!(
                places(&found, track),
                [(start, start + 40, 0), (start + 40, start + 90, 20)]
            );
        }
        assert_eq!(batches, 1);
        let of_first = found[0].1.as_ref().unwrap();
        assert_eq!((of_first.earliest, of_first.timescale.get()), (7, 100));
    }

    #[test]
    fn a_long_index_takes_one_more_batch() {
        let references = vec![reference(false, 16); 1000];
        let file = [sidx(1, 0, &references), media(16).repeat(1000)].concat();
        let (found, batches) = read(&file);
        assert_eq!((places(&found, 1).len(), batches), (1000, 2));
    }

    #[test]
    fn an_index_of_indexes_and_a_chain_of_them_are_read_in_order() {
        let inner = sidx(1, 0, &[reference(false, 40), reference(false, 50)]);
        let inner = [inner, media(40), media(50)].concat();
        let len = inner.len() as u64;
        let levels = [
            sidx(1, 0, &[reference(true, len), reference(true, len)]),
            inner.clone(),
            inner.clone(),
        ];
        let chain = [sidx(1, 0, &[reference(false, 30), reference(true, len)]), media(30), inner];
        let (found, _) = read(&levels.concat());
        let start = 10 + levels[0].len() as u64 + len - 90;
        let second = start + len;
        let wanted = [(start, 0), (start + 40, 20), (second, 40), (second + 40, 60)];
        let places_of = |found: &Found| places(found, 1);
        let starts: Vec<_> = places_of(&found).iter().map(|of| (of.0, of.2)).collect();
        assert_eq!(starts, wanted);
        let (found, _) = read(&chain.concat());
        let since: Vec<_> = places_of(&found).iter().map(|of| of.2).collect();
        assert_eq!(since, [0, 20, 40]);
    }

    #[test]
    fn an_index_of_a_part_is_none() {
        let each: Vec<u8> = (0..3)
            .flat_map(|_| [sidx(1, 0, &[reference(false, 40)]), media(40)].concat())
            .collect();
        assert!(read(&each).0.is_empty());
        let free = Boxes::from_iter([AnyBox::other(*b"free", vec![0; 5])]).to_bytes();
        let file = [&sidx(1, 0, &[reference(false, 40)])[..], &media(40), &free].concat();
        let file = Bytes::from(file);
        let get = |range: Range<u64>| Some(file.slice(range.start as usize..range.end as usize));
        let SidxRead::Read(found, _) = read_sidx(0, file.len() as u64, get, &Limits::default())
        else {
            panic!("all was read")
        };
        assert_eq!(places(&found, 1).len(), 1);
        assert!(read(&media(40)).0.is_empty() && read(&[]).0.is_empty());
    }

    #[test]
    fn an_index_that_lies_is_an_error_that_says_where() {
        let inner = sidx(1, 0, &[reference(false, 40)]);
        let len = inner.len() as u64 + 40;
        let twice = sidx(1, 0, &[reference(true, len)]);
        for (file, says) in [
            (vec![sidx(1, 0, &[reference(false, 41)]), media(40)], "leads out of the file"),
            (vec![sidx(1, u64::MAX, &[reference(false, 1)]), media(40)], "leads out of the file"),
            (vec![sidx(1, 0, &[reference(false, 0)]), media(40)], "of no bytes"),
            (vec![sidx(1, 0, &[reference(true, 40)]), media(40)], "leads elsewhere"),
            (vec![twice, sidx(1, 8, &[reference(false, 40)]), media(40)], "leads out of the file"),
        ] {
            let (found, _) = read(&file.concat());
            let error = found[0].1.as_ref().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let deep = (0..=MAX_LEVELS).fold([inner, media(40)].concat(), |inside, _| {
            [sidx(1, 0, &[reference(true, inside.len() as u64)]), inside].concat()
        });
        let error = read(&deep).0[0].1.as_ref().unwrap_err().to_string();
        assert!(error.contains("too many levels"), "{error}");
    }
}
