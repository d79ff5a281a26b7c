//! A presentation with its files, as they were when it was opened.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::stream::{StreamExt, iter};

use super::access::Access;
use super::deadline::Deadline;
use super::drive::{self, AT_ONCE};
use super::fragment_cache::Key;
use super::handles::Handles;
use crate::base::{Error, FileId, Name, ReadError, ReadErrorKind};
use crate::presentation::{Finding, Presentation, Survey, compressed_forms};
use crate::storage::{Ends, Opening, Source, Stat, Version};

/// An opened presentation and the versions of its files: what is read through it is what was
/// opened, or an error.
///
/// ```
/// use smooth_origin::Name;
/// # async fn example(origin: &smooth_origin::Origin) -> Result<(), smooth_origin::Error> {
/// let opened = origin.open(&Name::new("film.ism")?).await?;
/// for stream in opened.presentation().streams() {
///     println!("{}: {} tracks", stream.name(), stream.tracks().len());
/// }
/// # Ok(())
/// # }
/// ```
pub struct Opened {
    presentation: Arc<Presentation>,
    files: Files,
    /// A file is known to have changed.
    stale: AtomicBool,
    /// When changed files will have settled, in milliseconds of the origin's clock; 0 if none are
    /// known to have changed.
    settles_at: AtomicU64,
    /// Late findings that were reported.
    reported: AtomicUsize,
    /// What a host prepares once for all its responses.
    #[cfg(feature = "http")]
    attachment: Attachment,
    /// What it prepares for those that it sends while the time of change of the files is still to
    /// come. `None` if that time was past when they were opened, as it nearly always is.
    #[cfg(feature = "http")]
    ahead: Option<Box<Attachment>>,
}

#[cfg(feature = "http")]
type Attachment = std::sync::OnceLock<Box<dyn std::any::Any + Send + Sync>>;

/// The files of one opening, by id.
pub(super) struct Files {
    number: u64,
    access: Arc<Access>,
    handles: Arc<Handles>,
    /// Names and versions, as far as they were opened.
    list: Vec<Option<(Name, Result<Version, ReadErrorKind>)>>,
    /// When the latest of them was changed.
    modified: Option<SystemTime>,
}

type Looking<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

impl Files {
    pub(super) fn new(access: Arc<Access>, handles: Arc<Handles>) -> Self {
        static OPENINGS: AtomicU64 = AtomicU64::new(0);
        let number = OPENINGS.fetch_add(1, Ordering::Relaxed);
        Self { number, access, handles, list: Vec::new(), modified: None }
    }

    pub(super) fn access(&self) -> &Arc<Access> {
        &self.access
    }

    /// Keeps the outcome of opening a file for the first time. A file that is not found under its
    /// second name either keeps its first name.
    pub(super) fn keep(
        &mut self,
        file: FileId,
        name: Name,
        opened: Result<(Source, Stat), ReadErrorKind>,
    ) {
        let is_known = self.list.get(file.index()).is_some_and(Option::is_some);
        if is_known && matches!(opened, Err(ReadErrorKind::Gone | ReadErrorKind::Denied)) {
            return;
        }
        let len = self.list.len().max(file.index() + 1);
        self.list.resize(len, None);
        let version = opened.map(|(source, stat)| {
            self.handles.put(self.number, file, source);
            self.modified = self.modified.max(stat.modified);
            stat.version
        });
        self.list[file.index()] = Some((name, version));
    }

    /// Keeps that a file which was opened could not be read: it is worth another try.
    pub(super) fn failed(&mut self, file: FileId, why: ReadErrorKind) {
        if let Some(Some((_, version))) = self.list.get_mut(file.index()) {
            *version = Err(why);
        }
    }

    /// A file that was opened before: still open, or opened again in the same version.
    pub(super) async fn source(&self, file: FileId) -> Result<Source, ReadError> {
        if let Some(source) = self.handles.get(self.number, file) {
            return Ok(source);
        }
        let Some(Some((name, Ok(version)))) = self.list.get(file.index()) else {
            return Err(ReadError::new(ReadErrorKind::Gone));
        };
        // Its version had settled when it was opened first.
        let Opening { source, stat, .. } = self.access.look(name, Ends::default()).await?;
        if stat.version != *version {
            // It must not be kept: the next reader would not compare again.
            return Err(ReadError::new(ReadErrorKind::Changed));
        }
        self.handles.put(self.number, file, source.clone());
        Ok(source)
    }

    /// Checks that a file can still be read in the version that was opened.
    async fn check(&self, file: FileId) -> Result<(), ReadError> {
        let source = self.source(file).await?;
        let stat = self.access.stat(&source).await?;
        match self.list.get(file.index()) {
            Some(Some((_, Ok(version)))) if stat.version == *version => Ok(()),
            _ => Err(ReadError::new(ReadErrorKind::Changed)),
        }
    }

