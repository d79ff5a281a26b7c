//! The client manifest, `.ismc` and the answer to `/Manifest`: what there is to play.

mod attribute_value;
mod chunk;
mod corrections;
mod document;
mod other_attributes;
mod read;
mod stored;
mod url;
mod write;

#[cfg(feature = "unstable-formats")]
pub use chunk::runs;
#[cfg(not(feature = "unstable-formats"))]
pub(crate) use chunk::runs;
pub use chunk::{Chunk, ChunkDetails, FragmentData};
pub(crate) use document::ClientDocument;
pub use other_attributes::OtherAttributes;
use stored::Replacement;
pub(crate) use stored::{Edit, Spans, Stored};
pub use write::Layout;

use std::borrow::Cow;

use super::{Attributes, StreamKind};
use crate::base::{Error, Guid, Limits, Timescale};

/// A client manifest: `SmoothStreamingMedia`.
///
/// Spec: [MS-SSTR] 2.2.2.1. Read: versions 1.x and 2.0 to 2.2. Attributes that are not understood
/// are kept; so are values that are not of their attribute's type, where nothing hangs on them.
///
/// ```
/// use smooth_origin::base::Limits;
/// use smooth_origin::manifest::{ClientManifest, Layout};
///
/// let text = br#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="1" Duration="40000000">
///   <StreamIndex Type="video" Url="QualityLevels({bitrate})/Fragments(video={start time})">
///     <QualityLevel Index="0" Bitrate="952962" FourCC="H264" CodecPrivateData=""/>
///     <c d="20000000" r="2"/>
///   </StreamIndex>
/// </SmoothStreamingMedia>"#;
/// let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
/// assert_eq!(manifest.streams[0].name(), "video");
/// let full = manifest.to_xml(Layout::Full, &Limits::default()).unwrap();
/// assert!(full.contains("<c t=\"0\" d=\"20000000\"/>\n<c d=\"20000000\"/>"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientManifest {
    /// 2; 1 is met.
    pub major_version: u32,
    /// 0, 1 or 2; `c@r` and HEVC want 2.
    pub minor_version: u32,
    /// `TimeScale`: units of `duration` and of streams that name none; 10,000,000 if absent.
    pub timescale: Option<Timescale>,
    /// `Duration`; 0 if unknown.
    pub duration: u64,
    /// `IsLive`.
    pub is_live: Option<bool>,
    /// `LookaheadCount`, the specification's name.
    pub lookahead_count: Option<u32>,
    /// `LookAheadFragmentCount`, the name that servers write.
    pub look_ahead_fragment_count: Option<u32>,
    /// `DVRWindowLength`; 0 or absent in live means everything.
    pub dvr_window_length: Option<u64>,
    /// `CanSeek`.
    pub can_seek: Option<bool>,
    /// `CanPause`.
    pub can_pause: Option<bool>,
    /// `CustomAttributes` of the presentation.
    pub custom_attributes: Vec<CustomAttribute>,
    /// `ProtectionHeader`s.
    pub protection: Vec<ProtectionHeader>,
    /// `StreamIndex` elements.
    pub streams: Vec<StreamIndex>,
    /// Attributes that are not understood.
    pub other: Attributes,
}

