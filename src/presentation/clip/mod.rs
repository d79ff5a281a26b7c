//! Clips: a part of a presentation by time, as its manifests show it.
//!
//! A clip is a presentation that shares everything with the whole but the ends of its timelines. Its
//! chunks have the times and the URLs that they have in the whole, so that fragments are asked of that.

mod bounds;
mod film;
mod listable;
mod times;

use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;

use self::bounds::Bounds;
use self::listable::Shown;
pub(crate) use self::times::{ClipTime, ClipTimes};
use super::client_manifest::ClientManifestText;
use super::fragment_files::FragmentFiles;
use super::grown::Grown;
use super::messages::Message;
use super::representation_map::{RepresentationMap, TextBudget};
use super::stream::{Media, StoredTrack};
use super::validator::ContentHash;
use super::{Ended, Live, ManifestSource, Presentation, Stream, Track, Window};
use crate::base::{Error, ErrorKind};
use crate::index::Fragments;

/// The properties that only a clip has.
#[derive(Debug)]
pub(super) struct Clip {
    bounds: Bounds,
    /// The times as a query has them.
    #[cfg_attr(not(feature = "hls"), allow(dead_code, reason = "playlists of HLS name others"))]
    query: Box<str>,
    /// The client manifest of a film.
    film: Result<Bytes, ErrorKind>,
}

/// Bytes of the texts that are kept with a clip, as long as that is kept: clients choose its times.
const TEXTS: usize = 2 << 20;

impl Presentation {
    /// Returns the part of it that manifests show for these times: all chunks that overlap them.
    ///
    /// A part of a live event is live until the event has reached its end. If its start is dropped before, it goes on
    /// with what is left. It has no more chunks than DASH and HLS list, as the whole event.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] for an end that is not behind the start; [`ErrorKind::NotYet`] if a live
    /// event has nothing of the times yet; [`ErrorKind::NoSuchTime`] if there is nothing, or if chunks at the start
    /// were dropped and the event has gone on for more than a minute behind the end; [`ErrorKind::NotServed`] for a live
    /// folder.
    pub(crate) fn clip(&self, times: &ClipTimes) -> Result<Self, Error> {
        let failed = |kind| Error::request("times of the manifest", kind);
        if self.is_live && self.live().is_none() {
            return Err(failed(ErrorKind::NotServed("a part of a live folder")));
        }
        let bounds = Bounds::of(self, times).map_err(failed)?;
        let Shown { chunks, is_cut } = bounds.shown(self);
        let streams: Vec<Stream> =
            self.streams.iter().zip(chunks).map(|(of, chunks)| stream(of, chunks)).collect();
        let counts = bounds::counts(self);
        if !streams.iter().any(|of| counts(&of)) {
            return Err(failed(bounds.none()));
        }
        let live = self
            .live()
            .filter(|_| !bounds.is_over)
            .map(|live| Live { window: live.window.filter(|_| !bounds.has_start), ..live.clone() });
        let messages = self.messages.iter().filter(|of| bounds.overlaps(of.time));
        let is_bounded = self.grown.as_ref().is_some_and(|grown| grown.is_bounded || is_cut);
        let hash = hash((self.content, is_bounded), live.as_ref(), &streams, messages);
        let grown = self.grown.as_ref().map(|grown| {
            Box::new(Grown {
                content: hash,
                event: Arc::clone(&grown.event),
                epoch: grown.epoch,
                // Times of DASH count from there, while the clip is live and when it has ended. The first chunks may
                // begin earlier, each at another time, and may come at different times.
                begin: bounds.begin.unwrap_or(grown.begin),
                is_bounded,
                live: live.clone(),
            })
        });
        let ended = self.ended.map(|ended| Ended { begin: bounds.begin.or(ended.begin), ..ended });
        let clip = Clip {
            bounds,
            query: times.query.clone(),
            film: match self.is_grown() {
                true => Err(ErrorKind::NoPresentation),
                false => self.manifest().cloned().map_err(|error| error.kind),
            },
        };
        let layout = self.client_manifest.layout();
        let manifest = ClientManifestText::later(ManifestSource::Generated, layout);
        Ok(Self {
            name: self.name.clone(),
            files: self.files.clone(),
            client_manifest: manifest.with_left_out(self.client_manifest.has_left_out()),
            protection: self.protection.clone(),
            content: if grown.is_some() { self.content } else { hash },
            epoch: self.epoch.clone(),
            is_live: live.is_some(),
            grown,
            ended,
            messages: Arc::clone(&self.messages),
            is_folder: self.is_folder,
            findings: Vec::new(),
            kept: RepresentationMap::new(TextBudget::new(TEXTS)),
            late: Arc::clone(&self.late),
            walked: Vec::new(),
            trails: Mutex::default(),
            lying: Mutex::default(),
            limits: self.limits.clone(),
            #[cfg(any(feature = "dash", feature = "hls"))]
            segmented: self.segmented.of_clip(&streams),
            heads: OnceLock::new(),
            clips: OnceLock::new(),
            whole: self.whole,
            streams,
            clip: Some(Box::new(clip)),
        })
    }

