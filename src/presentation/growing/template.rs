//! The tracks of a live presentation, opened as those of a film.

use bytes::Bytes;

use super::stream::GrowingStream;
use super::{GrowingFile, declared, invalid, stand_in};
use crate::base::{Error, FileEnds, FileId, Got, Limits, Name, ReadError, ReadErrorKind, Want};
use crate::bmff::uuid::Tfxd;
use crate::bmff::{Body, Boxes, Tfdt};
use crate::index::{Starts, written_mfra};
use crate::manifest::{Attributes, ClientManifest, ServerManifest, ServerTrack, StreamIndex};
use crate::presentation::rewritten::{Found, Source};
use crate::presentation::stream::{Media, announced};
use crate::presentation::{Finding, OpenOptions, Presentation, Stream, Track, open};

/// A film of the first fragment of each track.
#[derive(Debug)]
pub(super) struct Template {
    presentation: Presentation,
    /// For each file, the numbers of its stream and track. `None` if it is not served.
    pub(super) places: Vec<Option<(usize, usize)>>,
    /// For each file, whether its fragments are not served as they are stored.
    rewritten: Vec<bool>,
}

impl Template {
    /// Opens these files. All fragments are at time 0, so that tracks of one stream have one chunk,
    /// wherever they begin. A file without a fragment has its number alone, unless captions are announced by it.
    pub(super) fn open(
        name: &Name,
        files: &[GrowingFile],
        options: &OpenOptions,
    ) -> Result<Self, Error> {
        let limits = &options.limits;
        let is_begun =
            |file: &GrowingFile| !file.first.is_empty() || stand_in::has_captions(&file.head);
        let begun: Vec<_> = (0..files.len()).filter(|&at| is_begun(&files[at])).collect();
        let mut server = ServerManifest::default();
        server.tracks = begun.iter().map(|&at| files[at].server.clone()).collect();
        let mut contents = vec![Bytes::from(server.to_xml()?)];
        for &at in &begun {
            contents.push(files[at].content(limits)?);
        }
        let read = |want: &Want| read(&contents, want);
        let mut presentation = open(name.clone(), options).drive(read)?;
        // The manifest says why nothing can be served.
        presentation.manifest()?;
        if presentation.files.len() != contents.len() {
            return Err(invalid("two tracks of a live presentation in one file"));
        }
        presentation.files.truncate(1);
        presentation.files.extend(files.iter().map(|file| file.name.clone()));
        if begun.len() < files.len() {
            let tracks = presentation.streams.iter_mut().flat_map(|stream| &mut stream.tracks);
            tracks.for_each(|track| number_again(track, &begun));
        }
        let streams = &presentation.streams;
        let place = |number: usize| {
            let file = super::file_id(number);
            streams.iter().enumerate().find_map(|(stream, of)| {
                let is_it = |track: &Track| track.source().is_some_and(|(of, _)| of == file);
                Some((stream, of.tracks.iter().position(is_it)?))
            })
        };
        let places: Vec<_> = (0..files.len()).map(place).collect();
        let rewritten = places.iter().zip(files).map(|(place, file)| match place {
            Some((stream, track)) => file.is_rewritten(&streams[*stream].tracks[*track], limits),
            None => Ok(false),
        });
        let rewritten = rewritten.collect::<Result<_, _>>()?;
        Ok(Self { presentation, places, rewritten })
    }

    pub(super) fn presentation(&self) -> &Presentation {
        &self.presentation
    }

    pub(super) fn streams(&self) -> &[Stream] {
        &self.presentation.streams
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.presentation.findings
    }

    /// Returns its streams without chunks.
    pub(super) fn growing(&self) -> Vec<GrowingStream> {
        let mut streams: Vec<_> = self.streams().iter().map(GrowingStream::of).collect();
        for (place, &is_rewritten) in self.places.iter().zip(&self.rewritten) {
            if let Some((stream, track)) = *place {
                streams[stream].tracks[track].is_rewritten = is_rewritten;
            }
        }
        streams
    }

    /// Gives tracks without the name of a stream, from number `known` on, that of a stream of their kind,
    /// language and timescale whose tracks had none either. Returns whether there are any.
    pub(super) fn join_streams(
        &self,
        files: &mut [GrowingFile],
        named: &[bool],
        known: usize,
    ) -> bool {
        let stream = |file: usize| Some(&self.streams()[self.places[file]?.0]);
        let mut is_changed = false;
        for file in known..files.len() {
            let Some(own) = stream(file).filter(|_| !named[file]) else { continue };
            let fits = |other: &&Stream| {
                other.kind == own.kind
                    && other.language == own.language
                    && other.timescale == own.timescale
            };
            let unnamed = (0..known).filter(|&other| !named[other]);
            if let Some(other) = unnamed.filter_map(stream).find(fits) {
                set(&mut files[file].server.params, "trackName", other.name.clone());
                is_changed = true;
            }
        }
        is_changed
    }

