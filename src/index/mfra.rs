//! The index at the end of a file: where each track's fragments begin, and at most end.

use std::collections::BTreeSet;

use crate::base::{Error, ErrorKind};
use crate::bmff::{Boxes, Tfra};

/// A fragment, as the index tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Indexed {
    /// Start in ticks of the track. ffmpeg writes a start before 0 as a huge number: it is
    /// negative here.
    pub(crate) time: i64,
    /// First byte of the `moof`.
    pub(crate) start: u64,
    /// The next `moof` of any track, or the end of the fragments: its `mdat` ends no later.
    pub(crate) bound: u64,
}

/// The fragments of a track, in order of time and place.
#[derive(Clone, Debug)]
pub(crate) struct TrackIndex {
    pub(crate) track_id: u32,
    /// An index that is of no use is an error.
    pub(crate) fragments: Result<Vec<Indexed>, Error>,
    /// True if several fragments have the same time.
    pub(crate) has_repeats: bool,
}

/// Reads what an `mfra` says of these tracks. The fragments of the file end at byte `end`.
///
/// A `tfra` lists random access points: those of one `moof` are one fragment, and only the first
/// sample of one gives its start. An index that is not in order, or leads out of the file, is not
/// used at all: where one entry lies, none can be believed.
///
/// Spec: ISO/IEC 14496-12, 8.8.10.
pub(crate) fn read_mfra(mfra: &Boxes, end: u64, track_ids: &[u32]) -> Vec<TrackIndex> {
    let mut tracks: Vec<TrackIndex> = Vec::new();
    let mut left: BTreeSet<u32> = track_ids.iter().copied().collect();
    for tfra in mfra.all::<Tfra>() {
        if left.remove(&tfra.track_id) {
            let mut has_repeats = false;
            let fragments = fragments(tfra, end, &mut has_repeats);
            tracks.push(TrackIndex { track_id: tfra.track_id, fragments, has_repeats });
        }
    }
    set_bounds(&mut tracks, end);
    tracks
}

/// One entry a fragment; the bounds are still the end of all.
fn fragments(tfra: &Tfra, end: u64, has_repeats: &mut bool) -> Result<Vec<Indexed>, Error> {
    let invalid = |number: usize, what: &str| {
        let what = format!("entry {} of `tfra` for track {}: {what}", number + 1, tfra.track_id);
        Error::from(ErrorKind::Invalid { what, clause: "ISO/IEC 14496-12, 8.8.10" })
    };
    let mut fragments: Vec<Indexed> = Vec::with_capacity(tfra.count());
    for (i, entry) in tfra.entries().enumerate() {
        let last = fragments.last();
        if last.is_some_and(|last| last.start == entry.moof_offset) {
            continue;
        }
        if !entry.starts_fragment() {
            return Err(invalid(i, "not the first sample of its fragment"));
        }
        // Two's complement, where the producer had a negative number.
        let time = entry.time as i64;
        if last.is_some_and(|last| last.start > entry.moof_offset || last.time > time) {
            return Err(invalid(i, "before the entry in front of it"));
        }
        if last.is_some_and(|last| last.time == time) {
            *has_repeats = true;
        }
        if entry.moof_offset >= end {
            return Err(invalid(i, "behind the last byte of the fragments"));
        }
        fragments.push(Indexed { time, start: entry.moof_offset, bound: end });
    }
    Ok(fragments)
}

/// Each fragment ends before the next of any track begins.
fn set_bounds(tracks: &mut [TrackIndex], end: u64) {
    let of_tracks = tracks.iter().filter_map(|track| track.fragments.as_ref().ok());
    let mut starts: Vec<u64> = of_tracks.flatten().map(|fragment| fragment.start).collect();
    starts.sort_unstable();
    for fragments in tracks.iter_mut().filter_map(|track| track.fragments.as_mut().ok()) {
        let mut at = 0;
        for fragment in fragments {
            at += first_beyond(&starts[at..], fragment.start);
            fragment.bound = starts.get(at).copied().unwrap_or(end);
        }
    }
}

/// Number of the first of some ascending starts that is beyond `start`: mostly one of the next few,
/// else it is looked for in steps of growing width.
fn first_beyond(starts: &[u64], start: u64) -> usize {
    const FEW: usize = 8;
    if let Some(near) = starts.iter().take(FEW).position(|&other| other > start) {
        return near;
    }
    let (mut low, mut width) = (starts.len().min(FEW), 1);
    while starts.get(low + width - 1).is_some_and(|&other| other <= start) {
        low += width;
        width *= 2;
    }
    let high = starts.len().min(low + width - 1);
    low + starts[low..high].partition_point(|&other| other <= start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bmff::{AnyBox, FullBox};

    /// Entries are (time, offset, sample number).
    fn tfra(track_id: u32, entries: &[(u64, u64, u8)]) -> AnyBox {
        let bytes = entries.iter().flat_map(|&(time, offset, sample)| {
            [&time.to_be_bytes()[..], &offset.to_be_bytes(), &[1, 1, sample]].concat()
        });
        let full = FullBox { version: 1, flags: 0 };
        AnyBox::new(Tfra { full, track_id, widths: 0, bytes: bytes.collect() })
    }

    fn read(boxes: impl IntoIterator<Item = AnyBox>) -> Vec<TrackIndex> {
        read_mfra(&boxes.into_iter().collect(), 1000, &[1, 2, 7, 8])
    }

    fn spans(track: &TrackIndex) -> Vec<(i64, u64, u64)> {
        track.fragments.as_ref().unwrap().iter().map(|f| (f.time, f.start, f.bound)).collect()
    }

    #[test]
    fn a_fragment_ends_before_the_next_of_any_track() {
        let tracks = read([
            tfra(1, &[(0, 100, 1), (20, 300, 1), (40, 600, 1)]),
            tfra(2, &[(u64::MAX - 4, 200, 1), (18, 500, 1)]),
        ]);
        assert_eq!(spans(&tracks[0]), [(0, 100, 200), (20, 300, 500), (40, 600, 1000)]);
        assert_eq!(spans(&tracks[1]), [(-5, 200, 300), (18, 500, 600)]);
    }

    #[test]
    fn random_access_points_of_one_moof_are_one_fragment() {
        let tracks = read([tfra(1, &[(0, 100, 1), (5, 100, 25), (20, 300, 1), (25, 300, 25)])]);
        assert_eq!(spans(&tracks[0]), [(0, 100, 300), (20, 300, 1000)]);
    }

    #[test]
    fn an_index_that_lies_once_is_not_believed_at_all_and_others_are() {
        for (entries, says) in [
            (vec![(0, 100, 1), (20, 90, 1)], "entry 2 of `tfra` for track 7: before the entry"),
            (vec![(20, 100, 1), (0, 200, 1)], "entry 2 of `tfra` for track 7: before the entry"),
            (vec![(0, 1000, 1)], "behind the last byte"),
            (vec![(0, u64::MAX, 1)], "behind the last byte"),
            (vec![(0, 100, 3)], "entry 1 of `tfra` for track 7: not the first sample"),
        ] {
            let tracks = read([tfra(7, &entries), tfra(8, &[(0, 50, 1)])]);
            let error = tracks[0].fragments.as_ref().unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(spans(&tracks[1]), [(0, 50, 1000)]);
        }
    }
}
