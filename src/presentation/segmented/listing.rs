//! The streams and tracks that manifests of DASH and HLS list, and the times that they share.

use std::cmp;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use super::rendition::RenditionName;
#[cfg(feature = "live")]
use crate::base::Limits;
use crate::base::{Timescale, piece};
use crate::manifest::StreamKind;
use crate::presentation::finding::{Finding, FindingCode, label};
use crate::presentation::{Presentation, Role, Stream, Track};

/// A time of a stream: ticks of a timescale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) ticks: u64,
    pub(crate) timescale: Timescale,
}

impl Moment {
    /// Returns the moment in ticks of another timescale, rounded to the nearest.
    pub(crate) fn rescaled(self, to: Timescale) -> u64 {
        self.timescale.rescale_round(self.ticks, to).unwrap_or(u64::MAX)
    }

    /// Returns the same, rounded down.
    pub(crate) fn rescaled_floor(self, to: Timescale) -> u64 {
        self.timescale.rescale_floor(self.ticks, to).unwrap_or(u64::MAX)
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == cmp::Ordering::Equal
    }
}

impl Eq for Moment {}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        let scaled = |one: &Self, by: &Self| u128::from(one.ticks) * u128::from(by.timescale.get());
        scaled(self, other).cmp(&scaled(other, self))
    }
}

/// Maximum number of chunks of a stream that is listed. A run of chunks takes no bytes, however long it
/// is.
const MOST_CHUNKS: usize = 500_000;

/// Bytes of a segment in a playlist besides the name of the rendition and its time:
/// `#EXTINF:2.0000000,\n/.m4s\n`.
const PLAYLIST_ENTRY: usize = 25;

/// A stream that manifests list, with the tracks that a player can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Listed<'a> {
    /// Number of the stream.
    pub(crate) number: usize,
    pub(crate) stream: &'a Stream,
    /// Tracks with their numbers in the stream; at least one.
    pub(crate) tracks: Vec<(usize, &'a Track)>,
}

impl Listed<'_> {
    /// Returns the start of the first chunk.
    pub(crate) fn begin(&self) -> Moment {
        self.moment(self.stream.segments().next().map_or(0, |first| first.start))
    }

    /// Returns the end of the last chunk.
    pub(crate) fn end(&self) -> Moment {
        let last = self.stream.segments().last();
        self.moment(last.map_or(0, |last| last.start.saturating_add(last.lasts)))
    }

    fn moment(&self, ticks: u64) -> Moment {
        Moment { ticks, timescale: self.stream.timescale }
    }
}

/// The reason why manifests of DASH and HLS do not list a track that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeftOut {
    /// A stream of events and commands.
    Events,
    /// A stream whose chunks are announced within those of another one.
    Sparse,
    /// Pictures that are shown beside the film.
    OtherPictures,
    /// A stream of more than [`MOST_CHUNKS`].
    ManyChunks,
    /// A stream whose playlist would be longer than a client manifest may be.
    LongPlaylist,
    /// Text in another form than TTML.
    OtherText,
    /// A codec without a name by RFC 6381, or without the configuration that the name depends on.
    Unnamed,
    /// A codec that has a name, and that CMAF does not have.
    Unplayed,
    /// No initialization segment can be written.
    WithoutHeader,
}

/// Codecs that have a name by RFC 6381, and that no player of DASH or HLS decodes.
const UNPLAYED: [&str; 1] = ["vc-1"];

impl LeftOut {
    fn as_str(self) -> &'static str {
        match self {
            Self::Events => "DASH and HLS list no streams of events",
            Self::Sparse => "DASH and HLS list no streams that are announced within another stream",
            Self::OtherPictures => "DASH and HLS list no pictures beside those of the film",
            Self::ManyChunks => "more than 500,000 chunks make a manifest of DASH or HLS too long",
            Self::LongPlaylist => "its playlist would be longer than a manifest may be",
            Self::OtherText => "DASH and HLS list no text but TTML",
            Self::Unnamed => "DASH and HLS have no name for its codec",
            Self::Unplayed => "no player of DASH or HLS decodes its codec",
            Self::WithoutHeader => "no initialization segment can be written for it",
        }
    }
}

/// The reasons why tracks are left out, by stream and track. They are found when a manifest is first
/// written, because parameter sets and sample entries are read for them.
#[derive(Debug, Default)]
pub(super) struct AllLeftOut(OnceLock<Box<[OfStream]>>);

/// The reason for each track of a stream.
type OfStream = Box<[Option<LeftOut>]>;

/// The reasons of the tracks of an event, which all of its snapshots have: the header of a track alone
/// determines them.
#[derive(Debug)]
#[cfg_attr(not(feature = "live"), allow(dead_code, reason = "only events make snapshots"))]
pub(in crate::presentation) struct TracksLeftOut(Box<[OfLasting]>);

/// The reason for each track of a stream, once it is found.
type OfLasting = Box<[OnceLock<Option<LeftOut>>]>;

