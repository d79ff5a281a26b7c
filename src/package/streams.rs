//! Tracks become streams: groups, names, chunks and bitrates.

use std::sync::Arc;

use super::bitrates;
use super::media::MediaTrack;
use super::options::PackageOptions;
use super::plan::{Plan, plan};
use super::source::Source;
use super::stream::{Quality, Stream};
use crate::base::{Error, ErrorKind};
use crate::codec::Format;
use crate::index::sample_table::Prepared;
use crate::manifest::{StreamKind, stream_names};

/// Returns the streams of a package: video first, else in the order of the inputs.
pub(super) fn streams(
    sources: Vec<Source>,
    options: &PackageOptions,
    notices: &mut Vec<String>,
) -> Result<Vec<Stream>, Error> {
    let mut groups: Vec<Vec<Source>> = Vec::new();
    for source in sources {
        let earlier = groups.iter().flatten().find(|earlier| source.is_same(earlier));
        if let Some(earlier) = earlier {
            notices.push(format!(
                "{}: track {} is left out: its samples are those of track {} of {}",
                source.name, source.track.track_id, earlier.track.track_id, earlier.name
            ));
            continue;
        }
        match groups.iter_mut().find(|group| belongs(&group[0], &source)) {
            Some(group) => group.push(source),
            None => groups.push(vec![source]),
        }
    }
    if groups.is_empty() {
        let (what, clause) = ("track of video or sound in the inputs", "[MS-SSTR] 2.2.2.3");
        return Err(ErrorKind::Missing { what, clause }.into());
    }
    groups.sort_by_key(|group| group[0].kind);
    let of = groups.iter().map(|group| (group[0].kind, group[0].language.as_deref()));
    let of: Vec<_> = of.collect();
    let names = stream_names(&of);
    let mut guide: Vec<u64> = Vec::new();
    let mut streams = Vec::new();
    for (group, name) in groups.into_iter().zip(names) {
        let stream = stream(group, name, &guide, options)?;
        if guide.is_empty() && stream.kind == StreamKind::Video {
            guide = stream.chunks.iter().map(|chunk| chunk.start).collect();
            guide.extend(stream.chunks.last().map(|chunk| chunk.end));
        }
        streams.push(stream);
    }
    Ok(streams)
}

/// Returns whether a track is another quality of the stream that has this one.
fn belongs(first: &Source, other: &Source) -> bool {
    let sound = |source: &Source| match source.description.format {
        Format::Audio { sampling_rate, channels, .. } => Some((sampling_rate, channels)),
        _ => None,
    };
    let of = |source: &Source| (source.kind, source.description.tag.clone(), sound(source));
    of(first) == of(other) && first.language == other.language
}

fn stream(
    group: Vec<Source>,
    name: String,
    guide: &[u64],
    options: &PackageOptions,
) -> Result<Stream, Error> {
    let Plan { chunks, cuts, shifts } = plan(&group, guide, options)?;
    let first = &group[0];
    let (kind, language) = (first.kind, first.language.clone());
    let (mut qualities, mut taken): (Vec<Quality>, Vec<u32>) = (Vec::new(), Vec::new());
    for ((source, cuts), shifts) in group.into_iter().zip(&cuts).zip(shifts) {
        let prepared = Prepared::new(&source.track.tables, cuts)
            .map_err(|error| error.in_file(source.file))?;
        let media = MediaTrack {
            file: source.file,
            track_id: source.track.track_id,
            clock: source.track.clock,
            prepared,
            chunks: Arc::clone(&chunks),
            shifts,
            has_tfxd: options.has_tfxd,
            limits: options.limits.clone(),
        };
        let (lens, bytes) = measure(&media)?;
        let ticks = chunks.iter().map(|chunk| chunk.end - chunk.start).sum();
        let bitrate = bitrates::free(bitrates::measured(bytes, ticks), &taken);
        taken.push(bitrate);
        qualities.push(Quality { source, bitrate, media, lens });
    }
    qualities.sort_by_key(|quality| std::cmp::Reverse(quality.bitrate));
    Ok(Stream { kind, name, language, chunks, qualities })
}

/// Returns the length of each fragment, and the bytes of all samples.
fn measure(media: &MediaTrack) -> Result<(Vec<u64>, u64), Error> {
    let (mut samples, mut lens, mut bytes) = (Vec::new(), Vec::with_capacity(media.len()), 0);
    for chunk in 0..media.len() {
        let head = media.fragment(chunk, &mut samples)?.head.len() as u64;
        let payload: u64 = samples.iter().map(|sample| u64::from(sample.size)).sum();
        lens.push(head + payload);
        bytes += payload;
    }
    Ok((lens, bytes))
}
