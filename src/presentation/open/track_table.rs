//! A table of the tracks of a server manifest, to look them up by the qualities of a client manifest.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::keys::Labels;
use super::track_set::TrackSet;
use crate::manifest::{CustomAttribute, QualityLevel, ServerTrack, StreamIndex, StreamKind};

/// How well a track fits a quality, best first. The client manifest rules the URL, so whatever the
/// server manifest says otherwise is a finding, not an obstacle.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Name (or label), bitrate and custom attributes.
    Exact,
    /// Name and bitrate.
    NameAndBitrate,
    /// Bitrate and language, where both manifests say one.
    LanguageAndBitrate,
    Bitrate,
    Name,
    /// The next of its kind.
    Order,
}

impl Fit {
    /// The manifests agree on the bitrate.
    pub(super) const SAME_BITRATE: [Self; 4] =
        [Self::Exact, Self::NameAndBitrate, Self::LanguageAndBitrate, Self::Bitrate];
}

/// What tracks and streams have in common.
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
    by_kind: HashMap<StreamKind, TrackSet>,
    by_name: HashMap<(StreamKind, &'a str), TrackSet>,
    by_language: HashMap<String, TrackSet>,
    by_bitrate: HashMap<u32, TrackSet>,
    /// By name in lower case and value.
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
    /// Of the parameters of the tracks, only those with a name in `asked` are kept.
    pub(super) fn new(tracks: &'a [ServerTrack], asked: &HashSet<String>) -> Self {
        let mut table = Self {
            unused: TrackSet::default(),
            by_kind: HashMap::new(),
            by_name: HashMap::new(),
            by_language: HashMap::new(),
            by_bitrate: HashMap::new(),
            by_value: HashMap::new(),
        };
        for (number, track) in tracks.iter().enumerate() {
            table.unused.insert(number);
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

    /// The first unused track that fits and `may` be taken, of the stream's language if there is one;
    /// it is used from now on.
    pub(super) fn take(
        &mut self,
        fit: Fit,
        stream: &OfStream<'_>,
        quality: &QualityLevel,
        may: impl Fn(&usize) -> bool,
    ) -> Option<usize> {
        let of_bitrate = || self.by_bitrate.get(&quality.bitrate);
        let found = match fit {
            Fit::Exact => {
                let found = self.unused.and(&stream.of_name).and(of_bitrate()?);
                let mut attributes = quality.custom_attributes.iter();
                attributes.try_fold(found, |found, attribute| match found.is_empty() {
                    true => None,
                    false => Some(found.and(self.of_attribute(attribute)?)),
                })?
            }
            Fit::NameAndBitrate => self.unused.and(&stream.of_name).and(of_bitrate()?),
            Fit::LanguageAndBitrate => self.unused.and(&stream.of_language).and(of_bitrate()?),
            Fit::Bitrate => self.unused.and(&stream.of_kind).and(of_bitrate()?),
            Fit::Name => self.unused.and(&stream.of_name),
            Fit::Order => self.unused.and(&stream.of_kind),
        };
        // Of several that fit equally well, one of the stream's language.
        let of_language = found.and(&stream.of_language).iter().find(&may);
        let first = of_language.or_else(|| found.iter().find(&may))?;
        self.unused.remove(first);
        Some(first)
    }

    /// The unused tracks that a stream may have.
    pub(super) fn unused_of(&self, scope: Scope, stream: &OfStream<'_>) -> TrackSet {
        self.unused.and(match scope {
            Scope::Name => &stream.of_name,
            Scope::Language => &stream.of_language,
            Scope::Kind => &stream.of_kind,
        })
    }

    /// A track is used from now on.
    pub(super) fn set_used(&mut self, number: usize) {
        self.unused.remove(number);
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
