//! Frames of AAC-LC that decode to silence.

use bytes::Bytes;

use super::{Description, aac};
use crate::base::Limits;
use crate::bmff::SampleEntry;
use crate::manifest::StreamKind;

/// A frame of silence for the decoder of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    /// The coded frame.
    pub(crate) frame: Bytes,
    /// Samples per second that the decoder gives. A frame has [`SAMPLES`](Self::SAMPLES).
    pub(crate) sampling_rate: u32,
}

/// Syntactic elements of a frame.
///
/// Spec: ISO/IEC 14496-3, table 4.85.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Single = 0,
    Pair = 1,
    LowFrequency = 3,
    End = 7,
}

impl Silence {
    /// Samples of a frame.
    pub(crate) const SAMPLES: u32 = 1024;

    /// Returns the frame for the track with this sample entry, or with this description if there is
    /// no entry. `None` for codecs other than AAC-LC, for frames of another length, and for channels
    /// that the configuration does not have a number for.
    pub(crate) fn of(
        entry: Option<&SampleEntry>,
        description: Option<&Description>,
        limits: &Limits,
    ) -> Option<Self> {
        let described =
            entry.and_then(|entry| Description::of_entry(StreamKind::Audio, entry, limits).ok());
        let (sampling_rate, channels) =
            aac::low_complexity_of(described.as_ref().or(description)?)?;
        Some(Self { frame: frame(channels)?, sampling_rate })
    }
}

/// Writes a frame whose elements have no spectral data.
///
/// Spec: ISO/IEC 14496-3, tables 1.19, 4.3 to 4.6 and 4.50.
fn frame(channel_configuration: u32) -> Option<Bytes> {
    use Element::{LowFrequency, Pair, Single};
    let elements: &[Element] = match channel_configuration {
        1 => &[Single],
        2 => &[Pair],
        3 => &[Single, Pair],
        4 => &[Single, Pair, Single],
        5 => &[Single, Pair, Pair],
        6 => &[Single, Pair, Pair, LowFrequency],
        7 => &[Single, Pair, Pair, Pair, LowFrequency],
        _ => return None,
    };
    let mut bits = Vec::new();
    let mut put = |value: usize, count: u32| {
        bits.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
    };
    for (number, &element) in elements.iter().enumerate() {
        put(element as usize, 3);
        // Elements of one kind are counted.
        put(elements[..number].iter().filter(|&&other| other == element).count(), 4);
        let channels = if element == Pair { 2 } else { 1 };
        // The channels of a pair share nothing.
        put(0, if element == Pair { 1 } else { 0 });
        for _ in 0..channels {
            // Gain; one long window without bands; neither pulses nor noise shaping nor gain control.
            put(0, 8 + 11 + 3);
        }
    }
    put(Element::End as usize, 3);
    let byte = |bits: &[bool]| {
        bits.iter().zip((0..8).rev()).fold(0, |byte, (&bit, place)| byte | u8::from(bit) << place)
    };
    Some(bits.chunks(8).map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{CodecTag, Format};

    #[test]
    fn a_frame_ends_with_the_element_that_says_so() {
        for (channels, length) in [(1, 4), (2, 7), (3, 11), (4, 15), (5, 17), (6, 21), (7, 28)] {
            let frame = frame(channels).unwrap();
            assert_eq!(frame.len(), length, "{channels}");
        }
        assert_eq!(*frame(1).unwrap(), [0, 0, 0, 7]);
        assert_eq!(*frame(2).unwrap(), [0x20, 0, 0, 0, 0, 0, 0x0e]);
        assert_eq!((frame(0), frame(8), frame(11)), (None, None, None));
    }

    #[test]
    fn silence_is_known_for_frames_of_1024_samples_alone() {
        let format = Format::Audio {
            sampling_rate: 48_000,
            channels: 2,
            bits_per_sample: 16,
            packet_size: 4,
            audio_tag: 0,
        };
        let of = |data: &'static [u8]| {
            let data = Bytes::from_static(data);
            let described = Description::new(CodecTag::AACL, data, format.clone());
            Silence::of(None, Some(&described), &Limits::default())
        };
        let usual = of(&[0x11, 0x90]).unwrap();
        assert_eq!((usual.sampling_rate, usual.frame.len()), (48_000, 7));
        assert_eq!(of(&[0x11, 0x94]), None, "960 samples");
        assert_eq!(of(&[0x11, 0x80]), None, "channels without a number");
        assert_eq!(of(&[0x2b, 0x11, 0x88, 0]), None, "a replicated spectrum");
    }
}
