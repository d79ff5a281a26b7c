//! An event that another process writes, as its journal tells of it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::began::Began;
use super::frames::Frames;
use super::messages::{in_range, newest};
use super::placed::Placed;
use super::record::Record;
use crate::base::{Error, ErrorKind, FileId, Limits, Name};
use crate::live::PointOptions;
use crate::live::clock::{smooth_ticks, to_smooth};
use crate::live::line::Line;
use crate::live::moment::Duration;
use crate::manifest::{ServerTrack, StreamKind};
use crate::presentation::growing::{Growing, GrowingFile, has_captions};
use crate::presentation::messages::Scheme;
use crate::presentation::{Live, OpenOptions, Presentation};

/// The presentation of an event, made of the records that another process appends to the event's journal.
///
/// Whoever follows reads the journal from its [end](Self::end) as far as there is more, and has it
/// [taken](Self::take); then the first fragments that are [wanted](Self::wanted), and those that have
/// [messages](Self::wanted_messages); and then takes the [snapshot](Self::advance). Two that follow have the same snapshot when they have read as far.
#[derive(Debug)]
pub(crate) struct Following {
    point: Name,
    look_ahead: u32,
    window: Option<Duration>,
    /// How much of the event is served.
    kept: Option<Duration>,
    limits: Limits,
    /// Those of the presentation.
    limits_of_all: Limits,
    began: Option<Began>,
    /// See [`Live::epoch`].
    epoch: Option<i64>,
    /// Start of the first chunk, in ticks of 100 ns.
    begin: Option<u64>,
    /// In the order of their numbers, from 1.
    files: Vec<Followed>,
    /// Published fragments that the presentation does not have yet.
    waiting: Vec<Placed>,
    /// Those of them whose messages manifests may have, as far as they were read.
    messages: Vec<(Placed, Bytes)>,
    growing: Option<Growing>,
    /// Number of files that the presentation has.
    opened: u32,
    /// Latest end of a fragment that is no caption, in ticks of 100 ns.
    newest: i64,
    /// Media time of the last snapshot: such an end, and later for each record behind that one with which manifests
    /// change.
    shown_at: i64,
    /// Latest end of a chunk that was taken by then and is no caption, in ticks of 100 ns: as many as are held back are
    /// ahead of those that are shown.
    taken: i64,
    /// Fragments of the presentation.
    published: u64,
    is_stopped: bool,
    is_closed: bool,
    is_changed: bool,
    /// Bytes of the journal that were taken.
    end: u64,
}

/// A file of the event.
#[derive(Debug)]
struct Followed {
    name: Name,
    track: Box<ServerTrack>,
    head: Bytes,
    /// The presentation can have it without a fragment.
    has_captions: bool,
    key: Arc<str>,
    /// Bytes up to the end of the last published fragment.
    len: u64,
    /// Bytes up to the end of the last fragment that the presentation has.
    shown: u64,
    first: Option<First>,
    /// Duration of the newest fragment that the presentation has.
    lasts: Option<u64>,
    state: State,
}

/// The place of the first fragment of a file, and its bytes once they are read.
#[derive(Debug)]
struct First {
    range: Range<u64>,
    bytes: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its first fragment is not read, or has not come.
    New,
    Opened(FileId),
    /// The presentation cannot have it.
    Refused,
}

/// Fragments that are added before those are dropped that have left the window: a channel may have more of them than a
/// presentation can, or memory.
const AT_ONCE: usize = 4096;

/// The least difference of two times in manifests, in ticks of 100 ns.
const MILLISECOND: i64 = 10_000;

impl Following {
    /// Follows an event from the first byte of its journal.
    pub(crate) fn new(point: &Name, options: &PointOptions) -> Self {
        Self {
            point: point.clone(),
            look_ahead: options.look_ahead,
            window: options.window,
            kept: options.clone().archived(true).kept(),
            // An event has more tracks than one header.
            limits: Limits { tracks: Limits::default().tracks, ..options.limits.of_content() },
            limits_of_all: Limits::default(),
            began: None,
            epoch: None,
            begin: None,
            files: Vec::new(),
            waiting: Vec::new(),
            messages: Vec::new(),
            growing: None,
            opened: 0,
            newest: 0,
            shown_at: 0,
            taken: 0,
            published: 0,
            is_stopped: false,
            is_closed: false,
            is_changed: false,
            end: 0,
        }
    }

