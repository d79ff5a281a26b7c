//! The reads of one step of an opening: all wants of a batch together.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;

use futures_util::stream::{StreamExt, iter};

use super::read::{AT_ONCE, Access, Deadline, Files, Patience, Purpose, open_fragment, read_head};
use super::{index_files, path};
use crate::base::{Got, Name, ReadError, Want};
use crate::storage::{Ends, Source, Stat};

/// Files, or groups of ranges of one file, that are got at once. The limit of the store's operations
/// (`max_reads`) counts them too.
const FILES_AT_ONCE: usize = 64;

type Gotten = Result<(Got, Option<(Source, Stat)>), ReadError>;
type Getting<'a> = Pin<Box<dyn Future<Output = Vec<Gotten>> + Send + 'a>>;

/// Gets a whole batch, and keeps its outcome in `files`.
pub(super) async fn get(
    files: &mut Files,
    wants: &[Want],
    deadline: &Deadline<'_>,
) -> Vec<Result<Got, ReadError>> {
    let together = wants.chunk_by(are_of_one_file).flat_map(|ranges| ranges.chunks(AT_ONCE));
    let gets: Vec<Getting<'_>> =
        together.map(|wants| Box::pin(get_together(files, wants, deadline)) as _).collect();
    let mut gets = iter(gets).buffered(FILES_AT_ONCE);
    let mut outcomes: Vec<Gotten> = Vec::with_capacity(wants.len());
    let mut in_this_turn = 0;
    while let Some(several) = gets.next().await {
        in_this_turn += several.len();
        outcomes.extend(several);
        // Local files are read without waiting: a thousand reads would hold up other tasks.
        if in_this_turn >= AT_ONCE && outcomes.len() < wants.len() {
            in_this_turn = 0;
            files.shared().access.host.offload.give_way().await;
        }
    }
    drop(gets);
    let keep = |(want, outcome)| keep(files, want, outcome);
    wants.iter().zip(outcomes).map(keep).collect()
}

/// Keeps the outcome of a want in `files`. Returns what the step is fed.
fn keep(files: &mut Files, want: &Want, outcome: Gotten) -> Result<Got, ReadError> {
    let (outcome, opened) = match outcome {
        Ok((got, opened)) => (Ok(got), opened.map(Ok)),
        Err(error) => (Err(error.clone()), Some(Err(error.kind))),
    };
    match (want, opened) {
        (Want::Open { file, name, .. }, Some(opened)) => files.keep(*file, name.clone(), opened),
        (Want::Range { file, .. }, Some(Err(why))) => files.failed(*file, why),
        _ => {}
    }
    outcome
}

/// Returns whether two wants are ranges of the same file.
fn are_of_one_file(first: &Want, second: &Want) -> bool {
    matches!((first, second), (Want::Range { file: first, .. }, Want::Range { file: second, .. })
        if first == second)
}

/// Gets one want, or several ranges of one file in one operation of the store. If that fails, it
/// fails for all of them.
async fn get_together(files: &Files, wants: &[Want], deadline: &Deadline<'_>) -> Vec<Gotten> {
    let [Want::Range { file, .. }, _, ..] = wants else {
        let mut gotten = Vec::with_capacity(wants.len());
        for want in wants {
            gotten.push(deadline.bound(get_one(files, want, &deadline.patience)).await);
        }
        return gotten;
    };
    let ranges: Vec<_> = wants.iter().filter_map(range_of).collect();
    let read = deadline.bound(async { files.read_many(*file, &ranges).await });
    match read.await {
        Ok(read) => read.into_iter().map(|bytes| Ok((Got::Range(bytes), None))).collect(),
        Err(error) => vec![Err(error); wants.len()],
    }
}

fn range_of(want: &Want) -> Option<Range<u64>> {
    match want {
        Want::Range { range, .. } => Some(range.clone()),
        _ => None,
    }
}