impl TracksLeftOut {
    /// Creates a place for the reasons of the tracks of these streams.
    #[cfg(feature = "live")]
    pub(in crate::presentation) fn of(streams: &[Stream]) -> Self {
        let of_stream = |of: &Stream| of.tracks.iter().map(|_| OnceLock::new()).collect();
        Self(streams.iter().map(of_stream).collect())
    }

    /// Returns the reason of a track that is served. `find` finds it when it is first asked for.
    fn get(
        &self,
        (stream, track): (usize, usize),
        find: impl FnOnce() -> Option<LeftOut>,
    ) -> Option<LeftOut> {
        match self.0.get(stream).and_then(|tracks| tracks.get(track)) {
            Some(known) => *known.get_or_init(find),
            None => find(),
        }
    }
}

impl AllLeftOut {
    /// Returns bytes of memory that the reasons take once they are found.
    pub(super) fn memory(streams: &[Stream]) -> usize {
        let of_stream = |of: &Stream| piece(of.tracks.len() * size_of::<Option<LeftOut>>());
        let each = piece(streams.len() * size_of::<OfStream>());
        each + streams.iter().map(of_stream).sum::<usize>()
    }
}

impl Presentation {
    /// Returns the streams that manifests of DASH and HLS list, in the order of the presentation.
    ///
    /// Captions of an event are among them before their first fragment comes, once there are pictures or sound: players
    /// read a multivariant playlist once. Their streams have no chunks then.
    ///
    /// A track is listed if its media is served, its codec is one that players know by its name of
    /// RFC 6381, and an initialization segment can be written. Streams of events, sparse streams but
    /// for the captions of an event, pictures beside those of the film, text that is not TTML, and
    /// streams of more than 500,000 chunks are not listed.
    pub(crate) fn listed(&self) -> Vec<Listed<'_>> {
        let left_out = self.left_out();
        let streams = self.streams.iter().zip(left_out).enumerate();
        let has_media =
            || self.streams.iter().any(|of| of.kind != StreamKind::Text && !of.timeline.is_empty());
        let awaits = self.is_grown() && has_media();
        let listed = streams.map(|(number, (stream, left_out))| {
            let tracks = stream.tracks.iter().zip(left_out).enumerate();
            let tracks = tracks.filter(|(_, (track, left_out))| {
                let is_there =
                    !stream.timeline.is_empty() || (awaits && stream.kind == StreamKind::Text);
                track.is_served() && is_there && left_out.is_none()
            });
            let tracks = tracks.map(|(number, (track, _))| (number, track));
            Listed { number, stream, tracks: tracks.collect() }
        });
        listed.filter(|listed| !listed.tracks.is_empty()).collect()
    }

    /// Returns whether manifests of DASH and HLS leave a track out.
    pub(crate) fn is_left_out(&self, stream: usize, track: usize) -> bool {
        let reason = self.left_out().get(stream).and_then(|tracks| tracks.get(track));
        !reason.is_some_and(Option::is_none)
    }

    /// Returns why tracks are left out, by stream and track.
    fn left_out(&self) -> &[OfStream] {
        let of_stream = |(number, stream): (usize, &Stream)| -> OfStream {
            let of_all = self.stream_left_out(stream);
            let of_track = |(track, of): (usize, &Track)| match of.is_served() {
                true => of_all.or_else(|| self.served_left_out((number, track))),
                false => None,
            };
            stream.tracks.iter().enumerate().map(of_track).collect()
        };
        let of_all = || self.streams.iter().enumerate().map(of_stream).collect();
        self.segmented.left_out.0.get_or_init(of_all)
    }

    /// Returns why a track that is served is left out, whatever its stream is. Snapshots of one event find it
    /// once.
    fn served_left_out(&self, (stream, track): (usize, usize)) -> Option<LeftOut> {
        let find = || {
            let of = &self.streams[stream];
            self.track_left_out(of, &of.tracks[track])
        };
        match &self.grown {
            Some(grown) => grown.event.left_out.get((stream, track), find),
            None => find(),
        }
    }

    /// Returns why none of the tracks of a stream is listed, if that is so.
    fn stream_left_out(&self, stream: &Stream) -> Option<LeftOut> {
        // What has left the window of an event is not listed.
        let chunks = stream.timeline.len().saturating_sub(stream.window.hidden);
        let digits = stream.timeline.end().checked_ilog10().unwrap_or(0) as usize + 1;
        let is_long = || {
            let entry = stream.playlist_entry(digits);
            chunks.saturating_mul(entry) as u64 > self.limits.client_manifest
        };
        match stream.role() {
            Role::Metadata => Some(LeftOut::Events),
            _ if stream.parent.is_some() && !self.has_all_chunks_of(stream) => {
                Some(LeftOut::Sparse)
            }
            Role::Supplementary if stream.kind == StreamKind::Video => Some(LeftOut::OtherPictures),
            _ if chunks > MOST_CHUNKS => Some(LeftOut::ManyChunks),
            _ if is_long() => Some(LeftOut::LongPlaylist),
            _ => None,
        }
    }

    /// Returns whether all chunks of a sparse stream are in its timeline: those of the captions of an event are, also
    /// in its film. Elsewhere, its parent may announce others.
    fn has_all_chunks_of(&self, stream: &Stream) -> bool {
        stream.kind == StreamKind::Text && (self.is_grown() || self.ended.is_some())
    }

    fn track_left_out(&self, stream: &Stream, track: &Track) -> Option<LeftOut> {
        let codecs = track.codecs();
        let family = codecs.as_deref().and_then(|codecs| codecs.split('.').next());
        match family {
            family if stream.kind == StreamKind::Text && family != Some("stpp") => {
                Some(LeftOut::OtherText)
            }
            None => Some(LeftOut::Unnamed),
            Some(family) if UNPLAYED.contains(&family) => Some(LeftOut::Unplayed),
            Some(_) => self.check_init_segment(stream, track).err().map(|_| LeftOut::WithoutHeader),
        }
    }
}

