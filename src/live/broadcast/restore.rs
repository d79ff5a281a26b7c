//! An event goes on that another process has begun.

use std::sync::Arc;

use bytes::Bytes;

use super::register::label;
use super::{Broadcast, LiveStream};
use crate::base::{Error, ErrorKind, FileId, Name, Timescale};
use crate::bmff::uuid::Tfxd;
use crate::fragment::{Parsed, Stored};
use crate::live::clock::{Epoch, smooth_ticks};
use crate::live::feed::Feed;
use crate::live::held::{Held, hash_of_samples};
use crate::live::journal::{Restored, RestoredFile};
use crate::live::line::{Line, LineFile};
use crate::live::schedule::{Chunk, Schedule};
use crate::live::track_key::TrackKey;
use crate::live::{LiveEvent, Moment, PointOptions, PushId};
use crate::manifest::StreamKind;
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
            this.restore_line(FileId::new(number), file)?;
            files.push(GrowingFile { name, server, head, first: first.ok_or_else(contradicts)? });
        }
        if files.is_empty() {
            return Ok(this);
        }
        let mut growing = this.grown(files)?;
        for placed in &restored.published {
            let Some(line) = (placed.file as usize).checked_sub(1) else { continue };
            let (Some(of), Ok(time)) = (this.lines.get_mut(line), i64::try_from(placed.time))
            else {
                continue;
            };
            let id = FileId::new(placed.file);
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
        this.growing = Some(growing);
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
        if !restored.published.is_empty() {
            this.is_started = true;
            this.forget();
            this.show(true, now);
        }
        Ok(this)
    }

    fn restore_line(&mut self, id: FileId, file: &RestoredFile) -> Result<(), Error> {
        let (key, codec, timescale) = read_key(&file.key).ok_or_else(contradicts)?;
        let of_same = |stream: &LiveStream| {
            stream.lines.iter().any(|&line| self.lines[line].key.is_of_same_stream(&key))
        };
        let stream = self.streams.iter().position(of_same).unwrap_or_else(|| {
            let is_sparse = key.kind == StreamKind::Text;
            self.streams.push(LiveStream {
                kind: key.kind,
                name: file.track.name().into(),
                timescale,
                schedule: Schedule::new(is_sparse),
                lines: Vec::new(),
                is_sparse,
                parent: file.track.value("parentTrackName").map(str::to_lowercase),
            });
            self.streams.len() - 1
        });
        let at = self.lines.len();
        let mut line = Line::new(key, stream, file.track.clone(), file.head.clone());
        (line.codec, line.timescale) = (codec, timescale);
        line.label = label(&self.streams[stream].name, file.track.bitrate().unwrap_or(0));
        let head = file.head.len() as u64;
        let (name, len) = (file.name.clone(), file.len.max(head));
        line.file = Some(LineFile { id, name, len, forgotten: head });
        self.lines.push(line);
        self.streams[stream].lines.push(at);
        self.files.push(at);
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
        let key = of.key.write().map(|key| format!("{}\n{:x}\n{key}", of.timescale, of.codec));
        let (head, key) = (of.head.clone(), Arc::from(key.unwrap_or_default()));
        self.log.push(LiveEvent::File { file: id, name, track, head, key });
    }
}

fn read_key(text: &str) -> Option<(TrackKey, u128, Timescale)> {
    let mut parts = text.splitn(3, '\n');
    let timescale = Timescale::new(parts.next()?.parse().ok()?)?;
    let codec = u128::from_str_radix(parts.next()?, 16).ok()?;
    Some((TrackKey::read(parts.next()?)?, codec, timescale))
}

fn contradicts() -> Error {
    let what = "a journal whose tracks cannot go on".to_owned();
    ErrorKind::Invalid { what, clause: "the format of journals" }.into()
}
