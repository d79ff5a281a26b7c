//! Smooth Streaming: the manifest, and fragments under four nouns.

mod options;
mod request;

use std::sync::Arc;

pub use crate::fragment::Noun;
pub use options::{ManifestFormat, ManifestOption, ManifestOptions};
pub use request::{FragmentRequest, Request};

use super::Identity;

use crate::base::{Error, ErrorKind, Step};
use crate::fragment::{Defaults, KeyFrames};
use crate::manifest::StreamKind;
use crate::presentation::{
    Content, Located, LocatedFile, Presentation, Probed, Reply, StoredRange,
};

/// Answers a request: at once where all is known, else after a read.
///
/// A stored fragment is answered with the range that holds it, byte for byte; only `KeyFrames` of
/// video is put together from a written `moof` and ranges.
///
/// # Errors
/// What is not there ([`ErrorKind::NoStream`] and its kind), or
/// what is wrong with the stored fragment.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use smooth_origin::presentation::Presentation;
/// # use smooth_origin::base::{Error, Step};
/// use smooth_origin::output::mss::{Request, answer};
/// # fn main() -> Result<(), Error> {
/// # let presentation: Arc<Presentation> = unimplemented!();
/// let request = Request::parse("QualityLevels(952962)/Fragments(video=0)", None)?;
/// match answer(&presentation, &request)? {
///     Step::Ready(reply) => println!("{} bytes, nothing to read first", reply.length()),
///     Step::Read(reads) => println!("wants {:?}", reads.wanted()),
/// }
/// # Ok(())
/// # }
/// ```
pub fn answer(
    presentation: &Arc<Presentation>,
    request: &Request<'_>,
) -> Result<Step<Reply>, Error> {
    match request {
        Request::Presentation => presentation.manifest_reply().map(Step::Ready),
        Request::Manifest(options) => {
            check(presentation, options)?;
            presentation.manifest_reply().map(Step::Ready)
        }
        Request::Fragment(fragment) => match locate(presentation, fragment) {
            Ok(at) => answer_fragment(presentation, at, fragment.noun),
            Err(error) => answer_unannounced(presentation, fragment, error),
        },
    }
}

/// Returns what is known of the answer to a request without a read.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub fn identify(presentation: &Presentation, request: &Request<'_>) -> Result<Identity, Error> {
    let manifest = presentation.validator();
    match request {
        Request::Presentation => Ok(Identity::Redirect),
        Request::Manifest(options) => {
            check(presentation, options)?;
            presentation.manifest()?;
            Ok(Identity::Known(Content::Manifest, manifest))
        }
        Request::Fragment(fragment) => {
            let at = match locate(presentation, fragment) {
                Err(error) if unannounced(presentation, fragment, &error).is_some() => {
                    return Ok(Identity::Unknown);
                }
                located => located?,
            };
            let (track_id, start) = match presentation.start_of(at) {
                Err(_) if presentation.file_of(at).is_some() => return Ok(Identity::Unknown),
                start => start?,
            };
            let content = Content::Fragment(presentation.stream_of(at).kind());
            Ok(Identity::Known(content, manifest.of_fragment(track_id, start, fragment.noun)))
        }
    }
}

/// Checks that all options of a manifest request are served for this presentation.
fn check(presentation: &Presentation, options: &ManifestOptions<'_>) -> Result<(), Error> {
    options.check()?;
    if options.without_repeats && presentation.manifest_has_repeats()? {
        let what = "a manifest without repeated chunks";
        return Err(Error::request("manifest options", ErrorKind::NotServed(what)));
    }
    Ok(())
}

fn locate(presentation: &Presentation, request: &FragmentRequest<'_>) -> Result<Located, Error> {
    let FragmentRequest { bitrate, attributes, stream, time, .. } = request;
    presentation
        .locate(stream, *bitrate, attributes, *time)
        .map_err(|kind| Error::request("fragment", kind))
}

/// Returns the file that a live stream may have for a time that it does not announce.
#[cold]
fn unannounced(
    presentation: &Presentation,
    request: &FragmentRequest<'_>,
    error: &Error,
) -> Option<LocatedFile> {
    let FragmentRequest { bitrate, attributes, stream, time, .. } = request;
    match error.kind {
        ErrorKind::NoFragment => presentation.unannounced_file(stream, *bitrate, attributes, *time),
        _ => None,
    }
}