    /// Bytes of the journal that were taken: the next ones begin there.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// True if the event has ended: no fragment follows.
    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// True if the archive has the film of the event.
    pub(crate) fn has_film(&self) -> bool {
        let has_fragments = |file: &Followed| file.first.is_some();
        self.is_closed && self.files.iter().any(has_fragments)
    }

    /// True if fragments were published, and others follow.
    pub(crate) fn goes_on(&self) -> bool {
        self.published > 0 && !self.is_stopped
    }

    /// Takes bytes of the journal that begin at its [end](Self::end), up to the last record that is whole.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if they contradict what was taken before: the event is to be followed from its first
    /// byte again.
    pub(crate) fn take(&mut self, bytes: &Bytes) -> Result<(), Error> {
        let mut frames = match self.end {
            0 => Frames::new(bytes)?,
            start => Frames::behind(bytes, start),
        };
        while let Some(frame) = frames.peek() {
            let record = Record::parse(frame.clone(), &self.limits).ok_or_else(contradicts)?;
            self.record(record).ok_or_else(contradicts)?;
            frames.pass(&frame);
            self.end = frames.end();
        }
        Ok(())
    }

    /// Takes a record. `None` if it contradicts those before it.
    fn record(&mut self, record: Record) -> Option<()> {
        match record {
            Record::Began(began) if self.began.is_none() => self.began = Some(began),
            _ if self.began.is_none() => return None,
            Record::Epoch(epoch) => {
                self.epoch = Some(epoch);
                self.begin = self.begin.or_else(|| self.earliest());
                self.is_changed = true;
            }
            Record::File { file, name, track, head, key } => {
                let (at, count) = ((file as usize).checked_sub(1)?, self.files.len());
                let are_empty = self.are_empty_from(at);
                match self.files.get_mut(at) {
                    // The writer went on after a restart.
                    Some(known) if known.name == name && known.head == head => {}
                    _ if at <= count && at < self.limits.tracks && are_empty => {
                        // It has forgotten those that were not begun.
                        self.files.truncate(at);
                        let (len, state) = (head.len() as u64, State::New);
                        let (shown, first) = (len, None);
                        let has_captions = has_captions(&head);
                        self.shown_at = self.shown_at.saturating_add(MILLISECOND);
                        self.files.push(Followed {
                            name,
                            track,
                            head,
                            has_captions,
                            key,
                            len,
                            shown,
                            first,
                            lasts: None,
                            state,
                        });
                    }
                    _ => return None,
                }
            }
            Record::Published(placed) => self.publish(placed)?,
            Record::Cut { file, len } => self.cut(file, len)?,
            Record::Stopped => (self.is_stopped, self.is_changed) = (true, true),
            Record::Closed => self.is_closed = true,
            Record::Moved { .. } | Record::Ended { .. } | Record::Header(_) | Record::Other => {}
            _ => return None,
        }
        Some(())
    }

    /// Returns whether no fragment is published of this file and those behind it, and none is opened.
    fn are_empty_from(&self, at: usize) -> bool {
        let is_opened = |file: &Followed| matches!(file.state, State::Opened(_));
        self.files.iter().skip(at).all(|file| file.first.is_none() && !is_opened(file))
    }

    fn publish(&mut self, placed: Placed) -> Option<()> {
        let file = self.files.get_mut((placed.file as usize).checked_sub(1)?)?;
        let end = placed.start.checked_add(placed.lengths.len)?;
        if placed.start != file.len || placed.lengths.len == 0 || self.is_stopped {
            return None;
        }
        file.len = end;
        file.first.get_or_insert(First { range: placed.start..end, bytes: None });
        let end = newest_end(&file.key, &placed).unwrap_or(0);
        self.shown_at = self.shown_at.saturating_add(MILLISECOND).max(end);
        self.waiting.push(placed);
        Some(())
    }

    /// Takes fragments back that begin at this byte of a file or behind it. `None` if the presentation has one of
    /// them.
    fn cut(&mut self, number: u32, len: u64) -> Option<()> {
        let file = self.files.get_mut((number as usize).checked_sub(1)?)?;
        if len < file.shown || len > file.len {
            return None;
        }
        file.len = len;
        file.first = file.first.take().filter(|first| first.range.start < len);
        self.waiting.retain(|placed| placed.file != number || placed.start < len);
        Some(())
    }

