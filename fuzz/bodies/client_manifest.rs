//! Client manifests: what is read is written in both layouts within its budget, and read again as
//! the same chunks and the same of all else. Read leniently as the stored manifest of a film, it is
//! served in a form that has nothing left to correct.

use smooth_origin::base::{ErrorGroup, ErrorKind, Limits};
use smooth_origin::codec::Description;
use smooth_origin::manifest::{
    Attributes, Chunk, ChunkDetails, ClientManifest, Layout, StreamIndex, runs,
};
use smooth_origin::presentation::Timeline;

use super::boxes::description;
use super::stored_manifest::beside_media;

/// Chunks of a stream that are looked at one by one.
const WALKED: usize = 500;

/// Reads any bytes as a client manifest.
pub fn client_manifest(data: &[u8]) {
    let mut limits = Limits::default();
    limits.client_manifest = 256 << 10;
    limits.chunks = 1 << 20;
    beside_media(data);
    let manifest = match ClientManifest::parse(data, &limits) {
        Ok(manifest) => manifest,
        Err(error) => return assert_eq!(error.kind.group(), ErrorGroup::Content, "{error}"),
    };
    for layout in [Layout::Full, Layout::Compact] {
        write(&manifest, layout, &limits);
    }
    for stream in &manifest.streams {
        timeline(&stream.chunks, &limits);
        for quality in &stream.qualities {
            if let Ok(described) = Description::of(stream, quality) {
                description(stream.kind, &described, &limits);
            }
        }
    }
}

fn write(manifest: &ClientManifest, layout: Layout, limits: &Limits) {
    let possible = manifest.streams.iter().all(|stream| runs(&stream.chunks).all(|r| r.is_ok()));
    let text = match manifest.to_xml(layout, limits) {
        Ok(text) => text,
        Err(error) => {
            let budget = matches!(error.kind, ErrorKind::Budget { .. });
            return assert!(budget || !possible, "{error}");
        }
    };
    assert!(possible && text.len() as u64 <= limits.client_manifest);
    // Counts are written that need not have been there.
    let mut more = limits.clone();
    more.xml_attributes += 8;
    let again = ClientManifest::parse(text.as_bytes(), &more)
        .unwrap_or_else(|error| panic!("{error} in what was written: {text}"));
    for stream in &again.streams {
        assert_eq!(stream.declared_qualities, Some(stream.qualities.len() as u32));
    }
    assert_eq!(plain(&again, layout), plain(manifest, layout), "{text}");
    for (again, stream) in again.streams.iter().zip(&manifest.streams) {
        assert_eq!(times(&again.chunks), times(&stream.chunks), "{text}");
        assert!(data(&again.chunks).eq(data(&stream.chunks)), "{text}");
    }
    assert_eq!(again.to_xml(layout, limits).unwrap(), text);
}

/// Without what a layout may write otherwise: how runs are divided, and counts that are declared.
fn plain(manifest: &ClientManifest, layout: Layout) -> ClientManifest {
    let mut plain = manifest.clone();
    // Raised where runs are written.
    if layout == Layout::Compact {
        (plain.major_version, plain.minor_version) = (0, 0);
    }
    replaced(&mut plain.other);
    for StreamIndex { chunks, declared_chunks, declared_qualities, qualities, other, .. } in
        &mut plain.streams
    {
        chunks.clear();
        (*declared_chunks, *declared_qualities) = (None, None);
        replaced(other);
        qualities.iter_mut().for_each(|quality| replaced(&mut quality.other));
    }
    plain
}

/// Takes out what is no number under a name that is always written, or may be by another name.
fn replaced(other: &mut Attributes) {
    const NAMES: &[&str] = &[
        "MajorVersion",
        "MinorVersion",
        "Duration",
        "Chunks",
        "QualityLevels",
        "MaxWidth",
        "MaxHeight",
    ];
    other.retain(|(name, _)| !NAMES.contains(&name.as_str()));
}

/// The longest runs of equal chunks: start, duration, number.
pub(super) fn times(chunks: &[Chunk]) -> Vec<(u64, u64, u64)> {
    let mut times: Vec<(u64, u64, u64)> = Vec::new();
    for run in runs(chunks).map(|run| run.unwrap()) {
        match times.last_mut() {
            Some((start, duration, count))
                if *duration == run.duration && *start + *duration * *count == run.start =>
            {
                *count = count.saturating_add(run.count.get());
            }
            _ => times.push((run.start, run.duration, run.count.get())),
        }
    }
    times
}

/// What chunks hold beside their times.
fn data(chunks: &[Chunk]) -> impl Iterator<Item = &ChunkDetails> {
    chunks.iter().filter_map(|chunk| chunk.details.as_deref())
}

/// Chunks are found by their start: the first of those that have it.
fn timeline(chunks: &[Chunk], limits: &Limits) {
    let Ok(timeline) = Timeline::new(chunks, limits) else { return };
    let counts = runs(chunks).map(|run| run.unwrap().count.get());
    assert_eq!(timeline.len() as u64, counts.sum::<u64>());
    let starts: Vec<u64> = timeline.iter().take(WALKED).map(|(start, _)| start).collect();
    for (number, &start) in starts.iter().enumerate() {
        assert_eq!(timeline.chunk(number).unwrap().0, start);
        let first = starts.iter().position(|&other| other == start);
        assert_eq!(timeline.locate(start), first, "the first chunk at {start}");
        let off = start.wrapping_add(1);
        let beside = timeline.locate(off).and_then(|number| timeline.chunk(number));
        assert!(beside.is_none_or(|(found, _)| found == off));
        let double = timeline.locate_double(off).and_then(|number| timeline.chunk(number));
        let most =
            (((off as f64).next_up() - off as f64) as u64).saturating_mul(starts.len() as u64);
        assert!(double.is_none_or(|(found, _)| off >= 1 << 53 && found.abs_diff(off) <= most));
    }
    assert_eq!(timeline.chunk(timeline.len()), None);
    let last = timeline.len().checked_sub(1).and_then(|last| timeline.chunk(last));
    assert_eq!(timeline.end(), last.map_or(0, |(start, duration)| start + duration));
}
