//! A publishing point that takes any bytes: what it publishes is in order, and every output can say it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::{ErrorGroup, Step};
use smooth_origin::live::{LiveLimits, Moment, PointOptions, PublishingPoint};
use smooth_origin::output::Request;
use smooth_origin::presentation::Presentation;
use smooth_origin::{ErrorKind, Name};

/// Seconds between two pieces of a body.
const STEP: Duration = Duration::from_millis(300);

/// Pushes a body in pieces of `len` bytes, by one encoder or by two that disagree, and looks at each presentation.
pub(super) fn publish(body: &[u8], len: usize, limits: &LiveLimits) {
    let window = len.is_multiple_of(3).then_some(Duration::from_secs(3));
    let options = PointOptions::default().look_ahead((len % 2) as u32).window(window);
    let options = options.limits(limits.clone()).start_wait(STEP).gap_wait(STEP);
    let mut point = PublishingPoint::new(Name::new("news.isml").unwrap(), options);
    let mut now = Moment { monotonic: Duration::ZERO, wall: Duration::from_secs(1_700_000_000) };
    for encoder in ["a", "b"].iter().take(1 + len % 2) {
        let Ok(push) = point.begin(None, "all", encoder, now) else { break };
        let mut is_taken = true;
        for piece in body.chunks(len.max(16)) {
            now = now.after(STEP);
            is_taken = point.push(push, &Bytes::copy_from_slice(piece), now).is_ok();
            look(&mut point);
            if !is_taken {
                break;
            }
        }
        match is_taken {
            true => drop(point.end(push, now)),
            false => point.lost(push, now),
        }
        point.tick(now.after(STEP));
        look(&mut point);
    }
    point.stop(now.after(STEP * 9));
    look(&mut point);
    assert!(point.snapshot().is_none_or(|film| !film.is_live()));
}

fn look(point: &mut PublishingPoint) {
    for event in point.take_events() {
        assert!(!event.to_string().is_empty() && !event.kind().is_empty());
    }
    assert!(format!("{:?}", point.status()).len() > 10);
    let Some(presentation) = point.snapshot() else { return };
    for stream in presentation.streams() {
        let mut end = 0;
        for (start, duration) in stream.timeline().iter() {
            assert!(start >= end, "chunks of {} overlap at {start}", stream.name());
            end = start + duration;
        }
    }
    let mut paths = vec!["Manifest".to_owned()];
    #[cfg(feature = "dash")]
    paths.push("manifest.mpd".into());
    #[cfg(feature = "hls")]
    paths.push("master.m3u8".into());
    #[cfg(feature = "hls")]
    for stream in presentation.streams() {
        let tracks = stream.tracks().iter();
        for id in tracks.map(|track| format!("{}-{}", stream.name(), track.bitrate())) {
            paths.push(format!("{id}.m3u8"));
            paths.extend([
                format!("{id}.vtt.m3u8"),
                format!("{id}.vtt/0-5.vtt"),
                format!("{id}.vtt/5-0.vtt"),
                format!("{id}.vtt/0-600000000.vtt"),
            ]);
        }
    }
    for path in &paths {
        ask(presentation, path, None);
        for query in ["start=1&end=3", "start=2.5", "end=2026-11-24T00:00:04Z", "delay=1.5"] {
            ask(presentation, path, Some(query));
        }
    }
}

/// Asks for a text. What cannot be given is the content's fault, or not there yet.
fn ask(presentation: &Arc<Presentation>, path: &str, query: Option<&str>) {
    let Ok(request) = Request::parse(path, query) else { return };
    match request.answer(presentation) {
        Ok(Step::Ready(reply)) => assert!(reply.length() > 0, "{path} is empty"),
        Ok(Step::Read(_)) => {}
        Err(error) => {
            let is_known = matches!(error.kind.group(), ErrorGroup::Content | ErrorGroup::Request);
            assert!(is_known && !matches!(error.kind, ErrorKind::Malformed(_)), "{path}: {error}");
        }
    }
}
