//! The fragments that are held, and their file.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;

use super::frames::push_parts;
use super::record::Record;
use super::restored::{RestoredEarly, RestoredHeld};
use super::write::ArchiveWrite;
use crate::base::Name;
use crate::live::moment::Duration;

/// The fragments of an event that were taken and are not published yet. Their file has those that are
/// [written](Self::write); most are published before.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// Bytes of the file.
    len: u64,
    /// Bytes of the file when it was last written anew.
    put_len: u64,
    /// In the order in which they came.
    held: VecDeque<(u32, Entry<RestoredHeld>)>,
    /// Those of tracks that have no file.
    early: Vec<Entry<RestoredEarly>>,
    /// Bytes of those of both that are written, and numbers of those that are not.
    written: u64,
    unwritten_held: usize,
    unwritten_early: usize,
    /// Tracks of which the file has an `Early` record, in order: key and head.
    early_tracks: Vec<(Arc<str>, Bytes)>,
}

/// A fragment that is held.
#[derive(Debug)]
struct Entry<T> {
    fragment: T,
    /// When it came. `None` if it is written.
    since: Option<Duration>,
}

/// Bytes of written fragments that may be of no use before their file is written anew.
const UNUSED: u64 = 16 << 20;

/// Bytes of fragments that are written at one time.
const AT_ONCE: usize = 1 << 20;

impl Holding {
    /// Begins with a file of these bytes, and no fragment.
    pub(super) fn of_file(len: u64) -> Self {
        Self { len, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.early.is_empty()
    }

    /// Adds a fragment of a file.
    pub(super) fn hold(&mut self, file: u32, fragment: RestoredHeld, now: Duration) {
        self.unwritten_held += 1;
        self.held.push_back((file, Entry { fragment, since: Some(now) }));
    }

    /// Adds a fragment of a track that has no file.
    pub(super) fn hold_early(&mut self, fragment: RestoredEarly, now: Duration) {
        self.unwritten_early += 1;
        self.early.push(Entry { fragment, since: Some(now) });
    }

    /// Adds a fragment that was written by an earlier process.
    pub(super) fn resume(&mut self, file: u32, fragment: RestoredHeld) {
        self.written += fragment.bytes.len() as u64;
        self.held.push_back((file, Entry { fragment, since: None }));
    }

    /// Adds a fragment of a track that has no file, which an earlier process wrote.
    pub(super) fn resume_early(&mut self, fragment: RestoredEarly) {
        self.written += fragment.bytes.len() as u64;
        self.early.push(Entry { fragment, since: None });
    }

    /// Takes away the fragments of a file with these starts: they are published, or dropped.
    pub(super) fn drop_held(&mut self, file: u32, times: &RangeInclusive<i64>) {
        let (written, unwritten) = (&mut self.written, &mut self.unwritten_held);
        self.held.retain(|(of, entry)| {
            let is_held = *of != file || !times.contains(&entry.fragment.time);
            if !is_held {
                entry.forget(&entry.fragment.bytes, written, unwritten);
            }
            is_held
        });
    }

    /// Takes away the fragments with these starts of a track without a file: it has one now, or they are dropped.
    pub(super) fn drop_early(&mut self, key: &str, times: &RangeInclusive<i64>) {
        let (written, unwritten) = (&mut self.written, &mut self.unwritten_early);
        self.early.retain(|entry| {
            let is_early = *entry.fragment.key != *key || !times.contains(&entry.fragment.time);
            if !is_early {
                entry.forget(&entry.fragment.bytes, written, unwritten);
            }
            is_early
        });
    }

    /// Returns the writes after which the file has all fragments but the `newest` ones of each track, and of these those that
    /// came at `came_by` or before.
    pub(super) fn write(
        &mut self,
        name: &Name,
        newest: usize,
        came_by: Duration,
    ) -> Vec<ArchiveWrite> {
        let mut writes =
            Writes { name, offset: &mut self.len, bytes: Vec::new(), done: Vec::new() };
        let is_unwritten = |(_, entry): &(u32, Entry<RestoredHeld>)| entry.since.is_some();
        let from = oldest(self.held.iter().rev().map(is_unwritten), self.unwritten_held);
        let from = self.held.len() - from;
        let of = |(file, _): &(u32, _)| *file;
        let are_due = due(self.held.range(from..).map(of), newest);
        for ((file, entry), is_due) in self.held.range_mut(from..).zip(are_due) {
            if entry.since.take_if(|since| is_due || *since <= came_by).is_some() {
                self.written += entry.fragment.bytes.len() as u64;
                self.unwritten_held -= 1;
                writes.add(&held_record(*file, &entry.fragment));
            }
        }
        let is_unwritten = |entry: &Entry<RestoredEarly>| entry.since.is_some();
        let from = oldest(self.early.iter().rev().map(is_unwritten), self.unwritten_early);
        let early = self.early.len() - from..;
        let of = |entry: &Entry<RestoredEarly>| Arc::clone(&entry.fragment.key);
        let are_due = due(self.early[early.clone()].iter().map(of), newest);
        for (entry, is_due) in self.early[early].iter_mut().zip(are_due) {
            if entry.since.take_if(|since| is_due || *since <= came_by).is_some() {
                self.written += entry.fragment.bytes.len() as u64;
                self.unwritten_early -= 1;
                writes.add(&early_record(&mut self.early_tracks, &entry.fragment));
            }
        }
        writes.flush();
        writes.done
    }

    /// Returns whether most of the file is of no use, and as much came as was written when it last began anew.
    pub(super) fn is_wasteful(&self) -> bool {
        self.len > UNUSED + 2 * self.written && self.len > 2 * self.put_len
    }

    /// Returns the write after which the file has these bytes, and all fragments. One that is new may be in the file
    /// that this one replaces: it had no file when it was written.
    pub(super) fn put(&mut self, name: &Name, beginning: &[u8]) -> ArchiveWrite {
        let written = &mut self.written;
        for (_, entry) in &mut self.held {
            entry.is_written(entry.fragment.bytes.len(), written, &mut self.unwritten_held);
        }
        for entry in &mut self.early {
            entry.is_written(entry.fragment.bytes.len(), written, &mut self.unwritten_early);
        }
        let mut content = beginning.to_vec();
        let held = self.held.iter();
        let held = held.map(|(file, entry)| held_record(*file, &entry.fragment));
        self.early_tracks.clear();
        let (tracks, early) = (&mut self.early_tracks, self.early.iter());
        let early = early.map(|entry| early_record(tracks, &entry.fragment));
        for record in held.chain(early) {
            if let Some(begin) = record.begin() {
                push_parts(&mut content, 0, &begin, record.fragment());
            }
        }
        self.len = content.len() as u64;
        self.put_len = self.len;
        ArchiveWrite::Put { name: name.clone(), content: content.into() }
    }
}

impl<T> Entry<T> {
    /// The fragment, of so many bytes, is written.
    fn is_written(&mut self, len: usize, written: &mut u64, unwritten: &mut usize) {
        if self.since.take().is_some() {
            *written += len as u64;
            *unwritten -= 1;
        }
    }

