//! A table of the tracks of a server manifest, to look them up by the qualities of a client manifest.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::keys::Labels;
use super::track_set::TrackSet;
use crate::manifest::{CustomAttribute, QualityLevel, ServerTrack, StreamIndex, StreamKind};

/// Degrees to which a track fits a quality of its bitrate, best first. The client manifest determines the
/// URL, so a difference in the server manifest is a finding, not an obstacle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Name (or label), bitrate and custom attributes.
    Exact,
    /// Name and bitrate.
    NameAndBitrate,
    /// Bitrate and language, where both manifests say one.
    LanguageAndBitrate,
    Bitrate,
}

impl Fit {
    /// Fits in which the manifests agree on the name.
    pub(super) const SAME_NAME: [Self; 2] = [Self::Exact, Self::NameAndBitrate];
    /// Fits in which they do not.
    pub(super) const OTHER_NAME: [Self; 2] = [Self::LanguageAndBitrate, Self::Bitrate];
}

/// A property that tracks and streams have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Name,
    Language,
    Kind,
}

/// Looks up the tracks of a server manifest by what the client manifest says of a quality. Each
/// track is read once: a quality costs some intersections of sets, however many tracks there are.
pub(super) struct TrackTable<'a> {
    unused: TrackSet,
    /// The tracks that have a `trackName`.
    named: TrackSet,
    /// The tracks that are reserved for the stream of their name.
    reserved: TrackSet,
    by_kind: HashMap<StreamKind, TrackSet>,
    by_name: HashMap<(StreamKind, &'a str), TrackSet>,
    by_language: HashMap<String, TrackSet>,
    by_bitrate: HashMap<u32, TrackSet>,
    /// Tracks by name of a parameter, in lower case, and its value.
    by_value: HashMap<(String, &'a str), TrackSet>,
}

/// The tracks that a stream may have.
pub(super) struct OfStream<'s> {
    /// Name in URLs, and label.
    pub(super) names: (Cow<'s, str>, Option<&'s str>),
    of_kind: TrackSet,
    of_name: TrackSet,
    of_language: TrackSet,
}

impl<'a> TrackTable<'a> {
    /// Makes the table. Only parameters with a name in `asked` are kept.
    pub(super) fn new(tracks: &'a [ServerTrack], asked: &HashSet<String>) -> Self {
        let mut table = Self {
            unused: TrackSet::default(),
            named: TrackSet::default(),
            reserved: TrackSet::default(),
            by_kind: HashMap::new(),
            by_name: HashMap::new(),
            by_language: HashMap::new(),
            by_bitrate: HashMap::new(),
            by_value: HashMap::new(),
        };
        for (number, track) in tracks.iter().enumerate() {
            table.unused.insert(number);
            if track.track_name().is_some() {
                table.named.insert(number);
            }
            table.by_kind.entry(track.kind).or_default().insert(number);
            for name in stream_names(track) {
                table.by_name.entry((track.kind, name)).or_default().insert(number);
            }
            if let Some(language) = track.language() {
                let language = language.to_ascii_lowercase();
                table.by_language.entry(language).or_default().insert(number);
            }
            if let Some(bitrate) = track.bitrate() {
                table.by_bitrate.entry(bitrate).or_default().insert(number);
            }
            // As [`ServerTrack::value`]: the first of a name counts, and attributes go before
            // parameters.
            let mut names = HashSet::new();
            for (name, value) in track.attributes.iter().chain(&track.params) {
                let name = name.to_ascii_lowercase();
                if asked.contains(&name) && names.insert(name.clone()) {
                    table.by_value.entry((name, value)).or_default().insert(number);
                }
            }
        }
        table
    }

