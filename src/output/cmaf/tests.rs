use std::sync::Arc;

use super::{Request, answer};
use crate::base::Step;
use crate::presentation::growing::samples::{Event, SECOND};
use crate::presentation::{Piece, Presentation};

fn header(of: &Arc<Presentation>, name: &str) -> Result<bytes::Bytes, &'static str> {
    let path = format!("{name}/init.mp4");
    let step = answer(of, &Request::parse(&path).unwrap()).map_err(|error| error.kind.code())?;
    let Step::Ready(reply) = step else { panic!("{name}") };
    let [Piece::Bytes(header)] = reply.pieces() else { panic!("{name}") };
    Ok(header.clone())
}

#[test]
fn the_header_of_a_track_is_written_once_for_all_snapshots_of_an_event() {
    let mut event = Event::usual();
    let mut first = Vec::new();
    for number in 0..5 {
        event.add_chunk(number);
        let snapshot = event.snapshot(Some(4));
        let headers = ["video-3000000", "video-800000", "audio-128000"]
            .map(|name| header(&snapshot, name).unwrap());
        let places: Vec<_> = headers.iter().map(|header| header.as_ptr()).collect();
        for stream in snapshot.streams() {
            for track in stream.tracks() {
                assert!(headers.contains(&snapshot.init_segment(stream, track).unwrap()));
            }
        }
        first.push((headers, places));
    }
    assert!(first.iter().all(|of| *of == first[0]));
}

#[test]
fn the_header_of_a_track_that_has_left_is_not_served() {
    let mut event = Event::usual();
    event.add_chunk(0);
    assert!(header(&event.snapshot(Some(4)), "video-3000000").is_ok());
    for number in 1..5 {
        [1, 2].into_iter().for_each(|track| event.add(track, 2 * number * SECOND, 2 * SECOND));
    }
    event.growing.drop_before(6 * SECOND);
    let later = event.snapshot(Some(4));
    assert_eq!(header(&later, "video-3000000"), Err("no-media"));
    assert!(header(&later, "video-800000").is_ok());
    event.add_chunk(5);
    assert!(header(&event.snapshot(Some(4)), "video-3000000").is_ok());
}

#[test]
fn sample_entries_are_read_once_for_all_snapshots_of_an_event() {
    let mut event = Event::usual();
    let allocations = [0, 1].map(|number| {
        event.add_chunk(number);
        let snapshot = event.snapshot(None);
        let mut listed = 0;
        let measured = allocation_counter::measure(|| listed = snapshot.listed().len());
        assert_eq!(listed, 2);
        measured.count_total
    });
    let [first, second] = allocations;
    assert!(second * 2 < first, "{first} allocations, then {second}");
}
