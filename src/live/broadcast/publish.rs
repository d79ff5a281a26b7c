//! Settled chunks are released when enough others follow them: their fragments announce those.

use std::sync::Arc;

use super::Broadcast;
use super::names::set_attribute;
use super::register::label;
use super::served::Served;
use super::times::of_clock;
use crate::base::{Error, ErrorKind, FileId};
use crate::bmff::uuid::TfrfEntry;
use crate::fragment::{Lengths, with_tfrf, with_time};
use crate::live::clock::{duration_of, to_smooth};
use crate::live::held::Held;
use crate::live::intake::bitrate_of;
use crate::live::journal::Began;
use crate::live::line::{Line, LineFile};
use crate::live::schedule::Chunk;
use crate::live::{LiveEvent, Moment, NoticeKind};
use crate::presentation::growing::{Growing, GrowingFile};
use crate::presentation::{Live, OpenOptions};

use bytes::Bytes;

/// A fragment that is published.
struct Due {
    line: usize,
    held: Held,
    chunk: Chunk,
    bytes: Bytes,
    lengths: Lengths,
}

impl Broadcast {
    /// Publishes what can be.
    pub(super) fn publish(&mut self, now: Moment) {
        let mut due = Vec::new();
        for stream in 0..self.streams.len() {
            if !self.streams[stream].is_sparse {
                self.release(stream, &mut due, now);
            }
        }
        // Captions and commands become visible with the stream that they belong to.
        self.settle_sparse(now);
        for stream in 0..self.streams.len() {
            if self.streams[stream].is_sparse {
                self.release(stream, &mut due, now);
            }
        }
        let announced = self.announced(&due.iter().map(|due| due.line).collect::<Vec<_>>());
        if due.is_empty() && announced.is_empty() {
            return;
        }
        self.open_files(&due, &announced);
        let has_media = |of: &Line| of_clock(of.key.kind) && of.counts.fragments > 0;
        let has_file = |line: &usize| self.lines[*line].file.is_some();
        let mut is_changed = announced.iter().any(has_file) && self.lines.iter().any(has_media);
        for due in due {
            is_changed |= self.append(due, now);
        }
        if is_changed {
            self.forget(now);
            self.show(true, now);
        }
    }

    /// The snapshot is a film from now on.
    pub(super) fn publish_film(&mut self, now: Moment) {
        self.show(false, now);
    }

    /// Shows the same chunks with the options as they are now.
    pub(in crate::live) fn show_again(&mut self, now: Moment) {
        if self.is_started && !self.is_ending {
            self.forget(now);
            self.show(true, now);
        }
    }

    /// Has the film of an event that has ended show no more than the window.
    pub(in crate::live) fn narrow_film(&mut self, now: Moment) {
        if self.is_started && self.is_ending {
            // Nothing would do it later.
            self.kept = Served::default();
            self.forget(now);
            self.show(false, now);
        }
    }

    /// Releases the chunks of a stream that are due, with the fragments of all of its tracks.
    fn release(&mut self, stream: usize, due: &mut Vec<Due>, now: Moment) {
        // Tracks that come later than others.
        if let Some(newest) = self.streams[stream].schedule.newest() {
            self.take_until(stream, newest.time, due);
        }
        let look_ahead = match self.is_ending || self.streams[stream].is_sparse {
            true => 0,
            false => self.options.look_ahead as usize,
        };
        while let Some(chunk) = self.streams[stream].schedule.due(look_ahead)
            && self.is_visible(stream, chunk.time)
            && !self.waits_for_quality(stream, chunk, now)
        {
            self.streams[stream].schedule.release();
            self.take_until(stream, chunk.time, due);
        }
    }

    /// Returns true if a chunk of a sparse stream may be published: a chunk of its parent with a time that
    /// is not earlier is published.
    ///
    /// Spec: Azure's specification of ingest, 11.
    pub(super) fn is_visible(&self, stream: usize, time: i64) -> bool {
        let of = &self.streams[stream];
        if !of.is_sparse || self.is_ending {
            return true;
        }
        let Some(parent) = self.parent_of(stream) else { return true };
        let parent = &self.streams[parent];
        let newest = parent.schedule.newest().map(|chunk| to_smooth(chunk.time, parent.timescale));
        newest.is_some_and(|newest| to_smooth(time, of.timescale) <= newest)
    }

