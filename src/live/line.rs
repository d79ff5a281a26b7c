//! One track of an event, whoever pushes it: the order of its fragments.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::clock::jitter;
use super::held::Held;
use super::moment::Duration;
use super::tally::Tally;
use super::track_key::TrackKey;
use crate::base::{FileId, Name, Timescale};
use crate::bmff::Trex;
use crate::live::intake::{HeaderTrack, defaults_of, memory_of};
use crate::manifest::{ServerTrack, StreamKind};
use crate::presentation::growing::has_captions;

/// A track of an event. Fragments of all encoders come here: they wait in the order of their times, are
/// settled when nothing can come before them any more, and wait as settled ones until they are released.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) key: TrackKey,
    /// The number of the stream of the broadcast.
    pub(super) stream: usize,
    pub(super) server: ServerTrack,
    /// The beginning of its file.
    pub(super) head: Bytes,
    /// The defaults at the beginning of the file, which its fragments may leave out.
    pub(super) defaults: Option<Trex>,
    pub(super) codec: u128,
    /// They are captions that can be announced before the first one comes.
    pub(super) has_captions: bool,
    pub(super) timescale: Timescale,
    /// For sentences: `video 2962000`.
    pub(super) label: Arc<str>,
    /// The file, once it is begun.
    pub(super) file: Option<LineFile>,
    /// True if the presentation cannot serve the track.
    pub(super) is_refused: bool,
    pub(super) has_told_key: bool,
    /// Headers of encoders that do not fit it.
    pub(super) misfits: Tally,
    /// By their start.
    waiting: BTreeMap<i64, Held>,
    settled: VecDeque<Held>,
    /// End of the last settled fragment.
    end: Option<i64>,
    /// When it was settled.
    settled_at: Option<Duration>,
    /// The last settled fragments, published or not.
    recent: VecDeque<Recent>,
    pub(super) counts: LineCounts,
}

/// The file of a track.
#[derive(Clone, Debug)]
pub(super) struct LineFile {
    pub(super) id: FileId,
    pub(super) name: Name,
    pub(super) len: u64,
    /// Offset before which no byte is needed, as was reported.
    pub(super) forgotten: u64,
}

/// The numbers that the status of a track has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LineCounts {
    pub(super) fragments: u64,
    pub(super) bytes: u64,
    pub(super) gaps: u64,
    pub(super) duplicates: u64,
    pub(super) dropped: u64,
    pub(super) latency: Duration,
    /// Time of the newest publication.
    pub(super) published: Option<Duration>,
}

/// A fragment that was settled.
#[derive(Clone, Copy, Debug)]
struct Recent {
    time: i64,
    end: i64,
    hash: u64,
    feed: usize,
}

/// The relation of a fragment to those that were taken before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meeting {
    /// None is there for its time.
    New,
    /// There is one of the same time. `is_other` if the same encoder sent other samples then.
    Same { is_other: bool },
    /// It overlaps a settled one.
    Overlaps,
    /// It comes after later ones were settled.
    Late,
}

/// Stands for an encoder that is forgotten.
const FORGOTTEN: usize = usize::MAX;
/// Settled fragments that are remembered.
const RECENT: usize = 256;
/// Fragments that wait in order, at most.
const WAITING: usize = 4096;

impl Line {
    pub(super) fn new(key: TrackKey, stream: usize, server: ServerTrack, head: Bytes) -> Self {
        Self {
            key,
            stream,
            server,
            defaults: defaults_of(&head),
            has_captions: has_captions(&head),
            head,
            codec: 0,
            timescale: Timescale::SMOOTH,
            label: "".into(),
            file: None,
            is_refused: false,
            has_told_key: false,
            misfits: Tally::default(),
            waiting: BTreeMap::new(),
            settled: VecDeque::new(),
            end: None,
            settled_at: None,
            recent: VecDeque::new(),
            counts: LineCounts::default(),
        }
    }

    /// Gives it the header of an encoder.
    pub(super) fn set_head(&mut self, head: &Bytes, codec: u128, server: &ServerTrack) {
        (self.head, self.codec) = (head.clone(), codec);
        self.defaults = defaults_of(head);
        self.has_captions = has_captions(head);
        self.server = server.clone();
    }

    /// Returns a text by which another process finds the track again.
    pub(super) fn identity(&self) -> Arc<str> {
        format!("{}\n{:x}\n{}", self.timescale, self.codec, self.key.write()).into()
    }

