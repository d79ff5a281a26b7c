use super::*;
use crate::presentation::growing::samples::{Event, SECOND};

#[test]
fn a_fragment_that_cannot_be_shown_hides_none_of_those_behind_it() {
    let tracks = Event::usual().tracks;
    let point = Name::new("events/news.isml").unwrap();
    let mut following = Following::new(&point, &PointOptions::default());
    let mut record = |record| following.record(record).unwrap();
    record(Record::Began(Began { event: None, number: 1, wall: 1 }));
    let mut firsts = Vec::new();
    // The second fragment of the lower quality begins with no chunk.
    for (file, track, times) in [(1, &tracks[0], [0, 2, 4, 6]), (2, &tracks[1], [0, 3, 4, 6])] {
        let GrowingFile { name, server, head, first } = track.file();
        let mut start = head.len() as u64;
        record(Record::File { file, name, track: Box::new(server), head, key: "".into() });
        for time in times.map(|seconds| seconds * SECOND) {
            let (duration, hash) = (2 * SECOND, 0);
            let lengths = track.fragment(time, duration).1;
            record(Record::Published(Placed { file, time, duration, start, lengths, hash }));
            start += lengths.len;
        }
        firsts.push((file, first));
    }
    record(Record::Stopped);
    firsts.into_iter().for_each(|(file, first)| following.take_first(file, first));
    let shown = following.advance().unwrap();
    let counts = shown.streams()[0].tracks().iter().map(|track| track.fragment_count());
    assert_eq!(counts.collect::<Vec<_>>(), [4, 3]);
}

#[test]
fn each_snapshot_has_a_later_time_which_all_have_that_have_read_as_far() {
    let tracks = Event::usual().tracks;
    let times = |are_all: bool| {
        let point = Name::new("events/news.isml").unwrap();
        let mut following = Following::new(&point, &PointOptions::default());
        following.record(Record::Began(Began { event: None, number: 1, wall: 1 })).unwrap();
        following.record(Record::Epoch(0)).unwrap();
        let mut times = Vec::new();
        // Two of them join when others have the same chunks.
        for (file, of) in (1..).zip(&tracks) {
            let GrowingFile { name, server, head, .. } = of.file();
            let (mut start, (first, lengths)) = (head.len() as u64, of.fragment(0, 2 * SECOND));
            let key = format!("{SECOND}\n0\n{}\t\t\t\t0\t0\t", of.kind.as_str()).into();
            let track = Box::new(server);
            following.record(Record::File { file, name, track, head, key }).unwrap();
            for time in [0, 2 * SECOND] {
                let placed = Placed { file, time, duration: 2 * SECOND, start, lengths, hash: 0 };
                following.record(Record::Published(placed)).unwrap();
                following.take_first(file, first.clone());
                start += lengths.len;
                if !are_all || (file, time) == (3, 2 * SECOND) {
                    times.push(following.advance().unwrap().live().unwrap().published);
                }
            }
        }
        times
    };
    let (each, last) = (times(false), times(true));
    assert_eq!((each.len(), each.last()), (6, last.last()));
    assert!(each.is_sorted_by(|one, next| one < next), "{each:?}");
}

/// Follows an event of so many fragments, and reads so many records before each snapshot.
fn followed(fragments: u64, at_a_time: u64) -> (Presentation, u64) {
    let tracks = Event::usual().tracks;
    let (point, window) = (Name::new("events/news.isml").unwrap(), Duration::from_secs(60));
    let options = PointOptions::default().window(Some(window));
    let mut following = Following::new(&point, &options);
    following.limits_of_all.fragments = 5000;
    following.record(Record::Began(Began { event: None, number: 1, wall: 1 })).unwrap();
    following.record(Record::Epoch(0)).unwrap();
    let mut starts = Vec::new();
    for (file, track) in [(1, &tracks[0]), (2, &tracks[2])] {
        let GrowingFile { name, server, head, .. } = track.file();
        starts.push(head.len() as u64);
        let key = format!("{SECOND}\n0\n{}\t\t\t\t0\t0\t", track.kind.as_str()).into();
        let track = Box::new(server);
        following.record(Record::File { file, name, track, head, key }).unwrap();
    }
    let first = [tracks[0].fragment(0, 2 * SECOND), tracks[2].fragment(0, 2 * SECOND)];
    let mut shown = None;
    for number in 0..fragments {
        for (at, file) in (1..=2).enumerate() {
            let (time, duration, lengths) = (number * 2 * SECOND, 2 * SECOND, first[at].1);
            let placed = Placed { file, time, duration, start: starts[at], lengths, hash: 0 };
            following.record(Record::Published(placed)).unwrap();
            starts[at] += lengths.len;
        }
        if (number + 1).is_multiple_of(at_a_time) || number + 1 == fragments {
            for (file, ..) in following.wanted() {
                following.take_first(file, first[file as usize - 1].0.clone());
            }
            shown = following.advance().or(shown);
        }
    }
    (shown.unwrap(), following.published)
}

