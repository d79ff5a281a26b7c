//! Reading the `moov` and the `moof`s of each input, one input after another.

use std::ops::Range;

use bytes::Bytes;

use super::fragments::Fragments;
use super::input::Input;
use super::options::PackageOptions;
use super::output::Package;
use super::source::{Found as FoundTracks, Source, sources};
use super::text::TextSource;
use super::walk::{Found, HEAD, Walk};
use crate::base::{Error, ErrorKind, FileEnds, FileId, FourCc, Got, Limits, Step, Want};
use crate::captions::TextFormat;

/// The work that follows, with the tracks of all inputs and the notices about them.
type Then = Box<dyn FnOnce(Tracks, &PackageOptions) -> Result<Package, Error> + Send>;

/// Contents of the inputs: tracks of films, files of captions, and notices about both.
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
            Got::Opened(ends) => reading.walk(Walk::new(ends.size, ends.head)),
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
            Found::It(range) => match walk.bytes(&range) {
                Some(moov) => self.take(&moov, range.start, walk),
                None => Ok(self.read_range(range.clone(), move |reading, moov| {
                    reading.take(&moov, range.start, walk)
                })),
            },
            Found::Unread(range) => Ok(self.read_range(range.clone(), move |reading, bytes| {
                walk.take(range.start, bytes);
                reading.walk(walk)
            })),
        }
    }

    /// Takes the tracks of a `moov`, and goes on to the fragments if there may be any.
    fn take(mut self, moov: &Bytes, at: u64, walk: Walk) -> Result<Step<Package>, Error> {
        let file = self.file();
        let input = &self.inputs[self.at as usize];
        let limits = &self.options.limits;
        let read = sources((file, input), (at, moov), walk.size, limits, &mut self.notices)
            .map_err(|error| error.in_file(file))?;
        match read {
            FoundTracks::Progressive(sources) => self.done(sources),
            FoundTracks::Fragmented(sources, trexs) => {
                let fragments = Fragments::new(sources, &trexs);
                self.fragments(walk, fragments.map_err(|error| error.in_file(file))?)
            }
        }
    }

    /// Goes from fragment to fragment, and reads what is in front of the media.
    fn fragments(
        mut self,
        mut walk: Walk,
        mut fragments: Fragments,
    ) -> Result<Step<Package>, Error> {
        let file = self.file();
        let limits = &self.options.limits;
        let in_file = |error: Error| error.in_file(file);
        loop {
            match walk.fragment(limits).map_err(in_file)? {
                Found::It(Some(fragment)) => fragments
                    .take(&fragment, limits)
                    .map_err(|error| error.inside(FourCc(*b"moof")).in_file(file))?,
                Found::It(None) => {
                    let sources = fragments.finish(walk.size, limits, &mut self.notices);
                    return self.done(sources.map_err(in_file)?);
                }
                Found::Unread(range) => {
                    return Ok(self.read_range(range.clone(), move |reading, bytes| {
                        walk.take(range.start, bytes);
                        reading.fragments(walk, fragments)
                    }));
                }
            }
        }
    }

    /// Goes on with the next input.
    fn done(mut self, sources: Vec<Source>) -> Result<Step<Package>, Error> {
        self.sources.extend(sources);
        self.at += 1;
        self.next()
    }
}