    /// Start of the first chunk, in ticks of 100 ns. That of a text counts if there is nothing else.
    fn earliest(&self) -> Option<u64> {
        let start = |placed: &Placed| {
            let (key, timescale, _) = Line::read_identity(&self.file(placed.file)?.key)?;
            let start = to_smooth(i64::try_from(placed.time).ok()?, timescale);
            Some((key.kind == StreamKind::Text, u64::try_from(start).ok()?))
        };
        self.waiting.iter().filter_map(start).min().map(|(_, start)| start)
    }

    fn file(&self, number: u32) -> Option<&Followed> {
        self.files.get((number as usize).checked_sub(1)?)
    }

    /// The first fragments that are to be read: the number of each file, its name, and the bytes.
    pub(crate) fn wanted(&self) -> Vec<(u32, Name, Range<u64>)> {
        let wanted = |(number, file): (u32, &Followed)| {
            let first = file.first.as_ref().filter(|first| first.bytes.is_none())?;
            (file.state == State::New).then(|| (number, file.name.clone(), first.range.clone()))
        };
        (1..).zip(&self.files).filter_map(wanted).collect()
    }

    /// Takes the first fragment of a file.
    pub(crate) fn take_first(&mut self, number: u32, bytes: Bytes) {
        let file = (number as usize).checked_sub(1).and_then(|at| self.files.get_mut(at));
        if let Some(first) = file.and_then(|file| file.first.as_mut()) {
            first.bytes = Some(bytes);
        }
    }

    /// The newest of the fragments that the presentation does not have yet whose messages manifests may have: the
    /// number of each file, its name, and the bytes to read.
    pub(crate) fn wanted_messages(&self) -> Vec<(u32, Name, Range<u64>)> {
        let files = (1..).zip(&self.files);
        let files = files.filter(|(_, file)| Scheme::of_track(&file.track).is_some());
        let wanted = files.flat_map(|(number, file)| {
            let ranges = newest(self.waiting_in(number).rev());
            ranges.into_iter().map(move |range| (number, file.name.clone(), range))
        });
        wanted.collect()
    }

    /// Takes bytes of fragments whose messages manifests may have.
    pub(crate) fn take_messages(&mut self, number: u32, range: &Range<u64>, bytes: &Bytes) {
        let found: Vec<_> = in_range(self.waiting_in(number), range, bytes).collect();
        self.messages.extend(found);
    }

    fn waiting_in(&self, number: u32) -> impl DoubleEndedIterator<Item = &Placed> {
        self.waiting.iter().filter(move |placed| placed.file == number)
    }

