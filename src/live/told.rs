//! The headers that the journal of an event has.

use std::collections::HashMap;

use super::intake::Known;
use super::push::Source;

/// The headers that were reported for the journal of an event, so that each is reported once.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Number of the event.
    number: u64,
    of: HashMap<Source, Known>,
    /// Bytes of all that were reported of the event.
    bytes: u64,
}

/// Bytes of headers that the journal of an event takes: encoders that send another one again and again must not fill
/// it. A header takes about a thousand.
const MOST: u64 = 4 << 20;
/// Encoders and streams whose headers are remembered.
const SOURCES: usize = 1024;

impl Told {
    /// Returns whether the journal of an event does not have this header yet, and is to get it.
    pub(super) fn is_new(&mut self, number: u64, source: &Source, known: &Known) -> bool {
        if self.number != number {
            *self = Self { number, ..Self::default() };
        }
        if self.of.get(source).is_some_and(|told| told.is_same(known)) {
            return false;
        }
        let bytes = self.bytes.saturating_add(known.boxes().len() as u64);
        let has_room = self.of.len() < SOURCES || self.of.contains_key(source);
        if bytes > MOST || !has_room {
            return false;
        }
        self.bytes = bytes;
        self.of.insert(source.clone(), known.clone());
        true
    }
}
