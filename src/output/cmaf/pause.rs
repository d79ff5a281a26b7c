//! Pauses between the captions of an event, as files of WebVTT without any.

use bytes::Bytes;

use super::{PAUSE, Representation, failed, id};
use crate::base::{Error, ErrorKind};
use crate::captions::{TimestampMap, WebVttSegment};
use crate::presentation::{MediaType, Presentation, Rendition, Reply};

/// Answers with a file of WebVTT that has its header alone.
///
/// # Errors
/// As [`check`].
pub(super) fn answer(
    presentation: &Presentation,
    of: Rendition,
    from: u64,
    to: u64,
) -> Result<Reply, Error> {
    check(presentation, from, to)?;
    let timescale = presentation.streams()[of.stream].timescale();
    let segment = WebVttSegment::new(timescale).with_map(TimestampMap::at(from, timescale));
    let text = segment.write(&[], presentation.limits())?;
    Ok(Reply::of_bytes(representation(presentation, of, from), Bytes::from(text)))
}

/// Checks that playlists may have a pause. Which ones they have is not looked up: a playlist may be from before a
/// restart, or from another origin, and all pauses that begin at one time are alike.
///
/// # Errors
/// [`ErrorKind::NoFragment`] if it is of no event, or ends before its start. Captions may last for no time.
pub(super) fn check(presentation: &Presentation, from: u64, to: u64) -> Result<(), Error> {
    match presentation.is_of_event() && from <= to {
        true => Ok(()),
        false => Err(failed(ErrorKind::NoFragment)),
    }
}

/// Returns the representation of a pause: the same in all snapshots of the event, as long as no track is added.
pub(super) fn representation(
    presentation: &Presentation,
    of: Rendition,
    from: u64,
) -> Representation {
    let validator = presentation.lasting_validator().of_output(id(PAUSE, of, from));
    let media = Representation::media(MediaType::WebVtt, validator);
    media.with_liveness(presentation.liveness())
}
