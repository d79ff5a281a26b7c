//! `trex`: what samples of a track's fragments are when they do not say.

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Track extends: defaults for the fragments of one track.
///
/// Spec: ISO/IEC 14496-12, 8.8.3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trex {
    /// Version 0.
    pub full: FullBox,
    /// The track.
    pub track_id: u32,
    /// Entry of `stsd`, from 1.
    pub default_sample_description_index: u32,
    /// Ticks of the track.
    pub default_sample_duration: u32,
    /// Bytes.
    pub default_sample_size: u32,
    /// Dependency and sync flags.
    pub default_sample_flags: u32,
}

impl Content for Trex {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self {
            full: FullBox::parse(body)?,
            track_id: body.u32()?,
            default_sample_description_index: body.u32()?,
            default_sample_duration: body.u32()?,
            default_sample_size: body.u32()?,
            default_sample_flags: body.u32()?,
        })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + 20
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.u32(self.track_id);
        sink.u32(self.default_sample_description_index);
        sink.u32(self.default_sample_duration);
        sink.u32(self.default_sample_size);
        sink.u32(self.default_sample_flags);
    }
}
