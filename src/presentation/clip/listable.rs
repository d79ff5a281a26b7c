//! The chunks of a part of an event, which are no more than DASH and HLS list.

use std::ops::Range;

use super::Bounds;
use crate::presentation::Presentation;

/// The chunks of each stream that a part has.
pub(super) struct Shown {
    pub(super) chunks: Vec<Range<usize>>,
    /// The first ones were left out: chunks leave the part for good.
    pub(super) is_cut: bool,
}

impl Bounds {
    /// Returns the numbers of the chunks of a clip, by stream.
    ///
    /// Those of an event are no more than DASH and HLS list, as in the whole event: a stream with more would go from
    /// all manifests while players show it. All streams begin where the one does that has too many.
    pub(super) fn shown(&self, whole: &Presentation) -> Shown {
        let mut chunks: Vec<_> = whole.streams.iter().map(|of| self.chunks(of)).collect();
        let until = if whole.is_grown() { cut(whole, &mut chunks) } else { None };
        let Some(until) = until else { return Shown { chunks, is_cut: false } };
        for (of, chunks) in whole.streams.iter().zip(&mut chunks) {
            let first = of.timeline.first_ending_after(of.ticks(until));
            // The last chunk stays, because no player expects a stream without any.
            chunks.start = chunks.start.max(first.min(chunks.end.saturating_sub(1)));
        }
        Shown { chunks, is_cut: true }
    }
}

/// Leaves the first chunks of streams out that have more than are listed. Returns the end of those, in ticks of 100 ns.
#[cfg(all(feature = "live", any(feature = "dash", feature = "hls")))]
fn cut(whole: &Presentation, chunks: &mut [Range<usize>]) -> Option<u64> {
    let all = whole.streams.iter().zip(chunks);
    let ends = all.filter_map(|(of, chunks)| {
        let most = of.most_listed(&whole.limits)?.max(1);
        let first = chunks.end.checked_sub(most).filter(|first| *first > chunks.start)?;
        let (start, duration) = of.timeline.chunk(first - 1)?;
        chunks.start = first;
        Some(of.smooth(start.saturating_add(duration)))
    });
    ends.max()
}

/// Other outputs list all chunks.
#[cfg(not(all(feature = "live", any(feature = "dash", feature = "hls"))))]
fn cut(_: &Presentation, _: &mut [Range<usize>]) -> Option<u64> {
    None
}