    fn take_until(&mut self, stream: usize, time: i64, due: &mut Vec<Due>) {
        for at in 0..self.streams[stream].lines.len() {
            let line = self.streams[stream].lines[at];
            while let Some(held) = self.lines[line].take_settled(time) {
                self.unhold(line, &held);
                let (feed, time) = (held.feed, held.time);
                if self.is_misfit(stream, line, &held) {
                    self.log_passed(line, time);
                    let at = duration_of(time, self.lines[line].timescale);
                    self.count_dropped(line, feed, |of| {
                        of.misaligned.count().map(|count| NoticeKind::Misaligned { at, count })
                    });
                    continue;
                }
                match self.written(stream, line, held) {
                    Ok(Some(fragment)) => due.push(fragment),
                    Ok(None) => self.log_passed(line, time),
                    Err(error) => {
                        self.log_passed(line, time);
                        self.refuse(Some(feed), line, error);
                    }
                }
            }
        }
    }

    /// Returns true if a fragment reaches far into the next chunk, or ends far before its own, which was not known when it
    /// was settled.
    fn is_misfit(&self, stream: usize, line: usize, held: &Held) -> bool {
        let (of, jitter) = (&self.streams[stream], self.lines[line].jitter());
        let (schedule, time, end) = (&of.schedule, held.time, held.end());
        !of.is_sparse
            && (schedule.is_too_long(time, end, jitter) || schedule.is_too_short(time, end, jitter))
    }

    /// A settled fragment is not published, and neither is any before it.
    fn log_passed(&mut self, line: usize, time: i64) {
        // Settling may have moved it by as much.
        let last = time.saturating_add(self.lines[line].jitter());
        self.log_discarded(line, i64::MIN..=last);
    }

    /// Writes the times of a fragment and of those that follow it.
    fn written(&self, stream: usize, line: usize, held: Held) -> Result<Option<Due>, Error> {
        let of = &self.streams[stream];
        if self.lines[line].is_refused {
            return Ok(None);
        }
        let own = Chunk { time: held.time, end: held.end() };
        let chunk = of.schedule.at(held.time).unwrap_or(own);
        let next = of.schedule.following(held.time, self.options.look_ahead as usize);
        let ticks = |ticks: i64| ticks.unsigned_abs();
        let next: Vec<_> = next
            .iter()
            .map(|next| TfrfEntry { time: ticks(next.time), duration: ticks(next.end - next.time) })
            .collect();
        let mut bytes = held.bytes.clone();
        if held.is_moved {
            let (time, duration) = (ticks(held.time), ticks(held.duration));
            (bytes, _) = with_time(&bytes, time, duration, &self.limits)?;
        }
        let (bytes, lengths) = with_tfrf(&bytes, &next, &self.limits)?;
        Ok(Some(Due { line, held, chunk, bytes, lengths }))
    }

    /// Begins the files of tracks that publish for the first time, and of those that are announced. The latter come
    /// first: those who follow the journal may know of them before they know of the others.
    fn open_files(&mut self, due: &[Due], announced: &[usize]) {
        let mut new: Vec<(usize, GrowingFile)> = Vec::new();
        for &line in announced {
            let file = self.new_file(line, None, new.len());
            new.extend(file.map(|file| (line, file)));
        }
        for due in due {
            let is_known = self.lines[due.line].file.is_some() || self.lines[due.line].is_refused;
            if is_known || new.iter().any(|(line, _)| *line == due.line) {
                continue;
            }
            let file = self.new_file(due.line, Some(due), new.len());
            new.extend(file.map(|file| (due.line, file)));
        }
        if new.is_empty() {
            return;
        }
        let files = new.iter().map(|(_, file)| file.clone()).collect();
        if let Ok(growing) = self.grown(files) {
            self.growing = Some(growing);
            new.iter().for_each(|(line, _)| self.begin_file(*line));
            return;
        }
        // One of them cannot be opened: the others are unharmed.
        for (line, file) in new {
            match self.grown(vec![file]) {
                Ok(growing) => {
                    self.growing = Some(growing);
                    if let Some(file) = &mut self.lines[line].file {
                        file.id = FileId::new((self.files.len() + 1) as u32);
                    }
                    self.begin_file(line);
                }
                Err(error) => {
                    self.lines[line].file = None;
                    match announced.contains(&line) {
                        // Its first fragment may say more.
                        true => self.lines[line].has_captions = false,
                        false => self.refuse_line(line, error),
                    }
                }
            }
        }
    }