#[cold]
fn answer_unannounced(
    presentation: &Arc<Presentation>,
    request: &FragmentRequest<'_>,
    error: Error,
) -> Result<Step<Reply>, Error> {
    match unannounced(presentation, request, &error) {
        Some(at) => answer_file(presentation, at, request.noun),
        None => Err(error),
    }
}

/// Answers a request for a fragment that cannot be located in a track's file, because it has a file
/// of its own or because of `error`.
#[cold]
fn answer_otherwise(
    presentation: &Arc<Presentation>,
    at: Located,
    noun: Noun,
    error: Error,
) -> Result<Step<Reply>, Error> {
    match presentation.file_of(at) {
        Some(file) => answer_file(presentation, file, noun),
        None => Err(error),
    }
}

/// Answers with a fragment, or a part of it, from a file of its own.
fn answer_file(
    presentation: &Arc<Presentation>,
    at: LocatedFile,
    noun: Noun,
) -> Result<Step<Reply>, Error> {
    let kind = presentation.streams()[at.stream].kind();
    presentation.look_at_file(at, move |presentation, probed| {
        match noun == Noun::KeyFrames && kind == StreamKind::Video {
            true => key_frames_reply(presentation, Defaults::default(), &probed),
            false => Ok(reply(presentation, kind, noun, &probed)),
        }
    })
}

fn answer_fragment(
    presentation: &Arc<Presentation>,
    at: Located,
    noun: Noun,
) -> Result<Step<Reply>, Error> {
    let kind = presentation.stream_of(at).kind();
    // Sound and text decode from any sample: their key frames are all they have.
    if noun == Noun::KeyFrames && kind == StreamKind::Video {
        if let Some(file) = presentation.file_of(at) {
            return answer_file(presentation, file, noun);
        }
        return presentation.probe(at, move |presentation, probed| {
            let defaults = presentation.track_of(at).stored()?.defaults;
            key_frames_reply(presentation, defaults, &probed)
        });
    }
    match presentation.known(at) {
        Ok(Some(known)) => {
            let (range, validator) = known.part(presentation, noun);
            Ok(Step::Ready(Reply::of_stored(Content::Fragment(kind), validator, range)))
        }
        Ok(None) => presentation
            .probe(at, move |presentation, probed| Ok(reply(presentation, kind, noun, &probed))),
        Err(error) => answer_otherwise(presentation, at, noun, error),
    }
}

/// The part of a stored fragment that a noun is for.
fn reply(presentation: &Presentation, kind: StreamKind, noun: Noun, probed: &Probed) -> Reply {
    let validator = probed.validator(presentation, noun);
    let part = probed.lengths.part(noun);
    let range = stored_range(probed, part.start, part.end);
    let mut reply = Reply::of_stored(Content::Fragment(kind), validator, range);
    reply.set_liveness(probed.liveness());
    reply
}

/// The key samples of a fragment; the fragment where it has no others.
fn key_frames_reply(
    presentation: &Presentation,
    defaults: Defaults,
    probed: &Probed,
) -> Result<Reply, Error> {
    let (kind, noun) = (StreamKind::Video, Noun::KeyFrames);
    let cut = match &probed.stored {
        Some(stored) => KeyFrames::cut(stored, defaults, presentation.limits())?,
        None => None,
    };
    let Some(cut) = cut else { return Ok(reply(presentation, kind, noun, probed)) };
    let validator = probed.validator(presentation, noun);
    let range = |range: &std::ops::Range<u64>| stored_range(probed, range.start, range.end);
    let ranges = cut.samples.iter().map(range);
    let mut reply = Reply::of_parts(Content::Fragment(kind), validator, cut.head, ranges);
    reply.set_liveness(probed.liveness());
    Ok(reply)
}

/// Bytes `from..to` of the fragment, as a range of its file.
fn stored_range(probed: &Probed, from: u64, to: u64) -> StoredRange {
    let range = probed.start + from..probed.start + to;
    StoredRange::new(probed.file, range, &probed.read, probed.start)
}