    /// Returns the query that URLs of further manifests need.
    #[cfg(feature = "hls")]
    pub(crate) fn clip_query(&self) -> Option<&str> {
        self.clip.as_ref().map(|clip| &*clip.query)
    }

    /// Returns whether its beginning was asked for.
    #[cfg(feature = "hls")]
    pub(crate) fn has_chosen_start(&self) -> bool {
        self.clip.as_ref().is_some_and(|clip| clip.bounds.has_start)
    }

    /// Returns how much later than at the live edge it is shown, in ticks of 100 ns.
    #[cfg(feature = "dash")]
    pub(crate) fn delay(&self) -> u64 {
        self.clip.as_ref().map_or(0, |clip| clip.bounds.delay)
    }
}

/// Returns the hash of what the manifests of a clip stand for. If the clip has ended, it is the same in all
/// snapshots; until then, manifests say when they were published.
fn hash<'a>(
    (content, is_bounded): (u128, bool),
    live: Option<&Live>,
    streams: &[Stream],
    messages: impl Iterator<Item = &'a Message>,
) -> u128 {
    let mut hash = ContentHash::new("clip");
    hash.part(Some(&content.to_be_bytes()));
    hash.number(is_bounded.into());
    hash.number(live.map_or(0, |live| 1 + u64::from(live.look_ahead)));
    if let Some(live) = live {
        hash.part(Some(&live.published.as_nanos().to_be_bytes()));
        let window = live.window.map(|window| window.as_nanos().to_be_bytes());
        hash.part(window.as_ref().map(|window| &window[..]));
    }
    for stream in streams {
        hash.number(stream.window.dropped);
        // The target duration of HLS is that of the whole.
        hash.number(stream.window.longest);
        // Those of which everything has left the window are not listed.
        stream.tracks.iter().for_each(|track| hash.number(track.is_served().into()));
        hash.number(stream.timeline.len() as u64);
        for (start, duration) in stream.timeline.iter() {
            hash.number(start);
            hash.number(duration);
        }
    }
    for message in messages {
        hash.number(message.time);
        hash.part(Some(&message.payload));
    }
    hash.finish()
}

/// Returns a stream with these chunks. Its tracks have no fragments: nobody asks a clip for one.
fn stream(of: &Stream, chunks: Range<usize>) -> Stream {
    let dropped = chunks.start;
    Stream {
        kind: of.kind,
        name: of.name.clone(),
        label: of.label.clone(),
        language: of.language.clone(),
        timescale: of.timescale,
        timeline: of.timeline.with_first(chunks.end).without_first(dropped),
        tracks: of.tracks.iter().map(without_fragments).collect(),
        subtype: of.subtype.clone(),
        parent: of.parent.clone(),
        scheme: of.scheme.clone(),
        role: of.role,
        window: Window {
            dropped: of.window.dropped.saturating_add(dropped as u64),
            hidden: 0,
            fillers: of.window.fillers.saturating_add(fillers_before(of, dropped)),
            ..of.window
        },
    }
}

/// Returns the number of segments that fill the gaps behind the first chunks of a stream of an event.
#[cfg(any(feature = "dash", feature = "hls"))]
fn fillers_before(of: &Stream, count: usize) -> u64 {
    let before = of.timeline.segments().take_while(|segment| segment.chunk < count);
    before.map(|segment| segment.fillers(of)).sum()
}

#[cfg(not(any(feature = "dash", feature = "hls")))]
fn fillers_before(_: &Stream, _: usize) -> u64 {
    0
}

fn without_fragments(of: &Track) -> Track {
    let media = match &of.media {
        Media::Stored(stored) => Media::Stored(Box::new(StoredTrack {
            file: stored.file,
            track_id: stored.track_id,
            timescale: stored.timescale,
            shift: stored.shift,
            defaults: stored.defaults,
            fragments: Fragments::default(),
            is_growing: false,
            joined: stored.joined,
            made: stored.made.clone(),
            header_chunk: stored.header_chunk.clone(),
            entry: stored.entry.clone(),
            more_entries: stored.more_entries.clone(),
            language: stored.language,
            durations: stored.durations,
            #[cfg(any(feature = "dash", feature = "hls"))]
            growth: stored.growth,
            is_settled: true,
            is_time_told: true.into(),
        })),
        Media::Files(files) => {
            let folder = files.folder().clone();
            Media::Files(Box::new(FragmentFiles::new(folder, ("", ""), Vec::new())))
        }
        Media::Absent(absent) => Media::Absent(*absent),
    };
    Track {
        kind: of.kind,
        bitrate: of.bitrate,
        attributes: of.attributes.clone(),
        media,
        description: of.description.clone(),
        pixel_aspect: of.pixel_aspect.clone(),
    }
}
