//! Floor 2: one codec per file: sample entry ◄► FourCC and CodecPrivateData ◄► RFC 6381 string.
//!
//! A codec is one file and one line in the table below. A codec that is not in the table passes
//! through by its name.

mod aac;
mod ac3;
mod annex_b;
mod avc_parameters;
mod bits;
mod codec_string;
mod colour;
mod display;
mod dolby_vision;
mod eac3;
mod frame_rate;
mod h264;
mod hevc;
mod hevc_parameters;
mod indications;
mod init_segment;
mod key_picture;
mod mp3;
mod opus;
mod pictures;
mod protected;
mod protection_system;
#[cfg(any(feature = "dash", feature = "hls"))]
mod silence;
mod sound;
mod ttml;
mod vc1;
mod vui;
mod wave_format;
mod webvtt;
mod wma;

pub(crate) use init_segment::InitSegment;
#[cfg(feature = "package")]
pub(crate) use init_segment::movie_header;
pub(crate) use key_picture::{KeyPicture, NalFormat};

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use crate::base::{Error, ErrorKind, FourCc, Limits, piece};
use crate::bmff::{AudioSampleEntry, Boxes, SampleEntry, VisualSampleEntry};
use crate::manifest::{QualityLevel, StreamIndex, StreamKind};
pub(crate) use aac::plain as plain_aac;
pub(crate) use codec_string::codec_string;
pub use colour::{Colour, VideoRange};
pub(crate) use display::{display_size, lowest_terms, pixel_aspect_of_track};
pub use frame_rate::FrameRate;
pub(crate) use pictures::Pictures;
pub(crate) use protected::encryption;
pub use protected::{Encryption, EncryptionScheme};
pub use protection_system::ProtectionSystem;
#[cfg(any(feature = "dash", feature = "hls"))]
pub(crate) use silence::Silence;
pub use sound::{ChannelLayout, Sound};
use wave_format::WaveFormat;

/// A codec's name in a client manifest: the attribute `FourCC`, which is not always four letters.
///
/// Spec: [MS-SSTR] 2.2.2.5. The set is open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CodecTag(Cow<'static, str>);

impl CodecTag {
    /// H.264, samples with length prefixes.
    pub const H264: Self = Self(Cow::Borrowed("H264"));
    /// H.264 by the name that some old players want.
    pub const AVC1: Self = Self(Cow::Borrowed("AVC1"));
    /// HEVC, parameter sets in the manifest alone.
    pub const HVC1: Self = Self(Cow::Borrowed("HVC1"));
    /// HEVC, parameter sets in the samples too.
    pub const HEV1: Self = Self(Cow::Borrowed("HEV1"));
    /// HEVC with Dolby Vision, parameter sets in the manifest alone.
    pub const DVH1: Self = Self(Cow::Borrowed("DVH1"));
    /// HEVC with Dolby Vision, parameter sets in the samples too.
    pub const DVHE: Self = Self(Cow::Borrowed("DVHE"));
    /// VC-1, advanced profile.
    pub const WVC1: Self = Self(Cow::Borrowed("WVC1"));
    /// AAC-LC.
    pub const AACL: Self = Self(Cow::Borrowed("AACL"));
    /// HE-AAC.
    pub const AACH: Self = Self(Cow::Borrowed("AACH"));
    /// HE-AAC v2.
    pub const AACP: Self = Self(Cow::Borrowed("AACP"));
    /// AAC of another profile.
    pub const AAC: Self = Self(Cow::Borrowed("AAC"));
    /// Windows Media Audio Professional; with `AudioTag` 85 MP3.
    pub const WMAP: Self = Self(Cow::Borrowed("WMAP"));
    /// Windows Media Audio.
    pub const WMA2: Self = Self(Cow::Borrowed("WMA2"));
    /// AC-3.
    pub const AC_3: Self = Self(Cow::Borrowed("AC-3"));
    /// E-AC-3.
    pub const EC_3: Self = Self(Cow::Borrowed("EC-3"));
    /// Opus.
    pub const OPUS: Self = Self(Cow::Borrowed("OPUS"));
    /// TTML documents.
    pub const TTML: Self = Self(Cow::Borrowed("TTML"));
    /// WebVTT cues.
    pub const WVTT: Self = Self(Cow::Borrowed("WVTT"));

