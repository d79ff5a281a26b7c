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
    /// `TIME-FROM.m4s`: the segment of the chunk that starts at `time`, from the sample on whose start
    /// is nearest to `from`. HLS has one for sound that starts before the pictures. Both are in ticks
    /// of the stream.
    Cut {
        /// Start of the chunk.
        time: u64,
        /// The start of the pictures.
        from: u64,
    },
    /// `TIME-until-UNTIL.m4s`: the segment of the chunk that starts at `time`, whose last picture is shown
    /// until `until`. HLS has one before a gap in the pictures alone. Both are in ticks of the stream.
    Held {
        /// Start of the chunk.
        time: u64,
        /// Start of the next chunk.
        until: u64,
    },
    /// `silence-FROM-TO.m4s`: silence, which HLS has before sound that starts after the pictures, and in
    /// gaps of the sound alone. Both are in ticks of the stream.
    Silence {
        /// Start of the silence.
        from: u64,
        /// End of the silence.
        to: u64,
    },
    /// `TIME.vtt`: the same as a file of WebVTT.
    Text(u64),
    /// `FROM-TO.vtt`: a file of WebVTT with the captions of an event that are shown from one time to another, perhaps
    /// none. HLS has one for each segment of the pictures. Both are in ticks of the stream.
    Captions {
        /// Start of the stretch.
        from: u64,
        /// End of the stretch.
        to: u64,
    },
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
        let part = match (file.strip_suffix(".m4s"), file.strip_suffix(".vtt")) {
            (Some(times), _) => match times.split_once('-') {
                None => Part::Segment(decimal(times)?),
                Some(("silence", times)) => {
                    let (from, to) = times.split_once('-')?;
                    Part::Silence { from: decimal(from)?, to: decimal(to)? }
                }
                Some((time, rest)) => {
                    let time = decimal(time)?;
                    match rest.strip_prefix("until-") {
                        Some(until) => Part::Held { time, until: decimal(until)? },
                        None => Part::Cut { time, from: decimal(rest)? },
                    }
                }
            },
            (None, Some(times)) => match times.split_once('-') {
                None => Part::Text(decimal(times)?),
                Some((from, to)) => Part::Captions { from: decimal(from)?, to: decimal(to)? },
            },
            (None, None) if file == "init.mp4" => Part::Init,
            (None, None) => return None,
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
            Part::Cut { time, from } => write!(f, "{time}-{from}.m4s"),
            Part::Held { time, until } => write!(f, "{time}-until-{until}.m4s"),
            Part::Silence { from, to } => write!(f, "silence-{from}-{to}.m4s"),
            Part::Text(time) => write!(f, "{time}.vtt"),
            Part::Captions { from, to } => write!(f, "{from}-{to}.vtt"),
        }
    }
}
