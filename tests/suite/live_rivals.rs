//! Several encoders of an event, and a process that ends: what each of them has said and sent counts for the next process as it
//! would have counted for this one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use smooth_origin::live::{PointOptions, PointState, TrackStatus};
use smooth_origin::origin::{Clock, LiveOptions, LivePoint, LivePoints, Origin, Push, block_on};
use smooth_origin::storage::{Archive, MemoryArchive, MemoryStore};
use testkit::name;

use crate::live_archive::EndsAfter;
use crate::live_point::encoder::{END, Spec, audio, header, video};

/// 2 s.
const LONG: u32 = 20_000_000;

/// An archive and the time, which outlive a process.
#[derive(Default)]
struct World {
    archive: MemoryArchive,
    /// Milliseconds since the world began.
    time: Arc<AtomicU64>,
}

struct Process<'a> {
    world: &'a World,
    points: LivePoints,
    point: Arc<LivePoint>,
    _origin: Origin,
}

impl World {
    fn begin(&self) -> Process<'_> {
        self.begin_with(self.archive.clone()).unwrap()
    }

    fn begin_with(&self, archive: impl Archive) -> Option<Process<'_>> {
        let points = LivePoints::new(LiveOptions::default().archive(archive));
        let [monotonic, since] = [(); 2].map(|()| {
            let time = Arc::clone(&self.time);
            move || Duration::from_millis(time.load(Relaxed))
        });
        let begin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = Clock::new(monotonic).wall_time(move || begin + since());
        let builder = Origin::builder(MemoryStore::new()).clock(clock);
        let origin = builder.live(points.clone()).build();
        let recovered = points.recover(name("news.isml"), PointOptions::default());
        let point = block_on(recovered).ok()?;
        Some(Process { world: self, points, point, _origin: origin })
    }
}

impl Process<'_> {
    /// Lets time pass, and has the archive take what was pushed.
    fn pass(&self, millis: u64) {
        self.world.time.fetch_add(millis, Relaxed);
        self.points.tick();
        block_on(self.points.settle());
    }

    fn begin(&self, encoder: &str, specs: &[Spec]) -> Push {
        let mut push = self.point.begin(None, "all", encoder).unwrap();
        push.push(&header(specs)).unwrap();
        push
    }

    /// Starts of the chunks of a stream, in seconds.
    fn times(&self, stream: &str) -> Vec<u64> {
        block_on(self.points.settle());
        let Some(presentation) = self.point.presentation() else { return Vec::new() };
        let found = presentation.streams().iter().find(|of| of.name() == stream);
        let times = found.map(|of| of.timeline().iter().map(|(time, _)| time / 10_000_000));
        times.map(Iterator::collect).unwrap_or_default()
    }

    /// By how many seconds the times of an encoder are moved. `None` if nothing of it is used.
    fn moved(&self, encoder: &str) -> Option<f64> {
        let status = self.point.status();
        status.encoders.iter().find(|of| &*of.encoder == encoder).unwrap().moved
    }

    fn tracks(&self) -> Vec<TrackStatus> {
        let streams = self.point.status().streams;
        streams.into_iter().flat_map(|stream| stream.tracks).collect()
    }
}

fn send(push: &mut Push, specs: &[Spec], numbers: impl IntoIterator<Item = i64>) {
    for number in numbers {
        for spec in specs {
            push.push(&spec.fragment(number * i64::from(LONG), LONG, 0)).unwrap();
        }
    }
}

fn starts(numbers: std::ops::Range<u64>) -> Vec<u64> {
    numbers.map(|number| 2 * number).collect()
}

fn pictures() -> Vec<Spec> {
    vec![video(1, 500_000)]
}

#[test]
fn an_end_that_was_acknowledged_ends_the_event_after_a_restart_without_the_others() {
    for goes_on in [false, true] {
        let (world, specs) = (World::default(), pictures());
        let process = world.begin();
        let [mut a, mut b] = ["a", "b"].map(|encoder| process.begin(encoder, &specs));
        for number in 0..6 {
            process.pass(2000);
            send(&mut a, &specs, [number]);
            send(&mut b, &specs, [number]);
        }
        a.push(&Bytes::from_static(END)).unwrap();
        block_on(a.end()).unwrap();
        let _again = goes_on.then(|| {
            let mut a = process.begin("a", &specs);
            send(&mut a, &specs, 6..8);
            a
        });
        process.pass(1000);
        assert_eq!(process.point.state(), PointState::Started, "`b` is waited for");
        // Twice, so that what was read is also read again.
        world.begin().pass(10_000);
        let process = world.begin();
        process.pass(29_000);
        assert_eq!(process.point.state(), PointState::Started);
        process.pass(2000);
        match goes_on {
            false => {
                assert_eq!(process.point.state(), PointState::Stopped);
                assert_eq!(process.times("video"), starts(0..6));
            }
            true => {
                process.pass(600_000);
                assert_eq!(process.point.state(), PointState::Started, "`a` did not end");
            }
        }
    }
}

