//! A presentation to which chunks are added: the model of a live event.
//!
//! Its tracks are opened by the ordinary opening, of files in memory that have a header and one fragment
//! ([`template`]). So streams, names, bitrates and codecs are those that the same files have as a film. A
//! [snapshot](Growing::snapshot) is this template with the chunks that were added. It shares all blocks of
//! timelines and fragments with the snapshots before, except for the first and the last.

mod declared;
#[cfg(test)]
pub(crate) mod samples;
mod stand_in;
mod stream;
mod template;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;

pub(crate) use self::stand_in::has_captions;
use self::stream::GrowingStream;
use self::template::Template;
use super::finding::Findings;
use super::grown::{Grown, GrownEvent, file_id, hash_of_head, hash_of_heads};
use super::messages::{self, Message, Scheme};
#[cfg(any(feature = "dash", feature = "hls"))]
use super::segmented::{Reported, Segmented, TracksLeftOut};
use super::stream::Media;
use super::validator::ContentHash;
use super::{Finding, Live, OpenOptions, Presentation, RepresentationMap, Role, Stream};
use crate::base::{Error, ErrorKind, FileId, Limits, Name};
use crate::fragment::Lengths;
use crate::manifest::{ServerManifest, ServerTrack, StreamKind};
use crate::presentation::ManifestSource;
use crate::presentation::client_manifest::ClientManifestText;

/// A file to which fragments of one track are added.
#[derive(Clone, Debug)]
pub(crate) struct GrowingFile {
    pub(crate) name: Name,
    /// The track as a server manifest has it, with `src` and `trackID`.
    pub(crate) server: ServerTrack,
    /// `ftyp` and `moov`, with which the file begins.
    pub(crate) head: Bytes,
    /// The first fragment of the track: `moof` and `mdat`. Captions in the clear can be opened without one: then it is
    /// empty.
    pub(crate) first: Bytes,
}

/// A presentation to which chunks are added.
#[derive(Debug)]
pub(crate) struct Growing {
    name: Name,
    options: OpenOptions,
    files: Vec<GrowingFile>,
    /// For each file, whether its encoder gave its stream a name.
    named: Vec<bool>,
    server: ServerManifest,
    template: Template,
    event: Arc<GrownEvent>,
    /// One for each stream of the template.
    streams: Vec<GrowingStream>,
    /// Fragments of all tracks.
    fragments: u64,
    /// Start of the first chunk that a snapshot had, in ticks of 100 ns.
    begin: Option<u64>,
    /// Chunks that end at or before this time were dropped, in ticks of 100 ns.
    dropped_before: u64,
    /// See [`Grown::is_bounded`].
    is_bounded: bool,
    /// See [`Live::epoch`].
    epoch: i64,
    messages: Arc<Vec<Message>>,
    /// Findings of answering.
    late: Arc<Mutex<Findings>>,
    #[cfg(any(feature = "dash", feature = "hls"))]
    reported: Arc<Reported>,
}

impl Growing {
    /// Opens the tracks of these files. There is no chunk yet. The server manifest has the id 0, and the
    /// files have the ids from 1.
    ///
    /// [`OpenOptions::epoch`] is a part of all validators, and has to be another one for another event
    /// whose fragments have the same names.
    ///
    /// # Errors
    /// [`ErrorKind::NothingToServe`] and others if no track can be served;
    /// [`ErrorKind::Invalid`] if two files have one name.
    pub(crate) fn open(
        name: &Name,
        files: Vec<GrowingFile>,
        options: &OpenOptions,
    ) -> Result<Self, Error> {
        let template = Template::open(name, &files, options)?;
        let (streams, named) = (template.growing(), named(&files));
        let late = Arc::new(Mutex::new(Findings::new(&options.limits)));
        Self::of(name.clone(), options.clone(), (files, named), template, streams, late)
    }

