//! The facts that a film keeps of the live event that it was.

/// The facts of an event that its film keeps, so that a player that follows the event over its end is told nothing
/// else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// See [`Live::epoch`](super::Live::epoch).
    pub(crate) epoch: i64,
    /// Start of the first chunk that players of the event were told, in ticks of 100 ns: manifests of DASH count from
    /// it.
    pub(crate) begin: Option<u64>,
    /// The film is at the URL of the publishing point, where players may still follow the event, and where the next
    /// event will be.
    pub(crate) is_at_point: bool,
}
