//! A store that fails as stores do, the same way for the same seed.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use bytes::Bytes;

use super::{ChangedError, Ends, Opening, RangeSource, Stat, Store};
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
    /// An operation is not ready at once, but only after some more polls.
    pub stall: u8,
    /// A read gives fewer bytes than it was asked for, which no store may do.
    pub shorten: u8,
    /// A read finds that the object has changed.
    pub change: u8,
}

/// Another store, with faults.
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
        Self { store, dice: Dice { state, faults } }
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
            self.dice.shorten(end);
        }
        Ok(opening.map(|source| FaultySource { source, dice: self.dice.clone() }))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        self.dice.stall_or_fail().await?;
        self.dice.stall_or_fail().await?;
        self.store.stat(name).await
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
        self.dice.shorten(&mut bytes);
        Ok(bytes)
    }
}

#[derive(Clone, Debug)]
struct Dice {
    state: Arc<AtomicU64>,
    faults: Faults,
}

impl Dice {
    async fn stall_or_fail(&self) -> io::Result<()> {
        if self.happens(self.faults.stall) {
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
        if self.happens(self.faults.fail) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    fn change(&self) -> io::Result<()> {
        if self.happens(self.faults.change) { Err(ChangedError.into()) } else { Ok(()) }
    }

    fn shorten(&self, bytes: &mut Bytes) {
        if self.happens(self.faults.shorten) {
            bytes.truncate(bytes.len() / 2);
        }
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
