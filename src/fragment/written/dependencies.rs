//! Flags of samples, and their bytes of `sdtp`.

use super::Sample;

/// Sync samples of a fragment, by which their dependencies are known if the source does not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dependencies {
    are_all_sync: bool,
}

/// The two bits of `sdtp` that say whether a sample depends on others.
const DEPENDS: u8 = 0x30;
/// The two bits that say whether others depend on it.
const IS_DEPENDED_ON: u8 = 0x0c;
const NON_SYNC: u32 = 0x1_0000;

impl Dependencies {
    pub(super) fn of(samples: &[Sample]) -> Self {
        Self { are_all_sync: samples.iter().all(|sample| sample.is_sync) }
    }

    /// The sample's byte of `sdtp`: that of the source. Its sync table is right where the two
    /// disagree, because players of Smooth Streaming take the independent samples for key frames.
    pub(super) fn byte(self, sample: &Sample) -> u8 {
        let depends = if sample.is_sync { 0x20 } else { 0x10 };
        let known = sample.dependencies & !DEPENDS;
        let others = match (known & IS_DEPENDED_ON, sample.is_sync) {
            // Nothing depends on samples of which each can be decoded on its own.
            (0, true) if self.are_all_sync => 0x08,
            (0, true) => 0x04,
            _ => 0,
        };
        depends | known | others
    }

    /// The sample's flags: 0x0200_0000 for sync samples, 0x0101_0000 for others, and whether it is
    /// leading. Only `sdtp` says whether others depend on it: the flags are then mostly the same, and
    /// take no bytes.
    pub(super) fn flags(self, sample: &Sample) -> u32 {
        let leading = u32::from(sample.dependencies >> 6) << 26;
        let depends = if sample.is_sync { 2 << 24 } else { 1 << 24 | NON_SYNC };
        leading | depends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sync_table_rules_and_what_else_the_source_says_is_kept() {
        let sample = |is_sync, dependencies| Sample { is_sync, dependencies, ..Sample::default() };
        let mixed = Dependencies { are_all_sync: false };
        let sound = Dependencies { are_all_sync: true };
        for (dependencies, is_sync, source, byte, flags) in [
            (mixed, true, 0, 0x24, 0x200_0000),
            (mixed, false, 0, 0x10, 0x101_0000),
            (mixed, false, 0x18, 0x18, 0x101_0000),
            // An I picture that is no sync sample.
            (mixed, false, 0x24, 0x14, 0x101_0000),
            (mixed, true, 0x14, 0x24, 0x200_0000),
            (mixed, false, 0x50, 0x50, 0x501_0000),
            (sound, true, 0, 0x28, 0x200_0000),
            (sound, true, 0x24, 0x24, 0x200_0000),
        ] {
            let sample = sample(is_sync, source);
            let written = (dependencies.byte(&sample), dependencies.flags(&sample));
            assert_eq!(written, (byte, flags), "{source:#x}");
        }
    }
}
