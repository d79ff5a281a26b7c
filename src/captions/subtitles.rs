//! Files of SubRip and WebVTT.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::cue::{Cue, CueSettings};
use super::loss::{Loss, Losses};
use super::text_format::TextFormat;
use super::ttml::ttml_document;
use super::{subrip, webvtt_reading};
use crate::base::{Error, ErrorKind, Limits, Place, Timescale};
use crate::manifest::Decoded;

/// The cues of a file of SubRip or WebVTT, by start.
///
/// ```
/// use smooth_origin::base::Limits;
/// use smooth_origin::captions::{Subtitles, TextFormat};
///
/// let file = b"1\n00:00:01,000 --> 00:00:02,500\n<i>Fish & chips</i>\n";
/// let subtitles = Subtitles::parse(file, TextFormat::SubRip, &Limits::default())?;
/// assert_eq!(subtitles.cues()[0].start, 10_000_000);
/// assert_eq!(subtitles.cues()[0].text, "<i>Fish &amp; chips</i>");
/// # Ok::<(), smooth_origin::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Subtitles {
    cues: Vec<Cue>,
    losses: Vec<Loss>,
    is_windows_1252: bool,
    has_timestamp_map: bool,
}

impl Subtitles {
    /// Ticks per second of the cues.
    pub const TIMESCALE: Timescale = Timescale::SMOOTH;

    /// Reads a file in UTF-8, or in UTF-16 with a byte order mark. Bytes that are neither are taken for
    /// windows-1252.
    ///
    /// SubRip is read as it is met: numbers may be missing, times may have a point, cues may
    /// have empty lines and overlap in any order; tags of HTML and `{\an8}` count.
    ///
    /// # Errors
    /// - [`ErrorKind::Invalid`] with the line if the file of WebVTT does not begin with `WEBVTT`, if no
    ///   line of times can be read, or for [`TextFormat::Ttml`].
    /// - [`ErrorKind::Missing`] if a file of SubRip has text, but no line of times.
    /// - [`ErrorKind::Budget`] beyond [`Limits::caption_document`], [`Limits::cues`] or
    ///   [`Limits::caption_bytes`].
    ///
    /// Spec: W3C WebVTT, 4 and 6.1. SubRip has no standard.
    pub fn parse(bytes: &[u8], format: TextFormat, limits: &Limits) -> Result<Self, Error> {
        Limits::check("bytes of captions", bytes.len() as u64, limits.caption_document)?;
        let decoded = Decoded::leniently(bytes)?;
        let text = with_line_feeds(&decoded.text);
        let mut losses = Losses::default();
        let mut cues = Vec::new();
        let mut sum = 0;
        let put = |(start, end, settings, text): (u64, u64, CueSettings, String)| {
            Limits::check("cues", cues.len() as u64 + 1, limits.cues as u64)?;
            sum += text.len() as u64;
            Limits::check("bytes of captions", sum, limits.caption_bytes)?;
            cues.push(Cue { start, end, whole_start: start, whole_end: end, settings, text });
            Ok::<(), Error>(())
        };
        let has_timestamp_map = match format {
            TextFormat::SubRip => {
                subrip::read(&text, &mut losses, put)?;
                false
            }
            TextFormat::WebVtt => {
                let rest = text.strip_prefix("WEBVTT");
                if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n']))
                {
                    return Err(invalid(1, "the first line is not `WEBVTT`", WEBVTT));
                }
                webvtt_reading::read(&text, &mut losses, put)?
            }
            TextFormat::Ttml => return Err(invalid(1, "TTML is XML, and has no cues", "TTML1, 5")),
        };
        let losses = losses.into_list();
        if cues.is_empty() {
            let unread = losses.iter().find(|loss| loss.kind == super::LossKind::Time);
            let clause = if format == TextFormat::WebVtt { WEBVTT } else { SUBRIP };
            if let Some(loss) = unread {
                return Err(invalid(loss.line, "no times of a cue can be read", clause));
            }
            if format == TextFormat::SubRip && !text.trim().is_empty() && !text.contains("-->") {
                let what = "line of times, such as `00:00:01,000 --> 00:00:02,000`";
                return Err(ErrorKind::Missing { what, clause }.into());
            }
        }
        cues.sort_by_key(|cue| (cue.start, Reverse(cue.end)));
        let is_windows_1252 = decoded.is_misdeclared();
        Ok(Self { cues, losses, is_windows_1252, has_timestamp_map })
    }

    /// Returns the cues, by start; of several, the longer one first. Times are in units of 100 ns.
    pub fn cues(&self) -> &[Cue] {
        &self.cues
    }

    /// Returns the parts of the file that cues do not have: one entry per kind.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Returns sentences about how the file was read and what was left out of it.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if self.is_windows_1252 {
            notices.push(
                "it is not UTF-8 and was read as windows-1252: save it as UTF-8 if characters are wrong"
                    .to_owned(),
            );
        }
        if self.has_timestamp_map {
            notices.push(
                "its X-TIMESTAMP-MAP is ignored: times count from the start of the film".to_owned(),
            );
        }
        notices.extend(self.losses.iter().map(ToString::to_string));
        notices
    }

    /// Writes the cues as one TTML document, whose times count from the start of the film.
    ///
    /// # Errors
    /// As [`ttml_document`].
    pub fn to_ttml(&self, limits: &Limits) -> Result<String, Error> {
        ttml_document(&self.cues, Self::TIMESCALE, limits)
    }
}

const WEBVTT: &str = "WebVTT, 4.1";
const SUBRIP: &str = "SubRip, which has no standard";

/// Line ends become line feeds (WebVTT, 6.1).
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    match memchr::memchr(b'\r', text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n")),
    }
}

fn invalid(line: u32, what: &str, clause: &'static str) -> Error {
    let kind = ErrorKind::Invalid { what: what.to_owned(), clause };
    Error { kind, place: Place::Xml { file: None, line, element: String::new() } }
}
