//! A media playlist: the segments of one track.

use std::fmt::Write;

use super::attributes::Tag;
use super::clock::{Date, Seconds};
use super::protection;
use crate::base::{Error, Limits};
use crate::manifest::StreamKind;
use crate::presentation::{Beginning, Form, Gap, Moment, Presentation, Rendition, Segment, Silent};

/// Writes the playlist of a rendition.
///
/// Each segment lasts to the next one. If that is more than a tenth of a second behind its own end,
/// there is a [`Gap`]. One that is open gets a discontinuity, because most players stop at a segment
/// that is shorter than its playlist says.
///
/// Sound begins with the pictures, as [`Beginning`] says.
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
    let beginning = presentation.beginning(rendition);
    let (mut first, mut cut, mut silent, mut near) = (0, None, None, None);
    match beginning {
        Beginning::Stored => {}
        Beginning::Near { begin } => near = Some(begin),
        Beginning::Later { first: later, begin, is_cut } => {
            (first, near) = (later.start, Some(begin));
            cut = near.filter(|_| is_cut);
        }
        Beginning::Silent(before) => silent = Some(before),
    }
    let segments = || stream.timeline().segments().skip_while(move |of| of.start < first);
    let gaps = presentation.gaps(rendition);
    let gap_after = |segment: &Segment| gaps.after(segment);
    let end = |segment: &Segment, gap: Option<Gap>| match gap {
        Some(Gap::Open | Gap::Silent(_)) => segment.end(),
        Some(Gap::Held { .. }) | None => segment.start.saturating_add(segment.to_next),
    };
    let length = |segment: &Segment| {
        Seconds::between(segment.start, end(segment, gap_after(segment)), timescale)
    };
    let first_start = segments().next().map_or(0, |first| first.start);
    // The first segment of a text may begin earlier than its first chunk.
    let begin = text_begin(presentation, stream.kind(), timescale);
    let begin = begin.filter(|&begin| begin < first_start).unwrap_or(first_start);
    let lead = Seconds::between(begin, first_start, timescale);
    let begin = near.unwrap_or(begin);
    let lasts = |(from, to)| Seconds::between(from, to, timescale);

    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n");
    let longest = segments().map(|segment| length(&segment)).max();
    let longest = longest.map_or(1, |longest| (longest.ceil() + lead.ceil()).max(1));
    let silences = silent.into_iter().chain(segments().filter_map(|of| gap_after(&of)?.silent()));
    let silences = silences.flat_map(Silent::pieces).map(|piece| lasts(piece).ceil());
    let target = silences.fold(longest, u64::max);
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
    let mut date = Some(silent.map_or(begin, Silent::from));
    let write_date = |text: &mut String, date: &mut Option<u64>| {
        if let Some(ticks) = date.take() {
            let date = Date(Moment { ticks, timescale });
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}");
        }
    };
    let write_silence = |text: &mut String, date: &mut Option<u64>, silent: Silent| {
        for (from, to) in silent.pieces() {
            write_date(text, date);
            let _ = writeln!(text, "#EXTINF:{},", lasts((from, to)));
            let _ = writeln!(text, "{name}/silence-{from}-{to}.m4s");
        }
    };
    if let Some(silent) = silent {
        write_silence(&mut text, &mut date, silent);
    }
    let extension = form.extension();
    let limit = presentation.limits().client_manifest;
    for (number, segment) in segments().enumerate() {
        write_date(&mut text, &mut date);
        let start = segment.start;
        let from = if number == 0 { begin } else { start };
        let gap = gap_after(&segment);
        let _ = writeln!(text, "#EXTINF:{},", lasts((from, end(&segment, gap))));
        let _ = match (gap, cut.filter(|_| number == 0)) {
            (Some(Gap::Held { until }), _) => writeln!(text, "{name}/{start}-until-{until}.m4s"),
            (_, Some(cut)) => writeln!(text, "{name}/{start}-{cut}.m4s"),
            (_, None) => writeln!(text, "{name}/{start}.{extension}"),
        };
        match gap {
            Some(Gap::Open) => {
                date = Some(start.saturating_add(segment.to_next));
                text.push_str("#EXT-X-DISCONTINUITY\n");
            }
            Some(Gap::Silent(silent)) => write_silence(&mut text, &mut date, silent),
            Some(Gap::Held { .. }) | None => {}
        }
        Limits::check("bytes of a playlist", text.len() as u64, limit)?;
    }
    if !presentation.is_live() {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    Ok(text)
}

/// Returns the time at which a playlist of text begins: when the pictures do, or the sound if there are
/// none.
fn text_begin(
    presentation: &Presentation,
    kind: StreamKind,
    timescale: crate::base::Timescale,
) -> Option<u64> {
    if kind != StreamKind::Text {
        return None;
    }
    let begin = presentation.media_begins();
    begin.map(|begin| begin.rescaled(timescale))
}
