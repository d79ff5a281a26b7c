//! Progressive files: the tables of their tracks.

use std::collections::HashMap;

use super::tracks::MediaTrack;
use super::trouble::Trouble;
use crate::base::Error;
use crate::index::sample_table::{Movie, Track};
use crate::presentation::FindingCode;

/// Gives the tracks of a `moov` without fragments their sample tables.
///
/// # Errors
/// [`FindingCode::NeedsPackaging`] if no track has any samples.
pub(super) fn of_movie(
    mut media: Vec<MediaTrack>,
    movie: Movie,
) -> Result<Vec<MediaTrack>, Trouble> {
    let mut tables: HashMap<u32, Result<Track, Error>> = HashMap::new();
    for (id, track) in movie.ids.into_iter().zip(movie.tracks) {
        if let Some(id) = id {
            // The first of a number counts.
            tables.entry(id).or_insert(track);
        }
    }
    let mut has_samples = false;
    for track in &mut media {
        let no_samples = "it is not fragmented, and the track has no samples in its `moov`";
        let trouble = match tables.remove(&track.track_id) {
            Some(Ok(of)) if of.tables.count() == 0 => needs_packaging(no_samples),
            None => needs_packaging(no_samples),
            Some(Err(error)) => {
                has_samples = true;
                Trouble::of(FindingCode::SampleTablesBroken, &error)
            }
            Some(Ok(of)) => {
                has_samples = true;
                track.entry = Some(of.entry.clone());
                track.more_entries.clear();
                if let Some(oddity) = of.tables.oddities().first() {
                    let message = oddity.to_string();
                    track.doubt = Some(Trouble::new(FindingCode::SampleTablesOdd, message));
                }
                track.tables = Some(Box::new(of));
                needs_packaging("it is not fragmented, and only pictures and sound are made of it")
            }
        };
        track.fragments = Err(trouble);
    }
    match has_samples {
        true => Ok(media),
        false => Err(needs_packaging("it is not fragmented: its `moov` has no `mvex`")),
    }
}

fn needs_packaging(message: &str) -> Trouble {
    let why = "a file that is not fragmented needs packaging";
    let trouble = Trouble::not_sliceable(FindingCode::NeedsPackaging, why);
    Trouble { message: message.into(), ..trouble }
}
