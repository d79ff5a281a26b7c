//! The captions of a chunk: as WebVTT, or as documents whose times count from the presentation.

use std::sync::Arc;

use bytes::Bytes;

use super::documents::{Captions, Documents, Times, payload, sample_ends};
use super::{failed, representation, segment, time_base};
use crate::base::{Error, ErrorKind, Limits, Step, Timescale};
use crate::captions::{
    Cue, TimeBase, TimestampMap, WebVttSegment, Window, ttml_document, wvtt_samples,
};
use crate::fragment::Noun;
use crate::presentation::{
    Form, FragmentAddress, FragmentView, Located, Need, Presentation, Rendition, Reply,
    Representation, StoredRange, Validator,
};

/// Answers with the captions of a chunk, after a read of its fragment.
///
/// # Errors
/// Errors of the stored fragment; errors of a document that cannot be read, if it is wanted as WebVTT.
pub(super) fn answer(
    presentation: &Arc<Presentation>,
    of: Rendition,
    at: Located,
) -> Result<Step<Reply>, Error> {
    let address = FragmentAddress::Chunk(at);
    let found = presentation.fragment(address, Need::Head, move |view| find(&view, of, at))?;
    let presentation = Arc::clone(presentation);
    found.and_then(move |found| {
        let times = Times::of(&presentation, at);
        let StoredRange { range, .. } = &found.stored;
        let length = range.end - range.start;
        let limits = presentation.limits();
        if length > limits.caption_document
            && let Answered::Stored { reply, .. } = found.answered
        {
            return Ok(Step::Ready(reply));
        }
        Limits::check("bytes of captions", length, limits.caption_document)?;
        let samples = found.samples.clone();
        read(&presentation, at, found.stored.clone(), samples)?.and_then(
            move |(documents, base)| {
                found.reply(&presentation, at, documents, base, &times).map(Step::Ready)
            },
        )
    })
}

/// Returns the cues of a chunk and the validator of its fragment, after a read of that. A document that cannot be read,
/// or is too large, has none, and is reported.
///
/// # Errors
/// Errors of the stored fragment.
pub(super) fn cues(
    presentation: &Arc<Presentation>,
    at: Located,
) -> Result<Step<(Vec<Cue>, Validator)>, Error> {
    let address = FragmentAddress::Chunk(at);
    let found = presentation.fragment(address, Need::Head, move |view| {
        let stored = view.stored(view.lengths.payload..view.lengths.len);
        Ok((stored, sample_ends(&view, at), view.validator(Noun::Fragments)))
    })?;
    let presentation = Arc::clone(presentation);
    found.and_then(move |(stored, samples, validator)| {
        let limits = presentation.limits();
        let length = stored.range.end - stored.range.start;
        if let Err(error) = Limits::check("bytes of captions", length, limits.caption_document) {
            presentation.notice_unreadable(at, &error.into());
            return Ok(Step::Ready((Vec::new(), validator)));
        }
        read(&presentation, at, stored, samples)?.and_then(move |(documents, base)| {
            let (times, limits) = (Times::of(&presentation, at), presentation.limits());
            let captions = documents.and_then(|of| of.captions(base, &times, limits));
            let cues = match captions {
                Ok(captions) => {
                    presentation.notice_losses(at, &captions.losses);
                    captions.cues
                }
                Err(error) => {
                    presentation.notice_unreadable(at, &error);
                    Vec::new()
                }
            };
            Ok(Step::Ready((cues, validator)))
        })
    })
}

/// The documents of a chunk, and the point that their times count from.
type Based = (Result<Documents, Error>, TimeBase);

/// Reads the documents of a chunk, and decides the point that their times count from.
fn read(
    presentation: &Arc<Presentation>,
    at: Located,
    stored: StoredRange,
    samples: Option<Vec<(u64, u64)>>,
) -> Result<Step<Based>, Error> {
    let presentation = Arc::clone(presentation);
    payload(stored)?.and_then(move |bytes| {
        let times = Times::of(&presentation, at);
        let documents = Documents::read(&bytes, samples.as_deref(), presentation.limits());
        let has_base = |documents: &Documents| {
            times.chunk.start == 0 || documents.is_empty() || documents.base(&times.chunk).is_some()
        };
        if documents.as_ref().map_or(true, has_base) {
            let of_documents = documents.as_ref().ok().and_then(|of| of.base(&times.chunk));
            return Ok(Step::Ready((documents, of_documents.unwrap_or(TimeBase::Fragment))));
        }
        time_base::of_track(&presentation, at)?
            .and_then(move |base| Ok(Step::Ready((documents, base))))
    })
}

/// The payload of a fragment, before it is read.
struct Found {
    stored: StoredRange,
    /// Bytes of each sample, and its end in ticks of the stream from the start of the chunk, if that is
    /// known.
    samples: Option<Vec<(u64, u64)>>,
    representation: Representation,
    answered: Answered,
}

