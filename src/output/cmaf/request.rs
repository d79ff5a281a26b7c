//! The grammar of requests for segments.

use std::fmt;

use crate::presentation::decimal;

/// A request for a part of a track that DASH and HLS share: `video-952962/20000000.m4s`.
///
/// The first segment of the path names the track ([`rendition`](Self::rendition)), the second the
/// part. `Display` writes what `parse` reads.
///
/// ```
/// use smooth_origin::output::cmaf::{Part, Request};
/// let request = Request::parse("video-952962/20000000.m4s").unwrap();
/// assert_eq!((request.rendition, request.part), ("video-952962", Part::Segment(20_000_000)));
/// assert_eq!(request.to_string(), "video-952962/20000000.m4s");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// Name of a track in one of its forms, percent-encoded: stream and bitrate, perhaps followed by
    /// `.key` for key frames alone, `.vtt` for text as files of WebVTT, `.wvtt` for WebVTT in segments.
    pub rendition: &'a str,
    /// The part that is wanted.
    pub part: Part,
}

/// A part of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// `init.mp4`: the header that sets a decoder up for all segments.
    Init,
    /// `TIME.m4s`: the segment of the chunk that starts at this time, in ticks of the stream.
    Segment(u64),
    /// `TIME.vtt`: the same as a file of WebVTT.
    Text(u64),
}

/// Longest path that is looked at, in bytes.
const MAX_PATH: usize = 4096;

impl<'a> Request<'a> {
    /// Reads what follows the presentation's name in a URL. `None` if it is not a request for a
    /// segment by this grammar.
    pub fn parse(path: &'a str) -> Option<Self> {
        if path.len() > MAX_PATH {
            return None;
        }
        let (rendition, file) = path.split_once('/')?;
        let part = match file {
            "init.mp4" => Part::Init,
            _ => match file.rsplit_once('.')? {
                (time, "m4s") => Part::Segment(decimal(time)?),
                (time, "vtt") => Part::Text(decimal(time)?),
                _ => return None,
            },
        };
        (!rendition.is_empty()).then_some(Self { rendition, part })
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.rendition)?;
        match self.part {
            Part::Init => f.write_str("init.mp4"),
            Part::Segment(time) => write!(f, "{time}.m4s"),
            Part::Text(time) => write!(f, "{time}.vtt"),
        }
    }
}
