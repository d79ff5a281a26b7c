//! A snapshot of a presentation to which chunks are added.

use std::sync::Arc;

use bytes::Bytes;

use super::representation_map::RepresentationMap;
#[cfg(feature = "live")]
use super::representation_map::TextBudget;
#[cfg(any(feature = "dash", feature = "hls"))]
use super::segmented::TracksLeftOut;
use super::stream::Media;
use super::validator::ContentHash;
#[cfg(any(feature = "dash", feature = "hls"))]
use super::{Date, Moment};
use super::{Live, Located, Presentation, Stream, Validator};
#[cfg(any(feature = "dash", feature = "hls"))]
use crate::base::Timescale;
use crate::base::{ErrorKind, FileId, Limits, piece};
use crate::fragment::{Lengths, Noun};
use crate::manifest::{Chunk, ClientManifest, Layout, QualityLevel, StreamIndex, StreamKind};

/// The properties that only such a snapshot has.
#[derive(Debug)]
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events make snapshots"))]
pub(super) struct Grown {
    /// `None` if the event has ended.
    pub(super) live: Option<Live>,
    /// Hash of what the manifests' validators stand for.
    pub(super) content: u128,
    pub(super) event: Arc<GrownEvent>,
    /// See [`Live::epoch`].
    #[cfg_attr(not(any(feature = "dash", feature = "hls")), allow(dead_code))]
    pub(super) epoch: i64,
    /// Start of the first chunk of the event, in ticks of 100 ns: manifests of DASH count from it.
    #[cfg_attr(not(feature = "dash"), allow(dead_code))]
    pub(super) begin: u64,
    /// A snapshot of the event had a window: chunks leave it for good.
    pub(super) is_bounded: bool,
}

/// The properties that all snapshots of an event share, as long as no track is added.
#[derive(Debug)]
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events make snapshots"))]
pub(super) struct GrownEvent {
    /// Hash of the event and the header of each file, by file. The server manifest has none.
    pub(super) heads: Box<[u128]>,
    /// The client manifest without chunks.
    pub(super) manifest: ClientManifest,
    /// For each stream of the manifest, its number in the presentation.
    pub(super) streams: Box<[usize]>,
    /// Initialization segments of its tracks.
    #[cfg_attr(not(any(feature = "dash", feature = "hls")), allow(dead_code))]
    pub(super) headers: RepresentationMap<Bytes>,
    /// The reasons why its tracks are left out of manifests of DASH and HLS.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(super) left_out: TracksLeftOut,
}

impl Grown {
    /// Returns bytes of memory that it takes outside of itself.
    pub(super) fn memory(&self) -> usize {
        let GrownEvent { heads, manifest, streams, .. } = &*self.event;
        let event = piece(2 * size_of::<usize>() + size_of::<GrownEvent>());
        let protection =
            manifest.protection.iter().map(|of| size_of_val(of) + piece(of.data.len()));
        event
            + piece(size_of_val(&**heads))
            + piece(size_of_val(&**streams))
            + protection.sum::<usize>()
            + manifest.streams.iter().map(memory_of_stream).sum::<usize>()
    }
}

fn memory_of_stream(index: &StreamIndex) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, |text| piece(text.len()));
    let texts = [
        &index.subtype,
        &index.name,
        &index.language,
        &index.parent,
        &index.four_cc,
        &index.scheme,
        &index.url,
    ];
    let of_quality = |of: &QualityLevel| {
        let texts = [&of.four_cc, &of.codec_private_data, &of.wave_format_ex];
        size_of_val(of) + texts.into_iter().map(text).sum::<usize>()
    };
    let qualities = index.qualities.iter().map(of_quality).sum::<usize>();
    size_of_val(index) + qualities + texts.into_iter().map(text).sum::<usize>()
}

impl Presentation {
    /// Returns whether it is a snapshot of an event, which may have ended.
    #[inline]
    pub(crate) fn is_grown(&self) -> bool {
        self.grown.is_some()
    }

