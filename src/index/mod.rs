//! Floor 3: from a chunk of a track to the bytes that hold it.

mod fragments;
mod mfra;

pub(crate) use fragments::{Fragments, Place};
pub(crate) use mfra::{Indexed, TrackIndex, read_mfra};