    /// Returns the file of a track, behind so many others that are new. `None` if it cannot have one.
    fn new_file(&mut self, line: usize, first: Option<&Due>, others: usize) -> Option<GrowingFile> {
        // Whether the first one of captions comes before they are announced is a race.
        let measured = first.filter(|_| !self.lines[line].has_captions);
        self.set_bitrate(line, measured.map(|first| &first.held));
        let Some(name) = self.file_name(line) else {
            let why = "the file of a track would have too long a name";
            self.refuse_line(line, ErrorKind::BadName(why).into());
            return None;
        };
        let id = FileId::new((self.files.len() + others + 1) as u32);
        let line = &mut self.lines[line];
        let file = name.as_str().rsplit('/').next().unwrap_or_default().to_owned();
        set_attribute(&mut line.server, "src", &file);
        line.file = Some(LineFile { id, name: name.clone(), len: 0, forgotten: 0 });
        let (server, head) = (line.server.clone(), line.head.clone());
        let first = first.map_or_else(Bytes::new, |first| first.bytes.clone());
        Some(GrowingFile { name, server, head, first })
    }

    pub(super) fn grown(&self, files: Vec<GrowingFile>) -> Result<Growing, Error> {
        match &self.growing {
            Some(growing) => growing.with_files(files),
            None => {
                let (event, number, wall) = (self.event.clone(), self.number, self.wall);
                let epoch = Began { event, number, wall }.epoch();
                Growing::open(&self.name, files, &OpenOptions::default().epoch(epoch))
            }
        }
    }

    /// Reports the beginning of a file of which the presentation has the track.
    fn begin_file(&mut self, line: usize) {
        self.files.push(line);
        let Some(file) = self.lines[line].file.clone() else { return };
        // The presentation has its number, whether it serves the track or not.
        self.declare(line);
        let is_served =
            self.growing.as_ref().is_some_and(|growing| growing.track_of_file(file.id).is_some());
        if !is_served {
            return self.refuse_line(line, ErrorKind::NoTrack.into());
        }
        let of = &mut self.lines[line];
        let bytes = of.head.clone();
        if let Some(file) = &mut of.file {
            (file.len, file.forgotten) = (bytes.len() as u64, bytes.len() as u64);
        }
        let LineFile { id, name, .. } = file;
        self.forget_headers(line);
        self.log.push(LiveEvent::Append { file: id, name, offset: 0, bytes, chunk: None });
        let held = self.lines[line].held();
        let held = held.map(|held| (held.time, held.duration, held.bytes.clone()));
        let held = held.map(|(time, duration, bytes)| {
            let file = id;
            LiveEvent::Held { file, time, duration, bytes }
        });
        self.log.extend(held.collect::<Vec<_>>());
    }

    /// Gives a track a bitrate that is known and that no other track of its stream has.
    fn set_bitrate(&mut self, number: usize, first: Option<&Held>) {
        let line = &self.lines[number];
        let said = line.server.bitrate().filter(|&bitrate| bitrate > 0);
        let said = said.or_else(|| bitrate_of(&line.head, line.key.kind));
        let bitrate = said.or_else(|| line.measured(first?)).unwrap_or(1);
        let stream = line.stream;
        // Commands and events have none: their URL is that of bitrate 0.
        let bitrate = match said.is_none() && line.is_data() && self.is_free(stream, number, 0) {
            true => 0,
            false => self.free_bitrate(stream, number, bitrate),
        };
        let label = label(&self.streams[stream].name, bitrate);
        let line = &mut self.lines[number];
        set_attribute(&mut line.server, "systemBitrate", &bitrate.to_string());
        line.label = label;
    }

