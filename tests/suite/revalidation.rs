//! The requests that checking the files of many open presentations costs, second by second.

use std::time::Duration;

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, OriginBuilder};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism, ismc};
use testkit::remote::Remote;
use testkit::{name, status};

/// Media files of a presentation. It has two manifests more.
const MEDIA: u64 = 10;

/// Presentations of ten media files each.
fn films(count: u64) -> MemoryStore {
    let store = MemoryStore::new();
    let track = Track::regular(1, StreamKind::Video, 2, 20_000_000, 100);
    let media: bytes::Bytes = film::media(&[track], Style::default()).to_bytes().into();
    let bitrates: Vec<u32> = (1..=MEDIA as u32).map(|number| number * 1000).collect();
    let client = ismc(&[(StreamKind::Video, "video", &bitrates, &[0, 20_000_000])]);
    for film in 0..count {
        let files: Vec<_> = (0..MEDIA).map(|file| format!("film{film}_{file}.ismv")).collect();
        let elements = files.iter().zip(&bitrates);
        let elements: Vec<_> =
            elements.map(|(file, &bitrate)| ("video", &**file, bitrate, 1, "")).collect();
        let client_name = format!("film{film}.ismc");
        store.put(name(&format!("film{film}.ism")), ism(Some(&client_name), &elements));
        store.put(name(&client_name), client.clone());
        files.iter().for_each(|file| store.put(name(file), media.clone()));
    }
    store
}

/// Requests of each second after the first, in which all are opened. Each client asks once a second.
fn seconds(films: u64, seconds: u64, set: impl FnOnce(OriginBuilder) -> OriginBuilder) -> Vec<u64> {
    let remote = Remote::new(self::films(films));
    let builder = Origin::builder(remote.clone()).remote_store().cache_bytes(1 << 30);
    let origin = set(builder.clock(remote.hands.clock()).timer(remote.hands.timer())).build();
    let targets: Vec<_> = (0..films).map(|film| format!("/film{film}.ism/Manifest")).collect();
    let all = || {
        targets.iter().for_each(|target| assert_eq!(status(&origin, target), 200));
        remote.hands.pass(1);
        remote.reads();
        remote.others()
    };
    all();
    (0..seconds).map(|_| all()).collect()
}

const FILMS: u64 = 200;

/// Requests that one check of all of them takes.
const ROUND: u64 = FILMS * (MEDIA + 2);

#[test]
fn checks_of_presentations_that_were_opened_together_do_not_stay_together() {
    let period = 10;
    let after = Duration::from_secs(period);
    let each = seconds(FILMS, 6 * period, |builder| builder.revalidate_after(after));
    // No more than the period is between two checks of one presentation, and seldom much less.
    let all: u64 = each.iter().sum();
    assert!((6 * ROUND..8 * ROUND).contains(&all), "{all}");
    let first: u64 = each[..period as usize].iter().sum();
    assert!(first >= ROUND, "{first}");
    let most = *each.iter().max().unwrap();
    assert!(most <= ROUND / 4, "{most} of {ROUND} in one second: {each:?}");
}

#[test]
fn a_store_of_which_requests_cost_little_is_asked_when_the_period_is_over() {
    let each = seconds(10, 10, |builder| builder.whole_read_bytes(0));
    let round = 10 * (MEDIA + 2);
    assert_eq!(each, [0, 0, 0, 0, round, 0, 0, 0, 0, round]);
}

/// Seconds of `revalidate_after` and `revalidate_media_after`, and requests of one presentation in a
/// minute, at most.
type Row = (u64, Option<u64>, u64);

#[test]
fn checks_cost_no_more_requests_than_this_table_says() {
    let table: [Row; 4] = [
        // 12 files each 4.4 seconds, in whole seconds.
        (5, None, 155),
        (60, None, 14),
        // 2 files each 4.4 seconds, and 10 each 53.
        (5, Some(60), 38),
        (60, Some(600), 3),
    ];
    for (after, media, most) in table {
        let each = seconds(FILMS, 120, |builder| {
            let builder = builder.revalidate_after(Duration::from_secs(after));
            match media {
                Some(media) => builder.revalidate_media_after(Duration::from_secs(media)),
                None => builder,
            }
        });
        let minute: u64 = each[60..].iter().sum::<u64>() / FILMS;
        assert!(minute <= most && minute > most / 2, "{after} s, {media:?}: {minute}");
    }
}

#[test]
fn a_media_file_that_is_replaced_is_noticed_when_media_is_checked_or_when_the_host_says_so() {
    let remote = Remote::new(films(1));
    let builder = Origin::builder(remote.clone()).remote_store();
    let builder = builder.clock(remote.hands.clock()).timer(remote.hands.timer());
    let builder = builder.replace_grace(Duration::ZERO);
    let origin = builder.revalidate_media_after(Duration::from_secs(60)).build();
    let media = |film: &str, count| {
        let track = Track::regular(1, StreamKind::Video, count, 20_000_000, 200);
        remote.objects.put(name(film), film::media(&[track], Style::default()).to_bytes());
    };
    let openings = || {
        assert_eq!(status(&origin, "/film0.ism/Manifest"), 200);
        origin.stats().openings
    };
    assert_eq!(openings(), 1);
    media("film0_3.ismv", 2);
    let mut at = 0;
    while openings() == 1 {
        remote.hands.pass(1);
        at += 1;
        assert!(at <= 60, "it is noticed");
    }
    assert!(at >= 45, "{at} s");
    media("film0_4.ismv", 2);
    origin.look_again(&name("film0.ism"));
    assert_eq!(openings(), 3);
    // Manifests are checked as before.
    let client = ismc(&[(StreamKind::Video, "video", &[1000, 2000], &[0])]);
    remote.objects.put(name("film0.ismc"), client);
    remote.hands.pass(5);
    assert_eq!(openings(), 4);
}
