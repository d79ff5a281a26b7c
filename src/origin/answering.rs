//! The reads of one answer, before its body.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{StreamExt, iter};

use super::batch;
use super::offload::SMALL;
use super::read::{AT_ONCE, FragmentFile, Lent, Looked, Opened, Purpose, Shared, open_fragment};
use crate::base::{
    Error, ErrorKind, FileEnds, FileId, Got, Name, ReadError, ReadErrorKind, Step, Want,
};
use crate::presentation::Survey;
use crate::storage::budget::Share;
use crate::storage::{Source, Stat};

/// An answer whose reads were performed.
pub(super) struct Made<T> {
    pub(super) answer: T,
    /// The file of its fragment, if one was opened for it.
    pub(super) fragment: Option<FragmentFile>,
    /// The first range that was read for it.
    pub(super) looked: Option<Looked>,
}

/// Performs the reads that an answer wants, within the budget of the bodies. `first` is the number of
/// its first bytes that are needed, if not all are.
pub(super) async fn read_for<T: Send + 'static>(
    mut step: Step<T>,
    opened: &Arc<Opened>,
    first: Option<u64>,
) -> Result<Made<T>, Error> {
    let mut held = Held::default();
    let mut room = Vec::new();
    loop {
        let mut reads = match step {
            Step::Ready(answer) => return Ok(held.made(answer)),
            Step::Read(reads) => reads,
        };
        if let (Some(first), [Want::Range { file, range }]) = (first, reads.wanted())
            && opened.reads_beginning(*file, range, first)
        {
            reads.shorten(first);
        }
        room.extend(room_for(reads.wanted(), opened.shared(), room.is_empty()).await?);
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
        let fed = match batch::bytes_of(&got) <= SMALL {
            true => reads.feed(got),
            false => opened.shared().access.host.offload.run(move || reads.feed(got)).await?,
        };
        opened.report_late_findings();
        step = fed.inspect_err(|error| opened.note(error))?;
    }
}

/// The files of fragments that were opened for an answer, and what was read of others.
#[derive(Default)]
struct Held {
    first: Option<(FileId, FragmentFile)>,
    /// A survey opens several files. An answer never does.
    others: Vec<(FileId, FragmentFile)>,
    looked: Option<Looked>,
}

/// The outcome of a want, with what is held until the answer is made.
type GottenForAnswer = Result<(Got, Holds), ReadError>;
type GettingFragment<'a> = Pin<Box<dyn Future<Output = GottenForAnswer> + Send + 'a>>;

enum Holds {
    Nothing,
    File(FragmentFile),
    Look(Looked),
}

impl Held {
    fn source(&self, file: FileId) -> Option<&Source> {
        let mut held = self.first.iter().chain(&self.others);
        held.find(|(open, _)| *open == file).map(|(_, held)| &held.source)
    }

    /// Keeps what was opened or read for a want. Returns what the step is fed.
    fn keep(&mut self, want: &Want, gotten: GottenForAnswer) -> Result<Got, ReadError> {
        let (got, holds) = gotten?;
        match (want, holds) {
            (Want::Fragment { file, .. }, Holds::File(opened)) => match self.first {
                None => self.first = Some((*file, opened)),
                Some(_) => self.others.push((*file, opened)),
            },
            (_, Holds::Look(looked)) if self.looked.is_none() => self.looked = Some(looked),
            _ => {}
        }
        Ok(got)
    }

    fn made<T>(self, answer: T) -> Made<T> {
        Made { answer, fragment: self.first.map(|(_, held)| held), looked: self.looked }
    }
}

