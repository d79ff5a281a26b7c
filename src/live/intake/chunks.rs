//! Chunks of CMAF, of which several are a segment.

use super::unit::{Arrived, Unit};
use crate::base::Limits;
use crate::fragment::{Whole, joined, shown_at_start};
use crate::manifest::StreamKind;

/// Joins the chunks of a segment into one fragment.
///
/// A segment begins with `styp`. Without one, it begins with a chunk that begins with a key frame, and each
/// chunk of sound or text is a segment. A body does not say how many chunks follow, so the first segment
/// is held until the next one begins or the body ends, and so is the second if the first was a single chunk. If both were, those behind
/// them are not held.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    held: Vec<Arrived>,
    /// The first sample of the first one is not shown when it is decoded.
    begins_later: bool,
    /// Bytes of them.
    bytes: u64,
    /// Time at which the sample behind them is decoded, in ticks of the track.
    next: i64,
    /// They are of sound or text.
    are_all_sync: bool,
    /// The segment began with `styp`.
    has_styp: bool,
    /// A segment has begun, and no chunk of it has come.
    is_new: bool,
    /// Segments have several chunks; `None` if that is not known.
    are_several: Option<bool>,
    /// The first segment has ended, and had one chunk. It may be a part of one: encoders begin at any time.
    had_one: bool,
}

/// Properties of the chunk that comes, beside those of [`Arrived`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) kind: StreamKind,
    /// Time at which its first sample is decoded, in ticks of the track.
    pub(super) decoded: i64,
    /// Its first sample is shown at another time.
    pub(super) begins_later: bool,
}

/// Maximum number of chunks of a segment.
const MOST: usize = 4096;

impl Chunks {
    /// Bytes of the chunks that wait for the end of their segment.
    pub(super) fn memory(&self) -> u64 {
        self.bytes
    }

    /// A segment begins.
    pub(super) fn begin(&mut self, units: &mut Vec<Unit>, limits: &Limits) {
        self.end(units, limits);
        (self.has_styp, self.is_new) = (true, true);
    }

    /// Takes a chunk. `most`: maximum bytes of a fragment.
    pub(super) fn push(
        &mut self,
        chunk: Arrived,
        Chunk { kind, decoded, begins_later }: Chunk,
        most: u64,
        units: &mut Vec<Unit>,
        limits: &Limits,
    ) {
        let begins = match self.has_styp {
            true => std::mem::take(&mut self.is_new),
            false => chunk.is_key,
        };
        let len = chunk.bytes.len() as u64;
        let is_same = |last: &Arrived| last.track_id == chunk.track_id;
        let follows = self.next == decoded && self.held.last().is_some_and(is_same);
        if begins {
            self.end(units, limits);
        } else if !follows || self.held.len() >= MOST || self.bytes.saturating_add(len) > most {
            self.flush(units, limits);
        }
        if !begins {
            self.are_several = Some(true);
        }
        let is_single = !self.has_styp && kind != StreamKind::Video;
        if self.held.is_empty() {
            self.begins_later = begins_later;
        }
        self.are_all_sync = kind != StreamKind::Video;
        self.bytes += len;
        self.next = decoded.saturating_add_unsigned(chunk.duration);
        self.held.push(chunk);
        if is_single || self.are_several == Some(false) {
            self.flush(units, limits);
        }
    }

    /// The segment is whole.
    pub(super) fn end(&mut self, units: &mut Vec<Unit>, limits: &Limits) {
        match self.held.len() {
            0 => {}
            1 if self.are_several.is_none() && !self.had_one => self.had_one = true,
            len => self.are_several = Some(self.are_several == Some(true) || len > 1),
        }
        self.flush(units, limits);
    }

    fn flush(&mut self, units: &mut Vec<Unit>, limits: &Limits) {
        self.bytes = 0;
        let held = std::mem::take(&mut self.held);
        let Some(first) = held.first().filter(|_| self.begins_later || held.len() > 1) else {
            units.extend(held.into_iter().map(Unit::Fragment));
            return;
        };
        let whole = Whole {
            number: first.sequence,
            track_id: first.track_id,
            start: first.time as u64,
            are_all_sync: self.are_all_sync,
        };
        let bytes: Vec<_> = held.iter().map(|chunk| chunk.bytes.clone()).collect();
        match joined(&bytes, whole, limits) {
            Ok((bytes, moof, duration)) => {
                units.push(Unit::Fragment(Arrived { bytes, moof, duration, ..first.clone() }));
            }
            // Encrypted chunks, for example, stay fragments of their own.
            Err(_) => units.extend(held.into_iter().map(|chunk| {
                Unit::Fragment(match shown_at_start(&chunk.bytes, limits) {
                    Ok((bytes, lengths)) => Arrived { bytes, moof: lengths.moof, ..chunk },
                    Err(_) => chunk,
                })
            })),
        }
    }
}
