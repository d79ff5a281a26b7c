//! Opening one media file: its `moov`, its `mfra`, and a look at some fragments.

use std::ops::Range;

use bytes::Bytes;

use super::excerpt::Excerpt;
use super::tracks::{self, MediaTrack};
use super::trouble::Trouble;
use super::{header_chunks, progressive, protection, subsegments, unmade};
use crate::base::{Cursor, Error, FileEnds, FileId, Limits};
use crate::bmff::{Boxes, Header};
use crate::codec::ProtectionSystem;
use crate::index::sample_table::Movie;
use crate::index::{SidxRead, read_mfra, read_sidx};
use crate::presentation::FindingCode;

/// Bytes read from the start of a media file at once: the `moov` of most.
pub(super) const HEAD: u64 = 8 << 10;

/// Bytes read from the end: the whole `mfra` of short files.
pub(super) const TAIL: u64 = 8 << 10;

/// Bytes of an `mfro`, which ends a file.
const MFRO: u64 = 16;

/// Bytes spent on looking at fragments, over all tracks of a file.
const LOOKS: u64 = 44 << 10;

/// Batches of reads that the `sidx` boxes of a file may take: one a level, and one for those that are
/// longer than expected.
const SIDX_READS: usize = 6;

/// Bytes of one look, at least and at most.
const LOOK: Range<u64> = 1 << 10..12 << 10;

/// Bytes between two looks that are read with them, at most.
const BETWEEN: u64 = 1 << 10;

/// A media file that has been opened, or why it could not be.
#[derive(Debug)]
pub(super) struct MediaFile {
    pub(super) size: u64,
    /// Its version, if validators depend on it.
    pub(super) version: Option<Box<[u8]>>,
    /// End of the `moov`, behind which fragments are stored.
    pub(super) header_end: u64,
    /// The `moov` and `mfra` as stored, for the validator.
    pub(super) moov: Bytes,
    pub(super) mfra: Bytes,
    /// The `sidx` boxes of a file without an `mfra`, as stored, if they are its index.
    pub(super) sidx: Vec<Bytes>,
    pub(super) tracks: Result<Vec<MediaTrack>, Trouble>,
    /// Its samples are in its header and in no fragment.
    pub(super) is_progressive: bool,
    /// The fault of a track in the header that is not among `tracks`.
    pub(super) unread_track: Option<Box<Trouble>>,
    pub(super) protection: Vec<ProtectionSystem>,
}

/// A media file being opened.
#[derive(Debug)]
pub(super) struct MediaOpening {
    pub(super) file: FileId,
    /// Bytes to read from the end, if they were not read when the file was opened.
    tail: u64,
    excerpt: Excerpt,
    phase: Phase,
    /// Batches of reads that its `sidx` boxes took.
    sidx_reads: usize,
    result: MediaFile,
}

#[derive(Debug)]
enum Phase {
    /// Walks the boxes at the start: the next header is at this byte.
    Walk {
        at: u64,
        hops: usize,
    },
    /// Reads `moov` and `mfra`.
    Boxes {
        moov: Range<u64>,
        mfra: Option<Range<u64>>,
    },
    /// Reads the `sidx` boxes behind the `moov`, after so many reads of them.
    SegmentIndex {
        reads: usize,
    },
    /// Looks at fragments, once they have been asked for.
    Look {
        asked: bool,
    },
    Done,
}

/// The next thing to do after a phase.
enum Next {
    Go(Phase),
    Read(Vec<Range<u64>>),
}

impl MediaOpening {
    pub(super) fn new(file: FileId, opened: FileEnds) -> Self {
        let excerpt = Excerpt::new(opened.size, opened.head, opened.tail);
        let result = MediaFile {
            size: opened.size,
            version: opened.version,
            header_end: 0,
            moov: Bytes::new(),
            mfra: Bytes::new(),
            sidx: Vec::new(),
            tracks: Ok(Vec::new()),
            is_progressive: false,
            unread_track: None,
            protection: Vec::new(),
        };
        let phase = Phase::Walk { at: 0, hops: 0 };
        Self { file, tail: TAIL, excerpt, phase, sidx_reads: 0, result }
    }

    /// One that could not even be opened.
    pub(super) fn failed(file: FileId, trouble: Trouble) -> Self {
        let mut opening = Self::new(file, FileEnds::new(0, Bytes::new(), Bytes::new()));
        opening.fail(trouble);
        opening
    }

