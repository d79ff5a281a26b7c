//! Files of captions, and the streams that they become.

use std::sync::Arc;

use bytes::Bytes;

use super::bitrates;
use super::input::Input;
use super::options::PackageOptions;
use super::stream::Stream;
use crate::base::{Error, ErrorKind, FileId, Limits, Timescale};
use crate::bmff::SampleEntry;
use crate::captions::{Subtitles, TextFormat, TimeBase, WholeDocument, Window};
use crate::codec::{CodecTag, Description, Format};
use crate::fragment::written::{Head, Sample};
use crate::manifest::StreamKind;

/// A file of captions.
pub(super) struct TextSource {
    file: FileId,
    /// Name of the file.
    name: String,
    language: Option<String>,
    document: WholeDocument,
}

/// Longest chunk of text, in units of 100 ns: the duration of a sample has 32 bits.
const LONGEST: u64 = 4_000_000_000;

/// Bytes that a chunk may have. An origin reads no more by default.
const CHUNK: u64 = 4 << 20;

/// Bytes of all chunks of a stream. A caption that lasts through the film is in each of them.
const ALL_CHUNKS: u64 = 256 << 20;

impl TextSource {
    /// Reads all of a file. Peculiarities are told in `notices`.
    pub(super) fn read(
        (file, input): (FileId, &Input),
        format: TextFormat,
        bytes: &Bytes,
        limits: &Limits,
        notices: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let mut told = Vec::new();
        let document = match format {
            TextFormat::Ttml => WholeDocument::parse(bytes, limits)?,
            _ => {
                let subtitles = Subtitles::parse(bytes, format, limits)?;
                told = subtitles.notices();
                WholeDocument::parse(subtitles.to_ttml(limits)?.as_bytes(), limits)?
            }
        };
        told.extend(document.losses().iter().map(ToString::to_string));
        if document.len() == 0 {
            told.push("it has no captions".to_owned());
        }
        let name = input.name.as_str().to_owned();
        notices.extend(told.into_iter().map(|sentence| format!("{name}: {sentence}")));
        let language = input.language.clone().or_else(|| document.language().map(str::to_owned));
        Ok(Self { file, name, language, document })
    }
}

/// A stream of captions, which has one quality.
pub(super) struct TextStream {
    pub(super) name: String,
    pub(super) language: Option<String>,
    pub(super) description: Description,
    pub(super) entry: SampleEntry,
    pub(super) bitrate: u32,
    pub(super) track: TextTrack,
    /// Bytes of the fragment of each chunk.
    pub(super) lens: Vec<u64>,
}

/// A track of captions, whose documents are written.
#[derive(Debug)]
pub(super) struct TextTrack {
    pub(super) file: FileId,
    /// Its number in the output.
    pub(super) track_id: u32,
    document: WholeDocument,
    /// Start of each chunk and the end of the last one.
    pub(super) times: Arc<[u64]>,
    base: TimeBase,
    has_tfxd: bool,
    limits: Limits,
}

/// Returns the streams of files of captions, whose chunks are those of the first stream of the film and
/// cover all of it.
pub(super) fn text_streams(
    sources: Vec<TextSource>,
    film: &[Stream],
    options: &PackageOptions,
    notices: &mut Vec<String>,
) -> Result<Vec<TextStream>, Error> {
    let times: Arc<[u64]> = chunks(film, options.chunk).into();
    let languages: Vec<_> = sources.iter().map(|source| source.language.clone()).collect();
    let mut names: Vec<String> = Vec::new();
    let mut streams = Vec::new();
    for source in sources {
        let after = times.last().map_or(0, |&end| source.document.begin_from(end));
        if after > 0 {
            let name = &source.name;
            notices.push(format!(
                "{name}: captions are left out because they begin after the film: {after}"
            ));
        }
        let name = name(source.language.as_deref(), languages.len() == 1, &names);
        names.push(name.clone());
        streams.push(stream(source, name, &times, options)?);
    }
    Ok(streams)
}

/// Returns the start of each chunk of a stream and the end of the last one. A chunk lasts through the gap
/// behind it.
fn times(stream: &Stream) -> Vec<u64> {
    let starts = stream.chunks.iter().map(|chunk| chunk.start);
    starts.chain(stream.chunks.last().map(|chunk| chunk.end)).collect()
}