    /// Reads what [`identity`](Self::identity) has written: key, timescale, codec data.
    pub(super) fn read_identity(text: &str) -> Option<(TrackKey, Timescale, u128)> {
        let mut parts = text.splitn(3, '\n');
        let timescale = Timescale::new(parts.next()?.parse().ok()?)?;
        let codec = u128::from_str_radix(parts.next()?, 16).ok()?;
        Some((TrackKey::read(parts.next()?)?, timescale, codec))
    }

    /// Takes a fragment that was published before the process began.
    pub(super) fn restore(&mut self, time: i64, end: i64, feed: usize) {
        self.end = Some(self.end.unwrap_or(i64::MIN).max(end));
        // Whatever the samples are: what comes for this time is a duplicate.
        self.recent.push_back(Recent { time, end, hash: 0, feed });
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
    }

    /// Returns true if its samples are commands or events, and no captions.
    pub(super) fn is_data(&self) -> bool {
        let subtype = self.server.value("Subtype").unwrap_or_default().trim().to_ascii_uppercase();
        self.key.kind == StreamKind::Text && !matches!(&*subtype, "" | "CAPT" | "SUBT" | "DESC")
    }

    /// Returns true if its samples are events that are not read: messages of a scheme have another form.
    pub(super) fn has_unread_events(&self) -> bool {
        let said = |name| self.server.value(name).unwrap_or_default().trim();
        self.is_data()
            && said("Scheme").is_empty()
            && ["evte", "urim"].iter().any(|format| said("FourCC").eq_ignore_ascii_case(format))
    }

    /// Returns true if what an encoder sends behind this header can be a part of its file: captions in the clear (TTML)
    /// are read without their header.
    pub(super) fn fits(&self, track: &HeaderTrack) -> bool {
        let are_captions = || self.file.is_some() && self.has_captions && has_captions(&track.head);
        self.codec == track.codec || are_captions()
    }

    /// Returns true if no fragment was ever taken.
    pub(super) fn is_empty(&self) -> bool {
        self.end.is_none() && self.waiting.is_empty()
    }

    /// Returns the end of the last fragment that was taken.
    pub(super) fn newest_end(&self) -> Option<i64> {
        self.waiting.values().next_back().map(Held::end).max(self.end)
    }

    /// Returns the end of the last settled fragment.
    pub(super) fn end(&self) -> Option<i64> {
        self.end
    }

    /// Returns when a fragment was settled last.
    pub(super) fn settled_at(&self) -> Option<Duration> {
        self.settled_at
    }

    pub(super) fn jitter(&self) -> i64 {
        jitter(self.timescale)
    }

    /// Compares a fragment with those that were taken.
    pub(super) fn meet(&self, held: &Held, is_sparse: bool) -> Meeting {
        let jitter = self.jitter();
        let is_same = |time: i64| (time - held.time).abs() <= jitter;
        let recent = self.recent.iter().rev().find(|recent| is_same(recent.time));
        let recent = recent.map(|recent| (recent.hash, recent.feed));
        let near = held.time.saturating_sub(jitter)..=held.time.saturating_add(jitter);
        let waiting = self.waiting.range(near).next();
        let waiting = waiting.map(|(_, other)| (other.hash, other.feed));
        if let Some((hash, feed)) = recent.or(waiting) {
            let is_other = hash != held.hash && feed == held.feed;
            return Meeting::Same { is_other };
        }
        let Some(end) = self.end else { return Meeting::New };
        let begin =
            if is_sparse { self.recent.back().map_or(end, |last| last.time + 1) } else { end };
        if held.time >= begin - jitter {
            return Meeting::New;
        }
        let overlaps =
            |recent: &Recent| recent.time + jitter < held.end() && held.time < recent.end - jitter;
        if self.recent.iter().any(overlaps) { Meeting::Overlaps } else { Meeting::Late }
    }

    /// Returns true if one of these starts was taken of late.
    pub(super) fn has(&self, time: i64) -> bool {
        let jitter = self.jitter();
        let near = time.saturating_sub(jitter)..=time.saturating_add(jitter);
        self.recent.iter().any(|recent| near.contains(&recent.time))
            || self.waiting.range(near).next().is_some()
    }

    /// Returns the start of a fragment between two times that another encoder sent, and its feed.
    pub(super) fn between(&self, from: i64, to: i64, feed: usize) -> Option<(i64, usize)> {
        let range = (from - self.jitter())..(to - self.jitter());
        let recent = self.recent.iter().rev().map(|recent| (recent.time, recent.feed));
        let waiting = self.waiting.values().map(|held| (held.time, held.feed));
        let mut all = recent.chain(waiting);
        all.find(|(time, other)| range.contains(time) && ![feed, FORGOTTEN].contains(other))
    }

