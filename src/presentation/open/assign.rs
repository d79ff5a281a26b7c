//! Assigns a track of the server manifest to each quality of the client manifest.

use std::borrow::Cow;
use std::collections::HashSet;

use super::keys::Labels;
use super::track_table::{Fit, TrackTable, stream_names};
use crate::manifest::{ClientManifest, QualityLevel, ServerManifest, ServerTrack, StreamIndex};
use crate::presentation::finding::{Finding, FindingCode, Findings, cut, label};

/// For each stream and each of its qualities, the number of a track of the server manifest.
pub(super) type Assignment = Vec<Vec<Option<usize>>>;

/// Finds the track of every quality. Each track serves one quality, and better fits are assigned
/// first. If several tracks fit equally well, the first one in the server manifest is taken.
pub(super) fn assign(
    client: &ClientManifest,
    server: &ServerManifest,
    findings: &mut Findings,
) -> Assignment {
    let none = |stream: &StreamIndex| vec![None; stream.qualities.len()];
    let mut assignment: Assignment = client.streams.iter().map(none).collect();
    let qualities = client.streams.iter().flat_map(|stream| &stream.qualities);
    let attributes = qualities.flat_map(|quality| &quality.custom_attributes);
    let asked: HashSet<String> = attributes.map(|a| a.name.to_ascii_lowercase()).collect();
    let labels = Labels::new(&client.streams);
    let mut tracks = TrackTable::new(&server.tracks, &asked);
    let streams: Vec<_> =
        client.streams.iter().map(|stream| tracks.of_stream(stream, &labels)).collect();
    for fit in Fit::ALL {
        let all = client.streams.iter().zip(&streams).zip(&mut assignment);
        for ((stream, of_stream), assigned) in all {
            for (quality, assigned) in stream.qualities.iter().zip(assigned) {
                if assigned.is_some() {
                    continue;
                }
                let found = tracks.take(fit, of_stream, quality);
                if let Some(track) = found.and_then(|number| server.tracks.get(number)) {
                    *assigned = found;
                    disagreement(&of_stream.names, quality, track, findings);
                }
            }
        }
    }
    for track in tracks.unused().filter_map(|number| server.tracks.get(number)) {
        let message = "the client manifest has no quality for it";
        let finding = Finding::new(FindingCode::TrackNotAnnounced, message);
        findings.push(finding.of_track(&describe(track)));
    }
    assignment
}

