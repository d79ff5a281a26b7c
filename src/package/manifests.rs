//! The client manifest and the server manifest.

use std::ops::Range;

use super::options::PackageOptions;
use super::stream::{Quality, Stream};
use super::text::TextStream;
use crate::base::{Error, Limits, Timescale};
use crate::bmff::VisualSampleEntry;
use crate::codec::display_size;
use crate::manifest::{
    Chunk, ClientManifest, ServerManifest, ServerTrack, StreamIndex, StreamKind,
};

/// Returns the client manifest of these streams.
pub(super) fn client(
    streams: &[Stream],
    texts: &[TextStream],
    options: &PackageOptions,
) -> Result<String, Error> {
    let mut manifest =
        ClientManifest { timescale: Some(Timescale::SMOOTH), ..ClientManifest::default() };
    manifest.streams = streams.iter().map(|stream| index(stream, &options.limits)).collect();
    manifest.streams.extend(texts.iter().map(text_index));
    let is_hevc = |tag: &str| matches!(tag, "HVC1" | "HEV1" | "DVH1" | "DVHE");
    let mut qualities = streams.iter().flat_map(|stream| &stream.qualities);
    if qualities.any(|quality| is_hevc(quality.source.description.tag.as_str())) {
        manifest.minor_version = 2;
    }
    let start = streams.iter().filter_map(|stream| Some(stream.chunks.first()?.start)).min();
    let end = streams.iter().filter_map(|stream| Some(stream.chunks.last()?.end)).max();
    // The length of the film, wherever its times begin.
    manifest.duration = end.zip(start).map_or(0, |(end, start)| end - start);
    manifest.to_xml(options.layout, &options.limits)
}

fn index(stream: &Stream, limits: &Limits) -> StreamIndex {
    let mut index = StreamIndex::named(stream.kind, &stream.name);
    index.timescale = Some(Timescale::SMOOTH);
    index.language.clone_from(&stream.language);
    let qualities = stream.qualities.iter().enumerate().map(|(number, quality)| {
        let mut level = quality.source.description.quality(quality.bitrate);
        level.index = Some(number as u32);
        level
    });
    index.qualities = qualities.collect();
    if stream.kind == StreamKind::Video {
        index.max_width = index.qualities.iter().filter_map(|quality| quality.max_width).max();
        index.max_height = index.qualities.iter().filter_map(|quality| quality.max_height).max();
        (index.display_width, index.display_height) = (index.max_width, index.max_height);
        if let Some((width, height)) = shown(&stream.qualities, limits) {
            (index.display_width, index.display_height) = (Some(width), Some(height));
        }
    }
    let chunk = |chunk: &Range<u64>| Chunk {
        time: Some(chunk.start),
        duration: Some(chunk.end - chunk.start),
        ..Chunk::default()
    };
    index.chunks = stream.chunks.iter().map(chunk).collect();
    index
}

/// Streams of text are subtitles, and cover the whole film.
fn text_index(stream: &TextStream) -> StreamIndex {
    let mut index = StreamIndex::named(TextStream::KIND, &stream.name);
    index.subtype = Some("SUBT".to_owned());
    index.timescale = Some(Timescale::SMOOTH);
    index.language.clone_from(&stream.language);
    let mut level = stream.description.quality(stream.bitrate);
    level.index = Some(0);
    index.qualities = vec![level];
    let chunk = |pair: &[u64]| Chunk {
        time: Some(pair[0]),
        duration: Some(pair[1] - pair[0]),
        ..Chunk::default()
    };
    index.chunks = stream.track.times.windows(2).map(chunk).collect();
    index
}

/// The size at which the largest quality is shown, if a quality has non-square pixels.
fn shown(qualities: &[Quality], limits: &Limits) -> Option<(u32, u32)> {
    let (mut is_square, mut largest) = (true, None);
    for Quality { source, .. } in qualities {
        let entry = &source.track.entry;
        let shown = display_size(entry, Some((source.tkhd.width, source.tkhd.height)), limits);
        is_square &= shown.is_none();
        let coded = || {
            let visual = VisualSampleEntry::parse(entry, limits).ok()?;
            Some((visual.width.into(), visual.height.into()))
        };
        let area = |&(width, height): &(u32, u32)| u64::from(width) * u64::from(height);
        largest = largest.into_iter().chain(shown.or_else(coded)).max_by_key(area);
    }
    largest.filter(|_| !is_square)
}

/// A quality in a file.
pub(super) struct Placed {
    pub(super) kind: StreamKind,
    /// Name of its stream.
    pub(super) stream: String,
    pub(super) language: Option<String>,
    pub(super) bitrate: u32,
    pub(super) file: String,
    pub(super) track_id: u32,
}

/// Returns the server manifest of the presentation `name`.
pub(super) fn server(name: &str, placed: &[Placed]) -> Result<String, Error> {
    let mut manifest = ServerManifest::default();
    let pair = |name: &str, value: String| (name.to_owned(), value);
    manifest.metas.push(pair("clientManifestRelativePath", format!("{name}.ismc")));
    for Placed { kind, stream, language, bitrate, file, track_id } in placed {
        let mut track = ServerTrack::new(*kind, file);
        track.attributes.push(pair("systemBitrate", bitrate.to_string()));
        if let Some(language) = language {
            track.attributes.push(pair("systemLanguage", language.clone()));
        }
        track.params.push(pair("trackID", track_id.to_string()));
        track.params.push(pair("trackName", stream.clone()));
        manifest.tracks.push(track);
    }
    manifest.to_xml()
}
