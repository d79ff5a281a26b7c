//! Reading a fragment from a file of its own. Such a file may be replaced, rewritten or deleted at
//! any time, so each answer opens it anew.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::finding::label;
use super::fragment_files::FragmentFiles;
use super::fragment_view::{FragmentView, Looked, OwnFile};
use super::probe::{MAX_LOOKS, whereabouts_finding};
use super::stream::Media;
use super::timeline::tolerance;
use super::validator::ContentHash;
use super::{Finding, FindingCode, Liveness, Located, Presentation};
use crate::base::{
    Cursor, Error, ErrorKind, FileEnds, FileId, Got, Limits, ReadError, ReadErrorKind, Step, Want,
};
use crate::bmff::Header;
use crate::fragment::{Defaults, Parsed, Stored};

/// A fragment that has, or would have, a file of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocatedFile {
    pub(crate) stream: usize,
    pub(crate) track: usize,
    /// Start of its chunk, in ticks of the stream.
    pub(crate) time: u64,
    /// The time for which the answer stays the same.
    pub(crate) liveness: Liveness,
}

/// Boxes that may precede the `moof` in a fragment's file, and how many of them.
const BEFORE: [&[u8; 4]; 7] = [b"styp", b"sidx", b"ssix", b"prft", b"emsg", b"free", b"uuid"];
const MOST_BEFORE: usize = 16;

/// Maximum bytes of these boxes.
const MOST_BYTES_BEFORE: u64 = 64 << 10;

/// Maximum bytes of the fragment's head: its `moof` and the header of its `mdat`. Every answer reads
/// it again, because the file may change at any time. A minute of samples with IVs takes about a
/// tenth.
const LONGEST_HEAD: u64 = 4 << 20;

/// The longest header of a box.
const LONGEST_HEADER: u64 = 32;

/// Bytes after a fragment that show the type of the next box.
const HEADER: u64 = 8;

impl Presentation {
    /// Returns whether it is a folder of fragments in which files were missing when it was opened.
    /// Files of a live presentation come and go, and its manifest changes with them.
    pub(crate) fn lacks_files(&self) -> bool {
        let is_missing = |finding: &Finding| finding.code == FindingCode::FragmentFileMissing;
        self.is_folder && !self.is_live && self.findings.iter().any(is_missing)
    }

    /// Returns whether opening found the same as the other opening.
    pub(crate) fn is_found_like(&self, other: &Self) -> bool {
        self.content == other.content && self.findings == other.findings
    }

    /// Returns the file of a located chunk, if its track has such files.
    pub(super) fn file_of(&self, at: Located) -> Option<LocatedFile> {
        let Media::Files(_) = &self.track_of(at).media else { return None };
        let (time, _) = self.stream_of(at).timeline.chunk(at.chunk)?;
        let liveness = if self.is_live { Liveness::Live } else { Liveness::Final };
        Some(LocatedFile { stream: at.stream, track: at.track, time, liveness })
    }

    /// Returns the file that a live track may have for a time that its manifest does not announce:
    /// encoders write a file before they announce it, and keep it for a while afterwards.
    pub(super) fn unannounced_file(
        &self,
        stream: &str,
        bitrate: u32,
        attributes: &str,
        time: u64,
    ) -> Option<LocatedFile> {
        if !self.is_live {
            return None;
        }
        let (stream, track) = self.find_track(stream, bitrate, attributes).ok()?;
        let Media::Files(_) = &self.streams[stream].tracks[track].media else { return None };
        let timeline = &self.streams[stream].timeline;
        let last = timeline.len().checked_sub(1).and_then(|last| timeline.chunk(last));
        let is_ahead = last.is_none_or(|(start, _)| start < time);
        let liveness = if is_ahead { Liveness::Ahead } else { Liveness::Live };
        Some(LocatedFile { stream, track, time, liveness })
    }

