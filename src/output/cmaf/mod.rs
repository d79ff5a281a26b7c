//! Segments and headers of CMAF, which DASH and HLS share.
//!
//! A segment is a written `moof` and the stored samples; a header is written from the stored sample
//! entry.

mod header;
mod request;
mod segment;

use std::sync::Arc;

pub use request::{Part, Request};

use super::Identity;
use crate::base::{Error, ErrorKind, Step};
use crate::presentation::{
    Form, FragmentAddress, Presentation, Rendition, Reply, Representation, RepresentationId, Tag,
};

/// Revision of the code that writes segments and headers: a part of their validators.
const REVISION: u8 = 0;

/// Header of a track.
const HEADER: Tag = Tag::new(*b"in");

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
    match request.part {
        Part::Init => header::answer(presentation, of).map(Step::Ready),
        Part::Segment(time) | Part::Text(time) => {
            let at = address(presentation, of, time)?;
            segment::answer(presentation, of, at)
        }
    }
}

/// Returns what is known of the answer to a request without a read.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub fn identify(presentation: &Presentation, request: &Request<'_>) -> Result<Identity, Error> {
    let of = rendition(presentation, request)?;
    match request.part {
        Part::Init => Ok(Identity::Known(header::representation(presentation, of))),
        Part::Segment(time) | Part::Text(time) => {
            let at = address(presentation, of, time)?;
            segment::identify(presentation, of, at)
        }
    }
}

/// Finds the track that a request names, and checks that it has such a part.
fn rendition(presentation: &Presentation, request: &Request<'_>) -> Result<Rendition, Error> {
    let found = presentation.find_rendition(request.rendition);
    let found = found.ok_or_else(|| failed(ErrorKind::NoTrack))?;
    let is_part = match request.part {
        Part::Init | Part::Segment(_) => found.form != Form::WebVtt,
        Part::Text(_) => found.form == Form::WebVtt,
    };
    match is_part {
        true => Ok(found),
        false => Err(failed(ErrorKind::NoFragment)),
    }
}

fn address(
    presentation: &Presentation,
    of: Rendition,
    time: u64,
) -> Result<FragmentAddress, Error> {
    presentation.segment(of, time).map_err(failed)
}

fn failed(kind: ErrorKind) -> Error {
    Error::request("segment", kind)
}

/// Returns the id of a part of a track.
fn id(tag: Tag, of: Rendition, start: u64) -> RepresentationId {
    RepresentationId { tag, revision: REVISION, track: of.number(), start }
}
