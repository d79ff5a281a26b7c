//! An event goes on that another process has begun.

use std::sync::Arc;

use bytes::Bytes;

use super::register::label;
use super::times::of_clock;
use super::{Broadcast, LiveStream};
use crate::base::{Error, ErrorKind, FileId, Name, Timescale};
use crate::bmff::uuid::Tfxd;
use crate::fragment::{Parsed, Stored};
use crate::live::clock::{Epoch, smooth_ticks, to_smooth};
use crate::live::feed::Feed;
use crate::live::held::{Held, hash_of_samples};
use crate::live::intake::{Intake, coding_of};
use crate::live::journal::{
    Began, Placed, Restored, RestoredEarly, RestoredFile, RestoredHeader, RestoredHeld,
};
use crate::live::line::{Line, LineFile};
use crate::live::schedule::{Chunk, Schedule};
use crate::live::track_key::TrackKey;
use crate::live::{LiveEvent, Moment, PointOptions};
use crate::manifest::{ServerTrack, StreamKind};
use crate::presentation::growing::{GrowingFile, has_captions};

/// The feed of what was taken before the process began.
const FEED: usize = 0;
/// Stands for the track of a file without a fragment, other than announced captions: the track gets another file.
const NO_LINE: usize = usize::MAX;
/// Published fragments that are added before those are dropped that have left the window.
const AT_ONCE: usize = 4096;

impl Broadcast {
    /// Goes on with an event.
    ///
    /// # Errors
    /// The files cannot be opened, or contradict each other.
    pub(in crate::live) fn restored(
        name: &Name,
        options: &PointOptions,
        restored: Restored,
        now: Moment,
    ) -> Result<Self, Error> {
        let Restored { event, number, wall, .. } = &restored;
        let began = Began { event: event.clone(), number: *number, wall: *wall };
        let mut this = Self::new(name, options, began, 0);
        this.log.clear();
        this.began = Some(now.monotonic);
        let media = |epoch| smooth_ticks(now.wall).saturating_sub(epoch);
        this.epoch = restored.epoch.map(|epoch| Epoch::new(now, media(epoch)));
        this.feeds.push(Feed::before_the_restart(now.monotonic));
        let mut files = Vec::new();
        for (number, file) in (1..).zip(&restored.files) {
            let held = file.held.first().map(|held| &held.bytes);
            let first = file.first.as_ref().or(held).cloned();
            let (name, server) = (file.name.clone(), file.track.clone());
            let head = file.head.clone();
            match first.is_some() || has_captions(&head) {
                true => this.restore_file(FileId::new(number), file)?,
                false => this.files.push(NO_LINE),
            }
            files.push(GrowingFile { name, server, head, first: first.unwrap_or_default() });
        }
        if !files.is_empty() {
            let growing = this.grown(files).map_err(|error| not_opened(&error))?;
            for (number, &line) in (1..).zip(&this.files) {
                let Some(line) = this.lines.get_mut(line) else { continue };
                line.is_refused = growing.track_of_file(FileId::new(number)).is_none();
            }
            this.growing = Some(growing);
        }
        for shift in &restored.shifts {
            if let Some(feed) = this.feed(&shift.stream, &shift.encoder) {
                this.feeds[feed].shift = shift.shift;
            }
        }
        for end in &restored.ends {
            if let Some(feed) = this.feed(&end.stream, &end.encoder) {
                let of = &mut this.feeds[feed];
                (of.has_ended, of.ended_before) = (true, true);
                // It is not the first one to make room.
                of.left = Some(now.monotonic);
                this.end_said = Some(now.monotonic);
            }
        }
        let begin = this.first_begin(&restored);
        let window = this.window_of(&restored);
        for (at, placed) in restored.published.iter().enumerate() {
            let Some(line) = this.line_of_file(placed.file) else { continue };
            let (Some(of), Ok(time)) = (this.lines.get_mut(line), i64::try_from(placed.time))
            else {
                continue;
            };
            let (Some(growing), id) = (&mut this.growing, FileId::new(placed.file)) else {
                continue;
            };
            if of.is_refused {
                continue;
            }
            let end = time.saturating_add_unsigned(placed.duration);
            // What has left the window counts: numbers of segments and the target duration of HLS never go back. A
            // fragment that cannot follow those before it was not shown before, either.
            let _ = growing.add(id, placed.time, placed.duration, placed.start, placed.lengths);
            if let Some(window) = window
                && at % AT_ONCE == AT_ONCE - 1
            {
                growing.drop_before(window);
            }
            of.restore(time, end, FEED);
            of.counts.fragments += 1;
            of.counts.bytes += placed.lengths.len;
            let stream = of.stream;
            this.streams[stream].schedule.restore(Chunk { time, end });
        }
        for (placed, bytes) in &restored.messages {
            if let Some(growing) = &mut this.growing {
                let id = FileId::new(placed.file);
                growing.add_messages(id, placed.time, bytes, placed.lengths);
            }
        }
        for (number, file) in (1..).zip(restored.files) {
            let Some(line) = this.line_of_file(number) else { continue };
            if file.len == 0 && !this.lines[line].is_refused {
                let (file, name) = (FileId::new(number), file.name);
                let bytes = this.lines[line].head.clone();
                this.log.push(LiveEvent::Append { file, name, offset: 0, bytes, chunk: None });
            }
            for held in file.held {
                this.restore_held(line, held, now);
            }
        }
        for early in restored.early {
            this.restore_early(early, now)?;
        }
        this.restore_encoders(&restored.headers);
        if this.epoch.is_none() {
            // Nothing was shown: what came last is live now.
            let of_clock = this.lines.iter().filter(|line| of_clock(line.key.kind));
            let ends = of_clock.filter_map(|of| Some(to_smooth(of.newest_end()?, of.timescale)));
            this.epoch = ends.max().map(|end| Epoch::new(now, end));
        }
        if !restored.published.is_empty() || this.held_bytes > 0 {
            // An encoder may end the event without another fragment.
            this.feeds[FEED].sent = Some(now.monotonic);
        }
        if !restored.published.is_empty() {
            this.is_started = true;
            if let (Some(growing), Some(begin)) = (&mut this.growing, begin) {
                growing.begins_at(begin);
            }
            this.forget(now);
            this.show(true, now);
        }
        Ok(this)
    }

