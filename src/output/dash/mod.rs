//! DASH: the media presentation description (MPD). Its segments are those of
//! [`cmaf`](super::cmaf).

mod elements;
mod events;
mod live;
mod mpd;
mod protection;
mod request;
mod set_ids;
mod switching;
#[cfg(all(test, feature = "live"))]
mod tests;

use bytes::Bytes;

pub use request::Request;

use super::Identity;
use crate::base::Error;
use crate::presentation::{MediaType, Presentation, Reply, Representation, RepresentationId, Tag};

/// Revision of the code that writes the MPD: a part of its validator.
const REVISION: u8 = 1;

/// Answers with an MPD. It is written when it is first asked for.
///
/// # Errors
/// [`ErrorKind::NotServed`](crate::base::ErrorKind::NotServed) for a live folder, and for a presentation
/// without a track that DASH can name; [`ErrorKind::NotYet`](crate::base::ErrorKind::NotYet) for a live
/// event without chunks.
pub fn answer(presentation: &Presentation, request: Request) -> Result<Reply, Error> {
    let (text, representation) = kept(presentation, request)?;
    Ok(Reply::of_bytes(representation, text))
}

/// Returns what is known of the answer without making it.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub fn identify(presentation: &Presentation, request: Request) -> Result<Identity, Error> {
    Ok(Identity::Known(kept(presentation, request)?.1))
}

/// Returns an MPD, which is written if it was not kept, and its representation.
fn kept(presentation: &Presentation, request: Request) -> Result<(Bytes, Representation), Error> {
    let write = || mpd::write(presentation, request).map(Bytes::from);
    let (text, id) = presentation.kept_text(id(request), write)?;
    // It has a hash of the text.
    let validator = presentation.lasting_validator().of_output(id);
    let representation = Representation::text(MediaType::Mpd, validator);
    Ok((text, representation.with_liveness(presentation.liveness())))
}

/// Returns the id of an MPD.
fn id(request: Request) -> RepresentationId {
    let start = match request {
        Request::Mpd => 0,
        Request::MpdWithKeyFrames => 1,
        Request::MpdWithWebVtt => 2,
    };
    RepresentationId { tag: Tag::new(*b"mp"), revision: REVISION, track: 0, start }
}