    /// Declares the names of the streams and the bitrates that were given to tracks.
    pub(super) fn declare(&self, files: &mut [GrowingFile]) {
        for (place, file) in self.places.iter().zip(files) {
            let Some((stream, track)) = *place else { continue };
            let stream = &self.streams()[stream];
            let (server, bitrate) = (&mut file.server, stream.tracks[track].bitrate);
            if server.track_name() != Some(&stream.name) {
                set(&mut server.params, "trackName", stream.name.clone());
            }
            if server.bitrate() != Some(bitrate) {
                let ServerTrack { attributes, params, .. } = server;
                for name in ["systemBitrate", "system-bitrate"] {
                    params.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
                    attributes.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
                }
                set(attributes, "systemBitrate", bitrate.to_string());
            }
        }
    }

    /// Returns the client manifest without chunks, and the number of each of its streams. It has what encoders say of
    /// their tracks, and media does not.
    pub(super) fn manifest(
        &mut self,
        files: &[GrowingFile],
        limits: &Limits,
    ) -> Result<(ClientManifest, Vec<usize>), Error> {
        // What is generated is written in a form that reads as the same manifest.
        let mut manifest = ClientManifest::parse(self.presentation.manifest()?, limits)?;
        let mut numbers = Vec::with_capacity(manifest.streams.len());
        for index in &mut manifest.streams {
            let is_it = |of: &Stream| of.kind == index.kind && of.name == index.name();
            let number = self.streams().iter().position(is_it);
            numbers.push(number.unwrap_or(usize::MAX));
            if let Some(number) = number {
                self.add_declared(number, index, files);
            }
            index.chunks = Vec::new();
            index.declared_chunks = None;
        }
        Ok((manifest, numbers))
    }

    /// Adds what encoders say of the tracks of a stream.
    fn add_declared(&mut self, stream: usize, index: &mut StreamIndex, files: &[GrowingFile]) {
        let places = self.places.iter().zip(files);
        let of_stream = places.filter_map(|(place, file)| {
            let (of, track) = (*place)?;
            (of == stream).then_some((track, &file.server))
        });
        let servers: Vec<(usize, &ServerTrack)> = of_stream.collect();
        let of = &mut self.presentation.streams[stream];
        for (track, server) in &servers {
            let Some(track) = of.tracks.get_mut(*track) else { continue };
            let mut qualities = index.qualities.iter_mut();
            let Some(quality) = qualities.find(|of| of.bitrate == track.bitrate) else { continue };
            if declared::add_to_quality(quality, server) {
                let quality = quality.clone();
                track.description = announced(index, &quality).or(track.description.take());
            }
        }
        let servers: Vec<_> = servers.into_iter().map(|(_, server)| server).collect();
        if declared::add_to_stream(index, &servers) {
            for track in of.tracks.iter_mut().filter(|track| track.pixel_aspect.is_none()) {
                let quality = index.qualities.iter().find(|of| of.bitrate == track.bitrate);
                let aspect = quality.and_then(|quality| declared::pixel_aspect(index, quality));
                track.pixel_aspect = aspect.map(Box::new);
            }
        }
    }
}

impl GrowingFile {
    /// Returns a file with the header and the first fragment, at time 0, and an index of it.
    fn content(&self, limits: &Limits) -> Result<Bytes, Error> {
        let track_id = self.server.track_id().unwrap_or(1);
        let first = match self.first.is_empty() && stand_in::has_captions(&self.head) {
            true => stand_in::fragment(track_id, limits)?,
            false => self.first.clone(),
        };
        let mut moof = Boxes::parse(&first, 0, limits)?;
        let traf = moof.list.iter_mut().find_map(|item| match &mut item.body {
            Body::Boxes(boxes) if item.header.kind == *b"moof" => {
                boxes.list.iter_mut().find_map(|item| match &mut item.body {
                    Body::Boxes(boxes) if item.header.kind == *b"traf" => Some(boxes),
                    _ => None,
                })
            }
            _ => None,
        });
        if let Some(traf) = traf {
            if let Some(tfxd) = traf.get_mut::<Tfxd>() {
                tfxd.time = 0;
            }
            if let Some(tfdt) = traf.get_mut::<Tfdt>() {
                tfdt.base_media_decode_time = 0;
            }
        }
        let first = moof.to_bytes();
        let entries = vec![(0, self.head.len() as u64)];
        let index = written_mfra(&[Starts { track_id, entries }])?;
        Ok([&self.head[..], &first, &index].concat().into())
    }

