//! A look at every fragment of a presentation, for an operator: it finds what requests would find,
//! and more.

mod look;
mod nature;
mod reports;

use std::fmt;
use std::sync::Arc;

use self::look::{Look, Sight};
use self::nature::Nature;
use self::reports::{Fault, Reports};
use super::finding::{FindingCode, Findings};
use super::stream::Media;
use super::{Finding, Located, Presentation};
use crate::base::{FileId, Got, ReadError, ReadErrorKind, Step};
use crate::index::Place;

/// A look at every fragment of a presentation, a few fragments at a time.
///
/// It reads 4 KiB of most fragments: the `moof` and the beginning of the first sample. Findings are
/// summed up: there is one per kind and track, with the number of fragments and the first of them.
/// A survey does not change the presentation. Fragments in files of their own are looked at as well:
/// a file that is missing is a finding, unless the presentation is live.
///
/// [`Opened::survey`](crate::origin::Opened::survey) drives it. Another host drives the steps
/// itself:
///
/// ```no_run
/// # use std::sync::Arc;
/// # use smooth_origin::base::{Error, Got, ReadError, Want};
/// # use smooth_origin::presentation::{Presentation, Survey};
/// # fn main() -> Result<(), Error> {
/// # let presentation: Arc<Presentation> = unimplemented!();
/// # let read: fn(&Want) -> Result<Got, ReadError> = unimplemented!();
/// let mut survey = Survey::new(&presentation);
/// while !survey.is_over() {
///     survey = survey.look_on().drive(read)?;
///     eprintln!("{} of {} fragments", survey.looked_at(), survey.fragments());
/// }
/// survey.findings().iter().for_each(|finding| println!("{finding}"));
/// # Ok(())
/// # }
/// ```
pub struct Survey {
    presentation: Arc<Presentation>,
    tracks: Vec<Surveyed>,
    /// The next chunk to look at: the number of its track among `tracks`, and its own number.
    next: (usize, usize),
    fragments: u64,
    looked_at: u64,
    reports: Reports,
    /// The fragments that were looked at, if they are recorded.
    looked: Option<Vec<Looked>>,
}

/// A fragment that a survey has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Looked {
    /// Number of its stream in the presentation, from 0.
    pub stream: usize,
    /// Number of its track in the stream, from 0.
    pub track: usize,
    /// Number of its chunk in the stream, from 0.
    pub chunk: usize,
    /// Its bytes, from the start of its `moof` to the end of its `mdat`.
    pub bytes: u64,
    /// True if it is of pictures and begins without a key frame.
    pub lacks_key_frame: bool,
}

/// A track that is looked at.
struct Surveyed {
    stream: usize,
    track: usize,
    nature: Nature,
    /// The largest spread so far between the times at which pictures are shown and decoded, in
    /// ticks.
    spread: u64,
}

/// Number of fragments that are looked at in one step: an object store takes one round trip for all
/// of them.
const AT_ONCE: usize = 16;

impl Survey {
    /// Creates a survey of this presentation that has not looked at anything yet.
    pub fn new(presentation: &Arc<Presentation>) -> Self {
        let (mut tracks, mut fragments, mut looked_at) = (Vec::new(), 0, 0);
        for (s, stream) in presentation.streams.iter().enumerate() {
            for (t, track) in stream.tracks.iter().enumerate() {
                let (nature, count) = match &track.media {
                    // Opening has made each of its fragments.
                    Media::Stored(stored) if stored.made.is_some() => {
                        fragments += stored.fragments.len() as u64;
                        looked_at += stored.fragments.len() as u64;
                        continue;
                    }
                    Media::Stored(stored) => {
                        let (entry, limits) = (stored.entry.as_ref(), &presentation.limits);
                        (Nature::of(stream.kind, entry, limits), stored.fragments.len())
                    }
                    Media::Files(_) => (Nature::default(), stream.timeline.len()),
                    Media::Absent(_) => continue,
                };
                tracks.push(Surveyed { stream: s, track: t, nature, spread: 0 });
                fragments += count as u64;
            }
        }
        let presentation = Arc::clone(presentation);
        let reports = Reports::default();
        Self { presentation, tracks, next: (0, 0), fragments, looked_at, reports, looked: None }
    }

    /// Keeps the size and the beginning of each fragment until they are taken
    /// ([`take_looked`](Self::take_looked)). Fragments that are made of the samples of a progressive
    /// file are recorded at once.
    #[must_use]
    pub fn recording(mut self) -> Self {
        let mut looked = Vec::new();
        for (s, stream) in self.presentation.streams.iter().enumerate() {
            for (t, track) in stream.tracks.iter().enumerate() {
                if let Media::Stored(stored) = &track.media
                    && stored.made.is_some()
                {
                    stored.fragments.each_range(|chunk, range| {
                        let bytes = range.end - range.start;
                        let lacks_key_frame = false;
                        looked.push(Looked { stream: s, track: t, chunk, bytes, lacks_key_frame });
                    });
                }
            }
        }
        self.looked = Some(looked);
        self
    }