fn disagreement(
    (own, second): &(Cow<'_, str>, Option<&str>),
    quality: &QualityLevel,
    track: &ServerTrack,
    findings: &mut Findings,
) {
    let bitrate = track.bitrate().filter(|&bitrate| bitrate != quality.bitrate);
    let is_same_name = stream_names(track).any(|name| name == own || *second == Some(name));
    let name = cut(track.name());
    let message = match (is_same_name, bitrate) {
        (true, None) => return,
        (false, None) => format!("the server manifest calls its stream `{name}`"),
        (true, Some(bitrate)) => format!("the server manifest gives it {bitrate} bit/s"),
        (false, Some(bitrate)) => {
            format!("the server manifest has it in `{name}` at {bitrate} bit/s")
        }
    };
    let finding = Finding::new(FindingCode::ManifestsDisagree, message);
    findings.push(finding.of_track(&label(own, quality.bitrate)));
}

/// A track of the server manifest, for findings.
pub(super) fn describe(track: &ServerTrack) -> String {
    match track.bitrate() {
        Some(bitrate) => label(track.name(), bitrate),
        None => cut(track.name()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Limits;
    use crate::manifest::CustomAttribute;

    fn client(streams: &str) -> ClientManifest {
        let text = format!("<SmoothStreamingMedia>{streams}</SmoothStreamingMedia>");
        ClientManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn server(tracks: &str) -> ServerManifest {
        let text = format!("<smil><body><switch>{tracks}</switch></body></smil>");
        ServerManifest::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    fn run(streams: &str, tracks: &str) -> (Assignment, Vec<String>) {
        let mut findings = Findings::new(&Limits::default());
        let (client, server) = (client(streams), server(tracks));
        let assignment = assign(&client, &server, &mut findings);
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

    /// What [`assign`] must find, by comparing every quality with every track.
    fn assigned_one_by_one(client: &ClientManifest, server: &ServerManifest) -> Assignment {
        let same_name = |stream: &StreamIndex, track: &ServerTrack| match track.track_name() {
            Some(name) => name == stream.name(),
            None => [track.kind.as_str(), track.kind.element()].contains(&&*stream.name()),
        };
        let same_language = |stream: &StreamIndex, track: &ServerTrack| {
            let both = stream.language.as_deref().zip(track.language());
            both.is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
        };
        let same_attributes = |quality: &QualityLevel, track: &ServerTrack| {
            let has = |own: &CustomAttribute| track.value(&own.name) == Some(&own.value);
            quality.custom_attributes.iter().all(has)
        };
        let mut used = vec![false; server.tracks.len()];
        let none = |stream: &StreamIndex| vec![None; stream.qualities.len()];
        let mut assignment: Assignment = client.streams.iter().map(none).collect();
        for fit in 0..6 {
            for (stream, assigned) in client.streams.iter().zip(&mut assignment) {
                for (quality, assigned) in stream.qualities.iter().zip(assigned) {
                    let fits = |track: &ServerTrack| {
                        let bitrate = track.bitrate() == Some(quality.bitrate);
                        track.kind == stream.kind
                            && match fit {
                                0 => {
                                    bitrate
                                        && same_name(stream, track)
                                        && same_attributes(quality, track)
                                }
                                1 => bitrate && same_name(stream, track),
                                2 => bitrate && same_language(stream, track),
                                3 => bitrate,
                                4 => same_name(stream, track),
                                _ => true,
                            }
                    };
                    let tracks = || server.tracks.iter().enumerate();
                    let mut fitting = tracks().filter(|(n, track)| !used[*n] && fits(track));
                    let spoken = tracks().find(|(number, track)| {
                        !used[*number] && fits(track) && same_language(stream, track)
                    });
                    let found = spoken.or_else(|| fitting.next());
                    if assigned.is_none()
                        && let Some((number, _)) = found
                    {
                        *assigned = Some(number);
                        used[number] = true;
                    }
                }
            }
        }
        assignment
    }

    proptest::proptest! {
        #[test]
        fn tracks_are_assigned_as_if_each_were_compared(
            qualities in proptest::collection::vec((0..3_usize, 0..3_usize, 0..3_u32, 0..3_usize, 0..4_usize), 0..90),
            tracks in proptest::collection::vec((0..3_usize, 0..4_usize, 0..4_u32, 0..4_usize, 0..4_usize), 0..90),
        ) {
            let kinds = ["video", "audio", "text"];
            let names = ["video", "text", "a", ""];
            let languages = ["en", "EN", "fr", ""];
            let attribute = |n: usize| match n {
                0 => String::new(),
                n => format!("<CustomAttributes><Attribute Name='X' Value='{n}'/></CustomAttributes>"),
            };
            let streams: String = qualities.chunks(3).map(|some| {
                let &(kind, name, _, language, _) = &some[0];
                let levels: String = some.iter().map(|&(_, _, bitrate, _, n)| {
                    format!("<QualityLevel Bitrate='{bitrate}'>{}</QualityLevel>", attribute(n))
                }).collect();
                format!(
                    "<StreamIndex Type='{}' Name='{}' Language='{}'>{levels}</StreamIndex>",
                    kinds[kind], names[name], languages[language]
                )
            }).collect();
            let tracks: String = tracks.iter().map(|&(kind, name, bitrate, language, n)| {
                let element = ["video", "audio", "textstream"][kind];
                format!(
                    "<{element} systemBitrate='{bitrate}' systemLanguage='{}' x='{n}'><param name='trackName' value='{}'/>\
                     <param name='x' value='1'/></{element}>",
                    languages[language], names[name]
                )
            }).collect();
            let (client, server) = (client(&streams), server(&tracks));
            let found = assign(&client, &server, &mut Findings::none());
            proptest::prop_assert_eq!(found, assigned_one_by_one(&client, &server));
        }
    }
}
