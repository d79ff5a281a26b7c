//! The newest snapshot of a publishing point, as the requests of origins find it.

use std::sync::{Arc, PoisonError, RwLock};

use super::held::HeldFile;
use crate::base::FileId;
use crate::origin::Opened;
use crate::origin::read::{Files, Shared};
use crate::presentation::Presentation;

/// The snapshot that is served, opened once for each origin that has asked for it.
#[derive(Debug, Default)]
pub(super) struct Shown(RwLock<Option<Snapshot>>);

#[derive(Debug)]
struct Snapshot {
    presentation: Arc<Presentation>,
    files: EventFiles,
    opened: Vec<Arc<Opened>>,
}

/// The files of an event: that of each track, by its id.
#[derive(Clone, Debug)]
pub(super) struct EventFiles {
    /// Number of the opening, which stays the same for all snapshots of the event: what caches keep of one
    /// is that of all.
    pub(super) opening: u64,
    list: Arc<Vec<Option<HeldFile>>>,
}

/// Origins that a snapshot is opened for at a time: after a reload, one or two.
const ORIGINS: usize = 4;

impl EventFiles {
    /// The files of an event that begins.
    pub(super) fn new() -> Self {
        Self { opening: Files::next_number(), list: Arc::default() }
    }

    pub(super) fn get(&self, file: FileId) -> Option<&HeldFile> {
        self.list.get(file.index())?.as_ref()
    }

    pub(super) fn put(&mut self, id: FileId, file: HeldFile) {
        let list = Arc::make_mut(&mut self.list);
        if list.len() <= id.index() {
            list.resize(id.index() + 1, None);
        }
        list[id.index()] = Some(file);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &HeldFile> {
        self.list.iter().flatten()
    }
}

impl Shown {
    /// Shows another snapshot from now on.
    pub(super) fn replace(&self, presentation: Arc<Presentation>, files: &EventFiles) {
        let snapshot = Snapshot { presentation, files: files.clone(), opened: Vec::new() };
        let old = self.0.write().unwrap_or_else(PoisonError::into_inner).replace(snapshot);
        // Not while the lock is held: it may be the last one that has the old snapshot.
        drop(old);
    }

    pub(super) fn presentation(&self) -> Option<Arc<Presentation>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().map(|snapshot| Arc::clone(&snapshot.presentation))
    }

    /// The snapshot as an origin answers from it.
    pub(super) fn opened(&self, shared: &Arc<Shared>) -> Option<Arc<Opened>> {
        let is_ours = |opened: &&Arc<Opened>| {
            std::ptr::eq(opened.shared().as_ref(), shared.as_ref()) && !opened.is_stale()
        };
        {
            let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let snapshot = shown.as_ref()?;
            if let Some(opened) = snapshot.opened.iter().find(is_ours) {
                return Some(Arc::clone(opened));
            }
        }
        let mut shown = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let snapshot = shown.as_mut()?;
        if let Some(opened) = snapshot.opened.iter().find(is_ours) {
            return Some(Arc::clone(opened));
        }
        let opened = Arc::new(snapshot.open(shared));
        snapshot.opened.retain(|opened| !opened.is_stale());
        if snapshot.opened.len() == ORIGINS {
            snapshot.opened.remove(0);
        }
        snapshot.opened.push(Arc::clone(&opened));
        Some(opened)
    }
}

impl Snapshot {
    fn open(&self, shared: &Arc<Shared>) -> Opened {
        let mut files = Files::pinned(Arc::clone(shared), self.files.opening);
        for (index, file) in self.files.list.iter().enumerate() {
            if let (Some(file), Ok(index)) = (file, u32::try_from(index)) {
                let (name, version) = (file.name().clone(), file.version().clone());
                files.pin(FileId::new(index), name, version, file.source());
            }
        }
        Opened::of_snapshot(Arc::clone(&self.presentation), files)
    }
}

#[cfg(all(test, any(feature = "dash", feature = "hls")))]
mod tests {
    use super::*;
    use crate::base::{Error, Step};
    use crate::manifest::StreamKind;
    use crate::origin::host::Host;
    use crate::origin::read::{Access, AccessOptions, Handles, MemoryOptions};
    use crate::output::cmaf;
    use crate::presentation::growing::samples::{Event, Pushed, SECOND};
    use crate::presentation::{Piece, Validator};
    use crate::storage::{AnyStore, MemoryStore};