    /// Returns the same with further files behind the others. Chunks and fragments stay, and so do the
    /// names of streams and the bitrates of tracks. Numbers of streams and tracks may change.
    ///
    /// # Errors
    /// As [`open`](Self::open); [`ErrorKind::Invalid`] if a stream of the new files would take the name of
    /// another one.
    pub(crate) fn with_files(&self, more: Vec<GrowingFile>) -> Result<Self, Error> {
        let named: Vec<bool> = self.named.iter().copied().chain(named(&more)).collect();
        let mut files: Vec<_> = self.files.iter().cloned().chain(more).collect();
        let mut template = Template::open(&self.name, &files, &self.options)?;
        if template.join_streams(&mut files, &named, self.files.len()) {
            template = Template::open(&self.name, &files, &self.options)?;
        }
        let mut streams = template.growing();
        for (place, &(stream, track)) in with_places(&self.template.places) {
            let old = &self.template.streams()[stream];
            let of = template.places[place].map(|at| {
                let new = &template.streams()[at.0];
                let is_same =
                    new.name == old.name && new.tracks[at.1].bitrate == old.tracks[track].bitrate;
                (at.0, at.1, is_same)
            });
            let Some((to_stream, to_track, true)) = of else {
                let what = format!("a track beside which {} has another name", files[place].name);
                return Err(invalid(what));
            };
            let of = &self.streams[stream];
            streams[to_stream].timeline = of.timeline.clone();
            streams[to_stream].window = of.window;
            streams[to_stream].tracks[to_track] = of.tracks[track].clone();
        }
        let late = Arc::clone(&self.late);
        let (name, options) = (self.name.clone(), self.options.clone());
        let all = Self::of(name, options, (files, named), template, streams, late)?;
        let messages = Arc::clone(&self.messages);
        let (begin, epoch, fragments) = (self.begin, self.epoch, self.fragments);
        let (dropped_before, is_bounded) = (self.dropped_before, self.is_bounded);
        Ok(Self { begin, dropped_before, is_bounded, epoch, fragments, messages, ..all })
    }

    fn of(
        name: Name,
        options: OpenOptions,
        (mut files, named): (Vec<GrowingFile>, Vec<bool>),
        mut template: Template,
        streams: Vec<GrowingStream>,
        late: Arc<Mutex<Findings>>,
    ) -> Result<Self, Error> {
        template.declare(&mut files);
        let mut server = ServerManifest::default();
        server.tracks = files.iter().map(|file| file.server.clone()).collect();
        let heads = files.iter().map(|file| hash_of_head(&options.epoch, &file.head));
        let (manifest, numbers) = template.manifest(&files, &options.limits)?;
        let event = Arc::new(GrownEvent {
            heads: std::iter::once(0).chain(heads).collect(),
            manifest,
            streams: numbers.into(),
            headers: RepresentationMap::new(options.text_budget.clone()),
            #[cfg(any(feature = "dash", feature = "hls"))]
            left_out: TracksLeftOut::of(template.streams()),
        });
        Ok(Self {
            name,
            options,
            files,
            named,
            server,
            template,
            event,
            streams,
            fragments: 0,
            begin: None,
            dropped_before: 0,
            is_bounded: false,
            epoch: 0,
            messages: Arc::default(),
            late,
            #[cfg(any(feature = "dash", feature = "hls"))]
            reported: Arc::default(),
        })
    }

    /// Returns the numbers of the stream and the track of a file. `None` if the track cannot be served:
    /// [`findings`](Self::findings) say why.
    pub(crate) fn track_of_file(&self, file: FileId) -> Option<(usize, usize)> {
        *self.template.places.get(file.index().checked_sub(1)?)?
    }

    /// Returns the findings of opening the tracks.
    pub(crate) fn findings(&self) -> &[Finding] {
        self.template.findings()
    }

    /// Returns the server manifest with which the files are the same presentation: each track declares
    /// the name of its stream and its bitrate.
    pub(crate) fn server_manifest(&self) -> &ServerManifest {
        &self.server
    }

    /// Returns the files, in the order of their ids.
    #[cfg(test)]
    pub(crate) fn files(&self) -> &[GrowingFile] {
        &self.files
    }

    /// Adds the fragment of a track that begins at byte `start` of its file. Its chunk is a new one if it
    /// is later than all others of the stream. Times are in ticks of the track.
    ///
    /// # Errors
    /// [`ErrorKind::NoTrack`] if the file has no track that is served; [`ErrorKind::NoFragment`] if no
    /// chunk of the stream begins then, and later ones do; [`ErrorKind::Invalid`] if it is not later
    /// than the one before it of its track, or not behind it in the file; [`ErrorKind::Budget`] beyond
    /// [`Limits::fragments`] or [`Limits::chunks`].
    pub(crate) fn add(
        &mut self,
        file: FileId,
        time: u64,
        duration: u64,
        start: u64,
        lengths: Lengths,
    ) -> Result<(), Error> {
        let (stream, track) = self.track_of_file(file).ok_or(ErrorKind::NoTrack)?;
        let limits = &self.options.limits;
        Limits::check("fragments of a live presentation", self.fragments + 1, limits.fragments)?;
        self.streams[stream].add(track, (time, duration), start, lengths, limits)?;
        self.fragments += 1;
        Ok(())
    }

    /// Sets the start of the first chunk that a snapshot had, in ticks of 100 ns, if another process made it.
    pub(crate) fn begins_at(&mut self, begin: u64) {
        self.begin = Some(begin);
    }

