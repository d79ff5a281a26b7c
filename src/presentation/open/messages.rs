//! Messages of streams of events: their fragments are small, and are read when the presentation is opened, because
//! manifests of DASH and HLS have them.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;

use super::Outcome;
use crate::base::{FileId, Got, Limits, ReadError, Step, Want};
use crate::fragment::{Parsed, Stored};
use crate::index::Place;
use crate::presentation::finding::label;
use crate::presentation::messages::{Message, Newest, Scheme, is_data};
use crate::presentation::stream::StoredTrack;
use crate::presentation::{Finding, FindingCode, Presentation, Stream};

/// Reads the messages of a presentation, if a stream says that it has some: the last 1,024 of a stream, within
/// the bounds of [`Newest`].
pub(super) fn read(presentation: Presentation) -> Step<Presentation> {
    if !cfg!(any(feature = "dash", feature = "hls")) {
        return Step::Ready(presentation);
    }
    let has = |(number, stream): (usize, &Stream)| Some((number, Messages::of(stream)?));
    let wanted: Vec<_> = presentation.streams.iter().enumerate().filter_map(has).collect();
    let ranges = wanted.iter().map(|(_, of)| (of.file, &of.ranges));
    let want = |(file, range): (FileId, &Range<u64>)| Want::Range { file, range: range.clone() };
    let ranges = ranges.flat_map(|(file, ranges)| ranges.iter().map(move |range| (file, range)));
    let wants: Vec<_> = ranges.map(want).collect();
    if wants.is_empty() {
        return Step::Ready(presentation);
    }
    Step::read(wants, move |got| {
        let (mut presentation, mut got) = (presentation, got.into_iter());
        for (number, of) in &wanted {
            let read = of.take(got.by_ref().take(of.ranges.len()));
            if let Err(why) = &read {
                let stream = &presentation.streams[*number];
                let message = format!("its messages cannot be read: {why}");
                let finding = Finding::new(FindingCode::FileUnreadable, message);
                presentation.notice(finding.of_track(&label(&stream.name, of.bitrate)));
            }
            let stream = &presentation.streams[*number];
            let found = of.parse(stream, &read.unwrap_or_default(), &presentation.limits);
            presentation.add_messages(found);
        }
        Ok(Step::Ready(presentation))
    })
}

/// The fragments of a stream whose messages are read.
struct Messages {
    scheme: Scheme,
    bitrate: u32,
    file: FileId,
    /// From the last to the first.
    ranges: Vec<Range<u64>>,
}

impl Messages {
    /// `None` if the stream does not say that its samples are messages, or has no fragments in a file.
    fn of(stream: &Stream) -> Option<Self> {
        let said = stream.scheme.as_deref().filter(|_| is_data(stream.subtype.as_deref()))?;
        let scheme = Scheme::declared(said)?;
        let (track, stored) = stream.tracks.iter().find_map(|of| Some((of, of.stored().ok()?)))?;
        let mut newest = Newest::default();
        for chunk in (0..stream.timeline.len()).rev() {
            if range_of(stored, chunk).is_some_and(|range| !newest.add(range)) {
                break;
            }
        }
        let (bitrate, file, ranges) = (track.bitrate, stored.file, newest.ranges());
        Some(Self { scheme, bitrate, file, ranges })
    }

    /// Takes what was read, by first byte.
    fn take(&self, got: impl Iterator<Item = Outcome>) -> Result<BTreeMap<u64, Bytes>, ReadError> {
        let read = self.ranges.iter().zip(got).filter_map(|(range, got)| match got {
            Ok(Got::Range(bytes)) => Some(Ok((range.start, bytes))),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        read.collect()
    }

    fn parse(&self, stream: &Stream, read: &BTreeMap<u64, Bytes>, limits: &Limits) -> Vec<Message> {
        let mut found = Vec::new();
        let stored = stream.tracks.iter().find_map(|of| of.stored().ok());
        let Some(stored) = stored else { return found };
        for (chunk, (time, _)) in stream.timeline.iter().enumerate() {
            let Some(range) = range_of(stored, chunk) else { continue };
            let Some((first, bytes)) = read.range(..=range.start).next_back() else { continue };
            let from = usize::try_from(range.start - first).unwrap_or(usize::MAX);
            let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            if from.checked_add(len).is_none_or(|end| end > bytes.len()) {
                continue;
            }
            let fragment = bytes.slice(from..from + len);
            let Some(samples) = samples(&fragment, stored, &range, limits) else { continue };
            found.extend(self.scheme.messages(&samples, time, stream.timescale));
        }
        found
    }
}

/// Returns the bytes of a fragment, and maybe of what follows it.
fn range_of(stored: &StoredTrack, chunk: usize) -> Option<Range<u64>> {
    match stored.fragments.place(chunk)? {
        Place::Bounded { start, bound } => Some(start..bound),
        Place::Known { start, lengths } => Some(start..start.saturating_add(lengths.len)),
        Place::Broken { .. } => None,
    }
    .filter(|range| range.start < range.end)
}

/// Returns the samples of a fragment of a track.
fn samples(
    fragment: &Bytes,
    track: &StoredTrack,
    range: &Range<u64>,
    limits: &Limits,
) -> Option<Bytes> {
    let parsed = Stored::parse(fragment, range.start, range.end, limits).ok()?;
    let Parsed::Whole(stored) = parsed else { return None };
    stored.check_track(track.track_id).ok()?;
    let byte = |at: u64| usize::try_from(at).ok().filter(|&at| at <= fragment.len());
    let (from, to) = (byte(stored.payload)?, byte(stored.len)?);
    (from <= to).then(|| fragment.slice(from..to))
}