/// Returns the start of each chunk and the end of the last one: from the first start of the film to its
/// last end.
fn chunks(film: &[Stream], wanted: u64) -> Vec<u64> {
    let mut streams: Vec<Vec<u64>> = film.iter().map(times).collect();
    let start = streams.iter().filter_map(|times| times.first().copied()).min();
    let end = streams.iter().filter_map(|times| times.last().copied()).max();
    let mut times = streams.drain(..).next().unwrap_or_default();
    if let (Some(first), Some(start)) = (times.first_mut(), start) {
        *first = start;
    }
    if let (Some(last), Some(end)) = (times.pop(), end) {
        // The rest becomes chunks of its own if it is long.
        if end - last > wanted {
            times.push(last);
        }
        times.push(end);
    }
    // None is longer than its sample may be.
    let mut divided: Vec<u64> = times.first().copied().into_iter().collect();
    for pair in times.windows(2) {
        let (ticks, count) = (pair[1] - pair[0], (pair[1] - pair[0]).div_ceil(LONGEST).max(1));
        divided.extend((1..count).map(|part| pair[0] + ticks / count * part));
        divided.push(pair[1]);
    }
    divided
}

/// Returns `text` or, among several, `text_eng`; with a number if that is taken.
fn name(language: Option<&str>, is_alone: bool, taken: &[String]) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let base = match language.filter(|_| !is_alone) {
        Some(language) => format!("text_{}", language.chars().map(word).collect::<String>()),
        None => "text".to_owned(),
    };
    let numbered = (2_u32..).map(|number| format!("{base}_{number}"));
    let mut names = std::iter::once(base.clone()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or(base)
}

fn stream(
    source: TextSource,
    name: String,
    times: &Arc<[u64]>,
    options: &PackageOptions,
) -> Result<TextStream, Error> {
    let description = Description::new(CodecTag::TTML, Bytes::new(), Format::Text);
    let entry = description.sample_entry()?;
    let track = TextTrack {
        file: source.file,
        track_id: 1,
        document: source.document,
        times: Arc::clone(times),
        base: options.text_times.base(),
        has_tfxd: options.has_tfxd,
        limits: options.limits.clone(),
    };
    let (mut lens, mut bytes) = (Vec::with_capacity(track.len()), 0);
    for chunk in 0..track.len() {
        let (head, document) = track.fragment(chunk)?;
        lens.push((head.len() + document.len()) as u64);
        bytes += document.len() as u64;
        Limits::check("bytes of all documents of a stream", bytes, ALL_CHUNKS)
            .map_err(|kind| Error::from(kind).in_file(track.file))?;
    }
    let ticks = times.last().zip(times.first()).map_or(0, |(end, start)| end - start);
    let bitrate = bitrates::measured(bytes, ticks);
    Ok(TextStream { name, language: source.language, description, entry, bitrate, track, lens })
}

impl TextStream {
    pub(super) const KIND: StreamKind = StreamKind::Text;
}

impl TextTrack {
    /// Number of chunks.
    pub(super) fn len(&self) -> usize {
        self.times.len().saturating_sub(1)
    }

    /// Returns the head of the fragment of a chunk, and its document.
    ///
    /// # Errors
    /// If the document is larger than an origin reads.
    pub(super) fn fragment(&self, chunk: usize) -> Result<(Bytes, Bytes), Error> {
        let [start, end] = [chunk, chunk + 1].map(|at| self.times.get(at).copied());
        let missing = || Error::from(ErrorKind::NoFragment);
        let (start, end) = (start.ok_or_else(missing)?, end.ok_or_else(missing)?);
        let in_file = |error: Error| error.in_file(self.file);
        let duration = end - start;
        let window = Window { timescale: Timescale::SMOOTH, start, duration };
        let limits = Limits { caption_document: CHUNK, ..self.limits.clone() };
        let document = self.document.cut(self.base, &window, &limits).map_err(in_file)?;
        let sample = Sample {
            // Chunks were divided so that it fits, and a document has 4 MiB at most.
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
            size: document.len() as u32,
            is_sync: true,
            ..Sample::default()
        };
        let head = Head {
            number: chunk as u32 + 1,
            track_id: self.track_id,
            start,
            duration,
            samples: &[sample],
            has_tfxd: self.has_tfxd,
        };
        Ok((head.to_bytes(&self.limits).map_err(in_file)?, document.into()))
    }
}