#[test]
fn a_process_that_ends_at_any_byte_keeps_the_ends_that_it_acknowledged() {
    let specs = pictures();
    // Two encoders push, one of them is lost, and the other one ends. Returns whether that is acknowledged.
    let push_all = |process: &Process<'_>| {
        let [mut a, mut b] = ["a", "b"].map(|encoder| process.begin(encoder, &specs));
        for number in 0..4 {
            process.pass(2000);
            send(&mut a, &specs, [number]);
            send(&mut b, &specs, [number]);
        }
        drop(b);
        a.push(&Bytes::from_static(END)).unwrap();
        block_on(a.end()).is_ok()
    };
    let world = World::default();
    let whole = EndsAfter::new(&world.archive, u64::MAX);
    assert!(push_all(&world.begin_with(whole.clone()).unwrap()));
    let used = u64::MAX - whole.left();
    let mut acknowledged = 0;
    for bytes in (used.saturating_sub(400)..=used).step_by(5) {
        let world = World::default();
        let process = world.begin_with(EndsAfter::new(&world.archive, bytes));
        let is_acknowledged = process.is_some_and(|process| push_all(&process));
        let process = world.begin();
        process.pass(31_000);
        if is_acknowledged {
            acknowledged += 1;
            assert_eq!(process.point.state(), PointState::Stopped, "{bytes} of {used}");
            assert_eq!(process.times("video"), starts(0..4), "{bytes} of {used}");
        }
    }
    assert!(acknowledged > 0);
}

#[test]
fn an_encoder_that_comes_after_another_one_fills_the_gap_that_a_restart_left() {
    let (world, specs) = (World::default(), pictures());
    let process = world.begin();
    let [mut a, mut b] = ["a", "b"].map(|encoder| process.begin(encoder, &specs));
    for number in 0..4 {
        process.pass(2000);
        send(&mut a, &specs, [number]);
        send(&mut b, &specs, [number]);
    }
    process.pass(0);
    let process = world.begin();
    process.pass(3000);
    let mut b = process.begin("b", &specs);
    send(&mut b, &specs, 6..8);
    process.pass(1000);
    let mut a = process.begin("a", &specs);
    send(&mut a, &specs, 4..8);
    for number in 8..12 {
        process.pass(2000);
        send(&mut a, &specs, [number]);
        send(&mut b, &specs, [number]);
    }
    process.point.stop();
    assert_eq!(process.times("video"), starts(0..12));
    let [track] = &process.tracks()[..] else { panic!("one track") };
    assert_eq!((track.gaps, track.dropped), (0, 0));
}

#[test]
fn an_event_that_had_not_started_waits_for_its_encoders_after_a_restart() {
    for comes in [true, false] {
        let (world, specs) = (World::default(), [video(1, 500_000), audio(2, 64_000)]);
        let process = world.begin();
        let mut a = process.begin("a", &specs);
        send(&mut a, &specs[..1], 0..3);
        send(&mut a, &specs[1..], [0]);
        process.pass(2000);
        assert_eq!(process.point.state(), PointState::Starting, "the sound is waited for");
        let process = world.begin();
        process.pass(1000);
        assert_eq!(process.point.state(), PointState::Starting);
        assert!(process.point.presentation().is_none());
        if comes {
            let mut a = process.begin("a", &specs);
            send(&mut a, &specs[..1], [3]);
            send(&mut a, &specs[1..], 1..4);
            assert_eq!([process.times("video"), process.times("audio")], [[0, 2], [0, 2]]);
            assert!(process.tracks().iter().all(|track| track.gaps == 0));
        } else {
            process.pass(4000);
            assert_eq!(process.point.state(), PointState::Started);
        }
    }
}

/// The archive of an event to which `a` has pushed five fragments, and `b`, whose clock is an hour ahead.
fn an_hour_apart(specs: &[Spec]) -> World {
    let world = World::default();
    let process = world.begin();
    let [mut a, mut b] = ["a", "b"].map(|encoder| process.begin(encoder, specs));
    for number in 0..5 {
        process.pass(2000);
        send(&mut a, specs, [number]);
        send(&mut b, specs, [1800 + number]);
    }
    process.pass(0);
    assert_eq!([process.moved("a"), process.moved("b")], [Some(0.0), None]);
    drop((a, b, process));
    world
}

