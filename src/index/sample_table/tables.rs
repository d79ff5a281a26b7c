//! The tables of one track, compared with one another.

use std::cmp::Ordering;

use bytes::Bytes;

use super::chunks::Offsets;
use super::runs::{Counts, Runs};
use super::sizes::Sizes;
use super::whereabouts::first;
use super::{MAX_SAMPLES, Oddity, OddityKind};
use crate::base::{Error, ErrorKind, FourCc, Limits};
use crate::bmff::{AnyBox, Boxes, Co64, Ctts, Sdtp, Stco, Stsc, Stss, Stts, Typed};

/// The sample tables of one track. Their counts agree, or one of them is said to be odd; only the
/// places of samples are not compared with the file before `samples` walks them.
///
/// They share the bytes of the `moov`.
#[derive(Clone, Debug)]
pub struct Tables {
    pub(super) track_id: u32,
    pub(super) count: u32,
    /// The part of the track in front of them, if they are a part of its tables.
    pub(super) before: Before,
    /// Sum of all durations.
    pub(super) ticks: u64,
    /// No duration is longer, and no composition offset is farther from 0.
    pub(super) longest: u32,
    pub(super) farthest: u32,
    pub(super) file_len: u64,
    pub(super) durations: Bytes,
    pub(super) offsets: Bytes,
    /// The runs of `offsets`, counted. A part of a track has none.
    pub(super) offset_counts: Counts,
    pub(super) sizes: Sizes,
    pub(super) stsc: Stsc,
    pub(super) chunks: Offsets,
    /// Numbers of the sync samples; `None` if all are.
    pub(super) syncs: Option<Bytes>,
    /// One byte a sample.
    pub(super) dependencies: Option<Bytes>,
    /// Entry of `stsd`, from 1.
    pub(super) description: u32,
    /// Offset of the first entry of `stco` or `co64` in the file.
    pub(super) chunks_at: u64,
    /// Offset of `stts`, and of `stss`.
    pub(super) durations_at: u64,
    pub(super) syncs_at: u64,
    /// Offset of the first entry of each table.
    pub(super) entries_at: EntriesAt,
    pub(super) oddities: Vec<Oddity>,
}

/// Samples before those of a part of a track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    pub(super) samples: u32,
    pub(super) ticks: u64,
}

/// Offsets of the first entries of tables in the file; 0 for one that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EntriesAt {
    pub(super) durations: u64,
    pub(super) offsets: u64,
    pub(super) sizes: u64,
    pub(super) stsc: u64,
    pub(super) chunks: u64,
    pub(super) syncs: u64,
    pub(super) dependencies: u64,
}

/// Bytes of version and flags; with a count; with a size of all samples, too.
const FULL_BOX: u64 = 4;
const COUNT: u64 = 8;
const SIZES: u64 = 12;

const DURATIONS: &str = "ISO/IEC 14496-12, 8.6.1.2";
const CHUNKS: &str = "ISO/IEC 14496-12, 8.7.4";
const SYNCS: &str = "ISO/IEC 14496-12, 8.6.2";

