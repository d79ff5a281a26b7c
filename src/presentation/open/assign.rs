//! Assigns a track of the server manifest to each quality of the client manifest.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;

use super::evidence::Evidence;
use super::keys::Labels;
use super::nearest::{Pair, nearest};
use super::resolve::Resolved;
use super::track_set::TrackSet;
use super::track_table::{Fit, OfStream, Scope, TrackTable, stream_names};
use crate::base::Limits;
use crate::codec::Description;
use crate::manifest::{ClientManifest, QualityLevel, ServerManifest, ServerTrack, StreamIndex};
use crate::presentation::finding::{Finding, FindingCode, Findings, cut, label};

/// For each stream and each of its qualities, the number of a track of the server manifest.
pub(super) type Assignment = Vec<Vec<Option<usize>>>;

/// Finds the track of every quality; `resolved` has the media of the tracks. Each track serves one quality, and better fits are assigned
/// first. If several tracks fit equally well, the first one in the server manifest is taken.
pub(super) fn assign(
    client: &ClientManifest,
    server: &ServerManifest,
    resolved: &[Resolved<'_>],
    limits: &Limits,
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
    for fit in Fit::SAME_BITRATE {
        let all = client.streams.iter().zip(&streams).zip(&mut assignment);
        for ((stream, of_stream), assigned) in all {
            for (quality, assigned) in stream.qualities.iter().zip(assigned) {
                if assigned.is_some() {
                    continue;
                }
                let found = tracks.take(fit, of_stream, quality, |_| true);
                if let Some(track) = found.and_then(|number| server.tracks.get(number)) {
                    *assigned = found;
                    disagreement(&of_stream.names, quality, track, findings);
                }
            }
        }
    }
    let mut left = Unpaired { client, server, streams: &streams, media: HashMap::new() };
    if tracks.unused().next().is_some() && left.qualities(&assignment).next().is_some() {
        let media = |number| Some((number, Evidence::of(resolved.get(number)?, limits)));
        left.media = tracks.unused().filter_map(media).collect();
        left.pair(&mut tracks, &mut assignment, findings);
    }
    for track in tracks.unused().filter_map(|number| server.tracks.get(number)) {
        let message = "the client manifest has no quality for it";
        let finding = Finding::new(FindingCode::TrackNotAnnounced, message);
        findings.push(finding.of_track(&describe(track)));
    }
    assignment
}

/// The qualities whose bitrate no track has.
struct Unpaired<'a> {
    client: &'a ClientManifest,
    server: &'a ServerManifest,
    /// One per stream of the client manifest.
    streams: &'a [OfStream<'a>],
    /// What the media of the tracks that are left shows, by number.
    media: HashMap<usize, Evidence>,
}

/// A quality of a stream of the client manifest.
#[derive(Clone, Copy)]
struct Announced<'a> {
    stream: &'a StreamIndex,
    quality: &'a QualityLevel,
}

impl Announced<'_> {
    fn private_data(self) -> Option<Bytes> {
        let described = Description::of(self.stream, self.quality).ok()?;
        Some(described.private_data).filter(|data| !data.is_empty())
    }

    fn size(self) -> Option<(u32, u32)> {
        self.quality.max_width.zip(self.quality.max_height)
    }
}

/// Numbers of a stream and of one of its qualities.
type Place = (usize, usize);

