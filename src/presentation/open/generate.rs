//! A manifest made from the media: for presentations that have none that fits.

use std::collections::HashMap;

use super::adopt::pixel_aspect;
use super::lacking::lacking;
use super::matching::match_chunks;
use super::resolve::Resolved;
use super::taken::Taken;
use super::tracks::MediaTrack;
use crate::base::{Error, Limits, Timescale};
use crate::bmff::VisualSampleEntry;
use crate::codec::{CodecTag, Description, display_size};
use crate::manifest::{
    Chunk, ClientManifest, CustomAttribute, QualityLevel, ServerTrack, StreamIndex, StreamKind,
};
use crate::presentation::finding::{Counted, Finding, FindingCode, Findings, Label, label};
use crate::presentation::stream::{Media, announced, kept, word};
use crate::presentation::{OpenOptions, Role, Stream, Timeline, Track, Window};

/// A generated manifest, and the streams it announces.
pub(super) struct Generated {
    pub(super) manifest: ClientManifest,
    pub(super) streams: Vec<Stream>,
    /// True if event streams are left out of the manifest, as the options require.
    pub(super) has_left_out: bool,
}

/// Tracks that become one stream.
struct Group<'a> {
    kind: StreamKind,
    /// `trackName`, where the server manifest has one.
    given: Option<&'a str>,
    language: Option<&'a str>,
    timescale: Timescale,
    tracks: Vec<(&'a Resolved<'a>, &'a MediaTrack)>,
}

