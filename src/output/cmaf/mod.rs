//! Segments and headers of CMAF, which DASH and HLS share.
//!
//! A segment is a written `moof` and the stored samples; a header is written from the stored sample
//! entry. Text is also served as WebVTT, in files and in segments.

mod caption_segment;
mod captions_between;
mod changed_segment;
mod documents;
mod header;
mod request;
mod segment;
mod silence;
#[cfg(all(test, feature = "live"))]
mod tests;
mod time_base;

use std::sync::Arc;

use changed_segment::Change;
pub use request::{Part, Request};

use super::Identity;
use crate::base::{Error, ErrorKind, Step};
use crate::fragment::Noun;
use crate::manifest::StreamKind;
use crate::presentation::{
    Beginning, Form, FragmentAddress, Gap, Located, MediaType, Presentation, Rendition, Reply,
    Representation, RepresentationId, Tag, Validator,
};

/// Revision of the code that writes segments and headers: a part of their validators.
const REVISION: u8 = 1;

const HEADER: Tag = Tag::new(*b"in");
const SEGMENT: Tag = Tag::new(*b"sg");
const KEY_FRAMES: Tag = Tag::new(*b"ky");
const WEB_VTT: Tag = Tag::new(*b"vt");
const CHANGED: Tag = Tag::new(*b"sh");
const SILENCE: Tag = Tag::new(*b"sl");
const CAPTIONS: Tag = Tag::new(*b"ps");
const WVTT: Tag = Tag::new(*b"wv");
const WVTT_HEADER: Tag = Tag::new(*b"wi");

/// Answers a request: a segment after a read of its head, a header at once.
///
/// # Errors
/// [`ErrorKind::NoTrack`] and similar kinds for something that the presentation does not have;
/// [`ErrorKind::NotSliceable`] for a fragment that cannot be a segment of CMAF; errors of the stored
/// fragment.
pub fn answer(
    presentation: &Arc<Presentation>,
    request: &Request<'_>,
) -> Result<Step<Reply>, Error> {
    let of = rendition(presentation, request)?;
    let time = match request.part {
        Part::Init => return header::answer(presentation, of).map(Step::Ready),
        Part::Silence { from, to } => {
            return silence::answer(presentation, of, from, to).map(Step::Ready);
        }
        Part::Captions { from, to } => {
            return captions_between::answer(presentation, of, from, to);
        }
        Part::Cut { time, from } => {
            check_cut(presentation, of, time, from)?;
            let at = presentation.segment(of, time).map_err(failed)?;
            return changed_segment::answer(presentation, of, at, Change::From(from));
        }
        Part::Held { time, until } => {
            check_held(presentation, of, time, until)?;
            let at = presentation.segment(of, time).map_err(failed)?;
            return changed_segment::answer(presentation, of, at, Change::Until(until));
        }
        Part::Segment(time) | Part::Text(time) => time,
    };
    let at = presentation.segment(of, time).map_err(failed)?;
    match presentation.streams()[of.stream].kind() {
        StreamKind::Text => caption_segment::answer(presentation, of, at),
        StreamKind::Video | StreamKind::Audio => segment::answer(presentation, of, at),
    }
}

/// Returns what is known of the answer to a request without a read.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub fn identify(presentation: &Presentation, request: &Request<'_>) -> Result<Identity, Error> {
    let of = rendition(presentation, request)?;
    let time = match request.part {
        Part::Init => return Ok(Identity::Known(header::representation(presentation, of))),
        Part::Silence { from, to } => {
            silence::check(presentation, of, from, to)?;
            return Ok(Identity::Known(silence::representation(presentation, of, from)));
        }
        Part::Captions { from, to } => {
            return captions_between::identify(presentation, of, from, to);
        }
        Part::Cut { time, from } => {
            check_cut(presentation, of, time, from)?;
            time
        }
        Part::Held { time, until } => {
            check_held(presentation, of, time, until)?;
            time
        }
        Part::Segment(time) | Part::Text(time) => time,
    };
    let at = presentation.segment(of, time).map_err(failed)?;
    let known = presentation.fragment_validator(FragmentAddress::Chunk(at), Noun::Fragments)?;
    let known = known.map(|stored| match request.part {
        Part::Cut { .. } | Part::Held { .. } => {
            changed_segment::representation(presentation, stored, of, at)
        }
        _ => representation(presentation, stored, of, at),
    });
    let known = known.map(|known| known.with_liveness(presentation.liveness()));
    Ok(known.map_or(Identity::Unknown, Identity::Known))
}

/// Finds the track that a request names, and checks that it has such a part.
fn rendition(presentation: &Presentation, request: &Request<'_>) -> Result<Rendition, Error> {
    let found = presentation.find_rendition(request.rendition);
    let found = found.ok_or_else(|| failed(ErrorKind::NoTrack))?;
    let is_part = match request.part {
        Part::Init
        | Part::Segment(_)
        | Part::Cut { .. }
        | Part::Held { .. }
        | Part::Silence { .. } => found.form != Form::WebVtt,
        Part::Text(_) | Part::Captions { .. } => found.form == Form::WebVtt,
    };
    match is_part {
        true => Ok(found),
        false => Err(failed(ErrorKind::NoFragment)),
    }
}

/// Checks that a playlist of HLS begins with this segment.
fn check_cut(
    presentation: &Presentation,
    of: Rendition,
    time: u64,
    from: u64,
) -> Result<(), Error> {
    match presentation.beginning(of) {
        Beginning::Later { first, begin, is_cut: true } if (first.start, begin) == (time, from) => {
            Ok(())
        }
        _ => Err(failed(ErrorKind::NoFragment)),
    }
}

/// Checks that a gap of the pictures alone is behind this segment.
fn check_held(
    presentation: &Presentation,
    of: Rendition,
    time: u64,
    until: u64,
) -> Result<(), Error> {
    let segment = presentation.segment_before(of, time).filter(|segment| segment.start == time);
    match segment.and_then(|segment| presentation.gaps(of).after(&segment)) {
        Some(Gap::Held { until: held }) if held == until => Ok(()),
        _ => Err(failed(ErrorKind::NoFragment)),
    }
}

fn failed(kind: ErrorKind) -> Error {
    Error::request("segment", kind)
}

/// Returns the representation of the segment of a chunk. `stored` is the validator of the stored
/// fragment.
fn representation(
    presentation: &Presentation,
    stored: Validator,
    of: Rendition,
    at: Located,
) -> Representation {
    let kind = presentation.streams()[of.stream].kind();
    let (tag, media_type) = match of.form {
        Form::Stored => (SEGMENT, MediaType::from(kind)),
        Form::KeyFrames => (KEY_FRAMES, MediaType::from(kind)),
        Form::WebVtt => (WEB_VTT, MediaType::WebVtt),
        Form::Wvtt => (WVTT, MediaType::from(kind)),
    };
    let (start, _) = presentation.chunk_of(at);
    Representation::media(media_type, stored.of_output(id(tag, of, start)))
}

/// Returns the id of a part of a track.
fn id(tag: Tag, of: Rendition, start: u64) -> RepresentationId {
    RepresentationId { tag, revision: REVISION, track: of.number(), start }
}
