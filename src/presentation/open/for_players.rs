//! Properties of a stored manifest that keep some player from playing the film.

use crate::codec::{hex, plain_aac};
use crate::manifest::{ClientManifest, QualityLevel, StreamIndex, StreamKind};
use crate::presentation::Stream;
use crate::presentation::finding::{Finding, FindingCode, Findings};
use crate::presentation::timeline::Gaps;

/// Reports a film that says that it is live.
pub(super) fn check_live(client: &ClientManifest, findings: &mut Findings) {
    if client.is_live == Some(true) {
        let message = "it says `IsLive`, and the presentation is a film";
        findings.push(Finding::new(FindingCode::LiveFilm, message));
    }
}

/// Reports properties of a manifest that keep players from playing it.
pub(super) fn check(client: &ClientManifest, findings: &mut Findings) {
    let is_asked_for = |index: &&StreamIndex| {
        !index.is_embedded() && !index.chunks.is_empty() && !index.qualities.is_empty()
    };
    for index in client.streams.iter().filter(is_asked_for) {
        let finding = match &index.url {
            None => Finding::new(FindingCode::UrlMissing, "its StreamIndex has no `Url`"),
            Some(url) => {
                let message = match index.only_bitrate_asked_for() {
                    _ if !index.is_asked_for_by_url() => {
                        format!("requests made from its `Url` are not answered here: {url}")
                    }
                    Some(bitrate) => {
                        let count = index.qualities.len();
                        format!(
                            "its `Url` asks for {bitrate} bit/s in place of each of its {count} qualities: {url}"
                        )
                    }
                    None => continue,
                };
                Finding::new(FindingCode::UrlUnanswered, message)
            }
        };
        findings.push(finding.of_track(&index.name()));
    }
    for index in client.streams.iter().filter(|index| index.kind != StreamKind::Text) {
        check_codec_data(index, findings);
    }
}

/// Reports `CodecPrivateData` that is not hexadecimal, or has half a byte. ffmpeg writes `(null)` if
/// it has no decoder configuration.
fn check_codec_data(index: &StreamIndex, findings: &mut Findings) {
    let fault = |data: &str| {
        let data = data.trim();
        if !data.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some("is not hexadecimal");
        }
        (!data.len().is_multiple_of(2)).then_some("has an odd number of digits")
    };
    let mut all =
        index.qualities.iter().filter_map(|quality| quality.codec_private_data.as_deref());
    if let Some((data, fault)) = all.find_map(|data| Some((data, fault(data)?))) {
        let data: String = data.chars().take(40).collect();
        let message = format!("`CodecPrivateData` is \"{data}\", which {fault}");
        let finding = Finding::new(FindingCode::CodecDataInvalid, message);
        findings.push(finding.of_track(&index.name()));
    }
}

/// Reports properties of a stream that keep players from playing the whole film.
pub(super) fn check_stream(index: &StreamIndex, stream: &Stream, findings: &mut Findings) {
    match index.kind {
        StreamKind::Text => check_four_cc(index, stream, findings),
        // Events occur at any time.
        StreamKind::Video | StreamKind::Audio if index.parent.is_some() => {}
        StreamKind::Video => check_gaps(stream, findings),
        StreamKind::Audio => {
            check_aac(index, stream, findings);
            check_gaps(stream, findings);
        }
    }
}

/// Returns a configuration of AAC with redundant data, and the number of digits that are needed.
fn beyond_plain(quality: &QualityLevel) -> Option<(&str, usize)> {
    let digits = quality.codec_private_data.as_deref()?.trim();
    let plain = plain_aac(&hex(digits).ok()?)?;
    Some((digits, 2 * plain.len()))
}

/// Reports redundant data: RxPlayer 4.5 takes two bytes for the configuration, and Firefox then
/// finds too many.
fn check_aac(index: &StreamIndex, stream: &Stream, findings: &mut Findings) {
    let is_aac = |quality: &&QualityLevel| {
        let four_cc = quality.four_cc.as_deref().or(index.four_cc.as_deref());
        four_cc.is_some_and(|four_cc| four_cc.trim().eq_ignore_ascii_case("AACL"))
    };
    let long = index.qualities.iter().filter(is_aac).find_map(beyond_plain);
    if let Some((data, digits)) = long
        && let (Some(kept), true) = (data.get(..digits), data.len() < 64)
    {
        let message = format!("`CodecPrivateData` is {data}, of which {kept} is enough");
        let finding = Finding::new(FindingCode::AacDataLong, message);
        findings.push(finding.of_track(&stream.name));
    }
}

/// Reports text without a `FourCC`. dash.js 5.2.1 falls back to the `FourCC` of the stream, Shaka
/// Player 4.16.50 only if that of the quality is empty. Both fail if they find none.
fn check_four_cc(index: &StreamIndex, stream: &Stream, findings: &mut Findings) {
    let is_empty = |four_cc: Option<&str>| four_cc.is_none_or(|text| text.trim().is_empty());
    let is_missing = |quality: &&QualityLevel| {
        let own = quality.four_cc.as_deref();
        is_empty(own) && (own.is_none() || is_empty(index.four_cc.as_deref()))
    };
    let count = index.qualities.iter().filter(is_missing).count();
    if let Some(first) = index.qualities.iter().find(is_missing) {
        let (all, bitrate) = (index.qualities.len(), first.bitrate);
        let message = match (count, all) {
            (1, 1) => format!("its only quality, of {bitrate} bit/s, has no `FourCC`"),
            (1, _) => format!("1 of {all} qualities has no `FourCC`: that of {bitrate} bit/s"),
            _ => format!(
                "{count} of {all} qualities have no `FourCC`, first that of {bitrate} bit/s"
            ),
        };
        findings.push(Finding::new(FindingCode::FourCcMissing, message).of_track(&stream.name));
    }
}

/// Reports gaps: dash.js 5.2.1 takes the sum of all `d` for the length of the film. A gap of less
/// than 10 ms is a rounding, because producers round durations to milliseconds.
fn check_gaps(stream: &Stream, findings: &mut Findings) {
    let longest_rounding = stream.timescale.get() / 100;
    if let Some(Gaps { after, ticks, count }) = stream.timeline.gaps(longest_rounding) {
        let message = match count {
            1 => format!("this chunk ends {ticks} ticks before the next begins"),
            _ => format!("{count} chunks end before the next begins, this one {ticks} ticks"),
        };
        let finding = Finding::new(FindingCode::GapBetweenChunks, message);
        findings.push(finding.of_track(&stream.name).at_chunk(Some(after)));
    }
}
