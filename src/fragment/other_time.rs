//! A fragment whose own start differs from the start in its index.

use std::fmt;

use super::stored::misled;
use crate::base::Error;

/// A start that a fragment declares and that differs from the expected one, in ticks of the track.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherTime {
    /// The start that the fragment declares.
    pub(crate) found: i64,
    /// The decoding time of its first sample, if it is declared.
    pub(super) decoded: Option<i64>,
    /// The expected start.
    pub(super) time: i64,
}

impl OtherTime {
    /// Returns whether the fragment is a different one than expected, because `is_start` knows the
    /// time that it declares as the start of another fragment. A muxer that does not know the start
    /// writes 0, and one that writes 32 bits drops the rest: neither counts as evidence.
    pub(crate) fn is_of_another(&self, is_start: impl Fn(i64) -> bool) -> bool {
        let Self { found, decoded, time } = *self;
        let said = || [Some(found), decoded].into_iter().flatten();
        let wrapped = time & i64::from(u32::MAX);
        let says_nothing = said().any(|said| said == 0 || time != wrapped && said == wrapped);
        !says_nothing && said().any(is_start)
    }

    /// Returns the error for an index entry that leads to another fragment.
    pub(crate) fn misled(&self) -> Error {
        let Self { found, time, .. } = self;
        misled(format!("a fragment of time {found} where the index says {time}"))
    }
}

impl fmt::Display for OtherTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, time, .. } = self;
        write!(f, "a fragment says that it starts at {found}, the index says {time}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_start_of_another_fragment_is_evidence_of_a_lying_index() {
        let is_of_another = |found, time| {
            let other = OtherTime { found, decoded: None, time };
            other.is_of_another(|said| said % 1000 == 0 && said != time)
        };
        assert!(is_of_another(1000, 2000) && is_of_another(7000, 2000));
        assert!(!is_of_another(0, 2000), "a muxer that writes no times");
        assert!(!is_of_another(1010, 1000) && !is_of_another(999, 1000), "rounded");
        let wrapped = (1 << 32) + 5000;
        assert!(!is_of_another(5000, wrapped) && is_of_another(6000, wrapped));
    }
}
