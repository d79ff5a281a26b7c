//! A server manifest of the media.

use super::medium::Medium;
use crate::base::{Error, Name};
use crate::manifest::{ClientManifest, StreamIndex, StreamKind};
use crate::package::manifests::{Placed, server};

/// Returns a server manifest of these files for the presentation `stem`, or `None` if they have no
/// track that can be named. Names and bitrates are those of the `client` manifest, where its qualities
/// of a kind are as many as the tracks: they are part of URLs.
pub(super) fn written(
    stem: &str,
    media: &[&Medium],
    client: Option<&ClientManifest>,
) -> Result<Option<String>, Error> {
    let mut placed: Vec<Placed> = Vec::new();
    for medium in media {
        for track in &medium.tracks {
            let Some(kind) = track.header.kind else { continue };
            placed.push(Placed {
                kind,
                stream: name(kind, track.header.language.as_deref()),
                language: track.header.language.clone(),
                bitrate: track.bitrate,
                file: medium.name.file_name().to_owned(),
                track_id: track.header.track_id,
            });
        }
    }
    let kinds = [StreamKind::Video, StreamKind::Audio, StreamKind::Text];
    for kind in kinds {
        let mut of: Vec<&mut Placed> =
            placed.iter_mut().filter(|placed| placed.kind == kind).collect();
        let streams = client.into_iter().flat_map(|client| &client.streams);
        let streams: Vec<&StreamIndex> = streams.filter(|stream| stream.kind == kind).collect();
        let count: usize = streams.iter().map(|stream| stream.qualities.len()).sum();
        if count != of.len() || streams.len() > 1 && streams.len() != of.len() {
            free_bitrates(of);
            continue;
        }
        if streams.len() <= 1 {
            // The same rank among the bitrates.
            of.sort_by_key(|placed| placed.bitrate);
        }
        let mut qualities: Vec<(&StreamIndex, u32)> = streams
            .iter()
            .flat_map(|stream| stream.qualities.iter().map(|quality| (*stream, quality.bitrate)))
            .collect();
        if streams.len() <= 1 {
            qualities.sort_by_key(|(_, bitrate)| *bitrate);
        }
        for (placed, (stream, bitrate)) in of.into_iter().zip(qualities) {
            placed.bitrate = bitrate;
            placed.stream = stream.name().into_owned();
        }
    }
    // Pictures first, and the best of them.
    placed.sort_by_key(|placed| (placed.kind, std::cmp::Reverse(placed.bitrate)));
    if placed.is_empty() {
        return Ok(None);
    }
    server(stem, &placed).map(Some)
}

fn name(kind: StreamKind, language: Option<&str>) -> String {
    match language {
        Some(language) if kind != StreamKind::Video => format!("{}_{language}", kind.as_str()),
        _ => kind.as_str().to_owned(),
    }
}

/// Gives each track of a stream a bitrate of its own.
fn free_bitrates(placed: Vec<&mut Placed>) {
    let mut taken: Vec<(String, u32)> = Vec::new();
    for placed in placed {
        while taken.contains(&(placed.stream.clone(), placed.bitrate)) {
            placed.bitrate = placed.bitrate.wrapping_add(1).max(1);
        }
        taken.push((placed.stream.clone(), placed.bitrate));
    }
}

/// The name of a presentation without its extension.
pub(super) fn stem(name: &Name) -> &str {
    let name = name.file_name();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
