//! Reading the `moov` of each input, one input after another.

use std::ops::Range;

use bytes::Bytes;

use super::input::Input;
use super::options::PackageOptions;
use super::output::Package;
use super::source::{FRAGMENTED, Source, sources};
use super::text::TextSource;
use crate::base::{Cursor, Error, ErrorKind, FileEnds, FileId, Got, Limits, Step, Want};
use crate::bmff::Header;
use crate::captions::TextFormat;

/// The work that follows, with the tracks of all inputs and the notices about them.
type Then = Box<dyn FnOnce(Tracks, &PackageOptions) -> Result<Package, Error> + Send>;

/// What was read: tracks of films, files of captions, and notices about both.
type Tracks = (Vec<Source>, Vec<TextSource>, Vec<String>);

/// Inputs that are read.
pub(super) struct Reading {
    inputs: Vec<Input>,
    /// Number of the input that is read.
    at: u32,
    options: PackageOptions,
    sources: Vec<Source>,
    texts: Vec<TextSource>,
    notices: Vec<String>,
    then: Then,
}

/// Bytes of an input that are read first.
const HEAD: u64 = 64 << 10;

/// Longest header of a box.
const HEADER: u64 = 32;

/// Boxes in front of a `moov`. Files have three or four.
const BOXES: u64 = 4096;

/// Place of the walk over the boxes of an input.
struct Walk {
    /// Bytes of the file.
    size: u64,
    /// First byte of the next box.
    at: u64,
    boxes: u64,
    /// Bytes that were read, and the offset of the first of them.
    read: (u64, Bytes),
}

/// The result of a walk.
enum Found {
    Moov(Range<u64>),
    /// A header that is to be read.
    Unread(Range<u64>),
}

impl Reading {
    pub(super) fn new(inputs: Vec<Input>, options: PackageOptions, then: Then) -> Self {
        let (sources, texts, notices) = (Vec::new(), Vec::new(), Vec::new());
        Self { inputs, at: 0, options, sources, texts, notices, then }
    }

    /// Opens the next input, or makes the package.
    pub(super) fn next(self) -> Result<Step<Package>, Error> {
        let Some(input) = self.inputs.get(self.at as usize) else {
            let package = (self.then)((self.sources, self.texts, self.notices), &self.options)?;
            return Ok(Step::Ready(package));
        };
        let want = Want::Open { file: self.file(), name: input.name.clone(), head: HEAD, tail: 0 };
        Ok(self.read(want, move |reading, got| match got {
            Got::Opened(ends) if reading.text_format(&ends.head).is_some() => reading.text(ends),
            Got::Opened(ends) => {
                let walk = Walk { size: ends.size, at: 0, boxes: 0, read: (0, ends.head) };
                reading.walk(walk)
            }
            _ => Err(ErrorKind::WrongOutcome("a file was to be opened").into()),
        }))
    }

    fn file(&self) -> FileId {
        FileId::new(self.at)
    }

    /// Wants one thing, and goes on with it.
    fn read(
        self,
        want: Want,
        then: impl FnOnce(Self, Got) -> Result<Step<Package>, Error> + Send + 'static,
    ) -> Step<Package> {
        let file = self.file();
        Step::read(vec![want], move |got| match got.into_iter().next() {
            Some(Ok(got)) => then(self, got),
            Some(Err(error)) => Err(Error::from(ErrorKind::Read(error)).in_file(file)),
            None => Err(ErrorKind::Outcomes { wanted: 1, got: 0 }.into()),
        })
    }

    fn read_range(
        self,
        range: Range<u64>,
        then: impl FnOnce(Self, Bytes) -> Result<Step<Package>, Error> + Send + 'static,
    ) -> Step<Package> {
        let file = self.file();
        self.read(Want::Range { file, range }, move |reading, got| match got {
            Got::Range(bytes) => then(reading, bytes),
            _ => Err(ErrorKind::WrongOutcome("a range was to be read").into()),
        })
    }

    /// Format of the captions of the input, if it has captions.
    fn text_format(&self, head: &[u8]) -> Option<TextFormat> {
        let declared = || self.inputs.get(self.at as usize).and_then(Input::text_format);
        TextFormat::of_head(head).or_else(declared)
    }

