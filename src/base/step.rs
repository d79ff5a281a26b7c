//! The one shape of everything that needs bytes: ask, be fed, go on.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::{Error, ErrorKind, FileId, Name, ReadError};

/// One step of opening, answering or packaging: things to get, or the result.
///
/// The core reads nothing itself. It says what it wants, a driver of the host's world gets that
/// (all of a batch at once, where it can), and feeds the outcomes:
///
/// ```
/// # use smooth_origin::base::{Error, Got, ReadError, Step, Want};
/// fn drive<T>(
///     mut step: Step<T>,
///     mut get: impl FnMut(&Want) -> Result<Got, ReadError>,
/// ) -> Result<T, Error> {
///     loop {
///         match step {
///             Step::Ready(done) => return Ok(done),
///             Step::Read(reads) => {
///                 let got = reads.wanted().iter().map(&mut get).collect();
///                 step = reads.feed(got)?;
///             }
///         }
///     }
/// }
/// ```
#[must_use]
#[derive(Debug)]
pub enum Step<T> {
    /// Get these, in any order or at once, then [`Reads::feed`] the outcomes.
    Read(Reads<T>),
    /// The result.
    Ready(T),
}

/// Something that a step needs. A step may name new files: names come from the server manifest.
///
/// ```
/// use bytes::Bytes;
/// use smooth_origin::base::{FileEnds, Got, ReadError, ReadErrorKind, Want};
///
/// /// Carries out a want, with one file in memory.
/// fn get(file: &Bytes, want: &Want) -> Result<Got, ReadError> {
///     let size = file.len() as u64;
///     match want {
///         Want::Open { head, tail, .. } => {
///             let head = file.slice(..size.min(*head) as usize);
///             let tail = file.slice(size.saturating_sub(*tail) as usize..);
///             Ok(Got::Opened(FileEnds::new(size, head, tail)))
///         }
///         Want::Range { range, .. } if range.end <= size => {
///             Ok(Got::Range(file.slice(range.start as usize..range.end as usize)))
///         }
///         Want::List { .. } => Ok(Got::Listed(None)),
///         _ => Err(ReadError::new(ReadErrorKind::Gone)),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Want {
    /// Open `name` and read its first `head` and last `tail` bytes: one round trip on a store.
    ///
    /// The outcome is [`Got::Opened`]. Where the file is shorter, head or tail are all of it. The tail
    /// may be empty if it takes a round trip of its own: it is then asked for as a range.
    Open {
        /// The id by which later ranges name the file.
        file: FileId,
        /// Checked to stay below the root.
        name: Name,
        /// Bytes wanted from the start.
        head: u64,
        /// Bytes wanted from the end.
        tail: u64,
    },
    /// Read a range of an opened file. The outcome is [`Got::Range`], of exactly its length.
    Range {
        /// The file, opened before.
        file: FileId,
        /// Bytes of it; inside the size it had when it was opened.
        range: Range<u64>,
    },
    /// Open the file of one fragment as it is now, and read its first `head` bytes. The outcome is
    /// [`Got::Opened`], without a tail.
    ///
    /// The name may lead to a different file each time, so a driver keeps the opened file only for
    /// this step and its reply: later ranges of `file`, in wants and in the reply, refer to the
    /// file that was opened here.
    Fragment {
        /// The id by which later ranges refer to the file. No file of the presentation has this id.
        file: FileId,
        /// Name of the file, checked to stay below the root.
        name: Name,
        /// Number of bytes wanted from the start.
        head: u64,
    },
    /// Get what an earlier opening kept of this version of this file, which has no index of its own.
    /// The outcome is [`Got::Range`], of no bytes if there is nothing. Only an origin that keeps
    /// index files is asked.
    Index {
        /// The file, opened before.
        file: FileId,
    },
    /// List the names of the files in a folder. The outcome is [`Got::Listed`].
    List {
        /// Name of the folder, checked to stay below the root.
        folder: Name,
    },
}

/// The outcome of a want.
///
/// ```
/// use smooth_origin::base::{FileEnds, Got};
///
/// // A file of 9 bytes, of which the first four and the last two were wanted.
/// let opened = Got::Opened(FileEnds::new(9, "moov".into(), "ra".into()));
/// let range = Got::Range("mdat".into());
/// # let _ = (opened, range);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Got {
    /// The outcome of [`Want::Open`] and [`Want::Fragment`].
    Opened(FileEnds),
    /// The outcome of [`Want::Range`]: exactly the bytes of the range. Also that of [`Want::Index`].
    Range(Bytes),
    /// The outcome of [`Want::List`]: names that begin with the folder's name, in any order; `None`
    /// if the storage cannot list.
    Listed(Option<Vec<Name>>),
}

