//! AAC in its profiles: `mp4a` and `esds` ◄► `AACL`, `AACH`, `AACP` with AudioSpecificConfig ◄►
//! `mp4a.40.2`.

use bytes::Bytes;

use super::bits::Bits;
use super::{Codec, CodecTag, Description, Format, audio, invalid};
use crate::base::{Error, ErrorKind, FourCc, Limits};
use crate::bmff::{AnyBox, AudioSampleEntry, DecoderConfig, Esds, SampleEntry};

pub(super) const CODEC: Codec = Codec {
    formats: &[*b"mp4a"],
    tags: &["AACL", "AACH", "AACP", "AAC"],
    describe,
    sample_entry,
    rfc6381,
};

/// Object types of ISO/IEC 14496-3, table 1.17.
const AAC_LC: u32 = 2;
const SBR: u32 = 5;
const PS: u32 = 29;

/// Object type indications of `esds` (ISO/IEC 14496-1, table 5).
const MPEG4_AUDIO: u8 = 0x40;
const MPEG2_AAC: std::ops::RangeInclusive<u8> = 0x66..=0x68;

/// `wFormatTag` of raw AAC.
const AUDIO_TAG: u32 = 255;

const FREQUENCIES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let entry = AudioSampleEntry::parse(entry, limits)?;
    let esds = entry.boxes.get::<Esds>().ok_or(ErrorKind::Missing {
        what: "`esds` in the sample entry",
        clause: "ISO/IEC 14496-14, 5.6",
    })?;
    let config = esds.decoder_config()?.unwrap_or_default();
    if config.object_type != MPEG4_AUDIO && !MPEG2_AAC.contains(&config.object_type) {
        let (tag, private_data) = (CodecTag::new("MP4A"), config.specific);
        return Ok(Description { tag, private_data, format: audio(&entry) });
    }
    let mut rate = entry.sample_rate >> 16;
    let mut channels = u32::from(entry.channel_count);
    let mut tag = CodecTag::AACL;
    let mut private_data = config.specific;
    match AudioSpecificConfig::parse(&private_data) {
        Some(config) => {
            (rate, channels) = (config.output_rate, config.channels.unwrap_or(channels));
            tag = match config.object_type {
                SBR => CodecTag::AACH,
                PS => CodecTag::AACP,
                _ => CodecTag::AACL,
            };
        }
        None => private_data = low_complexity(rate, channels).unwrap_or(private_data),
    }
    let format = Format::Audio {
        sampling_rate: rate,
        channels,
        bits_per_sample: 16,
        packet_size: 4,
        audio_tag: AUDIO_TAG,
    };
    Ok(Description { tag, private_data, format })
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let Format::Audio { sampling_rate, channels, .. } = description.format else {
        return Err(invalid("an audio codec for a stream that is not audio"));
    };
    let specific = match &description.private_data {
        empty if empty.is_empty() => {
            let made = match description.tag.as_str().to_ascii_uppercase().as_str() {
                "AACH" => high_efficiency(SBR, sampling_rate, channels),
                // Parametric stereo has a core of one channel.
                "AACP" => high_efficiency(PS, sampling_rate, 1),
                _ => low_complexity(sampling_rate, channels),
            };
            made.ok_or_else(|| invalid("neither private data nor a usual sampling rate"))?
        }
        data => data.clone(),
    };
    let config = DecoderConfig { object_type: MPEG4_AUDIO, specific, ..DecoderConfig::default() };
    let entry = AudioSampleEntry {
        format: FourCc(*b"mp4a"),
        channel_count: u16::try_from(channels).unwrap_or(2),
        sample_size: 16,
        // 16.16 fixed point holds no rate above 65,535; 0 then, as others write it.
        sample_rate: u16::try_from(sampling_rate).map_or(0, |rate| u32::from(rate) << 16),
        boxes: [AnyBox::new(Esds::of(&config))].into_iter().collect(),
    };
    Ok(entry.to_entry())
}

fn rfc6381(description: &Description) -> Option<String> {
    let object_type = match AudioSpecificConfig::parse(&description.private_data) {
        Some(config) => config.object_type,
        None => match description.tag.as_str().to_ascii_uppercase().as_str() {
            "AACH" => SBR,
            "AACP" => PS,
            _ => AAC_LC,
        },
    };
    Some(format!("mp4a.40.{object_type}"))
}

/// What is needed of an AudioSpecificConfig.
///
/// Spec: ISO/IEC 14496-3, 1.6.2.1.
struct AudioSpecificConfig {
    /// 5 and 29 where bandwidth replication and parametric stereo are signalled in front.
    object_type: u32,
    /// Hertz, after bandwidth replication.
    output_rate: u32,
    /// `None` when the configuration lies elsewhere.
    channels: Option<u32>,
}

