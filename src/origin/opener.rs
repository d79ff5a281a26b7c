//! Openings of presentations: a limited number at one time, each within its time.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[cfg(feature = "live")]
use super::LivePoints;
use super::batch;
use super::counters;
use super::index_files;
use super::offload::SMALL;
use super::read::{Deadline, Files, LastRead, Opened, Shared};
use crate::base::{
    Error, ErrorKind, FileId, Got, Name, ReadError, ReadErrorKind, Reads, Step, Want,
};
use crate::presentation::{Finding, OpenOptions, Presentation, open};

/// Opens presentations.
#[derive(Debug)]
pub(super) struct Opener {
    shared: Arc<Shared>,
    options: OpenOptions,
    limits: OpenerOptions,
    /// The publishing points that may have become films.
    #[cfg(feature = "live")]
    points: Option<LivePoints>,
    in_progress: Arc<AtomicUsize>,
}

/// Limits of openings.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenerOptions {
    pub(super) max_openings: usize,
    pub(super) opening_timeout: Duration,
}

impl Default for OpenerOptions {
    fn default() -> Self {
        Self { max_openings: 128, opening_timeout: Duration::from_secs(30) }
    }
}

/// The outcome of an opening, and how long the opening took.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) outcome: Result<Arc<Opened>, Error>,
    pub(super) took: Duration,
}

impl Opener {
    pub(super) fn new(shared: Arc<Shared>, options: OpenOptions, limits: OpenerOptions) -> Self {
        Self {
            shared,
            options,
            limits,
            #[cfg(feature = "live")]
            points: None,
            in_progress: Arc::default(),
        }
    }

    /// Sets the publishing points that may have become films.
    #[cfg(feature = "live")]
    pub(super) fn with_points(self, points: Option<LivePoints>) -> Self {
        Self { points, ..self }
    }

    /// The options for a presentation of this name.
    fn options_for(&self, name: &Name) -> OpenOptions {
        let options = self.options.clone();
        #[cfg(feature = "live")]
        if let Some((_, film)) = self.points.as_ref().and_then(|points| points.film(name.as_str()))
        {
            return options.film_at_point(film);
        }
        #[cfg(not(feature = "live"))]
        let _ = name;
        options
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns whether a media file may be a presentation without a server manifest.
    pub(super) fn opens_bare_mp4(&self) -> bool {
        self.options.opens_bare_mp4()
    }

    /// Returns how many openings are in progress.
    pub(super) fn in_progress(&self) -> u64 {
        self.in_progress.load(Ordering::Relaxed) as u64
    }

    /// The deadline of an opening, or of a look at the files of one, that begins now.
    pub(super) fn deadline(&self) -> Deadline<'_> {
        Deadline::new(&self.shared.access.host, self.limits.opening_timeout)
    }

    /// Opens a presentation, without belief in the indexes of some of its files. `again` if the
    /// presentation is open already.
    pub(super) async fn open(&self, name: &Name, distrusted: Vec<Name>, again: bool) -> Opening {
        let deadline = self.deadline();
        let outcome = self.opened(name, distrusted, &deadline).await;
        let took = deadline.spent();
        let ended = match &outcome {
            Ok(_) => counters::Opening::Made,
            Err(error) if matches!(error.kind, ErrorKind::Busy(_)) => counters::Opening::Refused,
            Err(_) => counters::Opening::Failed,
        };
        self.shared.access.host.counters.opening(ended, took, again);
        Opening { outcome, took }
    }

    async fn opened(
        &self,
        name: &Name,
        distrusted: Vec<Name>,
        deadline: &Deadline<'_>,
    ) -> Result<Arc<Opened>, Error> {
        let permit = Permit::take(&self.in_progress, self.limits.max_openings);
        let busy = ErrorKind::Busy("too many presentations are being opened");
        let permit = Arc::new(permit.ok_or(busy)?);
        self.shared.access.admit()?;
        let mut files = Files::new(Arc::clone(&self.shared));
        let options = distrusted.into_iter();
        let options = options.fold(self.options_for(name), OpenOptions::distrust);
        let step = open(name.clone(), &options);
        let presentation = read_for(step, &mut files, deadline, &permit).await?;
        // A fault of a remote store passes. What it leaves of a title would stay in caches.
        if self.shared.whole_reads.is_some()
            && let Some(file) = files.unreadable()
        {
            return Err(unreadable(&presentation, &files, file));
        }
        index_files::keep(&files, &presentation).await;
        Ok(Arc::new(Opened::new(presentation, files)))
    }
}

