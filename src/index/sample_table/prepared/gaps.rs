//! Bytes between the samples of a chunk that are not of its track.

use super::bits::{BitReader, BitWriter};
use super::rice;

/// How the gaps of a chunk are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gaps {
    /// There are none.
    None,
    /// They are at least `least` bytes, and what they are more has this Rice parameter.
    Forward { least: u64, k: u32 },
    /// Some are before the sample that comes before them, or very large: as they are.
    Any,
}

impl Gaps {
    /// Chooses the form for these gaps, of which each is the place of a sample less the end of the
    /// sample before it.
    pub(super) fn of(gaps: impl Iterator<Item = i64> + Clone) -> Self {
        let present = gaps.filter(|&gap| gap != 0);
        let Some(least) = present.clone().min() else { return Self::None };
        let most = present.clone().max().unwrap_or(least);
        if least < 0 || u32::try_from(most - least).is_err() {
            return Self::Any;
        }
        let (sum, count) = present
            .fold((0, 0), |(sum, count), gap| (sum + (gap - least).unsigned_abs(), count + 1));
        Self::Forward { least: least.unsigned_abs(), k: rice::parameter(sum, count) }
    }

    pub(super) fn put_head(self, writer: &mut BitWriter) {
        match self {
            Self::None => writer.put(0, 1),
            Self::Any => writer.put(0b01, 2),
            Self::Forward { least, k } => {
                writer.put(0b11, 2);
                writer.put_wide(least);
                writer.put(k.into(), 5);
            }
        }
    }

    pub(super) fn take_head(reader: &mut BitReader<'_>) -> Self {
        if reader.take(1) == 0 {
            return Self::None;
        }
        if reader.take(1) == 0 {
            return Self::Any;
        }
        Self::Forward { least: reader.take_wide(), k: reader.take(5) as u32 }
    }

    #[inline]
    pub(super) fn put(self, writer: &mut BitWriter, gap: i64) {
        match self {
            Self::None => {}
            _ if gap == 0 => writer.put(0, 1),
            Self::Any => {
                writer.put(1, 1);
                writer.put_wide(gap as u64);
            }
            Self::Forward { least, k } => {
                writer.put(1, 1);
                rice::put(writer, (gap.unsigned_abs() - least) as u32, k);
            }
        }
    }

    #[inline]
    pub(super) fn take(self, reader: &mut BitReader<'_>) -> i64 {
        match self {
            Self::None => 0,
            _ if reader.take(1) == 0 => 0,
            Self::Any => reader.take_wide() as i64,
            Self::Forward { least, k } => (least + u64::from(rice::take(reader, k))) as i64,
        }
    }
}
