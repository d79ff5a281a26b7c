//! The header of a track: its initialization segment.

use super::{HEADER, Representation, WVTT_HEADER, failed, id};
use crate::base::{Error, ErrorKind};
use crate::presentation::{Form, Liveness, Presentation, Rendition, Reply, Tag};

/// Answers with the header. It is written when it is first asked for.
///
/// # Errors
/// [`ErrorKind::NotServed`] if the codec has no sample entry that could be written.
pub(super) fn answer(presentation: &Presentation, of: Rendition) -> Result<Reply, Error> {
    let text = presentation.kept(id(tag(of), of, 0), || {
        let stream = &presentation.streams()[of.stream];
        match of.form {
            Form::Stored | Form::KeyFrames => {
                presentation.init_segment(stream, &stream.tracks()[of.track])
            }
            Form::Wvtt => presentation.wvtt_init_segment(stream, &stream.tracks()[of.track]),
            Form::WebVtt => Err(failed(ErrorKind::NoFragment)),
        }
    })?;
    Ok(Reply::of_bytes(representation(presentation, of), text))
}

/// Returns the representation of the header.
pub(super) fn representation(presentation: &Presentation, of: Rendition) -> Representation {
    let validator = presentation.lasting_validator().of_output(id(tag(of), of, 0));
    let liveness = match presentation.live() {
        Some(_) => Liveness::Live,
        None => Liveness::Final,
    };
    let kind = presentation.streams()[of.stream].kind();
    Representation::init(kind, validator).with_liveness(liveness)
}

/// Returns the kind of a header: all forms of a track but one share theirs.
fn tag(of: Rendition) -> Tag {
    match of.form {
        Form::Stored | Form::KeyFrames | Form::WebVtt => HEADER,
        Form::Wvtt => WVTT_HEADER,
    }
}
