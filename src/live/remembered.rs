//! The headers of sources, for pushes that bring none.

use std::collections::HashMap;

use super::intake::Known;
use super::push::Source;

/// The newest headers of sources, as many as there is room for.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// With a number that ascends with each use.
    headers: HashMap<Source, (u64, Known)>,
    uses: u64,
    bytes: u64,
}

/// Headers that are remembered.
const MOST: usize = 256;

/// Bytes of headers that are remembered. That of a track takes some hundred.
const MOST_BYTES: u64 = 16 << 20;

impl Remembered {
    /// Returns the header of a source.
    pub(super) fn get(&self, source: &Source) -> Option<&Known> {
        self.headers.get(source).map(|(_, known)| known)
    }

    /// Returns the sources whose headers are remembered.
    #[cfg(feature = "http")]
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.headers.keys()
    }

    /// Returns the bytes of memory of all headers.
    pub(super) fn memory(&self) -> u64 {
        self.bytes
    }

    /// Remembers the header of a source. Those that were not used for longest are forgotten if there is no room.
    pub(super) fn remember(&mut self, source: Source, known: Known) {
        self.forget(&source);
        let bytes = known.memory();
        while self.headers.len() >= MOST || self.bytes.saturating_add(bytes) > MOST_BYTES {
            let oldest = self.headers.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(source, _)| source.clone()) else { break };
            self.forget(&oldest);
        }
        self.uses += 1;
        self.bytes += bytes;
        self.headers.insert(source, (self.uses, known));
    }

    fn forget(&mut self, source: &Source) {
        if let Some((_, known)) = self.headers.remove(source) {
            self.bytes -= known.memory();
        }
    }
}
