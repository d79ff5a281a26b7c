//! Which track of the server manifest each quality of the client manifest is.

use std::collections::HashMap;

use crate::manifest::{
    ClientManifest, QualityLevel, ServerManifest, ServerTrack, StreamIndex, StreamKind,
};
use crate::presentation::finding::{Finding, FindingCode, Findings};

/// For each stream and each of its qualities, the number of a track of the server manifest.
pub(super) type Assignment = Vec<Vec<Option<usize>>>;

/// How well a track fits a quality, best first. The client manifest rules the URL, so whatever the
/// server manifest says otherwise is a finding, not an obstacle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Name, bitrate and custom attributes.
    Exact,
    /// Name and bitrate.
    NameAndBitrate,
    /// Bitrate and language, where both manifests say one.
    LanguageAndBitrate,
    Bitrate,
    Name,
    /// The next of its kind.
    Order,
}

/// Finds the track of every quality: each track serves one, and a good fit goes before a worse.
pub(super) fn assign(
    client: &ClientManifest,
    server: &ServerManifest,
    findings: &mut Findings,
) -> Assignment {
    let none = |stream: &StreamIndex| vec![None; stream.qualities.len()];
    let mut assignment: Assignment = client.streams.iter().map(none).collect();
    let mut used = vec![false; server.tracks.len()];
    let values: Vec<Values<'_>> = server.tracks.iter().map(values).collect();
    const FITS: [Fit; 6] = [
        Fit::Exact,
        Fit::NameAndBitrate,
        Fit::LanguageAndBitrate,
        Fit::Bitrate,
        Fit::Name,
        Fit::Order,
    ];
    for fit in FITS {
        for (stream, assigned) in client.streams.iter().zip(&mut assignment) {
            for (quality, assigned) in stream.qualities.iter().zip(assigned) {
                if assigned.is_some() {
                    continue;
                }
                let mut tracks = server.tracks.iter().enumerate();
                let found = tracks.find(|&(number, track)| {
                    !used[number] && fit.is(stream, quality, track, &values[number])
                });
                if let Some((number, track)) = found {
                    *assigned = Some(number);
                    used[number] = true;
                    disagreement(stream, quality, track, findings);
                }
            }
        }
    }
    for (track, _) in server.tracks.iter().zip(&used).filter(|(_, used)| !**used) {
        let message = "the client manifest has no quality for it";
        let finding = Finding::new(FindingCode::TrackNotAnnounced, message);
        findings.push(finding.of_track(describe(track)));
    }
    assignment
}

impl Fit {
    fn is(
        self,
        stream: &StreamIndex,
        quality: &QualityLevel,
        track: &ServerTrack,
        values: &Values<'_>,
    ) -> bool {
        if track.kind != stream.kind {
            return false;
        }
        let bitrate = track.bitrate() == Some(quality.bitrate);
        match self {
            Self::Exact => bitrate && same_name(stream, track) && same_attributes(quality, values),
            Self::NameAndBitrate => bitrate && same_name(stream, track),
            Self::LanguageAndBitrate => bitrate && same_language(stream, track),
            Self::Bitrate => bitrate,
            Self::Name => same_name(stream, track),
            Self::Order => true,
        }
    }
}

/// A stream and a track without a name have that of their kind, which for text are two words.
fn same_name(stream: &StreamIndex, track: &ServerTrack) -> bool {
    let default = |kind: StreamKind| [kind.as_str(), kind.element()];
    match track.track_name() {
        Some(name) => name == stream.name(),
        None => default(track.kind).contains(&stream.name()),
    }
}

fn same_language(stream: &StreamIndex, track: &ServerTrack) -> bool {
    let language = stream.language.as_deref();
    language.is_some_and(|language| {
        track.language().is_some_and(|other| other.eq_ignore_ascii_case(language))
    })
}

/// What the server manifest says of a track, by name in lower case.
type Values<'a> = HashMap<String, &'a str>;

/// As [`ServerTrack::value`]: attributes go before parameters, the first of a name before others.
fn values(track: &ServerTrack) -> Values<'_> {
    let said = track.attributes.iter().chain(&track.params).rev();
    said.map(|(name, value)| (name.to_ascii_lowercase(), &**value)).collect()
}

fn same_attributes(quality: &QualityLevel, values: &Values<'_>) -> bool {
    quality.custom_attributes.iter().all(|attribute| {
        values.get(&attribute.name.to_ascii_lowercase()) == Some(&&*attribute.value)
    })
}

