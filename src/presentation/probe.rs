//! The first look at a fragment: where it ends, and whether it is the one that the index says.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::finding::{WRONG_OFFSET, label};
use super::fragment_view::{FragmentView, Looked};
use super::rewritten::{Found, Source};
use super::timeline::tolerance;
use super::{Finding, FindingCode, Located, Presentation};
use crate::base::{Error, ErrorKind, Got, ReadError, Step, Timescale, Want};
use crate::fragment::{Lengths, OtherTime, Stored, Whereabouts};
use crate::index::Place;
use crate::presentation::stream::StoredTrack;

/// A property of a fragment that is not as it should be, but does not keep it from being served.
pub(super) enum Noticed<'a> {
    /// It declares another start.
    Time(OtherTime),
    /// A part of it cannot be read.
    Unread(&'a str),
    /// Its samples do not begin where the `mdat` does.
    Payload,
    /// The offsets of its samples are wrong.
    Offset,
}

impl Noticed<'_> {
    pub(super) fn code(&self) -> FindingCode {
        match self {
            Self::Time(_) => FindingCode::TimeInFragment,
            Self::Unread(_) => FindingCode::BoxUnreadable,
            Self::Payload => FindingCode::PayloadOffset,
            Self::Offset => FindingCode::DataOffsetWrong,
        }
    }

    pub(super) fn message(&self) -> String {
        match self {
            Self::Time(other) => other.to_string(),
            Self::Unread(unread) => (*unread).to_owned(),
            Self::Payload => "the samples do not begin where the `mdat` does".into(),
            Self::Offset => WRONG_OFFSET.into(),
        }
    }
}

/// Bytes that a first look reads: most heads are shorter.
const LOOK: u64 = 4 << 10;

/// Bytes behind a head that must be there for it to be recognised as whole.
const LOOK_BEHIND: u64 = 32;

/// A fragment that ends within so many bytes is read whole: it will be sent at once.
pub(in crate::presentation) const SMALL: u64 = 64 << 10;

/// Divisor of the length of the longest look at a fragment whose length is not known, because room
/// for all of it is held.
const UNKNOWN: u64 = 4;

/// Ascents of a stream's times that are looked through for the chunk that a fragment says it is.
const SEARCHES: usize = 64;

/// A head that is still not whole after so many reads has something wrong with it.
pub(super) const MAX_LOOKS: usize = 8;

impl Presentation {
    /// Sets the length up to which fragments are read whole when they are looked at, for a store of
    /// which each read is a round trip.
    pub(crate) fn look_whole(&mut self, bytes: u64) {
        self.whole = bytes.max(SMALL);
    }

    /// Bytes that are read of a fragment in a file of its own as the file is opened. That file's length
    /// is not known.
    pub(super) fn first_look(&self) -> u64 {
        (self.whole / UNKNOWN).max(SMALL)
    }

    fn looks_whole(&self, len: u64) -> bool {
        self.whole > SMALL && len <= self.whole
    }

    /// Reads the head of a fragment in its track's file, and goes on with `then`.
    ///
    /// # Errors
    /// [`ErrorKind::NoMedia`] or [`ErrorKind::NotSliceable`] if there is nothing to serve; errors of
    /// the fragment itself, which are also kept as a finding; errors of `then`.
    pub(super) fn probe<T: 'static>(
        self: &Arc<Self>,
        at: Located,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Step<T>, Error> {
        let track = self.track_of(at).stored()?;
        let (start, bound, first) = match place_of(track, at)? {
            // All of it, if another read for the rest of it would be dear.
            Place::Known { start, lengths } if self.looks_whole(lengths.len) => {
                (start, start + lengths.len, lengths.len)
            }
            Place::Known { start, lengths } => {
                (start, start + lengths.len, lengths.payload + LOOK_BEHIND)
            }
            Place::Bounded { start, bound } if bound.saturating_sub(start) <= self.whole => {
                (start, bound, bound.saturating_sub(start))
            }
            Place::Bounded { start, bound } => (start, bound, LOOK),
            Place::Broken { start, sliceable } => return Err(broken(track, start, sliceable)),
        };
        let look = Look { at, start, bound, read: Bytes::new(), looks: 0 };
        Ok(look.step(self, first, then))
    }

