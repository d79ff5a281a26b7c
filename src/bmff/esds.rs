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

/// What an `esds` says of the decoder.
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

    /// Reads the descriptors.
    ///
    /// # Errors
    /// [`Truncated`](crate::base::ErrorKind::Truncated) where one reaches beyond what holds it.
    pub fn decoder_config(&self) -> Result<Option<DecoderConfig>, Error> {
        let mut body = Cursor::new(&self.descriptor, 0);
        let Some(mut es) = descriptor(&mut body, Self::ES)? else {
            return Ok(None);
        };
        es.take(2)?;
        let flags = es.u8()?;
        if flags & 0x80 != 0 {
            es.take(2)?; // depends on another stream
        }
        if flags & 0x40 != 0 {
            let url = es.u8()?;
            es.take(url.into())?;
        }
        if flags & 0x20 != 0 {
            es.take(2)?; // clock of another stream
        }
        let Some(mut config) = descriptor(&mut es, Self::DECODER_CONFIG)? else {
            return Ok(None);
        };
        let object_type = config.u8()?;
        config.take(4)?; // stream type and buffer size
        let (max_bitrate, average_bitrate) = (config.u32()?, config.u32()?);
        let specific = descriptor(&mut config, Self::DECODER_SPECIFIC)?;
        let specific = specific.map(|mut specific| specific.rest()).unwrap_or_default();
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

/// The body of the next descriptor when it has this tag; descriptors of other tags are passed by.
fn descriptor<'a>(body: &mut Cursor<'a>, tag: u8) -> Result<Option<Cursor<'a>>, Error> {
    while !body.is_empty() {
        let found = body.u8()?;
        // Seven bits a byte, at most four bytes (ISO/IEC 14496-1, 8.3.3).
        let mut len = 0_usize;
        for _ in 0..4 {
            let byte = body.u8()?;
            len = len << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let inner = body.split(len)?;
        if found == tag {
            return Ok(Some(inner));
        }
    }
    Ok(None)
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

    #[test]
    fn a_descriptor_longer_than_what_holds_it_is_an_error() {
        let esds = Esds { descriptor: Bytes::from_static(&[3, 200, 0]), ..Default::default() };
        assert!(esds.decoder_config().is_err());
    }
}
