//! A presentation with its files, as they were when it was opened.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::deadline::Deadline;
use super::files::Files;
use super::key::Key;
use super::lent::Lent;
use super::looked::{Looked, LookedIn};
use super::shared::Shared;
use crate::base::{Error, ErrorKind, FileId, Name, ReadError, ReadErrorKind};
use crate::presentation::{Presentation, compressed_forms};
use crate::storage::Source;

/// An opened presentation and the versions of its files. Reads through it give bytes of these
/// versions, or an error.
pub struct Opened {
    presentation: Arc<Presentation>,
    files: Files,
    /// Set if a file is known to have changed.
    stale: AtomicBool,
    /// Time at which changed files will have settled, in milliseconds of the origin's clock; 0 if none are
    /// known to have changed.
    settles_at: AtomicU64,
    /// Late findings that were reported.
    reported: AtomicUsize,
    /// Data that a host prepares once for all its responses.
    #[cfg(feature = "http")]
    attachment: Attachment,
    /// Data that it prepares for responses while the time of change of the files is in the future.
    /// `None` if that time was past when they were opened, as it nearly always is.
    #[cfg(feature = "http")]
    ahead: Option<Box<Attachment>>,
}

#[cfg(feature = "http")]
type Attachment = std::sync::OnceLock<Box<dyn std::any::Any + Send + Sync>>;

/// Upper bound for the header fields of manifests and of fragments of three kinds.
const HEADER_FIELDS: usize = 13 << 10;

/// Upper bound for the bytes of an opening without its presentation, including its place in the
/// cache.
const AN_OPENING: usize = 2 << 10;

/// Upper bound for the name, version and handle of a file.
const A_FILE: usize = 512;

impl Opened {
    pub(in crate::origin) fn new(mut presentation: Presentation, files: Files) -> Self {
        if let Some(whole) = &files.shared().whole_reads {
            presentation.look_whole(whole.most());
        }
        Self::of(Arc::new(presentation), files)
    }

    /// A snapshot of a live presentation, with the files of its event. All events have one budget for their texts.
    #[cfg(feature = "live")]
    pub(in crate::origin) fn of_snapshot(presentation: Arc<Presentation>, files: Files) -> Self {
        presentation.share_texts(&files.shared().live_texts);
        Self::of(presentation, files)
    }

