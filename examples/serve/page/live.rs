//! `live`: the publishing points, their encoders and their streams.

use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use smooth_origin::live::{EncoderStatus, StreamStatus, TrackStatus};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::LivePoint;

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
    /// Bytes of media in memory.
    memory: u64,
    /// Bytes that are not published yet.
    held_bytes: u64,
    /// Seconds by which media time is behind the clock of the server.
    drift_seconds: Option<f64>,
    missing: Vec<String>,
    encoders: Vec<EncoderJson>,
    streams: Vec<StreamJson>,
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
    let status = point.status();
    PointJson {
        name: point.name().as_str().to_owned(),
        url: format!("{}/Manifest", point.name().to_url_path()),
        state: status.state.as_str(),
        event: status.event.map(|event| event.to_string()),
        events: status.number,
        snapshot: status.published,
        memory: point.memory(),
        held_bytes: status.held_bytes,
        drift_seconds: status.drift,
        missing: status.missing.iter().map(ToString::to_string).collect(),
        encoders: status.encoders.iter().map(of_encoder).collect(),
        streams: status.streams.iter().map(of_stream).collect(),
    }
}

fn of_encoder(encoder: &EncoderStatus) -> EncoderJson {
    EncoderJson {
        encoder: encoder.encoder.to_string(),
        stream: encoder.stream.to_string(),
        is_connected: encoder.is_connected,
        pushes: encoder.pushes,
        bytes: encoder.bytes,
        bits_per_second: encoder.bits_per_second,
        silent_seconds: encoder.silent.as_ref().map(Duration::as_secs_f64),
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
    }
}