/// Makes a manifest of all tracks that can be served.
///
/// Tracks whose times cannot be are left out.
pub(super) fn generate(
    resolved: &[Resolved<'_>],
    options: &OpenOptions,
    findings: &mut Findings,
) -> Generated {
    let limits = &options.limits;
    let mut has_left_out = false;
    let groups = group(resolved);
    let names = names(&groups);
    let mut manifest =
        ClientManifest { timescale: Some(Timescale::SMOOTH), ..ClientManifest::default() };
    let (mut streams, mut start, mut end) = (Vec::new(), u64::MAX, 0);
    for (group, name) in groups.iter().zip(names) {
        let (index, stream) = match group.stream(&name, limits, findings) {
            Ok((_, stream)) if stream.tracks.is_empty() => continue,
            Ok(made) => made,
            Err(error) => {
                let finding = Finding::new(FindingCode::TimesInvalid, error.to_string());
                findings.push(finding.of_track(&name).because(error));
                continue;
            }
        };
        if options.without_event_streams && index.is_of_events() {
            has_left_out = true;
            streams.push(stream);
            continue;
        }
        let smooth = |ticks| stream.timescale.rescale_round(ticks, Timescale::SMOOTH).unwrap_or(0);
        end = end.max(smooth(stream.timeline.end()));
        if let Some((first, _)) = stream.timeline.chunk(0) {
            start = start.min(smooth(first));
        }
        let tag = |quality: &QualityLevel| quality.four_cc.clone().unwrap_or_default();
        if index
            .qualities
            .iter()
            .any(|quality| matches!(&*tag(quality), "HVC1" | "HEV1" | "DVH1" | "DVHE"))
        {
            manifest.minor_version = 2;
        }
        manifest.streams.push(index);
        streams.push(stream);
    }
    // The length of the film, wherever its times begin.
    manifest.duration = end.saturating_sub(start);
    Generated { manifest, streams, has_left_out }
}

/// Streams: video first, then audio, then text; else in the order of the server manifest.
fn group<'a>(resolved: &'a [Resolved<'a>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known = HashMap::new();
    for resolved in resolved {
        let (server, Ok(media)) = (resolved.server, &resolved.media) else { continue };
        if media.fragments.is_err() {
            continue;
        }
        // Pictures of all languages are one stream.
        let language = match server.kind {
            StreamKind::Video => None,
            _ => server.language().or(media.language.as_deref()),
        };
        let (kind, given, timescale) = (server.kind, server.track_name(), media.timescale);
        let number = *known.entry((kind, given, language, timescale)).or_insert(groups.len());
        match groups.get_mut(number) {
            Some(group) => group.tracks.push((resolved, media)),
            None => {
                let tracks = vec![(resolved, *media)];
                groups.push(Group { kind, given, language, timescale, tracks });
            }
        }
    }
    groups.sort_by_key(|group| group.kind);
    groups
}

/// Names by `trackName`, else by kind where there is one stream of it, else by kind and language;
/// with a number where that is taken.
fn names(groups: &[Group<'_>]) -> Vec<String> {
    let mut unnamed: HashMap<StreamKind, usize> = HashMap::new();
    for group in groups.iter().filter(|group| group.given.is_none()) {
        *unnamed.entry(group.kind).or_default() += 1;
    }
    let mut taken = Taken::default();
    let name = |group: &Group<'_>| {
        let kind = group.kind.element();
        taken.name(match (group.given, group.language) {
            (Some(given), _) => given.to_owned(),
            (None, Some(language)) if unnamed.get(&group.kind).is_some_and(|&n| n > 1) => {
                format!("{kind}_{language}")
            }
            (None, _) => kind.to_owned(),
        })
    };
    groups.iter().map(name).collect()
}

impl Group<'_> {
    fn stream(
        &self,
        name: &str,
        limits: &Limits,
        findings: &mut Findings,
    ) -> Result<(StreamIndex, Stream), Error> {
        let chunks = self.chunks(name, findings);
        let timeline = Timeline::new(&chunks, limits)?;
        let mut index = StreamIndex::new(self.kind);
        let mut tracks: Vec<(QualityLevel, Track)> = Vec::new();
        let mut taken = Taken::default();
        for (resolved, media) in &self.tracks {
            let bitrate = bitrate(resolved, media, &timeline, &mut taken, findings);
            let label = label(name, bitrate);
            let media_track = self.media(resolved, media, &timeline, &label, findings);
            if let Some(stored) = media_track {
                let (quality, described) =
                    quality(resolved, media, bitrate, &label, limits, findings);
                let description = match described {
                    Some(described) => kept(&described),
                    None => announced(&index, &quality),
                };
                let (kind, attributes) = (self.kind, Vec::new());
                let pixel_aspect = pixel_aspect(&index, &quality, Some(resolved)).map(Box::new);
                let media = stored;
                let track = Track { kind, bitrate, attributes, media, description, pixel_aspect };
                taken.take_bitrate(bitrate);
                tracks.push((quality, track));
            }
        }
        // The best first, as most producers have it.
        tracks.sort_by_key(|(_, track)| std::cmp::Reverse(track.bitrate));
        let (qualities, tracks): (Vec<_>, Vec<_>) = tracks.into_iter().unzip();
        index.qualities = qualities;
        for (number, quality) in index.qualities.iter_mut().enumerate() {
            quality.index = Some(number as u32);
        }
        self.describe(&mut index, name, findings);
        if let Some((width, height)) = self.display_size(limits) {
            (index.display_width, index.display_height) = (Some(width), Some(height));
        }
        index.chunks = chunks;
        let server = self.tracks.first().map(|(resolved, _)| resolved.server);
        let subtype = server.and_then(|server| server.value("Subtype"));
        let role = Role::declared(self.kind, subtype, &[Some(name)], server);
        let stream = Stream {
            kind: self.kind,
            name: name.to_owned(),
            label: None,
            language: self.language.map(Into::into),
            timescale: self.timescale,
            timeline,
            tracks,
            subtype: word(index.subtype.as_deref()),
            parent: word(index.parent.as_deref()),
            scheme: word(index.event_scheme()),
            role,
            window: Window::default(),
        };
        Ok((index, stream))
    }

    /// Returns the size at which the largest quality is shown, if any quality has non-square
    /// pixels.
    fn display_size(&self, limits: &Limits) -> Option<(u32, u32)> {
        if self.kind != StreamKind::Video {
            return None;
        }
        let mut is_square = true;
        let mut largest = None;
        for (_, media) in &self.tracks {
            let Some(entry) = &media.entry else { continue };
            let shown = display_size(entry, media.shown, limits);
            is_square &= shown.is_none();
            let coded = || {
                let visual = VisualSampleEntry::parse(entry, limits).ok()?;
                Some((visual.width.into(), visual.height.into()))
            };
            let area = |&(width, height): &(u32, u32)| u64::from(width) * u64::from(height);
            largest = largest.into_iter().chain(shown.or_else(coded)).max_by_key(area);
        }
        largest.filter(|_| !is_square)
    }

    fn describe(&self, index: &mut StreamIndex, name: &str, findings: &mut Findings) {
        index.name = Some(name.to_owned());
        index.url = StreamIndex::named(self.kind, name).url;
        index.timescale = Some(self.timescale);
        index.language = self.language.map(Into::into);
        let largest =
            |side: fn(&QualityLevel) -> Option<u32>| index.qualities.iter().filter_map(side).max();
        let (width, height) = (largest(|q| q.max_width), largest(|q| q.max_height));
        (index.max_width, index.max_height) = (width, height);
        (index.display_width, index.display_height) = (width, height);
        if self.kind == StreamKind::Text {
            let subtype = self.tracks.iter().find_map(|(track, _)| track.server.value("Subtype"));
            index.subtype = Some(subtype.unwrap_or("CAPT").to_owned());
            let parent = self.tracks.iter().find_map(|(t, _)| t.server.value("parentTrackName"));
            index.parent = parent.map(Into::into);
            // What the samples of commands and events are, such as `urn:scte:scte35:2013:bin`.
            let scheme = self
                .tracks
                .iter()
                .find_map(|(t, _)| t.server.value("Scheme").or(t.server.value("Schema")));
            let scheme = scheme.filter(|scheme| !scheme.is_empty());
            for quality in index.qualities.iter_mut().filter(|of| of.custom_attributes.is_empty()) {
                let attribute = |value: &str| CustomAttribute {
                    name: "Scheme".to_owned(),
                    value: value.to_owned(),
                };
                quality.custom_attributes.extend(scheme.map(attribute));
            }
        }
        if self.timescale != Timescale::SMOOTH {
            let message = format!("times are in units of 1/{} s", self.timescale);
            findings.push(Finding::new(FindingCode::TimescaleUnusual, message).of_track(name));
        }
    }

    /// Returns the track whose fragments are the chunks: the one with the most fragments, preferably
    /// among those whose times are in order, and among those whose files are whole. A file that was
    /// cut off gives the chunks only if its last fragment begins later than that of every whole one.
    fn reference(&self) -> Option<&MediaTrack> {
        let count = |media: &MediaTrack| media.fragments.as_ref().map_or(0, Vec::len);
        let last = |media: &MediaTrack| Some(media.fragments.as_ref().ok()?.last()?.time);
        let whole = self.tracks.iter().filter(|(_, media)| !media.is_cut_off);
        let last_of_whole = whole.filter_map(|(_, media)| last(media)).max();
        let rank = |media: &MediaTrack| {
            let is_whole = !media.is_cut_off || last(media) > last_of_whole;
            (!media.is_disordered, is_whole, count(media))
        };
        // Of several, the first.
        let most = self.tracks.iter().rev().max_by_key(|(_, media)| rank(media));
        most.map(|(_, media)| *media)
    }

    /// Returns the fragments of the [reference](Self::reference) as chunks. Each lasts until the next
    /// one begins, so that nothing drifts.
    fn chunks(&self, name: &str, findings: &mut Findings) -> Vec<Chunk> {
        let Some(reference) = self.reference() else { return Vec::new() };
        let fragments = reference.fragments.as_deref().unwrap_or_default();
        let before_0 = fragments.first().map_or(0, |first| first.time.min(0));
        if before_0 < 0 {
            let ticks = before_0.unsigned_abs();
            let message = format!("it began {ticks} ticks before 0 and is announced from 0");
            findings.push(Finding::new(FindingCode::StartMoved, message).of_track(name));
        }
        let mut starts: Vec<u64> =
            fragments.iter().map(|f| f.time.wrapping_sub(before_0) as u64).collect();
        // Of several fragments at one time, only the first one could be requested.
        starts.dedup();
        let mut durations: Vec<u64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        durations.push(reference.last_duration.unwrap_or_else(|| {
            let message = "the last chunk is announced as long as the one before";
            findings.push(Finding::new(FindingCode::DurationAssumed, message).of_track(name));
            durations.last().copied().unwrap_or(0)
        }));
        let chunk = |(start, duration)| Chunk {
            time: Some(start),
            duration: Some(duration),
            ..Chunk::default()
        };
        starts.into_iter().zip(durations).map(chunk).collect()
    }

    /// The track's fragments by the stream's chunks; `None` when none is of them.
    fn media(
        &self,
        resolved: &Resolved<'_>,
        media: &MediaTrack,
        timeline: &Timeline,
        label: &Label<'_>,
        findings: &mut Findings,
    ) -> Option<Media> {
        let fragments = media.fragments.as_deref().unwrap_or_default();
        let matched = match_chunks(timeline, self.timescale, fragments, media.timescale);
        let found = matched.fragments.len();
        if found == 0 {
            self.not_aligned(resolved, found, timeline, label, findings);
            return None;
        }
        let stored = resolved.stored(media, matched);
        if let Media::Stored(track) = &stored
            && let Some(first) = track.fragments.first_missing(timeline.len())
        {
            let message = lacking(media, found, timeline.len());
            let finding = Finding::new(FindingCode::ChunksWithoutMedia, message).of_track(label);
            let time = timeline.chunk(first).map(|chunk| chunk.0);
            findings.push(finding.at_chunk(time).in_file(&resolved.file_name));
            // A file that was cut off lacks chunks for this reason.
            if !media.is_cut_off {
                self.not_aligned(resolved, found, timeline, label, findings);
            }
        }
        Some(stored)
    }

    /// Reports that a track has other chunks than its stream.
    fn not_aligned(
        &self,
        resolved: &Resolved<'_>,
        found: usize,
        timeline: &Timeline,
        label: &Label<'_>,
        findings: &mut Findings,
    ) {
        let chunks = Counted(timeline.len(), "chunk");
        let message = format!("it has {found} of the stream's {chunks}");
        let finding = Finding::new(FindingCode::TracksNotAligned, message);
        findings.push(finding.of_track(label).in_file(&resolved.file_name));
    }
}

