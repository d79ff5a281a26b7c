//! Smooth Streaming: the manifest, and fragments under four nouns.

mod options;
mod request;
#[cfg(all(test, feature = "live"))]
mod tests;

use std::sync::Arc;

pub use crate::fragment::Noun;
pub use options::{ManifestFormat, ManifestOption, ManifestOptions};
pub use request::{FragmentRequest, Request};

use super::Identity;

use crate::base::{Error, ErrorKind, Step};
use crate::fragment::{Keep, KeyFrames};
use crate::manifest::StreamKind;
use crate::presentation::{
    FragmentAddress, FragmentView, Need, Presentation, Reply, Representation,
};

/// Answers a request: at once where all is known, else after a read.
///
/// A stored fragment is answered with the range that holds it, byte for byte; only `KeyFrames` of
/// video is put together from a written `moof` and ranges.
///
/// # Errors
/// [`ErrorKind::NoStream`] and similar kinds for something that the presentation does not have; errors
/// of the stored fragment.
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
        Request::Fragment(fragment) => {
            // A located chunk, which nearly every request names, is answered by code of its own.
            let FragmentRequest { bitrate, attributes, stream, time, noun } = fragment;
            match presentation.locate(stream, *bitrate, attributes, *time) {
                Ok(at) => answer_fragment(presentation, FragmentAddress::Chunk(at), *noun),
                Err(_) => answer_unlocated(presentation, fragment),
            }
        }
    }
}

/// Returns what is known of the answer to a request without a read.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub fn identify(presentation: &Presentation, request: &Request<'_>) -> Result<Identity, Error> {
    match request {
        Request::Presentation => Ok(Identity::Redirect),
        Request::Manifest(options) => {
            check(presentation, options)?;
            presentation.manifest()?;
            Ok(Identity::Known(presentation.manifest_representation()))
        }
        Request::Fragment(fragment) => {
            let at = address(presentation, fragment)?;
            let validator = presentation.fragment_validator(at, fragment.noun)?;
            let known = |validator| {
                let known = Representation::media(presentation.kind_of(at), validator);
                Identity::Known(known.with_liveness(presentation.liveness()))
            };
            Ok(validator.map_or(Identity::Unknown, known))
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

fn address(
    presentation: &Presentation,
    request: &FragmentRequest<'_>,
) -> Result<FragmentAddress, Error> {
    let FragmentRequest { bitrate, attributes, stream, time, .. } = request;
    presentation
        .address(stream, *bitrate, attributes, *time)
        .map_err(|kind| Error::request("fragment", kind))
}

#[cold]
fn answer_unlocated(
    presentation: &Arc<Presentation>,
    request: &FragmentRequest<'_>,
) -> Result<Step<Reply>, Error> {
    answer_fragment(presentation, address(presentation, request)?, request.noun)
}

#[inline(always)]
fn answer_fragment(
    presentation: &Arc<Presentation>,
    at: FragmentAddress,
    noun: Noun,
) -> Result<Step<Reply>, Error> {
    // Sound and text decode from any sample: their key frames are all they have.
    match noun == Noun::KeyFrames && presentation.kind_of(at) == StreamKind::Video {
        true => presentation.fragment(at, Need::Head, key_frames),
        false => presentation.fragment(at, Need::Lengths, move |view| Ok(part(view, noun))),
    }
}

/// Returns the part of a stored fragment that a noun asks for.
#[inline(always)]
fn part(view: FragmentView<'_>, noun: Noun) -> Reply {
    let range = view.lengths.part(noun);
    match view.is_stored() {
        true => Reply::of_stored(representation(&view, noun), view.stored(range)),
        false => Reply::of_pieces(representation(&view, noun), view.pieces(range).collect()),
    }
}

/// Returns the key samples of a fragment, or the fragment if it has no others.
fn key_frames(view: FragmentView<'_>) -> Result<Reply, Error> {
    let noun = Noun::KeyFrames;
    let cut = match view.head() {
        Some(head) => KeyFrames::cut(head, Keep::All, view.defaults, view.presentation().limits())?,
        None => None,
    };
    let Some(KeyFrames { head, samples }) = cut else { return Ok(part(view, noun)) };
    let samples = samples.into_iter().flat_map(|range| view.pieces(range));
    Ok(Reply::of_parts(representation(&view, noun), head, samples))
}

#[inline]
fn representation(view: &FragmentView<'_>, noun: Noun) -> Representation {
    Representation::media(view.kind, view.validator(noun)).with_liveness(view.liveness())
}
