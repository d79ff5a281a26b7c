//! A store that fails as stores do, the same way for the same seed.

use std::fmt;
use std::future::{pending, poll_fn};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{ChangedError, Ends, Opening, RangeSource, SlowDown, Stat, Store, Timer, Version};
use crate::base::Name;

/// Frequencies of faults, each out of 100 operations.
///
/// ```
/// use smooth_origin::storage::Faults;
///
/// // One operation in ten fails, and one in three is slow.
/// let faults = Faults { fail: 10, stall: 33, ..Faults::default() };
/// # let _ = faults;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// An operation fails with [`io::ErrorKind::TimedOut`].
    pub fail: u8,
    /// An operation is not ready at once, but only after some more polls, or after a
    /// [time](FaultyStore::stalls).
    pub stall: u8,
    /// An operation never ends.
    pub hang: u8,
    /// An operation fails with [`SlowDown`].
    pub slow_down: u8,
    /// A read gives fewer bytes than it was asked for, which no store may do.
    pub shorten: u8,
    /// A read gives more bytes than it was asked for, which no store may do.
    pub lengthen: u8,
    /// A read finds that the object has changed.
    pub change: u8,
    /// An opening or a look gives another version than the object has, as a server may whose replicas
    /// differ for a while.
    pub wrong_version: u8,
}

/// Another store, with faults: for tests of what is above a store.
///
/// ```
/// use smooth_origin::storage::{FaultyStore, Faults, MemoryStore};
/// let faults = Faults { fail: 10, stall: 30, ..Faults::default() };
/// let store = FaultyStore::new(MemoryStore::new(), 7, faults);
/// ```
#[derive(Clone, Debug)]
pub struct FaultyStore<S> {
    store: S,
    dice: Dice,
}

/// A source of a [`FaultyStore`].
#[derive(Debug)]
pub struct FaultySource<S> {
    source: S,
    dice: Dice,
}

impl<S> FaultyStore<S> {
    /// Puts faults before `store`; the same seed and the same operations give the same faults.
    pub fn new(store: S, seed: u64, faults: Faults) -> Self {
        // Any state but zero will do for the generator.
        let state = Arc::new(AtomicU64::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        Self { store, dice: Dice { state, faults, stalls: None, retry_after: None } }
    }

    /// Lets a stall last for `time`, by a timer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use smooth_origin::storage::{FaultyStore, Faults, MemoryStore, Timer};
    ///
    /// /// One operation in twenty takes two seconds.
    /// fn stalling(timer: impl Timer + 'static) -> FaultyStore<MemoryStore> {
    ///     let faults = Faults { stall: 5, ..Faults::default() };
    ///     FaultyStore::new(MemoryStore::new(), 7, faults).stalls(Duration::from_secs(2), timer)
    /// }
    /// ```
    #[must_use]
    pub fn stalls(mut self, time: Duration, timer: impl Timer + 'static) -> Self {
        self.dice.stalls = Some((time, Arc::new(timer)));
        self
    }

    /// Sets the time that a [`SlowDown`] asks for; by default, it says none.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.dice.retry_after = Some(time);
        self
    }
}

impl<S: Store> Store for FaultyStore<S> {
    type Source = FaultySource<S::Source>;

    async fn open(&self, name: &Name) -> io::Result<Self::Source> {
        self.dice.stall_or_fail().await?;
        Ok(FaultySource { source: self.store.open(name).await?, dice: self.dice.clone() })
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<Self::Source>> {
        self.dice.stall_or_fail().await?;
        let mut opening = self.store.open_with(name, ends).await?;
        self.dice.stall_or_fail().await?;
        for end in [&mut opening.head, &mut opening.tail].into_iter().flatten() {
            self.dice.change()?;
            self.dice.spoil(end);
        }
        self.dice.mistake(&mut opening.stat);
        Ok(opening.map(|source| FaultySource { source, dice: self.dice.clone() }))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        self.dice.stall_or_fail().await?;
        self.dice.stall_or_fail().await?;
        let mut stat = self.store.stat(name).await?;
        self.dice.mistake(&mut stat);
        Ok(stat)
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        self.dice.stall_or_fail().await?;
        self.store.list(folder).await
    }

    async fn stored_name(&self, name: &Name) -> io::Result<Option<Name>> {
        self.store.stored_name(name).await
    }
}

impl<S: RangeSource> RangeSource for FaultySource<S> {
    async fn stat(&self) -> io::Result<Stat> {
        self.dice.stall_or_fail().await?;
        self.source.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.dice.stall_or_fail().await?;
        self.dice.change()?;
        let mut bytes = self.source.read(range).await?;
        self.dice.spoil(&mut bytes);
        Ok(bytes)
    }
}

#[derive(Clone)]
struct Dice {
    state: Arc<AtomicU64>,
    faults: Faults,
    stalls: Option<(Duration, Arc<dyn Timer>)>,
    retry_after: Option<Duration>,
}

impl Dice {
    async fn stall_or_fail(&self) -> io::Result<()> {
        if self.happens(self.faults.stall) {
            self.stall().await;
        }
        if self.happens_if_wanted(self.faults.hang) {
            pending::<()>().await;
        }
        if self.happens_if_wanted(self.faults.slow_down) {
            return Err(SlowDown::new(self.retry_after).into());
        }
        if self.happens(self.faults.fail) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    async fn stall(&self) {
        if let Some((time, timer)) = &self.stalls {
            return timer.sleep(*time).await;
        }
        let mut polls = 1 + self.roll() % 3;
        poll_fn(|context| {
            if polls == 0 {
                return Poll::Ready(());
            }
            polls -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn change(&self) -> io::Result<()> {
        if self.happens(self.faults.change) { Err(ChangedError.into()) } else { Ok(()) }
    }

    /// Changes the length of an answer.
    fn spoil(&self, bytes: &mut Bytes) {
        if self.happens(self.faults.shorten) {
            bytes.truncate(bytes.len() / 2);
        }
        if self.happens_if_wanted(self.faults.lengthen) {
            let mut longer = BytesMut::from(&bytes[..]);
            longer.extend_from_slice(b"more");
            *bytes = longer.freeze();
        }
    }

    /// Gives another version.
    fn mistake(&self, stat: &mut Stat) {
        if self.happens_if_wanted(self.faults.wrong_version) {
            let other = [stat.version.as_bytes(), b" of another replica"].concat();
            stat.version = Version::new(other);
        }
    }

    /// A fault that few tests want. It leaves the others of a seed as they are.
    fn happens_if_wanted(&self, of_100: u8) -> bool {
        of_100 > 0 && self.happens(of_100)
    }

    fn happens(&self, of_100: u8) -> bool {
        self.roll() % 100 < of_100.into()
    }

    /// Xorshift, by Marsaglia.
    fn roll(&self) -> u64 {
        let step = |mut x: u64| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^ x << 17
        };
        let before =
            self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |x| Some(step(x)));
        step(before.unwrap_or_else(|x| x)) >> 11
    }
}

impl fmt::Debug for Dice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dice").field("faults", &self.faults).finish_non_exhaustive()
    }
}
