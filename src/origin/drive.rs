//! Steps, driven over a store: every want of a batch at once.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{StreamExt, iter};

use super::access::Access;
use super::answer::HeldFragment;
use super::body::no_room;
use super::cache::OpeningPermit;
use super::deadline::Deadline;
use super::note_change;
use super::offload::SMALL;
use super::opened::{Files, Opened};
use super::path;
use crate::base::{
    Error, FileEnds, FileId, Got, Name, ReadError, ReadErrorKind, Reads, Step, Want,
};
use crate::presentation::Presentation;
use crate::storage::budget::Share;
use crate::storage::{Ends, Opening, Source, Stat};

/// Reads of a batch that are made at once.
pub(super) const AT_ONCE: usize = 16;

type Gotten = Result<(Got, Option<(Source, Stat)>), ReadError>;
type Getting<'a> = Pin<Box<dyn Future<Output = Vec<Gotten>> + Send + 'a>>;

/// What an opening was fed.
#[derive(Debug, Default)]
struct Fed {
    /// Bytes over all steps but brief ones: each step may work on what those before it left.
    bytes: u64,
    /// Bytes of brief steps, and what such a step takes beside, since other tasks had their turn.
    brief: u64,
}

/// A brief step takes as long as this many bytes, however few it is fed.
const BRIEF: u64 = 1 << 10;

/// Opens a presentation; gives what was opened with it, which a failed opening has too.
///
/// Where a step may take long, it is done elsewhere or after other tasks had their turn. The permit
/// is kept until such work ends, even when nobody waits for it any more.
pub(super) async fn open(
    mut step: Step<Presentation>,
    files: &mut Files,
    deadline: &Deadline<'_>,
    permit: &Arc<OpeningPermit>,
) -> Result<Presentation, Error> {
    let (mut last, mut fed) = (None, Fed::default());
    let access = Arc::clone(files.access());
    loop {
        let reads = match step {
            Step::Ready(presentation) => return Ok(presentation),
            Step::Read(reads) => reads,
        };
        let got = match reads.wanted() {
            // As in a walk, a read a fragment: without what several at once take.
            [Want::Range { file, range }] => {
                let got = {
                    let read = pin!(read_on(files, &mut last, *file, range.clone()));
                    match reads.is_brief() && fed.brief > 0 {
                        true => deadline.bound_wait(read).await,
                        false => deadline.bound(read).await,
                    }
                };
                vec![got.map(Got::Range).inspect_err(|error| files.failed(*file, error.kind))]
            }
            wants => get_all(files, wants, deadline).await,
        };
        if let Some(unsettled) = unsettled(reads.wanted(), &got, files) {
            return Err(unsettled.into());
        }
        if fed.is_brief(&reads, &got) {
            if fed.brief > SMALL {
                fed.brief = 0;
                access.host.offload.give_way().await;
            }
            step = reads.feed(got)?;
            continue;
        }
        let permit = Arc::clone(permit);
        let work = move || {
            let _permit = permit;
            reads.feed(got)
        };
        step = access.host.offload.run(work).await??;
    }
}

impl Fed {
    /// Adds a batch; whether going on from it takes a moment.
    fn is_brief<T>(&mut self, reads: &Reads<T>, got: &[Result<Got, ReadError>]) -> bool {
        let bytes = bytes_of(got);
        if reads.is_brief() && bytes <= SMALL {
            self.brief += bytes + BRIEF;
            return true;
        }
        self.bytes += bytes;
        self.bytes <= SMALL && !got.is_empty()
    }
}

fn bytes_of(got: &[Result<Got, ReadError>]) -> u64 {
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

/// Reads of the file that was read last, which stays at hand, or of another in its place.
async fn read_on(
    files: &Files,
    last: &mut Option<(FileId, Source)>,
    file: FileId,
    range: Range<u64>,
) -> Result<Bytes, ReadError> {
    let source = match last {
        Some((known, source)) if *known == file => source,
        _ => &last.insert((file, files.source(file).await?)).1,
    };
    files.access().read(source, range).await
}

/// A whole batch, and what came of it for the files.
async fn get_all(
    files: &mut Files,
    wants: &[Want],
    deadline: &Deadline<'_>,
) -> Vec<Result<Got, ReadError>> {
    let together = wants.chunk_by(are_of_one_file).flat_map(|ranges| ranges.chunks(AT_ONCE));
    let gets: Vec<Getting<'_>> =
        together.map(|wants| Box::pin(get_together(files, wants, deadline)) as _).collect();
    let mut gets = iter(gets).buffered(AT_ONCE).enumerate();
    let mut outcomes: Vec<Gotten> = Vec::with_capacity(wants.len());
    while let Some((number, several)) = gets.next().await {
        outcomes.extend(several);
        // Local files are opened without waiting: a thousand of them would hold up other tasks.
        if (number + 1).is_multiple_of(AT_ONCE) {
            files.access().host.offload.give_way().await;
        }
    }
    drop(gets);
    let keep = |(want, outcome)| keep(files, want, outcome);
    wants.iter().zip(outcomes).map(keep).collect()
}

/// Keeps what an outcome says of a file; gives what the step is fed.
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
            gotten.push(deadline.bound(get(files, want)).await);
        }
        return gotten;
    };
    let ranges: Vec<_> = wants.iter().filter_map(range_of).collect();
    let read = deadline.bound(async {
        let source = files.source(*file).await?;
        files.access().read_many(&source, &ranges).await
    });
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

