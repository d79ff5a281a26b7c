//! Captions: whatever a document holds, its cues are valid WebVTT within their window, and clipping
//! changes nothing else; the segment and the samples hold the same texts.

use smooth_origin::base::{ErrorGroup, Limits, Timescale};
use smooth_origin::captions::{
    Cue, Document, TimeBase, TimestampMap, WebVttSegment, Window, wvtt_samples,
};

const SECOND: u64 = 10_000_000;

/// Reads any bytes as a TTML document.
pub fn captions(data: &[u8]) {
    let mut limits = Limits::default();
    limits.caption_document = 256 << 10;
    limits.caption_texts = 4096;
    limits.caption_bytes = 256 << 10;
    let document = match Document::parse(data, &limits) {
        Ok(document) => document,
        Err(error) => return assert_eq!(error.kind.group(), ErrorGroup::Content, "{error}"),
    };
    for loss in document.losses() {
        let line = loss.line as usize;
        assert!(loss.count > 0 && line > 0 && line <= data.len() + 1, "{loss}");
    }
    let window = |start, duration| Window { timescale: Timescale::SMOOTH, start, duration };
    let both = window(0, 20 * SECOND);
    for half in [window(0, 10 * SECOND), window(10 * SECOND, 10 * SECOND)] {
        check(&document, TimeBase::Fragment, &half, &limits);
        let cues = check(&document, TimeBase::Presentation, &half, &limits);
        let whole = document.cues(TimeBase::Presentation, &both, &limits);
        if let (Some(cues), Ok(whole)) = (cues, whole) {
            assert_eq!(clipped(&whole, &half), clipped(&cues, &half), "in another window");
        }
        let _ = TimeBase::of_document(&document, &half);
    }
    check(&document, TimeBase::Fragment, &window(u64::MAX - SECOND, SECOND), &limits);
    check(&document, TimeBase::Presentation, &window(u64::MAX - SECOND, 2 * SECOND), &limits);
}

fn check(
    document: &Document,
    base: TimeBase,
    window: &Window,
    limits: &Limits,
) -> Option<Vec<Cue>> {
    let cues = document.cues(base, window, limits).ok()?;
    assert!(cues.len() <= limits.cues);
    for cue in &cues {
        assert!(cue.start < cue.end && window.start <= cue.start && cue.end <= window.end());
        assert!(cue.whole_start <= cue.start && cue.end <= cue.whole_end);
        text(&cue.text);
    }
    assert!(cues.is_sorted_by_key(|cue| cue.whole_start));
    segment(&cues, window, limits);
    samples(&cues, window, limits);
    Some(cues)
}

/// Returns start, end, settings and text of what is visible within a window.
fn clipped<'a>(cues: &'a [Cue], window: &Window) -> Vec<(u64, u64, String, &'a str)> {
    let clip = |cue: &'a Cue| {
        let (start, end) = (cue.start.max(window.start), cue.end.min(window.end()));
        (start < end).then(|| (start, end, cue.settings.to_string(), &*cue.text))
    };
    let mut clipped: Vec<_> = cues.iter().filter_map(clip).collect();
    clipped.sort();
    clipped
}

/// Asserts that a cue's text is markup of WebVTT: balanced tags and known references only.
fn text(text: &str) {
    assert!(!text.is_empty() && text.lines().all(|line| !line.trim_ascii().is_empty()), "{text:?}");
    assert!(!text.contains(['\r', '\0']) && !text.contains("-->"), "{text:?}");
    let mut open = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&']) {
        let (_, from) = rest.split_at(at);
        let end = match from.as_bytes()[0] {
            b'&' => {
                let end = from.find(';').expect("a reference that does not end");
                assert!(["&amp", "&lt", "&gt"].contains(&&from[..end]), "{text:?}");
                end
            }
            b'<' => {
                let end = from.find('>').expect("a tag that does not end");
                let tag = &from[1..end];
                match tag.strip_prefix('/') {
                    Some(name) => assert_eq!(open.pop(), Some(name), "{text:?}"),
                    None => {
                        let name = tag.split('.').next().unwrap_or_default();
                        assert!(["b", "i", "u", "c"].contains(&name), "{text:?}");
                        assert!(!open.contains(&name), "{text:?}");
                        open.push(name);
                    }
                }
                end
            }
            _ => panic!("a stray `>`: {text:?}"),
        };
        rest = &from[end + 1..];
    }
    assert!(open.is_empty(), "{text:?}");
}

/// Asserts that the segment reads back as the cues that last a millisecond.
fn segment(cues: &[Cue], window: &Window, limits: &Limits) {
    let map = TimestampMap::at(window.start, window.timescale);
    assert!(map.mpegts < 1 << 33);
    let Ok(text) = WebVttSegment::new(window.timescale).with_map(map).write(cues, limits) else {
        return;
    };
    let mut blocks = text.split("\n\n");
    let header = blocks.next().unwrap_or_default();
    assert!(header.starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:") && header.lines().count() == 2);
    let ms = |ticks| window.timescale.rescale_round(ticks, Timescale::new(1000).unwrap()).unwrap();
    let mut wanted = cues.iter().filter(|cue| ms(cue.start) < ms(cue.end));
    for block in blocks.filter(|block| !block.is_empty()) {
        let cue = wanted.next().expect("more cues than there are");
        let (times, text) = block.split_once('\n').expect("a cue without text");
        assert_eq!(text, cue.text);
        let (start, rest) = times.split_once(" --> ").expect("a cue without times");
        let (end, settings) = rest.split_once(' ').unwrap_or((rest, ""));
        assert_eq!((read_ms(start), read_ms(end)), (ms(cue.start), ms(cue.end)));
        assert_eq!(settings, cue.settings.to_string());
    }
    assert!(wanted.next().is_none(), "fewer cues than there are");
}

fn read_ms(time: &str) -> u64 {
    let (time, ms) = time.split_once('.').expect("no milliseconds");
    let seconds = time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    seconds * 1000 + ms.parse::<u64>().unwrap()
}

/// Asserts that the samples cover the window, and that each cue's text is in those of its time.
fn samples(cues: &[Cue], window: &Window, limits: &Limits) {
    let Ok(samples) = wvtt_samples(cues, window, limits) else { return };
    let mut at = window.start;
    for sample in &samples {
        let end = at + u64::from(sample.duration);
        let mut wanted: Vec<&str> = cues
            .iter()
            .filter(|cue| cue.start < end && cue.end > at)
            .inspect(|cue| assert!(cue.start <= at && end <= cue.end, "a cue within a sample"))
            .map(|cue| &*cue.text)
            .collect();
        let mut found: Vec<&str> = Vec::new();
        for (kind, inside) in boxes(&sample.data) {
            match kind {
                b"vtte" => assert!(inside.is_empty() && wanted.is_empty()),
                b"vttc" => found.extend(
                    boxes(inside)
                        .into_iter()
                        .filter(|(kind, _)| *kind == b"payl")
                        .map(|(_, text)| std::str::from_utf8(text).unwrap()),
                ),
                _ => panic!("a box of another kind"),
            }
        }
        wanted.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, wanted);
        at = end;
    }
    assert_eq!(at, window.end(), "a gap at the end");
}

/// Kind and content of each box.
fn boxes(mut data: &[u8]) -> Vec<(&[u8; 4], &[u8])> {
    let mut found = Vec::new();
    while !data.is_empty() {
        let size = u32::from_be_bytes(*data.first_chunk().unwrap()) as usize;
        let (one, rest) = data.split_at(size);
        found.push((one[4..].first_chunk().unwrap(), &one[8..]));
        data = rest;
    }
    found
}
