//! The client manifest: what contradicts the media, and what is written in its place.

use std::collections::BTreeSet;

use crate::base::{Limits, Timescale};
use crate::codec::Description;
use crate::manifest::{Chunk, ClientManifest, QualityLevel, StreamIndex};
use crate::presentation::{Finding, FindingCode, Presentation, Severity, Stream};

/// Returns why a client manifest contradicts the media, if it does. `presentation` was opened with it.
pub(super) fn fault(presentation: &Presentation, limits: &Limits) -> Option<(FindingCode, String)> {
    use FindingCode::{
        ChunksOverlap, ChunksWithoutMedia, CodecDataInvalid, ManifestGenerated, ManifestMended,
        ManifestPartLeftOut, TimesInexact, TimesInvalid, TrackGuessed,
    };
    let findings = presentation.findings();
    let is_fault = |finding: &&Finding| {
        matches!(
            finding.code,
            ChunksOverlap
                | ChunksWithoutMedia
                | CodecDataInvalid
                | ManifestGenerated
                | ManifestMended
                | ManifestPartLeftOut
                | TimesInexact
                | TimesInvalid
                | TrackGuessed
        )
    };
    if let Some(finding) = findings.iter().find(is_fault) {
        let message = match finding.track() {
            Some(track) => format!("{track}: {}", finding.message),
            None => finding.message.clone(),
        };
        return Some((finding.code, message));
    }
    let manifest = ClientManifest::parse(presentation.manifest().ok()?, limits).ok()?;
    if manifest.streams.len() != presentation.streams().len() {
        return None;
    }
    for (stored, stream) in manifest.streams.iter().zip(presentation.streams()) {
        for track in stream.tracks() {
            let of = |quality: &&QualityLevel| quality.bitrate == track.bitrate();
            let mut qualities = stored.qualities.iter().filter(of);
            let (Some(quality), None) = (qualities.next(), qualities.next()) else { continue };
            let entry = track.stored().ok().and_then(|stored| stored.entry.as_ref());
            let media = entry
                .and_then(|entry| Description::of_entry(stream.kind(), entry, limits).ok())
                .map(|description| description.quality(quality.bitrate));
            if let Some(media) = media
                && is_contradicted(quality, &media)
            {
                let (name, bitrate) = (stream.name(), track.bitrate());
                let message = format!(
                    "{name} {bitrate}: its CodecPrivateData is not that of its file ({})",
                    media.codec_private_data.unwrap_or_default()
                );
                return Some((CodecDataInvalid, message));
            }
        }
    }
    None
}

/// Returns whether the codec data of a quality cannot be those of its media. Producers differ in what
/// they repeat and in what they add behind it.
fn is_contradicted(quality: &QualityLevel, media: &QualityLevel) -> bool {
    let tag = |quality: &QualityLevel| {
        quality.four_cc.as_deref().unwrap_or_default().trim().to_ascii_uppercase()
    };
    let (stored, of) = (tag(quality), tag(media));
    let is_avc = |tag: &str| matches!(tag, "H264" | "AVC1" | "DAVC");
    let is_known = is_avc(&stored) && is_avc(&of) || stored == of && stored == "AACL";
    let text = |quality: &QualityLevel| {
        quality.codec_private_data.as_deref().unwrap_or_default().trim().to_ascii_uppercase()
    };
    let (stored, of) = (text(quality), text(media));
    if !is_known || stored.is_empty() || of.is_empty() {
        return false;
    }
    let sets = |text: &str| -> BTreeSet<String> {
        let sets = text.split("00000001").filter(|set| !set.is_empty());
        sets.map(|set| set.trim_end_matches("00").to_owned()).collect()
    };
    !stored.starts_with(&of) && !of.starts_with(&stored) && sets(&stored).is_disjoint(&sets(&of))
}

/// Client manifests to try, the one that changes least first. `generated` was opened without a client
/// manifest.
pub(super) fn candidates(
    stored: Option<&[u8]>,
    generated: &Presentation,
    limits: &Limits,
) -> Vec<String> {
    let text = generated.manifest().ok();
    let Some(mut made) = text.and_then(|text| ClientManifest::parse(text, limits).ok()) else {
        return Vec::new();
    };
    for index in &mut made.streams {
        let name = index.name().into_owned();
        if let Some(stream) = generated.streams().iter().find(|stream| stream.name() == name) {
            cut(index, stream);
        }
    }
    set_duration(&mut made);
    let mut candidates = Vec::new();
    if let Some(stored) = stored.and_then(|stored| ClientManifest::parse(stored, limits).ok()) {
        candidates.extend(patched(stored.clone(), &made));
        if made.protection.is_empty() {
            made.protection = stored.protection;
        }
    }
    candidates.push(made);
    let layout = Default::default();
    candidates.iter().filter_map(|manifest| manifest.to_xml(layout, limits).ok()).collect()
}

