//! Stretches of a track without gaps.

/// Samples of a track that follow one another without a gap in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Index of its first sample in the track, from 0.
    pub(super) first: u32,
    /// Ticks of the track that its times are more than the sums of durations in the tables.
    pub(super) shift: i64,
}

impl Stretch {
    /// All samples of a progressive file.
    pub(super) const WHOLE: Self = Self { first: 0, shift: 0 };
}
