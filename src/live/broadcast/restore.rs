//! An event goes on that another process has begun.

use bytes::Bytes;

use super::register::label;
use super::{Broadcast, LiveStream};
use crate::base::{Error, ErrorKind, FileId, Name};
use crate::bmff::uuid::Tfxd;
use crate::fragment::{Parsed, Stored};
use crate::live::clock::{Epoch, smooth_ticks};
use crate::live::feed::Feed;
use crate::live::held::{Held, hash_of_samples};
use crate::live::journal::{Restored, RestoredEarly, RestoredFile};
use crate::live::line::{Line, LineFile};
use crate::live::schedule::{Chunk, Schedule};
use crate::live::{LiveEvent, Moment, PointOptions, PushId};
use crate::manifest::{ServerTrack, StreamKind};
use crate::presentation::growing::GrowingFile;

/// The feed of what was taken before the process began.
const FEED: usize = 0;

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
        let mut this = Self::new(name, options, restored.event, restored.number, 0);
        this.log.clear();
        this.began = Some(now.monotonic);
        let media = |epoch| smooth_ticks(now.wall).saturating_sub(epoch);
        this.epoch = restored.epoch.map(|epoch| Epoch::new(now, media(epoch)));
        this.feeds.push(Feed::new("", "before the restart"));
        let mut files = Vec::new();
        for (number, file) in (1..).zip(&restored.files) {
            let held = file.held.first().map(|(_, bytes)| bytes);
            let first = file.first.as_ref().or(held).cloned();
            let (name, server) = (file.name.clone(), file.track.clone());
            let head = file.head.clone();
            this.restore_file(FileId::new(number), file)?;
            files.push(GrowingFile { name, server, head, first: first.ok_or_else(contradicts)? });
        }
        if !files.is_empty() {
            this.growing = Some(this.grown(files)?);
        }
        for placed in &restored.published {
            let Some(line) = (placed.file as usize).checked_sub(1) else { continue };
            let (Some(of), Ok(time)) = (this.lines.get_mut(line), i64::try_from(placed.time))
            else {
                continue;
            };
            let (Some(growing), id) = (&mut this.growing, FileId::new(placed.file)) else {
                continue;
            };
            if growing.track_of_file(id).is_none() {
                of.is_refused = true;
                continue;
            }
            growing.add(id, placed.time, placed.duration, placed.start, placed.lengths)?;
            let end = time.saturating_add_unsigned(placed.duration);
            of.restore(time, end, FEED);
            of.counts.fragments += 1;
            of.counts.bytes += placed.lengths.len;
            let stream = of.stream;
            this.streams[stream].schedule.restore(Chunk { time, end });
        }
        for (line, file) in restored.files.into_iter().enumerate() {
            if file.len == 0 && !this.lines[line].is_refused {
                let (file, name) = (FileId::new(line as u32 + 1), file.name);
                let bytes = this.lines[line].head.clone();
                this.log.push(LiveEvent::Append { file, name, offset: 0, bytes, chunk: None });
            }
            for (time, bytes) in file.held {
                this.restore_held(line, time, bytes, now);
            }
        }
        for early in restored.early {
            this.restore_early(early, now)?;
        }
        if !restored.published.is_empty() {
            this.is_started = true;
            this.forget();
            this.show(true, now);
        }
        Ok(this)
    }

    /// Adds a track. Returns its number.
    fn restore_line(
        &mut self,
        identity: &str,
        track: &ServerTrack,
        head: &Bytes,
    ) -> Result<usize, Error> {
        let read = Line::read_identity(identity);
        let (key, timescale, codec) = read.ok_or_else(contradicts)?;
        let of_same = |stream: &LiveStream| {
            stream.lines.iter().any(|&line| self.lines[line].key.is_of_same_stream(&key))
        };
        let stream = self.streams.iter().position(of_same).unwrap_or_else(|| {
            let is_sparse = key.kind == StreamKind::Text;
            self.streams.push(LiveStream {
                kind: key.kind,
                name: track.name().into(),
                timescale,
                schedule: Schedule::new(is_sparse),
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
        let (key, ..) = Line::read_identity(&early.key).ok_or_else(contradicts)?;
        let line = match self.lines.iter().position(|line| line.key == key) {
            Some(line) => line,
            None => self.restore_line(&early.key, &early.track, &early.head)?,
        };
        self.restore_held(line, early.time, early.bytes, now);
        Ok(())
    }

    /// Takes a fragment that was held.
    fn restore_held(&mut self, line: usize, time: i64, bytes: Bytes, now: Moment) {
        let parsed = Stored::parse(&bytes, 0, bytes.len() as u64, &self.limits);
        let Ok(Parsed::Whole(stored)) = parsed else { return };
        let Some(tfxd) = stored.traf.get::<Tfxd>() else { return };
        let held = Held {
            time,
            duration: i64::try_from(tfxd.duration).unwrap_or(0),
            is_moved: i64::try_from(tfxd.time) != Ok(time),
            feed: FEED,
            push: PushId(0),
            hash: hash_of_samples(&bytes, stored.lengths().moof),
            arrived: now.monotonic,
            bytes,
        };
        if self.lines[line].has_room() && self.hold(line, &held) {
            self.lines[line].wait(held);
        }
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

fn contradicts() -> Error {
    let what = "a journal whose tracks cannot go on".to_owned();
    ErrorKind::Invalid { what, clause: "the format of journals" }.into()
}
