//! Processes that end between any two fragments: what follows is what it would have been without.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use smooth_origin::Name;
use smooth_origin::live::{PointOptions, PointState};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::presentation::ManifestSource;
use smooth_origin::storage::{MemoryArchive, Store};
use testkit::Hands;
use testkit::film::{self, Style, Track};

use super::live_archive::{Encoder, EndsAfter, Process, TICKS, collect, encoders_of, fragments};

fn encoder(chunks: u32) -> Encoder {
    let track = Track::regular(1, StreamKind::Audio, chunks, TICKS, 40);
    let media = film::media(&[track], Style { tfxd: true, mfra: false });
    let bytes = Bytes::from(media.to_bytes());
    let part = |start: u64, end: u64| bytes.slice(start as usize..end as usize);
    let fragments = media.fragments.iter();
    let fragments = fragments.map(|(.., range)| part(range.start, range.end)).collect();
    Encoder { stream: "audio", head: part(0, media.fragments[0].2.start), fragments }
}

/// The fragment at another time, as its `tfxd` says it.
fn at(fragment: &Bytes, time: i64, duration: u64) -> Bytes {
    let mut bytes = fragment.to_vec();
    let tfxd = 0x6d1d_9b05_42d5_44e6_80e2_141d_aff7_57b2_u128.to_be_bytes();
    let place = bytes.windows(16).position(|window| window == tfxd).unwrap() + 16 + 4;
    bytes[place..place + 8].copy_from_slice(&time.to_be_bytes());
    bytes[place + 8..place + 16].copy_from_slice(&duration.to_be_bytes());
    bytes.into()
}

/// The film of these fragments, each in a push of its own, if the process is killed after so many of them.
fn film_of(encoder: &Encoder, killed_after: usize) -> BTreeMap<(String, u64), Bytes> {
    let archive = MemoryArchive::new();
    let begin = || Process::with(archive.clone(), PointOptions::default()).unwrap();
    let mut process = begin();
    for number in 0..encoder.fragments.len() {
        if number == killed_after {
            process = begin();
        }
        assert!(process.push(encoder, number));
    }
    assert!(process.stop());
    fragments(&process.origin, "news.isml")
}

#[test]
fn a_fragment_that_begins_before_time_0_ends_where_it_would_have_ended() {
    let mut encoder = encoder(6);
    // As ffmpeg sends AAC.
    encoder.fragments[0] = at(&encoder.fragments[0], -213_333, u64::from(TICKS) + 213_333);
    let film = film_of(&encoder, usize::MAX);
    assert_eq!(film.len(), 6);
    for killed_after in 1..6 {
        assert_eq!(film_of(&encoder, killed_after), film, "after {killed_after}");
    }
}

#[test]
fn the_film_of_an_event_that_publishes_all_at_its_end_has_the_durations_of_the_event() {
    let mut encoder = encoder(2);
    let ticks = u64::from(TICKS);
    // There is a gap between the two, and no time to publish the first one before the end.
    encoder.fragments[1] = at(&encoder.fragments[1], 2 * i64::from(TICKS), ticks);
    let archive = MemoryArchive::new();
    let process = Process::with(archive.clone(), PointOptions::default()).unwrap();
    assert!(process.push(&encoder, 0) && process.push(&encoder, 1));
    assert!(process.stop());
    let origin = Origin::new(archive.store().clone());
    let film = block_on(origin.open(&Name::new("news.ism").unwrap())).unwrap();
    let film = film.presentation();
    let chunks: Vec<_> = film.streams()[0].timeline().iter().collect();
    assert_eq!(chunks, [(0, ticks), (2 * ticks, ticks)]);
    assert_eq!(film.manifest_source(), ManifestSource::Stored);
}

