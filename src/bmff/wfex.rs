//! `wfex`: how a Windows Media Audio decoder is set up.

use bytes::Bytes;

use super::Content;
use crate::base::{Cursor, Error, Sink};

/// WAVEFORMATEX of the Windows multimedia API: little-endian, unlike all else in these files.
///
/// Spec: none is public for the box, which MssGen and ffmpeg write; its content by `mmreg.h`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wfex {
    /// `wFormatTag`: 0x161 for WMA, 0x162 for WMA Professional.
    pub format_tag: u16,
    /// `nChannels`.
    pub channels: u16,
    /// `nSamplesPerSec` in hertz.
    pub sampling_rate: u32,
    /// `nAvgBytesPerSec`.
    pub bytes_per_second: u32,
    /// `nBlockAlign`: bytes of a packet.
    pub block_align: u16,
    /// `wBitsPerSample`.
    pub bits_per_sample: u16,
    /// Bytes of the codec itself, which `cbSize` counts; at most 65,535 can be counted and written.
    pub extra: Bytes,
}

impl Wfex {
    /// Reads the structure wherever it lies.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Error> {
        Self::parse(cursor)
    }

    fn extra(&self) -> &[u8] {
        &self.extra[..self.extra.len().min(u16::MAX.into())]
    }
}

impl Content for Wfex {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        let wave = Self {
            format_tag: short(body)?,
            channels: short(body)?,
            sampling_rate: long(body)?,
            bytes_per_second: long(body)?,
            block_align: short(body)?,
            bits_per_sample: short(body)?,
            extra: Bytes::new(),
        };
        let size = short(body)?;
        Ok(Self { extra: body.bytes(size.into())?, ..wave })
    }

    fn len(&self) -> u64 {
        18 + self.extra().len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        sink.put(&self.format_tag.to_le_bytes());
        sink.put(&self.channels.to_le_bytes());
        sink.put(&self.sampling_rate.to_le_bytes());
        sink.put(&self.bytes_per_second.to_le_bytes());
        sink.put(&self.block_align.to_le_bytes());
        sink.put(&self.bits_per_sample.to_le_bytes());
        sink.put(&(self.extra().len() as u16).to_le_bytes());
        sink.put(self.extra());
    }
}

fn short(body: &mut Cursor<'_>) -> Result<u16, Error> {
    body.u16().map(u16::swap_bytes)
}

fn long(body: &mut Cursor<'_>) -> Result<u32, Error> {
    body.u32().map(u32::swap_bytes)
}