    /// Returns whether fragments like the first one are not served as they are stored.
    fn is_rewritten(&self, track: &Track, limits: &Limits) -> Result<bool, Error> {
        if self.first.is_empty() {
            return Ok(false);
        }
        let stored = track.stored()?;
        let source = Source {
            block: &self.first,
            start: 0,
            bound: self.first.len() as u64,
            track_id: stored.track_id,
            defaults: stored.defaults,
        };
        Ok(matches!(source.find(limits)?, Found::Made(..)))
    }
}

/// Gives the file of a track its number among all files, of which these were opened.
fn number_again(track: &mut Track, opened: &[usize]) {
    if let Media::Stored(stored) = &mut track.media
        && let Some(&at) = stored.file.index().checked_sub(1).and_then(|at| opened.get(at))
    {
        stored.file = super::file_id(at);
    }
}

/// Sets an attribute or a parameter.
fn set(list: &mut Attributes, name: &str, value: String) {
    list.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    list.push((name.into(), value));
}

/// Reads files in memory.
fn read(files: &[Bytes], want: &Want) -> Result<Got, ReadError> {
    let gone = || ReadError::new(ReadErrorKind::Gone);
    let content = |file: &FileId| files.get(file.index()).ok_or_else(gone);
    match want {
        Want::Open { file, head, tail, .. } => {
            let content = content(file)?;
            let len = content.len();
            let within = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX).min(len);
            let (head, tail) = (within(*head), within(*tail));
            let (head, tail) = (content.slice(..head), content.slice(len - tail..));
            Ok(Got::Opened(FileEnds::new(len as u64, head, tail)))
        }
        Want::Range { file, range } => {
            let content = content(file)?;
            let at = |byte: u64| usize::try_from(byte).unwrap_or(usize::MAX);
            let (from, to) = (at(range.start), at(range.end));
            match from <= to && to <= content.len() {
                true => Ok(Got::Range(content.slice(from..to))),
                false => Err(gone()),
            }
        }
        Want::Index { .. } => Ok(Got::Range(Bytes::new())),
        Want::Fragment { .. } | Want::List { .. } => Err(gone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Growing;
    use super::super::samples::{Pushed, SECOND};
    use super::*;
    use crate::manifest::StreamKind;

    #[test]
    fn a_file_without_a_fragment_has_its_number_and_nothing_is_served_of_it() {
        let tracks = [
            Pushed::new(StreamKind::Video, 1, 900_000),
            Pushed::new(StreamKind::Video, 2, 400_000),
            Pushed::new(StreamKind::Audio, 3, 64_000),
        ];
        let mut files: Vec<_> = tracks.iter().map(Pushed::file).collect();
        files[1].first = Bytes::new();
        let name = Name::new("event/news.isml").unwrap();
        let mut growing = Growing::open(&name, files.clone(), &OpenOptions::default()).unwrap();
        let served = [1, 2, 3].map(|id| growing.track_of_file(FileId::new(id)).is_some());
        assert_eq!(served, [true, false, true]);
        let (_, lengths) = tracks[2].fragment(0, SECOND);
        growing.add(FileId::new(3), 0, SECOND, 100, lengths).unwrap();
        assert!(growing.add(FileId::new(2), 0, SECOND, 100, lengths).is_err());
        let shown = growing.snapshot(None, 1);
        let names: Vec<_> = shown.files().iter().skip(1).collect();
        assert!(names.into_iter().eq(files.iter().map(|file| &file.name)));
        let sources = shown.streams().iter().flat_map(|of| of.tracks()).map(|of| of.source());
        let mut sources: Vec<_> = sources.map(|source| source.unwrap().0.index()).collect();
        sources.sort_unstable();
        assert_eq!(sources, [1, 3]);
        // The track gets a file behind the others.
        let growing = growing.with_files(vec![tracks[1].file()]).unwrap();
        assert!(growing.track_of_file(FileId::new(4)).is_some());
        files.iter_mut().for_each(|file| file.first = Bytes::new());
        assert!(Growing::open(&name, files, &OpenOptions::default()).is_err());
    }
}