#[test]
fn an_encoder_whose_times_are_moved_stays_moved() {
    let mut encoder = encoder(8);
    let ticks = i64::from(TICKS);
    for (number, fragment) in encoder.fragments.iter_mut().enumerate() {
        // It begins at 0 again after three fragments, and later loses one.
        let time = match number as i64 {
            number @ 0..3 => (1000 + number) * ticks,
            number @ 3..6 => (number - 3) * ticks,
            number => (number - 2) * ticks,
        };
        *fragment = at(fragment, time, TICKS.into());
    }
    let film = film_of(&encoder, usize::MAX);
    let times: Vec<_> = film.keys().map(|(_, time)| time / u64::from(TICKS)).collect();
    assert_eq!(times, [1000, 1001, 1002, 1003, 1004, 1005, 1007, 1008]);
    for killed_after in 1..8 {
        assert_eq!(film_of(&encoder, killed_after), film, "after {killed_after}");
    }
}

#[test]
fn manifests_count_from_the_same_time_after_a_restart() {
    let (encoder, archive) = (encoder(40), MemoryArchive::new());
    let options = PointOptions::default().window(Some(Duration::from_secs(4)));
    let process = Process::with(archive.clone(), options.clone()).unwrap();
    (0..40).for_each(|number| assert!(process.push(&encoder, number)));
    let manifest = |process: &Process| {
        let body = testkit::served(&process.origin, "/news.isml/manifest.mpd").unwrap().body();
        let text = String::from_utf8(block_on(collect(body)).to_vec()).unwrap();
        let value = |name: &str| {
            let from = text.find(&format!(" {name}=\"")).unwrap() + name.len() + 3;
            text[from..].split('"').next().unwrap().to_owned()
        };
        ["availabilityStartTime", "start", "presentationTimeOffset", "startNumber", "t"].map(
            |name| if text.contains(&format!(" {name}=")) { value(name) } else { String::new() },
        )
    };
    let before = manifest(&process);
    let process = Process::with(archive.clone(), options).unwrap();
    assert_eq!(manifest(&process), before);
}

#[test]
#[cfg(feature = "hls")]
fn playlists_count_on_after_a_restart() {
    let (encoder, archive) = (encoder(60), MemoryArchive::new());
    let options = PointOptions::default().window(Some(Duration::from_secs(4)));
    let process = Process::with(archive.clone(), options.clone()).unwrap();
    (0..60).for_each(|number| assert!(process.push(&encoder, number)));
    let playlist = |process: &Process| {
        let presentation = process.point.presentation().unwrap();
        let stream = &presentation.streams()[0];
        let path = format!("/news.isml/{}-{}.m3u8", stream.name(), stream.tracks()[0].bitrate());
        let body = testkit::served(&process.origin, &path).unwrap().body();
        String::from_utf8(block_on(collect(body)).to_vec()).unwrap()
    };
    let before = playlist(&process);
    assert!(before.contains("#EXT-X-MEDIA-SEQUENCE:5"), "{before}");
    for _ in 0..2 {
        let process = Process::with(archive.clone(), options.clone()).unwrap();
        assert_eq!(playlist(&process), before);
    }
}

#[test]
fn an_event_that_had_published_nothing_before_a_restart_is_live_now() {
    let (encoders, archive) = (encoders_of(300), MemoryArchive::new());
    let process = Process::with(archive.clone(), PointOptions::default()).unwrap();
    for (encoder, count) in encoders.iter().zip([3, 2]).rev() {
        (0..count).for_each(|number| assert!(process.push(encoder, number)));
    }
    assert!(process.point.presentation().is_none(), "the sound is waited for");
    // No encoder is waited for.
    let options = PointOptions::default().gap_wait(Duration::ZERO);
    let hands = Hands::default();
    let process = Process::by(hands.clock(), archive, options).unwrap();
    hands.pass(1);
    process.point.tick();
    block_on(process.points.flush());
    let epoch = |process: &Process| {
        let presentation = process.point.presentation().unwrap();
        presentation.live().unwrap().epoch
    };
    let first = epoch(&process);
    assert!(first > 10_000_000 * 1_000_000_000, "{first} is long ago");
    for number in 3..6 {
        assert!(process.push(&encoders[0], number) && process.push(&encoders[1], number - 1));
    }
    assert_eq!(epoch(&process), first);
}