    /// Returns the presentation if it is another one than before: with all fragments that are published and that
    /// can follow those before them.
    pub(crate) fn advance(&mut self) -> Option<Presentation> {
        if !self.wanted().is_empty() {
            return None;
        }
        for (at, placed) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if at % AT_ONCE == AT_ONCE - 1 {
                self.forget();
            }
            let Some(id) = self.opened(placed.file) else { continue };
            let Some(growing) = &mut self.growing else { continue };
            let (time, duration) = (placed.time, placed.duration);
            // One that this window does not take, as the writer's did, is not shown. Those behind it are.
            if growing.add(id, time, duration, placed.start, placed.lengths).is_err() {
                continue;
            }
            (self.published, self.is_changed) = (self.published + 1, true);
            self.see(&placed);
        }
        if self.published > 0 {
            self.open_announced(self.files.len());
        }
        for (placed, bytes) in std::mem::take(&mut self.messages) {
            if let (Some(id), Some(growing)) = (self.opened(placed.file), &mut self.growing) {
                growing.add_messages(id, placed.time, &bytes, placed.lengths);
            }
        }
        let is_changed = std::mem::take(&mut self.is_changed);
        let growing = self.growing.as_mut().filter(|_| is_changed && self.published > 0)?;
        if let Some(begin) = self.begin {
            growing.begins_at(begin);
        }
        self.forget();
        let growing = self.growing.as_mut()?;
        let epoch = self.epoch.unwrap_or_default();
        let published = u64::try_from(epoch.saturating_add(self.shown_at)).unwrap_or(0);
        let live = Live {
            look_ahead: self.look_ahead,
            window: self.window,
            epoch,
            published: Duration::from_nanos(published.saturating_mul(100)),
            clock: epoch.saturating_add(self.taken),
        };
        Some(growing.snapshot((!self.is_stopped).then_some(live), self.published))
    }

    /// Takes note of a fragment that the presentation has.
    fn see(&mut self, placed: &Placed) {
        let file = (placed.file as usize).checked_sub(1).and_then(|at| self.files.get_mut(at));
        let Some(file) = file else { return };
        file.shown = placed.end();
        let Some((key, timescale, _)) = Line::read_identity(&file.key) else { return };
        if key.kind != StreamKind::Text {
            let end = placed.time.saturating_add(placed.duration);
            // Those that follow last as long as those before. A single long one says nothing of them.
            let before = file.lasts.replace(placed.duration).unwrap_or(placed.duration);
            let held_back = before.min(placed.duration).saturating_mul(self.look_ahead.into());
            let ticks = |end: u64| to_smooth(i64::try_from(end).unwrap_or(0), timescale);
            self.newest = self.newest.max(ticks(end));
            self.taken = self.taken.max(ticks(end.saturating_add(held_back)));
        }
    }

    /// Drops what has left the window by now, as a process that has followed from the beginning has done.
    fn forget(&mut self) {
        if let (Some(before), Some(growing)) = (self.window_begin(), &mut self.growing) {
            growing.drop_before(before);
        }
    }

    fn window_begin(&self) -> Option<u64> {
        let kept = smooth_ticks(self.kept?);
        u64::try_from(self.newest.saturating_sub(kept)).ok()
    }

    /// The number that a file has in the presentation, which opens it if it is new.
    fn opened(&mut self, number: u32) -> Option<FileId> {
        let at = (number as usize).checked_sub(1)?;
        let file = self.files.get(at)?;
        match file.state {
            State::Opened(id) => return Some(id),
            State::Refused => return None,
            State::New => {}
        }
        let is_read = file.first.as_ref().is_some_and(|first| first.bytes.is_some());
        if !is_read && !file.has_captions {
            return None;
        }
        self.open_announced(at);
        self.open(at)?;
        self.opened(number)
    }

    /// Opens captions that are announced, before this place. All files are opened in the order of the journal, however
    /// often it is read.
    fn open_announced(&mut self, before: usize) {
        for at in 0..before {
            let is_it = |file: &Followed| file.has_captions && file.state == State::New;
            if self.files.get(at).is_some_and(is_it) && self.open(at).is_some() {
                self.is_changed = true;
            }
        }
    }

    /// Opens a file, or refuses it. `None` if the event has not begun.
    fn open(&mut self, at: usize) -> Option<()> {
        let file = self.files.get(at)?;
        let first = file.first.as_ref().and_then(|first| first.bytes.clone()).unwrap_or_default();
        let (name, server, head) = (file.name.clone(), (*file.track).clone(), file.head.clone());
        let new = vec![GrowingFile { name, server, head, first }];
        let grown = match &self.growing {
            Some(growing) => growing.with_files(new),
            None => {
                let began = self.began.as_ref()?;
                let options = OpenOptions::default();
                let options = options.limits(self.limits_of_all.clone()).epoch(began.epoch());
                Growing::open(&self.point, new, &options)
            }
        };
        let id = FileId::new(self.opened + 1);
        let state = match grown {
            Ok(growing) => {
                let is_served = growing.track_of_file(id).is_some();
                (self.growing, self.opened) = (Some(growing), self.opened + 1);
                if is_served { State::Opened(id) } else { State::Refused }
            }
            Err(_) => State::Refused,
        };
        self.files.get_mut(at)?.state = state;
        Some(())
    }

    /// The files that the presentation has: the number of each in it, its name, its header, and its length.
    pub(crate) fn files(&self) -> impl Iterator<Item = (FileId, &Name, &Bytes, u64)> {
        self.files.iter().filter_map(|file| match file.state {
            State::Opened(id) => Some((id, &file.name, &file.head, file.len)),
            _ => None,
        })
    }
}

/// Returns the end of a fragment in ticks of 100 ns. `None` for captions, which may end long after they begin.
fn newest_end(key: &str, placed: &Placed) -> Option<i64> {
    let (key, timescale, _) = Line::read_identity(key)?;
    let end = i64::try_from(placed.time.saturating_add(placed.duration)).ok()?;
    (key.kind != StreamKind::Text).then(|| to_smooth(end, timescale))
}

fn contradicts() -> Error {
    let what = "a journal that contradicts what it said before".to_owned();
    ErrorKind::Invalid { what, clause: "the format of journals" }.into()
}

#[cfg(test)]
mod tests;