async fn get(files: &Files, want: &Want) -> Gotten {
    match want {
        Want::Open { name, head, tail, .. } => {
            let ends = Ends::new(*head, *tail);
            let opening = match is_manifest_of_folder(name) {
                true => Box::pin(files.access().open_briefly(name, ends)).await?,
                false => files.access().open(name, ends).await?,
            };
            let (opened, source, stat) = read_ends(files.access(), opening, ends).await?;
            let opened = opened.stored_as(files.access().stored_name(name).await);
            Ok((Got::Opened(opened), Some((source, stat))))
        }
        Want::Range { file, range } => {
            let source = files.source(*file).await?;
            Ok((Got::Range(files.access().read(&source, range.clone()).await?), None))
        }
        // The file may change at any time, so it is not kept open.
        Want::Fragment { name, head, .. } => {
            let (opened, ..) = open_fragment(files.access(), name, *head, Purpose::Look).await?;
            Ok((Got::Opened(opened), None))
        }
        Want::List { folder } => Ok((Got::Listed(list(files.access(), folder).await?), None)),
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

/// Maximum attempts to open the file of a fragment, because an encoder may rewrite it while its
/// head is read.
const OPENINGS: usize = 3;

/// The purpose for which the file of a fragment is opened.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// A look while the presentation is opened; none of its bytes are served.
    Look,
    /// An answer.
    Answer,
}

/// Opens the file of a fragment in its current version, and reads its first bytes.
async fn open_fragment(
    access: &Access,
    name: &Name,
    head: u64,
    purpose: Purpose,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    for _ in 1..OPENINGS {
        match try_open_fragment(access, name, head, purpose).await {
            Err(error) if error.kind == ReadErrorKind::Changed => {}
            opened => return opened,
        }
    }
    try_open_fragment(access, name, head, purpose).await
}

async fn try_open_fragment(
    access: &Access,
    name: &Name,
    head: u64,
    purpose: Purpose,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    let ends = Ends::new(head, 0);
    let opening = match purpose {
        Purpose::Look => access.look(name, ends).await?,
        Purpose::Answer => access.open_briefly(name, ends).await?,
    };
    read_ends(access, opening, ends).await
}

/// Reads those ends of a file that the store did not read when it opened the file.
async fn read_ends(
    access: &Access,
    opening: Opening<Source>,
    ends: Ends,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    let Opening { source, stat, head, tail, .. } = opening;
    let (of_head, of_tail) = ends.ranges(stat.size);
    let tail = tail.or_else(|| of_tail.is_empty().then(Bytes::new));
    let (head, tail) = match (head, tail) {
        (Some(head), Some(tail)) => (head, tail),
        (Some(head), None) => (head, access.read(&source, of_tail).await?),
        (None, Some(tail)) => (access.read(&source, of_head).await?, tail),
        (None, None) => {
            let read = access.read_many(&source, &[of_head, of_tail]).await?;
            let mut read = read.into_iter();
            (read.next().unwrap_or_default(), read.next().unwrap_or_default())
        }
    };
    Ok((FileEnds::new(stat.size, head, tail), source, stat))
}

/// Performs the reads that an answer wants, within the budget of the bodies. Also returns the file
/// of its fragment if one was opened for it.
pub(super) async fn answer<T: Send + 'static>(
    mut step: Step<T>,
    opened: &Arc<Opened>,
) -> Result<(T, Option<HeldFragment>), Error> {
    let mut held = Held::default();
    let mut room = Vec::new();
    loop {
        let reads = match step {
            Step::Ready(answer) => return Ok((answer, held.first.map(|(_, held)| held))),
            Step::Read(reads) => reads,
        };
        room.extend(room_for(reads.wanted(), opened.access(), room.is_empty()).await?);
        let got = match reads.wanted() {
            [want] => {
                let gotten = get_for_answer(opened, want, &held).await;
                vec![held.keep(want, gotten)]
            }
            wants => {
                let get = |want| Box::pin(get_for_answer(opened, want, &held)) as _;
                let gets: Vec<GettingFragment<'_>> = wants.iter().map(get).collect();
                let gotten: Vec<_> = iter(gets).buffered(AT_ONCE).collect().await;
                let each = wants.iter().zip(gotten);
                each.map(|(want, gotten)| held.keep(want, gotten)).collect()
            }
        };
        let fed = match bytes_of(&got) <= SMALL {
            true => reads.feed(got),
            false => opened.access().host.offload.run(move || reads.feed(got)).await?,
        };
        opened.access().host.events.late_findings(opened);
        step = fed.inspect_err(|error| note_change(opened, error))?;
    }
}

