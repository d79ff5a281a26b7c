//! The archive of what encoders push.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::log::{Level, log};
use common::{ArchivePlace, Failure};
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{LiveOptions, LivePoints};
use smooth_origin::storage::LocalArchive;
#[cfg(feature = "remote")]
use smooth_origin::storage::{Archive, BucketArchive, RangeSource};
use smooth_origin::{Error, ErrorKind, Name};

/// The archive of this server. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Kept {
    Folder(PathBuf, LocalArchive),
    #[cfg(feature = "remote")]
    Bucket(BucketArchive),
}

impl Kept {
    /// # Errors
    /// The folder cannot be used, or the environment says too little about the bucket.
    pub(super) fn open(place: &ArchivePlace) -> Result<Self, Failure> {
        #[cfg(feature = "remote")]
        if let Some(bucket) = place.bucket()? {
            return Ok(Self::Bucket(BucketArchive::new(bucket)));
        }
        let failed = |error: io::Error| Failure::system("--live-archive cannot be used", error);
        let folder = place.folder().ok_or_else(|| failed(io::ErrorKind::Unsupported.into()))?;
        let archive = LocalArchive::new(folder).map_err(failed)?.offload(|work| {
            tokio::task::spawn_blocking(work);
        });
        Ok(Self::Folder(folder.into(), archive))
    }

    /// Checks what [`open`](Self::open) would refuse, and makes nothing.
    pub(super) fn check(place: &ArchivePlace) -> Result<(), Failure> {
        #[cfg(feature = "remote")]
        place.bucket()?;
        let _ = place;
        Ok(())
    }

    pub(super) fn given_to(&self, options: LiveOptions) -> LiveOptions {
        match self {
            Self::Folder(_, archive) => options.archive(archive.clone()),
            #[cfg(feature = "remote")]
            Self::Bucket(archive) => options.archive(archive.clone()),
        }
    }

    /// The publishing points that have a record.
    async fn points(&self) -> Vec<Name> {
        let mut names = Vec::new();
        match self {
            Self::Folder(folder, _) => find_points(folder, "", DEPTH, &mut names),
            #[cfg(feature = "remote")]
            Self::Bucket(archive) => {
                if let Err(error) = list_points(archive, &mut names).await {
                    let lost = "other events in it go on when encoders push to them";
                    log(
                        Level::Error,
                        format_args!("--live-archive cannot be listed: {error}; {lost}"),
                    );
                }
            }
        }
        names
    }

    /// Deletes what the archive does not need any more.
    pub(super) async fn delete_due(&self) {
        match self {
            Self::Folder(..) => {}
            #[cfg(feature = "remote")]
            Self::Bucket(archive) => {
                if let Err(error) = archive.delete_due().await {
                    log(
                        Level::Warn,
                        format_args!("--live-archive: parts are not deleted: {error}"),
                    );
                }
            }
        }
    }
}

/// Publishing points whose events are still to be recovered, because the archive failed.
pub(crate) type Unrecovered = Vec<(Name, PointOptions)>;

/// How often a start tries to recover publishing points before it goes on without them.
const TRIES: u32 = 3;

/// Time between two tries of a start.
const PAUSE: Duration = Duration::from_secs(1);

/// Recovers publishing points: `named` ones with options of their own, and those that the archive knows and that
/// `may_be` points. Returns those that must be tried again.
pub(super) async fn recover_all(
    kept: &Kept,
    points: &LivePoints,
    of_each: &PointOptions,
    named: &[(Name, PointOptions)],
    may_be: impl Fn(&Name) -> bool,
) -> Unrecovered {
    let mut waiting = named.to_vec();
    let known = kept.points().await.into_iter().filter(may_be);
    waiting.extend(known.map(|name| (name, of_each.clone())));
    waiting = recover_again(points, waiting).await;
    for _ in 1..TRIES {
        if waiting.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        waiting = recover_again(points, waiting).await;
    }
    waiting
}

/// Tries to recover publishing points. Returns those that must be tried again.
pub(super) async fn recover_again(points: &LivePoints, waiting: Unrecovered) -> Unrecovered {
    let mut failed = Unrecovered::new();
    for (name, options) in waiting {
        if !recover(points, &name, &options).await {
            failed.push((name, options));
        }
    }
    failed
}