/// Cuts the chunks of a stream behind the last one that all tracks have.
fn cut(index: &mut StreamIndex, stream: &Stream) {
    let all = index.chunks.len();
    let has_until = |track: &crate::presentation::Track| {
        let missing = track.stored().ok().and_then(|stored| stored.fragments.first_missing(all));
        let count = missing.unwrap_or(all);
        // Only what lacks at the end is cut off.
        (track.fragment_count() == count).then_some(count)
    };
    let common = stream.tracks().iter().map(|track| has_until(track).unwrap_or(all)).min();
    let common = common.unwrap_or(all);
    if common > 0 && all - common <= (all / 10).max(2) {
        index.chunks.truncate(common);
    }
}

/// The length of the film, wherever its times begin.
fn set_duration(manifest: &mut ClientManifest) {
    let (mut first, mut last) = (u64::MAX, 0);
    for index in &manifest.streams {
        let timescale = manifest.timescale_of(index);
        let smooth = |ticks| timescale.rescale_round(ticks, Timescale::SMOOTH).unwrap_or(0);
        let start = index.chunks.first().and_then(|chunk| chunk.time);
        let end = index.chunks.iter().fold(0_u64, |end, chunk| {
            chunk.time.unwrap_or(end).saturating_add(chunk.duration.unwrap_or(0))
        });
        first = first.min(start.map_or(u64::MAX, smooth));
        last = last.max(smooth(end));
    }
    manifest.duration = Timescale::SMOOTH
        .rescale_round(last.saturating_sub(first), manifest.timescale())
        .unwrap_or(0);
}

/// The stored manifest with the chunks, the qualities and the codec data that the media have; `None` if
/// its streams are not those of the media.
fn patched(mut stored: ClientManifest, made: &ClientManifest) -> Option<ClientManifest> {
    let mut used = BTreeSet::new();
    let scale = stored.timescale();
    let mut streams = Vec::new();
    for mut index in std::mem::take(&mut stored.streams) {
        if index.is_embedded() {
            streams.push(index);
            continue;
        }
        let is_it = |other: &StreamIndex| {
            let alone = made.streams.iter().filter(|of| of.kind == index.kind).count() == 1;
            other.kind == index.kind && (alone || other.name() == index.name())
        };
        let at = made.streams.iter().position(is_it).filter(|at| used.insert(*at));
        let Some(of) = at.and_then(|at| made.streams.get(at)) else { continue };
        if index.chunks.iter().any(|chunk| chunk.details.is_some()) {
            return None;
        }
        let timescale = made.timescale_of(of);
        index.timescale = (index.timescale.is_some() || scale != timescale).then_some(timescale);
        index.chunks = of.chunks.iter().map(plain).collect();
        (index.declared_chunks, index.declared_qualities) = (None, None);
        let ranked = index.qualities.len() == of.qualities.len();
        let mut ranks: Vec<u32> = index.qualities.iter().map(|quality| quality.bitrate).collect();
        ranks.sort_unstable_by(|a, b| b.cmp(a));
        index.qualities.retain_mut(|quality| {
            let same = of.qualities.iter().find(|other| other.bitrate == quality.bitrate);
            // Qualities of a generated manifest are in the order of their bitrates.
            let rank = ranks.iter().position(|bitrate| *bitrate == quality.bitrate);
            let same = same.or_else(|| of.qualities.get(rank.filter(|_| ranked)?));
            let Some(same) = same else { return false };
            let is_invalid = !quality.codec_private_data.as_deref().is_some_and(|data| {
                data.len() % 2 == 0 && data.bytes().all(|b| b.is_ascii_hexdigit())
            });
            if is_invalid || is_contradicted(quality, same) {
                quality.codec_private_data.clone_from(&same.codec_private_data);
            }
            true
        });
        if !index.qualities.is_empty() {
            streams.push(index);
        }
    }
    stored.streams = streams;
    let scale = stored.timescale();
    stored.duration = made.timescale().rescale_round(made.duration, scale).unwrap_or(0);
    (used.len() == made.streams.len()).then_some(stored)
}

fn plain(chunk: &Chunk) -> Chunk {
    Chunk { time: chunk.time, duration: chunk.duration, ..Chunk::default() }
}

/// Number of findings that say that something is not served.
pub(super) fn errors(presentation: &Presentation) -> usize {
    let findings = presentation.findings();
    findings.iter().filter(|finding| finding.severity() == Severity::Error).count()
}

/// Fragments that are served.
pub(super) fn served(presentation: &Presentation) -> usize {
    let tracks = presentation.streams().iter().flat_map(|stream| stream.tracks());
    tracks.map(|track| track.fragment_count()).sum()
}
