//! AAC in its profiles: `mp4a` and `esds` ◄► `AACL`, `AACH`, `AACP` with AudioSpecificConfig ◄►
//! `mp4a.40.2`.

use bytes::Bytes;

use super::bits::Bits;
use super::sound::{ChannelLayout, Sound, usual};
use super::{Codec, CodecTag, Description, Format, audio, invalid, missing, mp3, sound};
use crate::base::{Error, FourCc, Limits};
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

/// Object types whose configuration is a GASpecificConfig without fields of its own: Main, LC, SSR
/// and LTP.
const GENERAL_AUDIO: std::ops::RangeInclusive<u32> = 1..=4;

/// Object type indications of `esds` (ISO/IEC 14496-1, table 5).
const MPEG4_AUDIO: u8 = 0x40;
const MPEG2_AAC: std::ops::RangeInclusive<u8> = 0x66..=0x68;

/// `wFormatTag` of raw AAC.
const AUDIO_TAG: u32 = 255;

const FREQUENCIES: [u32; 13] =
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

fn describe(entry: &SampleEntry, limits: &Limits) -> Result<Description, Error> {
    let audio_entry = AudioSampleEntry::parse(entry, limits)?;
    let Some(esds) = audio_entry.boxes.get::<Esds>() else {
        return Err(missing(entry, "`esds` in the sample entry", "ISO/IEC 14496-14, 5.6"));
    };
    // Descriptors count from their own start.
    let place = |error: Error| {
        Error::at(entry.offset, error.kind).inside(FourCc(*b"esds")).inside(entry.format())
    };
    let config = esds.decoder_config().map_err(place)?.unwrap_or_default();
    let described = match config.object_type {
        MPEG4_AUDIO => aac(&audio_entry, config.specific),
        object_type if MPEG2_AAC.contains(&object_type) => aac(&audio_entry, config.specific),
        object_type if mp3::OBJECT_TYPES.contains(&object_type) => mp3::of_audio(&audio_entry),
        // Another codec that `mp4a` can hold: by the entry's name.
        _ => Description::new(CodecTag::new("MP4A"), config.specific, audio(&audio_entry)),
    };
    Ok(Description { bitrate: config.average_bitrate, ..described })
}

fn aac(entry: &AudioSampleEntry, specific: Bytes) -> Description {
    let (mut rate, mut channels) = (entry.sample_rate >> 16, u32::from(entry.channel_count));
    let (mut tag, mut private_data) = (CodecTag::AACL, specific);
    match AudioSpecificConfig::parse(&private_data) {
        Some(config) => {
            (rate, channels) = (config.output_rate, config.channels.unwrap_or(channels));
            tag = match config.object_type {
                AAC_LC => CodecTag::AACL,
                SBR => CodecTag::AACH,
                PS => CodecTag::AACP,
                _ => CodecTag::AAC,
            };
        }
        None => private_data = low_complexity(rate, channels).unwrap_or(private_data),
    }
    private_data = plain(&private_data).unwrap_or(private_data);
    let format = Format::Audio {
        sampling_rate: rate,
        channels,
        bits_per_sample: 16,
        packet_size: 4,
        audio_tag: AUDIO_TAG,
    };
    Description::new(tag, private_data, format)
}

fn sample_entry(description: &Description) -> Result<SampleEntry, Error> {
    let config = DecoderConfig {
        object_type: MPEG4_AUDIO,
        max_bitrate: description.bitrate,
        average_bitrate: description.bitrate,
        specific: specific(description)?,
    };
    let boxes = [AnyBox::new(Esds::of(&config))].into_iter().collect();
    Ok(sound(description, *b"mp4a", boxes)?.to_entry())
}

