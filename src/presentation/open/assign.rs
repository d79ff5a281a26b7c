//! Assigns a track of the server manifest to each quality of the client manifest.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::evidence::Evidence;
use super::keys::Labels;
use super::resolve::Resolved;
use super::track_table::{Fit, OfStream, TrackTable};
use crate::base::Limits;
use crate::codec::Description;
use crate::manifest::{ClientManifest, QualityLevel, ServerManifest, ServerTrack, StreamIndex};
use crate::presentation::finding::{Finding, FindingCode, Findings, Label, Labelled, label};

/// For each stream and each of its qualities, the number of a track of the server manifest.
pub(super) type Assignment = Vec<Vec<Option<usize>>>;

/// Finds the track of every quality; `resolved` has the media of the tracks. Each track serves one
/// quality, and better fits are assigned first. If several tracks fit equally well, the first one
/// in the server manifest is taken.
pub(super) fn assign(
    client: &ClientManifest,
    server: &ServerManifest,
    resolved: &[Resolved<'_>],
    limits: &Limits,
    findings: &mut Findings,
) -> Assignment {
    let none = |stream: &StreamIndex| vec![None; stream.qualities.len()];
    let qualities = client.streams.iter().flat_map(|stream| &stream.qualities);
    let attributes = qualities.flat_map(|quality| &quality.custom_attributes);
    let asked: HashSet<String> = attributes.map(|a| a.name.to_ascii_lowercase()).collect();
    let labels = Labels::new(&client.streams);
    let tracks = TrackTable::new(&server.tracks, &asked);
    let streams: Vec<_> =
        client.streams.iter().map(|stream| tracks.of_stream(stream, &labels)).collect();
    let mut pairing = Pairing {
        client,
        server,
        streams: &streams,
        resolved,
        limits,
        tracks,
        found: client.streams.iter().map(none).collect(),
        doubts: HashMap::new(),
        media: HashMap::new(),
        findings,
    };
    pairing.by_same_bitrate(Fit::SAME_NAME);
    if pairing.is_open() {
        pairing.reserve();
        pairing.by_same_bitrate(Fit::OTHER_NAME);
    }
    pairing.settle_doubts();
    if pairing.is_open() {
        pairing.pair_others();
    }
    for track in pairing.tracks.unused().filter_map(|number| server.tracks.get(number)) {
        let message = "the client manifest has no quality for it";
        let finding = Finding::new(FindingCode::TrackNotAnnounced, message);
        pairing.findings.push(finding.of_track(&describe(track)));
    }
    pairing.found
}

/// Numbers of a stream and of one of its qualities.
pub(super) type Place = (usize, usize);

/// Qualities and tracks while they are being paired.
pub(super) struct Pairing<'a> {
    pub(super) client: &'a ClientManifest,
    pub(super) server: &'a ServerManifest,
    /// One per stream of the client manifest.
    pub(super) streams: &'a [OfStream<'a>],
    pub(super) resolved: &'a [Resolved<'a>],
    limits: &'a Limits,
    pub(super) tracks: TrackTable<'a>,
    pub(super) found: Assignment,
    /// Qualities whose track has the same bitrate but may belong to another quality.
    pub(super) doubts: HashMap<Place, usize>,
    /// Evidence of tracks, by their numbers. It is collected only if manifests differ.
    media: HashMap<usize, Evidence>,
    pub(super) findings: &'a mut Findings,
}

/// A quality of a stream of the client manifest.
#[derive(Clone, Copy)]
pub(super) struct Announced<'a> {
    stream: &'a StreamIndex,
    pub(super) quality: &'a QualityLevel,
}

impl Announced<'_> {
    pub(super) fn private_data(self) -> Option<Bytes> {
        let described = Description::of(self.stream, self.quality).ok()?;
        Some(described.private_data).filter(|data| !data.is_empty())
    }

    pub(super) fn size(self) -> Option<(u32, u32)> {
        self.quality.max_width.zip(self.quality.max_height)
    }
}

