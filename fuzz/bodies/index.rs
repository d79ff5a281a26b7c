//! The index against a walk: where both lead to a fragment that begins at one place, it is one
//! fragment; those that a whole walk finds do not overlap; and a walk that looks ahead finds the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use smooth_origin::base::{FileId, Name};
use smooth_origin::output::mss::{FragmentRequest, Noun, Request};
use smooth_origin::presentation::{FindingCode, OpenOptions, Presentation, Stream, Track};

use super::container::Container;
use super::opening::{Files, limits, reply};

/// Chunks of a track that are asked for.
const ASKED: usize = 64;

/// A fragment as it is served: its file, first byte and end.
pub(super) type Place = (FileId, u64, u64);

/// Opens the files of a [`Container`] by their indexes, then by a walk.
pub fn index(data: &[u8]) {
    let mut container = Container::decode(data);
    container.failing.clear();
    let files = Files::new(container);
    let options = OpenOptions::default().limits(limits());
    let Ok(by_index) = files.open(&options) else { return };
    let media = ["1.ismv", "2.ismv", "3.ismv"].map(|name| Name::new(name).unwrap());
    let distrusting = media.into_iter().fold(options, OpenOptions::distrust);
    let by_walk = files.open(&distrusting).expect("what was opened is opened again");
    let slowly = files.open_slowly(&distrusting).expect("what was opened is opened again");
    // One that did not reach the end leaves tracks that it found nothing of to their index.
    let short = [FindingCode::RecordingCutOff, FindingCode::ScanGivenUp];
    let is_whole = by_walk.findings().iter().all(|finding| !short.contains(&finding.code));
    let is_given_up = |presentation: &Presentation| {
        presentation.findings().iter().any(|finding| finding.code == FindingCode::ScanGivenUp)
    };
    let has_budget = !is_given_up(&by_walk) && !is_given_up(&slowly);
    if has_budget {
        assert_eq!(slowly.findings(), by_walk.findings());
    }
    let walked = places(&files, &Arc::new(by_walk));
    if has_budget {
        assert_eq!(places(&files, &Arc::new(slowly)), walked, "looking ahead changes nothing");
    }
    for pair in walked.iter().collect::<Vec<_>>().windows(2) {
        let [(file, _, end), (next, start, _)] = pair else { continue };
        assert!(!is_whole || file != next || end <= start, "fragments overlap: {pair:?}");
    }
    for place in places(&files, &Arc::new(by_index)) {
        let (file, start, end) = place;
        let same = walked.iter().find(|(f, s, _)| (*f, *s) == (file, start));
        assert!(same.is_none_or(|(.., other)| *other == end), "{place:?}, and by a walk {same:?}");
    }
}

/// Where the fragments of a presentation lie.
pub(super) fn places(files: &Files, presentation: &Arc<Presentation>) -> BTreeSet<Place> {
    let mut places = BTreeSet::new();
    for stream in presentation.streams() {
        // Fragments in files of their own cannot overlap.
        for track in stream.tracks().iter().filter(|track| track.folder().is_none()) {
            for (time, _) in stream.timeline().iter().take(ASKED) {
                places.extend(place(files, presentation, stream, track, time));
            }
        }
    }
    places
}

fn place(
    files: &Files,
    presentation: &Arc<Presentation>,
    stream: &Stream,
    track: &Track,
    time: u64,
) -> Option<Place> {
    let fragment = FragmentRequest {
        noun: Noun::Fragments,
        bitrate: track.bitrate(),
        attributes: "".into(),
        stream: stream.name().into(),
        time,
    };
    let reply = reply(files, presentation, &Request::Fragment(fragment)).ok()?;
    // The fragments of progressive files are made of ranges that may overlap.
    let stored = reply.stored()?;
    Some((stored.file, stored.range.start, stored.range.end))
}
