//! Pairing qualities with tracks of other bitrates.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::assign::{Announced, Found, Pairing, Place};
use super::evidence::Evidence;
use super::ladder::Ladder;
use super::nearest::{Pair, nearest};
use super::track_set::TrackSet;
use super::track_table::{Fit, OfStream, Scope};
use crate::manifest::StreamIndex;
use crate::presentation::finding::FindingCode;

impl<'a> Pairing<'a> {
    /// Pairs the qualities for whose bitrate there is no track: by nearest bitrate, then, if that
    /// is not certain, by picture size or decoder configuration, and finally by rank. A track that
    /// has the name of one of the streams is left to others only when all qualities of that stream
    /// have a track.
    ///
    /// A track that was found by rank is served, and has an error finding: refusing it would cost
    /// the whole film. But a player must not get bytes that are known to be another quality's, so a
    /// track whose pictures have another size than the quality announces is never taken for it.
    pub(super) fn pair_others(&mut self) {
        self.look_at_media();
        for scope in [Scope::Name, Scope::Kind] {
            self.reserve();
            if scope == Scope::Kind {
                self.by_same_bitrate(Fit::OTHER_NAME);
            }
            for scope in [Scope::Name, Scope::Language, Scope::Kind] {
                self.by_bitrate(scope, true);
            }
            self.by_what_is_shown(|_, _, _| true);
            self.by_rank(scope, true);
            self.by_bitrate(scope, false);
            self.by_rank(scope, false);
            if !self.is_open() {
                return;
            }
        }
        self.report_refused();
    }

    /// Pairs a quality and a track if they alone have a picture size or decoder configuration, and
    /// if `may` allows the pair. The server manifest takes precedence over the files.
    pub(super) fn by_what_is_shown(&mut self, may: impl Fn(&Self, Place, usize) -> bool) {
        let scopes = [Scope::Name, Scope::Kind];
        for scope in scopes {
            self.by_key(scope, Announced::size, |evidence| evidence.said.size, &may);
        }
        for scope in scopes {
            let said = |evidence: &Evidence| evidence.said.private_data.clone();
            self.by_key(scope, Announced::private_data, said, &may);
            let shown = |evidence: &Evidence| evidence.shown.private_data.clone();
            self.by_key(scope, Announced::private_data, shown, &may);
            self.by_key(scope, Announced::size, |evidence| evidence.shown.size, &may);
        }
    }

