//! Segments that HLS has in place of the stored ones: sound that begins with the pictures, and pictures that
//! last over a gap.

use std::sync::Arc;

use super::segment::{length, parse_written, start, track};
use super::{CHANGED, failed, id};
use crate::base::{Error, ErrorKind, Step};
use crate::fragment::cmaf;
use crate::fragment::{Changed, Defaults, Noun};
use crate::presentation::{
    FragmentAddress, FragmentView, Located, MediaType, Need, Presentation, Rendition, Reply,
    Representation, Validator,
};

/// A change of a segment, at a time in ticks of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Samples are left out, so that the segment begins as near to this time as its samples allow.
    From(u64),
    /// The last sample lasts until then.
    Until(u64),
}

/// Answers with a changed segment, or with the whole one if it cannot be changed.
///
/// # Errors
/// Errors of the stored fragment, and of its rewriting.
pub(super) fn answer(
    presentation: &Arc<Presentation>,
    of: Rendition,
    at: Located,
    change: Change,
) -> Result<Step<Reply>, Error> {
    let address = FragmentAddress::Chunk(at);
    presentation.fragment(address, Need::Head, move |view| reply(&view, of, at, change))
}

fn reply(
    view: &FragmentView<'_>,
    of: Rendition,
    at: Located,
    change: Change,
) -> Result<Reply, Error> {
    let presentation = view.presentation();
    let limits = presentation.limits();
    let representation = representation(presentation, view.validator(Noun::Fragments), of, at);
    let representation = representation.with_liveness(view.liveness());
    let head = view.head().ok_or_else(|| failed(ErrorKind::NoMedia))?;
    let (start, track) = (start(view, of, at), track(view, of, head));
    let written = cmaf::rewrite_stored(head, start, &track, limits)?;
    let cmaf::Fragment { head, payload, .. } = &written;
    // The ranges of a changed segment are those of the written one.
    let before = head.len() as u64;
    let moved = |at: u64| at.saturating_sub(before).saturating_add(payload.start);
    let bound = before.saturating_add(payload.end.saturating_sub(payload.start));
    let (begin, _) = presentation.chunk_of(at);
    let scale = presentation.streams()[of.stream].timescale();
    let in_track = presentation.segment_track(of).timescale;
    let ticks = |time: u64| scale.rescale_round(time.saturating_sub(begin), in_track);
    let changed = match parse_written(head, bound, limits)? {
        Some(whole) => match change {
            Change::From(from) => match ticks(from) {
                Some(ticks) => Changed::from(&whole, ticks, Defaults::default(), limits)?,
                None => None,
            },
            Change::Until(until) => match ticks(until) {
                Some(ticks) => Changed::until(&whole, ticks, Defaults::default(), limits)?,
                None => None,
            },
        },
        None => None,
    };
    if let Some(changed) = changed
        && let Some(head) =
            parse_written(&changed.head, length(&changed.head, &changed.samples), limits)?
    {
        let start = start.later(changed.earlier);
        let head = cmaf::rewrite_stored(&head, start, &track, limits)?.head;
        let ranges = changed.samples.iter();
        let samples = ranges.flat_map(|of| view.pieces(moved(of.start)..moved(of.end)));
        return Ok(Reply::of_parts(representation, head, samples));
    }
    let payload = view.pieces(written.payload.clone());
    Ok(Reply::of_parts(representation, written.head, payload))
}

/// Returns the representation of a changed segment. Of each chunk there is at most one.
pub(super) fn representation(
    presentation: &Presentation,
    stored: Validator,
    of: Rendition,
    at: Located,
) -> Representation {
    let (start, _) = presentation.chunk_of(at);
    let kind = presentation.streams()[of.stream].kind();
    Representation::media(MediaType::from(kind), stored.of_output(id(CHANGED, of, start)))
}
