//! Opening a presentation as it will be: the changes lie over the files that are stored.

use std::collections::{HashMap, HashSet};

use bytes::{Bytes, BytesMut};

use super::change::{Change, Mending};
use crate::base::{
    Error, FileEnds, FileId, Got, Name, ReadError, ReadErrorKind, Reads, Step, Want,
};
use crate::presentation::Presentation;

/// Planned changes that lie over the stored files.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay {
    /// Bytes from an offset to the end of a file.
    changed: HashMap<Name, (u64, Bytes)>,
    /// Files that are taken for missing.
    hidden: HashSet<Name>,
}

impl Overlay {
    pub(super) fn new<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let of = |change: &Change| (change.file.clone(), (change.at, change.bytes.clone()));
        let changed = changes.into_iter().map(of).collect();
        Self { changed, hidden: HashSet::new() }
    }

    pub(super) fn with(mut self, name: &Name, text: Bytes) -> Self {
        self.changed.insert(name.clone(), (0, text));
        self
    }

    pub(super) fn without(mut self, name: &Name) -> Self {
        self.changed.remove(name);
        self.hidden.insert(name.clone());
        self
    }
}

/// The work that follows, with the first id that no file has.
type Then =
    Box<dyn FnOnce(Result<Presentation, Error>, u32) -> Result<Step<Mending>, Error> + Send>;

/// An opening inside of the mending. Its files have ids of their own, behind those that are in use.
pub(super) struct Nested {
    overlay: Overlay,
    /// Id of its first file.
    first: u32,
    next: u32,
    names: HashMap<FileId, Name>,
    then: Then,
}

/// How an outcome is made.
enum Answer {
    Known(Result<Got, ReadError>),
    /// That of the next want that is passed on.
    PassedOn,
    /// The same, cut at an offset; then bytes follow. So many first bytes were wanted.
    Opened {
        at: u64,
        bytes: Bytes,
        head: u64,
    },
    /// The same, and then bytes.
    Followed(Bytes),
}

impl Nested {
    pub(super) fn open(
        step: Step<Presentation>,
        overlay: Overlay,
        first: u32,
        then: impl FnOnce(Result<Presentation, Error>, u32) -> Result<Step<Mending>, Error>
        + Send
        + 'static,
    ) -> Result<Step<Mending>, Error> {
        let nested =
            Self { overlay, first, next: first, names: HashMap::new(), then: Box::new(then) };
        nested.go_on(Ok(step))
    }

    fn go_on(
        mut self,
        mut step: Result<Step<Presentation>, Error>,
    ) -> Result<Step<Mending>, Error> {
        loop {
            let reads = match step {
                Ok(Step::Ready(presentation)) => return (self.then)(Ok(presentation), self.next),
                Err(error) => return (self.then)(Err(error), self.next),
                Ok(Step::Read(reads)) => reads,
            };
            let mut passed_on = Vec::new();
            let answers: Vec<_> =
                reads.wanted().iter().map(|want| self.answer(want, &mut passed_on)).collect();
            if !passed_on.is_empty() {
                return Ok(Step::read(passed_on, move |got| {
                    let step = feed(reads, answers, got);
                    self.go_on(step)
                }));
            }
            step = feed(reads, answers, Vec::new());
        }
    }

    /// The id of one of its files outside.
    fn outside(&mut self, file: FileId) -> FileId {
        let id = self.first.saturating_add(u32::try_from(file.index()).unwrap_or(u32::MAX));
        self.next = self.next.max(id.saturating_add(1));
        FileId::new(id)
    }

    fn answer(&mut self, want: &Want, passed_on: &mut Vec<Want>) -> Answer {
        match want {
            Want::Open { file, name, head, tail } => {
                self.names.insert(*file, name.clone());
                if self.overlay.hidden.contains(name) {
                    return Answer::Known(Err(ReadError::new(ReadErrorKind::Gone)));
                }
                let id = self.outside(*file);
                let (name, head) = (name.clone(), *head);
                match self.overlay.changed.get(&name).cloned() {
                    None => {
                        passed_on.push(Want::Open { file: id, name, head, tail: *tail });
                        Answer::PassedOn
                    }
                    Some((0, bytes)) => {
                        let len = bytes.len() as u64;
                        let first = bytes.slice(..len.min(head) as usize);
                        let last = bytes.slice(len.saturating_sub(*tail) as usize..);
                        Answer::Known(Ok(Got::Opened(FileEnds::new(len, first, last))))
                    }
                    Some((at, bytes)) => {
                        passed_on.push(Want::Open { file: id, name, head, tail: 0 });
                        Answer::Opened { at, bytes, head }
                    }
                }
            }
            Want::Range { file, range } => {
                let id = self.outside(*file);
                let over = self.names.get(file).and_then(|name| self.overlay.changed.get(name));
                let part = |from: u64, to: u64, bytes: &Bytes| {
                    let len = bytes.len() as u64;
                    bytes.slice(from.min(len) as usize..to.min(len) as usize)
                };
                match over {
                    Some((at, bytes)) if range.start >= *at => {
                        let part = part(range.start - at, range.end - at, bytes);
                        Answer::Known(Ok(Got::Range(part)))
                    }
                    Some((at, bytes)) if range.end > *at => {
                        passed_on.push(Want::Range { file: id, range: range.start..*at });
                        Answer::Followed(part(0, range.end - at, bytes))
                    }
                    _ => {
                        passed_on.push(Want::Range { file: id, range: range.clone() });
                        Answer::PassedOn
                    }
                }
            }
            Want::Fragment { file, name, head } => {
                let (file, name, head) = (self.outside(*file), name.clone(), *head);
                passed_on.push(Want::Fragment { file, name, head });
                Answer::PassedOn
            }
            Want::Index { .. } => Answer::Known(Ok(Got::Range(Bytes::new()))),
            Want::List { folder } => {
                passed_on.push(Want::List { folder: folder.clone() });
                Answer::PassedOn
            }
        }
    }
}

fn feed(
    reads: Reads<Presentation>,
    answers: Vec<Answer>,
    got: Vec<Result<Got, ReadError>>,
) -> Result<Step<Presentation>, Error> {
    let mut got = got.into_iter();
    let mut next = || got.next().unwrap_or_else(|| Err(ReadError::new(ReadErrorKind::Transient)));
    let outcomes = answers.into_iter().map(|answer| match answer {
        Answer::Known(known) => known,
        Answer::PassedOn => next(),
        Answer::Opened { at, bytes, head } => next().map(|got| match got {
            Got::Opened(ends) => Got::Opened(with_end(ends, at, &bytes, head)),
            other => other,
        }),
        Answer::Followed(bytes) => next().map(|got| match got {
            Got::Range(first) => Got::Range([first, bytes].concat().into()),
            other => other,
        }),
    });
    reads.feed(outcomes.collect())
}

/// A file whose bytes from `at` on are others. Its last bytes are asked for as a range.
fn with_end(ends: FileEnds, at: u64, bytes: &Bytes, head: u64) -> FileEnds {
    let size = at.saturating_add(bytes.len() as u64);
    let kept = (ends.head.len() as u64).min(at);
    let mut first = BytesMut::from(&ends.head[..kept as usize]);
    if kept == at {
        let more = size.min(head).saturating_sub(at);
        first.extend_from_slice(&bytes[..more as usize]);
    }
    FileEnds::new(size, first.freeze(), Bytes::new()).stored_as(ends.stored_as)
}
