//! The reads of one answer, before its body.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{StreamExt, iter};

use super::batch;
use super::offload::SMALL;
use super::read::{AT_ONCE, FragmentFile, Opened, Purpose, Shared, open_fragment};
use crate::base::{Error, ErrorKind, FileId, Got, ReadError, ReadErrorKind, Step, Want};
use crate::presentation::Survey;
use crate::storage::Source;
use crate::storage::budget::Share;

/// Performs the reads that an answer wants, within the budget of the bodies. Also returns the file
/// of its fragment if one was opened for it.
pub(super) async fn read_for<T: Send + 'static>(
    mut step: Step<T>,
    opened: &Arc<Opened>,
) -> Result<(T, Option<FragmentFile>), Error> {
    let mut held = Held::default();
    let mut room = Vec::new();
    loop {
        let reads = match step {
            Step::Ready(answer) => return Ok((answer, held.first.map(|(_, held)| held))),
            Step::Read(reads) => reads,
        };
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

/// The files of fragments that were opened for an answer.
#[derive(Default)]
struct Held {
    first: Option<(FileId, FragmentFile)>,
    /// A survey opens several files. An answer never does.
    others: Vec<(FileId, FragmentFile)>,
}

type GottenForAnswer = Result<(Got, Option<FragmentFile>), ReadError>;
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
                Some(source) => opened.shared().access.read(source, range.clone()).await,
                None => match opened.read_whole(*file, range.clone()).await {
                    Some(read) => read.map_err(read_error_of),
                    None => opened.read_once(*file, range.clone()).await,
                },
            };
            Ok((Got::Range(read?), None))
        }
        Want::Fragment { name, head, .. } => {
            let access = &opened.shared().access;
            let fragment = Box::pin(open_fragment(access, name, *head, Purpose::Answer)).await;
            let (head, source, stat) = fragment?;
            let held = FragmentFile { name: name.clone(), source, stat };
            Ok((Got::Opened(head), Some(held)))
        }
        // An answer opens no other files.
        Want::Open { .. } | Want::Index { .. } | Want::List { .. } => {
            Err(ReadError::new(ReadErrorKind::Gone))
        }
    }
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
        read_for(survey.look_on(), self).await.map(|(survey, _)| survey)
    }
}