    /// Returns whether a file that is still open has been rewritten in place.
    async fn is_rewritten(&self, file: FileId) -> bool {
        let Some(source) = self.handles.get(self.number, file) else { return false };
        let stat = self.access.stat(&source).await;
        matches!(stat, Err(error) if error.kind == ReadErrorKind::Changed)
    }

    pub(super) fn name(&self, file: FileId) -> Option<&Name> {
        self.list.get(file.index())?.as_ref().map(|(name, _)| name)
    }

    /// Returns the error for a file that changed while it was read, and how long the file must
    /// settle.
    pub(super) fn changed(&self, name: &Name) -> Option<(Duration, ReadError)> {
        self.access.settling.changed(name)
    }

    /// Returns whether a name stands for something else than when it was opened.
    pub(super) async fn have_changed(&self, deadline: &Deadline<'_>) -> bool {
        let looks: Vec<Looking<'_>> = self
            .list
            .iter()
            .flatten()
            .map(|file| Box::pin(self.is_same(file, deadline)) as _)
            .collect();
        let looks = iter(looks).buffer_unordered(AT_ONCE);
        looks.any(|same| std::future::ready(!same)).await
    }

    async fn is_same(
        &self,
        (name, known): &(Name, Result<Version, ReadErrorKind>),
        deadline: &Deadline<'_>,
    ) -> bool {
        let now = deadline.bound(self.access.stat_of(name)).await.map(|stat| stat.version);
        match (&now, known) {
            (Ok(now), Ok(known)) => now == known,
            // What could not be read for some passing reason is worth another try.
            (Err(now), Err(known)) => now.kind == *known && *known != ReadErrorKind::Transient,
            // It was there, and cannot be looked at just now: that is no change.
            (Err(now), Ok(_)) => now.kind == ReadErrorKind::Transient,
            (Ok(_), Err(_)) => false,
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for index in 0..self.list.len() {
            self.handles.close(self.number, FileId::new(index as u32));
        }
    }
}

/// Header fields of manifests and of fragments of three kinds take no more.
const HEADER_FIELDS: usize = 12 << 10;

/// What is kept of an opening beside the presentation takes no more, its place in the cache included.
const AN_OPENING: usize = 2 << 10;

/// A file's name and version, and what holds it open.
const A_FILE: usize = 512;

impl Opened {
    pub(super) fn new(presentation: Presentation, files: Files) -> Self {
        #[cfg(feature = "http")]
        let now = files.access.host.clock.wall();
        #[cfg(feature = "http")]
        let is_ahead = files.modified.is_some_and(|modified| modified > now);
        Self {
            presentation: Arc::new(presentation),
            stale: AtomicBool::new(false),
            settles_at: AtomicU64::new(0),
            reported: AtomicUsize::new(0),
            #[cfg(feature = "http")]
            attachment: Attachment::new(),
            #[cfg(feature = "http")]
            ahead: is_ahead.then(Box::default),
            files,
        }
    }

    /// The presentation.
    pub fn presentation(&self) -> &Arc<Presentation> {
        &self.presentation
    }

    /// Looks at the next few fragments of a survey of this presentation.
    ///
    /// ```
    /// # #[cfg(feature = "fs")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use smooth_origin::base::Name;
    /// use smooth_origin::origin::{Origin, block_on};
    /// use smooth_origin::presentation::Survey;
    /// use smooth_origin::storage::LocalStore;
    ///
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects");
    /// let origin = Origin::new(LocalStore::new(root)?);
    /// let opened = block_on(origin.open(&Name::new("ffmpeg/ffmpeg.ism")?))?;
    /// let mut survey = Survey::new(opened.presentation());
    /// while !survey.is_over() {
    ///     survey = block_on(opened.survey(survey))?;
    /// }
    /// survey.findings().iter().for_each(|finding| println!("{finding}"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "fs"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// None that comes from the files: a fragment that cannot be read is a finding of the survey.
    /// [`ErrorKind::Busy`](crate::base::ErrorKind::Busy) if the host is too busy.
    pub async fn survey(self: &Arc<Self>, survey: Survey) -> Result<Survey, Error> {
        drive::answer(survey.look_on(), self).await.map(|(survey, _)| survey)
    }

    /// When the latest of its files was changed, where the store knows.
    pub fn modified(&self) -> Option<SystemTime> {
        self.files.modified
    }

