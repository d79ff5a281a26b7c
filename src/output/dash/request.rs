//! The grammar of requests for an MPD.

use std::fmt;

/// A request for a manifest of DASH. `Display` writes what `parse` reads.
///
/// ```
/// use smooth_origin::output::dash::Request;
/// assert_eq!(Request::parse("manifest.mpd"), Some(Request::Mpd));
/// assert_eq!(Request::parse(".mpd"), Some(Request::Mpd), "as the origin of Unified names it");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// `manifest.mpd`: the media presentation description.
    Mpd,
    /// `trick.mpd`: the same, with Adaptation Sets of key frames alone for fast forward and reverse. It is
    /// apart because the `dashdemux` of GStreamer plays such a set as if it were the film.
    MpdWithKeyFrames,
    /// `wvtt.mpd`: the same as `manifest.mpd`, with text as WebVTT (`wvtt`) in place of TTML (`stpp`). It is
    /// apart because dash.js 5, Shaka Player 5 and RxPlayer 4 would offer each language twice.
    MpdWithWebVtt,
}

impl Request {
    /// Reads what follows the presentation's name in a URL. `None` if it is not a request for a
    /// manifest of DASH.
    pub fn parse(path: &str) -> Option<Self> {
        match path {
            "manifest.mpd" | ".mpd" => Some(Self::Mpd),
            "trick.mpd" => Some(Self::MpdWithKeyFrames),
            "wvtt.mpd" => Some(Self::MpdWithWebVtt),
            _ => None,
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mpd => f.write_str("manifest.mpd"),
            Self::MpdWithKeyFrames => f.write_str("trick.mpd"),
            Self::MpdWithWebVtt => f.write_str("wvtt.mpd"),
        }
    }
}
