//! The captions of a chunk: as WebVTT, or as documents whose times count from the presentation.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;

use super::{failed, representation, segment, ttml};
use crate::base::{Error, ErrorKind, Got, Limits, Step, Timescale, Want};
use crate::captions::{
    Cue, Document, Loss, TimeBase, TimestampMap, WebVttSegment, Window, wvtt_samples,
};
use crate::fragment::Noun;
use crate::presentation::{
    Form, FragmentAddress, FragmentView, Located, Need, Presentation, Rendition, Reply,
    Representation, StoredRange,
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
        let StoredRange { file, range, read } = found.stored.clone();
        if read.len() as u64 == range.end - range.start {
            return found.reply(&presentation, at, &read, &times).map(Step::Ready);
        }
        let limits = presentation.limits();
        let length = range.end - range.start;
        if length > limits.caption_document
            && let Answered::Stored { reply, .. } = found.answered
        {
            return Ok(Step::Ready(reply));
        }
        Limits::check("bytes of captions", length, limits.caption_document)?;
        Ok(Step::read(vec![Want::Range { file, range }], move |got| match got.into_iter().next() {
            Some(Ok(Got::Range(bytes))) => {
                found.reply(&presentation, at, &bytes, &times).map(Step::Ready)
            }
            Some(Err(error)) => Err(Error::from(ErrorKind::Read(error)).in_file(file)),
            Some(Ok(_)) | None => Err(failed(ErrorKind::NoMedia)),
        }))
    })
}

/// Times of the segment of a chunk, in ticks of the stream.
struct Times {
    chunk: Window,
    /// From the start of the chunk to that of the next one.
    segment: Window,
}

impl Times {
    fn of(presentation: &Presentation, at: Located) -> Self {
        let timescale = presentation.streams()[at.stream].timescale();
        let (start, duration) = presentation.chunk_of(at);
        let (next, _) = presentation.chunk_of(Located { chunk: at.chunk + 1, ..at });
        let to_next = next.checked_sub(start).filter(|&ticks| ticks > 0).unwrap_or(duration);
        let window = |duration| Window { timescale, start, duration };
        Self { chunk: window(duration), segment: window(to_next) }
    }
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
    let length = view.lengths.len - view.lengths.payload;
    let is_short = length <= view.presentation().limits().caption_document;
    let scale = view.presentation().streams()[of.stream].timescale();
    let from = view.segment_track(of).timescale;
    let in_stream =
        |(size, end): (u64, u64)| (size, from.rescale_round(end, scale).unwrap_or(u64::MAX));
    let samples = if is_short { head.sample_sizes(view.defaults) } else { None };
    let samples = samples.map(|samples| samples.into_iter().map(in_stream).collect());
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
    /// Makes the reply of the payload.
    fn reply(
        self,
        presentation: &Presentation,
        at: Located,
        payload: &Bytes,
        times: &Times,
    ) -> Result<Reply, Error> {
        let limits = presentation.limits();
        let documents = documents(payload, self.samples.as_deref());
        let captions = Captions::read(&documents, &times.chunk, limits);
        let is_stored = match (&captions, &self.answered) {
            (Ok(captions), Answered::Stored { .. }) => {
                !captions.needs_writing(&documents, &times.chunk)
            }
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
                let sample = ttml::write(&captions?.cues, times.chunk.timescale, limits)?;
                match frame.around(sample.as_bytes(), limits)? {
                    Some(segment) => Ok(Reply::of_bytes(self.representation, segment)),
                    None => Ok(reply),
                }
            }
        }
    }
}

/// The document of a sample, and the end of the sample in ticks of the stream from the start of the
/// chunk; no end for the last one.
type Sample = (Bytes, Option<u64>);

