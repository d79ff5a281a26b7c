//! The flags of the samples.

use crate::bmff::{Sdtp, Trun};
use crate::fragment::Stored;
use crate::fragment::samples::{Defaults, Sample};
use crate::manifest::StreamKind;

/// The flags of a fragment's samples.
///
/// Expression Encoder writes flags into the wrong bits, so that every picture looks like a key
/// frame. Therefore `sdtp` takes precedence, and stored flags count only if one of them says
/// anything about dependencies. If neither does, the first picture is the only key frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags<'a> {
    source: Source<'a>,
    /// Flags of a sample that the source says nothing about.
    others: u32,
    pub(super) form: Form,
}

/// The source of the flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source<'a> {
    Stored,
    Sdtp(&'a [u8]),
    First,
}

/// The form in which flags are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are stored.
    Stored,
    /// One value for the first sample, and one for all others.
    FirstAndOthers(u32, u32),
    /// One value per sample.
    Each,
}

/// A sample that can be decoded on its own.
const SYNC: u32 = 0x0200_0000;

/// A sample that depends on others.
const NON_SYNC: u32 = 0x0101_0000;

/// The bit of a sample that is not a sync sample.
const NON_SYNC_BIT: u32 = 0x1_0000;

impl<'a> Flags<'a> {
    /// Finds the flags of the `total` samples of a fragment.
    pub(super) fn of(stored: &'a Stored, kind: StreamKind, defaults: Defaults, total: u64) -> Self {
        let others = if kind == StreamKind::Video { NON_SYNC } else { SYNC };
        if let Some(sdtp) = sdtp(stored, total) {
            let flags = Self { source: Source::Sdtp(sdtp), others, form: Form::Each };
            return Self { form: flags.form_by_sdtp(sdtp, total), ..flags };
        }
        let has_dependency = |trun| any_flags(trun, defaults, Sample::has_dependency);
        if stored.traf.all::<Trun>().any(has_dependency) {
            return Self { source: Source::Stored, others, form: Form::Stored };
        }
        Self { source: Source::First, others, form: Form::FirstAndOthers(SYNC, others) }
    }

    /// Returns the flags of sample `index`, which are stored as `stored`.
    pub(super) fn of_sample(&self, index: u64, stored: u32) -> u32 {
        match self.source {
            Source::Stored => stored,
            Source::First if index == 0 => SYNC,
            Source::First => self.others,
            Source::Sdtp(bytes) => {
                let byte = usize::try_from(index).ok().and_then(|index| bytes.get(index));
                byte.map_or(self.others, |&byte| self.of_byte(byte))
            }
        }
    }

    /// Returns the flags that a byte of `sdtp` stands for: its bits, and the sync bit.
    fn of_byte(&self, byte: u8) -> u32 {
        let is_sync = Sdtp::is_independent(byte).unwrap_or(self.others == SYNC);
        u32::from(byte) << 20 | if is_sync { 0 } else { NON_SYNC_BIT }
    }

    fn form_by_sdtp(&self, bytes: &[u8], total: u64) -> Form {
        let Some((&first, behind)) = bytes.split_first() else { return Form::Each };
        let others = behind.first().map_or(self.others, |&byte| self.of_byte(byte));
        let is_whole = bytes.len() as u64 >= total;
        let are_alike = behind.windows(2).all(|pair| pair[0] == pair[1]);
        match are_alike && (is_whole || others == self.others) {
            true => Form::FirstAndOthers(self.of_byte(first), others),
            false => Form::Each,
        }
    }
}

/// Returns the bytes of `sdtp` for `total` samples, if one of them is a sample that can be decoded
/// on its own.
fn sdtp(stored: &Stored, total: u64) -> Option<&[u8]> {
    let bytes = &*stored.traf.get::<Sdtp>()?.samples;
    let len = usize::try_from(total).unwrap_or(usize::MAX).min(bytes.len());
    let bytes = &bytes[..len];
    bytes.iter().any(|&byte| Sdtp::is_independent(byte) == Some(true)).then_some(bytes)
}

/// Returns whether the flags of any sample of a run are so.
fn any_flags(trun: &Trun, defaults: Defaults, is_so: impl Fn(&Sample) -> bool) -> bool {
    let with = |flags| is_so(&Sample { duration: 0, size: 0, flags, composition_offset: 0 });
    if trun.full.has(Trun::FLAGS) {
        return trun.samples().any(|sample| sample.flags.is_some_and(with));
    }
    let (first, count) = (trun.first_sample_flags, trun.sample_count);
    count > 0 && first.is_some_and(with)
        || count > u32::from(first.is_some()) && with(defaults.flags)
}