    pub(super) fn of_stream<'s>(&self, stream: &'s StreamIndex, labels: &Labels) -> OfStream<'s> {
        let names = (stream.name(), labels.of(stream));
        let of_kind = self.by_kind.get(&stream.kind).cloned().unwrap_or_default();
        let of = |name: &str| self.by_name.get(&(stream.kind, name)).cloned();
        let of_name = of(&names.0).unwrap_or_default();
        // No other stream is asked for by the label: its tracks belong to no other stream.
        let of_name = match names.1.and_then(of) {
            Some(of_label) => of_name.or(&of_label),
            None => of_name,
        };
        let language = stream.language.as_deref().map(str::to_ascii_lowercase);
        let of_language = language.and_then(|language| self.by_language.get(&language).cloned());
        let of_language = of_language.unwrap_or_default().and(&of_kind);
        OfStream { names, of_kind, of_name, of_language }
    }

    /// Reserves the tracks that have the name of one of these streams for that stream. A track with
    /// the bitrate of another stream's quality is then not taken from the stream that it names.
    pub(super) fn reserve<'s>(&mut self, streams: impl Iterator<Item = &'s OfStream<'s>>) {
        let named = |all: TrackSet, stream: &OfStream<'_>| all.or(&stream.of_name);
        self.reserved = streams.fold(TrackSet::default(), named).and(&self.named);
    }

    /// Takes the first unused track that fits, preferably one of the stream's language. Also
    /// returns whether others fit as well.
    pub(super) fn take(
        &mut self,
        fit: Fit,
        stream: &OfStream<'_>,
        quality: &QualityLevel,
    ) -> Option<(usize, bool)> {
        let of_bitrate = self.by_bitrate.get(&quality.bitrate)?;
        let found = match fit {
            Fit::Exact => {
                let found = self.unused.and(&stream.of_name).and(of_bitrate);
                let mut attributes = quality.custom_attributes.iter();
                attributes.try_fold(found, |found, attribute| match found.is_empty() {
                    true => None,
                    false => Some(found.and(self.of_attribute(attribute)?)),
                })?
            }
            Fit::NameAndBitrate => self.unused.and(&stream.of_name).and(of_bitrate),
            Fit::LanguageAndBitrate => self.of_others(&stream.of_language, stream).and(of_bitrate),
            Fit::Bitrate => self.of_others(&stream.of_kind, stream).and(of_bitrate),
        };
        let first = found.iter().next()?;
        // Of several that fit equally well, one of the stream's language.
        let (first, count) = match found.len() {
            1 => (first, 1),
            all => {
                let of_language = found.and(&stream.of_language);
                match of_language.iter().next() {
                    Some(first) => (first, of_language.len()),
                    None => (first, all),
                }
            }
        };
        self.unused.remove(first);
        Some((first, count > 1))
    }

    /// Returns unused tracks that may have the name of another stream in the server manifest,
    /// without those that are reserved for another stream.
    fn of_others(&self, tracks: &TrackSet, stream: &OfStream<'_>) -> TrackSet {
        let unused = self.unused.and(tracks);
        match self.reserved.is_empty() {
            true => unused,
            false => unused.without(&self.reserved.without(&stream.of_name)),
        }
    }

    /// Returns the unused tracks that a stream may have. In a scope that it shares with other
    /// streams, reserved tracks are left out.
    pub(super) fn unused_of(&self, scope: Scope, stream: &OfStream<'_>) -> TrackSet {
        match scope {
            Scope::Name => self.unused.and(&stream.of_name),
            Scope::Language => self.unused.and(&stream.of_language).without(&self.reserved),
            Scope::Kind => self.unused.and(&stream.of_kind).without(&self.reserved),
        }
    }

    /// Returns the unused ones of these tracks.
    pub(super) fn unused_in(&self, tracks: &TrackSet) -> TrackSet {
        self.unused.and(tracks)
    }

    /// Returns whether a track, and no other track, has the stream's name as its `trackName`.
    pub(super) fn is_only_of_name(&self, number: usize, stream: &OfStream<'_>) -> bool {
        let named = stream.of_name.and(&self.named);
        stream.of_name.len() == 1 && named.iter().eq([number])
    }

    /// Marks a track as used. Returns `false` if it was used before.
    pub(super) fn set_used(&mut self, number: usize) -> bool {
        self.unused.remove(number)
    }

    /// Marks a track as unused again.
    pub(super) fn set_unused(&mut self, number: usize) {
        self.unused.insert(number);
    }

    fn of_attribute<'b>(&'b self, attribute: &'b CustomAttribute) -> Option<&'b TrackSet> {
        self.by_value.get(&(attribute.name.to_ascii_lowercase(), &*attribute.value))
    }

    pub(super) fn unused(&self) -> impl Iterator<Item = usize> {
        self.unused.iter()
    }
}

/// The names that a stream of this track may have in the client manifest. A track without a name has
/// the name of its kind; for text, there are two such names.
pub(super) fn stream_names(track: &ServerTrack) -> impl Iterator<Item = &str> {
    let (element, kind) = (track.kind.element(), track.kind.as_str());
    let second = (track.track_name().is_none() && kind != element).then_some(kind);
    [track.name()].into_iter().chain(second)
}
