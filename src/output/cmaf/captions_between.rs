//! The captions of an event from one time to another, as a file of WebVTT: a segment of HLS that is as long as one of
//! the pictures.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::{CAPTIONS, Identity, caption_segment, failed, id};
use crate::base::{Error, Limits, Step};
use crate::captions::{Cue, CueSettings, TimestampMap, WebVttSegment};
use crate::fragment::Noun;
use crate::presentation::{
    ContentHash, FragmentAddress, Located, MediaType, Presentation, Rendition, Reply,
    Representation, Validator,
};

/// Answers with the captions, after a read of each fragment that has some.
///
/// # Errors
/// Those of [`captions_between`](Presentation::captions_between); errors of the stored fragments. A document that cannot
/// be read has no captions.
pub(super) fn answer(
    presentation: &Arc<Presentation>,
    of: Rendition,
    from: u64,
    to: u64,
) -> Result<Step<Reply>, Error> {
    let mut rest = presentation.captions_between(of, from, to).map_err(failed)?;
    rest.reverse();
    let (cues, known, hash) = (Vec::new(), HashSet::new(), ContentHash::new(""));
    gather(presentation, Gathered { of, from, to, rest, cues, known, bytes: 0, hash })
}

/// Returns what is known of the answer without a read.
///
/// # Errors
/// As [`answer`], as far as is known already.
pub(super) fn identify(
    presentation: &Presentation,
    of: Rendition,
    from: u64,
    to: u64,
) -> Result<Identity, Error> {
    let mut hash = ContentHash::new("");
    for at in presentation.captions_between(of, from, to).map_err(failed)? {
        let address = FragmentAddress::Chunk(at);
        match presentation.fragment_validator(address, Noun::Fragments)? {
            Some(validator) => add(&mut hash, validator),
            None => return Ok(Identity::Unknown),
        }
    }
    Ok(Identity::Known(representation(presentation, of, (from, to), hash)))
}

/// The captions that were read.
struct Gathered {
    of: Rendition,
    from: u64,
    to: u64,
    /// Fragments that were not read. The last is taken first.
    rest: Vec<Located>,
    cues: Vec<Cue>,
    /// Times, places and texts of the cues.
    known: HashSet<(u64, u64, CueSettings, String)>,
    /// Bytes of the texts.
    bytes: u64,
    /// Hash of the validators of the fragments that were read.
    hash: ContentHash,
}

fn gather(presentation: &Arc<Presentation>, mut all: Gathered) -> Result<Step<Reply>, Error> {
    // What is there at once is taken in a loop: there may be many.
    while let Some(at) = all.rest.pop() {
        match caption_segment::cues(presentation, at)? {
            Step::Ready(found) => all.take(found, presentation.limits())?,
            reads @ Step::Read(_) => {
                let presentation = Arc::clone(presentation);
                return reads.and_then(move |found| {
                    all.take(found, presentation.limits())?;
                    gather(&presentation, all)
                });
            }
        }
    }
    all.reply(presentation).map(Step::Ready)
}

impl Gathered {
    /// Takes the cues of a fragment that are shown then. Each has the times that it has in all other segments, and one
    /// that several fragments repeat is there once.
    ///
    /// Spec: RFC 8216, 3.5.
    fn take(
        &mut self,
        (cues, validator): (Vec<Cue>, Validator),
        limits: &Limits,
    ) -> Result<(), Error> {
        for cue in cues {
            let is_shown = cue.start < self.to && cue.end > self.from;
            let key = || (cue.whole_start, cue.whole_end, cue.settings, cue.text.clone());
            if is_shown && self.known.insert(key()) {
                self.bytes = self.bytes.saturating_add(cue.text.len() as u64);
                self.cues.push(cue);
            }
        }
        add(&mut self.hash, validator);
        Limits::check("cues", self.cues.len() as u64, limits.cues as u64)?;
        Ok(Limits::check("bytes of captions", self.bytes, limits.caption_bytes)?)
    }

    fn reply(self, presentation: &Presentation) -> Result<Reply, Error> {
        let Self { of, from, to, cues, hash, .. } = self;
        let timescale = presentation.streams()[of.stream].timescale();
        let segment = WebVttSegment::new(timescale).with_map(TimestampMap::at(from, timescale));
        let text = segment.with_whole_times(true).write(&cues, presentation.limits())?;
        let representation = representation(presentation, of, (from, to), hash);
        Ok(Reply::of_bytes(representation, Bytes::from(text)))
    }
}

fn add(hash: &mut ContentHash, validator: Validator) {
    hash.part(Some(validator.to_string().as_bytes()));
}

/// Returns the representation, which changes with the fragments that it is made of: captions may come late.
fn representation(
    presentation: &Presentation,
    of: Rendition,
    (from, to): (u64, u64),
    mut hash: ContentHash,
) -> Representation {
    [from, to].into_iter().for_each(|time| hash.number(time));
    // Half of it is enough among the segments of a track.
    let id = id(CAPTIONS, of, hash.finish() as u64);
    let media =
        Representation::media(MediaType::WebVtt, presentation.lasting_validator().of_output(id));
    media.with_liveness(presentation.liveness_of_captions(of.stream, to))
}