/// Divides a payload into the documents of its samples. A payload that its samples do not fill is one
/// document.
fn documents(payload: &Bytes, samples: Option<&[(u64, u64)]>) -> Vec<Sample> {
    let whole = || vec![(payload.clone(), None)];
    let Some(samples) = samples else { return whole() };
    let sum = samples.iter().fold(0_u64, |sum, (size, _)| sum.saturating_add(*size));
    if sum != payload.len() as u64 || samples.is_empty() {
        return whole();
    }
    let mut rest = payload.clone();
    // All sizes together are those of the payload.
    let document = |&(size, end): &(u64, u64)| {
        let document = rest.split_to(rest.len().min(size as usize));
        (document, Some(end).filter(|_| !rest.is_empty()))
    };
    samples.iter().map(document).collect()
}

/// The captions of all documents of a fragment.
struct Captions {
    cues: Vec<Cue>,
    base: TimeBase,
    losses: Vec<Loss>,
}

impl Captions {
    /// Reads documents. All times are those of the presentation.
    ///
    /// Documents that fit both readings of their times are read as players of Smooth Streaming do: their
    /// times count from the fragment. A sample is shown until the next one begins; a cue that several
    /// samples repeat is there once.
    fn read(samples: &[Sample], window: &Window, limits: &Limits) -> Result<Self, Error> {
        let is_blank = |bytes: &Bytes| bytes.iter().all(u8::is_ascii_whitespace);
        let mut documents = Vec::new();
        let mut begin = 0;
        for (bytes, end) in samples {
            if !is_blank(bytes) {
                documents.push((Document::parse(bytes, limits)?, begin, *end));
            }
            begin = end.unwrap_or(begin);
        }
        let losses = documents.iter().flat_map(|(of, ..)| of.losses()).copied().collect();
        let mut bases = documents.iter().map(|(of, ..)| TimeBase::of_document(of, window));
        let base = bases.find_map(|base| base).unwrap_or(TimeBase::Fragment);
        let mut cues: Vec<Cue> = Vec::new();
        for (document, begin, end) in &documents {
            let from = window.start.saturating_add(*begin);
            let to = end.map(|end| window.start.saturating_add(end));
            for cue in document.cues(base, window, limits)? {
                if let Some(cue) = within(cue, from, to) {
                    cues.push(cue);
                }
            }
            Limits::check("cues", cues.len() as u64, limits.cues as u64)?;
        }
        if documents.len() > 1 {
            cues = joined(cues);
        }
        Ok(Self { cues, base, losses })
    }

    /// Returns whether a player of DASH or HLS would show the stored documents at another time, or
    /// not at all. Their times count from the start of the presentation there, and few players know
    /// the namespaces of 2006.
    fn needs_writing(&self, samples: &[Sample], window: &Window) -> bool {
        let is_old = |bytes: &Bytes| memmem::find(bytes, b"/ttaf1").is_some();
        let is_moved = self.base == TimeBase::Fragment && window.start > 0;
        !self.cues.is_empty() && (is_moved || samples.iter().any(|(bytes, _)| is_old(bytes)))
    }
}

/// Returns the part of a cue that its sample shows. The first sample of a fragment also shows what
/// began before, the last one what continues.
fn within(mut cue: Cue, from: u64, to: Option<u64>) -> Option<Cue> {
    if cue.start < from {
        (cue.start, cue.whole_start) = (from, from);
    }
    if let Some(to) = to.filter(|&to| cue.end > to) {
        (cue.end, cue.whole_end) = (to, to);
    }
    (cue.start < cue.end).then_some(cue)
}

/// Joins cues that follow each other and say the same.
fn joined(mut cues: Vec<Cue>) -> Vec<Cue> {
    cues.sort_by(|one, other| {
        let key = |cue: &Cue| (cue.settings, cue.start);
        one.text.cmp(&other.text).then(key(one).cmp(&key(other)))
    });
    cues.dedup_by(|next, cue| {
        let is_next = (&next.text, next.settings) == (&cue.text, cue.settings);
        let is_joined = is_next && next.start <= cue.end;
        if is_joined {
            cue.end = cue.end.max(next.end);
            cue.whole_end = cue.whole_end.max(next.whole_end);
        }
        is_joined
    });
    cues.sort_by_key(|cue| cue.start);
    cues
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