/// The way in which a track was found for a quality with a different bitrate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No other track is possible.
    Certain,
    /// Its bitrate is the nearest.
    Nearest,
    /// It has the same rank among the bitrates of tracks as the quality has among those of
    /// qualities.
    Rank,
    /// It has the same position in the order of its manifest.
    Place,
}

impl<'a> Pairing<'a> {
    /// Pairs qualities and tracks that have the same bitrate in both manifests.
    ///
    /// A pair is doubtful if several tracks fit, or if track and quality have different picture
    /// sizes or decoder configurations.
    pub(super) fn by_same_bitrate(&mut self, fits: [Fit; 2]) {
        let client = self.client;
        for fit in fits {
            for (s, (stream, of_stream)) in client.streams.iter().zip(self.streams).enumerate() {
                for (q, quality) in stream.qualities.iter().enumerate() {
                    let place = (s, q);
                    if self.found_of(place).is_none_or(|found| found.is_some()) {
                        continue;
                    }
                    let Some((number, is_one_of_several)) =
                        self.tracks.take(fit, of_stream, quality)
                    else {
                        continue;
                    };
                    self.set_found(place, Some(number));
                    let announced = Announced { stream, quality };
                    if is_one_of_several || self.is_doubtful(announced, number) {
                        self.doubts.insert(place, number);
                    } else {
                        self.disagreement(place, number);
                    }
                }
            }
        }
    }

    /// Returns whether there are both qualities without a track and tracks without a quality.
    pub(super) fn is_open(&self) -> bool {
        self.tracks.unused().next().is_some() && self.open().next().is_some()
    }

    /// Iterates over the qualities that have no track yet.
    pub(super) fn open(&self) -> impl Iterator<Item = Place> {
        self.found.iter().enumerate().flat_map(|(stream, found)| {
            let open = found.iter().enumerate().filter(|(_, found)| found.is_none());
            open.map(move |(quality, _)| (stream, quality))
        })
    }

    /// Reserves the tracks that have the name of a stream for that stream, as long as some of its
    /// qualities have no track.
    pub(super) fn reserve(&mut self) {
        let open = self.streams.iter().zip(&self.found);
        let open = open.filter(|(_, found)| found.iter().any(Option::is_none));
        self.tracks.reserve(open.map(|(stream, _)| stream));
    }

    /// Collects evidence of the tracks that no quality has yet; each track is read once.
    pub(super) fn look_at_media(&mut self) {
        for number in self.tracks.unused() {
            if let Some(track) = self.server.tracks.get(number) {
                let evidence = || Evidence::of(track, self.resolved.get(number), self.limits);
                self.media.entry(number).or_insert_with(evidence);
            }
        }
    }

    pub(super) fn evidence(&self, number: usize) -> Option<&Evidence> {
        self.media.get(&number)
    }

    pub(super) fn announced(&self, place: Place) -> Option<Announced<'a>> {
        let stream = self.client.streams.get(place.0)?;
        Some(Announced { stream, quality: stream.qualities.get(place.1)? })
    }

    pub(super) fn bitrate_of(&self, number: usize) -> u32 {
        self.server.tracks.get(number).and_then(ServerTrack::bitrate).unwrap_or(0)
    }

    pub(super) fn found_of(&self, place: Place) -> Option<Option<usize>> {
        self.found.get(place.0)?.get(place.1).copied()
    }

    pub(super) fn set_found(&mut self, place: Place, number: Option<usize>) {
        if let Some(found) = self.found.get_mut(place.0).and_then(|s| s.get_mut(place.1)) {
            *found = number;
        }
    }

    /// Assigns an unused track to a quality.
    pub(super) fn take(&mut self, place: Place, number: usize, how: Found) {
        self.tracks.set_used(number);
        self.set_found(place, Some(number));
        let Some(track) = self.server.tracks.get(number) else { return };
        let how = match how {
            Found::Certain => return self.disagreement(place, number),
            Found::Nearest => "because its bitrate is the nearest",
            Found::Rank => "by the order of bitrates",
            Found::Place => "by its position",
        };
        let message = format!(
            "no bitrate, name or picture size identifies its track in the server manifest: `{}` is used, {how}",
            describe(track)
        );
        self.push(FindingCode::TrackGuessed, message, place);
    }

    pub(super) fn push(
        &mut self,
        code: FindingCode,
        message: impl Into<Cow<'static, str>>,
        place: Place,
    ) {
        let (Some(stream), Some(announced)) = (self.streams.get(place.0), self.announced(place))
        else {
            return;
        };
        let finding = Finding::new(code, message.into());
        self.findings.push(finding.of_track(&label(&stream.names.0, announced.quality.bitrate)));
    }
}

