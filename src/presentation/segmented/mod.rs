//! The presentation as DASH and HLS see it: renditions with names, and segments that follow each
//! other.

// DASH fills no gaps, and HLS needs no end.
#![cfg_attr(not(all(feature = "dash", feature = "hls")), allow(dead_code, unused_imports))]

mod beginning;
mod captions;
mod date;
mod gap;
mod listing;
mod locate;
mod losses;
mod rates;
mod rendition;
mod segments;
mod time_bases;

pub(crate) use beginning::{Beginning, Silent};
pub(crate) use date::Date;
pub(crate) use gap::{Gap, Gaps};
pub(crate) use listing::{Listed, Moment};
pub(crate) use rates::Rates;
pub(crate) use rendition::{Form, Rendition, decimal};
pub(crate) use segments::Segment;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use beginning::Begins;
use bytes::Bytes;
use gap::Filling;
use listing::AllLeftOut;
pub(super) use listing::TracksLeftOut;
use losses::ReportedLosses;
use rates::AllRates;
use time_bases::TimeBases;

use super::validator::ContentHash;
use super::{Presentation, RepresentationId, Stream};
use crate::base::Error;

/// A bit of the start that no text has: the hash of a text is kept under its id with this bit.
const OF_HASH: u64 = 1 << 63;

/// Properties of a presentation that only DASH and HLS need.
#[derive(Debug)]
pub(super) struct Segmented {
    rates: AllRates,
    left_out: AllLeftOut,
    /// Bytes of memory that all fields take outside of this.
    memory: usize,
    /// Shared by the snapshots of a live presentation.
    reported: Arc<Reported>,
    time_bases: TimeBases,
    /// First times, once they were asked for.
    begins: OnceLock<Begins>,
    /// The properties by which gaps are filled, once they were asked for.
    filling: OnceLock<Filling>,
    /// Target duration of the playlists of HLS in seconds, once it was asked for.
    target: OnceLock<u64>,
}

/// Findings that were made already.
#[derive(Debug, Default)]
pub(super) struct Reported {
    /// Set once the tracks that are left out were reported.
    is_noticed: AtomicBool,
    /// Set once the tracks that only HLS leaves out were reported.
    is_noticed_by_hls: AtomicBool,
    losses: ReportedLosses,
}

impl Segmented {
    pub(super) fn new(streams: &[Stream]) -> Self {
        Self::with_rates(streams, AllRates::of(streams))
    }

    /// Properties of a snapshot of a live presentation. Rates are not known, because they would change
    /// with each fragment.
    #[cfg(feature = "live")]
    pub(super) fn growing(streams: &[Stream], reported: &Arc<Reported>) -> Self {
        let reported = Arc::clone(reported);
        Self { reported, ..Self::with_rates(streams, AllRates::default()) }
    }

    /// Properties of a clip: these streams are parts of those of the whole.
    pub(super) fn of_clip(&self, streams: &[Stream]) -> Self {
        let reported = Arc::clone(&self.reported);
        Self { reported, ..Self::with_rates(streams, self.rates.clone()) }
    }

    fn with_rates(streams: &[Stream], rates: AllRates) -> Self {
        let memory = rates.memory() + AllLeftOut::memory(streams) + Filling::memory(streams);
        Self {
            rates,
            left_out: AllLeftOut::default(),
            memory,
            reported: Arc::default(),
            time_bases: TimeBases::default(),
            begins: OnceLock::new(),
            filling: OnceLock::new(),
            target: OnceLock::new(),
        }
    }

    /// Returns bytes of memory that it takes outside of itself.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }
}

impl Presentation {
    /// Returns the target duration that all playlists of pictures and sound have, in seconds. It is found
    /// when it is first asked for.
    #[cfg_attr(not(feature = "hls"), allow(dead_code, reason = "DASH has none"))]
    pub(crate) fn common_target(&self, find: impl FnOnce() -> u64) -> u64 {
        *self.segmented.target.get_or_init(find)
    }

    /// Returns the rates of a track, if the sizes of its fragments are known.
    pub(crate) fn rates(&self, stream: usize, track: usize) -> Option<Rates> {
        self.segmented.rates.get(stream, track)
    }
}

impl Presentation {
    /// Returns a text as [`kept`](Self::kept) does, and the id of its
    /// validator: with a hash of the text in place of the start.
    ///
    /// The text may depend on the index of a file: rates and frame rates do. A file is walked through
    /// if its index is found broken, and then one content has another text. Of an event, many snapshots have one text.
    pub(crate) fn kept_text(
        &self,
        id: RepresentationId,
        make: impl FnOnce() -> Result<Bytes, Error>,
    ) -> Result<(Bytes, RepresentationId), Error> {
        let text = self.kept(id, make)?;
        let of_hash = RepresentationId { start: id.start | OF_HASH, ..id };
        let hash = self.kept(of_hash, || {
            let mut hash = ContentHash::new("");
            hash.part(Some(&text));
            Ok(Bytes::copy_from_slice(&hash.finish().to_be_bytes()))
        })?;
        let start = hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        Ok((text, RepresentationId { start, ..id }))
    }
}