#[test]
fn a_long_channel_that_is_followed_late_has_its_newest_chunks() {
    const FRAGMENTS: u64 = 20_000;
    let [(early, of_early), (late, of_late)] = [16, u64::MAX].map(|at| followed(FRAGMENTS, at));
    for presentation in [&early, &late] {
        for stream in presentation.streams() {
            let timeline = stream.timeline();
            let last = timeline.chunk(timeline.len() - 1);
            assert_eq!(last, Some(((FRAGMENTS - 1) * 2 * SECOND, 2 * SECOND)));
        }
    }
    for (early, late) in early.streams().iter().zip(late.streams()) {
        assert!(early.timeline().iter().eq(late.timeline().iter()));
        let numbers = |of: &crate::presentation::Stream| (of.window.dropped, of.window.hidden);
        assert_eq!(numbers(early), numbers(late));
    }
    assert_eq!((of_early, of_late), (2 * FRAGMENTS, 2 * FRAGMENTS));
}

#[test]
fn the_clock_is_ahead_of_what_is_shown_by_what_is_held_back() {
    for at_a_time in [1, 7, u64::MAX] {
        let (shown, _) = followed(20, at_a_time);
        let live = shown.live().unwrap();
        // A millisecond later for each of the two that end at the same time.
        assert_eq!(live.published, Duration::from_millis(40_001));
        assert_eq!(live.clock, 44 * SECOND as i64, "two chunks are held back");
    }
}

#[test]
fn a_single_long_chunk_sets_the_clock_no_farther_ahead() {
    let track = &Event::usual().tracks[0];
    let point = Name::new("events/news.isml").unwrap();
    let mut following = Following::new(&point, &PointOptions::default());
    let GrowingFile { name, server, head, .. } = track.file();
    let mut start = head.len() as u64;
    let (first, lengths) = track.fragment(0, 2 * SECOND);
    following.record(Record::Began(Began { event: None, number: 1, wall: 1 })).unwrap();
    following.record(Record::Epoch(0)).unwrap();
    let key = format!("{SECOND}\n0\n{}\t\t\t\t0\t0\t", track.kind.as_str()).into();
    let file = Record::File { file: 1, name, track: Box::new(server), head, key };
    following.record(file).unwrap();
    let mut end = 0;
    for (seconds, ahead) in [(2, 4), (2, 4), (10, 4), (2, 4), (6, 4), (6, 12), (2, 10)] {
        let (time, duration) = (end * SECOND, seconds * SECOND);
        let placed = Placed { file: 1, time, duration, start, lengths, hash: 0 };
        following.record(Record::Published(placed)).unwrap();
        following.take_first(1, first.clone());
        (start, end) = (start + lengths.len, end + seconds);
        let shown = following.advance().unwrap();
        assert_eq!(shown.live().unwrap().clock, ((end + ahead) * SECOND) as i64, "{end}");
    }
}

#[test]
fn a_file_of_which_nothing_is_published_may_be_another_one_after_a_restart() {
    let tracks = Event::usual().tracks;
    let point = Name::new("events/news.isml").unwrap();
    let mut following = Following::new(&point, &PointOptions::default());
    let file = |number: u32, track: usize| {
        let GrowingFile { name, server, head, .. } = tracks[track].file();
        Record::File { file: number, name, track: Box::new(server), head, key: "".into() }
    };
    let began = Record::Began(Began { event: None, number: 1, wall: 1 });
    for record in [began, file(1, 0), file(2, 1), file(1, 1)] {
        following.record(record).unwrap();
    }
    assert_eq!(following.files.len(), 1);
    let (lengths, start) = (tracks[1].fragment(0, SECOND).1, tracks[1].head().len() as u64);
    let placed = Placed { file: 1, time: 0, duration: SECOND, start, lengths, hash: 0 };
    following.record(Record::Published(placed)).unwrap();
    assert!(following.record(file(1, 0)).is_none(), "it has a fragment");
}