/// A file that was opened, as far as it was read.
///
/// ```
/// use smooth_origin::base::FileEnds;
///
/// let ends = FileEnds::new(9, "moov".into(), "ra".into());
/// assert_eq!((ends.size, ends.head.len(), ends.tail.len()), (9, 4, 2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileEnds {
    /// Its size in bytes.
    pub size: u64,
    /// Its first bytes: as many as were wanted, or all.
    pub head: Bytes,
    /// Its last bytes: as many as were wanted, or all; or none, if they are not read yet.
    pub tail: Bytes,
    /// The name that the file is stored under, if it differs from the one that was asked for: in
    /// letter case, or in how Unicode writes it.
    pub stored_as: Option<Name>,
    /// A text that tells this version of the file from every other one, on every machine that reads it, for
    /// validators: the ETag of an object. `None` if its length and its headers alone go into them.
    pub version: Option<Box<[u8]>>,
}

impl FileEnds {
    /// A file of `size` bytes that begins with `head` and ends with `tail`, stored under the name
    /// that was asked for.
    pub fn new(size: u64, head: Bytes, tail: Bytes) -> Self {
        Self { size, head, tail, stored_as: None, version: None }
    }

    /// Sets the version that goes into validators.
    #[must_use]
    pub fn of_version(mut self, version: Option<Box<[u8]>>) -> Self {
        self.version = version;
        self
    }

    /// Sets the name under which the file is stored.
    #[must_use]
    pub fn stored_as(mut self, name: Option<Name>) -> Self {
        self.stored_as = name;
        self
    }
}

/// The reads that a step needs, and its continuation.
///
/// ```
/// use smooth_origin::base::{Error, Got, ReadError, Step, Want};
///
/// /// Carries out all reads of a step, one batch after the other.
/// fn drive<T>(
///     mut step: Step<T>,
///     get: impl Fn(&Want) -> Result<Got, ReadError>,
/// ) -> Result<T, Error> {
///     loop {
///         step = match step {
///             Step::Ready(result) => return Ok(result),
///             Step::Read(reads) => {
///                 let outcomes = reads.wanted().iter().map(&get).collect();
///                 reads.feed(outcomes)?
///             }
///         };
///     }
/// }
/// assert_eq!(drive(Step::Ready(1), |_| unreachable!()).unwrap(), 1);
/// ```
#[must_use]
pub struct Reads<T> {
    wants: Vec<Want>,
    then: Box<dyn Then<T>>,
    is_brief: bool,
    /// Number of first bytes of the only range with which the step can go on, if it can with less than
    /// all.
    least: Option<u64>,
}

/// Continuation of a step: a function, or a value that has many steps and continues itself.
pub(crate) trait Then<T>: Send {
    /// Takes one outcome per want, each of its want's kind and length.
    fn go_on(self: Box<Self>, got: Vec<Result<Got, ReadError>>) -> Result<Step<T>, Error>;

    /// Takes the time that the batch took. See [`Reads::took`].
    fn took(&mut self, _: Duration) {}
}

impl<T, F> Then<T> for F
where
    F: FnOnce(Vec<Result<Got, ReadError>>) -> Result<Step<T>, Error> + Send,
{
    fn go_on(self: Box<Self>, got: Vec<Result<Got, ReadError>>) -> Result<Step<T>, Error> {
        self(got)
    }
}

impl<T> Reads<T> {
    /// Returns one batch of wants. It is empty if nothing has to be read and continuing takes long:
    /// a driver can [feed](Self::feed) it in another thread.
    pub fn wanted(&self) -> &[Want] {
        &self.wants
    }

    /// Returns the name of the file of a fragment, if that is all that is wanted.
    #[cfg(feature = "http")]
    pub(crate) fn fragment_file(&self) -> Option<&Name> {
        match &self.wants[..] {
            [Want::Fragment { name, .. }] => Some(name),
            _ => None,
        }
    }

    /// Wants at most so many bytes of the head of each fragment's file. The step asks for more if it needs
    /// them.
    #[cfg(feature = "http")]
    pub(crate) fn look_briefly(&mut self, most: u64) {
        for want in &mut self.wants {
            if let Want::Fragment { head, .. } = want {
                *head = most.min(*head);
            }
        }
    }

