//! The presentation as DASH and HLS see it: renditions with names, and segments that follow each
//! other.

// DASH needs no rates, and HLS no end.
#![cfg_attr(not(all(feature = "dash", feature = "hls")), allow(dead_code, unused_imports))]

mod listing;
mod locate;
mod losses;
mod rates;
mod rendition;
mod segments;
mod time_bases;

pub(crate) use listing::{Listed, Moment};
pub(crate) use rates::Rates;
pub(crate) use rendition::{Form, Rendition, decimal};
pub(crate) use segments::Segment;

use std::sync::atomic::AtomicBool;

use losses::ReportedLosses;
use rates::AllRates;
use time_bases::TimeBases;

use super::{Presentation, Stream};

/// Properties of a presentation that only DASH and HLS need.
#[derive(Debug)]
pub(super) struct Segmented {
    rates: AllRates,
    /// Set once the tracks that are left out were reported.
    is_noticed: AtomicBool,
    losses: ReportedLosses,
    time_bases: TimeBases,
}

impl Segmented {
    pub(super) fn new(streams: &[Stream]) -> Self {
        Self {
            rates: AllRates::of(streams),
            is_noticed: AtomicBool::new(false),
            losses: ReportedLosses::default(),
            time_bases: TimeBases::default(),
        }
    }

    /// Returns bytes of memory that it takes outside of itself.
    pub(super) fn memory(&self) -> usize {
        self.rates.memory()
    }
}

impl Presentation {
    /// Returns the rates of a track, if the sizes of its fragments are known.
    pub(crate) fn rates(&self, stream: usize, track: usize) -> Option<Rates> {
        self.segmented.rates.get(stream, track)
    }
}