    /// Sets the start of the first chunk that players are told, if it is not known yet. Captions and commands may be far
    /// from what is live: they count if there is nothing else.
    pub(crate) fn begin_now(&mut self) {
        let streams = self.template.presentation().streams.iter().zip(&self.streams);
        let begins = streams
            .filter_map(|(of, growing)| Some((of.kind == StreamKind::Text, growing.begin()?)));
        self.begin = self.begin.or(begins.min().map(|(_, begin)| begin));
    }

    /// Returns the start of the first chunk that a snapshot had, in ticks of 100 ns.
    pub(crate) fn begin(&self) -> Option<u64> {
        self.begin
    }

    /// Adds the messages that a fragment of a stream of events has. `time` is in ticks of the track.
    pub(crate) fn add_messages(&mut self, file: FileId, time: u64, fragment: &Bytes, of: Lengths) {
        let Some((stream, _)) = self.track_of_file(file) else { return };
        let stream = &self.template.presentation().streams[stream];
        let server = file.index().checked_sub(1).and_then(|place| self.files.get(place));
        let Some(scheme) = server.and_then(|file| Scheme::of_track(&file.server)) else { return };
        let byte = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(fragment.len());
        let samples = fragment.slice(byte(of.payload).min(byte(of.len))..byte(of.len));
        let found = scheme.messages(&samples, time, stream.timescale);
        if !found.is_empty() {
            messages::add(Arc::make_mut(&mut self.messages), found);
        }
    }

    /// Drops the chunks of all streams that end at or before this time, in ticks of 100 ns. The last
    /// chunk of a stream stays, because no player expects a stream without any; a stream of which nothing else is
    /// left is [over](Self::over). Returns for each file the first byte that is still needed, of those behind its header.
    pub(crate) fn drop_before(&mut self, time: u64) -> Vec<(FileId, u64)> {
        self.dropped_before = self.dropped_before.max(time);
        for stream in &mut self.streams {
            self.fragments -= stream.drop_before(time);
        }
        let needed = |(place, &(stream, track)): (usize, &(usize, usize))| {
            (file_id(place), self.streams[stream].tracks[track].needed())
        };
        with_places(&self.template.places).map(needed).collect()
    }

    /// Returns the latest end of a stream, in ticks of 100 ns. Captions may end long after they begin: they
    /// count if there is nothing else.
    fn end(&self) -> u64 {
        let streams = self.template.presentation().streams.iter().zip(&self.streams);
        let ends = streams.map(|(of, growing)| (of.kind() != StreamKind::Text, growing.end()));
        ends.max().map_or(0, |(_, end)| end)
    }

    /// Returns the presentation as it is now: live, or a film if the event has ended. No other snapshot
    /// of the event has this `number`.
    ///
    /// Manifests announce the last chunks of the length of [`Live::window`]. The chunks before them are
    /// still served until they are [dropped](Self::drop_before). A chunk that was not announced once is
    /// not announced again, and neither in the film.
    pub(crate) fn snapshot(&mut self, live: Option<Live>, number: u64) -> Presentation {
        if let Some(live) = &live {
            self.epoch = live.epoch;
            self.is_bounded |= live.window.is_some();
            if let Some(window) = live.window {
                let ticks = u64::try_from(window.as_nanos() / 100).unwrap_or(u64::MAX);
                let from = self.end().saturating_sub(ticks);
                self.streams.iter_mut().for_each(|stream| stream.hide_before(from));
            }
            #[cfg(any(feature = "dash", feature = "hls"))]
            self.hide_many();
        }
        self.begin_now();
        let streams = self.streams(live.is_some());
        let template = self.template.presentation();
        let heads = &self.event.heads;
        let content = hash_of_heads(&self.options.epoch, &heads[1..]);
        let limits = self.options.limits.clone();
        let source = ManifestSource::Generated;
        let manifest = ClientManifestText::later(source, self.options.layout);
        Presentation {
            whole: template.whole,
            #[cfg(any(feature = "dash", feature = "hls"))]
            segmented: Segmented::growing(&streams, &self.reported),
            heads: OnceLock::new(),
            clips: OnceLock::new(),
            name: self.name.clone(),
            files: template.files.clone(),
            client_manifest: manifest.with_left_out(template.client_manifest.has_left_out()),
            protection: template.protection.clone(),
            content,
            epoch: template.epoch.clone(),
            is_live: live.is_some(),
            is_folder: false,
            findings: template.findings.clone(),
            kept: RepresentationMap::new(self.options.text_budget.clone()),
            late: Arc::clone(&self.late),
            // The places of fragments are known: no walk would find others.
            walked: (0..self.files.len()).map(file_id).collect(),
            trails: Mutex::default(),
            lying: Mutex::default(),
            limits,
            ended: None,
            clip: None,
            messages: Arc::clone(&self.messages),
            grown: Some(Box::new(Grown {
                content: self.hash(content, number, live.as_ref(), &streams),
                live,
                event: Arc::clone(&self.event),
                epoch: self.epoch,
                begin: self.begin.unwrap_or(0),
                is_bounded: self.is_bounded,
            })),
            streams,
        }
    }
}

