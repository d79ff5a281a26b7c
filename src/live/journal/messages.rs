//! The fragments of an event whose messages manifests may have: they are read again, because a journal has no
//! samples.

use std::ops::Range;

use bytes::Bytes;

use super::placed::Placed;
use crate::presentation::messages::Newest;

/// Returns where the newest fragments of a file lie. They are given from the last to the first.
pub(super) fn newest<'a>(placed: impl Iterator<Item = &'a Placed>) -> Vec<Range<u64>> {
    let mut newest = Newest::default();
    for placed in placed {
        if !newest.add(placed.start..placed.end()) {
            break;
        }
    }
    newest.ranges()
}

/// Returns the fragments that lie in these bytes of a file.
pub(super) fn in_range<'a>(
    placed: impl Iterator<Item = &'a Placed>,
    range: &Range<u64>,
    bytes: &Bytes,
) -> impl Iterator<Item = (Placed, Bytes)> {
    placed.filter_map(move |placed| {
        let from = usize::try_from(placed.start.checked_sub(range.start)?).ok()?;
        let to = usize::try_from(placed.end().checked_sub(range.start)?).ok()?;
        (from <= to && to <= bytes.len()).then(|| (*placed, bytes.slice(from..to)))
    })
}