/// The private data as it is; where there is none, one made of rate and channels.
fn specific(description: &Description) -> Result<Bytes, Error> {
    if !description.private_data.is_empty() {
        return Ok(description.private_data.clone());
    }
    let Format::Audio { sampling_rate: rate, channels, .. } = description.format else {
        return Err(invalid("an audio codec for a stream that is not audio"));
    };
    let made = match profile_of(&description.tag) {
        Some(object_type) => high_efficiency(object_type, rate, channels),
        None => low_complexity(rate, channels),
    };
    made.ok_or_else(|| invalid("neither private data nor a usual sampling rate"))
}

/// The profile that a name says beyond AAC-LC.
fn profile_of(tag: &CodecTag) -> Option<u32> {
    match tag.as_str().to_ascii_uppercase().as_str() {
        "AACH" => Some(SBR),
        "AACP" => Some(PS),
        _ => None,
    }
}

/// The name may say more than the configuration, which in HE-AAC may be the core's alone; and the
/// configuration more than the name.
fn rfc6381(description: &Description) -> Option<String> {
    let config = AudioSpecificConfig::parse(&description.private_data);
    let signalled = config.map_or(AAC_LC, |config| config.object_type);
    let said = [signalled, profile_of(&description.tag).unwrap_or(signalled)];
    let best = [PS, SBR].into_iter().find(|object_type| said.contains(object_type));
    Some(format!("mp4a.40.{}", best.unwrap_or(signalled)))
}

/// Returns sampling rate and channel configuration if the description is of AAC-LC with frames of 1,024
/// samples, and if the configuration has a number for its channels.
#[cfg(any(feature = "dash", feature = "hls"))]
pub(super) fn low_complexity_of(description: &Description) -> Option<(u32, u32)> {
    let name = description.tag.as_str().to_ascii_uppercase();
    if name != "AACL" {
        return None;
    }
    let data = specific(description).ok()?;
    let config = AudioSpecificConfig::parse(&data)?;
    let mut bits = Bits::new(&data);
    object_type(&mut bits)?;
    frequency(&mut bits)?;
    let channels = bits.take(4)?;
    // The flag is for frames of 960 samples.
    let is_usual = bits.take(1)? == 0 && config.object_type == AAC_LC;
    (is_usual && channels > 0).then_some((config.output_rate, channels))
}

/// Completes what a manifest or a sample entry says of the sound by the configuration.
pub(super) fn complete(description: &Description, sound: &mut Sound) {
    let config = specific(description).ok().and_then(|data| AudioSpecificConfig::parse(&data));
    let Some(config) = config else {
        sound.layout = usual(sound.channels).map(ChannelLayout::Mpeg);
        return;
    };
    sound.sampling_rate = config.output_rate;
    sound.channels = config.channels.unwrap_or(sound.channels);
    sound.layout = config.layout.or_else(|| usual(sound.channels)).map(ChannelLayout::Mpeg);
}

/// The properties of an AudioSpecificConfig that are needed.
///
/// Spec: ISO/IEC 14496-3, 1.6.2.1.
struct AudioSpecificConfig {
    /// 5 and 29 where bandwidth replication and parametric stereo are signalled, in front of the
    /// core's configuration or behind it. Where they are not, only the samples tell.
    object_type: u32,
    /// Hertz, after bandwidth replication.
    output_rate: u32,
    /// `None` if neither the configuration's number nor a program_config_element gives it.
    channels: Option<u32>,
    /// `ChannelConfiguration` of what is decoded; `None` if the number does not say.
    layout: Option<u8>,
    /// Number of bytes of the core's configuration, if it is AAC-LC and no extension is signalled
    /// after it.
    plain_len: Option<usize>,
}

