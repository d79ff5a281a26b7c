//! The identity of an answer.

use crate::presentation::Representation;

/// The identity of an answer, as far as it is known without a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity {
    /// A redirect.
    Redirect,
    /// A reply of this representation.
    Known(Representation),
    /// Only the answer shows it: a fragment in a file of its own, which may change at any time.
    Unknown,
}
