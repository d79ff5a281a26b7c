//! Floor 3: from a chunk of a track to the bytes that hold it.

mod fragments;
mod mfra;
mod scan;

pub(crate) use fragments::{Fragments, Place};
pub(crate) use mfra::{Indexed, TrackIndex, read_mfra};
pub(crate) use scan::{Outcome, Scan, Scanned, ScannedTrack, Spent};
