//! `live`: the publishing points, their encoders and their streams.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use smooth_origin::live::{EncoderStatus, StreamStatus, TrackStatus};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{ArchiveStatus, LivePoint, PastNotice};

use super::Page;
use super::answer::Answer;

#[derive(Serialize)]
struct LiveJson {
    /// Set if encoders may push to this server at all.
    is_on: bool,
    points: Vec<PointJson>,
}

#[derive(Serialize)]
struct PointJson {
    name: String,
    url: String,
    state: &'static str,
    event: Option<String>,
    events: u64,
    snapshot: u64,
    /// The snapshot that players get.
    shown_snapshot: u64,
    shown_seconds: Option<f64>,
    /// Seconds for which players have waited for the archive.
    waits_seconds: Option<f64>,
    archive: Option<ArchiveJson>,
    /// Bytes of media in memory.
    memory: u64,
    /// Bytes that are not published yet.
    held_bytes: u64,
    /// Seconds by which media time is behind the clock of the server.
    drift_seconds: Option<f64>,
    missing: Vec<String>,
    notices: Vec<NoticeJson>,
    encoders: Vec<EncoderJson>,
    streams: Vec<StreamJson>,
}

#[derive(Serialize)]
struct ArchiveJson {
    waiting_bytes: u64,
    failure: Option<FailureJson>,
    films_due: usize,
    film_failure: Option<String>,
}

#[derive(Serialize)]
struct FailureJson {
    what: String,
    seconds_ago: f64,
    is_past: bool,
}

#[derive(Serialize)]
struct NoticeJson {
    what: String,
    is_warning: bool,
    seconds_ago: f64,
}

#[derive(Serialize)]
struct EncoderJson {
    encoder: String,
    stream: String,
    is_connected: bool,
    pushes: u64,
    bytes: u64,
    bits_per_second: u64,
    silent_seconds: Option<f64>,
    moved_seconds: Option<f64>,
}

#[derive(Serialize)]
struct StreamJson {
    kind: &'static str,
    name: String,
    chunks: u64,
    end_seconds: f64,
    tracks: Vec<TrackJson>,
}

#[derive(Serialize)]
struct TrackJson {
    bitrate: u32,
    language: Option<String>,
    fragments: u64,
    bytes: u64,
    gaps: u64,
    duplicates: u64,
    dropped: u64,
    latency_seconds: f64,
    newest_seconds: Option<f64>,
}

pub(super) fn answer(page: &Page) -> Answer {
    let points = page.live.as_ref().map(|points| points.list());
    let live = LiveJson {
        is_on: points.is_some(),
        points: points.unwrap_or_default().iter().map(|point| of_point(point)).collect(),
    };
    Answer::json(StatusCode::OK, &live)
}

fn of_point(point: &LivePoint) -> PointJson {
    let (status, delivery) = (point.status(), point.delivery());
    PointJson {
        name: point.name().as_str().to_owned(),
        url: format!("{}/Manifest", point.name().to_url_path()),
        state: status.state.as_str(),
        event: status.event.map(|event| event.to_string()),
        events: status.number,
        snapshot: status.published,
        shown_snapshot: delivery.snapshot,
        shown_seconds: seconds(delivery.shown),
        waits_seconds: seconds(delivery.waits),
        archive: delivery.archive.as_ref().map(of_archive),
        memory: point.memory(),
        held_bytes: status.held_bytes,
        drift_seconds: status.drift,
        missing: status.missing.iter().map(ToString::to_string).collect(),
        notices: point.notices().iter().map(of_notice).collect(),
        encoders: status.encoders.iter().map(of_encoder).collect(),
        streams: status.streams.iter().map(of_stream).collect(),
    }
}

fn of_archive(archive: &ArchiveStatus) -> ArchiveJson {
    ArchiveJson {
        waiting_bytes: archive.waiting_bytes,
        failure: archive.failure.as_ref().map(|failure| FailureJson {
            what: failure.error.to_string(),
            seconds_ago: failure.ago.as_secs_f64(),
            is_past: failure.is_past,
        }),
        films_due: archive.films_due,
        film_failure: archive.film_failure.as_ref().map(ToString::to_string),
    }
}

fn of_notice(notice: &PastNotice) -> NoticeJson {
    NoticeJson {
        what: notice.text.to_string(),
        is_warning: notice.is_warning,
        seconds_ago: notice.ago.as_secs_f64(),
    }
}

fn seconds(time: Option<Duration>) -> Option<f64> {
    time.as_ref().map(Duration::as_secs_f64)
}

fn of_encoder(encoder: &EncoderStatus) -> EncoderJson {
    EncoderJson {
        encoder: encoder.encoder.to_string(),
        stream: encoder.stream.to_string(),
        is_connected: encoder.is_connected,
        pushes: encoder.pushes,
        bytes: encoder.bytes,
        bits_per_second: encoder.bits_per_second,
        silent_seconds: seconds(encoder.silent),
        moved_seconds: encoder.moved,
    }
}

fn of_stream(stream: &StreamStatus) -> StreamJson {
    StreamJson {
        kind: match stream.kind {
            StreamKind::Video => "video",
            StreamKind::Audio => "audio",
            StreamKind::Text => "text",
        },
        name: stream.name.to_string(),
        chunks: stream.chunks,
        end_seconds: stream.end.as_secs_f64(),
        tracks: stream.tracks.iter().map(of_track).collect(),
    }
}

fn of_track(track: &TrackStatus) -> TrackJson {
    TrackJson {
        bitrate: track.bitrate,
        language: track.language.as_ref().map(ToString::to_string),
        fragments: track.fragments,
        bytes: track.bytes,
        gaps: track.gaps,
        duplicates: track.duplicates,
        dropped: track.dropped,
        latency_seconds: track.latency.as_secs_f64(),
        newest_seconds: seconds(track.newest),
    }
}
