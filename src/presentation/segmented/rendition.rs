//! Names of tracks in the URLs of segments, which DASH, HLS and CMAF share.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::manifest::StreamKind;
use crate::presentation::{Presentation, Stream, Track};

/// A track in one of the forms in which its segments are served: a Representation of DASH, a media
/// playlist of HLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rendition {
    pub(crate) stream: usize,
    pub(crate) track: usize,
    pub(crate) form: Form,
}

impl Rendition {
    /// Returns a number that no other track has, whatever the form.
    pub(crate) fn number(self) -> u32 {
        // A presentation has at most 1,024 tracks unless its limits are raised; the validator of a
        // segment also has its time.
        let number = (self.stream as u64) << 16 | (self.track as u64 & 0xffff);
        number as u32
    }
}

/// The form of a track's segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The stored samples.
    Stored,
    /// The first key frame of each chunk.
    KeyFrames,
    /// Text as files of WebVTT.
    WebVtt,
    /// Text as WebVTT in samples of MP4.
    Wvtt,
}

impl Form {
    const ALL: [Self; 4] = [Self::Stored, Self::KeyFrames, Self::WebVtt, Self::Wvtt];

    /// Returns what a name ends with.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Stored => "",
            Self::KeyFrames => ".key",
            Self::WebVtt => ".vtt",
            Self::Wvtt => ".wvtt",
        }
    }

    /// Returns the extension of the segments' names.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::WebVtt => "vtt",
            Self::Stored | Self::KeyFrames | Self::Wvtt => "m4s",
        }
    }

    /// Returns whether a track of this kind of stream has the form.
    fn is_of(self, kind: StreamKind, track: &Track) -> bool {
        match self {
            Self::Stored => true,
            Self::KeyFrames => kind == StreamKind::Video,
            Self::WebVtt | Self::Wvtt => kind == StreamKind::Text && track.is_ttml(),
        }
    }
}

/// Characters of a stream's name that need no escape in a path, a playlist, or a template of DASH.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The name of a rendition: `video-952962`, `audio_eng-64000~2`, `video-952962.key`.
///
/// It is the stream's name, percent-encoded, and the track's bitrate; `~2` for the second of the
/// tracks that have both alike; then the form.
pub(crate) struct RenditionName<'a> {
    stream: &'a str,
    bitrate: u32,
    /// Number of tracks with the same name and bitrate before this one.
    alike: usize,
    form: Form,
}

impl<'a> RenditionName<'a> {
    /// Returns the name of a track, without the number that sets it apart from tracks that are alike.
    pub(super) fn of(stream: &'a Stream, track: &Track) -> Self {
        Self { stream: &stream.name, bitrate: track.bitrate, alike: 0, form: Form::Stored }
    }

    /// Returns bytes of the name.
    pub(super) fn len(&self) -> usize {
        self.to_string().len()
    }
}

impl fmt::Display for RenditionName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", utf8_percent_encode(self.stream, ESCAPED), self.bitrate)?;
        if self.alike > 0 {
            write!(f, "~{}", self.alike + 1)?;
        }
        f.write_str(self.form.suffix())
    }
}

impl Presentation {
    /// Returns the name of a rendition in URLs.
    pub(crate) fn rendition_name(&self, of: Rendition) -> RenditionName<'_> {
        let stream = &self.streams[of.stream];
        let bitrate = stream.tracks[of.track].bitrate;
        let alike = self.tracks_named(&stream.name, bitrate);
        let alike = alike.take_while(|&(s, t)| (s, t) != (of.stream, of.track)).count();
        RenditionName { stream: &stream.name, bitrate, alike, form: of.form }
    }

    /// Finds the rendition that has this name, as it is in a URL.
    pub(crate) fn find_rendition(&self, name: &str) -> Option<Rendition> {
        // The form whose suffix leaves a name that ends in a digit: no suffix does.
        let (track, form) = Form::ALL.into_iter().find_map(|form| {
            let track = name.strip_suffix(form.suffix())?;
            track.as_bytes().last()?.is_ascii_digit().then_some((track, form))
        })?;
        let (stream, number) = track.rsplit_once('-')?;
        let (bitrate, alike) = match number.split_once('~') {
            Some((bitrate, nth)) => {
                let nth = decimal(nth)?.checked_sub(1).filter(|&alike| alike > 0)?;
                (bitrate, usize::try_from(nth).ok()?)
            }
            None => (number, 0),
        };
        let bitrate = u32::try_from(decimal(bitrate)?).ok()?;
        let stream = match stream.as_bytes().contains(&b'%') {
            true => percent_decode_str(stream).decode_utf8().ok()?,
            false => Cow::Borrowed(stream),
        };
        let (stream, track) = self.tracks_named(&stream, bitrate).nth(alike)?;
        let found = &self.streams[stream];
        let is_of = form.is_of(found.kind, &found.tracks[track]);
        is_of.then_some(Rendition { stream, track, form })
    }

    /// Returns the numbers of all tracks of this bitrate in streams of this name.
    fn tracks_named(&self, name: &str, bitrate: u32) -> impl Iterator<Item = (usize, usize)> {
        let named = self.streams.iter().enumerate().filter(move |(_, stream)| stream.name == name);
        named.flat_map(move |(number, stream)| {
            let tracks = stream.tracks.iter().enumerate();
            let tracks = tracks.filter(move |(_, track)| track.bitrate == bitrate);
            tracks.map(move |(track, _)| (number, track))
        })
    }
}

/// Returns a number that is written in the one way that a name has it.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    match text.as_bytes() {
        [b'1'..=b'9', ..] => text.parse().ok(),
        [b'0'] => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        for (text, number) in [("0", Some(0)), ("90", Some(90)), ("07", None), ("+7", None)] {
            assert_eq!(decimal(text), number, "{text}");
        }
        for text in ["", "-1", "1 ", "18446744073709551616", "٣"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