impl AudioSpecificConfig {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(bytes);
        let object_type = match bits.take(5)? {
            31 => 32 + bits.take(6)?,
            object_type => object_type,
        };
        let rate = frequency(&mut bits)?;
        let configuration = bits.take(4)?;
        let replicated = matches!(object_type, SBR | PS);
        let output_rate = if replicated { frequency(&mut bits)? } else { rate };
        let channels = match configuration {
            _ if object_type == PS => Some(2),
            0 => None,
            7 => Some(8),
            count => Some(count),
        };
        Some(Self { object_type, output_rate, channels })
    }
}

fn frequency(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(4)? {
        15 => bits.take(24),
        index => FREQUENCIES.get(index as usize).copied(),
    }
}

/// Two bytes: object type, frequency index, channels.
fn low_complexity(rate: u32, channels: u32) -> Option<Bytes> {
    let config = AAC_LC << 11 | index_of(rate)? << 7 | channel_configuration(channels)? << 3;
    Some(Bytes::copy_from_slice(&(config as u16).to_be_bytes()))
}

/// Four bytes: bandwidth replication, or that and parametric stereo, in front of a core at half
/// the rate.
fn high_efficiency(object_type: u32, rate: u32, channels: u32) -> Option<Bytes> {
    let core = index_of(rate / 2)?;
    let front = object_type << 11 | core << 7 | channel_configuration(channels)? << 3;
    let config = front << 16 | index_of(rate)? << 15 | AAC_LC << 10;
    Some(Bytes::copy_from_slice(&config.to_be_bytes()))
}

fn index_of(rate: u32) -> Option<u32> {
    FREQUENCIES.iter().position(|&frequency| frequency == rate).map(|index| index as u32)
}

fn channel_configuration(channels: u32) -> Option<u32> {
    match channels {
        1..=6 => Some(channels),
        8 => Some(7),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;
    use crate::manifest::StreamKind;

    fn description(tag: CodecTag, data: &str, sampling_rate: u32, channels: u32) -> Description {
        Description {
            tag,
            private_data: hex(data).unwrap(),
            format: Format::Audio {
                sampling_rate,
                channels,
                bits_per_sample: 16,
                packet_size: 4,
                audio_tag: AUDIO_TAG,
            },
        }
    }

    #[test]
    fn each_profile_becomes_a_sample_entry_and_comes_back() {
        for (described, string) in [
            (description(CodecTag::AACL, "1210", 44_100, 2), "mp4a.40.2"),
            (description(CodecTag::AACL, "1188", 48_000, 1), "mp4a.40.2"),
            // Core at 24 kHz, output at 48 kHz.
            (description(CodecTag::AACH, "2B118800", 48_000, 2), "mp4a.40.5"),
            (description(CodecTag::AACP, "EB098800", 48_000, 2), "mp4a.40.29"),
        ] {
            assert_eq!(described.rfc6381().unwrap(), string);
            let entry = described.sample_entry().unwrap();
            let back = Description::of_entry(StreamKind::Audio, &entry, &Limits::default());
            assert_eq!(back.unwrap(), described);
        }
    }

    #[test]
    fn empty_private_data_is_made_from_rate_and_channels() {
        let made = |described: &Description| {
            let entry = described.sample_entry().unwrap();
            Description::of_entry(StreamKind::Audio, &entry, &Limits::default()).unwrap()
        };
        let low = made(&description(CodecTag::AACL, "", 48_000, 2));
        assert_eq!(low, description(CodecTag::AACL, "1190", 48_000, 2));
        let high = made(&description(CodecTag::AACH, "", 48_000, 2));
        assert_eq!((&high.tag, &high.format), (&CodecTag::AACH, &low.format));
        assert_eq!(description(CodecTag::AACP, "", 1, 2).rfc6381().unwrap(), "mp4a.40.29");
        assert!(description(CodecTag::AACL, "", 47_999, 2).sample_entry().is_err());
    }

    #[test]
    fn audio_that_is_not_aac_is_announced_by_its_entrys_name() {
        let config = DecoderConfig { object_type: 0x6b, ..DecoderConfig::default() };
        let entry = AudioSampleEntry {
            format: FourCc(*b"mp4a"),
            channel_count: 2,
            sample_size: 16,
            sample_rate: 44_100 << 16,
            boxes: [AnyBox::new(Esds::of(&config))].into_iter().collect(),
        };
        let described =
            Description::of_entry(StreamKind::Audio, &entry.to_entry(), &Limits::default());
        assert_eq!(described.unwrap().tag.as_str(), "MP4A");
    }
}
