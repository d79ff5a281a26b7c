//! A publishing point that takes any bytes: what it publishes is in order, and every output can say it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::base::{ErrorGroup, FileId, Got, Want};
use smooth_origin::live::{LiveEvent, LiveLimits, Moment, PointOptions, PublishingPoint};
use smooth_origin::output::Request;
use smooth_origin::presentation::Presentation;
use smooth_origin::{ErrorKind, Name};

/// Seconds between two pieces of a body.
const STEP: Duration = Duration::from_millis(300);

/// The files of an event.
type Files = HashMap<FileId, Vec<u8>>;

/// Pushes a body in pieces of `len` bytes, by one encoder or by two that disagree, and looks at each presentation.
pub(super) fn publish(body: &[u8], len: usize, limits: &LiveLimits) {
    let window = len.is_multiple_of(3).then_some(Duration::from_secs(3));
    let options = PointOptions::default().look_ahead((len % 2) as u32).window(window);
    let options = options.limits(limits.clone()).start_wait(STEP).gap_wait(STEP);
    let mut point = PublishingPoint::new(Name::new("news.isml").unwrap(), options);
    let mut files = Files::new();
    let mut now = Moment { monotonic: Duration::ZERO, wall: Duration::from_secs(1_700_000_000) };
    for encoder in ["a", "b"].iter().take(1 + len % 2) {
        let Ok(push) = point.begin(None, "all", encoder, now) else { break };
        let mut is_taken = true;
        for piece in body.chunks(len.max(16)) {
            now = now.after(STEP);
            is_taken = point.push(push, &Bytes::copy_from_slice(piece), now).is_ok();
            look(&mut point, &mut files);
            if !is_taken {
                break;
            }
        }
        match is_taken {
            true => drop(point.end(push, now)),
            false => point.lost(push, now),
        }
        point.tick(now.after(STEP));
        look(&mut point, &mut files);
    }
    point.stop(now.after(STEP * 9));
    look(&mut point, &mut files);
    assert!(point.snapshot().is_none_or(|film| !film.is_live()));
}

fn look(point: &mut PublishingPoint, files: &mut Files) {
    for event in point.take_events() {
        assert!(!event.to_string().is_empty() && !event.kind().is_empty());
        match event {
            LiveEvent::Began { .. } => files.clear(),
            LiveEvent::Append { file, offset, bytes, .. } => {
                let content = files.entry(file).or_default();
                assert_eq!(content.len() as u64, offset, "bytes are appended at the end");
                content.extend_from_slice(&bytes);
            }
            _ => {}
        }
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
        ask(presentation, path, None, files);
        for query in ["start=1&end=3", "start=2.5", "end=2026-11-24T00:00:04Z", "delay=1.5"] {
            ask(presentation, path, Some(query), files);
        }
    }
}

/// Asks for a text. What cannot be given is the content's fault, or not there yet.
fn ask(presentation: &Arc<Presentation>, path: &str, query: Option<&str>, files: &Files) {
    let Ok(request) = Request::parse(path, query) else { return };
    let _ = request.identify(presentation);
    let got = |want: &Want| match want {
        Want::Range { file, range } => {
            let range = range.start as usize..range.end as usize;
            let bytes = files.get(file).and_then(|content| content.get(range));
            Ok(Got::Range(Bytes::copy_from_slice(bytes.expect("a range of what was published"))))
        }
        want => panic!("{want:?} of what is in memory"),
    };
    match request.answer(presentation).and_then(|step| step.drive(got)) {
        Ok(reply) => assert!(reply.length() > 0, "{path} is empty"),
        Err(error) => {
            let is_known = matches!(error.kind.group(), ErrorGroup::Content | ErrorGroup::Request);
            assert!(is_known && !matches!(error.kind, ErrorKind::Malformed(_)), "{path}: {error}");
        }
    }
}
