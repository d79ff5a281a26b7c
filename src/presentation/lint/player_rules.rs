//! Attributes of client manifests that a named player does not take.

use crate::presentation::FindingCode;

/// Declares the table.
macro_rules! rules {
    ($($name:ident $code:ident $player:literal $where:literal $effect:literal $cure:literal,)*) => {
        /// An attribute of a client manifest that a named player does not take.
        ///
        /// The versions are those whose code was read or run.
        ///
        /// ```
        /// use smooth_origin::presentation::PlayerRule;
        ///
        /// let shaka = PlayerRule::ALL.iter().filter(|rule| rule.player().contains("Shaka"));
        /// assert!(shaka.count() > 0);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum PlayerRule {
            $(#[doc = concat!($player, ": ", $where, ". It ", $effect, ".")] $name,)*
        }

        impl PlayerRule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The players, with their versions.
            pub fn player(self) -> &'static str {
                match self { $(Self::$name => $player,)* }
            }

            /// The element, the attribute, and what of it is not taken.
            pub fn place(self) -> &'static str {
                match self { $(Self::$name => $where,)* }
            }

            /// Returns the effect: the rest of a sentence that begins with the player.
            pub fn effect(self) -> &'static str {
                match self { $(Self::$name => $effect,)* }
            }

            /// Returns the remedy, as a sentence.
            pub fn cure(self) -> &'static str {
                match self { $(Self::$name => $cure,)* }
            }

            /// The code of its findings.
            pub fn code(self) -> FindingCode {
                match self { $(Self::$name => FindingCode::$code,)* }
            }
        }
    };
}

rules! {
    RxVersion PlayerRefuses "RxPlayer 4.5.0"
        "SmoothStreamingMedia, MajorVersion and MinorVersion: other than 2.0, 2.1 and 2.2"
        "refuses the whole film"
        "write MajorVersion 2 and MinorVersion 0 to 2",
    RxStream PlayerRefuses "RxPlayer 4.5.0"
        "QualityLevel of pictures or sound, FourCC: none of the stream's is AACL, AVC1 or H264"
        "finds no playable quality in the stream and refuses the whole film"
        "encode the stream as H.264 or AAC, or take the stream out of the manifest",
    RxQuality PlayerLimited "RxPlayer 4.5.0"
        "QualityLevel of pictures or sound, FourCC: not that of every quality is AACL, AVC1 or H264"
        "leaves the other qualities out"
        "encode them as H.264 or AAC",
    FourCcCase PlayerRefuses "RxPlayer 4.5.0, dash.js 5.2.1, GStreamer 1.22.0"
        "QualityLevel, FourCC: small letters"
        "do not recognize the codec"
        "write it in capitals",
    FourCcNone PlayerRefuses "media3, dash.js 5.2.1, Shaka Player 4.16.50"
        "QualityLevel of pictures or sound, FourCC: none"
        "refuse the film (media3) or leave pictures out"
        "give each QualityLevel its FourCC: H264, AACL",
    BrowserCodec PlayerLimited "dash.js 5.2.1, Shaka Player 4.16.50"
        "QualityLevel of pictures or sound, FourCC: other than H264, AVC1, AAC, AACL, AACH and AACP"
        "leave the quality out"
        "encode it as H.264 or AAC",
    PictureSize PlayerRefuses "media3"
        "QualityLevel of pictures, MaxWidth and MaxHeight: missing"
        "refuses the whole film"
        "give each QualityLevel of pictures its MaxWidth and MaxHeight",
    SoundFormat PlayerRefuses "media3"
        "QualityLevel of sound, SamplingRate and Channels: missing"
        "refuses the whole film"
        "give each QualityLevel of sound its SamplingRate and Channels",
    TextSubtype PlayerRefuses "media3"
        "StreamIndex of text, Subtype: missing"
        "refuses the whole film"
        "give the StreamIndex its Subtype: CAPT or SUBT",
    Placeholders PlayerRefuses "dash.js 5.2.1, Shaka Player 4.16.50, RxPlayer 4.5.0"
        "StreamIndex, Url: {Bitrate} or {start_time}"
        "ask for fragments by these very letters"
        "write {bitrate} and {start time}",
    CustomAttributes PlayerRefuses "media3, dash.js 5.2.1, Shaka Player 4.16.50"
        "StreamIndex, Url: {CustomAttributes}"
        "ask for fragments by these very letters"
        "give the qualities different bitrates (1 more will do) and leave {CustomAttributes} out",
    SeveralAttributes PlayerRefuses "RxPlayer 4.5.0"
        "QualityLevel, CustomAttributes: more than one, and the Url has {CustomAttributes}"
        "asks with the first alone"
        "leave one attribute that tells the qualities apart",
    NalLength PlayerRefuses "media3"
        "QualityLevel of H.264, NALUnitLengthField: other than 4"
        "takes 4 bytes for the length of each NAL unit and shows nothing"
        "package the film again, with lengths of 4 bytes",
    LastProtection PlayerRefuses "media3"
        "Protection: the last ProtectionHeader is not PlayReady's"
        "takes the last ProtectionHeader alone, for that of PlayReady, and fails while it reads the manifest"
        "write PlayReady's ProtectionHeader last",
    KeyInHeader PlayerRefuses "media3"
        "Protection, the header of PlayReady: no element <KID>…</KID>"
        "fails while it reads the manifest"
        "write the header in its version 4.0.0.0",
    PictureData PlayerRefuses "Shaka Player 4.16.50, RxPlayer 4.5.0, yt-dlp 2026.10.26"
        "QualityLevel of pictures, CodecPrivateData: missing or empty"
        "leave the quality out (Shaka Player, RxPlayer) or fail (yt-dlp)"
        "write the parameter sets of the file's codec in hexadecimal",
    SoundData PlayerRefuses "RxPlayer 4.5.0, dash.js 5.2.1"
        "QualityLevel of sound, CodecPrivateData: missing (an empty one is taken)"
        "leaves the quality out (RxPlayer) or fails while it reads the manifest (dash.js)"
        "write CodecPrivateData=\"\", or better the configuration of the file's codec",
    ParameterSets PlayerRefuses "yt-dlp 2026.10.26"
        "QualityLevel of H.264, CodecPrivateData: not one SPS and one PPS, each behind 00000001"
        "cannot download the quality"
        "write one SPS and one PPS, each behind 00000001",
}