/// One stream: one kind, name and timescale.
///
/// Spec: [MS-SSTR] 2.2.2.3, `StreamIndex`.
///
/// ```
/// use smooth_origin::manifest::{StreamIndex, StreamKind};
///
/// let mut stream = StreamIndex::new(StreamKind::Audio);
/// assert_eq!(stream.name(), "audio");
/// stream.language = Some("eng".into());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamIndex {
    /// `Type`.
    pub kind: StreamKind,
    /// `Subtype`: `CAPT`, `SUBT`, `CHAP`, …
    pub subtype: Option<String>,
    /// `Name`; URLs have it where `url` has no name: see [`StreamIndex::name`].
    pub name: Option<String>,
    /// `TimeScale` of its chunks; the presentation's if absent.
    pub timescale: Option<Timescale>,
    /// `Language`.
    pub language: Option<String>,
    /// `Chunks` as declared; children are what counts.
    pub declared_chunks: Option<u64>,
    /// `QualityLevels` as declared; children are what counts.
    pub declared_qualities: Option<u32>,
    /// `MaxWidth` in pixels.
    pub max_width: Option<u32>,
    /// `MaxHeight` in pixels.
    pub max_height: Option<u32>,
    /// `DisplayWidth` in pixels.
    pub display_width: Option<u32>,
    /// `DisplayHeight` in pixels.
    pub display_height: Option<u32>,
    /// `ParentStreamIndex`: its presence makes the stream sparse.
    pub parent: Option<String>,
    /// `ManifestOutput`: samples are embedded in `f`.
    pub manifest_output: Option<bool>,
    /// `FourCC`, for qualities that have none.
    pub four_cc: Option<String>,
    /// `Index`.
    pub index: Option<u32>,
    /// `Scheme`.
    pub scheme: Option<String>,
    /// `Url` template.
    pub url: Option<String>,
    /// `QualityLevel` elements.
    pub qualities: Vec<QualityLevel>,
    /// `c` elements.
    pub chunks: Vec<Chunk>,
    /// Attributes that are not understood.
    pub other: Attributes,
}

/// One bitrate of a stream.
///
/// Spec: [MS-SSTR] 2.2.2.5, `QualityLevel`.
///
/// ```
/// use smooth_origin::manifest::QualityLevel;
///
/// let mut quality = QualityLevel::default();
/// quality.bitrate = 952_962;
/// quality.four_cc = Some("H264".into());
/// (quality.max_width, quality.max_height) = (Some(640), Some(360));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QualityLevel {
    /// `Index`, what `f@i` refers to.
    pub index: Option<u32>,
    /// `Bitrate` in bits per second: the key in URLs; 0 where none is named, as with
    /// captions in the specification's own example.
    pub bitrate: u32,
    /// `NominalBitrate` in bits per second.
    pub nominal_bitrate: Option<u32>,
    /// `BufferTime` in milliseconds.
    pub buffer_time: Option<u32>,
    /// `FourCC`.
    pub four_cc: Option<String>,
    /// `MaxWidth`, or the older `Width`, in pixels.
    pub max_width: Option<u32>,
    /// `MaxHeight`, or the older `Height`, in pixels.
    pub max_height: Option<u32>,
    /// `CodecPrivateData`, as written; hexadecimal.
    pub codec_private_data: Option<String>,
    /// `NALUnitLengthField` in bytes; 4 if absent.
    pub nal_unit_length_field: Option<u32>,
    /// `SamplingRate` in hertz.
    pub sampling_rate: Option<u32>,
    /// `Channels`.
    pub channels: Option<u32>,
    /// `BitsPerSample`.
    pub bits_per_sample: Option<u32>,
    /// `PacketSize` in bytes.
    pub packet_size: Option<u32>,
    /// `AudioTag`: `wFormatTag` of a WAVEFORMATEX.
    pub audio_tag: Option<u32>,
    /// `WaveFormatEx`, the older form of the five before; hexadecimal.
    pub wave_format_ex: Option<String>,
    /// `CustomAttributes`, in order.
    pub custom_attributes: Vec<CustomAttribute>,
    /// Attributes that are not understood.
    pub other: Attributes,
}

/// A name and a value that extend a fragment's URL.
///
/// Spec: [MS-SSTR] 2.2.2.5.1.
///
/// ```
/// use smooth_origin::manifest::CustomAttribute;
///
/// // Requests name it: `QualityLevels(500000,cam=2)/Fragments(video=0)`.
/// let camera = CustomAttribute { name: "cam".into(), value: "2".into() };
/// # let _ = camera;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CustomAttribute {
    /// `Name`.
    pub name: String,
    /// `Value`.
    pub value: String,
}