    /// Returns the number of the line of a file. `None` if the file is without a fragment, other than announced captions.
    fn line_of_file(&self, number: u32) -> Option<usize> {
        let line = *self.files.get((number as usize).checked_sub(1)?)?;
        (line != NO_LINE).then_some(line)
    }

    /// Returns the start of the first snapshot, in ticks of 100 ns: manifests count from it. That of a text counts if
    /// there is nothing else.
    fn first_begin(&self, restored: &Restored) -> Option<u64> {
        let first = restored.published.get(..restored.begun_with)?;
        let begins = first.iter().filter_map(|placed| {
            let line = self.lines.get(self.line_of_file(placed.file)?)?;
            let begin = to_smooth(i64::try_from(placed.time).ok()?, line.timescale);
            Some((line.key.kind == StreamKind::Text, u64::try_from(begin).ok()?))
        });
        begins.min().map(|(_, begin)| begin)
    }

    /// Returns the time before which no chunk is served, in ticks of 100 ns: that of
    /// [`window_begin`](Self::window_begin). An event with a window may be longer than what memory has room for.
    fn window_of(&self, restored: &Restored) -> Option<u64> {
        let end = |placed: &Placed| {
            let line = self.lines.get(self.line_of_file(placed.file)?)?;
            let of_clock = line.key.kind != StreamKind::Text;
            let end = i64::try_from(placed.time.saturating_add(placed.duration)).ok()?;
            of_clock.then(|| to_smooth(end, line.timescale))
        };
        let newest = restored.published.iter().filter_map(end).max();
        let kept = smooth_ticks(self.options.kept()?);
        u64::try_from(newest?.saturating_sub(kept)).ok()
    }

    /// Adds a track. Returns its number.
    fn restore_line(
        &mut self,
        identity: &str,
        track: &ServerTrack,
        head: &Bytes,
    ) -> Result<usize, Error> {
        let (key, timescale, codec) = identity_of(identity, head)?;
        // No two streams have the same name.
        let of_same =
            |stream: &LiveStream| stream.kind == key.kind && *stream.name == *track.name();
        let stream = self.streams.iter().position(of_same).unwrap_or_else(|| {
            let is_sparse = key.kind == StreamKind::Text;
            self.streams.push(LiveStream {
                kind: key.kind,
                name: track.name().into(),
                timescale,
                schedule: Schedule::new(is_sparse),
                grew: None,
                lines: Vec::new(),
                is_sparse,
                parent: track.value("parentTrackName").map(str::to_lowercase),
            });
            self.streams.len() - 1
        });
        let at = self.lines.len();
        let mut line = Line::new(key, stream, track.clone(), head.clone());
        (line.codec, line.timescale) = (codec, timescale);
        line.label = label(&self.streams[stream].name, track.bitrate().unwrap_or(0));
        self.lines.push(line);
        self.streams[stream].lines.push(at);
        Ok(at)
    }

    fn restore_file(&mut self, id: FileId, file: &RestoredFile) -> Result<(), Error> {
        let line = self.restore_line(&file.key, &file.track, &file.head)?;
        let head = file.head.len() as u64;
        let (name, len) = (file.name.clone(), file.len.max(head));
        self.lines[line].file = Some(LineFile { id, name, len, forgotten: head });
        self.files.push(line);
        Ok(())
    }