#[test]
fn an_encoder_of_another_clock_that_comes_first_after_a_restart_waits_for_the_one_of_before() {
    let specs = pictures();
    let world = an_hour_apart(&specs);
    let process = world.begin();
    let mut b = process.begin("b", &specs);
    send(&mut b, &specs, [1805]);
    process.pass(1000);
    let mut a = process.begin("a", &specs);
    for number in 5..20 {
        send(&mut a, &specs, [number]);
        send(&mut b, &specs, [1801 + number]);
        process.pass(2000);
    }
    assert_eq!([process.moved("a"), process.moved("b")], [Some(0.0), None]);
    process.point.stop();
    assert_eq!(process.times("video"), starts(0..20));
}

#[test]
fn an_encoder_of_another_clock_is_used_after_a_restart_if_the_one_of_before_does_not_come() {
    let specs = pictures();
    let world = an_hour_apart(&specs);
    let process = world.begin();
    let mut b = process.begin("b", &specs);
    for number in 5..15 {
        send(&mut b, &specs, [1800 + number]);
        // `silence` is 12 s.
        assert_eq!(process.moved("b").is_some(), number >= 12, "{number}");
        process.pass(2000);
    }
}

#[test]
fn encoders_that_begin_anew_with_the_server_are_moved_alike() {
    let specs = pictures();
    let world = an_hour_apart(&specs);
    let process = world.begin();
    process.pass(5000);
    let [mut a, mut b] = ["a", "b"].map(|encoder| process.begin(encoder, &specs));
    for number in 900..905 {
        send(&mut a, &specs, [number]);
        send(&mut b, &specs, [number]);
        process.pass(2000);
    }
    let [a, b] = ["a", "b"].map(|encoder| process.moved(encoder));
    assert!(a.is_some_and(|moved| moved < -1700.0) && a == b, "{a:?} {b:?}");
}

#[test]
fn an_end_after_a_restart_waits_for_an_encoder_that_has_not_come_again() {
    for comes in [true, false] {
        let (world, specs) = (World::default(), pictures());
        let process = world.begin();
        let [mut a, mut b] = ["a", "b"].map(|encoder| process.begin(encoder, &specs));
        for number in 0..4 {
            process.pass(2000);
            send(&mut a, &specs, [number]);
            send(&mut b, &specs, [number]);
        }
        process.pass(0);
        let process = world.begin();
        process.pass(2000);
        let mut a = process.begin("a", &specs);
        send(&mut a, &specs, [4]);
        a.push(&Bytes::from_static(END)).unwrap();
        block_on(a.end()).unwrap();
        process.pass(5000);
        assert_eq!(process.point.state(), PointState::Started, "`b` may come again");
        if !comes {
            process.pass(24_000);
            assert_eq!(process.point.state(), PointState::Stopped, "30 s after the restart");
            continue;
        }
        let mut b = process.begin("b", &specs);
        send(&mut b, &specs, 4..8);
        process.pass(60_000);
        assert_eq!(process.point.state(), PointState::Started);
        b.push(&Bytes::from_static(END)).unwrap();
        block_on(b.end()).unwrap();
        assert_eq!(process.point.state(), PointState::Stopped);
        assert_eq!(process.times("video"), starts(0..8));
    }
}

#[test]
fn what_took_the_place_of_a_short_last_fragment_is_there_after_a_restart() {
    let (world, specs) = (World::default(), pictures());
    let process = world.begin();
    let [mut a, mut b] = ["a", "b"].map(|encoder| process.begin(encoder, &specs));
    for number in 0..4 {
        process.pass(2000);
        send(&mut a, &specs, [number]);
        send(&mut b, &specs, [number]);
    }
    a.push(&specs[0].fragment(4 * i64::from(LONG), LONG / 4, 1)).unwrap();
    a.push(&Bytes::from_static(END)).unwrap();
    block_on(a.end()).unwrap();
    process.pass(2000);
    send(&mut b, &specs, [4]);
    process.pass(0);
    let process = world.begin();
    process.point.stop();
    block_on(process.points.settle());
    let presentation = process.point.presentation().unwrap();
    let last = presentation.streams()[0].timeline().iter().last();
    assert_eq!(last, Some((4 * u64::from(LONG), u64::from(LONG))));
}
