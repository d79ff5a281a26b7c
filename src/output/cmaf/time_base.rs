//! The point that the times of a track's documents count from, if a document fits both.

use std::sync::Arc;

use super::documents::{Documents, Times, payload, sample_ends};
use crate::base::{Error, Step};
use crate::captions::TimeBase;
use crate::presentation::{FragmentAddress, Located, Need, Presentation};

/// Number of other fragments that are looked at.
const FRAGMENTS: usize = 8;

/// Decides by other fragments of the track, which are spread over the whole of it: the first one that
/// fits one reading of its times counts. Decided once per track. If all fit both, times count from the
/// fragment, as in players of Smooth Streaming.
///
/// The answer is the same in any order of requests. The fragments of a live presentation may not be
/// there yet, so they decide nothing.
///
/// # Errors
/// Errors of these fragments, as far as only a read shows them.
pub(super) fn of_track(
    presentation: &Arc<Presentation>,
    at: Located,
) -> Result<Step<TimeBase>, Error> {
    if let Some(base) = presentation.time_base(at) {
        return Ok(Step::Ready(base));
    }
    let count = presentation.streams()[at.stream].timeline().len();
    let mut chunks: Vec<usize> = match presentation.has_only_stored_segments() {
        false => (1..=FRAGMENTS).map(|nth| nth * count / (FRAGMENTS + 1)).collect(),
        true => Vec::new(),
    };
    chunks.dedup();
    // The last is taken first.
    chunks.reverse();
    look(presentation, at, chunks)
}

/// Looks at the last of these chunks, and at the others if it fits both.
fn look(
    presentation: &Arc<Presentation>,
    at: Located,
    mut chunks: Vec<usize>,
) -> Result<Step<TimeBase>, Error> {
    let Some(chunk) = chunks.pop() else {
        presentation.keep_time_base(at, TimeBase::Fragment);
        return Ok(Step::Ready(TimeBase::Fragment));
    };
    let other = Located { chunk, ..at };
    let found = presentation.fragment(FragmentAddress::Chunk(other), Need::Head, move |view| {
        let stored = view.stored(view.lengths.payload..view.lengths.len);
        Ok((stored, sample_ends(&view, other)))
    });
    let Ok(found) = found else { return look(presentation, at, chunks) };
    let presentation = Arc::clone(presentation);
    found.and_then(move |(stored, samples)| {
        let limits = presentation.limits();
        if stored.range.end - stored.range.start > limits.caption_document {
            return look(&presentation, at, chunks);
        }
        payload(stored)?.and_then(move |bytes| {
            let times = Times::of(&presentation, other);
            let documents = Documents::read(&bytes, samples.as_deref(), presentation.limits());
            match documents.ok().and_then(|documents| documents.base(&times.chunk)) {
                Some(base) => {
                    presentation.keep_time_base(at, base);
                    Ok(Step::Ready(base))
                }
                None => look(&presentation, at, chunks),
            }
        })
    })
}