    /// Returns whether DASH and HLS have the stored segments alone. Sound that begins with the pictures, and
    /// gaps that are filled, would be other segments than those that were announced while it was live, or than those
    /// of the whole of which it is a part.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn has_only_stored_segments(&self) -> bool {
        self.is_live || self.is_of_event() || self.clip.is_some()
    }

    /// Returns whether it is a snapshot of an event of which nothing leaves, because it never had a window.
    #[cfg(feature = "hls")]
    pub(crate) fn keeps_all(&self) -> bool {
        self.grown.as_ref().is_some_and(|grown| !grown.is_bounded)
    }

    /// Has its texts, and the headers of its event, take of this budget, unless they have taken of their own before.
    #[cfg(feature = "live")]
    pub(crate) fn share_texts(&self, budget: &TextBudget) {
        self.kept.share(budget);
        if let Some(grown) = &self.grown {
            grown.event.headers.share(budget);
        }
    }

    /// Returns the wall time of media of time 0, in ticks of 100 ns since 1970; 0 for a film that was no event.
    pub(super) fn live_epoch(&self) -> i64 {
        let of_film = || self.ended.map_or(0, |ended| ended.epoch);
        self.grown.as_ref().map_or_else(of_film, |grown| grown.epoch)
    }

    /// Returns the wall time of a moment: ticks of 100 ns since 1970. Times of a film that was no event count from
    /// 1970.
    #[cfg(feature = "hls")]
    pub(crate) fn date_of(&self, moment: Moment) -> Date {
        self.date_after(moment, 0)
    }

    #[cfg(any(feature = "dash", feature = "hls"))]
    fn date_after(&self, moment: Moment, ticks: u64) -> Date {
        let epoch = self.live_epoch();
        let moment = moment.rescaled_floor(Timescale::SMOOTH);
        Date::new(i128::from(moment) + i128::from(ticks) + i128::from(epoch))
    }

    /// Returns the wall time at which players show a moment that is live: later than it was if they asked for a
    /// delay.
    #[cfg(feature = "dash")]
    pub(crate) fn shown_at(&self, moment: Moment) -> Date {
        self.date_after(moment, self.delay())
    }

    /// Returns the moment from which times of an event count in a manifest of DASH. `None` for a film that was no
    /// event.
    #[cfg(feature = "dash")]
    pub(crate) fn event_begins(&self) -> Option<Moment> {
        let of_film = || self.ended.and_then(|ended| ended.begin);
        let ticks = self.grown.as_ref().map(|grown| grown.begin).or_else(of_film)?;
        Some(Moment { ticks, timescale: Timescale::SMOOTH })
    }

    /// Writes the manifest of a snapshot.
    ///
    /// # Errors
    /// [`ErrorKind::NotYet`] if there is no chunk to announce, because some players fail at a manifest
    /// without any.
    #[cold]
    pub(super) fn grown_manifest(&self) -> Result<Bytes, ErrorKind> {
        let grown = self.grown.as_ref().ok_or(ErrorKind::NoPresentation)?;
        let layout = self.client_manifest.layout();
        let live = grown.live.as_ref();
        let mut text = grown.event.write(&self.streams, live, layout, &self.limits)?;
        text.shrink_to_fit();
        Ok(Bytes::from(text))
    }

    /// Returns the validator of a part of a fragment of a snapshot: equal in all snapshots of the event,
    /// and wherever the same encoder pushes the same, wherever the fragment is stored there.
    #[cold]
    pub(super) fn grown_validator(
        &self,
        (file, track_id): (FileId, u32),
        time: u64,
        lengths: Lengths,
        noun: Noun,
    ) -> Validator {
        let heads = self.grown.as_ref().map_or(&[][..], |grown| &grown.event.heads);
        let head = heads.get(file.index()).copied().unwrap_or(0);
        let mut hash = ContentHash::new("");
        [time, lengths.moof, lengths.len].into_iter().for_each(|number| hash.number(number));
        // Half of it is enough among the fragments of a track.
        let mark = hash.finish() as u64;
        self.client_manifest.validator(head).of_fragment(track_id, mark, noun)
    }

    /// Returns the start of a chunk, in ticks of the stream.
    #[cold]
    pub(super) fn time_of(&self, at: Located) -> u64 {
        self.stream_of(at).timeline.chunk(at.chunk).map_or(0, |(start, _)| start)
    }
}