    /// Goes on as far as it can with what was read; gives the ranges that it needs next.
    pub(super) fn advance(&mut self, limits: &Limits) -> Vec<Range<u64>> {
        loop {
            let next = match &self.phase {
                &Phase::Walk { at, hops } => self.walk(at, hops, limits),
                Phase::Boxes { moov, mfra } => {
                    let (moov, mfra) = (moov.clone(), mfra.clone());
                    self.boxes(moov, mfra, limits)
                }
                &Phase::SegmentIndex { reads } => Ok(self.segment_index(reads, limits)),
                &Phase::Look { asked } => self.look(asked, limits),
                Phase::Done => return Vec::new(),
            };
            match next {
                Ok(Next::Go(phase)) => self.phase = phase,
                Ok(Next::Read(ranges)) => return ranges,
                Err(trouble) => self.fail(trouble),
            }
        }
    }

    /// Returns whether its last bytes were not read yet.
    pub(super) fn lacks_tail(&self) -> bool {
        let size = self.excerpt.size();
        !matches!(self.phase, Phase::Done)
            && self.excerpt.missing(size.saturating_sub(MFRO)..size).is_some()
    }

    /// Sets how many bytes its `mfra` is expected to have.
    pub(super) fn expect_mfra(&mut self, bytes: u64) {
        self.tail = bytes.max(TAIL);
    }

    /// Takes bytes that were asked for.
    pub(super) fn learn(&mut self, offset: u64, bytes: Bytes) {
        self.excerpt.add(offset, bytes);
    }

    /// Ends the opening.
    pub(super) fn fail(&mut self, trouble: Trouble) {
        self.result.tracks = Err(trouble);
        self.phase = Phase::Done;
    }

    /// Returns the result, with no more reads.
    pub(super) fn finish(mut self, limits: &Limits) -> MediaFile {
        if matches!(self.phase, Phase::Look { asked: true }) {
            self.advance(limits);
        }
        if !matches!(self.phase, Phase::Done) {
            let message = "its header is spread over too many places";
            self.fail(Trouble::new(FindingCode::FileBroken, message));
        }
        self.result
    }

    /// Finds the `moov`, which comes before all fragments. It may come behind the samples of a
    /// progressive file.
    fn walk(&self, mut at: u64, hops: usize, limits: &Limits) -> Result<Next, Trouble> {
        let size = self.excerpt.size();
        let mut is_behind = false;
        loop {
            if at >= size {
                return Err(broken(match is_behind {
                    true => "it has no `moov` behind its samples: it was cut off",
                    false => "it has no `moov`",
                }));
            }
            let Some(bytes) = self.excerpt.get(at..size.min(at + 32)) else {
                if hops > 0 {
                    return Err(broken("its `moov` is not among its first boxes"));
                }
                // Once: what stands before a `moov` is short, or one long box.
                let len = match is_behind {
                    // What stands behind the samples is the `moov`, and little else.
                    true if size - at <= limits.moov => size - at,
                    _ => HEAD,
                };
                let range = at..size.min(at + len);
                return Ok(Next::Read(vec![range]));
            };
            let header = Header::parse(&mut Cursor::new(&bytes, at))
                .map_err(|error| Trouble::of(FindingCode::FileBroken, &error))?;
            let end = header.total().map_or(Some(size), |total| at.checked_add(total));
            let end = end.filter(|&end| end <= size);
            match &header.kind.0 {
                b"moov" => {
                    let end = end.ok_or_else(|| broken("its `moov` reaches beyond its end"))?;
                    if end - at > limits.moov {
                        let limit = limits.moov;
                        let message =
                            format!("its `moov` is longer than the budget of {limit} bytes");
                        return Err(broken(message));
                    }
                    if self.lacks_tail() {
                        let ranges = [at..end, size.saturating_sub(self.tail)..size];
                        let missing = ranges.map(|range| self.excerpt.missing(range));
                        return Ok(Next::Read(joined(missing.into_iter().flatten().collect())));
                    }
                    let mfra = find_mfra(&self.excerpt, limits);
                    return Ok(Next::Go(Phase::Boxes { moov: at..end, mfra }));
                }
                b"mdat" => {
                    let cut = "samples stand before its `moov`, and it was cut off within them";
                    at = end.ok_or_else(|| broken(cut))?;
                    is_behind = true;
                }
                b"moof" => return Err(broken("fragments stand before its `moov`")),
                _ => at = end.ok_or_else(|| broken("a box reaches beyond its end"))?,
            }
        }
    }