    /// Returns whether going on takes no longer than the fed bytes are many, whatever was fed
    /// before.
    pub(crate) fn is_brief(&self) -> bool {
        self.is_brief
    }

    /// Wants no more of its only range than the first bytes that the step needs to go on, and `more`
    /// bytes, if it can go on with a part: it then asks for the rest if it needs it.
    pub(crate) fn shorten(&mut self, more: u64) {
        if let (Some(least), [Want::Range { range, .. }]) = (self.least, &mut *self.wants) {
            let end = range.start.saturating_add(least).saturating_add(more);
            range.end = range.end.min(end);
        }
    }

    /// Tells the step how long its batch took, before the outcomes are [fed](Self::feed). A driver
    /// need not call this.
    ///
    /// Opening a file without an index takes one read after the other if reads take no time. If
    /// they take milliseconds, as those from an object store do, the step asks for many at once, in
    /// several places of the file.
    ///
    /// ```
    /// use std::time::Instant;
    /// use smooth_origin::base::{Error, Got, ReadError, Step, Want};
    ///
    /// fn drive<T>(
    ///     mut step: Step<T>,
    ///     get_all: impl Fn(&[Want]) -> Vec<Result<Got, ReadError>>,
    /// ) -> Result<T, Error> {
    ///     loop {
    ///         let mut reads = match step {
    ///             Step::Ready(done) => return Ok(done),
    ///             Step::Read(reads) => reads,
    ///         };
    ///         let start = Instant::now();
    ///         let got = get_all(reads.wanted());
    ///         reads.took(start.elapsed());
    ///         step = reads.feed(got)?;
    ///     }
    /// }
    /// # assert_eq!(drive(Step::Ready(1), |_| Vec::new()).unwrap(), 1);
    /// ```
    pub fn took(&mut self, time: Duration) {
        self.then.took(time);
    }

    /// Takes one outcome a want, in their order; a failed read is an outcome too, so that one
    /// missing file does not end an opening. Consumes, so that no step can run twice or early.
    ///
    /// # Errors
    /// [`ErrorKind::Outcomes`] or [`ErrorKind::WrongOutcome`] when the outcomes are not what was
    /// wanted; else what the step itself finds.
    pub fn feed(self, got: Vec<Result<Got, ReadError>>) -> Result<Step<T>, Error> {
        if got.len() != self.wants.len() {
            return Err(ErrorKind::Outcomes { wanted: self.wants.len(), got: got.len() }.into());
        }
        for (want, got) in self.wants.iter().zip(&got) {
            if let Ok(got) = got {
                fits(want, got)?;
            }
        }
        self.then.go_on(got)
    }
}

/// Returns what is wrong with the kind or the length of an outcome; `None` if it fits its want.
fn fits(want: &Want, got: &Got) -> Result<(), Error> {
    let ends = |opened: &FileEnds, head: u64, tail: u64| {
        let (head, tail) = (opened.size.min(head), opened.size.min(tail));
        let is_tail = opened.tail.is_empty() || opened.tail.len() as u64 == tail;
        (opened.head.len() as u64 != head || !is_tail)
            .then_some("head or tail is not of the wanted length")
    };
    let wrong = match (want, got) {
        (Want::Open { head, tail, .. }, Got::Opened(opened)) => ends(opened, *head, *tail),
        (Want::Fragment { head, .. }, Got::Opened(opened)) => ends(opened, *head, 0),
        (Want::Range { range, .. }, Got::Range(bytes)) => (bytes.len() as u64
            != range.end.saturating_sub(range.start))
        .then_some("the bytes are not of the range's length"),
        (Want::List { .. }, Got::Listed(_)) => None,
        (Want::Index { .. }, Got::Range(_)) => None,
        (Want::Open { .. } | Want::Fragment { .. }, _) => Some("a file was to be opened"),
        (Want::Range { .. }, _) => Some("a range was to be read"),
        (Want::Index { .. }, _) => Some("an index file was to be read"),
        (Want::List { .. }, _) => Some("a folder was to be listed"),
    };
    wrong.map_or(Ok(()), |why| Err(ErrorKind::WrongOutcome(why).into()))
}

impl<T> Step<T> {
    /// Asks for `wants`, then goes on with `then`.
    pub(crate) fn read(
        wants: Vec<Want>,
        then: impl FnOnce(Vec<Result<Got, ReadError>>) -> Result<Step<T>, Error> + Send + 'static,
    ) -> Self {
        Self::read_for(wants, Box::new(then))
    }