impl Stream {
    /// Returns a number of chunks with which it is listed, whatever their times are. `None` if it never is.
    #[cfg(feature = "live")]
    pub(crate) fn most_listed(&self, limits: &Limits) -> Option<usize> {
        const DIGITS: usize = u64::MAX.ilog10() as usize + 1;
        let most = limits.client_manifest / self.playlist_entry(DIGITS) as u64;
        let is_sparse = self.parent.is_some() && self.kind != StreamKind::Text;
        let is_listed = self.role() != Role::Metadata && !is_sparse;
        is_listed.then(|| usize::try_from(most).unwrap_or(usize::MAX).min(MOST_CHUNKS))
    }

    /// Returns the maximum bytes of a segment in its playlists, if its time has so many digits.
    fn playlist_entry(&self, digits: usize) -> usize {
        let names = self.tracks.iter().map(|track| RenditionName::of(self, track).len());
        names.max().unwrap_or(0) + digits + PLAYLIST_ENTRY
    }
}

impl Presentation {
    /// Reports the streams and tracks that DASH and HLS do not list, the first time that it is called.
    pub(crate) fn notice_left_out(&self) {
        if self.segmented.reported.is_noticed.swap(true, Ordering::Relaxed) {
            return;
        }
        let finding = |reason: LeftOut| Finding::new(FindingCode::TrackLeftOut, reason.as_str());
        for (stream, left_out) in self.streams.iter().zip(self.left_out()) {
            // The reason of a stream is that of each of its tracks.
            if let Some(reason) = self.stream_left_out(stream) {
                self.notice(finding(reason).of_track(&stream.name));
                continue;
            }
            for (track, reason) in stream.tracks.iter().zip(left_out) {
                let Some(reason) = *reason else { continue };
                let finding = match (reason, self.check_init_segment(stream, track)) {
                    (LeftOut::WithoutHeader, Err(error)) => {
                        let message = format!("{}: {error}", reason.as_str());
                        Finding::new(FindingCode::TrackLeftOut, message).because(error)
                    }
                    _ => finding(reason),
                };
                self.notice(finding.of_track(&label(&stream.name, track.bitrate)));
            }
        }
    }
}

impl Presentation {
    /// Reports tracks that DASH lists and HLS does not, each with the reason, the first time that it is
    /// called.
    #[cfg_attr(not(feature = "hls"), allow(dead_code, reason = "DASH lists them"))]
    pub(crate) fn notice_left_out_of_hls<'a>(
        &self,
        tracks: impl Iterator<Item = (&'a Stream, &'a Track, &'static str)>,
    ) {
        if self.segmented.reported.is_noticed_by_hls.swap(true, Ordering::Relaxed) {
            return;
        }
        for (stream, track, reason) in tracks {
            let finding = Finding::new(FindingCode::TrackLeftOut, reason);
            self.notice(finding.of_track(&label(&stream.name, track.bitrate)));
        }
    }
}

impl Track {
    /// Returns whether its samples are TTML that can be read, so that its text can also be served as
    /// WebVTT.
    pub(crate) fn is_ttml(&self) -> bool {
        match self.sample_entries().next() {
            Some(entry) => matches!(&entry.format().0, b"stpp" | b"dfxp"),
            None => self.codecs().as_deref() == Some("stpp"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_different_timescales_are_compared_exactly() {
        let moment = |ticks, scale| Moment { ticks, timescale: Timescale::new(scale).unwrap() };
        assert!(moment(1, 3) < moment(3_333_334, 10_000_000));
        assert!(moment(1, 3) > moment(3_333_333, 10_000_000));
        assert_eq!(moment(90_000, 90_000), moment(10_000_000, 10_000_000));
        assert!(moment(u64::MAX, 1) > moment(u64::MAX, 2));
        assert_eq!(moment(1, 3).rescaled(Timescale::SMOOTH), 3_333_333);
    }
}