impl AudioSpecificConfig {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(bytes);
        let first = object_type(&mut bits)?;
        let rate = frequency(&mut bits)?;
        let configuration = bits.take(4)?;
        let (mut signalled, mut output_rate, mut core) = (first, rate, Some(first));
        if matches!(first, SBR | PS) {
            output_rate = frequency(&mut bits)?;
            core = object_type(&mut bits);
        }
        let elements = match core {
            Some(core) if GENERAL_AUDIO.contains(&core) => general_audio(&mut bits, configuration),
            _ => None,
        };
        let mut plain_len = None;
        if first == AAC_LC && elements.is_some() {
            let end = bits.bytes_read();
            match extension(&mut bits) {
                Extension::Replicated { object_type, rate } => {
                    (signalled, output_rate) = (object_type, rate);
                }
                Extension::Absent => plain_len = Some(end),
                Extension::Unknown => {}
            }
        }
        let channels = match configuration {
            _ if signalled == PS => Some(2),
            0 => elements.filter(|&channels| channels > 0),
            configuration => channels_of(configuration),
        };
        let layout = match configuration {
            _ if signalled == PS => Some(2),
            0 => channels.and_then(usual),
            configuration => Some(configuration as u8),
        };
        Some(Self { object_type: signalled, output_rate, channels, layout, plain_len })
    }
}

/// Reads a GASpecificConfig and counts the channels that its program_config_element describes; 0
/// without that element.
///
/// Spec: ISO/IEC 14496-3, 4.4.1.
fn general_audio(bits: &mut Bits<'_>, configuration: u32) -> Option<u32> {
    bits.take(1)?; // length of a frame
    if bits.take(1)? == 1 {
        bits.skip(14)?; // delay of the coder that this one refines
    }
    bits.take(1)?; // no extension of these object types is defined
    if configuration == 0 { program_config_element(bits) } else { Some(0) }
}

/// Reads a program_config_element and counts its channels.
///
/// Spec: ISO/IEC 14496-3, 4.4.1.1.
fn program_config_element(bits: &mut Bits<'_>) -> Option<u32> {
    bits.skip(4 + 2 + 4)?; // number, object type and frequency
    // Elements in front, at the sides and behind.
    let main = bits.take(4)? + bits.take(4)? + bits.take(4)?;
    let (low_frequency, associated, coupling) = (bits.take(2)?, bits.take(3)?, bits.take(4)?);
    for mixdown in [4, 4, 3] {
        if bits.take(1)? == 1 {
            bits.skip(mixdown)?;
        }
    }
    let mut channels = low_frequency;
    for _ in 0..main {
        channels += 1 + bits.take(1)?; // one channel or a pair
        bits.skip(4)?;
    }
    bits.skip((4 * (low_frequency + associated) + 5 * coupling) as usize)?;
    bits.align();
    let comment = bits.take(8)?;
    bits.skip(8 * comment as usize)?;
    Some(channels)
}

/// The data after the core's configuration, which older decoders do not read.
enum Extension {
    /// The object type and the output rate that it signals.
    Replicated { object_type: u32, rate: u32 },
    /// No extension, one that signals that nothing is replicated, or bytes that are no extension.
    Absent,
    /// An extension that is truncated, or whose object type is not understood.
    Unknown,
}

/// Spec: ISO/IEC 14496-3, 1.6.2.1 and 1.6.5.2.
fn extension(bits: &mut Bits<'_>) -> Extension {
    if bits.take(11) != Some(0x2b7) {
        return Extension::Absent;
    }
    if object_type(bits) != Some(SBR) {
        return Extension::Unknown;
    }
    match bits.take(1) {
        Some(1) => match frequency(bits) {
            Some(rate) => {
                let parametric = bits.take(11) == Some(0x548) && bits.take(1) == Some(1);
                Extension::Replicated { object_type: if parametric { PS } else { SBR }, rate }
            }
            None => Extension::Unknown,
        },
        Some(_) => Extension::Absent,
        None => Extension::Unknown,
    }
}

/// Returns the configuration of AAC-LC without redundant bytes after it; `None` if `private_data`
/// is of another profile or ends with the configuration.
///
/// ffmpeg appends "no bandwidth replication" to AAC-LC (`119056E500`); RxPlayer 4.5 in Firefox
/// plays only the first two bytes.
pub(crate) fn plain(private_data: &Bytes) -> Option<Bytes> {
    let len = AudioSpecificConfig::parse(private_data)?.plain_len?;
    (len < private_data.len()).then(|| private_data.slice(..len))
}