/// Data from which a player gets a licence.
///
/// Spec: [MS-SSTR] 2.2.2.2.
///
/// ```
/// use smooth_origin::Limits;
/// use smooth_origin::manifest::ClientManifest;
/// # let text = br#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="1" Duration="40000000">
/// #   <Protection><ProtectionHeader SystemID="9a04f079-9840-4286-ab92-e65be0885f95">AA==</ProtectionHeader></Protection>
/// #   <StreamIndex Type="video" Url="QualityLevels({bitrate})/Fragments(video={start time})">
/// #     <QualityLevel Index="0" Bitrate="952962" FourCC="H264" CodecPrivateData=""/>
/// #     <c t="0" d="20000000" n="0"><f i="0" s="1234"/></c><c d="20000000"/>
/// #   </StreamIndex>
/// # </SmoothStreamingMedia>"#;
///
/// let manifest = ClientManifest::parse(text, &Limits::default()).unwrap();
/// let playready = "9a04f079-9840-4286-ab92-e65be0885f95".parse().unwrap();
/// assert!(manifest.protection.iter().any(|header| header.system_id == Some(playready)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtectionHeader {
    /// `SystemID`; `None` when it is no GUID.
    pub system_id: Option<Guid>,
    /// Base64 without white space, as written.
    pub data: String,
    /// Attributes that are not understood.
    pub other: Attributes,
}

impl Default for ClientManifest {
    /// A manifest of version 2.0 with nothing in it.
    fn default() -> Self {
        Self {
            major_version: 2,
            minor_version: 0,
            timescale: None,
            duration: 0,
            is_live: None,
            lookahead_count: None,
            look_ahead_fragment_count: None,
            dvr_window_length: None,
            can_seek: None,
            can_pause: None,
            custom_attributes: Vec::new(),
            protection: Vec::new(),
            streams: Vec::new(),
            other: Vec::new(),
        }
    }
}

impl ClientManifest {
    /// Reads a client manifest in whatever encoding it is stored.
    ///
    /// # Errors
    /// [`Xml`](crate::base::ErrorKind::Xml) when it is not well-formed or not
    /// `SmoothStreamingMedia`, [`Invalid`](crate::base::ErrorKind::Invalid) when a bitrate, a time
    /// or a kind is not what it must be, [`Budget`](crate::base::ErrorKind::Budget) beyond a limit.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        Ok(Stored::parse_strictly(bytes, limits)?.manifest)
    }

    /// Units of [`duration`](Self::duration).
    pub fn timescale(&self) -> Timescale {
        self.timescale.unwrap_or(Timescale::SMOOTH)
    }

    /// Units of a stream's chunks.
    pub fn timescale_of(&self, stream: &StreamIndex) -> Timescale {
        stream.timescale.unwrap_or(self.timescale())
    }
}

impl StreamIndex {
    /// A stream of `kind` with this `Name`, and with the `Url` by which players request its
    /// fragments.
    ///
    /// ```
    /// use smooth_origin::Limits;
    /// use smooth_origin::manifest::{ClientManifest, Layout, StreamIndex, StreamKind};
    ///
    /// let mut manifest = ClientManifest::default();
    /// manifest.streams.push(StreamIndex::named(StreamKind::Audio, "sound"));
    /// let text = manifest.to_xml(Layout::Compact, &Limits::default()).unwrap();
    /// assert!(text.contains(r#"MajorVersion="2""#));
    /// assert!(text.contains(r#"Url="QualityLevels({bitrate})/Fragments(sound={start time})""#));
    /// ```
    pub fn named(kind: StreamKind, name: &str) -> Self {
        let url = Some(url::template(name));
        Self { name: Some(name.to_owned()), url, ..Self::new(kind) }
    }

    /// A stream of `kind` with nothing in it. Set its [`url`](Self::url), or use
    /// [`named`](Self::named): players need it.
    pub fn new(kind: StreamKind) -> Self {
        Self {
            kind,
            subtype: None,
            name: None,
            timescale: None,
            language: None,
            declared_chunks: None,
            declared_qualities: None,
            max_width: None,
            max_height: None,
            display_width: None,
            display_height: None,
            parent: None,
            manifest_output: None,
            four_cc: None,
            index: None,
            scheme: None,
            url: None,
            qualities: Vec::new(),
            chunks: Vec::new(),
            other: Vec::new(),
        }
    }