/// The files of fragments that were opened for an answer.
#[derive(Default)]
struct Held {
    first: Option<(FileId, HeldFragment)>,
    /// A survey opens several files. An answer never does.
    others: Vec<(FileId, HeldFragment)>,
}

type GottenForAnswer = Result<(Got, Option<HeldFragment>), ReadError>;
type GettingFragment<'a> = Pin<Box<dyn Future<Output = GottenForAnswer> + Send + 'a>>;

impl Held {
    fn source(&self, file: FileId) -> Option<&Source> {
        let mut held = self.first.iter().chain(&self.others);
        held.find(|(open, _)| *open == file).map(|(_, held)| &held.source)
    }

    /// Keeps the file that was opened for a want. Returns what the step is fed.
    fn keep(&mut self, want: &Want, gotten: GottenForAnswer) -> Result<Got, ReadError> {
        let (got, opened) = gotten?;
        if let (Want::Fragment { file, .. }, Some(opened)) = (want, opened) {
            match self.first {
                None => self.first = Some((*file, opened)),
                Some(_) => self.others.push((*file, opened)),
            }
        }
        Ok(got)
    }
}

/// Gets one thing that an answer wants.
async fn get_for_answer(opened: &Arc<Opened>, want: &Want, held: &Held) -> GottenForAnswer {
    match want {
        Want::Range { file, range } => {
            let read = match held.source(*file) {
                Some(source) => opened.access().read(source, range.clone()).await,
                None => read_once(opened, *file, range.clone()).await,
            };
            Ok((Got::Range(read?), None))
        }
        Want::Fragment { name, head, .. } => {
            let access = opened.access();
            let fragment = Box::pin(open_fragment(access, name, *head, Purpose::Answer)).await;
            let (head, source, stat) = fragment?;
            let held = HeldFragment { name: name.clone(), source, stat };
            Ok((Got::Opened(head), Some(held)))
        }
        // An answer opens no other files.
        Want::Open { .. } | Want::List { .. } => Err(ReadError::new(ReadErrorKind::Gone)),
    }
}

/// Takes room for the reads of an answer from the budget of the bodies, unless they are short. Only
/// the first room of an answer is waited for: answers that hold some must not wait for each other.
async fn room_for(wants: &[Want], access: &Access, is_first: bool) -> Result<Option<Share>, Error> {
    let bytes = |want: &Want| match want {
        Want::Range { range, .. } => range.end.saturating_sub(range.start),
        Want::Fragment { head, .. } => *head,
        Want::Open { .. } | Want::List { .. } => 0,
    };
    let bytes = wants.iter().map(bytes).fold(0, u64::saturating_add);
    if bytes <= SMALL {
        return Ok(None);
    }
    // The bytes are appended to those that were read before.
    let bytes = bytes.saturating_mul(2);
    if !is_first {
        return Ok(Some(access.bodies.take_anyway(bytes)));
    }
    let room = access.within(access.bodies.take(bytes)).await;
    room.map(Some).ok_or_else(no_room)
}

/// The same for all who want it at one time, where there is a cache for what is wanted often.
async fn read_once(
    opened: &Arc<Opened>,
    file: FileId,
    range: Range<u64>,
) -> Result<Bytes, ReadError> {
    let Some(fragments) = &opened.access().fragments else {
        return read(opened, file, range).await;
    };
    let (key, opened) = (opened.key(file, range.clone()), Arc::clone(opened));
    fragments.flights.join(&key, async move { read(&opened, file, range).await }).await
}

/// Reads a range of a file of a presentation.
pub(super) async fn read(
    opened: &Opened,
    file: FileId,
    range: Range<u64>,
) -> Result<Bytes, ReadError> {
    let source = opened.source(file).await?;
    opened.access().read(&source, range).await
}
