//! WAVEFORMATEX, which old manifests hold as one attribute in place of several.

use bytes::Bytes;

/// The fields of the structure; empty if there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WaveFormat {
    pub(super) tag: Option<u32>,
    pub(super) channels: Option<u32>,
    pub(super) sampling_rate: Option<u32>,
    pub(super) packet_size: Option<u32>,
    pub(super) bits_per_sample: Option<u32>,
    /// The codec's own data after the structure.
    pub(super) private_data: Bytes,
}

impl WaveFormat {
    /// `None` when it is too short to be one. Little-endian, unlike all else here.
    ///
    /// Spec: WAVEFORMATEX of the Windows multimedia API: `wFormatTag`, `nChannels`,
    /// `nSamplesPerSec`, `nAvgBytesPerSec`, `nBlockAlign`, `wBitsPerSample`, `cbSize`.
    pub(super) fn parse(bytes: &Bytes) -> Option<Self> {
        let (fields, more) = bytes.split_at_checked(18)?;
        let short = |at: usize| Some(u16::from_le_bytes([fields[at], fields[at + 1]]).into());
        let long = |at: usize| {
            Some(u32::from_le_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]]))
        };
        let size = usize::from(u16::from_le_bytes([fields[16], fields[17]]));
        Some(Self {
            tag: short(0),
            channels: short(2),
            sampling_rate: long(4),
            packet_size: short(12),
            bits_per_sample: short(14),
            private_data: bytes.slice(18..18 + size.min(more.len())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structure_is_read_with_what_follows_it() {
        let bytes =
            Bytes::from_static(b"\xff\0\x02\0\x44\xac\0\0\0\x7d\0\0\x04\0\x10\0\x02\0\x12\x10");
        let wave = WaveFormat::parse(&bytes).unwrap();
        assert_eq!(
            (wave.tag, wave.channels, wave.sampling_rate),
            (Some(255), Some(2), Some(44_100))
        );
        assert_eq!((wave.packet_size, wave.bits_per_sample), (Some(4), Some(16)));
        assert_eq!(wave.private_data, b"\x12\x10"[..]);
        let cut = WaveFormat::parse(&bytes.slice(..19)).unwrap();
        assert_eq!(cut.private_data, b"\x12"[..]);
        assert_eq!(WaveFormat::parse(&bytes.slice(..17)), None);
    }
}
