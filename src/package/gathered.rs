//! The samples of a track that were found in fragments, in the form of the tables that a progressive
//! file has of them.

use bytes::Bytes;

use super::stretch::Stretch;
use crate::base::{Error, ErrorKind, Limits};
use crate::bmff::{AnyBox, Boxes, Co64, Ctts, FullBox, Sdtp, Stsc, Stss, Stsz, Stts};
use crate::index::sample_table::{MAX_SAMPLES, Sample, Tables};

/// Samples that are gathered. They take about as many bytes as in a `moov`.
#[derive(Default)]
pub(super) struct Gathered {
    count: u32,
    sizes: Vec<u8>,
    durations: Runs,
    offsets: Runs,
    stsc: Vec<u8>,
    chunks: Vec<u8>,
    /// Samples of the last chunk, and of each chunk before it.
    of_chunk: (u32, u32),
    /// End of the last sample in the file.
    position: u64,
    syncs: Vec<u8>,
    dependencies: Vec<u8>,
    /// Duration of the last sample, which the next fragment may change.
    last: u32,
    /// Sum of all durations.
    ticks: i64,
    stretches: Vec<Stretch>,
    /// Indexes of the first samples of fragments.
    starts: Vec<u32>,
}

/// The samples of a track in tables.
pub(super) struct InTables {
    pub(super) tables: Tables,
    pub(super) stretches: Vec<Stretch>,
    /// Indexes of the first samples of fragments, if all samples can be decoded on their own.
    pub(super) starts: Vec<u32>,
}

/// Values of samples, equal ones counted.
#[derive(Default)]
struct Runs {
    entries: Vec<u8>,
    count: u32,
    value: u32,
    is_ever_other_than_0: bool,
}

/// Times are less than this, so that sums fit.
const LARGEST: u64 = 1 << 61;

const TIMES: &str = "ISO/IEC 14496-12, 8.8.12";

impl Gathered {
    /// Number of samples.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Begins a fragment, whose first sample is decoded at `time` if that is known, and may begin a
    /// chunk if it `is_sync`.
    ///
    /// A gap in front of a sync sample begins a stretch. Before others, and if it is so short that
    /// rounding explains it, the last sample lasts longer; where fragments overlap, it is shorter.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the time is before that of the last sample.
    pub(super) fn begin(&mut self, time: Option<i64>, is_sync: bool) -> Result<(), ErrorKind> {
        self.starts.push(self.count);
        let Some(time) = time else { return Ok(()) };
        if time.unsigned_abs() >= LARGEST {
            let what = format!("a fragment that starts at {time}: more than 61 bits");
            return Err(ErrorKind::Invalid { what, clause: TIMES });
        }
        let Some(stretch) = self.stretches.last() else {
            self.stretches.push(Stretch { first: 0, shift: time });
            return Ok(());
        };
        let later = time - (stretch.shift + self.ticks);
        if is_sync && later > i64::from(self.last / 2) && later > 1 {
            self.stretches.push(Stretch { first: self.count, shift: stretch.shift + later });
            return Ok(());
        }
        let last = i64::from(self.last) + later;
        let fits = u32::try_from(last).ok().filter(|last| *last <= i32::MAX as u32);
        self.last = fits.ok_or_else(|| {
            let what = match later > 0 {
                true => format!(
                    "a gap of {later} ticks before the time {time}, and no key frame behind it"
                ),
                false => format!(
                    "a fragment that starts at {time}, before the last sample of the fragment in \
                     front of it"
                ),
            };
            ErrorKind::Invalid { what, clause: TIMES }
        })?;
        self.ticks += later;
        Ok(())
    }

