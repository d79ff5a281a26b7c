//! A sample of a fragment that is written.

/// A sample as a fragment describes it. Times are in ticks of the fragment's track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Duration.
    pub duration: u32,
    /// Bytes.
    pub size: u32,
    /// Presentation time less decode time.
    pub composition_offset: i32,
    /// It can be decoded on its own.
    pub is_sync: bool,
    /// Its byte of the source's `sdtp`; 0 if there is none.
    pub dependencies: u8,
}