    fn of(presentation: Arc<Presentation>, files: Files) -> Self {
        if let Some(heads) = &files.shared().heads {
            presentation.keep_heads(files.number(), Arc::clone(heads) as _);
        }
        presentation.keep_clips(files.number(), Arc::clone(&files.shared().clips) as _);
        #[cfg(feature = "http")]
        let now = files.shared().access.host.clock.wall();
        #[cfg(feature = "http")]
        let is_ahead = files.modified.is_some_and(|modified| modified > now);
        Self {
            presentation,
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

    /// Time of the last change of its files, if the store knows it.
    pub fn modified(&self) -> Option<SystemTime> {
        self.files.modified
    }

    /// Data that a host prepares once, with the first call. `None` if another host has attached
    /// something else.
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
        let now = self.shared().access.host.clock.wall();
        self.modified().is_some_and(|modified| modified > now)
    }

    /// Reports the findings that answers have added since the last call. Each is reported once,
    /// however many requests run at the same time.
    pub(in crate::origin) fn report_late_findings(&self) {
        let events = &self.shared().access.host.events;
        if !events.are_wanted() {
            return;
        }
        let known = self.reported.load(Ordering::Relaxed);
        let (mut late, all) = self.presentation.late_findings(known);
        // Another request may have taken the first of them meanwhile.
        let before = self.reported.fetch_max(all, Ordering::Relaxed);
        late.drain(..before.saturating_sub(known).min(late.len()));
        for finding in &late {
            events.late_finding(self.presentation.name(), finding);
        }
    }

    /// Bytes of memory that it takes, with what may be attached later.
    pub(in crate::origin) fn memory(&self) -> usize {
        let files = self.files.len() * A_FILE;
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

    pub(in crate::origin) fn shared(&self) -> &Arc<Shared> {
        self.files.shared()
    }

    /// Names bytes of a file, as the file is in this opening and no other.
    pub(in crate::origin) fn key(&self, file: FileId, range: Range<u64>) -> Key {
        self.files.key(file, range)
    }

    /// A file of the presentation, in the version that was opened.
    pub(in crate::origin) async fn source(&self, file: FileId) -> Result<Source, ReadError> {
        self.files.source(file).await
    }

    /// The source of a file of a live event.
    #[cfg(feature = "live")]
    pub(in crate::origin) fn pinned_source(&self, file: FileId) -> Option<&Source> {
        self.files.pinned_source(file)
    }

    /// Reads a range of a file.
    pub(super) async fn read(&self, file: FileId, range: Range<u64>) -> Result<Bytes, ReadError> {
        self.files.read(file, range).await
    }

    /// Reads a range of a file for an answer, once for all requests that want it at one time. If reads
    /// are dear, the range is a whole fragment, or its beginning, and may be in the cache.
    pub(in crate::origin) async fn look(
        self: &Arc<Self>,
        file: FileId,
        range: Range<u64>,
    ) -> Result<Looked, Error> {
        let in_file = |error: ReadError| Error::from(error).in_file(file);
        if !self.has_whole(&range) {
            let bytes = self.read_once(file, range.clone()).await.map_err(in_file)?;
            return Ok(Looked { file, range, bytes, source: LookedIn::Part });
        }
        let key = self.key(file, range.clone());
        let found = self.shared().fragments.as_ref().and_then(|fragments| fragments.find(&key));
        if let Some(bytes) = found {
            return Ok(Looked { file, range, bytes, source: LookedIn::Cache });
        }
        let lent = self.read_whole(file, range.clone()).await?;
        Ok(Looked { file, range, bytes: lent.bytes(), source: LookedIn::Store(lent) })
    }

    /// Returns whether a request that needs the `first` bytes of a fragment alone reads only its
    /// beginning: if reads are dear, the fragment is neither in memory nor being read, and no cache is
    /// to have all of it. A request for the head (0 bytes) fills no cache.
    pub(in crate::origin) fn reads_beginning(
        &self,
        file: FileId,
        range: &Range<u64>,
        first: u64,
    ) -> bool {
        let Some(whole) = &self.shared().whole_reads else { return false };
        let key = self.key(file, range.clone());
        match &self.shared().fragments {
            _ if whole.has(&key) => false,
            Some(fragments) => first == 0 && !fragments.has(&key),
            None => true,
        }
    }

    /// Reads a range of a file once for all requests that want it at one time, if fragments are
    /// kept: these are the ones that many clients request.
    async fn read_once(
        self: &Arc<Self>,
        file: FileId,
        range: Range<u64>,
    ) -> Result<Bytes, ReadError> {
        let Some(fragments) = &self.shared().fragments else {
            return self.read(file, range).await;
        };
        let (key, opened) = (self.key(file, range.clone()), Arc::clone(self));
        fragments.reads.join(&key, async move { opened.read(file, range).await }).0.await
    }

    /// Returns whether a range of this length is read at once, because reads are dear.
    fn has_whole(&self, range: &Range<u64>) -> bool {
        let whole = self.shared().whole_reads.as_ref();
        whole.is_some_and(|whole| range.end.saturating_sub(range.start) <= whole.most())
    }

    /// Reads a range of a file, with room for its bytes as long as any request has them: once for all
    /// requests that want it at one time, if reads are dear.
    pub(in crate::origin) async fn read_whole(
        self: &Arc<Self>,
        file: FileId,
        range: Range<u64>,
    ) -> Result<Lent, Error> {
        let len = range.end.saturating_sub(range.start);
        let (key, opened) = (self.key(file, range.clone()), Arc::clone(self));
        let read = async move {
            let share = opened.shared().room(len).await?;
            let read = opened.read(file, range).await;
            Ok((read.map_err(|error| Error::from(error).in_file(file))?, share))
        };
        match &self.shared().whole_reads {
            Some(whole) => {
                let (lent, is_joined) = whole.get(&key, read).await;
                if let Some(ahead) = self.shared().ahead.as_ref().filter(|_| is_joined) {
                    ahead.join(&key);
                }
                lent
            }
            None => read.await.map(|(bytes, share)| Lent::new(bytes, share)),
        }
    }

    /// Checks that a file can still be read in the version that was opened.
    pub(in crate::origin) async fn check(&self, file: FileId) -> Result<(), ReadError> {
        self.files.check(file).await
    }

    /// Returns the media files that were rewritten in place since they were opened.
    pub(in crate::origin) async fn rewritten(&self) -> Vec<Name> {
        let mut rewritten = Vec::new();
        for file in self.media_files() {
            if self.files.is_rewritten(file).await {
                rewritten.extend(self.files.name(file).cloned());
            }
        }
        rewritten
    }

    /// The files of its tracks.
    fn media_files(&self) -> Vec<FileId> {
        let tracks = self.presentation.streams().iter().flat_map(|stream| stream.tracks());
        let mut files: Vec<_> = tracks.filter_map(|track| Some(track.source()?.0)).collect();
        files.sort_unstable_by_key(|file| file.index());
        files.dedup();
        files
    }

    /// Returns whether a name stands for something else than when it was opened. Without media, the files
    /// of tracks are left out.
    pub(in crate::origin) async fn has_changed(
        &self,
        deadline: &Deadline<'_>,
        with_media: bool,
    ) -> bool {
        let left_out = if with_media { Vec::new() } else { self.media_files() };
        self.files.have_changed(deadline, &left_out).await
    }

    /// Marks the presentation as out of date if one of its files has changed during a request, or
    /// is not what its index says.
    pub(in crate::origin) fn note(&self, error: &Error) {
        if let ErrorKind::Read(read) = &error.kind
            && matches!(read.kind, ReadErrorKind::Changed | ReadErrorKind::Gone)
        {
            self.set_stale();
        }
        // If one place in an index was wrong, more may be: the index is not used again.
        if !self.presentation.distrusted().is_empty() {
            self.set_stale();
        }
    }

    /// A file is known to have changed: the presentation is opened again for the next request.
    pub(in crate::origin) fn set_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// It goes on being served, though a file has changed.
    pub(in crate::origin) fn forget_stale(&self) {
        self.stale.store(false, Ordering::Relaxed);
    }

    pub(in crate::origin) fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// Notes that a file has changed and that its new version must settle before it is opened, at
    /// `at` milliseconds of the origin's clock.
    pub(in crate::origin) fn wait_until(&self, at: u64) {
        self.settles_at.store(at, Ordering::Relaxed);
        self.set_stale();
    }

    /// Returns how long changed files must still settle at this time in milliseconds; `None` if
    /// they need not.
    pub(in crate::origin) fn settles_in(&self, now: u64) -> Option<Duration> {
        let left = self.settles_at.load(Ordering::Relaxed).checked_sub(now)?;
        (left > 0).then(|| Duration::from_millis(left))
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.presentation.name();
        f.debug_struct("Opened").field("name", name).finish_non_exhaustive()
    }
}
