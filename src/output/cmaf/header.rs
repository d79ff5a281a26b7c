//! The header of a track: its initialization segment.

use super::{HEADER, Representation, WVTT_HEADER, failed, id};
use crate::base::{Error, ErrorKind};
use crate::presentation::{Form, Presentation, Rendition, Reply, Tag};

/// Answers with the header. It is written when it is first asked for.
///
/// # Errors
/// [`ErrorKind::NotServed`] if the codec has no sample entry that could be written.
pub(super) fn answer(presentation: &Presentation, of: Rendition) -> Result<Reply, Error> {
    let stream = &presentation.streams()[of.stream];
    let track = &stream.tracks()[of.track];
    let text = presentation.kept_header((track, id(tag(of), of, 0)), || match of.form {
        Form::Stored | Form::KeyFrames => presentation.init_segment(stream, track),
        Form::Wvtt => presentation.wvtt_init_segment(stream, track),
        Form::WebVtt => Err(failed(ErrorKind::NoFragment)),
    })?;
    Ok(Reply::of_bytes(representation(presentation, of), text))
}

/// Returns the representation of the header.
pub(super) fn representation(presentation: &Presentation, of: Rendition) -> Representation {
    let validator = presentation.lasting_validator().of_output(id(tag(of), of, 0));
    let kind = presentation.streams()[of.stream].kind();
    Representation::init(kind, validator).with_liveness(presentation.liveness())
}

/// Returns the kind of a header: all forms of a track but one share theirs.
fn tag(of: Rendition) -> Tag {
    match of.form {
        Form::Stored | Form::KeyFrames | Form::WebVtt => HEADER,
        Form::Wvtt => WVTT_HEADER,
    }
}