    /// The name in URLs: the one in the `Url` template, percent-decoded; else `Name`; else the kind.
    /// Players ask for what `Url` says, and many producers put a title into `Name`.
    ///
    /// Spec: [MS-SSTR] 2.2.2.3, `Name` and `Url`.
    pub fn name(&self) -> Cow<'_, str> {
        let in_url = self.url.as_deref().and_then(url::stream_name);
        in_url.unwrap_or_else(|| Cow::from(self.name.as_deref().unwrap_or(self.kind.as_str())))
    }

    /// Returns what says of which scheme its samples are, if they are events: an attribute, or one of a quality,
    /// which one text of Azure calls `Schema`.
    ///
    /// Spec: Azure Media Services, timed metadata in live streaming, 2.1.3.
    pub(crate) fn event_scheme(&self) -> Option<&str> {
        let mut attributes = self.qualities.iter().flat_map(|of| &of.custom_attributes);
        let is_it =
            |name: &str| ["Scheme", "Schema"].iter().any(|of| name.eq_ignore_ascii_case(of));
        let of_quality = || attributes.find(|of| is_it(&of.name)).map(|of| &*of.value);
        self.scheme.as_deref().or_else(of_quality)
    }

    /// Returns whether its samples are events (commands, chapters, advertisements, data) and not
    /// subtitles. This is so for a stream of text if its samples are in the manifest itself, if its
    /// `Subtype` says so, or if it is sparse (`ParentStreamIndex`) and none of its qualities has a
    /// `FourCC` of subtitles.
    ///
    /// ```
    /// use smooth_origin::manifest::{StreamIndex, StreamKind};
    /// let mut stream = StreamIndex::new(StreamKind::Text);
    /// stream.subtype = Some("CAPT".into());
    /// assert!(!stream.is_of_events());
    /// stream.subtype = Some("SCMD".into());
    /// assert!(stream.is_of_events());
    /// ```
    pub fn is_of_events(&self) -> bool {
        const EVENTS: [&str; 9] =
            ["SCMD", "CHAP", "CTRL", "DATA", "EVENT", "EVNT", "MARK", "ADI3", "ADVT"];
        const SUBTITLES: [&str; 4] = ["TTML", "DFXP", "WVTT", "STPP"];
        let is_one_of = |text: Option<&str>, words: &[&str]| {
            let text = text.unwrap_or_default().trim();
            words.iter().any(|word| text.eq_ignore_ascii_case(word))
        };
        let is_subtitle = |quality: &QualityLevel| {
            let own = quality.four_cc.as_deref().filter(|own| !own.trim().is_empty());
            is_one_of(own.or(self.four_cc.as_deref()), &SUBTITLES)
        };
        self.kind == StreamKind::Text
            && (self.is_embedded()
                || is_one_of(self.subtype.as_deref(), &EVENTS)
                || self.parent.is_some() && !self.qualities.iter().any(is_subtitle))
    }

    /// Returns whether its `Url`, if it has one, leads to requests that are answered here.
    pub(crate) fn is_asked_for_by_url(&self) -> bool {
        self.url.as_deref().is_none_or(|template| url::asks_for(template, &self.name()))
    }

    /// Returns the bitrate that its `Url` names in the place of `{bitrate}`, so that players send the
    /// same requests for all of its qualities, if it has several.
    pub(crate) fn only_bitrate_asked_for(&self) -> Option<u32> {
        let template = self.url.as_deref().filter(|_| self.qualities.len() > 1)?;
        url::fixed_bitrate(template)
    }

    /// Its samples are in the manifest itself.
    pub fn is_embedded(&self) -> bool {
        self.manifest_output == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_called_as_its_url_says_and_otherwise_by_its_name_or_kind() {
        let mut stream = StreamIndex::new(StreamKind::Text);
        assert_eq!(stream.name(), "text");
        stream.name = Some("English".into());
        assert_eq!(stream.name(), "English");
        stream.url = Some("QualityLevels({bitrate})/Fragments(sub%20eng={start time})".into());
        assert_eq!(stream.name(), "sub eng");
        stream.url = Some("QualityLevels({bitrate})/Fragments(={start time})".into());
        assert_eq!(stream.name(), "English");
    }
}