/// The form in which captions are sent.
enum Answered {
    /// The stored samples in a segment. A document that players would misread is written again and
    /// sent in the frame.
    Stored { reply: Reply, frame: segment::Frame },
    /// A file of WebVTT.
    WebVtt,
    /// A segment of WebVTT in samples with this timescale.
    Wvtt { frame: segment::Frame, timescale: Timescale },
}

fn find(view: &FragmentView<'_>, of: Rendition, at: Located) -> Result<Found, Error> {
    let representation =
        representation(view.presentation(), view.validator(Noun::Fragments), of, at);
    let head = view.head().ok_or_else(|| failed(ErrorKind::NoMedia))?;
    let from = view.presentation().segment_track(of).timescale;
    let samples = sample_ends(view, at);
    let frame = || segment::Frame::of(view, of, at, head);
    let answered = match of.form {
        Form::Stored | Form::KeyFrames => {
            Answered::Stored { reply: segment::reply(view, of, at)?, frame: frame() }
        }
        Form::WebVtt => Answered::WebVtt,
        Form::Wvtt => Answered::Wvtt { frame: frame(), timescale: from },
    };
    Ok(Found {
        stored: view.stored(view.lengths.payload..view.lengths.len),
        samples,
        representation: representation.with_liveness(view.liveness()),
        answered,
    })
}

impl Found {
    /// Makes the reply of the documents, whose times count from `base`.
    fn reply(
        self,
        presentation: &Presentation,
        at: Located,
        documents: Result<Documents, Error>,
        base: TimeBase,
        times: &Times,
    ) -> Result<Reply, Error> {
        let limits = presentation.limits();
        let captions = documents.and_then(|documents| documents.captions(base, times, limits));
        let is_stored = match (&captions, &self.answered) {
            (Ok(captions), Answered::Stored { .. }) => !captions.needs_writing,
            (Err(_), Answered::Stored { .. }) => true,
            (_, Answered::WebVtt | Answered::Wvtt { .. }) => false,
        };
        match &captions {
            _ if is_stored => {}
            Ok(captions) => presentation.notice_losses(at, &captions.losses),
            Err(error) => presentation.notice_unreadable(at, error),
        }
        match self.answered {
            Answered::WebVtt => {
                let text = webvtt(&captions?, &times.chunk, limits)?;
                Ok(Reply::of_bytes(self.representation, Bytes::from(text)))
            }
            Answered::Wvtt { frame, timescale } => {
                let segment = wvtt(captions?, frame, &times.segment, timescale, limits)?;
                Ok(Reply::of_bytes(self.representation, segment))
            }
            Answered::Stored { reply, frame } => {
                // Players see what is stored where it cannot be read here.
                if is_stored {
                    return Ok(reply);
                }
                let sample = ttml_document(&captions?.cues, times.chunk.timescale, limits)?;
                match frame.around(sample.as_bytes(), limits)? {
                    Some(segment) => Ok(Reply::of_bytes(self.representation, segment)),
                    None => Ok(reply),
                }
            }
        }
    }
}

/// Writes captions as a segment of WebVTT.
fn webvtt(captions: &Captions, window: &Window, limits: &Limits) -> Result<String, Error> {
    let segment = WebVttSegment::new(window.timescale);
    let segment = segment.with_map(TimestampMap::at(window.start, window.timescale));
    segment.with_whole_times(true).write(&captions.cues, limits)
}

/// Writes captions as a segment of WebVTT in samples that cover it without a gap. Their durations are
/// ticks of `timescale`.
fn wvtt(
    captions: Captions,
    frame: segment::Frame,
    segment: &Window,
    timescale: Timescale,
    limits: &Limits,
) -> Result<Bytes, Error> {
    let time = |ticks| segment.timescale.rescale_round(ticks, timescale).unwrap_or(u64::MAX);
    let (start, end) = (time(segment.start), time(segment.end()));
    let window = Window { timescale, start, duration: end.saturating_sub(start) };
    let cues: Vec<Cue> = captions.cues.into_iter().map(|cue| whole(cue, time)).collect();
    let samples = wvtt_samples(&cues, &window, limits)?;
    let samples: Vec<_> = samples.iter().map(|sample| (sample.duration, &*sample.data)).collect();
    let too_long = || failed(ErrorKind::NotServed("captions of more than 4 GiB"));
    frame.around_all(&samples, limits)?.ok_or_else(too_long)
}

/// Returns a cue with all of its time, converted.
fn whole(mut cue: Cue, time: impl Fn(u64) -> u64) -> Cue {
    (cue.whole_start, cue.whole_end) = (time(cue.whole_start), time(cue.whole_end));
    (cue.start, cue.end) = (cue.whole_start, cue.whole_end);
    cue
}