/// The bitrate that the server manifest declares, else that of the fragments; one more if another
/// track of the stream has it.
///
/// Pictures and sound of 0 bit/s are not declared: ffmpeg writes 0 when it encodes for quality, and
/// RxPlayer 4.5 drops such qualities.
fn bitrate(
    resolved: &Resolved<'_>,
    media: &MediaTrack,
    timeline: &Timeline,
    taken: &mut Taken,
    findings: &mut Findings,
) -> u32 {
    let is_declared = |&bitrate: &u32| bitrate > 0 || resolved.server.kind == StreamKind::Text;
    let declared = resolved.server.bitrate().filter(is_declared);
    let wanted = declared.unwrap_or_else(|| computed(media, timeline));
    let free = taken.free_bitrate(wanted);
    if declared != Some(free) {
        let message = format!("its bitrate is announced as {free}");
        let finding = Finding::new(FindingCode::BitrateComputed, message);
        findings.push(finding.of_track(resolved.server.name()).in_file(&resolved.file_name));
    }
    free
}

/// Bits of the track's fragments by the stream's length: the same for the same index.
fn computed(media: &MediaTrack, timeline: &Timeline) -> u32 {
    let fragments = media.fragments.as_deref().unwrap_or_default();
    let bytes: u128 = fragments.iter().map(|of| u128::from(media.own_bytes.of(of))).sum();
    let start = timeline.chunk(0).map_or(0, |(start, _)| start);
    let ticks = u128::from((timeline.end() - start).max(1));
    let bits = 8 * bytes * u128::from(media.timescale.get()) / ticks;
    u32::try_from(bits).unwrap_or(u32::MAX)
}