    /// Checks that the fragment is the one that the index says, and one that can be cut out.
    pub(super) fn check(
        &self,
        at: Located,
        track: &StoredTrack,
        stored: &Stored,
        mut notice: impl FnMut(Noticed<'_>),
    ) -> Result<(), Error> {
        let stream = self.stream_of(at);
        let time = stream
            .timeline
            .chunk(at.chunk)
            .and_then(|(start, _)| track.time_of(start, stream.timescale));
        // Rounding lost as much where the fragment was matched as it loses here.
        let tolerance = 2 * tolerance(track.timescale, stream.timescale);
        stored.check_track(track.track_id)?;
        if let Some(other) = time.and_then(|time| stored.other_time(time, tolerance)) {
            self.check_time(at, track, other)?;
            notice(Noticed::Time(other));
        }
        if let Some(unread) = stored.unread() {
            notice(Noticed::Unread(&unread));
        }
        match stored.check_samples(track.defaults, self.limits())? {
            Whereabouts::Start => {}
            Whereabouts::Payload => notice(Noticed::Payload),
            Whereabouts::Elsewhere { .. } => notice(Noticed::Offset),
        }
        Ok(())
    }

    /// Keeps what a check noticed. A muxer that writes wrong times or offsets writes them
    /// everywhere, so there is one finding per track.
    fn notice_of(&self, at: Located, track: &StoredTrack, noticed: &Noticed<'_>) {
        let is_known = || {
            matches!(noticed, Noticed::Time(_)) && track.is_time_told.swap(true, Ordering::Relaxed)
        };
        if is_known() {
            return;
        }
        let finding = self.finding(at, noticed.code(), noticed.message());
        self.notice(match noticed {
            Noticed::Unread(_) | Noticed::Offset => finding.at_chunk(None),
            Noticed::Time(_) | Noticed::Payload => finding,
        });
    }

    /// Distinguishes a fragment that declares a wrong time from one that belongs to another chunk
    /// of the manifest.
    ///
    /// A fragment that declares 0 is served, since many muxers write nothing else. The fragment has
    /// no other evidence: the index is in order, so no two of its entries have the same `moof`, and
    /// equally long fragments of one track differ in nothing but their time.
    fn check_time(&self, at: Located, track: &StoredTrack, other: OtherTime) -> Result<(), Error> {
        let stream = self.stream_of(at);
        let tolerance = tolerance(stream.timescale, track.timescale);
        let is_start = |said| {
            let time = track.time_in_stream(said, stream.timescale);
            let near = |time| stream.timeline.near(0, time, tolerance, &mut { SEARCHES });
            time.and_then(near).is_some_and(|chunk| chunk != at.chunk)
        };
        if !track.is_settled && other.is_of_another(is_start) {
            return Err(other.misled());
        }
        Ok(())
    }

    fn finding(&self, at: Located, code: FindingCode, message: impl Into<String>) -> Finding {
        let (stream, track) = (self.stream_of(at), self.track_of(at));
        let finding = Finding::new(code, message)
            .of_track(&label(&stream.name, track.bitrate))
            .at_chunk(stream.timeline.chunk(at.chunk).map(|chunk| chunk.0));
        match track.source() {
            Some((file, _)) => finding.in_file(&self.file_name(file)),
            None => finding,
        }
    }
}

/// Returns the finding about an unusual position of a fragment's samples.
pub(super) fn whereabouts_finding(at: Whereabouts) -> Option<(FindingCode, &'static str)> {
    match at {
        Whereabouts::Start => None,
        Whereabouts::Payload => {
            Some((FindingCode::PayloadOffset, "the samples do not begin where the `mdat` does"))
        }
        Whereabouts::Elsewhere { .. } => Some((FindingCode::DataOffsetWrong, WRONG_OFFSET)),
    }
}

pub(super) fn place_of(track: &StoredTrack, at: Located) -> Result<Place, Error> {
    track.fragments.place(at.chunk).ok_or_else(|| track.lacking(at.chunk))
}

/// Returns the first byte and the lengths of a fragment, if it was looked at before.
///
/// # Errors
/// As [`Presentation::probe`], as far as that is known.
#[inline]
pub(super) fn known(track: &StoredTrack, at: Located) -> Result<Option<(u64, Lengths)>, Error> {
    match place_of(track, at)? {
        Place::Known { start, lengths } => Ok(Some((start, lengths))),
        Place::Bounded { .. } => Ok(None),
        Place::Broken { start, sliceable } => Err(broken(track, start, sliceable)),
    }
}

/// Returns the error of a fragment that was looked at before.
pub(super) fn broken(track: &StoredTrack, start: u64, sliceable: bool) -> Error {
    let kind = if sliceable {
        let what = "a fragment that is not what the index says".into();
        ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.10" }
    } else {
        ErrorKind::NotSliceable("a fragment that cannot be cut out of its file")
    };
    Error::at(start, kind).in_file(track.file)
}

impl StoredTrack {
    /// Returns the error for a chunk of its stream that it lacks: a track of a live presentation may still
    /// get it, if it has no later one.
    #[cold]
    fn lacking(&self, chunk: usize) -> Error {
        let last = self.fragments.last_chunk();
        match self.is_growing {
            false => ErrorKind::NoMedia.into(),
            true if last.is_none_or(|last| last < chunk) => {
                Error::request("fragment", ErrorKind::NotYet)
            }
            true => Error::request("fragment", ErrorKind::NoFragment),
        }
    }