    fn boxes(
        &mut self,
        moov: Range<u64>,
        mfra: Option<Range<u64>>,
        limits: &Limits,
    ) -> Result<Next, Trouble> {
        let wanted = [Some(moov.clone()), mfra.clone()].into_iter().flatten();
        let missing: Vec<_> = wanted.filter_map(|range| self.excerpt.missing(range)).collect();
        if !missing.is_empty() {
            return Ok(Next::Read(missing));
        }
        let file_broken = |error: Error| Trouble::of(FindingCode::FileBroken, &error);
        self.result.moov = self.excerpt.get(moov.clone()).unwrap_or_default();
        let boxes = Boxes::parse(&self.result.moov, moov.start, limits).map_err(file_broken)?;
        let unread = boxes.unread().map(|what| {
            let trouble = Trouble::new(FindingCode::BoxUnreadable, what);
            match boxes.unread_error(moov.start, limits) {
                Some(error) => trouble.because(error),
                None => trouble,
            }
        });
        let parsed = boxes;
        let boxes = parsed.inside(*b"moov").ok_or_else(|| broken("it has no `moov`"))?;
        self.result.header_end = moov.end;
        self.result.protection = protection::of_moov(boxes);
        let has_mvex = boxes.list.iter().any(|item| item.header.kind == *b"mvex");
        let mut media = tracks::of_moov(self.file, boxes, limits);
        self.result.unread_track = tracks::unread(boxes, moov.end, limits).map(Box::new);
        media.iter_mut().for_each(|track| track.unread.clone_from(&unread));
        if !has_mvex && mfra.is_none() {
            let size = self.excerpt.size();
            let movie = Movie::read(&parsed, moov.start, size, limits).map_err(file_broken)?;
            self.result.is_progressive = true;
            self.result.tracks = progressive::of_movie(media, movie).map(|mut tracks| {
                unmade::refuse(&mut tracks, boxes, limits);
                tracks
            });
            return Ok(Next::Go(Phase::Done));
        }

        header_chunks::make(&mut media, &parsed, moov.start, self.excerpt.size(), limits);
        if mfra.is_none() {
            self.result.tracks = Ok(media);
            return Ok(Next::Go(Phase::SegmentIndex { reads: 0 }));
        }
        let index = mfra.and_then(|range| Some((range.clone(), self.excerpt.get(range)?)));
        match index.map(|(range, bytes)| (Boxes::parse(&bytes, range.start, limits), range, bytes))
        {
            Some((Ok(boxes), range, bytes)) => {
                if let Some(boxes) = boxes.inside(*b"mfra") {
                    self.result.mfra = bytes;
                    let ids: Vec<u32> = media.iter().map(|track| track.track_id).collect();
                    tracks::set_index(&mut media, read_mfra(boxes, range.start, &ids));
                    if let Some(unread) = boxes.unread() {
                        tracks::set_index_unread(&mut media, &unread);
                    }
                }
            }
            Some((Err(error), ..)) => {
                let trouble = Trouble::of(FindingCode::IndexBroken, &error);
                media.iter_mut().for_each(|track| track.fragments = Err(trouble.clone()));
            }
            _ => {}
        }
        self.result.tracks = Ok(media);
        Ok(Next::Go(Phase::Look { asked: false }))
    }

    /// Reads the `sidx` boxes behind the `moov`.
    fn segment_index(&mut self, reads: usize, limits: &Limits) -> Next {
        let get = |range: Range<u64>| self.excerpt.get(range);
        let (from, size) = (self.result.header_end, self.excerpt.size());
        match read_sidx(from, size, get, limits) {
            SidxRead::Needs(_) if reads >= SIDX_READS => {}
            SidxRead::Needs(ranges) => {
                let missing = ranges.into_iter().filter_map(|range| self.excerpt.missing(range));
                let missing = joined(missing.collect());
                self.sidx_reads = reads + 1;
                self.phase = Phase::SegmentIndex { reads: reads + 1 };
                return Next::Read(missing);
            }
            SidxRead::Read(found, boxes) => {
                if let Ok(tracks) = &mut self.result.tracks {
                    subsegments::set(tracks, found);
                }
                self.result.sidx = boxes;
            }
        }
        Next::Go(Phase::Look { asked: false })
    }