#[test]
fn the_archive_of_an_event_that_goes_on_is_a_presentation_whenever_a_process_ended() {
    let encoder = &encoders_of(300)[0];
    let mut published = 0;
    for bytes in (0..12_000).step_by(150) {
        let archive = MemoryArchive::new();
        if let Some(process) =
            Process::with(EndsAfter::new(&archive, bytes), PointOptions::default())
        {
            let _ = (0..4).all(|number| process.push(encoder, number));
        }
        let process = Process::with(archive.clone(), PointOptions::default()).unwrap();
        (0..5).for_each(|number| assert!(process.push(encoder, number)));
        if process.point.presentation().is_some() {
            published += 1;
            let files = block_on(archive.store().list(None)).unwrap();
            let has_manifest = files.iter().any(|file| file.as_str() == "news.ism");
            assert!(has_manifest, "after {bytes} bytes: {files:?}");
        }
    }
    assert!(published > 50, "{published}");
}

#[test]
fn start_over_goes_back_as_far_after_a_restart() {
    let encoder = encoder(40);
    let kept = |options: PointOptions| {
        let archive = MemoryArchive::new();
        let process = Process::with(archive.clone(), options.clone()).unwrap();
        (0..40).for_each(|number| assert!(process.push(&encoder, number)));
        let before = fragments(&process.origin, "news.isml");
        let process = Process::with(archive, options).unwrap();
        let after = fragments(&process.origin, "news.isml");
        assert!(after.keys().eq(before.keys()), "{:?} {:?}", before.keys(), after.keys());
        after.len()
    };
    let options = PointOptions::default().window(Some(Duration::from_secs(4)));
    let window = kept(options.clone());
    assert_eq!(kept(options.start_over(Duration::from_secs(24))), window + 10);
}

#[test]
fn an_encoder_may_end_the_event_after_a_restart_without_another_fragment() {
    let encoder = encoder(8);
    for pushed in 1..8 {
        let archive = MemoryArchive::new();
        let process = Process::with(archive.clone(), PointOptions::default()).unwrap();
        (0..pushed).for_each(|number| assert!(process.push(&encoder, number)));
        let process = Process::with(archive, PointOptions::default()).unwrap();
        let mut push = process.point.begin(None, encoder.stream, "192.0.2.1").unwrap();
        push.push(&encoder.head).unwrap();
        push.push(&Bytes::from_static(b"\0\0\0\x08mfra")).unwrap();
        block_on(push.end()).unwrap();
        assert_eq!(process.point.status().state, PointState::Stopped, "after {pushed}");
        assert_eq!(fragments(&process.origin, "news.isml").len(), pushed, "after {pushed}");
    }
}

#[test]
fn the_encoders_of_an_event_that_ended_begin_the_next_one_of_its_name_after_a_restart_too() {
    for restarts in [true, false] {
        let (encoder, archive) = (encoder(4), MemoryArchive::new());
        let begin = || {
            let options = PointOptions::default().restart_on_encoder_reconnect(restarts);
            Process::with(archive.clone(), options).unwrap()
        };
        let process = begin();
        let mut push = process.point.begin(Some("Show"), encoder.stream, "a").unwrap();
        push.push(&encoder.head).unwrap();
        encoder.fragments.iter().for_each(|fragment| push.push(fragment).unwrap());
        push.push(&Bytes::from_static(b"\0\0\0\x08mfra")).unwrap();
        block_on(push.end()).unwrap();
        assert_eq!(process.point.state(), PointState::Stopped);
        let process = begin();
        let push = process.point.begin(Some("SHOW"), encoder.stream, "a");
        assert_eq!(push.is_ok(), restarts);
        if let Ok(mut push) = push {
            push.push(&encoder.head).unwrap();
            push.push(&encoder.fragments[0]).unwrap();
            block_on(push.end()).unwrap();
            assert_eq!(process.point.status().number, 2);
        }
    }
}
