//! `tfhd`: whose fragment it is, and defaults for its samples.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Track fragment header. Each optional field has a flag; a field that is there sets it.
///
/// Spec: ISO/IEC 14496-12, 8.8.7; [MS-SSTR] 2.2.4.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tfhd {
    /// Flags of the optional fields are set anew when the box is written.
    pub full: FullBox,
    /// The track.
    pub track_id: u32,
    /// Absolute offset that `trun` counts from; PIFF forbids it.
    pub base_data_offset: Option<u64>,
    /// Entry of `stsd`, from 1.
    pub sample_description_index: Option<u32>,
    /// Ticks of the track.
    pub default_sample_duration: Option<u32>,
    /// Bytes.
    pub default_sample_size: Option<u32>,
    /// Dependency and sync flags.
    pub default_sample_flags: Option<u32>,
}

impl Tfhd {
    /// Flag of [`Tfhd::base_data_offset`].
    const BASE_DATA_OFFSET: u32 = 0x1;
    const SAMPLE_DESCRIPTION_INDEX: u32 = 0x2;
    const DEFAULT_SAMPLE_DURATION: u32 = 0x8;
    const DEFAULT_SAMPLE_SIZE: u32 = 0x10;
    const DEFAULT_SAMPLE_FLAGS: u32 = 0x20;

    fn flags(&self) -> u32 {
        [
            (Self::BASE_DATA_OFFSET, self.base_data_offset.is_some()),
            (Self::SAMPLE_DESCRIPTION_INDEX, self.sample_description_index.is_some()),
            (Self::DEFAULT_SAMPLE_DURATION, self.default_sample_duration.is_some()),
            (Self::DEFAULT_SAMPLE_SIZE, self.default_sample_size.is_some()),
            (Self::DEFAULT_SAMPLE_FLAGS, self.default_sample_flags.is_some()),
        ]
        .into_iter()
        .fold(
            self.full.flags,
            |flags, (flag, set)| {
                if set { flags | flag } else { flags & !flag }
            },
        )
    }
}

impl Content for Tfhd {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let full = FullBox::parse(body)?;
        let track_id = body.u32()?;
        let base_data_offset = full.has(Self::BASE_DATA_OFFSET).then(|| body.u64()).transpose()?;
        let mut optional = |flag| full.has(flag).then(|| body.u32()).transpose();
        Ok(Self {
            full,
            track_id,
            base_data_offset,
            sample_description_index: optional(Self::SAMPLE_DESCRIPTION_INDEX)?,
            default_sample_duration: optional(Self::DEFAULT_SAMPLE_DURATION)?,
            default_sample_size: optional(Self::DEFAULT_SAMPLE_SIZE)?,
            default_sample_flags: optional(Self::DEFAULT_SAMPLE_FLAGS)?,
        })
    }

    fn len(&self) -> u64 {
        let words = [
            self.sample_description_index,
            self.default_sample_duration,
            self.default_sample_size,
            self.default_sample_flags,
        ];
        let words = 4 * words.iter().flatten().count() as u64;
        FullBox::LEN + 4 + if self.base_data_offset.is_some() { 8 } else { 0 } + words
    }

    fn write(&self, sink: &mut Sink) {
        FullBox { flags: self.flags(), ..self.full }.write(sink);
        sink.u32(self.track_id);
        if let Some(offset) = self.base_data_offset {
            sink.u64(offset);
        }
        for word in [
            self.sample_description_index,
            self.default_sample_duration,
            self.default_sample_size,
            self.default_sample_flags,
        ]
        .into_iter()
        .flatten()
        {
            sink.u32(word);
        }
    }
}