impl Tables {
    /// Reads the tables in a `stbl` whose first box begins at byte `at` of a file of `file_len`
    /// bytes.
    ///
    /// # Errors
    /// Errors if a table is missing or cannot be read, if tables disagree and no reading of them is
    /// harmless, if a duration is more than 31 bits, if the samples are of several codings, and
    /// beyond [`MAX_SAMPLES`].
    pub fn read(
        stbl: &Boxes,
        at: u64,
        track_id: u32,
        file_len: u64,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let in_stbl = Stbl { boxes: stbl, at, limits };
        let (sizes, sizes_at) = in_stbl.sizes()?;
        let count = sizes.count();
        Limits::check("samples of a track", count.into(), MAX_SAMPLES)
            .map_err(|kind| Error::at(sizes_at, kind))?;
        let (stts, durations_at) = in_stbl.need::<Stts>("`stts`", DURATIONS)?;
        let ctts = in_stbl.get::<Ctts>()?;
        let (stsc, stsc_at) = in_stbl.need::<Stsc>("`stsc`", CHUNKS)?;
        let (chunks, chunks_at) = in_stbl.chunks()?;
        let stss = in_stbl.get::<Stss>()?;
        let sdtp = in_stbl.get::<Sdtp>()?;
        let mut tables = Self {
            track_id,
            count,
            before: Before::default(),
            ticks: 0,
            longest: 0,
            farthest: 0,
            file_len,
            durations: stts.entries.clone(),
            offsets: ctts.map(|(ctts, _)| ctts.entries.clone()).unwrap_or_default(),
            offset_counts: Counts::default(),
            sizes,
            stsc: stsc.clone(),
            chunks,
            syncs: stss.map(|(stss, _)| stss.entries.clone()),
            dependencies: sdtp.map(|(sdtp, _)| sdtp.samples.clone()),
            description: 1,
            chunks_at,
            durations_at,
            syncs_at: stss.map_or(0, |(_, at)| at),
            entries_at: EntriesAt {
                durations: in_stbl.entries_at(*b"stts", COUNT),
                offsets: in_stbl.entries_at(*b"ctts", COUNT),
                sizes: match in_stbl.entries_at(*b"stsz", SIZES) {
                    0 => in_stbl.entries_at(*b"stz2", SIZES),
                    at => at,
                },
                stsc: in_stbl.entries_at(*b"stsc", COUNT),
                chunks: chunks_at,
                syncs: in_stbl.entries_at(*b"stss", COUNT),
                dependencies: in_stbl.entries_at(*b"sdtp", FULL_BOX),
            },
            oddities: Vec::new(),
        };
        tables.check_durations()?;
        if let Some((_, at)) = ctts {
            tables.check_offsets(at);
        }
        tables.check_chunks(stsc_at)?;
        tables.check_syncs()?;
        if let Some((_, at)) = sdtp
            && tables.dependencies.as_ref().is_some_and(|bytes| bytes.len() != count as usize)
        {
            tables.dependencies = None;
            tables.note(OddityKind::OtherDependencies, 1, at);
        }
        Ok(tables)
    }

    /// Number of samples.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Sum of the durations of all samples, in ticks of the track.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Entry of `stsd` by which all samples are coded, from 1.
    pub fn description(&self) -> u32 {
        self.description
    }

    /// Bytes of the file.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// The longest duration of a sample, in ticks of the track.
    pub fn longest_duration(&self) -> u32 {
        self.longest
    }

    /// Ticks of the track from which no composition offset is farther away, in either direction.
    pub fn farthest_offset(&self) -> u32 {
        self.farthest
    }

    /// Returns whether `sdtp` says of a sample that it is leading.
    pub fn has_leading_samples(&self) -> bool {
        let bytes = self.dependencies.as_deref().unwrap_or_default();
        bytes.iter().fold(0, |all, byte| all | byte) >> 6 != 0
    }

    /// Contradictions that have one harmless reading, which was taken.
    pub fn oddities(&self) -> &[Oddity] {
        &self.oddities
    }

    fn note(&mut self, kind: OddityKind, sample: u32, offset: u64) {
        self.oddities.push(Oddity { kind, track_id: self.track_id, sample, offset });
    }

    /// An error of a sample by its number.
    pub(super) fn invalid(
        &self,
        sample: u32,
        offset: u64,
        what: impl std::fmt::Display,
        clause: &'static str,
    ) -> Error {
        let sample = self.before.samples.saturating_add(sample);
        let what = format!("sample {sample} of track {}: {what}", self.track_id);
        Error::at(offset, ErrorKind::Invalid { what, clause })
    }