    /// Counts the fragment no more.
    fn forget(&self, bytes: &Bytes, written: &mut u64, unwritten: &mut usize) {
        match self.since {
            None => *written -= bytes.len() as u64,
            Some(_) => *unwritten -= 1,
        }
    }
}

/// Returns how many entries, from the newest one on, have `count` that are not written among them.
fn oldest(are_unwritten: impl Iterator<Item = bool>, count: usize) -> usize {
    if count == 0 {
        return 0;
    }
    let mut found = 0;
    let reaches = |is_unwritten: bool| {
        found += usize::from(is_unwritten);
        found == count
    };
    are_unwritten.map(reaches).take_while(|is_last| !is_last).count() + 1
}

/// Returns of each entry whether so many newer ones of its track follow it.
fn due<K: Ord>(tracks: impl DoubleEndedIterator<Item = K>, newest: usize) -> Vec<bool> {
    let mut newer = BTreeMap::new();
    let has_newer = |track| {
        let count = newer.entry(track).or_insert(0);
        *count += 1;
        *count > newest
    };
    let mut due: Vec<_> = tracks.rev().map(has_newer).collect();
    due.reverse();
    due
}

/// Appends to the file.
struct Writes<'a> {
    name: &'a Name,
    offset: &'a mut u64,
    bytes: Vec<u8>,
    done: Vec<ArchiveWrite>,
}