    /// Any name.
    pub fn new(tag: impl Into<String>) -> Self {
        Self(Cow::Owned(tag.into()))
    }

    /// As the manifest has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CodecTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The coding of a track, as a manifest announces it.
///
/// ```
/// # #[cfg(feature = "unstable-formats")] {
/// use smooth_origin::base::Limits;
/// use smooth_origin::codec::Description;
/// use smooth_origin::manifest::ClientManifest;
///
/// let text = br#"<SmoothStreamingMedia Duration="0"><StreamIndex Type="audio">
///   <QualityLevel Bitrate="128000" FourCC="AACL" CodecPrivateData="1210" SamplingRate="44100"
///     Channels="2"/></StreamIndex></SmoothStreamingMedia>"#;
/// let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
/// let stream = &manifest.streams[0];
/// let audio = Description::of(stream, &stream.qualities[0]).unwrap();
/// assert_eq!(audio.rfc6381().as_deref(), Some("mp4a.40.2"));
/// assert_eq!(audio.sample_entry().unwrap().format().to_string(), "mp4a");
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Description {
    /// `FourCC`.
    pub tag: CodecTag,
    /// `CodecPrivateData` as bytes.
    pub private_data: Bytes,
    /// Other properties that the manifest declares.
    pub format: Format,
    /// Bits per second on average, which some decoders are set up with; 0 if unknown.
    pub bitrate: u32,
    /// The codec string that the manifest or the entry says itself.
    codecs: Option<String>,
}

/// The bitrate of a track is no part of its coding, nor is a string that repeats the rest.
impl PartialEq for Description {
    fn eq(&self, other: &Self) -> bool {
        (&self.tag, &self.private_data, &self.format)
            == (&other.tag, &other.private_data, &other.format)
    }
}

impl Eq for Description {}

/// Properties that a manifest declares of a track beside its codec.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Pictures.
    Video {
        /// `MaxWidth` in pixels.
        width: u32,
        /// `MaxHeight` in pixels.
        height: u32,
        /// Bytes of the length before each NAL unit: `NALUnitLengthField`.
        nal_length_size: u8,
    },
    /// Sound.
    Audio {
        /// `SamplingRate` in hertz.
        sampling_rate: u32,
        /// `Channels`.
        channels: u32,
        /// `BitsPerSample`.
        bits_per_sample: u32,
        /// `PacketSize` in bytes.
        packet_size: u32,
        /// `AudioTag`.
        audio_tag: u32,
    },
    /// Timed text and other data, which have no properties.
    Text,
}

/// An entry of the table of codecs.
struct Codec {
    /// Sample entry formats.
    formats: &'static [[u8; 4]],
    /// Names in manifests, in upper case.
    tags: &'static [&'static str],
    describe: fn(&SampleEntry, &Limits) -> Result<Description, Error>,
    sample_entry: fn(&Description) -> Result<SampleEntry, Error>,
    rfc6381: fn(&Description) -> Option<String>,
}

/// Every codec that is understood.
const TABLE: &[Codec] = &[
    h264::CODEC,
    hevc::CODEC,
    vc1::CODEC,
    aac::CODEC,
    wma::CODEC,
    mp3::CODEC,
    ac3::CODEC,
    eac3::CODEC,
    opus::CODEC,
    ttml::CODEC,
    webvtt::CODEC,
];

impl Description {
    /// At a bitrate that is not known.
    pub(crate) fn new(tag: CodecTag, private_data: Bytes, format: Format) -> Self {
        Self { tag, private_data, format, bitrate: 0, codecs: None }
    }

    /// Returns the coding that the sample entry of a track of `kind` announces.
    ///
    /// A format that is not in the table is announced by its own name, without private data; an
    /// encrypted entry as the one that was encrypted.
    ///
    /// # Errors
    /// What is broken in the entry, and [`ErrorKind::Missing`] where its codec's configuration is
    /// not there.
    pub fn of_entry(kind: StreamKind, entry: &SampleEntry, limits: &Limits) -> Result<Self, Error> {
        let entry = protected::original(entry, limits)?;
        match TABLE.iter().find(|codec| codec.formats.contains(&entry.format().0)) {
            Some(codec) => (codec.describe)(&entry, limits),
            None => Self::by_name(kind, &entry, limits),
        }
    }

