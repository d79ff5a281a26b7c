//! `esds`: how an MPEG-4 audio decoder is set up.

use bytes::Bytes;

use super::{Content, FullBox};
use crate::base::{Cursor, Error, Sink};

/// Elementary stream descriptor.
///
/// Spec: ISO/IEC 14496-14, 5.6; descriptors by ISO/IEC 14496-1, 7.2.6.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Esds {
    /// Version 0.
    pub full: FullBox,
    /// The `ES_Descriptor`, as stored.
    pub descriptor: Bytes,
}

/// Configuration of the decoder in an `esds`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecoderConfig {
    /// 0x40 for MPEG-4 audio, 0x6B for MP3, …
    pub object_type: u8,
    /// Bits per second at the most.
    pub max_bitrate: u32,
    /// Bits per second on average; 0 if it varies.
    pub average_bitrate: u32,
    /// `AudioSpecificConfig` for MPEG-4 audio; may be empty.
    pub specific: Bytes,
}

impl Esds {
    const ES: u8 = 3;
    const DECODER_CONFIG: u8 = 4;
    const DECODER_SPECIFIC: u8 = 5;
    const SYNC_LAYER: u8 = 6;

    /// Reads the descriptors, in the order in which they are stored.
    ///
    /// Some encoders write lengths that are too short or too long: a `DecoderConfigDescriptor` of
    /// 18 bytes, for example, does not count two bytes inside of the `DecoderSpecificInfo` at its
    /// end. The lengths of the two outer descriptors are therefore ignored, and a
    /// `DecoderSpecificInfo` that reaches beyond the box ends with the box.
    ///
    /// # Errors
    /// [`Truncated`](crate::base::ErrorKind::Truncated) if the box ends inside the fields of a
    /// descriptor.
    pub fn decoder_config(&self) -> Result<Option<DecoderConfig>, Error> {
        let mut body = Cursor::new(&self.descriptor, 0);
        if !find(&mut body, Self::ES)? {
            return Ok(None);
        }
        body.take(2)?;
        let flags = body.u8()?;
        if flags & 0x80 != 0 {
            body.take(2)?; // depends on another stream
        }
        if flags & 0x40 != 0 {
            let url = body.u8()?;
            body.take(url.into())?;
        }
        if flags & 0x20 != 0 {
            body.take(2)?; // clock of another stream
        }
        if !find(&mut body, Self::DECODER_CONFIG)? {
            return Ok(None);
        }
        let object_type = body.u8()?;
        body.take(4)?; // stream type and buffer size
        let (max_bitrate, average_bitrate) = (body.u32()?, body.u32()?);
        let specific = specific(&mut body).unwrap_or_default();
        Ok(Some(DecoderConfig { object_type, max_bitrate, average_bitrate, specific }))
    }

    /// Descriptors for `config`, as encoders write them.
    pub(crate) fn of(config: &DecoderConfig) -> Self {
        let specific = match config.specific.is_empty() {
            true => Vec::new(),
            false => tagged(Self::DECODER_SPECIFIC, &config.specific),
        };
        let rates = [config.max_bitrate, config.average_bitrate].map(u32::to_be_bytes).concat();
        // 0x15 is an audio stream; three bytes of buffer size.
        let decoder = [&[config.object_type, 0x15, 0, 0, 0][..], &rates, &specific].concat();
        let decoder = tagged(Self::DECODER_CONFIG, &decoder);
        // How samples follow one another: as MP4 prescribes.
        let sync_layer = tagged(Self::SYNC_LAYER, &[2]);
        let stream = tagged(Self::ES, &[&[0, 0, 0][..], &decoder, &sync_layer].concat());
        Self { full: FullBox::default(), descriptor: stream.into() }
    }
}

/// A descriptor: tag, length in seven bits a byte, content.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let groups = (0..4).rev().map(|group| (len >> (7 * group) & 0x7f) as u8);
    let mut bytes: Vec<u8> = groups.skip_while(|&group| group == 0).collect();
    if bytes.is_empty() {
        bytes.push(0);
    }
    let last = bytes.len() - 1;
    bytes[..last].iter_mut().for_each(|byte| *byte |= 0x80);
    [&[tag][..], &bytes, content].concat()
}