    /// Takes what was recorded since it was last taken, in no particular order. Broken and missing
    /// fragments are not among it.
    pub fn take_looked(&mut self) -> Vec<Looked> {
        self.looked.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Number of fragments of all tracks.
    pub fn fragments(&self) -> u64 {
        self.fragments
    }

    /// Number of fragments that have been looked at.
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// Returns whether all fragments have been looked at.
    pub fn is_over(&self) -> bool {
        self.looked_at >= self.fragments
    }

    /// Looks at the next few fragments. A fragment that cannot be read is a finding.
    pub fn look_on(mut self) -> Step<Self> {
        let mut looks = Vec::with_capacity(AT_ONCE);
        while looks.len() < AT_ONCE {
            let Some(at) = self.take_next() else { break };
            self.looked_at += 1;
            looks.extend(self.begin(at, looks.len()));
        }
        self.read(looks)
    }

    /// Returns the findings of opening and of the survey so far, in the order of
    /// [`Presentation::findings`]: the gravest first. A finding
    /// of opening is left out if the survey has the same one, which covers all fragments.
    pub fn findings(&self) -> Vec<Finding> {
        let limits = self.presentation.limits();
        let mut findings = Findings::new(limits);
        let own = self.reports.findings(&self.presentation, &self.tracks);
        for finding in self.presentation.findings() {
            let is_same = |own: &Finding| {
                let is_of_track = finding.stream.is_none()
                    || (&own.stream, own.bitrate) == (&finding.stream, finding.bitrate);
                own.code == finding.code && own.file == finding.file && is_of_track
            };
            if finding.code == FindingCode::FindingsLeftOut {
                findings.set_left_out();
            } else if !own.iter().any(is_same) {
                findings.push(finding);
            }
        }
        for finding in own {
            findings.push(finding);
        }
        findings.sorted()
    }

    /// Takes the next chunk that has a fragment.
    fn take_next(&mut self) -> Option<(usize, Located)> {
        loop {
            let (number, chunk) = self.next;
            let Surveyed { stream, track, .. } = *self.tracks.get(number)?;
            let in_stream = &self.presentation.streams[stream];
            let next = match &in_stream.tracks[track].media {
                Media::Stored(stored) => stored.fragments.at_or_behind(chunk),
                Media::Files(_) => Some(chunk).filter(|&chunk| chunk < in_stream.timeline.len()),
                Media::Absent(_) => None,
            };
            match next {
                Some(chunk) => {
                    self.next = (number, chunk + 1);
                    return Some((number, Located { stream, track, chunk }));
                }
                None => self.next = (number + 1, 0),
            }
        }
    }

    /// Begins to look at this fragment, as look number `slot` of its batch; `None` if it is already
    /// known that there is nothing to look at.
    fn begin(&mut self, (number, at): (usize, Located), slot: usize) -> Option<Look> {
        if let Media::Files(files) = &self.presentation.track_of(at).media {
            let (time, _) = self.presentation.stream_of(at).timeline.chunk(at.chunk)?;
            return match files.name(time) {
                Ok(name) => {
                    // No file of the presentation has this id.
                    let file = u32::try_from(self.presentation.files.len() + slot).ok()?;
                    Some(Look::at_file(number, at, FileId::new(file), name))
                }
                Err(error) => {
                    let fault = Fault::of(FindingCode::NameRefused, error.into());
                    self.reports.add(number, at.chunk, fault);
                    None
                }
            };
        }
        let stored = self.presentation.track_of(at).stored().ok()?;
        match stored.fragments.place(at.chunk)? {
            Place::Known { start, lengths } => {
                Some(Look::new(number, at, start, start + lengths.len))
            }
            // It is made of the samples in the header, which opening has read.
            Place::Bounded { start, .. }
                if stored.header_chunk.as_ref().is_some_and(|chunk| chunk.is_at(start)) =>
            {
                None
            }
            Place::Bounded { start, bound } => Some(Look::new(number, at, start, bound)),
            Place::Broken { start, .. } => {
                let message = format!("what is at byte {start} is not what the index says");
                let fault = Fault::new(FindingCode::FragmentBroken, message);
                self.reports.add(number, at.chunk, fault);
                None
            }
        }
    }

    fn read(self, looks: Vec<Look>) -> Step<Self> {
        if looks.is_empty() {
            return Step::Ready(self);
        }
        let wants = looks.iter().map(|look| look.want(&self.presentation)).collect();
        Step::read(wants, move |got| Ok(self.fed(looks, got)))
    }

    fn fed(mut self, looks: Vec<Look>, got: Vec<Result<Got, ReadError>>) -> Step<Self> {
        let mut left = Vec::new();
        for (look, got) in looks.into_iter().zip(got) {
            let (number, chunk) = (look.number, look.at.chunk);
            let Some(surveyed) = self.tracks.get_mut(number) else { continue };
            let mut tell = |fault| self.reports.add(number, chunk, fault);
            match got {
                Ok(got) => {
                    let Surveyed { nature, spread, .. } = surveyed;
                    let (presentation, at, mut seen) = (&self.presentation, look.at, None);
                    let more = look.go_on(got, presentation, nature, spread, tell, &mut seen);
                    // A look that goes on sees the fragment again.
                    if let (None, Some(sight), Some(looked)) = (&more, seen, &mut self.looked) {
                        let Sight { bytes, lacks_key_frame } = sight;
                        let Located { stream, track, chunk } = at;
                        looked.push(Looked { stream, track, chunk, bytes, lacks_key_frame });
                    }
                    left.extend(more);
                }
                Err(error) if look.has_own_file() && error.kind == ReadErrorKind::Gone => {
                    // The window of a live presentation moves on.
                    if !self.presentation.is_live {
                        let message = "there is no such file";
                        tell(Fault::new(FindingCode::FragmentFileMissing, message));
                    }
                }
                Err(error) => tell(Fault::of(FindingCode::FileUnreadable, error.into())),
            }
        }
        self.read(left)
    }
}

impl fmt::Debug for Survey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Survey")
            .field("presentation", &self.presentation.name)
            .field("looked_at", &self.looked_at)
            .field("fragments", &self.fragments)
            .finish_non_exhaustive()
    }
}