    /// Makes a step of a value that continues itself, step by step, without being moved.
    pub(crate) fn read_for(wants: Vec<Want>, then: Box<dyn Then<T>>) -> Self {
        Self::Read(Reads { wants, then, is_brief: false, least: None })
    }

    /// As [`read_for`](Self::read_for), for one of very many steps, each of which takes a
    /// time in proportion to its bytes.
    pub(crate) fn read_briefly_for(wants: Vec<Want>, then: Box<dyn Then<T>>) -> Self {
        Self::Read(Reads { wants, then, is_brief: true, least: None })
    }

    /// Lets a driver [shorten](Reads::shorten) the only range that is wanted to so many first bytes.
    pub(crate) fn at_least(mut self, bytes: u64) -> Self {
        if let Self::Read(reads) = &mut self {
            reads.least = Some(bytes);
        }
        self
    }

    /// Continues with `next` when the result is there.
    ///
    /// # Errors
    /// Errors of `next`, if the result is there already.
    #[cfg(any(feature = "dash", feature = "hls"))]
    pub(crate) fn and_then<U: 'static>(
        self,
        next: impl FnOnce(T) -> Result<Step<U>, Error> + Send + 'static,
    ) -> Result<Step<U>, Error>
    where
        T: 'static,
    {
        match self {
            Self::Ready(done) => next(done),
            Self::Read(Reads { wants, then, is_brief, least }) => {
                let then = Box::new(move |got| then.go_on(got)?.and_then(next));
                Ok(Step::Read(Reads { wants, then, is_brief, least }))
            }
        }
    }

    /// Runs to the end with a function that gets one want: the driver of a blocking world, of a
    /// test and of a fuzzer.
    ///
    /// # Errors
    /// Carries out the steps with `get` and returns the result. The steps judge a read that fails.
    pub fn drive(
        mut self,
        mut get: impl FnMut(&Want) -> Result<Got, ReadError>,
    ) -> Result<T, Error> {
        loop {
            match self {
                Self::Ready(done) => return Ok(done),
                Self::Read(reads) => {
                    let got = reads.wanted().iter().map(&mut get).collect();
                    self = reads.feed(got)?;
                }
            }
        }
    }
}

impl<T> fmt::Debug for Reads<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").field("wants", &self.wants).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_range() -> Reads<usize> {
        let range = Want::Range { file: FileId::SERVER_MANIFEST, range: 10..14 };
        let step = Step::read(vec![range], |got| {
            Ok(Step::Ready(got.iter().filter(|outcome| outcome.is_ok()).count()))
        });
        match step {
            Step::Read(reads) => reads,
            Step::Ready(_) => unreachable!("a step that reads"),
        }
    }

    #[test]
    fn outcomes_that_do_not_fit_are_misuse_and_no_panic() {
        let bytes = |n| Ok(Got::Range(Bytes::from(vec![0; n])));
        for got in [vec![], vec![bytes(4), bytes(4)], vec![bytes(3)]] {
            let error = one_range().feed(got).unwrap_err();
            assert_eq!(error.kind.group(), crate::base::ErrorGroup::Misuse);
        }
        let opened = Got::Opened(FileEnds::new(0, Bytes::new(), Bytes::new()));
        assert!(one_range().feed(vec![Ok(opened)]).is_err());
    }

    #[cfg(any(feature = "dash", feature = "hls"))]
    #[test]
    fn a_step_continues_when_its_result_is_there() {
        let next = |count: usize| match count {
            0 => Err(ErrorKind::NoFragment.into()),
            _ => Ok(Step::Ready(count + 10)),
        };
        let bytes = |_: &Want| Ok(Got::Range(Bytes::from_static(b"moof")));
        let step = Step::Read(one_range()).and_then(next).unwrap();
        assert_eq!(step.drive(bytes).unwrap(), 11);
        let gone = |_: &Want| Err(ReadError::new(crate::base::ReadErrorKind::Gone));
        let step = Step::Read(one_range()).and_then(next).unwrap();
        assert!(step.drive(gone).is_err());
        assert!(matches!(Step::Ready(1).and_then(next), Ok(Step::Ready(11))));
    }

    #[test]
    fn a_failed_read_is_an_outcome() {
        use crate::base::ReadErrorKind::Gone;
        let done = Step::Read(one_range()).drive(|_| Err(ReadError::new(Gone)));
        assert_eq!(done.unwrap(), 0);
        let done = Step::Read(one_range()).drive(|_| Ok(Got::Range(Bytes::from_static(b"moof"))));
        assert_eq!(done.unwrap(), 1);
    }
}