    /// Takes a fragment of a track that had no file.
    fn restore_early(&mut self, early: RestoredEarly, now: Moment) -> Result<(), Error> {
        let (key, _, codec) = identity_of(&early.key, &early.head)?;
        let line = match self.lines.iter().position(|line| line.key == key) {
            // Of an encoder whose codec data the track did not get.
            Some(line) if self.lines[line].codec != codec && self.lines[line].file.is_some() => {
                let (file, key, times) = (None, early.key, i64::MIN..=i64::MAX);
                self.log.push(LiveEvent::Discarded { file, key, times });
                return Ok(());
            }
            Some(line) if self.lines[line].codec != codec => {
                self.clear(line);
                self.lines[line].set_head(&early.head, codec, &early.track);
                line
            }
            Some(line) => line,
            None => self.restore_line(&early.key, &early.track, &early.head)?,
        };
        let RestoredEarly { time, duration, bytes, .. } = early;
        self.restore_held(line, RestoredHeld { time, duration, bytes }, now);
        Ok(())
    }

    /// Takes note of the tracks that encoders fed, by the headers that they brought.
    fn restore_encoders(&mut self, headers: &[RestoredHeader]) {
        for RestoredHeader { stream, encoder, boxes, .. } in headers {
            let known = Intake::read_header(boxes, &self.options.limits);
            let (stream, mut keys) = (stream.to_lowercase(), Vec::new());
            for track in known.iter().flat_map(|known| &known.header().tracks) {
                let place = (stream.as_str(), track.track_id);
                let key = TrackKey::new(track.kind, &track.server, &track.coding, place, &keys);
                let is_it = |line: &Line| line.key == key && line.fits(track);
                if let Some(line) = self.lines.iter().position(is_it) {
                    self.fed_before.push((Arc::clone(encoder), line));
                }
                keys.push(key);
            }
        }
    }

    /// Takes a fragment that was held, or drops it.
    fn restore_held(&mut self, line: usize, held: RestoredHeld, now: Moment) {
        let time = held.time;
        match self.held_again(line, held, now) {
            Some(held) if self.lines[line].has_room() && self.hold(line, &held) => {
                if let Some(before) = self.lines[line].wait(held) {
                    self.unhold(line, &before);
                }
            }
            _ => self.log_discarded(line, time..=time),
        }
    }

    /// `None` if it cannot be read.
    fn held_again(&self, line: usize, held: RestoredHeld, now: Moment) -> Option<Held> {
        let RestoredHeld { time, duration, bytes } = held;
        let parsed = Stored::parse(&bytes, 0, bytes.len() as u64, &self.limits);
        let Ok(Parsed::Whole(stored)) = parsed else { return None };
        let tfxd = stored.traf.get::<Tfxd>()?;
        Some(Held {
            time,
            duration,
            is_moved: i64::try_from(tfxd.time) != Ok(time),
            feed: FEED,
            hash: hash_of_samples(&bytes, stored.lengths().moof),
            arrived: now.monotonic,
            bytes,
            head: self.lines[line].early_head(),
        })
    }

    /// Reports the file of a track, and how it is declared.
    pub(super) fn declare(&mut self, line: usize) {
        let of = &self.lines[line];
        let Some(LineFile { id, name, .. }) = of.file.clone() else { return };
        let declared = self
            .growing
            .as_ref()
            .and_then(|growing| growing.server_manifest().tracks.get(id.index().checked_sub(1)?));
        let track = Box::new(declared.unwrap_or(&of.server).clone());
        let (head, key) = (of.head.clone(), of.identity());
        self.log.push(LiveEvent::File { file: id, name, track, head, key });
    }
}

/// Returns key, timescale and codec data of a track with such a head.
fn identity_of(identity: &str, head: &Bytes) -> Result<(TrackKey, Timescale, u128), Error> {
    let read = Line::read_identity(identity);
    let (mut key, timescale, codec) = read.ok_or_else(contradicts)?;
    if key.coding.is_empty() {
        // Of a journal that does not say it.
        key.coding = coding_of(head, key.kind).unwrap_or_default();
    }
    Ok((key, timescale, codec))
}

fn contradicts() -> Error {
    let what = "a journal whose tracks cannot go on".to_owned();
    ErrorKind::Invalid { what, clause: "the format of journals" }.into()
}

/// The files are in memory: another try would not open them, either.
fn not_opened(error: &Error) -> Error {
    let what = format!("an event whose tracks cannot be opened again: {error}");
    ErrorKind::Invalid { what, clause: "the format of journals" }.into()
}