impl Growing {
    fn streams(&self, is_live: bool) -> Vec<Stream> {
        let over = self.over();
        let longest = self.longest_of(&over);
        let streams = self.template.streams().iter().zip(&self.streams).zip(&over);
        let streams = streams.map(|((of, growing), &is_over)| {
            let mut stream = growing.stream(of, is_live, is_over);
            if of.kind != StreamKind::Text && !is_over {
                let of_others = longest.and_then(|growing| growing.longest(of.timescale));
                stream.window.longest = stream.window.longest.max(of_others.unwrap_or(0));
            }
            stream
        });
        streams.collect()
    }

    /// Returns which streams are over: all that they had was dropped, while others go on. A player could choose
    /// such a stream, and would wait for it. It is there again with its next fragment.
    ///
    /// Sound is over if pictures or other sound go on. Pictures are over if other pictures do: whoever reads what there
    /// is while they are away would never show any. A stream goes on if a chunk begins behind what was dropped: a wrong
    /// duration alone ends no other stream. The times alone say it, so that all who have the same fragments have the
    /// same streams.
    fn over(&self) -> Vec<bool> {
        let streams = || self.template.streams().iter().zip(&self.streams);
        let is_main = |of: &Stream| match of.kind {
            StreamKind::Video => of.role() != Role::Supplementary,
            StreamKind::Audio => true,
            StreamKind::Text => false,
        };
        let goes_on = |kinds: &[StreamKind]| {
            let mut of_kinds = streams().filter(|(of, _)| is_main(of) && kinds.contains(&of.kind));
            of_kinds.any(|(_, growing)| growing.last_begin() > Some(self.dropped_before))
        };
        let pictures = goes_on(&[StreamKind::Video]);
        let any = goes_on(&[StreamKind::Video, StreamKind::Audio]);
        let is_over = |(of, growing): (&Stream, &GrowingStream)| {
            let others = match of.kind {
                StreamKind::Video => pictures,
                StreamKind::Audio => any,
                StreamKind::Text => false,
            };
            others && growing.begin().is_some() && growing.end() <= self.dropped_before
        };
        streams().map(is_over).collect()
    }

    /// Returns that of the streams that are over which had the longest chunk. The others count it as theirs: the target
    /// duration of HLS does not change (RFC 8216, 6.2.1).
    fn longest_of(&self, over: &[bool]) -> Option<&GrowingStream> {
        let over = self.streams.iter().zip(over).filter(|(_, is_over)| **is_over);
        over.map(|(growing, _)| growing).max_by(|one, other| one.cmp_longest(other))
    }

    /// Hides the first chunks of streams that have more than DASH and HLS list, and what others have until then: a
    /// stream that was listed must not go while players show it.
    #[cfg(any(feature = "dash", feature = "hls"))]
    fn hide_many(&mut self) {
        let limits = &self.options.limits;
        let streams = self.template.presentation().streams.iter().zip(&mut self.streams);
        let until =
            streams.filter_map(|(of, growing)| growing.hide_all_but(of.most_listed(limits)?));
        if let Some(until) = until.max() {
            self.streams.iter_mut().for_each(|stream| stream.hide_before(until));
        }
    }

    /// Returns the hash of what the manifests of a snapshot stand for. An origin that was restarted counts its
    /// snapshots anew.
    fn hash(&self, content: u128, number: u64, live: Option<&Live>, streams: &[Stream]) -> u128 {
        let mut hash = ContentHash::new("");
        self.messages.iter().for_each(|of| hash.number(of.time));
        hash.part(Some(&content.to_be_bytes()));
        hash.number(number);
        if let Some(live) = live {
            hash.part(Some(&live.published.as_nanos().to_be_bytes()));
        }
        for stream in streams {
            hash.number(stream.window.before());
            hash.number(stream.timeline.len() as u64);
            hash.number(stream.timeline.end());
            stream.tracks.iter().for_each(|track| hash.number(track.is_served().into()));
        }
        hash.finish()
    }
}

/// Returns the numbers of the stream and the track of each file that is served.
fn with_places(
    places: &[Option<(usize, usize)>],
) -> impl Iterator<Item = (usize, &(usize, usize))> {
    let places = places.iter().enumerate();
    places.filter_map(|(file, place)| Some((file, place.as_ref()?)))
}

fn named(files: &[GrowingFile]) -> Vec<bool> {
    files.iter().map(|file| file.server.track_name().is_some()).collect()
}

fn invalid(what: impl Into<String>) -> Error {
    ErrorKind::Invalid { what: what.into(), clause: "[MS-SSTR] 2.2.4" }.into()
}