    /// The time in the file of a chunk that starts at `time`, in ticks of the file.
    fn time_of(&self, time: u64, timescale: Timescale) -> Option<i64> {
        let ticks = (time as i64).checked_sub(self.shift)?;
        timescale.rescale_signed(ticks, self.timescale)
    }

    /// A time of the file, in ticks of the stream: the inverse of [`time_of`](Self::time_of).
    fn time_in_stream(&self, time: i64, timescale: Timescale) -> Option<u64> {
        let ticks = self.timescale.rescale_signed(time, timescale)?;
        // A start before 0 is two's complement in manifests as well.
        Some(ticks.wrapping_add(self.shift) as u64)
    }
}

/// A look in progress.
struct Look {
    at: Located,
    start: u64,
    bound: u64,
    read: Bytes,
    looks: usize,
}

impl Look {
    /// Reads the first `len` bytes of the fragment, then looks at them.
    fn step<T: 'static>(
        self,
        presentation: &Arc<Presentation>,
        len: u64,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Step<T> {
        let presentation = Arc::clone(presentation);
        let Ok(file) = presentation.track_of(self.at).stored().map(|track| track.file) else {
            unreachable!("a look is made at stored tracks alone")
        };
        let from = self.start + self.read.len() as u64;
        let to = self.start.saturating_add(len).min(self.bound).max(from);
        Step::read(vec![Want::Range { file, range: from..to }], move |got| {
            self.fed(&presentation, got, then)
        })
        .at_least(SMALL)
    }

    fn fed<T: 'static>(
        mut self,
        presentation: &Arc<Presentation>,
        got: Vec<Result<Got, ReadError>>,
        then: impl FnOnce(FragmentView<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Step<T>, Error> {
        let track = presentation.track_of(self.at).stored()?;
        let error = |error: Error| error.in_file(track.file);
        for got in got {
            match got.map_err(|e| error(e.into()))? {
                Got::Range(bytes) if self.read.is_empty() => self.read = bytes,
                Got::Range(bytes) => self.read = [&self.read[..], &bytes].concat().into(),
                Got::Opened(_) | Got::Listed(_) => {}
            }
        }
        self.looks += 1;
        match self.parse(presentation, track) {
            Ok(Found::Stored(head)) => {
                let (at, start, lengths) = (self.at, self.start, head.lengths());
                track.fragments.found(at.chunk, lengths);
                let looked = Looked { read: self.read, head };
                let view =
                    FragmentView::of_track(presentation, at, track, start, lengths, Some(&looked));
                then(view).map(Step::Ready).map_err(error)
            }
            // Its lengths are not kept, because they are not those in the file.
            Ok(Found::Made(made, head)) => {
                let looked = Looked { read: Bytes::new(), head };
                let (start, lengths) = (self.start, made.lengths());
                let at = self.at;
                let view =
                    FragmentView::of_track(presentation, at, track, start, lengths, Some(&looked));
                then(view.with_made(&made)).map(Step::Ready).map_err(error)
            }
            Ok(Found::Needs(len)) => Ok(self.step(presentation, len, then)),
            Err(found) => {
                let sliceable = !matches!(found.kind, ErrorKind::NotSliceable(_));
                if sliceable {
                    presentation.distrust(track.file);
                }
                track.fragments.broken(self.at.chunk, sliceable);
                let finding =
                    presentation.finding(self.at, FindingCode::FragmentBroken, found.to_string());
                presentation.notice(finding.because(found.clone()));
                Err(error(found))
            }
        }
    }

    fn parse(&self, presentation: &Presentation, track: &StoredTrack) -> Result<Found, Error> {
        let source = Source {
            block: &self.read,
            start: self.start,
            bound: self.bound,
            track_id: track.track_id,
            defaults: track.defaults,
        };
        let found = source.find(presentation.limits())?;
        match &found {
            Found::Stored(stored) | Found::Made(_, stored) => {
                presentation.check(self.at, track, stored, |noticed| {
                    presentation.notice_of(self.at, track, &noticed);
                })?
            }
            Found::Needs(_) if self.looks >= MAX_LOOKS => {
                let (what, limit) = ("reads of a fragment's head", MAX_LOOKS as u64);
                return Err(ErrorKind::Budget { what, found: limit + 1, limit }.into());
            }
            Found::Needs(_) => {}
        }
        Ok(found)
    }
}
