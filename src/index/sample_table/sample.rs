//! One sample, with all that the tables say of it.

/// A sample of a progressive file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its number in the track, from 1, by which errors and other tools name it.
    pub number: u32,
    /// First byte in the file.
    pub offset: u64,
    /// Bytes.
    pub size: u32,
    /// Sum of the durations before it, in ticks of the track.
    pub decode_time: u64,
    /// Ticks of the track.
    pub duration: u32,
    /// Presentation time less decode time, in ticks of the track.
    pub composition_offset: i32,
    /// It can be decoded on its own (`stss`).
    pub is_sync: bool,
    /// Its byte of `sdtp`; `None` without that table.
    pub dependencies: Option<u8>,
}

impl Sample {
    /// Time at which it is shown, in ticks of the track, before any edit.
    pub fn composition_time(&self) -> i64 {
        // There are fewer than 2^24 samples of less than 2^31 ticks.
        self.decode_time as i64 + i64::from(self.composition_offset)
    }
}
