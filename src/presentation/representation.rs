//! The kind of a reply: its media type, its class, its validator.

use super::Validator;
use crate::manifest::StreamKind;

/// Everything about a reply but its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Representation {
    validator: Validator,
    media_type: MediaType,
    class: ReplyClass,
    liveness: Liveness,
    is_of_clip: bool,
}

/// The class of a reply: how it may be sent and cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyClass {
    /// A manifest or a playlist: text that is made once per presentation, may be compressed, and
    /// changes when files are replaced.
    Text,
    /// A fragment or a segment, or a part of one.
    Media,
    /// An initialization segment of a track.
    Init,
    /// A file beside the presentations, passed through.
    File,
}

/// The time for which an answer to one URL stays the same, for caches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Liveness {
    /// Until its files are replaced.
    #[default]
    Final,
    /// The presentation is live: its manifest changes all the time, and an announced fragment
    /// disappears with the live window.
    Live,
    /// A fragment of a live presentation that is not announced yet. Its file may still be rewritten
    /// when the fragments that follow it are known.
    Ahead,
}

/// A media type of replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(all(feature = "dash", feature = "hls")),
    allow(dead_code, reason = "DASH and HLS have media types of their own")
)]
pub(crate) enum MediaType {
    /// A client manifest of Smooth Streaming. Shaka Player requires this type.
    SmoothManifest,
    /// A manifest of DASH.
    Mpd,
    /// A playlist of HLS.
    Playlist,
    /// Fragmented MP4 with pictures.
    VideoMp4,
    /// Fragmented MP4 with sound.
    AudioMp4,
    /// Fragmented MP4 with anything else.
    Mp4,
    /// WebVTT.
    WebVtt,
    /// Any file. Its name shows the host what it is.
    OctetStream,
}

impl MediaType {
    /// Number of media types.
    #[cfg(feature = "http")]
    pub(crate) const COUNT: usize = Self::OctetStream as usize + 1;

    /// Returns the media type as header fields have it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SmoothManifest => "application/vnd.ms-sstr+xml",
            Self::Mpd => "application/dash+xml",
            Self::Playlist => "application/vnd.apple.mpegurl",
            Self::VideoMp4 => "video/mp4",
            Self::AudioMp4 => "audio/mp4",
            Self::Mp4 => "application/mp4",
            Self::WebVtt => "text/vtt",
            Self::OctetStream => "application/octet-stream",
        }
    }
}

impl From<StreamKind> for MediaType {
    fn from(kind: StreamKind) -> Self {
        match kind {
            StreamKind::Video => Self::VideoMp4,
            StreamKind::Audio => Self::AudioMp4,
            StreamKind::Text => Self::Mp4,
        }
    }
}

impl Representation {
    /// Text that is kept: a manifest or a playlist.
    pub(crate) fn text(media_type: MediaType, validator: Validator) -> Self {
        Self::new(ReplyClass::Text, media_type, validator)
    }

    /// A fragment or a segment, or a part of one.
    #[inline]
    pub(crate) fn media(media_type: impl Into<MediaType>, validator: Validator) -> Self {
        Self::new(ReplyClass::Media, media_type.into(), validator)
    }

    /// An initialization segment.
    #[cfg_attr(
        not(any(feature = "dash", feature = "hls")),
        allow(dead_code, reason = "Smooth Streaming has none")
    )]
    pub(crate) fn init(media_type: impl Into<MediaType>, validator: Validator) -> Self {
        Self::new(ReplyClass::Init, media_type.into(), validator)
    }

    /// A file beside the presentations.
    pub(crate) fn file(validator: Validator) -> Self {
        Self::new(ReplyClass::File, MediaType::OctetStream, validator)
    }

    #[inline]
    fn new(class: ReplyClass, media_type: MediaType, validator: Validator) -> Self {
        Self { validator, media_type, class, liveness: Liveness::Final, is_of_clip: false }
    }

    /// Sets how long an answer to the same URL stays the same: [`Liveness::Final`] if it is not set.
    pub(crate) fn with_liveness(self, liveness: Liveness) -> Self {
        Self { liveness, ..self }
    }

    /// Sets that it is a manifest of a clip: there may be any number of them, and nothing is kept of one.
    pub(crate) fn of_clip(self) -> Self {
        Self { is_of_clip: true, ..self }
    }

    /// Returns whether it is a manifest of a clip.
    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn is_of_clip(&self) -> bool {
        self.is_of_clip
    }

    /// Media type, such as `video/mp4`. That of a [file](ReplyClass::File) is
    /// `application/octet-stream`, because only its name shows what it is.
    pub fn media_type(&self) -> &'static str {
        self.media_type.as_str()
    }

    #[cfg(feature = "http")]
    #[inline]
    pub(crate) fn media_type_id(&self) -> MediaType {
        self.media_type
    }

    /// Class: text, media, initialization segment, or file.
    #[inline]
    pub fn class(&self) -> ReplyClass {
        self.class
    }

    /// Validator, which distinguishes it from other answers to the same request.
    #[inline]
    pub fn validator(&self) -> Validator {
        self.validator
    }

    /// Time for which an answer to the same URL stays the same.
    #[inline]
    pub fn liveness(&self) -> Liveness {
        self.liveness
    }
}