    fn by_name(kind: StreamKind, entry: &SampleEntry, limits: &Limits) -> Result<Self, Error> {
        let name = String::from_utf8_lossy(&entry.format().0).trim().to_ascii_uppercase();
        let format = match kind {
            StreamKind::Video => video(&VisualSampleEntry::parse(entry, limits)?, 4),
            StreamKind::Audio => audio(&AudioSampleEntry::parse(entry, limits)?),
            StreamKind::Text => Format::Text,
        };
        Ok(Self::new(CodecTag::new(name), Bytes::new(), format))
    }

    /// Returns the coding that a quality of a client manifest announces: by its own attributes, by
    /// its stream's, or by `WaveFormatEx`; an audio codec without a name by its `AudioTag`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when `CodecPrivateData` or `WaveFormatEx` is not hexadecimal.
    pub fn of(stream: &StreamIndex, quality: &QualityLevel) -> Result<Self, Error> {
        let wave = match (stream.kind, &quality.wave_format_ex) {
            (StreamKind::Audio, Some(text)) => WaveFormat::parse(&hex(text)?),
            _ => None,
        };
        let wave = wave.unwrap_or_default();
        let audio_tag = quality.audio_tag.or(wave.tag);
        let tag = quality.four_cc.as_ref().or(stream.four_cc.as_ref()).map(String::as_str);
        let tag =
            tag.or(audio_tag.filter(|_| stream.kind == StreamKind::Audio).and_then(by_audio_tag));
        let tag = CodecTag::new(tag.unwrap_or_default());
        let private_data = match &quality.codec_private_data {
            Some(text) => hex(text)?,
            None => wave.private_data,
        };
        let format = match stream.kind {
            StreamKind::Video => Format::Video {
                width: quality.max_width.or(stream.max_width).unwrap_or(0),
                height: quality.max_height.or(stream.max_height).unwrap_or(0),
                nal_length_size: quality
                    .nal_unit_length_field
                    .and_then(|size| u8::try_from(size).ok())
                    .unwrap_or(4),
            },
            StreamKind::Audio => Format::Audio {
                sampling_rate: quality.sampling_rate.or(wave.sampling_rate).unwrap_or(0),
                channels: quality.channels.or(wave.channels).unwrap_or(0),
                bits_per_sample: quality.bits_per_sample.or(wave.bits_per_sample).unwrap_or(16),
                packet_size: quality.packet_size.or(wave.packet_size).unwrap_or(4),
                audio_tag: audio_tag.unwrap_or(0),
            },
            StreamKind::Text => Format::Text,
        };
        let codecs = declared_codecs(quality);
        Ok(Self { tag, private_data, format, bitrate: quality.bitrate, codecs })
    }

    /// Returns a copy to keep: it does not hold on to the block that the sample entry was read from.
    /// `None` if it is too long to keep.
    pub(crate) fn kept(&self, longest: usize) -> Option<Self> {
        let codecs = self.codecs.as_ref().map_or(0, String::len);
        let len = self.private_data.len() + self.tag.as_str().len() + codecs;
        let private_data =
            Bytes::copy_from_slice(self.private_data.get(..).filter(|_| len <= longest)?);
        Some(Self { private_data, ..self.clone() })
    }

    /// Bytes of memory that it takes outside of itself.
    pub(crate) fn memory(&self) -> usize {
        let tag = match &self.tag.0 {
            Cow::Borrowed(_) => 0,
            Cow::Owned(tag) => piece(tag.len()),
        };
        // Two counters lie beside shared bytes.
        let data = if self.private_data.is_empty() { 0 } else { self.private_data.len() + 32 };
        piece(data) + tag + self.codecs.as_ref().map_or(0, |codecs| piece(codecs.len()))
    }