    fn shared() -> Arc<Shared> {
        let (store, host) = (AnyStore::new(MemoryStore::new()), Host::default());
        let access = Access::new(store, &AccessOptions::default(), host);
        Arc::new(Shared::new(access, Handles::new(1), MemoryOptions::default()))
    }

    /// A segment, and whether its head was read for it.
    #[derive(Debug, PartialEq)]
    struct Asked {
        bytes: Vec<u8>,
        validator: Validator,
        has_read: bool,
    }

    fn ask(event: &Event, of: &Arc<Presentation>, number: u64) -> Result<Asked, &'static str> {
        let path = format!("video-800000/{}.m4s", 2 * SECOND * number);
        let request = cmaf::Request::parse(&path).unwrap();
        let code = |error: Error| error.kind.code();
        let step = cmaf::answer(of, &request).map_err(code)?;
        let has_read = matches!(step, Step::Read(_));
        let reply = event.drive(step).map_err(code)?;
        let mut bytes = Vec::new();
        for piece in reply.pieces() {
            match piece {
                Piece::Bytes(written) => bytes.extend_from_slice(written),
                Piece::Stored(of) => {
                    let file = &event.files[of.file.index() - 1];
                    bytes.extend(&file[of.range.start as usize..of.range.end as usize]);
                }
            }
        }
        Ok(Asked { bytes, validator: reply.representation().validator(), has_read })
    }

    /// The newest snapshot, as an origin answers from it.
    fn show(event: &mut Event, shown: &Shown, files: &EventFiles, by: &Arc<Shared>) -> Arc<Opened> {
        shown.replace(event.snapshot(Some(20)), files);
        shown.opened(by).unwrap()
    }

    /// Compares a segment with the one that an origin writes that has kept nothing.
    #[track_caller]
    fn check(event: &mut Event, of: &Opened, number: u64, has_read: bool) {
        let found = ask(event, of.presentation(), number).unwrap();
        assert_eq!(found.has_read, has_read);
        let without = event.snapshot(Some(20));
        assert_eq!(ask(event, &without, number), Ok(Asked { has_read: true, ..found }));
    }

    #[test]
    fn the_head_of_a_segment_is_written_once_for_all_snapshots_that_have_its_chunk() {
        let (shown, files, by) = (Shown::default(), EventFiles::new(), shared());
        let mut event = Event::usual();
        (0..4).for_each(|number| event.add_chunk(number));
        let first = show(&mut event, &shown, &files, &by);
        check(&mut event, &first, 1, true);
        check(&mut event, &first, 1, false);
        event.add_chunk(4);
        let second = show(&mut event, &shown, &files, &by);
        check(&mut event, &second, 1, false);
        check(&mut event, &second, 4, true);

        // A late quality is the first one of its stream, and another is the second one then.
        let late = Pushed::new(StreamKind::Video, 4, 5_000_000);
        event.growing = event.growing.with_files(vec![late.file()]).unwrap();
        event.files.push(late.head().to_vec());
        event.tracks.push(late);
        event.add_chunk(5);
        let third = show(&mut event, &shown, &files, &by);
        check(&mut event, &third, 1, false);
        check(&mut event, &third, 5, true);

        // Chunks are counted anew when others leave.
        event.growing.drop_before(4 * SECOND);
        let fourth = show(&mut event, &shown, &files, &by);
        assert_eq!(ask(&event, fourth.presentation(), 1), Err("no-fragment"));
        check(&mut event, &fourth, 4, false);
        for number in 2..4 {
            check(&mut event, &fourth, number, true);
        }
    }

    #[test]
    fn the_next_event_has_none_of_the_heads_of_the_one_before() {
        let (shown, by) = (Shown::default(), shared());
        for samples in [1, 3] {
            let mut video = Pushed::new(StreamKind::Video, 1, 800_000);
            video.samples = samples;
            let mut event = Event::new(vec![video]);
            (0..4).for_each(|number| event.add_chunk(number));
            let opened = show(&mut event, &shown, &EventFiles::new(), &by);
            check(&mut event, &opened, 1, true);
            check(&mut event, &opened, 1, false);
        }
    }

    #[test]
    fn another_origin_answers_from_the_same_snapshot() {
        let (shown, files, by, other) = (Shown::default(), EventFiles::new(), shared(), shared());
        let mut event = Event::usual();
        (0..4).for_each(|number| event.add_chunk(number));
        let first = show(&mut event, &shown, &files, &by);
        check(&mut event, &first, 1, true);
        let second = shown.opened(&other).unwrap();
        check(&mut event, &second, 1, false);
    }
}