/// A track of the server manifest, for findings.
pub(super) fn describe(track: &ServerTrack) -> Label<'_> {
    match track.bitrate() {
        Some(bitrate) => label(track.name(), bitrate),
        None => track.name().label(),
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
                "error track-guessed: video at 100: no bitrate, name or picture size identifies its track in the server manifest: `video` is used, by its position",
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
        assert_eq!(guessed, (vec![Some(1), Some(0)], 2), "the higher is the higher");
    }

    /// Returns what [`assign`] must find if bitrates are equal, by comparing every quality with every
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
        let mut reserved = vec![false; server.tracks.len()];
        let none = |stream: &StreamIndex| vec![None; stream.qualities.len()];
        let mut assignment: Assignment = client.streams.iter().map(none).collect();
        for fit in 0..4 {
            // From the third round on, tracks are reserved for the open streams of their names.
            let open = client.streams.iter().zip(&assignment);
            let open = open.filter(|(_, found)| found.iter().any(Option::is_none));
            let open: Vec<&StreamIndex> = open.map(|(stream, _)| stream).collect();
            if fit == 2 {
                let is_reserved = |track: &ServerTrack| {
                    let is_named = |s: &&StreamIndex| s.kind == track.kind && same_name(s, track);
                    track.track_name().is_some() && open.iter().any(is_named)
                };
                reserved = server.tracks.iter().map(is_reserved).collect();
            }
            for (stream, assigned) in client.streams.iter().zip(&mut assignment) {
                for (quality, assigned) in stream.qualities.iter().zip(assigned) {
                    let fits = |(number, track): &(usize, &ServerTrack)| {
                        let bitrate = track.bitrate() == Some(quality.bitrate);
                        track.kind == stream.kind
                            && !used[*number]
                            && (!reserved[*number] || same_name(stream, track))
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
                    let mut fitting = tracks().filter(&fits);
                    let spoken = tracks().find(|item| fits(item) && same_language(stream, item.1));
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
        fn bitrates_that_are_multiples_of_the_others_are_paired_by_rank(
            steps in proptest::collection::vec(20_000..900_000_u32, 3..9),
            scale in 1..6_usize,
            (turned, reversed) in (0..9_usize, proptest::bool::ANY),
        ) {
            let scaled = |bitrate: u32| match scale {
                1 => bitrate / 1000,
                2 => bitrate / 2 * 3,
                3 => bitrate / 4 * 3,
                4 => bitrate + 128_000,
                _ => bitrate / 10 * 11,
            };
            let ladder: Vec<u32> = steps.iter().scan(100_000, |sum, step| {
                *sum += step;
                Some(*sum)
            }).collect();
            let is_apart = |b: &u32| !ladder.contains(&scaled(*b));
            proptest::prop_assume!(ladder.iter().all(is_apart));
            let streams: String = ladder.iter().map(|b| format!("<QualityLevel Bitrate='{b}'/>")).collect();
            let streams = format!("<StreamIndex Type='video'>{streams}</StreamIndex>");
            let mut order: Vec<usize> = (0..ladder.len()).collect();
            order.rotate_left(turned % ladder.len());
            if reversed {
                order.reverse();
            }
            let tracks: String = order.iter().map(|rank| {
                format!("<video systemBitrate='{}'/>", scaled(ladder[*rank]))
            }).collect();
            let (assignment, _) = run(&streams, &tracks);
            for (rank, track) in assignment[0].iter().enumerate() {
                proptest::prop_assert_eq!(track.map(|track| order[track]), Some(rank));
            }
        }

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
            let found = assign(&client, &server, &[], &Limits::default(), &mut Findings::new(&Limits::default()));
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
