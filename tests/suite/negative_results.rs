//! Names that lead to nothing cost little, however many of them are asked for and however often.

use std::time::Duration;

use smooth_origin::origin::{Origin, OriginBuilder, block_on};
use testkit::remote::{Remote, together};
use testkit::{fragment_files, name, status};

/// Requests for one name that is no presentation: the server manifest, and the manifest of a folder.
const LOOK: u64 = 2;

/// Seconds for which a failed opening is kept.
const PERIOD: u64 = 5;

fn origin(remote: &Remote, set: impl FnOnce(OriginBuilder) -> OriginBuilder) -> Origin {
    let builder = Origin::builder(remote.clone()).remote_store();
    set(builder.clock(remote.hands.clock()).timer(remote.hands.timer())).build()
}

fn folder() -> Remote {
    Remote::new(fragment_files::film())
}

#[test]
fn a_name_that_is_not_there_is_looked_for_once_in_a_period_however_often_it_is_asked_for() {
    let remote = folder();
    let origin = origin(&remote, |builder| builder);
    for second in 0..4 * PERIOD {
        for _ in 0..50 {
            assert_eq!(status(&origin, "/no.ism/Manifest"), 404);
            assert_eq!(status(&origin, "/no.ism/QualityLevels(1)/Fragments(video=0)"), 404);
        }
        let expected = if second % PERIOD == 0 { LOOK } else { 0 };
        assert_eq!(remote.others(), expected, "second {second}");
        remote.hands.pass(1);
    }
    // A thousand at one time.
    let remote = folder();
    let origin = self::origin(&remote, |builder| builder);
    remote.slow();
    let answers = together(&remote, (0..1000).map(|_| origin.answer("/no.ism/Manifest")));
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err().kind.status() == 404));
    assert_eq!(remote.others(), LOOK);
}

#[test]
fn a_flood_of_names_takes_no_more_memory_than_the_cache_may_and_drives_out_no_film_in_use() {
    const NAMES: u64 = 10_000;
    const ROOM: u64 = 1 << 20;
    let (remote, name) = (folder(), name("film.ism"));
    let origin = origin(&remote, |builder| builder.cache_bytes(ROOM));
    block_on(origin.open(&name)).unwrap();
    remote.forget();
    let asked =
        |number: u64| format!("/missing/{number}/of-a-usual-length/film-{number}.ism/Manifest");
    let counted = allocation_counter::measure(|| {
        for number in 0..NAMES {
            assert_eq!(status(&origin, &asked(number)), 404);
            if number % 10 == 0 {
                assert_eq!(status(&origin, "/film.ism/Manifest"), 200);
            }
        }
    });
    // Each was looked for once, and the film was neither opened nor looked at again.
    assert_eq!((remote.others(), remote.reads().len()), (NAMES * LOOK, 0));
    let stats = origin.stats();
    assert!(stats.presentation_bytes <= ROOM, "{stats:?}");
    assert_eq!(stats.presentations, 1);
    assert!(stats.failed_presentations < NAMES / 2, "{stats:?}");
    let took = counted.bytes_current + 16 * counted.count_current;
    assert!(took <= ROOM as i64, "{took} bytes");
}

#[test]
fn a_fragment_file_that_is_not_there_is_looked_for_once_in_a_period() {
    let remote = folder();
    let missing = "/film.ism/QualityLevels(3000)/Fragments(video=10000000)";
    let file = name("film.ism/QualityLevels(3000)/Fragments(video=10000000)");
    let bytes = fragment_files::fragment(3000, 10_000_000);
    remote.objects.remove(&file);
    let origin = origin(&remote, |builder| builder.revalidate_after(Duration::from_secs(5)));
    assert_eq!(status(&origin, "/film.ism/Manifest"), 200);
    remote.forget();
    for second in 0..PERIOD {
        for _ in 0..200 {
            assert_eq!(status(&origin, missing), 404);
        }
        assert_eq!(remote.others(), u64::from(second == 0), "second {second}");
        remote.hands.pass(1);
    }
    // It has arrived.
    remote.objects.put(file, bytes);
    assert_eq!(status(&origin, missing), 200);
}

#[test]
fn a_live_fragment_is_served_as_soon_as_it_is_there() {
    let remote = Remote::new(fragment_files::film());
    let live = fragment_files::manifest(
        " IsLive=\"TRUE\" LookaheadFragmentCount=\"2\"",
        &[("video", "video", &[3000], &fragment_files::chunks(&[0]))],
    );
    fragment_files::put(&remote.objects, "film.ism/Manifest", live.into_bytes());
    let path = "film.ism/QualityLevels(3000)/Fragments(video=40000000)";
    let origin = origin(&remote, |builder| builder);
    let target = format!("/{path}");
    assert!(status(&origin, &target) >= 400);
    fragment_files::put(&remote.objects, path, fragment_files::fragment(3000, 40_000_000));
    assert_eq!(status(&origin, &target), 200);
}
