//! HLS: the multivariant playlist and the media playlists. Their segments are those of
//! [`cmaf`](super::cmaf).

mod attributes;
mod clock;
mod length;
mod media;
mod multivariant;
mod protection;
mod request;
mod splices;
#[cfg(all(test, feature = "live"))]
mod tests;
mod times;

use bytes::Bytes;

pub use request::Request;

use super::Identity;
use crate::base::{Error, ErrorKind};
use crate::presentation::{
    Form, MediaType, Presentation, Rendition, Reply, Representation, RepresentationId, Tag,
    Validator,
};

/// Revision of the code that writes playlists: a part of their validators.
const REVISION: u8 = 2;

const MULTIVARIANT: Tag = Tag::new(*b"hm");
const MEDIA: Tag = Tag::new(*b"hp");

/// Answers with a playlist. It is written when it is first asked for.
///
/// # Errors
/// [`ErrorKind::NoTrack`] for the playlist of a track that the presentation does not have;
/// [`ErrorKind::NotServed`] for a presentation without a track that HLS can name;
/// [`ErrorKind::NotYet`] for a live event without chunks; the reason why a track has no media.
pub fn answer(presentation: &Presentation, request: Request<'_>) -> Result<Reply, Error> {
    let playlist = Playlist::of(presentation, request)?;
    let (text, representation) = playlist.kept(presentation)?;
    Ok(Reply::of_bytes(representation, text))
}

/// Returns what is known of the answer without making it.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub fn identify(presentation: &Presentation, request: Request<'_>) -> Result<Identity, Error> {
    let playlist = Playlist::of(presentation, request)?;
    Ok(Identity::Known(match playlist.is_hashed(presentation) {
        // It may have nothing to list, and its validator is that of its text.
        true => playlist.kept(presentation)?.1,
        false => representation(presentation, playlist.id()),
    }))
}

/// A playlist of a presentation.
#[derive(Clone, Copy)]
enum Playlist {
    /// With text in this form.
    Multivariant(Form),
    Media(Rendition),
}

impl Playlist {
    fn of(presentation: &Presentation, request: Request<'_>) -> Result<Self, Error> {
        let name = match request {
            Request::Multivariant => return Ok(Self::Multivariant(Form::WebVtt)),
            Request::MultivariantWithTtml => return Ok(Self::Multivariant(Form::Stored)),
            Request::Media(name) => name,
        };
        let failed = |kind| Error::request("playlist", kind);
        let found = presentation.find_rendition(name);
        let found = found.ok_or_else(|| failed(ErrorKind::NoTrack))?;
        if presentation.is_left_out(found.stream, found.track) {
            return Err(failed(ErrorKind::NoTrack));
        }
        let track = &presentation.streams()[found.stream].tracks()[found.track];
        track.check_media().map_err(failed)?;
        Ok(Self::Media(found))
    }

    fn id(self) -> RepresentationId {
        let (tag, track, start) = match self {
            Self::Multivariant(Form::Stored) => (MULTIVARIANT, 0, 1),
            Self::Multivariant(_) => (MULTIVARIANT, 0, 0),
            Self::Media(rendition) => (MEDIA, rendition.number(), rendition.form as u64),
        };
        RepresentationId { tag, revision: REVISION, track, start }
    }

    /// Returns whether it changes with its text alone. One text may be that of many snapshots of an event: in most of
    /// them, other tracks have grown.
    fn is_hashed(self, presentation: &Presentation) -> bool {
        match self {
            Self::Multivariant(_) => true,
            Self::Media(_) => presentation.is_grown(),
        }
    }

    /// Returns its text, which is written if it was not kept, and the representation.
    fn kept(self, presentation: &Presentation) -> Result<(Bytes, Representation), Error> {
        let write = || self.write(presentation).map(Bytes::from);
        match self.is_hashed(presentation) {
            true => {
                let (text, id) = presentation.kept_text(self.id(), write)?;
                let validator = presentation.lasting_validator().of_output(id);
                Ok((text, of_validator(presentation, validator)))
            }
            false => {
                let text = presentation.kept(self.id(), write)?;
                Ok((text, representation(presentation, self.id())))
            }
        }
    }

    fn write(self, presentation: &Presentation) -> Result<String, Error> {
        match self {
            Self::Multivariant(text) => multivariant::write(presentation, text),
            Self::Media(rendition) => media::write(presentation, rendition),
        }
    }
}

fn representation(presentation: &Presentation, id: RepresentationId) -> Representation {
    of_validator(presentation, presentation.validator().of_output(id))
}

fn of_validator(presentation: &Presentation, validator: Validator) -> Representation {
    let text = Representation::text(MediaType::Playlist, validator);
    text.with_liveness(presentation.liveness())
}
