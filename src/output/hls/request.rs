//! The grammar of requests for playlists.

use std::fmt;

/// A request for a playlist of HLS. `Display` writes what `parse` reads.
///
/// ```
/// use smooth_origin::output::hls::Request;
/// assert_eq!(Request::parse("master.m3u8"), Some(Request::Multivariant));
/// assert_eq!(Request::parse("video-952962.m3u8"), Some(Request::Media("video-952962")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// `master.m3u8`: the playlist that a player is given.
    Multivariant,
    /// `imsc.m3u8`: the same, with text as TTML in segments in place of WebVTT. TTML keeps images, fonts and
    /// effects; few players of HLS show it.
    MultivariantWithTtml,
    /// `TRACK.m3u8`: the segments of a track in one of its forms, percent-encoded.
    Media(&'a str),
}

/// Longest path that is looked at, in bytes.
const MAX_PATH: usize = 4096;

impl<'a> Request<'a> {
    /// Reads what follows the presentation's name in a URL. `.m3u8`, as Unified's origin names it,
    /// means the multivariant playlist, too. `None` if it is not a request for a playlist.
    pub fn parse(path: &'a str) -> Option<Self> {
        let name = path.strip_suffix(".m3u8").filter(|_| path.len() <= MAX_PATH)?;
        match name {
            "" | "master" => Some(Self::Multivariant),
            "imsc" => Some(Self::MultivariantWithTtml),
            _ if name.contains('/') => None,
            _ => Some(Self::Media(name)),
        }
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Multivariant => f.write_str("master.m3u8"),
            Self::MultivariantWithTtml => f.write_str("imsc.m3u8"),
            Self::Media(rendition) => write!(f, "{rendition}.m3u8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playlist_is_one_segment_of_the_path() {
        assert_eq!(Request::parse(".m3u8"), Some(Request::Multivariant));
        assert_eq!(Request::parse("a-1.key.m3u8"), Some(Request::Media("a-1.key")));
        for path in ["", "m3u8", "a/b.m3u8", "/.m3u8", "master.m3u", "master.M3U8", "x.m3u8/"] {
            assert_eq!(Request::parse(path), None, "{path}");
        }
        let long = format!("{}.m3u8", "x".repeat(MAX_PATH));
        assert_eq!(Request::parse(&long), None);
    }
}