impl GrownEvent {
    /// Writes a client manifest with the chunks that are announced. Streams without any are left out.
    fn write(
        &self,
        streams: &[Stream],
        live: Option<&Live>,
        layout: Layout,
        limits: &Limits,
    ) -> Result<String, ErrorKind> {
        let mut manifest = self.manifest.clone();
        // Captions may begin long before all others, and end long after them: they count if there is nothing else.
        let (mut begin, mut end) = ((true, u64::MAX), (false, 0));
        let indexes = std::mem::take(&mut manifest.streams);
        for (mut index, &number) in indexes.into_iter().zip(&self.streams) {
            let Some(stream) = streams.get(number) else { continue };
            index.chunks = stream.chunks();
            // Those of which everything has left the window.
            index.qualities.retain(|quality| {
                let mut of = stream.tracks.iter().filter(|track| track.bitrate == quality.bitrate);
                of.all(|track| !matches!(track.media, Media::Absent(_)))
            });
            let announced = stream.timeline.chunk(stream.window.hidden);
            let Some((first, _)) = announced.filter(|_| !index.qualities.is_empty()) else {
                continue;
            };
            let scale = manifest.timescale();
            let rescaled = |ticks| stream.timescale.rescale_round(ticks, scale).unwrap_or(0);
            let is_text = stream.kind == StreamKind::Text;
            begin = begin.min((is_text, rescaled(first)));
            end = end.max((!is_text, rescaled(stream.timeline.end())));
            manifest.streams.push(index);
        }
        if manifest.streams.is_empty() {
            return Err(ErrorKind::NotYet);
        }
        let names: Vec<_> =
            manifest.streams.iter().map(|index| index.name().to_lowercase()).collect();
        for index in &mut manifest.streams {
            // A player would look for the stream.
            index.parent = index.parent.take().filter(|of| names.contains(&of.to_lowercase()));
        }
        match live {
            None => manifest.duration = end.1.saturating_sub(begin.1),
            Some(live) => {
                let window = live.window.map_or(0, |window| window.as_nanos() / 100);
                manifest.duration = 0;
                manifest.is_live = Some(true);
                // The specification's name, and the one that servers write.
                manifest.lookahead_count = Some(live.look_ahead);
                manifest.look_ahead_fragment_count = Some(live.look_ahead);
                manifest.dvr_window_length = Some(u64::try_from(window).unwrap_or(u64::MAX));
                manifest.can_seek = Some(true);
                manifest.can_pause = Some(true);
            }
        }
        manifest.to_xml(layout, limits).map_err(|error| error.kind)
    }
}

impl Stream {
    /// Returns the chunks that are announced, equal ones as one.
    fn chunks(&self) -> Vec<Chunk> {
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut next = None;
        for (start, duration) in self.timeline.iter().skip(self.window.hidden) {
            match chunks.last_mut() {
                Some(last) if next == Some(start) && last.duration == Some(duration) => {
                    let count = last.repeat.map_or(1, std::num::NonZeroU64::get);
                    last.repeat = std::num::NonZeroU64::new(count + 1);
                }
                _ => chunks.push(Chunk {
                    time: Some(start),
                    duration: Some(duration),
                    ..Chunk::default()
                }),
            }
            next = Some(start.saturating_add(duration));
        }
        chunks
    }
}

/// Returns the hash of the header of a file, for validators.
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events make snapshots"))]
pub(super) fn hash_of_head(epoch: &str, head: &Bytes) -> u128 {
    let mut hash = ContentHash::new(epoch);
    hash.part(Some(head));
    hash.finish()
}

/// Returns the hash of all headers, in any order, for the validators of what they all determine.
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events make snapshots"))]
pub(super) fn hash_of_heads(epoch: &str, heads: &[u128]) -> u128 {
    let mut heads = heads.to_vec();
    heads.sort_unstable();
    let mut hash = ContentHash::new(epoch);
    heads.iter().for_each(|head| hash.part(Some(&head.to_be_bytes())));
    hash.finish()
}

/// The id of the file at this place of a list that begins behind the server manifest.
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events make snapshots"))]
pub(super) fn file_id(place: usize) -> FileId {
    FileId::new(u32::try_from(place + 1).unwrap_or(u32::MAX))
}