    /// Opens the file of a fragment, reads its head, and continues with `then`.
    ///
    /// # Errors
    /// [`ErrorKind::NoMedia`] if there is no such file, or [`ErrorKind::NotYet`] or
    /// [`ErrorKind::NoFragment`] if the fragment is not announced either; errors of the fragment
    /// itself, which are also kept as a finding; errors of `then`.
    pub(super) fn look_at_file<T: 'static>(
        self: &Arc<Self>,
        at: LocatedFile,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Step<T>, Error> {
        let name = self.files_at(at)?.name(at.time)?;
        // No file of the presentation has this id.
        let file = FileId::new(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let presentation = Arc::clone(self);
        Ok(Step::read(vec![Want::Fragment { file, name, head: self.first_look() }], move |got| {
            let opened = opened(got).map_err(|error| presentation.no_file(at, error))?;
            let FileEnds { size, head, version, .. } = opened;
            let look = Look { at, file, size, version, read: head, behind: None, looks: 1 };
            look.go_on(&presentation, then)
        }))
    }

    fn files_at(&self, at: LocatedFile) -> Result<&FragmentFiles, ErrorKind> {
        match &self.streams[at.stream].tracks[at.track].media {
            Media::Files(files) => Ok(files),
            Media::Stored(_) => Err(ErrorKind::NoMedia),
            Media::Absent(absent) => Err((*absent).into()),
        }
    }

    /// Returns the error for a file that could not be opened.
    fn no_file(&self, at: LocatedFile, error: ReadError) -> Error {
        let timeline = &self.streams[at.stream].timeline;
        match error.kind {
            ReadErrorKind::Gone | ReadErrorKind::Denied => match at.liveness {
                Liveness::Ahead => Error::request("fragment", ErrorKind::NotYet),
                _ if timeline.locate(at.time).is_none() => {
                    Error::request("fragment", ErrorKind::NoFragment)
                }
                _ => Error::request("fragment", ErrorKind::NoMedia),
            },
            _ => error.into(),
        }
    }

    fn finding_of_file(&self, at: LocatedFile, code: FindingCode, message: String) -> Finding {
        let stream = &self.streams[at.stream];
        let finding = Finding::new(code, message)
            .of_track(&label(&stream.name, stream.tracks[at.track].bitrate));
        match self.files_at(at).and_then(|files| files.name(at.time)) {
            Ok(name) => finding.in_file(name.as_str()).at_chunk(Some(at.time)),
            Err(_) => finding,
        }
    }

    /// Reports what is unusual about a fragment that can be served. The name of its file identifies
    /// the fragment: its own track number is ignored, and its own time only leads to a finding.
    fn check_file(&self, at: LocatedFile, stored: &Stored) -> Result<(), Error> {
        let (stream, files) = (&self.streams[at.stream], self.files_at(at)?);
        let of_file = |code, message: String| self.finding_of_file(at, code, message);
        let tolerance = 2 * tolerance(stream.timescale, stream.timescale);
        if let Some(other) = stored.other_time(at.time as i64, tolerance)
            && !files.is_time_told.swap(true, Ordering::Relaxed)
        {
            let message = format!(
                "the fragment says that it starts at {}, the name of its file says {}",
                other.found, at.time
            );
            self.notice(of_file(FindingCode::TimeInFragment, message));
        }
        if let Some(unread) = stored.unread() {
            self.notice(of_file(FindingCode::BoxUnreadable, unread));
        }
        let whereabouts = stored.check_samples(Defaults::default(), self.limits())?;
        if let Some((code, what)) = whereabouts_finding(whereabouts) {
            // A muxer writes the same everywhere, so one finding per track is enough.
            let finding = of_file(code, what.to_owned()).at_chunk(None);
            self.notice(finding.in_file(files.folder().as_str()));
        }
        Ok(())
    }
}

/// Returns the file that a step opened.
fn opened(got: Vec<Result<Got, ReadError>>) -> Result<FileEnds, ReadError> {
    match got.into_iter().next() {
        Some(Ok(Got::Opened(opened))) => Ok(opened),
        Some(Err(error)) => Err(error),
        // Outcomes have the kind of their want.
        Some(Ok(_)) | None => Err(ReadError::new(ReadErrorKind::Transient)),
    }
}

/// A look in progress.
struct Look {
    at: LocatedFile,
    file: FileId,
    size: u64,
    /// Its version, if validators depend on it.
    version: Option<Box<[u8]>>,
    /// The first bytes of the file.
    read: Bytes,
    /// Bytes after the fragment, if they are not among the first.
    behind: Option<Bytes>,
    looks: usize,
}

/// The result of looking at the first bytes of a fragment's file.
pub(super) enum Seen {
    /// The fragment begins at this byte.
    Whole(u64, Box<Stored>),
    /// These bytes are needed.
    Needs(std::ops::Range<u64>),
}

/// Looks at the first bytes of a fragment's file of `size` bytes, which must hold boxes of the
/// container, one `moof`, its `mdat`, and no second `moof`.
///
/// # Errors
/// As [`Stored::parse`]; [`ErrorKind::Budget`] if the `moof` is longer than 4 MiB;
/// [`ErrorKind::NotSliceable`] if there are several fragments in the file.
pub(super) fn see(
    read: &Bytes,
    behind: Option<&Bytes>,
    size: u64,
    limits: &Limits,
) -> Result<Seen, Error> {
    let start = match start_of(read, size)? {
        Ok(start) => start,
        Err(needed) => return Ok(Seen::Needs(read.len() as u64..needed)),
    };
    // `start` is within the bytes that were read.
    let block = read.slice(start as usize..);
    let stored = match Stored::parse(&block, start, size, limits)? {
        Parsed::Whole(stored) => stored,
        Parsed::Needs(found) if found > LONGEST_HEAD => {
            let (what, limit) = ("bytes of the `moof` of a fragment file", LONGEST_HEAD);
            return Err(Error::at(start, ErrorKind::Budget { what, found, limit }));
        }
        Parsed::Needs(len) => {
            let end = start.saturating_add(len).min(size);
            return Ok(Seen::Needs(read.len() as u64..end.max(read.len() as u64)));
        }
    };
    let end = start + stored.len;
    if end + HEADER <= size {
        let from = usize::try_from(end).unwrap_or(usize::MAX);
        let next = match (read.get(from..from.saturating_add(HEADER as usize)), behind) {
            (Some(next), _) => next,
            (None, Some(next)) => next,
            (None, None) => return Ok(Seen::Needs(end..end + HEADER)),
        };
        if next.get(4..8) == Some(b"moof") {
            let several = "several fragments in one fragment file";
            return Err(Error::at(end, ErrorKind::NotSliceable(several)));
        }
    }
    Ok(Seen::Whole(start, stored))
}

/// Returns the first byte of the first box that is not one of the container. If it is not among the
/// bytes that were read, returns how many bytes are needed.
fn start_of(read: &Bytes, size: u64) -> Result<Result<u64, u64>, Error> {
    let mut start = 0_u64;
    for _ in 0..MOST_BEFORE {
        let enough = start.saturating_add(LONGEST_HEADER).min(size);
        if enough > read.len() as u64 {
            return Ok(Err(enough));
        }
        // Both are within the bytes that were read.
        let bytes = read.slice(start as usize..enough as usize);
        let is_before = bytes.get(4..8).is_some_and(|kind| BEFORE.iter().any(|b| *b == kind));
        if !is_before {
            return Ok(Ok(start));
        }
        let total = Header::parse(&mut Cursor::new(&bytes, start))?.total();
        let next = total.and_then(|total| start.checked_add(total));
        match next.filter(|&next| next < size && next <= MOST_BYTES_BEFORE) {
            Some(next) => start = next,
            None => break,
        }
    }
    let (what, clause) = ("`moof` at the start of the file", "[MS-SSTR] 2.2.4");
    Err(Error::at(start, ErrorKind::Missing { what, clause }))
}

impl Look {
    fn go_on<T: 'static>(
        mut self,
        presentation: &Arc<Presentation>,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Step<T>, Error> {
        let (at, file) = (self.at, self.file);
        let seen = see(&self.read, self.behind.as_ref(), self.size, presentation.limits());
        let checked = seen.and_then(|seen| match seen {
            Seen::Whole(start, stored) => {
                presentation.check_file(at, &stored)?;
                Ok(Seen::Whole(start, stored))
            }
            Seen::Needs(_) if self.looks >= MAX_LOOKS => {
                let (what, limit) = ("reads of a fragment's head", MAX_LOOKS as u64);
                Err(ErrorKind::Budget { what, found: limit + 1, limit }.into())
            }
            needs => Ok(needs),
        });
        let range = match checked {
            Ok(Seen::Whole(start, stored)) => {
                let own = self.own_file(presentation, start, &stored);
                let looked = self.looked(presentation, start, stored);
                let view = FragmentView::of_file(presentation, at, file, own, start, &looked);
                return then(view).map(Step::Ready).map_err(|e| e.in_file(file));
            }
            Ok(Seen::Needs(range)) => range,
            Err(found) => {
                let code = FindingCode::FragmentBroken;
                presentation.notice(presentation.finding_of_file(at, code, found.to_string()));
                return Err(found.in_file(file));
            }
        };
        let presentation = Arc::clone(presentation);
        Ok(Step::read(vec![Want::Range { file, range: range.clone() }], move |got| {
            self.looks += 1;
            let is_next = range.start == self.read.len() as u64;
            for got in got {
                match got.map_err(|error| Error::from(error).in_file(file))? {
                    Got::Range(bytes) if is_next => {
                        self.read = [&self.read[..], &bytes].concat().into()
                    }
                    Got::Range(bytes) => self.behind = Some(bytes),
                    Got::Opened(_) | Got::Listed(_) => {}
                }
            }
            self.go_on(&presentation, then)
        }))
    }

    fn own_file(&self, presentation: &Presentation, start: u64, head: &Stored) -> OwnFile {
        let mut hash = ContentHash::new(&presentation.epoch);
        hash.number(self.size);
        hash.number(start);
        hash.number(head.len);
        hash.part(Some(&head.moof));
        if let Some(version) = &self.version {
            hash.part(Some(version));
        }
        OwnFile { content: hash.finish(), liveness: self.at.liveness }
    }

    fn looked(&self, presentation: &Presentation, start: u64, head: Box<Stored>) -> Looked {
        // A long head is not kept while the answer is sent: the body reads it under its own budget.
        let read = match self.read.len() as u64 > presentation.first_look() {
            true => Bytes::new(),
            false => self.read.slice(usize::try_from(start).unwrap_or(0).min(self.read.len())..),
        };
        Looked { read, head }
    }
}
