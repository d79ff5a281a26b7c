//! The times that a clip is asked for by.

/// A moment that a clip is asked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ClipTime {
    /// Wall time: ticks of 100 ns since 1970.
    Wall(i128),
    /// Ticks of 100 ns since the first chunk of the presentation; of an event, since the first one that it ever
    /// had.
    SinceBegin(u64),
}

/// The times of a clip. At least one of them is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ClipTimes {
    pub(crate) start: Option<ClipTime>,
    pub(crate) end: Option<ClipTime>,
    /// Ticks of 100 ns by which the live edge is shown later. A film has no live edge.
    pub(crate) delay: Option<u64>,
    /// These times as a query, for URLs of further manifests.
    pub(crate) query: Box<str>,
}
