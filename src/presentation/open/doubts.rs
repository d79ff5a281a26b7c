//! Pairs of a quality and a track that have the same bitrate and differ otherwise.

use std::collections::HashSet;

use super::assign::{Announced, Pairing, Place};
use super::evidence::{are_other_sizes, entry_size, said_size};
use super::track_table::stream_names;
use crate::presentation::finding::{FindingCode, cut};

impl Pairing<'_> {
    /// Gives each doubtful quality the track that has its picture size or decoder configuration, if
    /// only one of each has it; otherwise it keeps its own.
    pub(super) fn settle_doubts(&mut self) {
        if self.doubts.is_empty() {
            return;
        }
        let mut doubtful: Vec<(Place, usize)> =
            self.doubts.iter().map(|(place, number)| (*place, *number)).collect();
        doubtful.sort_unstable();
        for (place, number) in &doubtful {
            self.set_found(*place, None);
            self.tracks.set_unused(*number);
        }
        self.look_at_media();
        self.reserve();
        let numbers: HashSet<usize> = doubtful.iter().map(|(_, number)| *number).collect();
        // Qualities only exchange tracks among themselves: a track of another bitrate that no
        // doubtful
        // quality has is no better than the one of the right bitrate.
        self.by_what_is_shown(|pairing, place, number| {
            let is_exchanged = || {
                let bitrate = pairing.announced(place).map(|announced| announced.quality.bitrate);
                numbers.contains(&number) || bitrate == Some(pairing.bitrate_of(number))
            };
            let own = pairing.doubts.get(&place);
            own.is_some_and(|own| is_exchanged() && !pairing.shows_only(place, *own, number))
        });
        for (place, number) in doubtful {
            if self.found_of(place) != Some(None) || !self.tracks.set_used(number) {
                continue;
            }
            self.set_found(place, Some(number));
            self.disagreement(place, number);
        }
    }

    /// Returns whether a track differs from a quality in picture size, by the server manifest or
    /// its file, or in decoder configuration, by the server manifest.
    pub(super) fn is_doubtful(&self, announced: Announced<'_>, number: usize) -> bool {
        let said = self.server.tracks.get(number).and_then(|track| track.value("CodecPrivateData"));
        let data = said.zip(announced.quality.codec_private_data.as_deref());
        if data.is_some_and(|(said, data)| !said.trim().eq_ignore_ascii_case(data.trim())) {
            return true;
        }
        let Some(size) = announced.size() else { return false };
        match self.server.tracks.get(number).and_then(said_size) {
            Some(said) => said != size,
            None => {
                let of_entry = self.resolved.get(number).and_then(entry_size);
                of_entry.is_some_and(|of_entry| are_other_sizes(of_entry, size))
            }
        }
    }

    /// Returns whether the server manifest gives a track another picture size than the quality has,
    /// and the file does not show the quality's.
    pub(super) fn is_said_to_be_other(&self, place: Place, number: usize) -> bool {
        let evidence = self.evidence(number);
        evidence.is_some_and(|e| e.said.size.is_some()) && self.is_other(place, number)
    }

    /// Returns whether both the server manifest and the file, as far as they give a picture size,
    /// give a track another one than the quality has.
    pub(super) fn is_other(&self, place: Place, number: usize) -> bool {
        let size = self.announced(place).and_then(Announced::size);
        let evidence = self.evidence(number).zip(size);
        evidence.is_some_and(|(evidence, size)| evidence.contradicts(size))
    }

    /// Returns whether the file of a track shows the picture size of a quality, while the file of
    /// the other track does not.
    fn shows_only(&self, place: Place, number: usize, other: usize) -> bool {
        let size = self.announced(place).and_then(Announced::size);
        let of = |number| self.evidence(number)?.shown.size;
        let (own, other) = (of(number), of(other));
        own.is_some() && own == size && other.is_some_and(|other| Some(other) != size)
    }

    /// Reports how the manifests disagree about a quality and its track.
    pub(super) fn disagreement(&mut self, place: Place, number: usize) {
        let (Some(stream), Some(announced), Some(track)) =
            (self.streams.get(place.0), self.announced(place), self.server.tracks.get(number))
        else {
            return;
        };
        let (own, second) = &stream.names;
        let bitrate = track.bitrate().filter(|&bitrate| bitrate != announced.quality.bitrate);
        let is_same_name = stream_names(track).any(|name| name == own || *second == Some(name));
        let name = cut(track.name());
        let doubt = self.doubts.get(&place);
        let sizes = said_size(track).zip(announced.size()).filter(|_| doubt.is_some());
        let sizes = sizes.filter(|(said, size)| are_other_sizes(*said, *size));
        let mut message = match (is_same_name, bitrate, sizes) {
            (true, None, None) => return,
            (true, None, Some((said, size))) => format!(
                "the server manifest gives pictures of {} × {}, the client manifest {} × {}",
                said.0, said.1, size.0, size.1
            ),
            (false, None, _) => format!("the server manifest calls its stream `{name}`"),
            (true, Some(bitrate), _) => format!("the server manifest gives it {bitrate} bit/s"),
            (false, Some(bitrate), _) => {
                format!("the server manifest has it in `{name}` at {bitrate} bit/s")
            }
        };
        if bitrate.is_some() && doubt.is_some_and(|doubt| *doubt != number) {
            message += ", and its bitrate to a track with other pictures";
        }
        self.push(FindingCode::ManifestsDisagree, message, place);
    }
}
