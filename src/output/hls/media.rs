//! A media playlist: the segments of one track.

use std::fmt::Write;

use super::attributes::Tag;
use super::clock::{Date, Seconds};
use super::protection;
use crate::base::{Error, Limits};
use crate::manifest::StreamKind;
use crate::presentation::{Form, Moment, Presentation, Rendition, Segment};

/// Writes the playlist of a rendition.
///
/// Each segment lasts to the next one. Where that is more than a tenth of a second behind its own
/// end, a discontinuity says so, because most players stop at a segment that is shorter than its
/// playlist says. Text has no gaps: a segment of it may have no cue.
///
/// # Errors
/// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if it is longer than a client manifest may
/// be.
pub(super) fn write(presentation: &Presentation, rendition: Rendition) -> Result<String, Error> {
    let Rendition { stream, track, form } = rendition;
    let stream = &presentation.streams()[stream];
    let track = &stream.tracks()[track];
    let timescale = stream.timescale();
    let name = presentation.rendition_name(rendition).to_string();
    let segments = || stream.timeline().segments();
    let length = |segment: &Segment| {
        let is_gap = stream.kind() != StreamKind::Text && segment.has_gap(timescale);
        let ticks = if is_gap { segment.duration } else { segment.to_next };
        Seconds::between(segment.start, segment.start.saturating_add(ticks), timescale)
    };
    let begin = text_begin(presentation, stream.kind(), timescale);
    let first_start = segments().next().map_or(0, |first| first.start);
    let begin = begin.filter(|&begin| begin < first_start).unwrap_or(first_start);
    // The first segment of a text may begin earlier than its first chunk.
    let lead = Seconds::between(begin, first_start, timescale);

    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n");
    let longest = segments().map(|segment| length(&segment)).max();
    let target = longest.map_or(1, |longest| (longest.ceil() + lead.ceil()).max(1));
    // Writing into a `String` cannot fail.
    let _ = writeln!(text, "#EXT-X-TARGETDURATION:{target}");
    text.push_str("#EXT-X-MEDIA-SEQUENCE:0\n");
    if !presentation.is_live() {
        text.push_str("#EXT-X-PLAYLIST-TYPE:VOD\n");
    }
    match form {
        Form::KeyFrames => text.push_str("#EXT-X-I-FRAMES-ONLY\n"),
        _ => text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n"),
    }
    if form != Form::WebVtt {
        protection::write(&mut text, "#EXT-X-KEY", presentation, track);
        Tag::new(&mut text, "#EXT-X-MAP").quoted("URI", &format!("{name}/init.mp4")).end();
    }
    let mut date = Some(begin);
    let extension = form.extension();
    let limit = presentation.limits().client_manifest;
    for (number, segment) in segments().enumerate() {
        if let Some(ticks) = date.take() {
            let date = Date(Moment { ticks, timescale });
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}");
        }
        let from = if number == 0 { begin } else { segment.start };
        let mut to = segment.start.saturating_add(segment.to_next);
        let is_gap = stream.kind() != StreamKind::Text && segment.has_gap(timescale);
        if is_gap {
            date = Some(to);
            to = segment.start.saturating_add(segment.duration);
        }
        let _ = writeln!(text, "#EXTINF:{},", Seconds::between(from, to, timescale));
        let _ = writeln!(text, "{name}/{}.{extension}", segment.start);
        if is_gap {
            text.push_str("#EXT-X-DISCONTINUITY\n");
        }
        Limits::check("bytes of a playlist", text.len() as u64, limit)?;
    }
    if !presentation.is_live() {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    Ok(text)
}

/// Returns the time at which a playlist of text begins: when pictures and sound do.
fn text_begin(
    presentation: &Presentation,
    kind: StreamKind,
    timescale: crate::base::Timescale,
) -> Option<u64> {
    let listed = presentation.listed();
    let others = listed.iter().filter(|of| of.stream.kind() != StreamKind::Text);
    let begin = others.map(|of| of.begin()).min().filter(|_| kind == StreamKind::Text);
    begin.map(|begin| begin.rescaled(timescale))
}
