//! A media playlist: the segments of one track.

use std::fmt::Write;

use super::attributes::Tag;
use super::times::{Times, end};
use super::{protection, splices};
use crate::base::{Error, ErrorKind, Limits};
use crate::manifest::StreamKind;
use crate::presentation::{Form, Gap, Moment, Presentation, Rendition, Silent};

/// Writes the playlist of a rendition.
///
/// Each segment lasts to the next one. If that is more than a tenth of a second behind its own end,
/// there is a [`Gap`]. One that is open gets a discontinuity, because most players stop at a segment
/// that is shorter than its playlist says.
///
/// Sound begins with the pictures, as [`Beginning`](crate::presentation::Beginning) says. All playlists of
/// pictures and sound have one target duration.
///
/// The playlist of a live event has the segments in its window, and no end. Each lasts as long as its chunk: how long
/// it is to the next one is not known when it is listed, and a playlist only grows at its end (RFC 8216, 6.2.1). A gap
/// behind one becomes segments of its own, which have nothing in them, and no discontinuity; the next one has a date.
///
/// A segment that other qualities have and this one lacks is marked as a gap, so that players take another
/// quality and do not ask for it. A live event takes the mark back if the fragment comes late.
///
/// WebVTT of an event has the segments of the pictures, from before the first caption on: all media playlists of a live
/// presentation have one target duration (RFC 8216, 6.2.4), and captions may be longer, and far apart. A caption is in
/// each segment in which it is shown, and a segment may have none. It is no gap: hls.js 1.7.4 counts each mark of one
/// as an error of the pictures, and Shaka Player 5.2.12 refuses a playlist in which everything is marked, or without a
/// segment.
///
/// Spec: draft-pantos-hls-rfc8216bis, 4.4.4.7 (`EXT-X-GAP`).
///
/// # Errors
/// [`ErrorKind::NotYet`] if a live event has no segment to list;
/// [`ErrorKind::Budget`](crate::base::ErrorKind::Budget) if it is longer than a client manifest may
/// be.
pub(super) fn write(presentation: &Presentation, rendition: Rendition) -> Result<String, Error> {
    let Rendition { stream, track, form } = rendition;
    let stream = &presentation.streams()[stream];
    let track = &stream.tracks()[track];
    let name = presentation.rendition_name(rendition).to_string();
    let times = Times::of(presentation, rendition);
    let timescale = times.timescale();
    if presentation.live().is_some() && times.segments().next().is_none() {
        return Err(Error::request("playlist", ErrorKind::NotYet));
    }
    let Times { begin, cut, silent, .. } = times;
    let target = times.common_target(presentation);
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:7\n");
    // Writing into a `String` cannot fail.
    let _ = writeln!(text, "#EXT-X-TARGETDURATION:{target}");
    let _ = writeln!(text, "#EXT-X-MEDIA-SEQUENCE:{}", times.dropped());
    // The playlist of an event stays the same when it ends, but for its end.
    if !presentation.has_only_stored_segments() {
        text.push_str("#EXT-X-PLAYLIST-TYPE:VOD\n");
    }
    if presentation.is_of_event() && presentation.has_chosen_start() {
        // No segment may leave a playlist that says this (RFC 8216, 4.3.3.5). Those of captions do when there are too
        // many.
        if presentation.keeps_all() && form != Form::WebVtt {
            text.push_str("#EXT-X-PLAYLIST-TYPE:EVENT\n");
        }
        // Players that come begin at its start, not at the live edge.
        text.push_str("#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n");
    }
    match form {
        Form::KeyFrames => text.push_str("#EXT-X-I-FRAMES-ONLY\n"),
        _ => text.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n"),
    }
    if form != Form::WebVtt {
        protection::write(&mut text, "#EXT-X-KEY", presentation, track);
        Tag::new(&mut text, "#EXT-X-MAP").quoted("URI", &format!("{name}/init.mp4")).end();
    }
    if form == Form::Stored && stream.kind() != StreamKind::Text {
        splices::write(&mut text, presentation);
    }
    let mut date = Some(silent.map_or(begin, Silent::from));
    let write_date = |text: &mut String, date: &mut Option<u64>| {
        if let Some(ticks) = date.take() {
            let date = presentation.date_of(Moment { ticks, timescale });
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{date}");
        }
    };
    let write_silence = |text: &mut String, date: &mut Option<u64>, silent: Silent| {
        for (from, to) in silent.pieces() {
            write_date(text, date);
            let _ = writeln!(text, "#EXTINF:{},", times.lasts((from, to)));
            let _ = writeln!(text, "{name}/silence-{from}-{to}.m4s");
        }
    };
    if let Some(silent) = silent {
        write_silence(&mut text, &mut date, silent);
    }
    let extension = form.extension();
    let limit = presentation.limits().client_manifest;
    for (number, segment) in times.segments().enumerate() {
        write_date(&mut text, &mut date);
        let start = segment.start;
        let from = if number == 0 { begin } else { start };
        let gap = times.gap_after(&segment);
        // A chunk is as long as it was when it was listed.
        let chunk = (start, start.saturating_add(segment.duration));
        let captions = times.of_captions(chunk);
        if captions.is_none() && track.lacks(segment.chunk) {
            text.push_str("#EXT-X-GAP\n");
        }
        let _ = writeln!(text, "#EXTINF:{},", times.lasts((from, end(&segment, gap))));
        let _ = match (captions, gap, cut.filter(|_| number == 0)) {
            (Some((from, to)), ..) => writeln!(text, "{name}/{from}-{to}.vtt"),
            (_, Some(Gap::Held { until }), _) => writeln!(text, "{name}/{start}-until-{until}.m4s"),
            (_, _, Some(cut)) => writeln!(text, "{name}/{start}-{cut}.m4s"),
            _ => writeln!(text, "{name}/{start}.{extension}"),
        };
        match gap {
            Some(Gap::Open) => {
                date = Some(start.saturating_add(segment.to_next));
                text.push_str("#EXT-X-DISCONTINUITY\n");
            }
            Some(Gap::Silent(silent)) => write_silence(&mut text, &mut date, silent),
            Some(Gap::Held { .. }) => {}
            None if times.has_drift(&segment) => {
                date = Some(start.saturating_add(segment.to_next));
            }
            None => {}
        }
        for (from, to, stands_for) in times.fillers(&segment) {
            let lasts = times.lasts((from, to));
            let _ = match times.of_captions((from, to)) {
                Some((from, to)) => writeln!(text, "#EXTINF:{lasts},\n{name}/{from}-{to}.vtt"),
                None => {
                    writeln!(text, "#EXT-X-GAP\n#EXTINF:{lasts},\n{name}/{stands_for}.{extension}")
                }
            };
        }
        Limits::check("bytes of a playlist", text.len() as u64, limit)?;
    }
    if !presentation.is_live() {
        text.push_str("#EXT-X-ENDLIST\n");
    }
    Ok(text)
}
