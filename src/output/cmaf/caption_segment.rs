//! The captions of a chunk: as WebVTT, or as documents whose times count from the presentation.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;

use super::{failed, representation, segment, time_base, ttml};
use crate::base::{Error, ErrorKind, Limits, Step, Timescale};
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
        let StoredRange { range, .. } = &found.stored;
        let length = range.end - range.start;
        let limits = presentation.limits();
        if length > limits.caption_document
            && let Answered::Stored { reply, .. } = found.answered
        {
            return Ok(Step::Ready(reply));
        }
        Limits::check("bytes of captions", length, limits.caption_document)?;
        time_base::payload(found.stored.clone())?.and_then(move |payload| {
            let limits = presentation.limits();
            let documents = Documents::read(&payload, found.samples.as_deref(), limits);
            let has_base = |documents: &Documents| {
                times.chunk.start == 0
                    || documents.is_empty()
                    || documents.base(&times.chunk).is_some()
            };
            if documents.as_ref().map_or(true, has_base) {
                let of_documents = documents.as_ref().ok().and_then(|of| of.base(&times.chunk));
                let base = of_documents.unwrap_or(TimeBase::Fragment);
                return found.reply(&presentation, at, documents, base, &times).map(Step::Ready);
            }
            time_base::of_track(&presentation, at)?.and_then(move |base| {
                found.reply(&presentation, at, documents, base, &times).map(Step::Ready)
            })
        })
    })
}

/// Times of the segment of a chunk, in ticks of the stream.
pub(super) struct Times {
    pub(super) chunk: Window,
    /// From the start of the chunk to that of the next one.
    segment: Window,
}

impl Times {
    pub(super) fn of(presentation: &Presentation, at: Located) -> Self {
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

/// Bytes of each sample of a fragment, and its end in ticks of the stream from the start of the chunk;
/// `None` if that is not known.
pub(super) fn sample_ends(view: &FragmentView<'_>, at: Located) -> Option<Vec<(u64, u64)>> {
    let length = view.lengths.len - view.lengths.payload;
    if length > view.presentation().limits().caption_document {
        return None;
    }
    let of = Rendition { stream: at.stream, track: at.track, form: Form::Stored };
    let scale = view.presentation().streams()[of.stream].timescale();
    let from = view.presentation().segment_track(of).timescale;
    let in_stream =
        |(size, end): (u64, u64)| (size, from.rescale_round(end, scale).unwrap_or(u64::MAX));
    let samples = view.head()?.sample_sizes(view.defaults)?;
    Some(samples.into_iter().map(in_stream).collect())
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

/// The documents of a fragment.
pub(super) struct Documents {
    /// Each with the start and the end of its sample, in ticks of the stream from the start of the chunk;
    /// no end for the last one.
    list: Vec<(Document, u64, Option<u64>)>,
    /// `true` if one of them is in a namespace of 2006.
    is_old: bool,
}

impl Documents {
    /// Reads the documents of all samples of a payload.
    ///
    /// # Errors
    /// Errors of [`Document::parse`].
    pub(super) fn read(
        payload: &Bytes,
        samples: Option<&[(u64, u64)]>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let is_blank = |bytes: &Bytes| bytes.iter().all(u8::is_ascii_whitespace);
        let (mut list, mut is_old) = (Vec::new(), false);
        let mut begin = 0;
        for (bytes, end) in documents(payload, samples) {
            if !is_blank(&bytes) {
                list.push((Document::parse(&bytes, limits)?, begin, end));
                is_old |= memmem::find(&bytes, b"/ttaf1").is_some();
            }
            begin = end.unwrap_or(begin);
        }
        Ok(Self { list, is_old })
    }

    /// Returns the point that the times count from, if a document decides.
    pub(super) fn base(&self, chunk: &Window) -> Option<TimeBase> {
        self.list.iter().find_map(|(document, ..)| TimeBase::of_document(document, chunk))
    }

    fn is_empty(&self) -> bool {
        self.list.iter().all(|(document, ..)| document.is_empty())
    }

    /// Returns the captions. All times are those of the presentation.
    ///
    /// A sample is shown until the next one begins; a cue that several samples repeat is there once.
    fn captions(self, base: TimeBase, times: &Times, limits: &Limits) -> Result<Captions, Error> {
        let window = &times.chunk;
        let losses = self.list.iter().flat_map(|(of, ..)| of.losses()).copied().collect();
        let mut cues: Vec<Cue> = Vec::new();
        for (document, begin, end) in &self.list {
            let from = window.start.saturating_add(*begin);
            let to = end.map(|end| window.start.saturating_add(end));
            for cue in document.cues(base, window, limits)? {
                if let Some(cue) = within(cue, from, to) {
                    cues.push(cue);
                }
            }
            Limits::check("cues", cues.len() as u64, limits.cues as u64)?;
        }
        if self.list.len() > 1 {
            cues = joined(cues);
        }
        let is_moved = base == TimeBase::Fragment && window.start > 0;
        let needs_writing = !cues.is_empty() && (is_moved || self.is_old);
        Ok(Captions { cues, needs_writing, losses })
    }
}

/// The captions of all documents of a fragment.
struct Captions {
    cues: Vec<Cue>,
    /// `true` if a player of DASH or HLS would show the stored documents at another time, or not at all.
    /// Their times count from the start of the presentation there, and few players know the
    /// namespaces of 2006.
    needs_writing: bool,
    losses: Vec<Loss>,
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
