//! Contradictions of tables that do not keep samples from being read.

use std::fmt;

/// Something that the format forbids, and that has one harmless reading. Contradictions that have
/// none are errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// Kind of the contradiction.
    pub kind: OddityKind,
    /// The track.
    pub track_id: u32,
    /// Number of the first sample that it is about, from 1.
    pub sample: u32,
    /// Offset of the table in the file.
    pub offset: u64,
}

/// Kind of an [`Oddity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OddityKind {
    /// `stts` has durations of more samples than there are: they are ignored.
    MoreDurations,
    /// `ctts` has offsets of more samples than there are: they are ignored.
    MoreOffsets,
    /// `ctts` has offsets of fewer samples than there are: the others have none.
    FewerOffsets,
    /// `stco` has room for more samples than there are: it is ignored.
    MoreChunks,
    /// `stss` names samples that do not exist: they are ignored.
    SyncBeyondEnd,
    /// `sdtp` has bytes of another number of samples: it is ignored.
    OtherDependencies,
    /// A sample that is not the last one has no duration.
    NoDuration,
    /// The first sample is no sync sample: it and all before the first one are left out.
    NoSyncAtStart,
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { track_id, sample, offset, .. } = self;
        let what = match self.kind {
            OddityKind::MoreDurations => "`stts` has durations of samples that do not exist",
            OddityKind::MoreOffsets => "`ctts` has offsets of samples that do not exist",
            OddityKind::FewerOffsets => "`ctts` ends before this sample",
            OddityKind::MoreChunks => "`stco` has places of samples that do not exist",
            OddityKind::SyncBeyondEnd => "`stss` names samples that do not exist",
            OddityKind::OtherDependencies => "`sdtp` is of another number of samples",
            OddityKind::NoDuration => "the sample has no duration",
            OddityKind::NoSyncAtStart => "the track does not begin with a sync sample",
        };
        write!(f, "track {track_id}, sample {sample}, table at byte {offset}: {what}")
    }
}
