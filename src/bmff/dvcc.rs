//! `dvcC` and `dvvC`: what Dolby Vision adds to a video track.

use super::Content;
use super::table::same_content;
use crate::base::{Cursor, Error, Sink};

/// Dolby Vision configuration of profiles up to 7.
///
/// Spec: Dolby Vision Streams Within the ISO Base Media File Format, 2.2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DvcC(pub DolbyVision);

/// `dvvC`: configuration of Dolby Vision, profiles 8 to 10.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DvvC(pub DolbyVision);

/// Content of both boxes. The bytes after it, mostly reserved, stay unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DolbyVision {
    /// Version, major and minor.
    pub version: [u8; 2],
    /// `dv_profile` seven bits, `dv_level` six, then whether there are metadata, an enhancement
    /// layer and a base layer.
    pub fields: u16,
}

impl DolbyVision {
    /// The profile, 0 to 127.
    pub fn profile(self) -> u8 {
        (self.fields >> 9) as u8
    }

    /// The level, 0 to 63.
    pub fn level(self) -> u8 {
        (self.fields >> 3 & 0x3f) as u8
    }
}

impl Content for DolbyVision {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { version: body.array()?, fields: body.u16()? })
    }

    fn len(&self) -> u64 {
        4
    }

    fn write(&self, sink: &mut Sink) {
        sink.put(&self.version);
        sink.u16(self.fields);
    }
}

same_content!(DvcC, DolbyVision);
same_content!(DvvC, DolbyVision);