    /// Bytes of what a fragment is recorded with, if the track has no file that has it.
    pub(super) fn early_head(&self) -> u64 {
        match self.file {
            None => self.header_memory() + self.identity().len() as u64,
            Some(_) => 0,
        }
    }

    /// Returns the bytes of memory of its header.
    pub(super) fn header_memory(&self) -> u64 {
        self.head.len() as u64 + memory_of(&self.server)
    }

    /// Returns true if one more fragment may wait.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    /// Returns true if half of those wait that may.
    pub(super) fn is_half_full(&self) -> bool {
        self.waiting.len() >= WAITING / 2
    }

    /// Takes a fragment that is new. Returns one of the same time, which waited before.
    pub(super) fn wait(&mut self, held: Held) -> Option<Held> {
        self.waiting.insert(held.time, held)
    }

    /// Returns the last fragment, if it is not released.
    pub(super) fn last_held(&self) -> Option<&Held> {
        self.waiting.values().next_back().or(self.settled.back())
    }

    /// Puts a longer fragment in the place of the [last one](Self::last_held), whose time it has. Returns that one.
    pub(super) fn replace_last(&mut self, held: Held) -> Option<Held> {
        if let Some(mut last) = self.waiting.last_entry() {
            return Some(last.insert(held));
        }
        let last = self.settled.back_mut()?;
        self.end = self.end.max(Some(held.end()));
        if let Some(recent) = self.recent.back_mut().filter(|recent| recent.time == held.time) {
            (recent.end, recent.hash, recent.feed) = (held.end(), held.hash, held.feed);
        }
        Some(std::mem::replace(last, held))
    }

    /// Returns the first fragment that waits.
    pub(super) fn first_waiting(&self) -> Option<&Held> {
        self.waiting.values().next()
    }

    /// Returns the number of fragments that wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Takes the first fragment that waits.
    pub(super) fn take_waiting(&mut self) -> Option<Held> {
        self.waiting.pop_first().map(|(_, held)| held)
    }

    /// Settles a fragment: no earlier one will be taken.
    pub(super) fn settle(&mut self, held: Held, now: Duration) {
        self.settled_at = Some(now);
        let Held { time, hash, feed, .. } = held;
        self.end = Some(self.end.unwrap_or(i64::MIN).max(held.end()));
        self.recent.push_back(Recent { time, end: held.end(), hash, feed });
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.settled.push_back(held);
    }

    /// Forgets all fragments, of which none was published. Returns them.
    pub(super) fn clear(&mut self) -> Vec<Held> {
        self.end = None;
        self.recent.clear();
        let waiting = std::mem::take(&mut self.waiting).into_values();
        self.settled.drain(..).chain(waiting).collect()
    }

    /// An encoder is forgotten, and another one may get its number.
    pub(super) fn forget_feed(&mut self, feed: usize) {
        self.recent.iter_mut().filter(|of| of.feed == feed).for_each(|of| of.feed = FORGOTTEN);
    }

    /// Returns how many fragments with later starts were taken of late.
    pub(super) fn later_than(&self, time: i64) -> usize {
        let time = time.saturating_add(self.jitter());
        let recent = self.recent.iter().rev().take_while(|recent| recent.time > time);
        recent.count() + self.waiting.range(time.saturating_add(1)..).count()
    }

    /// Takes the first settled fragment if it begins at this time or before.
    pub(super) fn take_settled(&mut self, until: i64) -> Option<Held> {
        self.settled.front().filter(|held| held.time <= until)?;
        self.settled.pop_front()
    }

    /// Returns the bits per second of the fragments that are held; `None` without any.
    pub(super) fn measured(&self, more: &Held) -> Option<u32> {
        let held = self.settled.iter().chain(self.waiting.values()).chain([more]);
        let (bytes, ticks) = held.fold((0_u128, 0_u128), |(bytes, ticks), held| {
            (bytes + u128::from(held.len()), ticks + u128::from(held.duration.unsigned_abs()))
        });
        let bits = bytes * 8 * u128::from(self.timescale.get());
        u32::try_from(bits.checked_div(ticks)?).ok()
    }

    /// Returns the fragments that are held, in order.
    pub(super) fn held(&self) -> impl Iterator<Item = &Held> {
        self.settled.iter().chain(self.waiting.values())
    }
}
