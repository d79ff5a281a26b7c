//! A store whose reads end as a test says.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::Name;
use smooth_origin::origin::Timer;
use smooth_origin::storage::{
    ChangedError, MemoryObject, MemoryStore, RangeSource, SlowDown, Stat, Store,
};
use testkit::virtual_time::VirtualTime;
use testkit::{name, store};

/// The end of a read.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// The bytes, after so many milliseconds.
    Answer(u64),
    Fail(u64, ErrorKind),
    SlowDown(Option<Duration>),
    Changed,
    /// Fewer bytes than were asked for.
    Short,
    Hang,
}

/// The store. Clones share everything.
#[derive(Clone)]
pub struct Scripted {
    pub time: VirtualTime,
    objects: MemoryStore,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    turns: VecDeque<Turn>,
    later: Option<Turn>,
    asked: Vec<Duration>,
    under_way: usize,
}

pub struct ScriptedSource(MemoryObject, Scripted);

struct UnderWay<'a>(&'a Scripted);

impl Scripted {
    /// The reads end like this, one after the other; later ones are answered at once.
    pub fn new(turns: impl IntoIterator<Item = Turn>) -> Self {
        let scripted = Self {
            time: VirtualTime::default(),
            objects: store(OBJECTS.map(|name| (name, b"some content".to_vec()))),
            script: Arc::default(),
        };
        scripted.then(turns);
        scripted
    }

    /// All reads end like this.
    pub fn always(turn: Turn) -> Self {
        let scripted = Self::new([]);
        scripted.later_on(turn);
        scripted
    }

    pub fn then(&self, turns: impl IntoIterator<Item = Turn>) {
        self.script.lock().unwrap().turns.extend(turns);
    }

    pub fn later_on(&self, turn: Turn) {
        self.script.lock().unwrap().later = Some(turn);
    }

    /// The times at which reads were made.
    pub fn asked(&self) -> Vec<Duration> {
        self.script.lock().unwrap().asked.clone()
    }

    pub fn under_way(&self) -> usize {
        self.script.lock().unwrap().under_way
    }

    async fn turn(&self) -> io::Result<bool> {
        let turn = {
            let mut script = self.script.lock().unwrap();
            script.asked.push(self.time.now());
            script.under_way += 1;
            script.turns.pop_front().or(script.later)
        };
        let _under_way = UnderWay(self);
        let sleep = async |millis| match millis {
            0 => {}
            millis => self.time.sleep(Duration::from_millis(millis)).await,
        };
        match turn {
            None => Ok(true),
            Some(Turn::Answer(millis)) => {
                sleep(millis).await;
                Ok(true)
            }
            Some(Turn::Fail(millis, kind)) => {
                sleep(millis).await;
                Err(kind.into())
            }
            Some(Turn::SlowDown(retry_after)) => Err(SlowDown::new(retry_after).into()),
            Some(Turn::Changed) => Err(ChangedError.into()),
            Some(Turn::Short) => Ok(false),
            Some(Turn::Hang) => std::future::pending().await,
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.script.lock().unwrap().under_way -= 1;
    }
}

impl Store for Scripted {
    type Source = ScriptedSource;

    async fn open(&self, name: &Name) -> io::Result<ScriptedSource> {
        Ok(ScriptedSource(self.objects.open(name).await?, self.clone()))
    }
}

impl RangeSource for ScriptedSource {
    async fn stat(&self) -> io::Result<Stat> {
        self.0.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let is_whole = self.1.turn().await?;
        let end = if is_whole { range.end } else { range.start };
        self.0.read(range.start..end).await
    }
}

/// Objects of the store, all alike.
pub const OBJECTS: [&str; 10] = ["object", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// An object of a store, opened.
pub fn opened<S: Store>(store: &S) -> S::Source {
    opened_as(store, OBJECTS[0])
}

/// The object of this name, opened.
pub fn opened_as<S: Store>(store: &S, object: &str) -> S::Source {
    smooth_origin::origin::block_on(store.open(&name(object))).unwrap()
}