fn disagreement(
    stream: &StreamIndex,
    quality: &QualityLevel,
    track: &ServerTrack,
    findings: &mut Findings,
) {
    let bitrate = track.bitrate().filter(|&bitrate| bitrate != quality.bitrate);
    let message = match (same_name(stream, track), bitrate) {
        (true, None) => return,
        (false, None) => format!("the server manifest calls its stream `{}`", track.name()),
        (true, Some(bitrate)) => format!("the server manifest gives it {bitrate} bit/s"),
        (false, Some(bitrate)) => {
            format!("the server manifest has it in `{}` at {bitrate} bit/s", track.name())
        }
    };
    let finding = Finding::new(FindingCode::ManifestsDisagree, message);
    findings.push(finding.of_track(format!("{} at {}", stream.name(), quality.bitrate)));
}

/// A track of the server manifest, for findings.
pub(super) fn describe(track: &ServerTrack) -> String {
    match track.bitrate() {
        Some(bitrate) => format!("{} at {bitrate}", track.name()),
        None => track.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;

    fn client(streams: &str) -> ClientManifest {
        let text = format!("<SmoothStreamingMedia>{streams}</SmoothStreamingMedia>");
        ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn server(tracks: &str) -> ServerManifest {
        let text = format!("<smil><body><switch>{tracks}</switch></body></smil>");
        ServerManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn run(streams: &str, tracks: &str) -> (Assignment, Vec<String>) {
        let mut findings = Findings::new(100);
        let assignment = assign(&client(streams), &server(tracks), &mut findings);
        (assignment, findings.sorted().iter().map(Finding::to_string).collect())
    }

    #[test]
    fn name_and_bitrate_decide_and_nothing_is_to_be_told() {
        let (assignment, findings) = run(
            "<StreamIndex Type='audio' Name='audio_eng'><QualityLevel Bitrate='64'/></StreamIndex>\
             <StreamIndex Type='audio' Name='audio_fra'><QualityLevel Bitrate='64'/></StreamIndex>\
             <StreamIndex Type='text'><QualityLevel Bitrate='0'/></StreamIndex>",
            "<textstream systemBitrate='0'/>\
             <audio systemBitrate='64'><param name='trackName' value='audio_fra'/></audio>\
             <audio systemBitrate='64'><param name='trackName' value='audio_eng'/></audio>",
        );
        assert_eq!(assignment, [[Some(2)], [Some(1)], [Some(0)]]);
        assert!(findings.is_empty(), "{findings:?}");
    }

    #[test]
    fn custom_attributes_tell_tracks_of_one_bitrate_apart() {
        let attribute = |value| {
            format!(
                "<QualityLevel Bitrate='5'><CustomAttributes><Attribute Name='hardwareProfile' Value='{value}'/></CustomAttributes></QualityLevel>"
            )
        };
        let streams =
            format!("<StreamIndex Type='video'>{}{}</StreamIndex>", attribute(1000), attribute(10));
        let (assignment, findings) = run(
            &streams,
            "<video systemBitrate='5'><param name='hardwareProfile' value='10'/></video>\
             <video systemBitrate='5'><param name='hardwareProfile' value='1000'/></video>",
        );
        assert_eq!(assignment, [[Some(1), Some(0)]]);
        assert!(findings.is_empty());
    }

    #[test]
    fn where_the_manifests_disagree_the_client_manifest_rules_with_a_finding() {
        let (assignment, findings) = run(
            "<StreamIndex Type='video'><QualityLevel Bitrate='300'/><QualityLevel Bitrate='200'/>\
             <QualityLevel Bitrate='100'/></StreamIndex>",
            "<video systemBitrate='199'/><video systemBitrate='300'><param name='trackName' value='v'/></video>\
             <video/><video systemBitrate='7'/><audio systemBitrate='100'/>",
        );
        assert_eq!(assignment, [[Some(1), Some(0), Some(2)]]);
        assert_eq!(
            findings,
            [
                "warning manifests-disagree: video at 300: the server manifest calls its stream `v`",
                "warning manifests-disagree: video at 200: the server manifest gives it 199 bit/s",
                "info track-not-announced: video at 7: the client manifest has no quality for it",
                "info track-not-announced: audio at 100: the client manifest has no quality for it",
            ]
        );
    }
}