    /// Adds a fragment to the presentation and to its file, or drops it.
    fn append(&mut self, due: Due, now: Moment) -> bool {
        let (line, time) = (due.line, due.held.time);
        let is_added = self.append_to_file(due, now);
        if !is_added {
            self.log_passed(line, time);
        }
        is_added
    }

    fn append_to_file(&mut self, due: Due, now: Moment) -> bool {
        let Due { line, held, chunk, bytes, lengths } = due;
        let Some(LineFile { id, name, len, .. }) = self.lines[line].file.clone() else {
            return false;
        };
        if self.lines[line].is_refused {
            return false;
        }
        let Some(growing) = &mut self.growing else { return false };
        let (time, duration) = (chunk.time.unsigned_abs(), (chunk.end - chunk.time).unsigned_abs());
        if let Err(error) = growing.add(id, time, duration, len, lengths) {
            self.refuse(Some(held.feed), line, error);
            return false;
        }
        growing.add_messages(id, time, &bytes, lengths);
        let of = &mut self.lines[line];
        if let Some(file) = &mut of.file {
            file.len += bytes.len() as u64;
        }
        of.counts.fragments += 1;
        of.counts.bytes += bytes.len() as u64;
        of.counts.latency = now.since(held.arrived);
        of.counts.published = Some(now.monotonic);
        self.log.push(LiveEvent::Append {
            file: id,
            name,
            offset: len,
            bytes,
            chunk: Some((time, duration)),
        });
        true
    }

    /// Drops the chunks that have left the window.
    pub(super) fn forget(&mut self, now: Moment) {
        let begin = self.window_begin(now).and_then(|begin| u64::try_from(begin).ok());
        let Some(begin) = begin else { return };
        let Some(growing) = &mut self.growing else { return };
        for (file, before) in growing.drop_before(begin) {
            let line = file.index().checked_sub(1).and_then(|at| self.files.get(at));
            let line = line.and_then(|&line| self.lines.get_mut(line));
            let Some(of) = line.and_then(|line| line.file.as_mut()) else { continue };
            if of.forgotten < before {
                of.forgotten = before;
                self.log.push(LiveEvent::Forget { file, before });
            }
        }
    }

    /// Makes a snapshot. Without a fragment there is none, and what was shown before the event stays.
    pub(super) fn show(&mut self, is_live: bool, now: Moment) {
        let is_empty = self.lines.iter().all(|line| line.counts.fragments == 0);
        if is_empty || self.growing.is_none() {
            return;
        }
        self.published += 1;
        let live = Live {
            look_ahead: self.options.look_ahead,
            window: self.options.shown(),
            epoch: self.epoch.map_or(0, |epoch| epoch.wall_of_zero()),
            published: now.wall,
            clock: self.clock(now),
        };
        let Some(growing) = &mut self.growing else { return };
        let snapshot = growing.snapshot(is_live.then_some(live), self.published);
        self.snapshot = Some(Arc::new(snapshot));
        self.log.push(LiveEvent::Published { number: self.published });
    }

    /// The presentation cannot have the track.
    fn refuse_line(&mut self, line: usize, error: Error) {
        self.lines[line].is_refused = true;
        let findings = self.growing.as_ref().map(Growing::findings).unwrap_or_default();
        let error = match (&error.kind, findings.first()) {
            (ErrorKind::NoTrack, Some(finding)) => {
                let what = finding.to_string();
                ErrorKind::Invalid { what, clause: "[MS-SSTR] 2.2.4" }.into()
            }
            _ => error,
        };
        self.refuse(None, line, error);
    }

    pub(in crate::live) fn refuse(&mut self, feed: Option<usize>, line: usize, error: Error) {
        let of = &mut self.lines[line];
        of.counts.dropped += 1;
        let count = of.counts.dropped;
        if count.is_power_of_two() {
            self.notice(feed, Some(line), NoticeKind::Refused { error, count });
        }
    }
}
