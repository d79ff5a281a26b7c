//! Index files that say anything, with the right checksum: what is served is a fragment that a walk
//! finds, whole.

use std::sync::Arc;

use smooth_origin::base::{Got, Name, Want};
use smooth_origin::presentation::{OpenOptions, open};

use super::container::Container;
use super::index::places;
use super::opening::{BATCHES, Files, drive, limits};

/// A film without an index.
const FILM: &[u8] = include_bytes!("../corpus/opening/a-file-without-index");

/// Opens a film with these bytes as the list of boxes in the index file of its media.
pub fn index_file(data: &[u8]) {
    let files = Files::new(Container::decode(FILM));
    let options = OpenOptions::default().limits(limits());
    let walked = files.open(&options).expect("it can be opened");
    let walked = places(&files, &Arc::new(walked));
    assert!(!walked.is_empty());
    let step = open(Name::new("film.ism").unwrap(), &options.with_index_files());
    let opened = drive(step, BATCHES, |want| match want {
        Want::Index { .. } => Ok(Got::Range(data.to_vec().into())),
        _ => files.get(want),
    });
    let opened = Arc::new(opened.expect("an index file is no reason to fail"));
    for place in places(&files, &opened) {
        assert!(walked.contains(&place), "{place:?} is no fragment");
    }
}
