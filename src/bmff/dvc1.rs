//! `dvc1`: how a VC-1 decoder is set up.

use bytes::Bytes;

use super::Content;
use crate::base::{Cursor, Error, Sink};

/// VC-1 decoder configuration.
///
/// Spec: SMPTE RP 2025. Only the advanced profile's layout is known to us, from what ffmpeg writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dvc1 {
    /// Profile (four bits), level (three), a reserved bit.
    pub profile_level: u8,
    /// All that follows: its layout is the profile's.
    pub specific: Bytes,
}

impl Dvc1 {
    /// The profile that has headers with start codes.
    pub(crate) const ADVANCED: u8 = 12;
    /// Bytes of flags and frame rate before the headers of the advanced profile.
    const FLAGS: usize = 6;

    /// Returns the sequence header and entry point of the advanced profile, behind their start
    /// codes.
    pub fn headers(&self) -> Option<Bytes> {
        let advanced = self.profile_level >> 4 == Self::ADVANCED;
        (advanced && self.specific.len() > Self::FLAGS).then(|| self.specific.slice(Self::FLAGS..))
    }
}

impl Content for Dvc1 {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { profile_level: body.u8()?, specific: body.rest() })
    }

    fn len(&self) -> u64 {
        1 + self.specific.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        sink.u8(self.profile_level);
        sink.put(&self.specific);
    }
}