fn object_type(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.take(5)? {
        31 => Some(32 + bits.take(6)?),
        object_type => Some(object_type),
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

/// Four bytes: bandwidth replication in front of a core at half the rate.
///
/// Manifests name the core's rate or the output's, and do not say which. Up to 24 kHz it is taken
/// for the core's, as dash.js takes every rate; above, the output would exceed what anyone encodes.
fn high_efficiency(object_type: u32, rate: u32, channels: u32) -> Option<Bytes> {
    let (core, output) = if rate <= 24_000 { (rate, 2 * rate) } else { (rate / 2, rate) };
    // Parametric stereo has a core of one channel.
    let channels = if object_type == PS { 1 } else { channel_configuration(channels)? };
    let front = object_type << 11 | index_of(core)? << 7 | channels << 3;
    let config = front << 16 | index_of(output)? << 15 | AAC_LC << 10;
    Some(Bytes::copy_from_slice(&config.to_be_bytes()))
}

fn index_of(rate: u32) -> Option<u32> {
    FREQUENCIES.iter().position(|&frequency| frequency == rate).map(|index| index as u32)
}

/// Returns the number of channels of a configuration; `None` if it is reserved.
///
/// Spec: ISO/IEC 14496-3, table 1.19.
fn channels_of(configuration: u32) -> Option<u32> {
    match configuration {
        1..=6 => Some(configuration),
        7 | 12 | 14 => Some(8),
        11 => Some(7),
        13 => Some(24),
        _ => None,
    }
}

/// Returns the configuration for this number of channels; of several, the one that every decoder
/// knows.
fn channel_configuration(channels: u32) -> Option<u32> {
    match channels {
        1..=6 => Some(channels),
        7 => Some(11),
        8 => Some(7),
        24 => Some(13),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::hex;
    use crate::manifest::StreamKind;

    fn description(tag: CodecTag, data: &str, sampling_rate: u32, channels: u32) -> Description {
        let format = Format::Audio {
            sampling_rate,
            channels,
            bits_per_sample: 16,
            packet_size: 4,
            audio_tag: AUDIO_TAG,
        };
        Description::new(tag, hex(data).unwrap(), format)
    }

    #[test]
    fn each_profile_becomes_a_sample_entry_and_comes_back() {
        for (described, string) in [
            (description(CodecTag::AACL, "1210", 44_100, 2), "mp4a.40.2"),
            (description(CodecTag::AACL, "1188", 48_000, 1), "mp4a.40.2"),
            // Core at 24 kHz, output at 48 kHz.
            (description(CodecTag::AACH, "2B118800", 48_000, 2), "mp4a.40.5"),
            (description(CodecTag::AACP, "EB098800", 48_000, 2), "mp4a.40.29"),
            // The same signalled behind the core's configuration.
            (description(CodecTag::AACH, "131056E598", 48_000, 2), "mp4a.40.5"),
            (description(CodecTag::AACP, "130856E59D4880", 48_000, 2), "mp4a.40.29"),
            // Main profile, and one whose object type takes six bits more: xHE-AAC.
            (description(CodecTag::AAC, "0A10", 44_100, 2), "mp4a.40.1"),
            (description(CodecTag::AAC, "F9484000", 44_100, 2), "mp4a.40.42"),
        ] {
            assert_eq!(described.rfc6381().unwrap(), string);
            let entry = described.sample_entry().unwrap();
            let back = Description::of_entry(StreamKind::Audio, &entry, &Limits::default());
            assert_eq!(back.unwrap(), described);
        }
    }

    fn described(specific: &str, channel_count: u16) -> Description {
        let specific = hex(specific).unwrap();
        let config = DecoderConfig { object_type: MPEG4_AUDIO, specific, ..Default::default() };
        let entry = AudioSampleEntry {
            format: FourCc(*b"mp4a"),
            channel_count,
            sample_size: 16,
            sample_rate: 48_000 << 16,
            boxes: [AnyBox::new(Esds::of(&config))].into_iter().collect(),
        };
        let limits = Limits::default();
        Description::of_entry(StreamKind::Audio, &entry.to_entry(), &limits).unwrap()
    }

    fn sound_of(specific: &str, channel_count: u16) -> (u32, u32) {
        match described(specific, channel_count).format {
            Format::Audio { sampling_rate, channels, .. } => (sampling_rate, channels),
            _ => panic!("not audio"),
        }
    }

    #[test]
    fn each_channel_configuration_is_announced_by_its_number_of_channels() {
        // Index: channelConfiguration; reserved ones leave it to the sample entry.
        let channels = [2, 1, 2, 3, 4, 5, 6, 8, 2, 2, 2, 7, 8, 24, 8, 2];
        for (configuration, expected) in channels.into_iter().enumerate() {
            let specific = format!("{:04X}", AAC_LC << 11 | 3 << 7 | (configuration as u32) << 3);
            assert_eq!(sound_of(&specific, 2), (48_000, expected), "{configuration}");
        }
        // With explicit bandwidth replication in front: 24 kHz core, 7.1.
        assert_eq!(sound_of("2B618800", 2), (48_000, 8));
    }

    #[test]
    fn a_configuration_is_made_of_every_usual_number_of_channels() {
        for (channels, made) in [(1, "1188"), (6, "11B0"), (7, "11D8"), (8, "11B8"), (24, "11E8")] {
            let entry = description(CodecTag::AACL, "", 48_000, channels).sample_entry().unwrap();
            let back = Description::of_entry(StreamKind::Audio, &entry, &Limits::default());
            assert_eq!(back.unwrap(), description(CodecTag::AACL, made, 48_000, channels));
        }
        assert!(description(CodecTag::AACL, "", 48_000, 12).sample_entry().is_err());
    }

    #[test]
    fn channels_of_a_program_config_element_are_counted() {
        let mut bits = String::new();
        let mut put = |value: u32, width: usize| bits += &format!("{value:0width$b}");
        for (value, width) in [(2, 5), (3, 4), (0, 4), (0, 3)] {
            put(value, width);
        }
        // Number, profile, rate; front 2, side 0, back 1, low-frequency 1, no others; no mixdown.
        for (value, width) in
            [(0, 4), (1, 2), (3, 4), (2, 4), (0, 4), (1, 4), (1, 2), (0, 3), (0, 4), (0, 3)]
        {
            put(value, width);
        }
        // A single, a pair, a pair; the low-frequency one.
        for (value, width) in [(0, 5), (1 << 4, 5), (1 << 4 | 1, 5), (0, 4)] {
            put(value, width);
        }
        while !bits.len().is_multiple_of(8) {
            bits.push('0');
        }
        bits += "00000010"; // a comment of two bytes
        bits += "0100000101000010";
        let core: String = bits
            .as_bytes()
            .chunks(8)
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .map(|byte| format!("{byte:02X}"))
            .collect();
        assert_eq!(sound_of(&core, 2), (48_000, 6));
        // Bytes after the element are cut; a truncated element leaves the count to the sample
        // entry.
        let long = described(&format!("{core}56E500"), 2);
        assert_eq!(long.private_data, hex(&core).unwrap());
        assert_eq!(sound_of(&core[..10], 2), (48_000, 2));
        assert_eq!(described(&core[..10], 2).private_data, hex(&core[..10]).unwrap());
    }

    #[test]
    fn aac_lc_is_announced_by_its_two_bytes() {
        for (stored, announced, channels) in [
            ("119056E500", "1190", 2),
            ("1190", "1190", 2),
            ("1190000000", "1190", 2),
            ("1190060102", "1190", 2),
            // A rate of its own: 48,001 Hz takes 24 bits more.
            ("17805DC09056E500", "17805DC090", 2),
        ] {
            let described = described(stored, channels);
            assert_eq!(described.tag, CodecTag::AACL);
            assert_eq!(described.private_data, hex(announced).unwrap(), "{stored}");
        }
    }

    #[test]
    fn what_is_more_than_aac_lc_keeps_all_of_its_configuration() {
        for (stored, tag) in [
            ("131056E598", CodecTag::AACH),
            ("130856E59D4880", CodecTag::AACP),
            ("2B118800", CodecTag::AACH),
            ("EB098800", CodecTag::AACP),
            // Extensions that are truncated, or of another object type.
            ("119056E5", CodecTag::AACL),
            ("119056F6", CodecTag::AACL),
            ("F9484000", CodecTag::AAC),
            ("0A1000", CodecTag::AAC),
        ] {
            let described = described(stored, 2);
            assert_eq!((described.tag, described.private_data), (tag, hex(stored).unwrap()));
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
        // The rate of the core and that of the output say the same.
        for rate in [24_000, 48_000] {
            let high = made(&description(CodecTag::AACH, "", rate, 2));
            assert_eq!(high, description(CodecTag::AACH, "2B118800", 48_000, 2));
            let parametric = made(&description(CodecTag::AACP, "", rate, 2));
            assert_eq!(parametric, description(CodecTag::AACP, "EB098800", 48_000, 2));
        }
        assert_eq!(description(CodecTag::AACP, "", 1, 2).rfc6381().unwrap(), "mp4a.40.29");
        assert!(description(CodecTag::AACL, "", 47_999, 2).sample_entry().is_err());
        assert!(description(CodecTag::AACH, "", 0, 2).sample_entry().is_err());
        assert!(description(CodecTag::AACH, "", u32::MAX, 2).sample_entry().is_err());
    }

    #[test]
    fn the_configuration_of_the_core_alone_is_passed_on_under_the_name_of_the_whole() {
        let core = description(CodecTag::AACH, "1310", 48_000, 2);
        assert_eq!(core.rfc6381().unwrap(), "mp4a.40.5");
        let entry = core.sample_entry().unwrap();
        let audio = AudioSampleEntry::parse(&entry, &Limits::default()).unwrap();
        let config = audio.boxes.get::<Esds>().unwrap().decoder_config().unwrap().unwrap();
        assert_eq!(config.specific, core.private_data);
        // Parametric stereo that only the name tells of.
        let named = description(CodecTag::AACP, "2B118800", 48_000, 2);
        assert_eq!(named.rfc6381().unwrap(), "mp4a.40.29");
    }

    #[test]
    fn the_bitrate_of_the_manifest_is_the_entrys() {
        let said =
            Description { bitrate: 96_000, ..description(CodecTag::AACL, "1190", 48_000, 2) };
        let entry = said.sample_entry().unwrap();
        let back = Description::of_entry(StreamKind::Audio, &entry, &Limits::default()).unwrap();
        assert_eq!(back.bitrate, 96_000);
    }

    #[test]
    fn descriptors_that_are_broken_name_the_entry() {
        let esds = Esds { descriptor: Bytes::from_static(&[3, 9, 0]), ..Esds::default() };
        let boxes = [AnyBox::new(esds)].into_iter().collect();
        let described = description(CodecTag::AACL, "1210", 44_100, 2);
        let mut entry = sound(&described, *b"mp4a", boxes).unwrap().to_entry();
        entry.offset = 700;
        let error = Description::of_entry(StreamKind::Audio, &entry, &Limits::default());
        let says = error.unwrap_err().to_string();
        assert_eq!(says, "mp4a/esds at byte 700: needs 2 bytes, has 1");
    }

    #[test]
    fn audio_that_is_not_aac_is_announced_by_its_entrys_name() {
        let config = DecoderConfig { object_type: 0xdd, ..DecoderConfig::default() };
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
