//! Files of SubRip and WebVTT, and the chunks that they are cut into.

use smooth_origin::Limits;
use smooth_origin::base::Timescale;
use smooth_origin::captions::{
    Cue, Document, Subtitles, TextFormat, TimeBase, WholeDocument, Window,
};

const SECOND: u64 = 10_000_000;

/// The first bytes say the format, and the same bytes are read in both others too.
///
/// The cues ascend, have balanced tags and no empty line, and become a TTML document that the reader of TTML
/// reads. Chunks of a document show what the whole shows, at the same times.
pub fn subtitles(data: &[u8]) {
    let limits = Limits::default();
    let found = TextFormat::of_head(data);
    assert!(!data.starts_with(b"WEBVTT") || found == Some(TextFormat::WebVtt));
    for format in [TextFormat::SubRip, TextFormat::WebVtt] {
        let Ok(subtitles) = Subtitles::parse(data, format, &limits) else { continue };
        assert!(subtitles.notices().len() < 16, "one for each kind");
        let mut last = 0;
        for cue in subtitles.cues() {
            assert!(last <= cue.start && cue.start < cue.end, "cues ascend");
            last = cue.start;
            text(cue);
        }
        let Ok(document) = subtitles.to_ttml(&limits) else { continue };
        let whole = WholeDocument::parse(document.as_bytes(), &limits);
        match whole {
            Ok(whole) => chunks(document.as_bytes(), &whole, &limits),
            // Texts count their parts, which cues do not.
            Err(error) => assert!(error.to_string().contains("budget"), "{error}\n{document}"),
        }
    }
    if let Ok(whole) = WholeDocument::parse(data, &limits) {
        chunks(data, &whole, &limits);
    }
}

fn text(cue: &Cue) {
    assert!(!cue.text.is_empty() && cue.text.lines().all(|line| !line.is_empty()), "{cue:?}");
    let mut depth = 0_i64;
    let mut rest = &*cue.text;
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "{cue:?}");
        let (tag, after) = after.split_once('>').expect("a tag that is not closed");
        depth += if tag.starts_with('/') { -1 } else { 1 };
        assert!(depth >= 0 && !tag.contains('&'), "{cue:?}");
        rest = after;
    }
    assert!(depth == 0 && !rest.contains('>'), "{cue:?}");
}

/// Start and end in milliseconds, and text.
fn shown(
    document: &[u8],
    base: TimeBase,
    window: &Window,
    limits: &Limits,
) -> Option<Vec<(u64, u64, String)>> {
    let document = Document::parse(document, limits).ok()?;
    let cues = document.cues(base, window, limits).ok()?;
    let ms = |ticks: u64| (ticks + 5000) / 10_000;
    let mut cues: Vec<_> =
        cues.into_iter().map(|cue| (ms(cue.start), ms(cue.end), cue.text)).collect();
    // Cues at several places that begin before the window are in the order of their whole times.
    cues.sort_by(|one, other| (&one.2, one.0).cmp(&(&other.2, other.0)));
    Some(cues)
}

/// Cuts a document, and compares what a reader of TTML finds in the chunks and in the whole.
fn chunks(document: &[u8], whole: &WholeDocument, limits: &Limits) {
    assert!(whole.begin_from(0) == whole.len() && whole.begin_from(u64::MAX) <= whole.len());
    for (start, duration) in [(0, 2 * SECOND), (20_020_000, 2 * SECOND), (0, 40 * SECOND)] {
        let window = Window { timescale: Timescale::SMOOTH, start, duration };
        for base in [TimeBase::Fragment, TimeBase::Presentation] {
            let Ok(cut) = whole.cut(base, &window, limits) else { continue };
            Document::parse(cut.as_bytes(), limits)
                .unwrap_or_else(|error| panic!("{error}\n{cut}"));
            let found = shown(cut.as_bytes(), base, &window, limits);
            let expected = shown(document, TimeBase::Presentation, &window, limits);
            let (Some(found), Some(expected)) = (found, expected) else { continue };
            // Cues of less than two milliseconds may vanish or change places when times are rounded.
            let is_long =
                |cues: &[(u64, u64, String)]| cues.iter().all(|(start, end, _)| end - start > 2);
            if !is_long(&found) || !is_long(&expected) || found.len() != expected.len() {
                continue;
            }
            for (found, expected) in found.iter().zip(&expected) {
                assert!(found.0.abs_diff(expected.0) <= 1, "{found:?} {expected:?}\n{cut}");
                assert!(found.1.abs_diff(expected.1) <= 1, "{found:?} {expected:?}\n{cut}");
            }
        }
    }
}
