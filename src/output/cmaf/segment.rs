//! The segment of a chunk: a written `moof`, and the stored samples.

use std::sync::Arc;

use bytes::Bytes;

use super::{failed, representation};
use crate::base::{Error, ErrorKind, Step};
use crate::fragment::cmaf::{self, Start, Track};
use crate::fragment::{Keep, KeyFrames, Noun, Parsed, Stored};
use crate::presentation::{
    Form, FragmentAddress, FragmentView, Located, Need, Presentation, Rendition, Reply,
};

/// Bytes of the longest header of a box.
const LONGEST_HEADER: usize = 32;

const NO_CUT: &str = "a key frame that cannot be cut out";

/// Answers with a segment, after a read of the stored head.
///
/// # Errors
/// Errors of the stored fragment, and of its rewriting.
pub(super) fn answer(
    presentation: &Arc<Presentation>,
    of: Rendition,
    at: Located,
) -> Result<Step<Reply>, Error> {
    let address = FragmentAddress::Chunk(at);
    presentation.fragment(address, Need::Head, move |view| reply(&view, of, at))
}

/// Makes a segment of a fragment of which the head was read.
fn reply(view: &FragmentView<'_>, of: Rendition, at: Located) -> Result<Reply, Error> {
    let presentation = view.presentation();
    let limits = presentation.limits();
    let representation = representation(presentation, view.validator(Noun::Fragments), of, at);
    let representation = representation.with_liveness(view.liveness());
    let head = view.head().ok_or_else(|| failed(ErrorKind::NoMedia))?;
    let rewrite = |head: &Stored| {
        cmaf::rewrite_stored(head, start(view, of, at), &track(view, of, head), limits)
    };
    if of.form == Form::KeyFrames
        && let Some(KeyFrames { head, samples }) =
            KeyFrames::cut(head, Keep::First, view.defaults, limits)?
    {
        let bytes: u64 = samples.iter().map(|range| range.end - range.start).sum();
        let bound = head.len() as u64 + bytes;
        // A head is read together with the longest header that may follow it.
        let block = Bytes::from([&head, &[0; LONGEST_HEADER][..]].concat());
        let cut = match Stored::parse(&block, 0, bound, limits)? {
            Parsed::Whole(cut) => cut,
            Parsed::Needs(_) => return Err(failed(ErrorKind::NotSliceable(NO_CUT))),
        };
        let written = rewrite(&cut)?;
        let samples = samples.into_iter().map(|range| view.stored(range));
        return Ok(Reply::of_parts(representation, written.head, samples));
    }
    let written = rewrite(head)?;
    let payload = [view.stored(written.payload)].into_iter();
    Ok(Reply::of_parts(
        representation,
        written.head,
        payload.filter(|range| !range.range.is_empty()),
    ))
}

/// Returns the start of a chunk in ticks of its samples.
fn start(view: &FragmentView<'_>, of: Rendition, at: Located) -> Start {
    let stream = &view.presentation().streams()[of.stream];
    let (start, _) = view.presentation().chunk_of(at);
    let ticks = stream.timescale().rescale_round(start, view.segment_track(of).timescale);
    Start::Shown(ticks.and_then(|ticks| i64::try_from(ticks).ok()).unwrap_or(i64::MAX))
}

/// Returns the track of a segment. Its first sample is decoded when the chunk starts, so that no time
/// is before the start of the presentation.
fn track(view: &FragmentView<'_>, of: Rendition, head: &Stored) -> Track {
    let first = head.first_offset(view.defaults).max(0).unsigned_abs();
    let track = Track::new(view.segment_track(of).id, view.kind).with_defaults(view.defaults);
    let track = track.delay(first);
    let media = &view.presentation().streams()[of.stream].tracks()[of.track];
    match media.encryption() {
        Some(encryption) => match encryption.key_id {
            Some(key) => track.protection(encryption.iv_size, key),
            None => track,
        },
        None => track,
    }
}