/// Reads the header of a descriptor: its tag and its declared length.
///
/// Spec: ISO/IEC 14496-1, 8.3.3: seven bits per byte, at most four bytes.
fn head(body: &mut Cursor<'_>) -> Result<(u8, usize), Error> {
    let tag = body.u8()?;
    let mut len = 0_usize;
    for _ in 0..4 {
        let byte = body.u8()?;
        len = len << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok((tag, len))
}

/// Skips to the content of the next descriptor with the tag `wanted`. Returns `false` if there is
/// none.
fn find(body: &mut Cursor<'_>, wanted: u8) -> Result<bool, Error> {
    while !body.is_empty() {
        let (tag, len) = head(body)?;
        if tag == wanted {
            return Ok(true);
        }
        body.take(len)?;
    }
    Ok(false)
}

/// Returns the content of the `DecoderSpecificInfo` that follows; `None` if the next descriptor
/// belongs to the enclosing descriptor, or if none can be read.
fn specific(body: &mut Cursor<'_>) -> Option<Bytes> {
    loop {
        let (tag, len) = head(body).ok()?;
        match tag {
            Esds::DECODER_SPECIFIC => {
                let mut rest = body.rest();
                rest.truncate(len);
                return Some(rest);
            }
            // Padding, or the end of the decoder's descriptors.
            0 | Esds::SYNC_LAYER => return None,
            _ => body.take(len).ok()?,
        };
    }
}

impl Content for Esds {
    fn parse(body: &mut Cursor<'_>) -> Result<Self, Error> {
        Ok(Self { full: FullBox::parse(body)?, descriptor: body.rest() })
    }

    fn len(&self) -> u64 {
        FullBox::LEN + self.descriptor.len() as u64
    }

    fn write(&self, sink: &mut Sink) {
        self.full.write(sink);
        sink.put(&self.descriptor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_with_lengths_of_one_byte_and_of_four_say_the_same() {
        let config = DecoderConfig {
            object_type: 0x40,
            max_bitrate: 128_000,
            average_bitrate: 128_000,
            specific: Bytes::from_static(&[0x12, 0x10]),
        };
        let short = Esds::of(&config);
        assert_eq!(short.decoder_config().unwrap(), Some(config.clone()));

        let mut long = Vec::new();
        for (i, &byte) in short.descriptor.iter().enumerate() {
            // The three lengths lie at 1, 6 and 21.
            if matches!(i, 1 | 6 | 21) {
                long.extend([0x80, 0x80, 0x80]);
            }
            long.push(
                byte + if i == 1 {
                    6
                } else if i == 6 {
                    3
                } else {
                    0
                },
            );
        }
        let long = Esds { descriptor: long.into(), ..short };
        assert_eq!(long.decoder_config().unwrap(), Some(config));
    }

    #[test]
    fn specific_information_of_any_length_comes_back() {
        for len in [0, 1, 100, 127, 128, 300, 20_000] {
            let specific = Bytes::from(vec![7; len]);
            let config = DecoderConfig { object_type: 0x40, specific, ..DecoderConfig::default() };
            assert_eq!(Esds::of(&config).decoder_config().unwrap(), Some(config), "{len}");
        }
    }

    fn config_of(descriptor: &[u8]) -> Option<DecoderConfig> {
        let descriptor = Bytes::copy_from_slice(descriptor);
        Esds { descriptor, ..Esds::default() }.decoder_config().unwrap()
    }

    /// Returns the bytes that an encoder writes: lengths at 1, 6 and 21, the configuration at 22,
    /// and 06 01 02.
    fn stored(len_of_stream: u8, len_of_config: u8, len_of_specific: u8) -> Vec<u8> {
        let config = DecoderConfig {
            object_type: 0x40,
            max_bitrate: 128_000,
            average_bitrate: 128_000,
            specific: Bytes::from_static(&[0x12, 0x10]),
        };
        let mut descriptor = Esds::of(&config).descriptor.to_vec();
        (descriptor[1], descriptor[6], descriptor[21]) =
            (len_of_stream, len_of_config, len_of_specific);
        descriptor
    }

    #[test]
    fn wrong_lengths_of_outer_descriptors_lose_no_configuration() {
        let right = config_of(&stored(25, 17, 2)).unwrap();
        assert_eq!(right.specific[..], [0x12, 0x10]);
        for (stream, config) in [
            (0, 17),
            (3, 17),
            (25, 0),
            (25, 13),
            (25, 15),
            (25, 18),
            (23, 16),
            (127, 127),
            (127, 17),
        ] {
            assert_eq!(
                config_of(&stored(stream, config, 2)),
                Some(right.clone()),
                "{stream} {config}"
            );
        }
        // Neither zeros behind the descriptors nor the lack of the last one matters.
        assert_eq!(config_of(&[stored(25, 17, 2), vec![0; 9]].concat()), Some(right.clone()));
        assert_eq!(config_of(&stored(22, 17, 2)[..24]), Some(right));
    }

    #[test]
    fn specific_information_ends_with_the_box_at_the_latest() {
        let long = config_of(&stored(25, 17, 100)).unwrap();
        assert_eq!(long.specific[..], [0x12, 0x10, 6, 1, 2]);
        assert!(config_of(&stored(25, 17, 0)).unwrap().specific.is_empty());
        assert!(config_of(&stored(25, 17, 2)[..22]).unwrap().specific.is_empty());
        assert!(config_of(&stored(25, 17, 2)[..20]).unwrap().specific.is_empty());
    }

    #[test]
    fn other_descriptors_are_passed_by() {
        let right = config_of(&stored(25, 17, 2));
        let (whole, other) = (stored(25, 17, 2), [0x13, 3, 5, 2, 0]);
        for at in [0, 5, 20] {
            let with_other = [&whole[..at], &other, &whole[at..]].concat();
            assert_eq!(config_of(&with_other), right, "{at}");
        }
        // A decoder without specific information: the next descriptor is not taken for it.
        let none = [&whole[..20], &whole[24..], &[5, 1, 7]].concat();
        assert!(config_of(&none).unwrap().specific.is_empty());
    }

    #[test]
    fn a_box_that_ends_inside_of_the_fields_is_an_error() {
        let whole = stored(25, 17, 2);
        for len in 1..20 {
            let esds = Esds { descriptor: whole[..len].to_vec().into(), ..Default::default() };
            assert!(esds.decoder_config().is_err() || len == 5, "{len}");
        }
        let esds = Esds { descriptor: Bytes::from_static(&[4, 200, 0]), ..Default::default() };
        assert!(esds.decoder_config().is_err());
    }
}
