//! Floor 3: from a chunk of a track to the bytes that hold it.

#[cfg_attr(not(feature = "unstable-formats"), allow(dead_code, unreachable_pub, unused_imports))]
pub mod chunk_plan;
mod fragments;
mod index_file;
mod known_starts;
mod mfra;
#[cfg_attr(not(feature = "unstable-formats"), allow(dead_code, unreachable_pub, unused_imports))]
pub mod sample_table;
mod scan;
mod scan_budget;
mod scanned_track;
mod sidx;
#[cfg_attr(not(any(feature = "live", feature = "package")), allow(dead_code))]
mod written_mfra;

pub(crate) use fragments::{Fragments, Place};
pub(crate) use index_file::{IndexReader, IndexWriter, opened as opened_index_file};
#[cfg(feature = "fs")]
pub(crate) use index_file::{MOST as MOST_OF_INDEX_FILE, number_of as index_file_number};
pub(crate) use known_starts::KnownStarts;
pub(crate) use mfra::{Indexed, TrackIndex, read_mfra};
pub(crate) use scan::{Outcome, Scan, Scanned, Share};
pub(crate) use scan_budget::Spent;
pub(crate) use scanned_track::ScannedTrack;
pub(crate) use sidx::{SidxRead, Subsegment, Subsegments, read_sidx};
#[cfg(any(feature = "live", feature = "package"))]
pub(crate) use written_mfra::{Starts, written_mfra};
