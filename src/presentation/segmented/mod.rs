//! The presentation as DASH and HLS see it: renditions with names, and segments that follow each
//! other.

// DASH needs no rates, and HLS no end.
#![cfg_attr(not(all(feature = "dash", feature = "hls")), allow(dead_code, unused_imports))]

mod listing;
mod locate;
mod rates;
mod rendition;
mod segments;

pub(crate) use listing::{Listed, Moment};
pub(crate) use rates::Rates;
pub(crate) use rendition::{Form, Rendition, decimal};
pub(crate) use segments::Segment;

use std::sync::atomic::AtomicBool;

use rates::AllRates;

use super::{Presentation, Stream};

/// Properties of a presentation that only DASH and HLS need.
#[derive(Debug)]
pub(super) struct Segmented {
    rates: AllRates,
    /// Set once the tracks that are left out were reported.
    is_noticed: AtomicBool,
}

impl Segmented {
    pub(super) fn new(streams: &[Stream]) -> Self {
        Self { rates: AllRates::of(streams), is_noticed: AtomicBool::new(false) }
    }

    /// Returns bytes of memory that it takes outside of itself.
    pub(super) fn memory(&self) -> usize {
        self.rates.memory()
    }
}

/// Bytes of memory that the manifests and headers of a presentation take, about: its playlists above
/// all, which have two lines per chunk and track.
const PER_TRACK: usize = 4 << 10;
const PER_CHUNK: usize = 64;

/// Manifests beyond this many bytes are written for each request.
const MOST: usize = 1 << 20;

/// Returns the bytes of memory to set aside for manifests and headers.
pub(super) fn room(streams: &[Stream]) -> usize {
    let of_stream = |stream: &Stream| {
        let chunks = stream.timeline.len().saturating_mul(PER_CHUNK);
        stream.tracks.len().saturating_mul(chunks.saturating_add(PER_TRACK))
    };
    let all = streams.iter().map(of_stream).fold(0, usize::saturating_add);
    all.min(MOST)
}

impl Presentation {
    /// Returns the rates of a track, if the sizes of its fragments are known.
    pub(crate) fn rates(&self, stream: usize, track: usize) -> Option<Rates> {
        self.segmented.rates.get(stream, track)
    }
}