    /// Adds the next sample. Its number and decode time do not matter.
    pub(super) fn push(&mut self, sample: &Sample) -> Result<(), ErrorKind> {
        Limits::check("samples of a track", u64::from(self.count) + 1, MAX_SAMPLES)?;
        if i32::try_from(sample.duration).is_err() {
            let what = format!("a sample of {} ticks, or of less than 0", sample.duration);
            return Err(ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.8" });
        }
        if self.stretches.is_empty() {
            self.stretches.push(Stretch::WHOLE);
        }
        if self.count > 0 {
            self.durations.push(self.last);
        }
        self.last = sample.duration;
        self.ticks += i64::from(sample.duration);
        self.sizes.extend(sample.size.to_be_bytes());
        self.offsets.push(sample.composition_offset as u32);
        // A sample without bytes is anywhere.
        let is_behind = sample.offset == self.position || sample.size == 0;
        if self.count == 0 || !is_behind {
            self.end_chunk();
            self.chunks.extend(sample.offset.to_be_bytes());
            self.position = sample.offset;
        }
        self.of_chunk.0 += 1;
        self.position = self.position.saturating_add(sample.size.into());
        self.count += 1;
        if sample.is_sync {
            self.syncs.extend(self.count.to_be_bytes());
        }
        self.dependencies.push(sample.dependencies.unwrap_or(0));
        Ok(())
    }

    fn end_chunk(&mut self) {
        let (samples, before) = self.of_chunk;
        if samples > 0 && samples != before {
            // There are no more chunks than samples.
            let number = (self.chunks.len() / Co64::ENTRY) as u32;
            for word in [number, samples, 1] {
                self.stsc.extend(word.to_be_bytes());
            }
        }
        self.of_chunk = (0, if samples > 0 { samples } else { before });
    }

    /// Returns the tables of a file of so many bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Missing`] without a sync sample.
    pub(super) fn finish(
        mut self,
        track_id: u32,
        file_len: u64,
        limits: &Limits,
    ) -> Result<InTables, Error> {
        self.end_chunk();
        self.durations.push(self.last);
        let full = FullBox::default();
        let mut sizes = AnyBox::new(Stsz { full, sample_size: 0, sample_count: self.count });
        sizes.rest = self.sizes.into();
        let mut boxes = vec![
            AnyBox::new(Stts { full, entries: self.durations.finish() }),
            AnyBox::new(Stsc { full, entries: self.stsc.into() }),
            AnyBox::new(Co64 { full, entries: self.chunks.into() }),
            sizes,
        ];
        if self.offsets.is_ever_other_than_0 {
            let entries = self.offsets.finish();
            boxes.push(AnyBox::new(Ctts { full: FullBox { version: 1, flags: 0 }, entries }));
        }
        if self.syncs.is_empty() {
            let (what, clause) = ("key frame in the track", "ISO/IEC 14496-12, 8.8.3");
            return Err(ErrorKind::Missing { what, clause }.into());
        }
        let are_all_sync = self.syncs.len() == Stss::ENTRY * self.count as usize;
        if !are_all_sync {
            boxes.push(AnyBox::new(Stss { full, entries: self.syncs.into() }));
            self.starts.clear();
        }
        if self.dependencies.iter().any(|&byte| byte != 0) {
            boxes.push(AnyBox::new(Sdtp { full, samples: self.dependencies.into() }));
        }
        // These boxes are in no file: offsets in errors would be of none.
        let tables = Tables::read(&Boxes::from_iter(boxes), 0, track_id, file_len, limits)
            .map_err(|error| error.kind)?;
        Ok(InTables { tables, stretches: self.stretches, starts: self.starts })
    }
}

impl Runs {
    fn push(&mut self, value: u32) {
        if self.count > 0 && self.value == value {
            self.count += 1;
            return;
        }
        self.write();
        (self.count, self.value) = (1, value);
        self.is_ever_other_than_0 |= value != 0;
    }

    fn write(&mut self) {
        if self.count > 0 {
            self.entries.extend(self.count.to_be_bytes());
            self.entries.extend(self.value.to_be_bytes());
        }
    }

    fn finish(mut self) -> Bytes {
        self.write();
        self.entries.into()
    }
}