    fn check_durations(&mut self) -> Result<(), Error> {
        let entries = self.durations.clone();
        let mut runs = Runs::new(&entries);
        let (mut samples, mut ticks, mut without, mut longest) = (0_u32, 0_u64, None, 0);
        while samples < self.count {
            let Some((count, duration)) = runs.take(self.count - samples) else {
                let what = "`stts` ends before it";
                return Err(self.invalid(samples + 1, self.durations_at, what, DURATIONS));
            };
            if i32::try_from(duration).is_err() {
                let what = format!("a duration of {duration} ticks, or of less than 0");
                return Err(self.invalid(samples + 1, self.durations_at, what, DURATIONS));
            }
            // The last sample of a track may have none.
            let is_last = samples + 1 == self.count;
            if duration == 0 && !is_last {
                without = without.or(Some(samples + 1));
            }
            samples += count;
            // At most 2^24 samples of less than 2^31 ticks.
            ticks += u64::from(count) * u64::from(duration);
            longest = longest.max(duration);
        }
        (self.ticks, self.longest) = (ticks, longest);
        if let Some(sample) = without {
            self.note(OddityKind::NoDuration, sample, self.durations_at);
        }
        if runs.take(1).is_some() {
            self.note(OddityKind::MoreDurations, self.count + 1, self.durations_at);
        }
        Ok(())
    }

    fn check_offsets(&mut self, at: u64) {
        self.offset_counts = Counts::of(&self.offsets);
        self.farthest = self.offset_counts.farthest;
        let samples = self.offset_counts.samples;
        match samples.cmp(&self.count.into()) {
            Ordering::Equal => {}
            // Less than the count, which has 32 bits.
            Ordering::Less => self.note(OddityKind::FewerOffsets, samples as u32 + 1, at),
            Ordering::Greater => self.note(OddityKind::MoreOffsets, self.count + 1, at),
        }
    }

    fn check_chunks(&mut self, at: u64) -> Result<(), Error> {
        let chunks = u64::from(self.chunks.count());
        let (mut samples, mut description) = (0_u64, None);
        let stsc = self.stsc.clone();
        let mut runs = stsc.runs().enumerate().peekable();
        let mut last = 0;
        while let Some((number, run)) = runs.next() {
            let first = u64::from(run.first_chunk);
            let sample = u32::try_from(samples + 1).unwrap_or(u32::MAX);
            let problem = |what: String| {
                let what = format!("entry {} of `stsc` {what}", number + 1);
                Err(self.invalid(sample, at, what, CHUNKS))
            };
            if number == 0 && first != 1 {
                return problem(format!("begins with chunk {first}, where 1 has to be"));
            }
            if number > 0 && first <= last {
                return problem(format!("begins with chunk {first}, after chunk {last}"));
            }
            last = first;
            // What has no samples changes nothing.
            if samples >= self.count.into() || first > chunks {
                continue;
            }
            if run.samples_per_chunk == 0 {
                return problem("has chunks without samples".into());
            }
            let coding = run.sample_description_index;
            if *description.get_or_insert(coding) != coding {
                return problem(format!(
                    "changes the sample description to {coding}: the track is of several codings"
                ));
            }
            let end = runs.peek().map_or(chunks + 1, |(_, next)| u64::from(next.first_chunk));
            let end = end.min(chunks + 1);
            samples += end.saturating_sub(first) * u64::from(run.samples_per_chunk);
        }
        let count = u64::from(self.count);
        if samples < count {
            // Less than the count, which has 32 bits.
            let what = "`stsc` and the chunk offsets have no place for it";
            return Err(self.invalid(samples as u32 + 1, at, what, CHUNKS));
        }
        self.description = description.unwrap_or(1);
        if samples > count {
            self.note(OddityKind::MoreChunks, self.count.saturating_add(1), at);
        }
        Ok(())
    }