impl Writes<'_> {
    /// Adds a record. The bytes of its fragment are copied once.
    fn add(&mut self, record: &Record) {
        let Some(begin) = record.begin() else { return };
        push_parts(&mut self.bytes, *self.offset, &begin, record.fragment());
        if self.bytes.len() >= AT_ONCE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.bytes.is_empty() {
            return;
        }
        let (name, offset) = (self.name.clone(), *self.offset);
        *self.offset += self.bytes.len() as u64;
        let bytes = std::mem::take(&mut self.bytes).into();
        self.done.push(ArchiveWrite::Append { name, offset, bytes });
    }
}

fn held_record(file: u32, held: &RestoredHeld) -> Record {
    let RestoredHeld { time, duration, bytes } = held.clone();
    Record::Held { file, time, duration, bytes }
}

/// Returns the record of a fragment whose track has no file. The first one of a track alone has its declaration.
fn early_record(tracks: &mut Vec<(Arc<str>, Bytes)>, early: &RestoredEarly) -> Record {
    let RestoredEarly { key, head, time, duration, bytes, .. } = early.clone();
    let is_it = |(of, known): &(Arc<str>, Bytes)| *of == key && *known == head;
    match tracks.iter().position(is_it).and_then(|of| u32::try_from(of).ok()) {
        Some(of) => Record::More { of, time, duration, bytes },
        None => {
            let record = Record::Early(Box::new(early.clone()));
            // A record that cannot be written has no number.
            if record.begin().is_some() {
                tracks.push((key, head));
            }
            record
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(time: i64) -> RestoredHeld {
        RestoredHeld { time, duration: 1, bytes: vec![0; 1000].into() }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_fragment_is_written_once_and_not_if_it_is_published_before() {
        let name = Name::new("news.held").unwrap();
        let mut holding = Holding::of_file(8);
        (0..3).for_each(|time| holding.hold(1, fragment(time), seconds(time as u64)));
        holding.hold(2, fragment(0), seconds(3));
        holding.drop_held(1, &(i64::MIN..=0));
        let mut lens = |came_by| {
            let writes = holding.write(&name, 9, seconds(came_by));
            writes.iter().map(ArchiveWrite::len).collect::<Vec<_>>()
        };
        assert!(lens(0).is_empty());
        let one = lens(1);
        assert!(one.len() == 1 && (1000..1100).contains(&one[0]), "{one:?}");
        assert_eq!(lens(3), [2 * one[0]]);
        assert!(lens(100).is_empty());
        assert_eq!(holding.len, 8 + 3 * one[0]);
    }

    #[test]
    fn a_file_that_begins_anew_has_all_fragments() {
        let name = Name::new("news.held").unwrap();
        let mut holding = Holding::of_file(8);
        for time in 0..40_000 {
            holding.hold(1, fragment(time), seconds(0));
            holding.write(&name, 9, seconds(0));
            holding.drop_held(1, &(i64::MIN..=time - 2));
        }
        holding.hold(1, fragment(40_000), seconds(1));
        assert!(holding.is_wasteful());
        let put = holding.put(&name, b"begins..");
        // The last one is new: what it was before it had a file may have been written.
        assert!((3008..3250).contains(&put.len()), "{}", put.len());
        assert!(!holding.is_wasteful());
        assert!(holding.write(&name, 9, seconds(1)).is_empty());
        assert_eq!((holding.written, holding.unwritten_held), (3000, 0));
    }

    #[test]
    fn the_newest_ones_of_each_track_are_not_written() {
        let name = Name::new("news.held").unwrap();
        let mut holding = Holding::of_file(8);
        let mut written = Vec::new();
        for time in 0..10 {
            holding.hold(1, fragment(time), seconds(1));
            if time % 3 == 0 {
                holding.hold(2, fragment(time), seconds(1));
            }
            let writes = holding.write(&name, 2, Duration::ZERO);
            written.push(writes.iter().map(ArchiveWrite::len).sum::<u64>() / 1000);
        }
        // The third one of the first track makes the first one due; the second track has its third one at 6.
        assert_eq!(written, [0, 0, 1, 1, 1, 1, 2, 1, 1, 2]);
        let of = |file| holding.held.iter().filter(move |(of, _)| *of == file);
        let unwritten = |file| of(file).filter(|(_, entry)| entry.since.is_some()).count();
        assert_eq!((unwritten(1), unwritten(2), holding.unwritten_held), (2, 2, 4));
    }
}
