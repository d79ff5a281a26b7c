//! The tracks between which a player can switch: those of an Adaptation Set.

use crate::presentation::Track;

/// The tracks of a stream that are one Adaptation Set, by their numbers.
#[derive(Debug)]
pub(super) struct Switching<'a> {
    pub(super) tracks: Vec<(usize, &'a Track)>,
    /// The codec of tracks of an event that joined late, and are a set beside that of all others.
    pub(super) late: Option<String>,
}

/// Divides the tracks of a stream by codec and encryption, because a player can switch only within one.
///
/// In an event, a quality that joins late and becomes the lowest one has a set of its own if its profile or level is another
/// one. dash.js 5.2.1 knows a set again by the codec of its lowest quality: it takes no update of one that changes,
/// so that whoever follows the event stops.
pub(super) fn of_one_codec<'a>(
    tracks: &[(usize, &'a Track)],
    is_of_event: bool,
) -> Vec<Switching<'a>> {
    let mut sets: Vec<((String, &str), Vec<_>)> = Vec::new();
    for &(number, track) in tracks {
        let family = family(track);
        match sets.iter_mut().find(|(of, _)| *of == family) {
            Some((_, set)) => set.push((number, track)),
            None => sets.push((family, vec![(number, track)])),
        }
    }
    let sets = sets.into_iter().map(|(_, set)| set);
    let whole = |tracks| vec![Switching { tracks, late: None }];
    sets.flat_map(|set| if is_of_event { without_late(set) } else { whole(set) }).collect()
}

/// Takes the tracks out of a set that joined late and would be the lowest ones, with another codec.
fn without_late<'a>(set: Vec<(usize, &'a Track)>) -> Vec<Switching<'a>> {
    let joined = set.iter().map(|(_, track)| track.joined()).min();
    let of_beginning = || set.iter().filter(|(_, track)| Some(track.joined()) == joined);
    let lowest = of_beginning().map(|(_, track)| (track.bitrate(), track.codecs())).min();
    let is_late = |track: &Track| {
        let Some((bitrate, codecs)) = &lowest else { return false };
        Some(track.joined()) > joined && track.bitrate() < *bitrate && track.codecs() != *codecs
    };
    let mut sets = vec![Switching { tracks: Vec::new(), late: None }];
    for (number, track) in set {
        let late = is_late(track).then(|| track.codecs().unwrap_or_default());
        match sets.iter_mut().find(|of| of.late == late) {
            Some(of) => of.tracks.push((number, track)),
            None => sets.push(Switching { tracks: vec![(number, track)], late }),
        }
    }
    sets
}

/// Returns the family of a track's codec, and the scheme of its encryption.
pub(super) fn family(track: &Track) -> (String, &'static str) {
    let codecs = track.codecs().unwrap_or_default();
    let scheme = track.encryption().map_or("", |encryption| encryption.scheme.as_str());
    (codecs.split('.').next().unwrap_or_default().to_owned(), scheme)
}
