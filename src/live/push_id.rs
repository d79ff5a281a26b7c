//! The number of a push.

/// One body that an encoder pushes, from [`begin`](super::PublishingPoint::begin) to its end.
///
/// The number is unique within a publishing point, and later pushes have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PushId(pub(super) u64);