/// A quality that announces what the file's sample entry says; what the server manifest says
/// where that cannot be read.
fn quality(
    resolved: &Resolved<'_>,
    media: &MediaTrack,
    bitrate: u32,
    label: &Label<'_>,
    limits: &Limits,
    findings: &mut Findings,
) -> (QualityLevel, Option<Description>) {
    let server = resolved.server;
    let mut unknown = |message: String| {
        let finding = Finding::new(FindingCode::CodecUnknown, message);
        findings.push(finding.of_track(label).in_file(&resolved.file_name));
    };
    let described = match &media.entry {
        Some(entry) => Description::of_entry(server.kind, entry, limits).map_err(|e| e.to_string()),
        None => Err("its file has no sample entry".into()),
    };
    match described {
        Ok(described) => {
            if !described.is_known() {
                unknown(format!("its codec is announced as `{}`", described.tag));
            }
            let mut quality = described.quality(bitrate);
            let is_said = |data: &Option<String>| data.as_deref().is_some_and(|d| !d.is_empty());
            // Encoders may leave parameter sets out of `avcC` and say them in the server manifest.
            if server.kind == StreamKind::Video && !is_said(&quality.codec_private_data) {
                let said = declared(server, bitrate).codec_private_data;
                quality.codec_private_data = said.or(quality.codec_private_data);
            }
            (quality, Some(described))
        }
        Err(why) => {
            unknown(why);
            (declared(server, bitrate), None)
        }
    }
}

/// Returns whether samples of such a stream are documents, and not commands or markers.
fn is_of_captions(subtype: &str) -> bool {
    matches!(&*subtype.trim().to_ascii_uppercase(), "" | "CAPT" | "SUBT" | "DESC")
}

/// Returns the quality that the server manifest declares for a track whose sample entry cannot be
/// read.
fn declared(server: &ServerTrack, bitrate: u32) -> QualityLevel {
    let text = |name| server.value(name).map(str::to_owned);
    let number = |name| server.value(name).and_then(|value| value.trim().parse().ok());
    let mut quality = QualityLevel { bitrate, ..QualityLevel::default() };
    // dash.js and Shaka Player refuse the whole film if a quality of text has no FourCC.
    quality.four_cc = text("FourCC").filter(|four_cc| !four_cc.trim().is_empty());
    if server.kind == StreamKind::Text && quality.four_cc.is_none() {
        let subtype = text("Subtype").filter(|subtype| !is_of_captions(subtype));
        quality.four_cc = subtype.or_else(|| Some(CodecTag::TTML.to_string()));
    }
    quality.codec_private_data = text("CodecPrivateData");
    quality.max_width = number("MaxWidth").or_else(|| number("width"));
    quality.max_height = number("MaxHeight").or_else(|| number("height"));
    quality.sampling_rate = number("SamplingRate");
    quality.channels = number("Channels");
    quality.bits_per_sample = number("BitsPerSample");
    quality.packet_size = number("PacketSize");
    quality.audio_tag = number("AudioTag");
    quality
}