    /// A quality of `bitrate` that announces this.
    pub fn quality(&self, bitrate: u32) -> QualityLevel {
        let mut quality = QualityLevel { bitrate, ..QualityLevel::default() };
        quality.four_cc = Some(self.tag.to_string());
        quality.codec_private_data = Some(to_hex(&self.private_data));
        match self.format {
            Format::Video { width, height, nal_length_size } => {
                (quality.max_width, quality.max_height) = (Some(width), Some(height));
                quality.nal_unit_length_field =
                    (nal_length_size != 4).then_some(nal_length_size.into());
            }
            Format::Audio { sampling_rate, channels, bits_per_sample, packet_size, audio_tag } => {
                quality.sampling_rate = Some(sampling_rate);
                quality.channels = Some(channels);
                quality.bits_per_sample = Some(bits_per_sample);
                quality.packet_size = Some(packet_size);
                quality.audio_tag = Some(audio_tag);
            }
            Format::Text => {}
        }
        quality
    }

    /// A sample entry that sets a decoder up for this.
    ///
    /// # Errors
    /// [`ErrorKind::NotServed`] for a codec that is not in the table, or whose private data is
    /// unconfirmed; [`ErrorKind::Invalid`] when the private data is not what the codec wants.
    pub fn sample_entry(&self) -> Result<SampleEntry, Error> {
        let codec = self.codec().ok_or(ErrorKind::NotServed("a sample entry for this codec"))?;
        (codec.sample_entry)(self)
    }

    /// The `codecs` parameter of DASH and HLS: `avc1.64001F`; `None` where it is neither known nor
    /// said in the custom attribute `codecs`.
    ///
    /// Spec: RFC 6381, 3.3; ISO/IEC 14496-15, annex E; Microsoft's amendment for HEVC.
    pub fn rfc6381(&self) -> Option<String> {
        let known = self.codec().and_then(|codec| (codec.rfc6381)(self));
        let named = || Some(own_string(&self.tag)?.to_owned());
        known.or_else(|| self.codecs.clone()).or_else(named)
    }

    /// The codec is in the table: its tag is more than the name of a sample entry passed on. It may
    /// have no codec string all the same.
    pub fn is_known(&self) -> bool {
        self.codec().is_some()
    }

    fn codec(&self) -> Option<&'static Codec> {
        let name = self.tag.as_str().to_ascii_uppercase();
        let tag = match (name.as_str(), &self.format) {
            // Announced by a name that it is not: the number says what it is.
            ("WMAP", Format::Audio { audio_tag: mp3::AUDIO_TAG, .. }) => mp3::NAME,
            (name, _) => name,
        };
        TABLE.iter().find(|codec| codec.tags.contains(&tag))
    }
}

/// Returns the codec string of a codec that is not in the table and whose string is the name of its
/// sample entry.
fn own_string(tag: &CodecTag) -> Option<&'static str> {
    let names = ["dtsc", "dtse", "dtsh", "dtsl", "dtsx", "fLaC", "alac"];
    names.into_iter().find(|name| tag.as_str().eq_ignore_ascii_case(name))
}

/// The codec that an `AudioTag` names without doubt.
///
/// Spec: [MS-SSTR] 2.2.2.5, AudioTag. What Windows calls extensible is met for Dolby alone.
fn by_audio_tag(tag: u32) -> Option<&'static str> {
    match tag {
        mp3::AUDIO_TAG => Some(mp3::NAME),
        255 => Some("AACL"),
        353 => Some("WMA2"),
        354 => Some("WMAP"),
        65_534 => Some("EC-3"),
        _ => None,
    }
}

/// The custom attribute `codecs` of a quality, when it is one codec string and nothing else.
fn declared_codecs(quality: &QualityLevel) -> Option<String> {
    let named = |name: &str| name.eq_ignore_ascii_case("codecs");
    let value = &quality.custom_attributes.iter().find(|found| named(&found.name))?.value;
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte);
    (!value.is_empty() && value.bytes().all(usual)).then(|| value.clone())
}

fn video(entry: &VisualSampleEntry, nal_length_size: u8) -> Format {
    Format::Video { width: entry.width.into(), height: entry.height.into(), nal_length_size }
}

/// Returns what an audio entry says when its codec's configuration says nothing.
fn audio(entry: &AudioSampleEntry) -> Format {
    Format::Audio {
        sampling_rate: entry.sample_rate >> 16,
        channels: entry.channel_count.into(),
        bits_per_sample: entry.sample_size.into(),
        packet_size: 4,
        audio_tag: 0,
    }
}