impl<'a> Unpaired<'a> {
    /// Pairs qualities with tracks by nearest bitrate, by picture size or by how they are coded where
    /// that is not certain, and in the order of the manifests at last.
    ///
    /// What is taken by order alone is served, with an error as its finding: most sets are written
    /// by one tool in one order, and refusing them would cost the whole film. But a player gets no bytes that are known to be another quality's: a track whose pictures have
    /// another size than the quality announces is not taken for it.
    fn pair(self, tracks: &mut TrackTable<'_>, found: &mut Assignment, findings: &mut Findings) {
        for scope in [Scope::Name, Scope::Language, Scope::Kind] {
            self.by_bitrate(scope, true, tracks, found, findings);
        }
        for scope in [Scope::Name, Scope::Kind] {
            let size = |number| size(self.server.tracks.get(number)?);
            self.by_key(scope, |of: Announced<'_>| of.size(), size, tracks, found, findings);
        }
        for scope in [Scope::Name, Scope::Kind] {
            let coded = |number| self.media.get(&number)?.private_data().cloned();
            self.by_key(
                scope,
                |of: Announced<'_>| of.private_data(),
                coded,
                tracks,
                found,
                findings,
            );
            let size = |number| self.media.get(&number)?.size();
            self.by_key(scope, |of: Announced<'_>| of.size(), size, tracks, found, findings);
        }
        for scope in [Scope::Name, Scope::Kind] {
            self.by_bitrate(scope, false, tracks, found, findings);
        }
        for (scope, fit) in [(Scope::Name, Fit::Name), (Scope::Kind, Fit::Order)] {
            for (places, candidates) in self.groups(scope, tracks, found) {
                // Where the manifests leave no choice, and do not contradict each other, it is right.
                let is_only = places.len() == 1 && candidates.iter().nth(1).is_none();
                for place in places {
                    let (Some(stream), Some(quality)) =
                        (self.streams.get(place.0), self.quality(place))
                    else {
                        continue;
                    };
                    let is_certain = |number: &usize| {
                        let bitrate =
                            self.server.tracks.get(*number).and_then(ServerTrack::bitrate);
                        is_only && (bitrate.unwrap_or(0) == 0 || quality.bitrate == 0)
                    };
                    let may = |number: &usize| is_certain(number) || !self.is_other(place, *number);
                    let Some(number) = tracks.take(fit, stream, quality, may) else {
                        if scope == Scope::Kind && !tracks.unused_of(scope, stream).is_empty() {
                            self.refused(place, findings);
                        }
                        continue;
                    };
                    self.found(place, number, is_certain(&number), found, findings);
                }
            }
        }
    }

    fn by_bitrate(
        &self,
        scope: Scope,
        only_certain: bool,
        tracks: &mut TrackTable<'_>,
        found: &mut Assignment,
        findings: &mut Findings,
    ) {
        for (places, candidates) in self.groups(scope, tracks, found) {
            let numbers: Vec<usize> = candidates.iter().collect();
            let bitrate = |place: &Place| self.quality(*place).map_or(0, |q| q.bitrate);
            let qualities: Vec<u32> = places.iter().map(bitrate).collect();
            let bitrate = |number: &usize| self.server.tracks.get(*number)?.bitrate();
            let bitrates: Vec<u32> = numbers.iter().map(|n| bitrate(n).unwrap_or(0)).collect();
            for Pair { quality, track, is_certain } in nearest(&qualities, &bitrates) {
                let (Some(place), Some(number)) = (places.get(quality), numbers.get(track)) else {
                    continue;
                };
                if is_certain || !only_certain && !self.is_other(*place, *number) {
                    tracks.set_used(*number);
                    self.found(*place, *number, is_certain, found, findings);
                }
            }
        }
    }

    /// Where one quality and one track alone have a key: a size, or data for the decoder.
    fn by_key<K: Ord>(
        &self,
        scope: Scope,
        of_quality: impl Fn(Announced<'_>) -> Option<K>,
        of_track: impl Fn(usize) -> Option<K>,
        tracks: &mut TrackTable<'_>,
        found: &mut Assignment,
        findings: &mut Findings,
    ) {
        for (places, candidates) in self.groups(scope, tracks, found) {
            let mut of_key: BTreeMap<K, (Vec<Place>, Vec<usize>)> = BTreeMap::new();
            for place in places {
                if let Some(key) = self.announced(place).and_then(&of_quality) {
                    of_key.entry(key).or_default().0.push(place);
                }
            }
            for number in candidates.iter() {
                if let Some(alike) = of_track(number).and_then(|key| of_key.get_mut(&key)) {
                    alike.1.push(number);
                }
            }
            for alike in of_key.into_values() {
                if let ([place], [number]) = (&alike.0[..], &alike.1[..]) {
                    tracks.set_used(*number);
                    self.found(*place, *number, true, found, findings);
                }
            }
        }
    }

    /// The qualities that are left, by what they have in common, with the tracks that are left and
    /// have the same.
    fn groups(
        &self,
        scope: Scope,
        tracks: &TrackTable<'_>,
        found: &Assignment,
    ) -> Vec<(Vec<Place>, TrackSet)> {
        // Names are compared once per stream: many qualities may share a long one.
        let mut ids = HashMap::new();
        let id = |(stream, of_stream): (&StreamIndex, &'a OfStream<'a>)| {
            let common: Cow<'a, str> = match scope {
                Scope::Name => (&*of_stream.names.0).into(),
                Scope::Language => {
                    stream.language.as_deref().unwrap_or("").to_ascii_lowercase().into()
                }
                Scope::Kind => "".into(),
            };
            let next = ids.len();
            *ids.entry((stream.kind, common)).or_insert(next)
        };
        let of_streams: Vec<usize> = self.client.streams.iter().zip(self.streams).map(id).collect();
        let mut groups: BTreeMap<usize, Vec<Place>> = BTreeMap::new();
        for place in self.qualities(found) {
            let Some(&id) = of_streams.get(place.0) else { continue };
            groups.entry(id).or_default().push(place);
        }
        let with_tracks = |places: Vec<Place>| {
            let stream = self.streams.get(places.first()?.0)?;
            let candidates = tracks.unused_of(scope, stream);
            (!candidates.is_empty()).then_some((places, candidates))
        };
        groups.into_values().filter_map(with_tracks).collect()
    }

    /// The qualities that have no track yet.
    fn qualities(&self, found: &Assignment) -> impl Iterator<Item = Place> {
        let of_stream = |(stream, found): (usize, &Vec<Option<usize>>)| {
            let left = found.iter().enumerate().filter(|(_, found)| found.is_none());
            left.map(|(quality, _)| (stream, quality)).collect::<Vec<_>>()
        };
        found.iter().enumerate().flat_map(of_stream)
    }

    fn quality(&self, (stream, quality): Place) -> Option<&QualityLevel> {
        self.client.streams.get(stream)?.qualities.get(quality)
    }

    fn announced(&self, place: Place) -> Option<Announced<'_>> {
        let stream = self.client.streams.get(place.0)?;
        Some(Announced { stream, quality: self.quality(place)? })
    }

    /// The media of a track shows that it is another quality's.
    fn is_other(&self, place: Place, number: usize) -> bool {
        let media = self.media.get(&number).zip(self.announced(place));
        media.is_some_and(|(media, announced)| media.contradicts(announced.size()))
    }

    /// Tells that no track is taken for a quality.
    fn refused(&self, place: Place, findings: &mut Findings) {
        let (Some(stream), Some(quality)) = (self.streams.get(place.0), self.quality(place)) else {
            return;
        };
        let message = "no bitrate or name tells its track in the server manifest, and those that are left have pictures of another size: it is not served";
        let finding = Finding::new(FindingCode::TrackGuessed, message);
        findings.push(finding.of_track(&label(&stream.names.0, quality.bitrate)));
    }

    fn found(
        &self,
        place: Place,
        number: usize,
        is_certain: bool,
        found: &mut Assignment,
        findings: &mut Findings,
    ) {
        let of_quality = found.get_mut(place.0).and_then(|stream| stream.get_mut(place.1));
        let (Some(of_quality), Some(stream), Some(quality), Some(track)) = (
            of_quality,
            self.streams.get(place.0),
            self.quality(place),
            self.server.tracks.get(number),
        ) else {
            return;
        };
        *of_quality = Some(number);
        if is_certain {
            return disagreement(&stream.names, quality, track, findings);
        }
        let message = format!(
            "no bitrate, name or picture size tells its track in the server manifest; `{}` is taken for it",
            describe(track)
        );
        let finding = Finding::new(FindingCode::TrackGuessed, message);
        findings.push(finding.of_track(&label(&stream.names.0, quality.bitrate)));
    }
}

/// The picture size that a track of the server manifest says.
fn size(track: &ServerTrack) -> Option<(u32, u32)> {
    let number = |name| track.value(name)?.trim().parse().ok();
    Some((number("MaxWidth")?, number("MaxHeight")?))
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
        let assignment = assign(&client, &server, &[], &Limits::default(), &mut findings);
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
                "error track-guessed: video at 100: no bitrate, name or picture size tells its track in the server manifest; `video` is taken for it",
                "warning manifests-disagree: video at 300: the server manifest calls its stream `v`",
                "warning manifests-disagree: video at 200: the server manifest gives it 199 bit/s",
                "info track-not-announced: video at 7: the client manifest has no quality for it",
                "info track-not-announced: audio at 100: the client manifest has no quality for it",
            ]
        );
    }

    #[test]
    fn bitrates_that_differ_are_paired_by_nearness_then_by_picture_size() {
        let quality = |bitrate: u32, width: u32| {
            format!("<QualityLevel Bitrate='{bitrate}' MaxWidth='{width}' MaxHeight='9'/>")
        };
        let track = |bitrate: u32, width: u32| {
            format!(
                "<video systemBitrate='{bitrate}' maxWidth='{width}'><param name='MaxHeight' value='9'/></video>"
            )
        };
        let run = |qualities: &[(u32, u32)], tracks: &[(u32, u32)]| {
            let qualities: String = qualities.iter().map(|q| quality(q.0, q.1)).collect();
            let tracks: String = tracks.iter().map(|t| track(t.0, t.1)).collect();
            let streams = format!("<StreamIndex Type='video'>{qualities}</StreamIndex>");
            let (assignment, findings) = run(&streams, &tracks);
            let errors = findings.iter().filter(|f| f.starts_with("error track-guessed")).count();
            (assignment[0].clone(), errors)
        };
        let reversed = run(&[(3000, 1), (1500, 1), (800, 1)], &[(805, 1), (1502, 1), (3005, 1)]);
        assert_eq!(reversed, (vec![Some(2), Some(1), Some(0)], 0));
        let sizes = run(&[(3000, 3), (1500, 2), (800, 1)], &[(533, 1), (1000, 2), (2000, 3)]);
        assert_eq!(sizes, (vec![Some(2), Some(1), Some(0)], 0));
        let guessed = run(&[(3000, 1), (800, 1)], &[(100, 1), (200, 1)]);
        assert_eq!(guessed, (vec![Some(0), Some(1)], 2));
    }

    /// What [`assign`] must find where bitrates are equal, by comparing every quality with every
    /// track.
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
        for fit in 0..4 {
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
                                _ => bitrate,
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
            let found = assign(&client, &server, &[], &Limits::default(), &mut Findings::none());
            let mut used = HashSet::new();
            for (found, wanted) in found.iter().flatten().zip(assigned_one_by_one(&client, &server).iter().flatten()) {
                proptest::prop_assert!(wanted.is_none() || found == wanted);
                proptest::prop_assert!(found.is_none_or(|track| used.insert(track)));
            }
            // No quality is without a track as long as its kind has one left.
            for (stream, found) in client.streams.iter().zip(&found) {
                let mut all = server.tracks.iter().enumerate();
                let is_left = all.any(|(n, track)| track.kind == stream.kind && !used.contains(&n));
                proptest::prop_assert!(!is_left || found.iter().all(Option::is_some));
            }
        }
    }
}
