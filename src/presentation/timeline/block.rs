//! The blocks that a timeline consists of.

use std::sync::Arc;

/// Chunks whose starts ascend. Lists are shared by the timelines that were extended from one
/// another.
#[derive(Clone, Debug)]
pub(super) enum Block {
    Run { first: usize, start: u64, duration: u64, count: usize },
    List { first: usize, mean: u64, chunks: Arc<[(u64, u64)]> },
}

impl Block {
    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List { .. })
    }

    /// Number of its first chunk.
    pub(super) fn first(&self) -> usize {
        match self {
            Self::Run { first, .. } | Self::List { first, .. } => *first,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Run { count, .. } => *count,
            Self::List { chunks, .. } => chunks.len(),
        }
    }

    pub(super) fn start(&self) -> u64 {
        match self {
            Self::Run { start, .. } => *start,
            Self::List { chunks, .. } => chunks.first().map_or(0, |chunk| chunk.0),
        }
    }

    pub(super) fn chunk(&self, at: usize) -> Option<(u64, u64)> {
        match self {
            Self::Run { start, duration, count, .. } => {
                (at < *count).then(|| (start + duration * at as u64, *duration))
            }
            Self::List { chunks, .. } => chunks.get(at).copied(),
        }
    }

    /// Iterates over a run as a whole, or over each chunk of a list, with the first and the last
    /// chunk of each.
    pub(super) fn pieces(&self) -> impl Iterator<Item = ((u64, u64), (u64, u64))> + '_ {
        let count = match self {
            Self::Run { .. } => 1,
            Self::List { chunks, .. } => chunks.len(),
        };
        let last = self.len() - count;
        (0..count).filter_map(move |at| Some((self.chunk(at)?, self.chunk(at + last)?)))
    }

    pub(super) fn at_or_before(&self, time: u64) -> Option<usize> {
        match self {
            Self::Run { start, duration, count, .. } => {
                let ticks = time.checked_sub(*start)?;
                // Chunks without a duration start all at once: the first is found.
                let at = ticks.checked_div(*duration).unwrap_or(0);
                Some(usize::try_from(at).unwrap_or(usize::MAX).min(count - 1))
            }
            Self::List { mean, chunks, .. } => last_at_or_before(chunks, *mean, time),
        }
    }
}

/// The last of some ascending starts that is no later than `time`: a guess from the mean
/// distance, steps of growing width away from it, and a search between the last two.
fn last_at_or_before(chunks: &[(u64, u64)], mean: u64, time: u64) -> Option<usize> {
    let ticks = time.checked_sub(chunks.first()?.0)?;
    let guess = usize::try_from(ticks.checked_div(mean)?).unwrap_or(usize::MAX);
    let guess = guess.min(chunks.len() - 1);
    let (mut low, mut high, mut width) = (guess, guess, 1);
    while chunks[low].0 > time {
        high = low;
        low = low.saturating_sub(width);
        width *= 2;
    }
    while high < chunks.len() && chunks[high].0 <= time {
        low = high;
        high += width;
        width *= 2;
    }
    let high = high.min(chunks.len());
    Some(low + chunks[low..high].partition_point(|chunk| chunk.0 <= time) - 1)
}