/// Goes on with the event of a point, or without it if its files contradict themselves. Returns false if the archive
/// failed: nothing is given up then.
async fn recover(points: &LivePoints, name: &Name, of_each: &PointOptions) -> bool {
    let Err(error) = points.recover(name.clone(), of_each.clone()).await else { return true };
    let is_broken = |error: &Error| matches!(error.kind, ErrorKind::Invalid { .. });
    let why = format!("{name}: the event in the archive cannot go on");
    if !is_broken(&error) {
        log(Level::Error, format_args!("{why} yet: {error}; pushes are refused until it can"));
        return false;
    }
    let (done, is_done) = match points.set_aside(name.clone(), of_each.clone()).await {
        Ok(_) => {
            let done = "its files stay as they are, and the next push begins another event";
            (done.to_owned(), true)
        }
        Err(error) => (
            format!("pushes are refused until the archive can be read: {error}"),
            is_broken(&error),
        ),
    };
    log(Level::Error, format_args!("{why}: {error}; {done}"));
    is_done
}

/// Folders below the archive that may have publishing points.
const DEPTH: u32 = 8;

/// Finds the publishing points that have a record.
fn find_points(folder: &Path, prefix: &str, depth: u32, names: &mut Vec<Name>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let folder = folder.display();
            let lost = "events in it go on when encoders push to them";
            return log(Level::Error, format_args!("{folder} cannot be read: {error}; {lost}"));
        }
    };
    for entry in entries.flatten() {
        let (file, path) = (entry.file_name(), entry.path());
        let Some(file) = file.to_str() else { continue };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth > 0 {
                find_points(&path, &format!("{prefix}{file}/"), depth - 1, names);
            }
        } else if file.ends_with(".point")
            && let Some(point) = fs::read(&path).ok().and_then(|record| LivePoints::named(&record))
            && !names.contains(&point)
        {
            names.push(point);
        }
    }
}

/// Finds the publishing points that have a record in a bucket. One that cannot be read hides no other.
#[cfg(feature = "remote")]
async fn list_points(archive: &BucketArchive, names: &mut Vec<Name>) -> io::Result<()> {
    let mut failed = Ok(());
    for record in archive.records().await? {
        match point_of(archive, &record).await {
            Ok(point) => names.extend(point.filter(|point| !names.contains(point))),
            Err(error) => failed = Err(error),
        }
    }
    failed
}

/// The publishing point that a record is of.
#[cfg(feature = "remote")]
async fn point_of(archive: &BucketArchive, record: &Name) -> io::Result<Option<Name>> {
    let source = archive.open(record).await?;
    let size = source.stat().await?.size.min(LONGEST_RECORD);
    Ok(LivePoints::named(&source.read(0..size).await?))
}

/// Bytes that the record of a publishing point has at most.
#[cfg(feature = "remote")]
const LONGEST_RECORD: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use bytes::Bytes;
    use smooth_origin::origin::block_on;
    use smooth_origin::storage::{Archive, MemoryArchive, Source};

    use super::*;

    /// An archive that cannot be reached for a while.
    struct Away(MemoryArchive, Arc<AtomicBool>);

    impl Archive for Away {
        async fn append(&self, name: &Name, offset: u64, bytes: Bytes) -> io::Result<()> {
            self.0.append(name, offset, bytes).await
        }

        async fn finish(&self, name: &Name) -> io::Result<()> {
            self.0.finish(name).await
        }

        async fn open(&self, name: &Name) -> io::Result<Source> {
            match self.1.load(Ordering::Relaxed) {
                true => Err(io::ErrorKind::TimedOut.into()),
                false => self.0.open(name).await,
            }
        }

        async fn put(&self, name: &Name, content: Bytes) -> io::Result<()> {
            self.0.put(name, content).await
        }
    }

    #[test]
    fn an_archive_that_is_away_for_a_while_gives_up_no_event() {
        let is_away = Arc::new(AtomicBool::new(true));
        let archive = MemoryArchive::new();
        let away = Away(archive.clone(), Arc::clone(&is_away));
        let options = LiveOptions::default().archive(away);
        let points = LivePoints::new(options.on_first_push(|_| Some(PointOptions::default())));
        let (lost, broken) = (Name::new("a.isml").unwrap(), Name::new("b.isml").unwrap());
        let record = Name::new("b.point").unwrap();
        block_on(archive.put(&record, Bytes::from_static(b"my notes"))).unwrap();
        let all = [&lost, &broken].map(|name| (name.clone(), PointOptions::default())).to_vec();
        let waiting = block_on(recover_again(&points, all.clone()));
        assert_eq!((waiting.len(), points.list().len()), (2, 0));
        let refused = block_on(points.for_push(&lost)).map(drop).unwrap_err();
        assert_eq!(refused.kind.status(), 503);
        is_away.store(false, Ordering::Relaxed);
        // What contradicts itself does so at each try.
        assert!(block_on(recover_again(&points, waiting)).is_empty());
        assert!(points.get(&lost).is_some() && points.get(&broken).is_none());
    }
}
