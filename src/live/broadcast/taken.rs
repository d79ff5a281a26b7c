//! The result of taking a fragment.

/// The result of a fragment that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) enum Taken {
    /// It waits, or was dropped.
    Done,
    /// Its times begin a new event.
    Restart,
    /// The codec data of all tracks of the encoder is another one, so nothing of it will be used.
    OtherCodec,
}
