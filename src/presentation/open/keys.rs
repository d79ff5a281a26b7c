//! Keys by which requests tell the tracks of a stored manifest apart.

use std::collections::{HashMap, HashSet};

use crate::manifest::{CustomAttribute, StreamIndex};
use crate::presentation::Stream;
use crate::presentation::finding::{Finding, FindingCode, Findings};

/// The names by which streams are asked for, in lower case. A label that is one of them is not
/// free: requests with that word are for the stream whose `Url` has it.
pub(super) struct Labels {
    /// Empty where no stream has a label.
    names: HashSet<String>,
}

impl Labels {
    pub(super) fn new(streams: &[StreamIndex]) -> Self {
        let mut labels = Self { names: HashSet::new() };
        if streams.iter().any(|stream| labels.of(stream).is_some()) {
            labels.names = streams.iter().map(|s| s.name().to_lowercase()).collect();
        }
        labels
    }

    /// The second name of a stream: its `Name`, where its `Url` has another word and the name is
    /// free.
    pub(super) fn of<'s>(&self, stream: &'s StreamIndex) -> Option<&'s str> {
        let label = stream.name.as_deref().filter(|label| !label.is_empty())?;
        let is_second = label != stream.name();
        (is_second && !self.names.contains(&label.to_lowercase())).then_some(label)
    }
}

/// Reports tracks that no request can reach, because another has the same name, bitrate and
/// attributes, or because the `Url` of their stream does not ask for the attributes that
/// distinguish them. Tracks that are not announced are ignored.
pub(super) fn check_keys(indexes: &[StreamIndex], streams: &[Stream], findings: &mut Findings) {
    let mut keys: HashSet<(&str, u32, Vec<&CustomAttribute>)> = HashSet::new();
    for (index, stream) in indexes.iter().zip(streams) {
        check_attributes(index, stream, findings);
        for track in stream.tracks.iter().filter(|track| !track.is_gone()) {
            let mut attributes: Vec<_> = track.attributes.iter().collect();
            attributes.sort_unstable_by_key(|attribute| (&attribute.name, &attribute.value));
            if !keys.insert((&stream.name, track.bitrate, attributes)) {
                let message = format!(
                    "an earlier track has the same name, attributes and bitrate ({} bit/s)",
                    track.bitrate
                );
                findings.push(Finding::new(FindingCode::Ambiguous, message).of_track(&stream.name));
            }
        }
    }
}

/// Reports a stream whose `Url` has no place for attributes, although they alone distinguish some
/// of its tracks.
fn check_attributes(index: &StreamIndex, stream: &Stream, findings: &mut Findings) {
    let Some(url) = &index.url else { return };
    if url.to_ascii_lowercase().contains("{customattributes}") {
        return;
    }
    let mut first: HashMap<u32, &[CustomAttribute]> = HashMap::new();
    for track in stream.tracks.iter().filter(|track| !track.is_gone()) {
        let known = *first.entry(track.bitrate).or_insert(&track.attributes);
        if known != track.attributes {
            let message = format!(
                "two tracks of {} bit/s differ in their attributes alone, and its `Url` asks for none",
                track.bitrate
            );
            findings.push(
                Finding::new(FindingCode::AttributesNotAsked, message).of_track(&stream.name),
            );
            return;
        }
    }
}
