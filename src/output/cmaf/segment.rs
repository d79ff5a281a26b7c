//! The segment of a chunk.

use std::sync::Arc;

use super::id;
use crate::base::{Error, Step};
use crate::fragment::cmaf::{self, Start, Track};
use crate::fragment::{Keep, KeyFrames, Noun, Parsed, Stored};
use crate::output::Identity;
use crate::presentation::{
    Form, FragmentAddress, FragmentView, MediaType, Need, Presentation, Rendition, Reply,
    Representation, Tag, Validator,
};

const SEGMENT: Tag = Tag::new(*b"sg");
const KEY_FRAMES: Tag = Tag::new(*b"ky");

/// Answers with a segment, after a read of the stored head.
///
/// # Errors
/// Errors of the stored fragment, and of its rewriting.
pub(super) fn answer(
    presentation: &Arc<Presentation>,
    of: Rendition,
    at: FragmentAddress,
) -> Result<Step<Reply>, Error> {
    presentation.fragment(at, Need::Head, move |view| reply(view, of, at))
}

/// Returns what is known of a segment without a read.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub(super) fn identify(
    presentation: &Presentation,
    of: Rendition,
    at: FragmentAddress,
) -> Result<Identity, Error> {
    let known = presentation.fragment_validator(at, Noun::Fragments)?;
    let known = known.map(|validator| representation(presentation, validator, of, at));
    Ok(known.map_or(Identity::Unknown, Identity::Known))
}

fn representation(
    presentation: &Presentation,
    stored: Validator,
    of: Rendition,
    at: FragmentAddress,
) -> Representation {
    let tag = match of.form {
        Form::Stored => SEGMENT,
        Form::KeyFrames => KEY_FRAMES,
        Form::WebVtt | Form::WebVttSamples => todo!(),
    };
    let kind = presentation.streams()[of.stream].kind();
    let validator = stored.of_output(id(tag, of, presentation.start_of(at)));
    Representation::media(MediaType::from(kind), validator)
}

/// Makes a segment of a fragment of which the head was read.
fn reply(view: &FragmentView<'_>, of: Rendition, at: FragmentAddress) -> Result<Reply, Error> {
    let presentation = view.presentation();
    let representation =
        representation(presentation, view.validator(Noun::Fragments), of, at).with_liveness(view.liveness());
    let limits = presentation.limits();
    let head = view.head().ok_or_else(|| super::failed(crate::base::ErrorKind::NoFragment))?;
    let start = presentation.start_of(at);
    let start = i64::try_from(view.rescaled(start)).unwrap_or(i64::MAX);
    let track = |head: &Stored| {
        let offset = head.first_offset().max(0).unsigned_abs();
        Track::new(view.track_id(), view.kind).with_defaults(view.defaults).delay(offset)
    };
    if of.form == Form::KeyFrames
        && let Some(cut) = KeyFrames::cut(head, Keep::First, view.defaults, limits)?
    {
        let bytes: u64 = cut.samples.iter().map(|range| range.end - range.start).sum();
        let bound = cut.head.len() as u64 + bytes;
        if let Parsed::Whole(head) = Stored::parse(&cut.head, 0, bound, limits)? {
            let written = cmaf::rewrite_stored(&head, Start::Shown(start), &track(&head), limits)?;
            let samples = cut.samples.into_iter().map(|range| view.stored(range));
            return Ok(Reply::of_parts(representation, written.head, samples));
        }
    }
    let written = cmaf::rewrite_stored(head, Start::Shown(start), &track(head), limits)?;
    let payload = view.stored(written.payload);
    Ok(Reply::of_parts(representation, written.head, [payload].into_iter()))
}
