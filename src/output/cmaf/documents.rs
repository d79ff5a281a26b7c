//! The documents of a fragment, and their captions.

use bytes::Bytes;
use memchr::memmem;

use super::failed;
use crate::base::{Error, ErrorKind, Got, Limits, Step, Want};
use crate::captions::{Cue, Document, Loss, TimeBase, Window};
use crate::presentation::{Form, FragmentView, Located, Presentation, Rendition, StoredRange};

/// Times of the segment of a chunk, in ticks of the stream.
pub(super) struct Times {
    pub(super) chunk: Window,
    /// From the start of the chunk to that of the next one; in an event, as long as the chunk.
    pub(super) segment: Window,
}

impl Times {
    pub(super) fn of(presentation: &Presentation, at: Located) -> Self {
        let timescale = presentation.streams()[at.stream].timescale();
        let (start, duration) = presentation.chunk_of(at);
        let (next, _) = presentation.chunk_of(Located { chunk: at.chunk + 1, ..at });
        let to_next = next.checked_sub(start).filter(|&ticks| ticks > 0).unwrap_or(duration);
        let lasts = if presentation.is_of_event() { duration } else { to_next };
        let window = |duration| Window { timescale, start, duration };
        Self { chunk: window(duration), segment: window(lasts) }
    }
}

/// Reads the payload of a fragment, as far as it was not read before.
///
/// # Errors
/// [`ErrorKind::Read`] if the read fails.
pub(super) fn payload(stored: StoredRange) -> Result<Step<Bytes>, Error> {
    let StoredRange { file, range, read, .. } = stored;
    if read.len() as u64 == range.end - range.start {
        return Ok(Step::Ready(read));
    }
    Ok(Step::read(vec![Want::Range { file, range }], move |got| match got.into_iter().next() {
        Some(Ok(Got::Range(bytes))) => Ok(Step::Ready(bytes)),
        Some(Err(error)) => Err(Error::from(ErrorKind::Read(error)).in_file(file)),
        Some(Ok(_)) | None => Err(failed(ErrorKind::NoMedia)),
    }))
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

    pub(super) fn is_empty(&self) -> bool {
        self.list.iter().all(|(document, ..)| document.is_empty())
    }

    /// Returns the captions. All times are those of the presentation.
    ///
    /// A sample is shown until the next one begins; a cue that several samples repeat is there once.
    pub(super) fn captions(
        self,
        base: TimeBase,
        times: &Times,
        limits: &Limits,
    ) -> Result<Captions, Error> {
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
        let needs_writing = self.is_old || (is_moved && !cues.is_empty());
        Ok(Captions { cues, needs_writing, losses })
    }
}

/// The captions of all documents of a fragment.
pub(super) struct Captions {
    pub(super) cues: Vec<Cue>,
    /// `true` if a player of DASH or HLS would show the stored documents at another time, or not at all.
    /// Their times count from the start of the presentation there, and few players know the
    /// namespaces of 2006.
    pub(super) needs_writing: bool,
    pub(super) losses: Vec<Loss>,
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