/// The size of the picture, as a sample entry can hold it.
fn picture(description: &Description, format: FourCc) -> Result<VisualSampleEntry, Error> {
    let Format::Video { width, height, .. } = description.format else {
        return Err(invalid("a video codec for a stream that is not video"));
    };
    let side = |side| u16::try_from(side).map_err(|_| invalid("a picture wider than 65,535"));
    let (width, height) = (side(width)?, side(height)?);
    Ok(VisualSampleEntry { format, width, height, boxes: Default::default() })
}

/// An audio entry of what the manifest says.
fn sound(
    description: &Description,
    format: [u8; 4],
    boxes: Boxes,
) -> Result<AudioSampleEntry, Error> {
    let Format::Audio { sampling_rate, channels, .. } = description.format else {
        return Err(invalid("an audio codec for a stream that is not audio"));
    };
    Ok(AudioSampleEntry {
        format: FourCc(format),
        channel_count: u16::try_from(channels).unwrap_or(2),
        sample_size: 16,
        // 16.16 fixed point holds no rate above 65,535; 0 then, as others write it.
        sample_rate: u16::try_from(sampling_rate).map_or(0, |rate| u32::from(rate) << 16),
        boxes,
    })
}

/// Returns the error for something that `entry` lacks, with its place.
fn missing(entry: &SampleEntry, what: &'static str, clause: &'static str) -> Error {
    Error::at(entry.offset, ErrorKind::Missing { what, clause }).inside(entry.format())
}

fn invalid(what: &str) -> Error {
    ErrorKind::Invalid { what: what.into(), clause: "[MS-SSTR] 2.2.2.5, CodecPrivateData" }.into()
}

/// Parses pairs of hexadecimal digits, in either case.
pub(crate) fn hex(text: &str) -> Result<Bytes, Error> {
    let digits: Option<Vec<u8>> =
        text.trim().chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0);
    let digits = digits.ok_or_else(|| invalid("not pairs of hexadecimal digits"))?;
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_in_either_case_and_written_in_upper() {
        assert_eq!(to_hex(&hex(" 01aBfF ").unwrap()), "01ABFF");
        assert_eq!(hex("").unwrap(), "");
        for text in ["0", "0g", "ffffffX1"] {
            assert!(hex(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_audio_codec_is_known_by_its_tag_or_its_wave_format_where_it_has_no_name() {
        let stream = StreamIndex::new(StreamKind::Audio);
        let mut quality = QualityLevel { audio_tag: Some(255), ..QualityLevel::default() };
        let by_tag = Description::of(&stream, &quality).unwrap();
        assert_eq!(by_tag.tag, CodecTag::AACL);
        quality.audio_tag = None;
        quality.wave_format_ex = Some("FF00020044AC0000007D000004001000020012 10".replace(' ', ""));
        let by_wave = Description::of(&stream, &quality).unwrap();
        assert_eq!((by_wave.tag, by_wave.private_data), (CodecTag::AACL, hex("1210").unwrap()));
        let Format::Audio { sampling_rate, channels, .. } = by_wave.format else {
            panic!("an audio stream")
        };
        assert_eq!((sampling_rate, channels), (44_100, 2));
        // What the attributes say goes first.
        quality.four_cc = Some("AACH".into());
        quality.codec_private_data = Some("1208".into());
        let said = Description::of(&stream, &quality).unwrap();
        assert_eq!((said.tag, said.private_data), (CodecTag::AACH, hex("1208").unwrap()));
        quality.wave_format_ex = Some("FFG0".into());
        assert!(Description::of(&stream, &quality).is_err());
    }

    #[test]
    fn a_format_that_is_not_known_passes_through_by_its_name() {
        let entry = VisualSampleEntry {
            format: FourCc(*b"vp09"),
            width: 640,
            height: 360,
            boxes: Default::default(),
        };
        let described =
            Description::of_entry(StreamKind::Video, &entry.to_entry(), &Limits::default());
        let described = described.unwrap();
        assert_eq!(described.tag.as_str(), "VP09");
        assert_eq!(described.quality(5).max_width, Some(640));
        assert_eq!(described.rfc6381(), None);
        assert!(described.sample_entry().is_err());
    }
}
