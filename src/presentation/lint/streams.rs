//! Properties of streams beside one another: languages, names, starts, and the film's duration.

use super::asked_for;
use crate::base::{Limits, Timescale};
use crate::manifest::{ClientManifest, StreamIndex, StreamKind};
use crate::presentation::Timeline;
use crate::presentation::finding::{Finding, FindingCode, Findings};

/// Reports streams that cannot be told apart, that do not begin together, or that do not last as long
/// as the manifest says.
pub(super) fn check(
    client: &ClientManifest,
    is_live: bool,
    limits: &Limits,
    findings: &mut Findings,
) {
    for kind in [StreamKind::Audio, StreamKind::Text] {
        check_languages(client, kind, findings);
    }
    check_names(client, findings);
    if !is_live {
        check_times(client, limits, findings);
    }
}

fn is_of_film(index: &&StreamIndex) -> bool {
    index.parent.is_none() && !index.is_of_events()
}

/// Reports streams of one kind of which some do not say their language.
fn check_languages(client: &ClientManifest, kind: StreamKind, findings: &mut Findings) {
    let alike: Vec<_> =
        asked_for(client).filter(is_of_film).filter(|index| index.kind == kind).collect();
    let is_without = |index: &&&StreamIndex| {
        let language = index.language.as_deref().unwrap_or_default().trim();
        language.is_empty() || language.eq_ignore_ascii_case("und")
    };
    let count = alike.iter().filter(is_without).count();
    if alike.len() < 2 || count == 0 {
        return;
    }
    if let Some(first) = alike.iter().find(is_without) {
        let message = format!("{count} of {} streams of {kind} have no `Language`", alike.len());
        let finding = Finding::new(FindingCode::LanguageMissing, message);
        findings.push(finding.of_track(&first.name()));
    }
}

/// Reports two streams of one name.
///
/// Spec: [MS-SSTR] 2.2.2.3, `Name`: unique, and `Type` in its place if it is absent.
fn check_names(client: &ClientManifest, findings: &mut Findings) {
    let named = |index: &StreamIndex| match index.name.as_deref() {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => index.kind.as_str().to_owned(),
    };
    let mut names: Vec<(String, usize)> = Vec::new();
    for (number, index) in client.streams.iter().enumerate() {
        names.push((named(index), number));
    }
    names.sort();
    for pair in names.windows(2) {
        if let [(name, _), (other, number)] = pair
            && name == other
            && let Some(index) = client.streams.get(*number)
        {
            let message = format!("an earlier stream has the name `{name}`, too");
            let finding = Finding::new(FindingCode::NamesEqual, message);
            findings.push(finding.of_track(&index.name()));
        }
    }
}

/// The span of a stream, in milliseconds.
struct Span<'a> {
    index: &'a StreamIndex,
    /// Start of its first chunk in ticks.
    start_ticks: u64,
    start: u64,
    end: u64,
}

/// Milliseconds between the starts of two streams that no player minds.
const START_LEEWAY: u64 = 100;

/// Milliseconds between the declared duration and that of the streams that no viewer minds.
const DURATION_LEEWAY: u64 = 1000;

fn check_times(client: &ClientManifest, limits: &Limits, findings: &mut Findings) {
    let span = |index| {
        let index: &StreamIndex = index;
        // Impossible times have a finding of opening.
        let timeline = Timeline::new(&index.chunks, limits).ok()?;
        let millis = |ticks: u64| {
            let timescale = u128::from(client.timescale_of(index).get());
            u64::try_from(u128::from(ticks) * 1000 / timescale).ok()
        };
        let start_ticks = timeline.chunk(0)?.0;
        Some(Span { index, start_ticks, start: millis(start_ticks)?, end: millis(timeline.end())? })
    };
    let is_media = |index: &&StreamIndex| index.kind != StreamKind::Text;
    let spans: Vec<_> =
        asked_for(client).filter(is_of_film).filter(is_media).filter_map(span).collect();
    let Some(first) = spans.iter().min_by_key(|span| span.start) else { return };
    for late in spans.iter().filter(|span| span.start - first.start > START_LEEWAY) {
        let message = format!(
            "its first chunk begins {} later than that of the {} `{}`",
            seconds(late.start - first.start),
            first.index.kind,
            first.index.name(),
        );
        let finding = Finding::new(FindingCode::StartsDiffer, message);
        findings.push(finding.of_track(&late.index.name()).at_chunk(Some(late.start_ticks)));
    }
    let end = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let declared = declared_millis(client.duration, client.timescale());
    let is_near = |duration: u64| declared.abs_diff(duration) <= DURATION_LEEWAY;
    // Times of a recording may begin anywhere.
    if declared > 0 && !is_near(end) && !is_near(end - first.start) {
        let message = format!(
            "`Duration` is {}, but the chunks last from {} to {}",
            seconds(declared),
            seconds(first.start),
            seconds(end)
        );
        findings.push(Finding::new(FindingCode::DurationContradicted, message));
    }
}

fn declared_millis(ticks: u64, timescale: Timescale) -> u64 {
    let millis = u128::from(ticks) * 1000 / u128::from(timescale.get());
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// Milliseconds as text: `2.000 s`.
fn seconds(millis: u64) -> String {
    format!("{}.{:03} s", millis / 1000, millis % 1000)
}
