//! Chunks of CMAF, of which several are a segment.

use super::unit::{Arrived, Unit};
use crate::base::Limits;
use crate::fragment::{Whole, joined};
use crate::manifest::StreamKind;

/// Joins the chunks of a segment into one fragment.
///
/// A segment begins with `styp`. Without one, it begins with a chunk that begins with a key frame, and each
/// chunk of sound or text is a segment. A body does not say how many chunks follow, so the first segment
/// is held until the next one begins or the body ends. If it was a single chunk, those behind it are
/// not held.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    held: Vec<Arrived>,
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
    /// Segments have several chunks; `None` if none has ended.
    are_several: Option<bool>,
}

/// Maximum number of chunks of a segment.
const MOST: usize = 4096;

impl Chunks {
    /// A segment begins.
    pub(super) fn begin(&mut self, units: &mut Vec<Unit>, limits: &Limits) {
        self.end(units, limits);
        (self.has_styp, self.is_new) = (true, true);
    }

    /// Takes a chunk of a track of `kind`, whose first sample is decoded at `decoded`. `most`: maximum bytes
    /// of a fragment.
    pub(super) fn push(
        &mut self,
        chunk: Arrived,
        (kind, decoded): (StreamKind, i64),
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
        if is_single || self.are_several == Some(false) {
            units.push(Unit::Fragment(chunk));
            return;
        }
        self.bytes += len;
        self.next = decoded.saturating_add_unsigned(chunk.duration);
        self.are_all_sync = kind != StreamKind::Video;
        self.held.push(chunk);
    }

    /// The segment is whole.
    pub(super) fn end(&mut self, units: &mut Vec<Unit>, limits: &Limits) {
        if !self.held.is_empty() {
            self.are_several = Some(self.are_several == Some(true) || self.held.len() > 1);
        }
        self.flush(units, limits);
    }

    fn flush(&mut self, units: &mut Vec<Unit>, limits: &Limits) {
        self.bytes = 0;
        let held = std::mem::take(&mut self.held);
        let [first, _, ..] = &held[..] else {
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
            // Encrypted chunks, for example, stay as they are.
            Err(_) => units.extend(held.into_iter().map(Unit::Fragment)),
        }
    }
}