async fn get_one(files: &Files, want: &Want, patience: &Patience) -> Gotten {
    match want {
        Want::Open { name, head, tail, .. } => {
            let ends = Ends::new(*head, *tail);
            let opening = match is_manifest_of_folder(name) {
                true => Box::pin(files.shared().access.open_briefly(name, ends, patience)).await?,
                false => files.shared().access.open(name, ends, patience).await?,
            };
            let (opened, source, stat) = read_head(&files.shared().access, opening, ends).await?;
            let access = &files.shared().access;
            let opened = opened.of_version(access.validated_version(&stat));
            let opened = opened.stored_as(access.stored_name(name).await);
            Ok((Got::Opened(opened), Some((source, stat))))
        }
        Want::Range { file, range } => {
            Ok((Got::Range(files.read(*file, range.clone()).await?), None))
        }
        // The file may change at any time, so it is not kept open.
        Want::Fragment { name, head, .. } => {
            let (opened, ..) =
                open_fragment(&files.shared().access, name, *head, Purpose::Look).await?;
            Ok((Got::Opened(opened), None))
        }
        Want::Index { file } => Ok((Got::Range(index_files::load(files, *file).await), None)),
        Want::List { folder } => {
            Ok((Got::Listed(list(&files.shared().access, folder).await?), None))
        }
    }
}

/// Returns whether the name is that of the manifest of a folder of fragments.
fn is_manifest_of_folder(name: &Name) -> bool {
    name.file_name().eq_ignore_ascii_case("Manifest")
        && name.folder().is_some_and(|folder| path::has_extension(folder.as_str().as_bytes()))
}

/// Lists the names of the files in a folder; `None` if the store cannot list.
async fn list(access: &Access, folder: &Name) -> Result<Option<Vec<Name>>, ReadError> {
    match access.list(Some(folder)).await {
        Err(error) if is_unsupported(&error) => Ok(None),
        listed => listed.map(Some),
    }
}

fn is_unsupported(error: &ReadError) -> bool {
    error.source.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::Unsupported)
}

/// Number of bytes that a step is fed.
pub(super) fn bytes_of(got: &[Result<Got, ReadError>]) -> u64 {
    let bytes = |got: &Result<Got, ReadError>| match got {
        Ok(Got::Opened(opened)) => opened.head.len() + opened.tail.len(),
        Ok(Got::Range(bytes)) => bytes.len(),
        Ok(Got::Listed(names)) => {
            names.iter().flatten().map(|name| name.as_str().len()).sum::<usize>()
        }
        Err(_) => 0,
    };
    got.iter().map(bytes).sum::<usize>() as u64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    use super::*;
    use crate::base::FileId;
    use crate::origin::block_on;
    use crate::origin::host::Host;
    use crate::origin::read::{AccessOptions, Handles, MemoryOptions, Shared};
    use crate::storage::{AnyStore, MemoryStore};

    #[test]
    fn many_ranges_of_one_file_give_way_to_other_tasks_after_a_limited_number() {
        let (store, name) = (MemoryStore::new(), Name::new("film.ismv").unwrap());
        store.put(name.clone(), vec![0; 1000]);
        let host = Host::default();
        let access = Access::new(AnyStore::new(store), &AccessOptions::default(), host.clone());
        let shared = Shared::new(access, Handles::new(1), MemoryOptions::default());
        let mut files = Files::new(Arc::new(shared));
        let deadline = Deadline::new(&host, Duration::from_secs(30));
        let file = FileId::new(0);
        let open = [Want::Open { file, name, head: 0, tail: 0 }];
        assert!(block_on(get(&mut files, &open, &deadline))[0].is_ok());

        let wants: Vec<_> = (0..256).map(|at| Want::Range { file, range: at..at + 1 }).collect();
        let mut getting = Box::pin(get(&mut files, &wants, &deadline));
        let mut turns = 1;
        let got = loop {
            match getting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(got) => break got,
                Poll::Pending => turns += 1,
            }
        };
        assert!(got.iter().all(Result::is_ok));
        assert_eq!((got.len(), turns), (256, 256 / AT_ONCE));
    }
}