/// Gets one thing that an answer wants.
async fn get_for_answer(opened: &Arc<Opened>, want: &Want, held: &Held) -> GottenForAnswer {
    match want {
        Want::Range { file, range } => match held.source(*file) {
            Some(source) => {
                let read = opened.shared().access.read(source, range.clone()).await?;
                Ok((Got::Range(read), Holds::Nothing))
            }
            None => {
                let looked = opened.look(*file, range.clone()).await.map_err(read_error_of)?;
                Ok((Got::Range(looked.bytes.clone()), Holds::Look(looked)))
            }
        },
        Want::Fragment { name, head, .. } => {
            let (head, source, stat) = Box::pin(open(opened, name, *head)).await?;
            let held = FragmentFile { name: name.clone(), source, stat };
            Ok((Got::Opened(head), Holds::File(held)))
        }
        // An answer opens no other files.
        Want::Open { .. } | Want::Index { .. } | Want::List { .. } => {
            Err(ReadError::new(ReadErrorKind::Gone))
        }
    }
}

/// Opens the file of a fragment: once for all requests that want it at one time, if reads are dear.
async fn open(
    opened: &Arc<Opened>,
    name: &Name,
    head: u64,
) -> Result<(FileEnds, Source, Stat), ReadError> {
    let shared = opened.shared();
    let now = shared.access.host.clock.now();
    // A live encoder may have written it in the meantime.
    let missing = shared.missing.as_ref().filter(|_| !opened.presentation().is_live());
    if missing.is_some_and(|missing| missing.has(name, now)) {
        return Err(ReadError::new(ReadErrorKind::Gone));
    }
    let Some(whole) = &shared.whole_reads else {
        return open_fragment(&shared.access, name, head, Purpose::Answer).await;
    };
    let (for_all, of) = (Arc::clone(shared), name.clone());
    let open = async move {
        let room = for_all.room(head).await.map_err(read_error_of)?;
        let (mut ends, source, stat) =
            open_fragment(&for_all.access, &of, head, Purpose::Answer).await?;
        drop(room);
        // They count once, until the last of the answers is sent.
        let share = for_all.bodies.take_anyway(ends.head.len() as u64);
        ends.head = Lent::new(ends.head, share).bytes();
        Ok((ends, source, stat))
    };
    let file = whole.open(name, head, open).await;
    if let (Err(error), Some(missing)) = (&file, missing)
        && error.kind == ReadErrorKind::Gone
    {
        missing.put(name, now);
    }
    file
}

/// The error of a read that shares its bytes with others.
fn read_error_of(error: Error) -> ReadError {
    match error.kind {
        ErrorKind::Read(read) => read,
        // There is no room now.
        _ => {
            let source = Some(Arc::new(io::Error::other(error.to_string())));
            ReadError { source, ..ReadError::new(ReadErrorKind::Transient) }
        }
    }
}

/// Takes room for the reads of an answer from the budget of the bodies, unless they are short. Only
/// the first room of an answer is waited for: answers that hold some must not wait for each other.
async fn room_for(wants: &[Want], shared: &Shared, is_first: bool) -> Result<Option<Share>, Error> {
    let has_room = |range: &Range<u64>| {
        let whole = shared.whole_reads.as_ref();
        whole.is_some_and(|whole| range.end.saturating_sub(range.start) <= whole.most())
    };
    let bytes = |want: &Want| match want {
        Want::Range { range, .. } if has_room(range) => 0,
        Want::Range { range, .. } => range.end.saturating_sub(range.start),
        // Files that are opened for all requests have room for themselves.
        Want::Fragment { .. } if shared.whole_reads.is_some() => 0,
        Want::Fragment { head, .. } => *head,
        Want::Open { .. } | Want::Index { .. } | Want::List { .. } => 0,
    };
    let bytes = wants.iter().map(bytes).fold(0, u64::saturating_add);
    if bytes <= SMALL {
        return Ok(None);
    }
    // The bytes are appended to those that were read before.
    let bytes = bytes.saturating_mul(2);
    if !is_first {
        return Ok(Some(shared.bodies.take_anyway(bytes)));
    }
    shared.room(bytes).await.map(Some)
}

impl Opened {
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
        read_for(survey.look_on(), self, None).await.map(|made| made.answer)
    }
}