    /// Reads all of a file of captions.
    fn text(self, ends: FileEnds) -> Result<Step<Package>, Error> {
        let (file, limit) = (self.file(), self.options.limits.caption_document);
        Limits::check("bytes of captions", ends.size, limit)
            .map_err(|kind| Error::from(kind).in_file(file))?;
        let take = move |mut reading: Self, bytes: Bytes| {
            let limits = &reading.options.limits;
            let input = &reading.inputs[reading.at as usize];
            let format = reading.text_format(&bytes).unwrap_or(TextFormat::SubRip);
            let text =
                TextSource::read((file, input), format, &bytes, limits, &mut reading.notices);
            reading.texts.push(text.map_err(|error| error.in_file(file))?);
            reading.at += 1;
            reading.next()
        };
        match ends.head.len() as u64 == ends.size {
            true => take(self, ends.head),
            false => Ok(self.read_range(0..ends.size, take)),
        }
    }

    /// Goes from box to box to the `moov`, and reads it.
    fn walk(self, mut walk: Walk) -> Result<Step<Package>, Error> {
        let file = self.file();
        let found = walk.moov(&self.options.limits).map_err(|error| error.in_file(file))?;
        match found {
            Found::Moov(range) => match walk.bytes(&range) {
                Some(moov) => self.take(&moov, walk.at, walk.size),
                None => Ok(self.read_range(range, move |reading, moov| {
                    reading.take(&moov, walk.at, walk.size)
                })),
            },
            Found::Unread(range) => Ok(self.read_range(range.clone(), move |reading, bytes| {
                walk.read = (range.start, bytes);
                reading.walk(walk)
            })),
        }
    }

    /// Takes the tracks of a `moov`.
    fn take(mut self, moov: &Bytes, at: u64, size: u64) -> Result<Step<Package>, Error> {
        let file = self.file();
        let input = &self.inputs[self.at as usize];
        let limits = &self.options.limits;
        let read = sources((file, input), (at, moov), size, limits, &mut self.notices)
            .map_err(|error| error.in_file(file))?;
        self.sources.extend(read);
        self.at += 1;
        self.next()
    }
}

impl Walk {
    /// Goes on to the `moov`, or to a header that is not read yet.
    fn moov(&mut self, limits: &Limits) -> Result<Found, Error> {
        while self.at < self.size {
            let needed = self.at..self.size.min(self.at.saturating_add(HEADER));
            let Some(header) = self.bytes(&needed) else { return Ok(Found::Unread(needed)) };
            let header = Header::parse(&mut Cursor::new(&header, self.at))?;
            let len = header.total().unwrap_or(self.size - self.at);
            let Some(end) = self.at.checked_add(len).filter(|&end| end <= self.size) else {
                let (needs, has) = (len, self.size - self.at);
                let truncated = Error::at(self.at, ErrorKind::Truncated { needs, has });
                return Err(truncated.inside(header.kind));
            };
            match &header.kind.0 {
                b"moov" => {
                    Limits::check("bytes of `moov`", len, limits.moov)
                        .map_err(|kind| Error::at(self.at, kind))?;
                    return Ok(Found::Moov(self.at..end));
                }
                b"moof" => return Err(Error::at(self.at, FRAGMENTED)),
                _ => {}
            }
            self.boxes += 1;
            Limits::check("boxes in front of a `moov`", self.boxes, BOXES)
                .map_err(|kind| Error::at(self.at, kind))?;
            self.at = end;
        }
        let (what, clause) = ("`moov`", "ISO/IEC 14496-12, 8.2.1");
        Err(Error::at(0, ErrorKind::Missing { what, clause }))
    }

    /// Bytes of the file, if they were read.
    fn bytes(&self, range: &Range<u64>) -> Option<Bytes> {
        let (from, read) = &self.read;
        let start = usize::try_from(range.start.checked_sub(*from)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(*from)?).ok()?;
        (end <= read.len()).then(|| read.slice(start..end))
    }
}
