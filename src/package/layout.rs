//! Which files there are, and what is in them.

use super::header::{HeaderTrack, header};
use super::manifests::{Placed, client, server};
use super::media::MediaTrack;
use super::options::{Files, PackageOptions};
use super::output::{Output, Package, next_track};
use super::stream::{Quality, Stream};
use super::text::TextStream;
use super::track::Track;
use crate::base::{Error, Limits};
use crate::index::{Starts, written_mfra};
use crate::manifest::StreamKind;

/// Lays streams out in files.
pub(super) fn layout(
    name: &str,
    streams: Vec<Stream>,
    texts: Vec<TextStream>,
    notices: Vec<String>,
    options: &PackageOptions,
) -> Result<Package, Error> {
    let limits = &options.limits;
    let has_video = streams.iter().any(|stream| stream.kind == StreamKind::Video);
    let mut files: Vec<(String, Vec<Member>)> = Vec::new();
    let mut placed = Vec::new();
    let client = client(&streams, &texts, options)?;
    for stream in streams {
        for quality in stream.qualities {
            let extension = |is_video| if is_video { "ismv" } else { "isma" };
            let file = match options.files {
                Files::InOne => format!("{name}.{}", extension(has_video)),
                Files::EachTrack => {
                    let extension = extension(stream.kind == StreamKind::Video);
                    format!("{name}_{}_{}.{extension}", stream.name, quality.bitrate)
                }
            };
            let at = files.iter().position(|(name, _)| *name == file).unwrap_or_else(|| {
                files.push((file.clone(), Vec::new()));
                files.len() - 1
            });
            let members = &mut files[at].1;
            let track_id = free_id(quality.source.track.track_id, members);
            placed.push(Placed {
                kind: stream.kind,
                stream: stream.name.clone(),
                language: stream.language.clone(),
                bitrate: quality.bitrate,
                file,
                track_id,
            });
            let end = stream.chunks.last().map_or(0, |chunk| chunk.end);
            members.push(Member { content: Content::Media(Box::new(quality)), track_id, end });
        }
    }
    for text in texts {
        let file = match options.files {
            Files::InOne => format!("{name}.{}", if has_video { "ismv" } else { "isma" }),
            Files::EachTrack => format!("{name}_{}_{}.ismt", text.name, text.bitrate),
        };
        let at = files.iter().position(|(name, _)| *name == file).unwrap_or_else(|| {
            files.push((file.clone(), Vec::new()));
            files.len() - 1
        });
        let members = &mut files[at].1;
        let track_id = free_id(text.track.track_id, members);
        placed.push(Placed {
            kind: TextStream::KIND,
            stream: text.name.clone(),
            language: text.language.clone(),
            bitrate: text.bitrate,
            file,
            track_id,
        });
        let end = text.track.times.last().copied().unwrap_or(0);
        members.push(Member { content: Content::Text(Box::new(text)), track_id, end });
    }
    let outputs = files.into_iter().map(|(name, members)| media_file(name, members, limits));
    let mut outputs = outputs.collect::<Result<Vec<_>, _>>()?;
    let written = |extension: &str, text: String| Output {
        name: format!("{name}.{extension}"),
        len: text.len() as u64,
        header: text.into(),
        tracks: Vec::new(),
        end: Default::default(),
    };
    outputs.push(written("ismc", client));
    outputs.push(written("ism", server(name, &placed)?));
    Ok(Package { outputs, notices })
}

/// A track of a file.
struct Member {
    content: Content,
    track_id: u32,
    end: u64,
}

/// Source of a track.
enum Content {
    Media(Box<Quality>),
    Text(Box<TextStream>),
}

/// The number that the track has in its input, or else the next one that is free.
fn free_id(wanted: u32, members: &[Member]) -> u32 {
    let is_free = |id: &u32| *id > 0 && members.iter().all(|member| member.track_id != *id);
    [wanted].into_iter().chain(1..).find(is_free).unwrap_or(wanted)
}

fn media_file(name: String, members: Vec<Member>, limits: &Limits) -> Result<Output, Error> {
    let end = members.iter().map(|member| member.end).max().unwrap_or(0);
    let of_header = members.iter().map(|Member { content, track_id, .. }| match content {
        Content::Media(quality) => HeaderTrack::of_source(&quality.source, *track_id),
        Content::Text(text) => HeaderTrack::of_text(text, *track_id),
    });
    let header = header(&of_header.collect::<Vec<_>>(), end, limits)?;
    let (tracks, lens): (Vec<_>, Vec<_>) = members
        .into_iter()
        .map(|Member { content, track_id, .. }| match content {
            Content::Media(quality) => {
                let Quality { media, lens, .. } = *quality;
                (Track::Media(MediaTrack { track_id, ..media }), lens)
            }
            Content::Text(mut text) => {
                text.track.track_id = track_id;
                (Track::Text(text.track), text.lens)
            }
        })
        .unzip();
    let starts = |track: &Track| {
        let entries = Vec::with_capacity(track.len());
        Starts { track_id: track.track_id(), entries }
    };
    let mut starts: Vec<_> = tracks.iter().map(starts).collect();
    let (mut next, mut len) = (vec![0; tracks.len()], header.len() as u64);
    while let Some(at) = next_track(&tracks, &next) {
        let chunk = next[at];
        starts[at].entries.push((tracks[at].start(chunk).unwrap_or(0), len));
        len += lens[at][chunk];
        next[at] += 1;
    }
    let mfra = written_mfra(&starts)?;
    len += mfra.len() as u64;
    Ok(Output { name, len, header, tracks, end: mfra })
}
