//! The index of a file compared with its fragments.

use crate::index::{Indexed, ScannedTrack, TrackIndex};

/// Returns what is wrong with the index of a track, if anything is.
pub(super) fn fault(index: Option<&TrackIndex>, found: &ScannedTrack) -> Option<String> {
    let id = found.track_id;
    if found.fragments.is_empty() {
        return None;
    }
    let Some(index) = index else { return Some(format!("it has no entry for track {id}")) };
    let entries = match &index.fragments {
        Ok(entries) => entries,
        Err(error) => return Some(error.to_string()),
    };
    if let Some(entry) = entries.iter().find(|entry| !found.has(entry.start)) {
        let at = entry.start;
        return Some(format!(
            "it says that a fragment of track {id} begins at byte {at}, where none does"
        ));
    }
    let has = |fragment: &Indexed| {
        entries.binary_search_by_key(&fragment.start, |entry| entry.start).is_ok()
    };
    let missing = found.fragments.iter().filter(|fragment| !has(fragment)).count();
    if missing > 0 {
        let all = found.fragments.len();
        return Some(format!("it has no entry for {missing} of the {all} fragments of track {id}"));
    }
    if !found.is_consistent() {
        return None;
    }
    // One constant difference is no fault: manifests are made to begin at 0.
    let times = entries.iter().filter_map(|entry| {
        let of = found.fragments.binary_search_by_key(&entry.start, |fragment| fragment.start);
        Some((entry, &found.fragments[of.ok()?]))
    });
    let mut shift = None;
    for (entry, fragment) in times {
        let difference = entry.time.saturating_sub(fragment.time);
        let first = *shift.get_or_insert(difference);
        if difference.abs_diff(first) > found.last_duration / 2 {
            let (at, says, is) = (entry.start, entry.time, fragment.time);
            return Some(format!(
                "it says that the fragment of track {id} at byte {at} begins at {says}, and the fragment says {is}"
            ));
        }
    }
    None
}

/// Returns starts and offsets of the fragments of a track, in the order of both; `None` if no order has
/// both. Times of fragments that do not declare them are those of the `index`, if there is one.
pub(super) fn entries(found: &mut ScannedTrack, index: &[Indexed]) -> Option<Vec<(u64, u64)>> {
    found.take_times_from(index);
    let is_wrong = found.has_wrong_times();
    let is_ascending = found.fragments.is_sorted_by_key(|fragment| fragment.start);
    let fragments = match is_wrong || !is_ascending {
        true => found.take_by_order()?,
        false => found.fragments.clone(),
    };
    Some(fragments.iter().map(|fragment| (fragment.time as u64, fragment.start)).collect())
}