    /// What a host prepares of it once, the first time that it is asked for. `None` if another
    /// host has attached something else.
    ///
    /// `prepare` gets the time of change, unless that is still to come. Then something else is
    /// prepared and used until it is past.
    #[cfg(feature = "http")]
    pub(crate) fn attachment<T: Send + Sync + 'static>(
        &self,
        prepare: impl FnOnce(Option<SystemTime>) -> T,
    ) -> Option<&T> {
        match (&self.ahead, self.attachment.get()) {
            (None, Some(attachment)) => attachment.downcast_ref(),
            _ => self.attach(prepare),
        }
    }

    #[cfg(feature = "http")]
    #[cold]
    fn attach<T: Send + Sync + 'static>(
        &self,
        prepare: impl FnOnce(Option<SystemTime>) -> T,
    ) -> Option<&T> {
        let (attachment, modified) = match &self.ahead {
            Some(ahead) if self.is_ahead() => (&**ahead, None),
            _ => (&self.attachment, self.modified()),
        };
        attachment.get_or_init(|| Box::new(prepare(modified))).downcast_ref()
    }

    /// Returns whether the time of change of its files is still to come.
    #[cfg(feature = "http")]
    fn is_ahead(&self) -> bool {
        let now = self.access().host.clock.wall();
        self.modified().is_some_and(|modified| modified > now)
    }

    /// What answering has noticed since the last call. Each finding is given once, however many ask.
    pub(super) fn unreported_findings(&self) -> Vec<Finding> {
        let known = self.reported.load(Ordering::Relaxed);
        let (mut late, all) = self.presentation.late_findings(known);
        // Another request may have taken the first of them meanwhile.
        let before = self.reported.fetch_max(all, Ordering::Relaxed);
        late.drain(..before.saturating_sub(known).min(late.len()));
        late
    }

    /// Bytes of memory that it takes, with what may be attached later.
    pub(super) fn memory(&self) -> usize {
        let files = self.files.list.len() * A_FILE;
        let attachments = if self.has_two_attachments() { 2 } else { 1 };
        AN_OPENING + files + self.presentation.memory() + attachments * self.attachment_memory()
    }

    fn has_two_attachments(&self) -> bool {
        #[cfg(feature = "http")]
        return self.ahead.is_some();
        #[cfg(not(feature = "http"))]
        false
    }

    /// Bytes that may be attached later: header fields and compressed forms.
    fn attachment_memory(&self) -> usize {
        let fields = if cfg!(feature = "http") { HEADER_FIELDS } else { 0 };
        match self.presentation.manifest() {
            Ok(manifest) if cfg!(feature = "compression") => {
                fields + compressed_forms(manifest.len())
            }
            _ => fields,
        }
    }

    pub(super) fn access(&self) -> &Arc<Access> {
        self.files.access()
    }

    /// Names bytes of a file, as they are in this opening and no other.
    pub(super) fn key(&self, file: FileId, range: Range<u64>) -> Key {
        Key { opening: self.files.number, file, range }
    }

    /// A file of the presentation, in the version that was opened.
    pub(super) async fn source(&self, file: FileId) -> Result<Source, ReadError> {
        self.files.source(file).await
    }

    /// Checks that a file can still be read in the version that was opened.
    pub(super) async fn check(&self, file: FileId) -> Result<(), ReadError> {
        self.files.check(file).await
    }

    /// Returns the media files that were rewritten in place since they were opened.
    pub(super) async fn rewritten(&self) -> Vec<Name> {
        let tracks = self.presentation.streams().iter().flat_map(|stream| stream.tracks());
        let mut files: Vec<_> = tracks.filter_map(|track| Some(track.source()?.0)).collect();
        files.sort_unstable_by_key(|file| file.index());
        files.dedup();
        let mut rewritten = Vec::new();
        for file in files {
            if self.files.is_rewritten(file).await {
                rewritten.extend(self.files.name(file).cloned());
            }
        }
        rewritten
    }

    pub(super) async fn has_changed(&self, deadline: &Deadline<'_>) -> bool {
        self.files.have_changed(deadline).await
    }

    /// A file is known to have changed: the presentation is opened again for the next request.
    pub(super) fn set_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// It goes on being served, though a file has changed.
    pub(super) fn forget_stale(&self) {
        self.stale.store(false, Ordering::Relaxed);
    }

    pub(super) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// Notes that a file has changed and that its new version must settle before it is opened, at
    /// `at` milliseconds of the origin's clock.
    pub(super) fn wait_until(&self, at: u64) {
        self.settles_at.store(at, Ordering::Relaxed);
        self.set_stale();
    }

    /// Returns how long changed files must still settle at this time in milliseconds; `None` if
    /// they need not.
    pub(super) fn settles_in(&self, now: u64) -> Option<Duration> {
        let left = self.settles_at.load(Ordering::Relaxed).checked_sub(now)?;
        (left > 0).then(|| Duration::from_millis(left))
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("presentation", &self.presentation).finish_non_exhaustive()
    }
}
