//! One version of an object in a bucket.

use std::fmt;
use std::io;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{StreamExt, TryStreamExt, iter};
use object_store::GetRange;
use object_store::path::Path;

use super::pin::{self, Pin};
use super::problem::Problem;
use super::reach::Reach;
use super::{get, near};
use crate::base::ReadErrorKind;
use crate::storage::error::read_error_kind;
use crate::storage::{ChangedError, RangeSource, Stat};

/// An object of a [`Bucket`](super::Bucket), in the version that was opened.
///
/// Each read asks for this version (`If-Match`, and the version or generation if the store has
/// them), and compares what the answer says with what the opening said: a store that ignores the
/// condition does not give bytes of another version.
#[derive(Clone)]
pub struct BucketObject {
    pub(super) reach: Reach,
    pub(super) path: Path,
    pub(super) pin: Pin,
}

/// Requests that one read of many ranges makes at a time.
const AT_ONCE: usize = 16;

impl BucketObject {
    /// Reads a range, and returns its bytes and the age of the object.
    async fn get(&self, range: Range<u64>) -> io::Result<(Bytes, Duration)> {
        let got = self.ask(range).await;
        if let Err(error) = &got
            && read_error_kind(error) == ReadErrorKind::Changed
        {
            self.reach.notice.changed(&self.path, &self.pin);
        }
        got
    }

    async fn ask(&self, range: Range<u64>) -> io::Result<(Bytes, Duration)> {
        let Reach { store, runner, .. } = &self.reach;
        let wanted = GetRange::Bounded(range);
        let (path, options) = (self.path.clone(), self.pin.options());
        let answer = get::get(store.clone(), path, wanted, options);
        // The problem is passed out as a value, because it decides what to do next.
        match runner.run(async move { Ok(answer.await) }).await? {
            Ok(got) if self.pin.is(&got.seen.meta) => Ok((got.bytes, pin::age(&got.seen))),
            Ok(_) => Err(ChangedError.into()),
            // A store of versions does not find one that was replaced. A range that the version
            // has, and the object has not, is of another version, too.
            Err(problem @ (Problem::Missing | Problem::Range)) => {
                let must_look = problem == Problem::Range || self.pin.version.is_some();
                if must_look && self.has_changed().await? {
                    return Err(ChangedError.into());
                }
                Err(problem.into())
            }
            Err(problem) => Err(problem.into()),
        }
    }

    /// Looks whether another version of the object is there now.
    async fn has_changed(&self) -> io::Result<bool> {
        let Reach { store, runner, .. } = &self.reach;
        let look = get::head(store.clone(), self.path.clone());
        let look = runner.run(async move { Ok(look.await) }).await?;
        Ok(look.is_ok_and(|seen| !self.pin.is(&seen.meta)))
    }

    /// Looks at an object once more that may have been written to while its bytes came: the head of
    /// that answer was made before.
    pub(super) async fn look_again(&self, age: Duration) -> io::Result<()> {
        if self.reach.is_written_in_place && age < self.reach.look_again && self.pin.size > 0 {
            // By a request like the others, and of one byte, because some servers know no other.
            self.get(0..1).await?;
        }
        Ok(())
    }

    fn check(&self, range: &Range<u64>) -> io::Result<()> {
        if range.end > self.pin.size || range.start > range.end {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

impl RangeSource for BucketObject {
    async fn stat(&self) -> io::Result<Stat> {
        Ok(self.pin.stat(self.reach.is_written_in_place))
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.check(&range)?;
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let (bytes, age) = self.get(range).await?;
        self.look_again(age).await?;
        Ok(bytes)
    }

    /// Reads ranges that are near each other by one request, and up to 16 at one time.
    async fn read_many(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        ranges.iter().try_for_each(|range| self.check(range))?;
        let joined = near::joined(ranges);
        let reads: Vec<_> = joined.iter().map(|joined| self.get(joined.range.clone())).collect();
        let read: Vec<(Bytes, Duration)> = iter(reads).buffered(AT_ONCE).try_collect().await?;
        if let Some(age) = read.iter().map(|(_, age)| *age).min() {
            self.look_again(age).await?;
        }
        let mut all = vec![Bytes::new(); ranges.len()];
        for (joined, (bytes, _)) in joined.iter().zip(read) {
            for &at in &joined.parts {
                let range = &ranges[at];
                // The parts lie in what was joined, and `get` gave all of it.
                let start = (range.start - joined.range.start) as usize;
                let part = bytes.slice(start..start + (range.end - range.start) as usize);
                // A part must not keep the memory of its neighbours.
                let is_all = part.len() == bytes.len();
                all[at] = if is_all { part } else { Bytes::copy_from_slice(&part) };
            }
        }
        Ok(all)
    }
}

impl fmt::Debug for BucketObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketObject").field("path", &self.path.as_ref()).finish_non_exhaustive()
    }
}