/// Returns the error of a file that could not be read: the one that its finding has, as far as there is
/// one.
fn unreadable(presentation: &Presentation, files: &Files, file: FileId) -> Error {
    let name = files.name(file).map(Name::as_str);
    let is_of_file = |finding: &&Finding| finding.file.as_deref() == name;
    let findings = presentation.findings();
    let causes = findings.iter().filter(is_of_file).filter_map(Finding::cause);
    let mut errors = causes.filter(|cause| matches!(cause.kind, ErrorKind::Read(_)));
    let error = errors.next().cloned();
    let error = error.unwrap_or_else(|| ReadError::new(ReadErrorKind::Transient).into());
    error.in_file(file)
}

/// The amount of bytes that an opening was fed.
#[derive(Debug, Default)]
struct Fed {
    /// Bytes over all steps but brief ones: each step may work on all bytes before it.
    bytes: u64,
    /// Bytes of brief steps, with [`BRIEF`] for each, since other tasks had their turn.
    brief: u64,
}

/// A brief step takes as long as this many bytes, however few it is fed.
const BRIEF: u64 = 1 << 10;

/// Number of batches of a walk that are timed.
const TIMED: usize = 16;

/// Performs the reads of an opening. `files` has the files that were opened, also if the opening
/// fails.
///
/// A step that may take long is done elsewhere, or after other tasks had their turn. The permit is
/// kept until such work ends, even when no request waits for it any more.
async fn read_for(
    mut step: Step<Presentation>,
    files: &mut Files,
    deadline: &Deadline<'_>,
    permit: &Arc<Permit>,
) -> Result<Presentation, Error> {
    let (mut last, mut fed, mut timed) = (LastRead::default(), Fed::default(), 0);
    let shared = Arc::clone(files.shared());
    let offload = &shared.access.host.offload;
    loop {
        let mut reads = match step {
            Step::Ready(presentation) => return Ok(presentation),
            Step::Read(reads) => reads,
        };
        // How long the first reads of a walk take shows how long all do.
        let start = (reads.is_brief() && timed < TIMED).then(|| deadline.spent());
        let got = match reads.wanted() {
            // A walk makes one read per fragment: it needs nothing of what a batch needs.
            [Want::Range { file, range }] => {
                let got = {
                    let read = pin!(last.read(files, *file, range.clone()));
                    match reads.is_brief() && fed.brief > 0 {
                        true => deadline.bound_wait(read).await,
                        false => deadline.bound(read).await,
                    }
                };
                vec![got.map(Got::Range).inspect_err(|error| files.failed(*file, error.kind))]
            }
            wants => batch::get(files, wants, deadline).await,
        };
        if let Some(start) = start {
            timed += 1;
            reads.took(deadline.spent().saturating_sub(start));
        }
        if let Some(unsettled) = unsettled(reads.wanted(), &got, files) {
            return Err(unsettled.into());
        }
        if fed.is_brief(&reads, &got) {
            if fed.brief > SMALL {
                fed.brief = 0;
                offload.give_way().await;
            }
            step = reads.feed(got)?;
            continue;
        }
        let permit = Arc::clone(permit);
        let work = move || {
            let _permit = permit;
            reads.feed(got)
        };
        step = offload.run(work).await??;
    }
}

impl Fed {
    /// Adds a batch. Returns whether the step that follows it takes a moment only.
    fn is_brief<T>(&mut self, reads: &Reads<T>, got: &[Result<Got, ReadError>]) -> bool {
        let bytes = batch::bytes_of(got);
        if reads.is_brief() && bytes <= SMALL {
            self.brief += bytes + BRIEF;
            return true;
        }
        self.bytes += bytes;
        self.bytes <= SMALL && !got.is_empty()
    }
}

/// Returns why an opening cannot be relied on, if one of its files changed a moment ago or just
/// now: the opening might mix two versions, or report findings about half a file. The file that
/// must settle longest counts.
fn unsettled(wants: &[Want], got: &[Result<Got, ReadError>], files: &Files) -> Option<ReadError> {
    let errors = wants.iter().zip(got).filter_map(|(want, got)| Some((want, got.as_ref().err()?)));
    let unsettled = errors.filter_map(|(want, error)| match (error.kind, want) {
        (ReadErrorKind::Unsettled { wait }, Want::Open { .. } | Want::Range { .. }) => {
            Some((wait, error.clone()))
        }
        (ReadErrorKind::Changed, Want::Open { name, .. }) => files.changed(name),
        (ReadErrorKind::Changed, Want::Range { file, .. }) => files.changed(files.name(*file)?),
        _ => None,
    });
    unsettled.max_by_key(|(wait, _)| *wait).map(|(_, error)| error)
}

/// A place among the openings in progress.
#[derive(Debug)]
struct Permit(Arc<AtomicUsize>);

impl Permit {
    fn take(openings: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let permit = Self(Arc::clone(openings));
        let before = openings.fetch_add(1, Ordering::Relaxed);
        // If there are too many, dropping the permit takes it back.
        (before < most).then_some(permit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