    /// Returns the number of batches that it needs in addition to those of all files.
    pub(super) fn more_batches(&self) -> usize {
        self.sidx_reads
    }

    /// Looks at the first and the last fragment of each track: an index that lies, mostly lies
    /// everywhere; and only the last `moof` says how long the last chunk is.
    fn look(&mut self, asked: bool, limits: &Limits) -> Result<Next, Trouble> {
        let Ok(tracks) = &mut self.result.tracks else { return Ok(Next::Go(Phase::Done)) };
        let indexed = tracks.iter().filter(|track| track.fragments.is_ok()).count() as u64;
        let len = (LOOKS / (2 * indexed).max(1)).clamp(LOOK.start, LOOK.end);
        if !asked {
            let looks = tracks.iter().flat_map(|track| track.looks(len));
            let missing = looks.filter_map(|(_, range)| self.excerpt.missing(range));
            let missing = joined(missing.take((LOOKS / len) as usize).collect());
            self.phase = Phase::Look { asked: true };
            if !missing.is_empty() {
                return Ok(Next::Read(missing));
            }
        }
        for track in tracks {
            track.count_from_first(len, |range| self.excerpt.get(range), limits);
            track.judge(len, |range| self.excerpt.get(range), limits);
            track.confirm_subsegments();
        }
        Ok(Next::Go(Phase::Done))
    }
}

/// Joins ranges that are next to each other, or nearly so: each is a request.
fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(BETWEEN) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

fn broken(message: impl Into<String>) -> Trouble {
    Trouble::new(FindingCode::FileBroken, message)
}

/// Returns the range of the `mfra`: by the `mfro` that ends the file, else by its own header, if that
/// is among the last bytes.
fn find_mfra(excerpt: &Excerpt, limits: &Limits) -> Option<Range<u64>> {
    let size = excerpt.size();
    let end = excerpt.get(size.checked_sub(MFRO)?..size)?;
    if end.starts_with(b"\0\0\0\x10mfro") {
        let len = u64::from(u32::from_be_bytes(end[12..16].try_into().ok()?));
        let start = size.checked_sub(len).filter(|_| len <= limits.mfra);
        let is_mfra = |start: u64| match excerpt.get(start..(start + 8).min(size)) {
            Some(header) => header.get(4..8) == Some(b"mfra"),
            None => true, // not read yet
        };
        if let Some(start) = start.filter(|&start| is_mfra(start)) {
            return Some(start..size);
        }
    }
    let (offset, tail) = excerpt.tail();
    let at = tail.windows(4).rposition(|word| word == b"mfra")?.checked_sub(4)?;
    let len = u64::from(u32::from_be_bytes(tail.get(at..at + 4)?.try_into().ok()?));
    let start = offset + at as u64;
    (start + len <= size).then_some(start..start + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(parts: &[&[u8]]) -> Excerpt {
        let bytes = Bytes::from(parts.concat());
        Excerpt::new(bytes.len() as u64, Bytes::new(), bytes)
    }

    #[test]
    fn looks_at_neighbours_are_one_read() {
        let ranges = vec![9000..9500, 0..1000, 1000..1500, 2000..3000, 2100..2200];
        assert_eq!(joined(ranges), [0..3000, 9000..9500]);
        assert_eq!(joined(vec![]), []);
    }

    #[test]
    fn the_index_is_found_by_its_last_box_and_without_it() {
        let mfra = b"\0\0\0\x18mfra\0\0\0\x10mfro\0\0\0\0\0\0\0\x18";
        let wrong = b"\0\0\0\x18mfra\0\0\0\x10mfro\0\0\0\0\0\0\0\x17";
        let limits = Limits::default();
        let found = |parts: &[&[u8]]| find_mfra(&file(parts), &limits);
        assert_eq!(found(&[b"media", mfra]), Some(5..29));
        assert_eq!(found(&[b"media", wrong]), Some(5..29));
        assert_eq!(found(&[b"media", mfra, b"\0\0\0\x09freex"]), Some(5..29));
        assert_eq!(found(&[b"media media media media"]), None);
        assert_eq!(found(&[b"short"]), None);
        assert_eq!(found(&[b"mfra\0\0\0\0\0\0\0\0\0\0\0\0"]), None, "no room for a size");
        assert_eq!(found(&[b"\0\0\0\xffmfra\0\0\0\0\0\0\0\0"]), None, "beyond the end");
    }
}