    fn by_key<K: Ord>(
        &mut self,
        scope: Scope,
        of_quality: impl Fn(Announced<'a>) -> Option<K>,
        of_track: impl Fn(&Evidence) -> Option<K>,
        may: impl Fn(&Self, Place, usize) -> bool,
    ) {
        for (places, candidates) in self.groups(scope) {
            let streams: BTreeSet<usize> = places.iter().map(|place| place.0).collect();
            let mut of_key: BTreeMap<K, (Vec<Place>, Vec<usize>)> = BTreeMap::new();
            for place in places {
                if let Some(key) = self.announced(place).and_then(&of_quality) {
                    of_key.entry(key).or_default().0.push(place);
                }
            }
            for number in candidates.iter() {
                let key = self.evidence(number).and_then(&of_track);
                if let Some(alike) = key.and_then(|key| of_key.get_mut(&key)) {
                    alike.1.push(number);
                }
            }
            let mut ladders: HashMap<usize, Ladder> = HashMap::new();
            let mut uses = None;
            for (key, alike) in of_key {
                let ([place], [number]) = (&alike.0[..], &alike.1[..]) else { continue };
                if !may(self, *place, *number) {
                    continue;
                }
                let ladder = ladders.entry(place.0).or_insert_with(|| self.ladder(place.0));
                let (bitrate, of_track) = (self.bitrate_at(*place), self.bitrate_of(*number));
                if bitrate > 0 && of_track > 0 && !ladder.add(bitrate, of_track) {
                    // If other qualities of the stream have the key too, it does not outweigh the
                    // bitrates.
                    let uses = uses.get_or_insert_with(|| self.uses_of(&streams, &of_quality));
                    if uses.get(&(place.0, key)).is_some_and(|uses| *uses > 1) {
                        continue;
                    }
                }
                self.take(*place, *number, Found::Certain);
            }
        }
    }

    /// Counts the qualities of these streams that have a key, with or without a track.
    fn uses_of<K: Ord>(
        &self,
        streams: &BTreeSet<usize>,
        of_quality: impl Fn(Announced<'a>) -> Option<K>,
    ) -> BTreeMap<(usize, K), usize> {
        let mut uses = BTreeMap::new();
        for stream in streams {
            let qualities = self.client.streams.get(*stream).map_or(0, |s| s.qualities.len());
            let announced = (0..qualities).filter_map(|q| self.announced((*stream, q)));
            for key in announced.filter_map(&of_quality) {
                *uses.entry((*stream, key)).or_default() += 1;
            }
        }
        uses
    }

    /// Pairs the nearest bitrates first. A pair that crosses a nearer one of its stream is not
    /// taken.
    fn by_bitrate(&mut self, scope: Scope, only_certain: bool) {
        for (places, candidates) in self.groups(scope) {
            let numbers: Vec<usize> = candidates.iter().collect();
            let qualities: Vec<u32> = places.iter().map(|p| self.bitrate_at(*p)).collect();
            let bitrates: Vec<u32> = numbers.iter().map(|n| self.bitrate_of(*n)).collect();
            let mut ladders: HashMap<usize, Ladder> = HashMap::new();
            for Pair { quality, track, is_certain } in nearest(&qualities, &bitrates) {
                let (Some(&place), Some(&number)) = (places.get(quality), numbers.get(track))
                else {
                    continue;
                };
                let ladder = ladders.entry(place.0).or_insert_with(|| self.ladder(place.0));
                let fits = ladder.add(self.bitrate_at(place), self.bitrate_of(number));
                if !fits {
                    continue;
                }
                if only_certain {
                    if is_certain && !self.is_said_to_be_other(place, number) {
                        self.take(place, number, Found::Certain);
                    }
                } else if !self.is_other(place, number) {
                    self.take(place, number, Found::Nearest);
                }
            }
        }
    }

    /// Returns the bitrates of a stream's qualities and their tracks.
    fn ladder(&self, stream: usize) -> Ladder {
        let mut ladder = Ladder::default();
        let found = self.found.get(stream).into_iter().flatten().enumerate();
        let mut known: Vec<(u32, u32)> = found
            .filter_map(|(quality, number)| {
                Some((self.bitrate_at((stream, quality)), self.bitrate_of((*number)?)))
            })
            .filter(|(quality, track)| *quality > 0 && *track > 0)
            .collect();
        // The nearest ones first.
        known.sort_unstable_by_key(|(quality, track)| (quality.abs_diff(*track), *quality));
        for (quality, track) in known {
            ladder.add(quality, track);
        }
        ladder
    }

    /// Pairs the lowest quality with the lowest track, and so on: first among pictures of one size,
    /// then among all that remain. With `only_full`, only if there are as many tracks as qualities.
    fn by_rank(&mut self, scope: Scope, only_full: bool) {
        for (places, candidates) in self.groups(scope) {
            let numbers: Vec<usize> = candidates.iter().collect();
            // The pair is right if the manifests leave no choice and do not contradict each other.
            if let ([place], [number]) = (&places[..], &numbers[..])
                && self.is_only_choice(scope, *place, *number)
            {
                self.take(*place, *number, Found::Certain);
                continue;
            }
            let size = |place: &Place| self.announced(*place).and_then(Announced::size);
            let size_of = |number: &usize| self.evidence(*number).and_then(Evidence::size);
            let places_of = by(&places, size);
            let mut numbers_of = by(&numbers, size_of);
            for (size, places) in places_of {
                if let Some(numbers) = numbers_of.remove(&size).filter(|_| size.is_some()) {
                    self.take_ranked(places, numbers, only_full);
                }
            }
            let places = places.into_iter().filter(|place| self.is_open_at(*place)).collect();
            let unused = self.tracks.unused_in(&candidates);
            self.take_ranked(places, unused.iter().collect(), only_full);
        }
    }

    fn take_ranked(&mut self, mut places: Vec<Place>, mut numbers: Vec<usize>, only_full: bool) {
        let is_known = places.iter().all(|place| self.bitrate_at(*place) > 0)
            && numbers.iter().all(|number| self.bitrate_of(*number) > 0);
        if only_full && (!is_known || places.len() != numbers.len()) {
            return;
        }
        if is_known {
            // The sort is stable: equal bitrates keep their order.
            places.sort_by_key(|place| self.bitrate_at(*place));
            numbers.sort_by_key(|number| self.bitrate_of(*number));
        }
        let how = if is_known { Found::Rank } else { Found::Place };
        let (mut p, mut n) = (0, 0);
        while let (Some(&place), Some(&number)) = (places.get(p), numbers.get(n)) {
            if !self.is_other(place, number) {
                self.take(place, number, how);
                (p, n) = (p + 1, n + 1);
            } else if numbers.len() - n > places.len() - p {
                n += 1;
            } else {
                p += 1;
            }
        }
    }

    /// Returns whether a quality and a track are the only ones left and nothing contradicts the
    /// pair: a bitrate is missing, or the `trackName` names the stream of this single quality.
    fn is_only_choice(&self, scope: Scope, place: Place, number: usize) -> bool {
        if self.bitrate_at(place) == 0 || self.bitrate_of(number) == 0 {
            return true;
        }
        let is_only = self.client.streams.get(place.0).is_some_and(|s| s.qualities.len() == 1);
        let stream = self.streams.get(place.0);
        scope == Scope::Name
            && is_only
            && stream.is_some_and(|stream| self.tracks.is_only_of_name(number, stream))
            && !self.is_other(place, number)
    }

    /// Reports the qualities for which tracks remain, but none with their picture size.
    fn report_refused(&mut self) {
        self.reserve();
        let places: Vec<Place> = self.open().collect();
        for place in places {
            let Some(stream) = self.streams.get(place.0) else { continue };
            let has_some = |scope| !self.tracks.unused_of(scope, stream).is_empty();
            if has_some(Scope::Name) || has_some(Scope::Kind) {
                let message = "no bitrate or name identifies its track in the server manifest, and the remaining tracks have pictures of another size: it is not served";
                self.push(FindingCode::TrackGuessed, message, place);
            }
        }
    }

    /// Groups the remaining qualities by their scope, each group with the remaining tracks of that
    /// scope.
    fn groups(&self, scope: Scope) -> Vec<(Vec<Place>, TrackSet)> {
        // Names are compared once per stream, because many qualities may share a long one.
        let mut ids = HashMap::new();
        let id = |(stream, of_stream): (&StreamIndex, &'a OfStream<'a>)| {
            let common: Cow<'a, str> = match scope {
                Scope::Name => (&*of_stream.names.0).into(),
                Scope::Language => {
                    stream.language.as_deref().unwrap_or("").to_ascii_lowercase().into()
                }
                Scope::Kind => "".into(),
            };
            let next = ids.len();
            *ids.entry((stream.kind, common)).or_insert(next)
        };
        let of_streams: Vec<usize> = self.client.streams.iter().zip(self.streams).map(id).collect();
        let mut groups: BTreeMap<usize, Vec<Place>> = BTreeMap::new();
        for place in self.open() {
            let Some(&id) = of_streams.get(place.0) else { continue };
            groups.entry(id).or_default().push(place);
        }
        let with_tracks = |places: Vec<Place>| {
            let stream = self.streams.get(places.first()?.0)?;
            let candidates = self.tracks.unused_of(scope, stream);
            (!candidates.is_empty()).then_some((places, candidates))
        };
        groups.into_values().filter_map(with_tracks).collect()
    }

    fn is_open_at(&self, place: Place) -> bool {
        self.found_of(place) == Some(None)
    }

    fn bitrate_at(&self, place: Place) -> u32 {
        self.announced(place).map_or(0, |announced| announced.quality.bitrate)
    }
}

/// Groups the items by key, in their order.
fn by<T: Copy, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> BTreeMap<K, Vec<T>> {
    let mut of_key: BTreeMap<K, Vec<T>> = BTreeMap::new();
    for item in items {
        of_key.entry(key(item)).or_default().push(*item);
    }
    of_key
}