    fn check_syncs(&mut self) -> Result<(), Error> {
        let Some(syncs) = self.syncs.clone() else { return Ok(()) };
        let mut last = 0;
        for (index, entry) in syncs.chunks_exact(Stss::ENTRY).enumerate() {
            let number = entry.first_chunk().map_or(0, |word| u32::from_be_bytes(*word));
            if number <= last {
                let what = format!("entry {} of `stss` is not after sample {last}", index + 1);
                return Err(self.invalid(number, self.syncs_at, what, SYNCS));
            }
            if index == 0 && number > 1 {
                self.note(OddityKind::NoSyncAtStart, 1, self.syncs_at);
            }
            if number > self.count {
                self.syncs = Some(syncs.slice(..index * Stss::ENTRY));
                self.note(OddityKind::SyncBeyondEnd, number, self.syncs_at);
                break;
            }
            last = number;
        }
        Ok(())
    }
}

/// The boxes of a `stbl`, and where they begin.
struct Stbl<'a> {
    boxes: &'a Boxes,
    at: u64,
    limits: &'a Limits,
}

impl<'a> Stbl<'a> {
    /// The first box of a type, with the offset of its first byte.
    fn get<T: Typed>(&self) -> Result<Option<(&'a T, u64)>, Error> {
        let Some((item, offset)) = first(self.boxes, self.at, T::HEADER.kind.0) else {
            return Ok(None);
        };
        match T::of(&item.body) {
            Some(content) => Ok(Some((content, offset))),
            None => Err(self.unread(item, offset)),
        }
    }

    fn need<T: Typed>(
        &self,
        what: &'static str,
        clause: &'static str,
    ) -> Result<(&'a T, u64), Error> {
        let missing = || Error::at(self.at, ErrorKind::Missing { what, clause });
        self.get()?.ok_or_else(missing)
    }

    /// The error of a box that was kept as bytes because its fields could not be read.
    fn unread(&self, item: &AnyBox, offset: u64) -> Error {
        let alone = Boxes::from_iter([item.clone()]);
        alone.unread_error(offset, self.limits).unwrap_or_else(|| {
            let what = format!("the box `{}` cannot be read", item.header.kind);
            Error::at(offset, ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.5.1" })
        })
    }

    fn sizes(&self) -> Result<(Sizes, u64), Error> {
        for kind in [*b"stsz", *b"stz2"] {
            let Some((item, offset)) = first(self.boxes, self.at, kind) else { continue };
            return match &item.body {
                crate::bmff::Body::Other(_) => Err(self.unread(item, offset)),
                _ => Ok((Sizes::read(item, offset)?, offset)),
            };
        }
        let clause = "ISO/IEC 14496-12, 8.7.3";
        Err(Error::at(self.at, ErrorKind::Missing { what: "`stsz` and no `stz2`", clause }))
    }

    /// Offset of the first entry of a table that has so many bytes of fields before it; 0 without the
    /// table.
    fn entries_at(&self, kind: [u8; 4], fields: u64) -> u64 {
        let table = first(self.boxes, self.at, kind);
        table.map_or(0, |(item, offset)| offset + item.header_len() + fields)
    }

    /// The chunk offsets, and the offset of the first of them.
    fn chunks(&self) -> Result<(Offsets, u64), Error> {
        if let Some((stco, _)) = self.get::<Stco>()? {
            let at = self.entries_at(*b"stco", COUNT);
            return Ok((Offsets::Short(stco.entries.clone()), at));
        }
        if let Some((co64, _)) = self.get::<Co64>()? {
            let at = self.entries_at(*b"co64", COUNT);
            return Ok((Offsets::Long(co64.entries.clone()), at));
        }
        let clause = "ISO/IEC 14496-12, 8.7.5";
        Err(Error::at(self.at, ErrorKind::Missing { what: "`stco` and no `co64`", clause }))
    }
}

/// The boxes around the tables, innermost first.
pub(super) const AROUND: [FourCc; 4] =
    [FourCc(*b"stbl"), FourCc(*b"minf"), FourCc(*b"mdia"), FourCc(*b"trak")];
