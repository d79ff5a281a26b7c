//! Sound that does not begin with the pictures: in HLS, all playlists begin together.

use bytes::Bytes;
use smooth_origin::bmff::{Tfdt, Tfhd};
use smooth_origin::manifest::StreamKind;
use testkit::film::{self, Fragment, Style, Track, ism};

use super::every_film::counted;
use super::film::{Film, Quality};
use super::samples::{Sample, ours, traf};

const SECOND: u64 = 10_000_000;

/// Ticks of a sample: 20 ms.
const SAMPLE: u32 = 200_000;

/// A track of three fragments of 2 s, of 100 samples each.
fn track(id: u32, kind: StreamKind, begin: u64) -> Track {
    let fragment = |number: u64| Fragment {
        time: (begin + number * 2 * SECOND) as i64,
        samples: (0..100).map(|sample| (SAMPLE, 20 + sample + number as u32)).collect(),
    };
    Track::new(id, kind, (0..3).map(fragment).collect())
}

/// A film whose pictures and sound begin at these times.
fn begun(pictures: u64, sound: u64) -> Film {
    let tracks = [track(1, StreamKind::Video, pictures), track(2, StreamKind::Audio, sound)];
    let media = film::media(&tracks, Style::default());
    let listed = [("video", "film.ismv", 300, 1, ""), ("audio", "film.ismv", 64, 2, "")];
    Film::of_files([("film.ism", ism(None, &listed)), ("film.ismv", media.to_bytes())])
}

/// Names of the segments of sound, and their durations in ticks.
fn sound(film: &Film) -> Vec<(String, u64)> {
    let playlist = film.playlist("audio-64.m3u8");
    let date = playlist.entries[0].date();
    let pictures = film.playlist("video-300.m3u8").entries[0].date().unwrap();
    assert!(date.unwrap().abs_diff(pictures) <= 40, "{date:?} {pictures}");
    let entries = playlist.entries.iter();
    entries.map(|entry| (entry.uri.replace("audio-64/", ""), entry.duration())).collect()
}

fn names(film: &Film) -> Vec<String> {
    sound(film).into_iter().map(|(name, _)| name).collect()
}

fn data(fragment: &Bytes, samples: &[Sample]) -> Vec<Bytes> {
    let range = |of: &Sample| of.at as usize..of.at as usize + of.size as usize;
    samples.iter().map(|of| fragment.slice(range(of))).collect()
}

fn decoded(segment: &Bytes) -> u64 {
    traf(segment).get::<Tfdt>().unwrap().base_media_decode_time
}

#[test]
fn sound_before_the_pictures_is_cut() {
    let film = begun(8_000_000, 0);
    let first = ("0-8000000.m4s".to_owned(), 12_000_000);
    let second = ("20000000.m4s".to_owned(), 2 * SECOND);
    assert_eq!(sound(&film)[..2], [first, second]);

    let stored = film.fragment("audio", Quality { bitrate: 64, nth: 0 }, 0);
    let served = film.asked("audio-64/0-8000000.m4s");
    let (before, after) = (ours(&stored, (0, 0, 0)), ours(&served, (0, 0, 0)));
    assert_eq!((before.len(), after.len()), (100, 60));
    assert_eq!(data(&stored, &before[40..]), data(&served, &after));
    assert_eq!(decoded(&served), 8_000_000);
    // DASH has all of it.
    assert_eq!(film.sets()[1].times[0], (0, 2 * SECOND));
    assert_eq!(ours(&film.asked("audio-64/0.m4s"), (0, 0, 0)).len(), 100);
}

/// The samples that are left may be the larger ones, and each has a duration of its own.
#[test]
fn what_is_left_of_a_cut_segment_counts_for_the_peak() {
    // Whole, cut by 100 ms, 0.8 s and 1 s, and cut behind two segments that are not listed.
    for begin in [0, 1_000_000, 8_000_000, 10_000_000, 4 * SECOND + 2_000_000] {
        let film = begun(begin, 0);
        let (sound, _) = counted(&film, "audio-64.m3u8");
        let (pictures, _) = counted(&film, "video-300.m3u8");
        let multivariant = film.playlist("master.m3u8");
        let variant = multivariant.entries[0].tag("#EXT-X-STREAM-INF").unwrap().attributes();
        let declared: u64 = variant["BANDWIDTH"].parse().unwrap();
        assert!(declared >= pictures + sound, "{begin}: {declared} {pictures} {sound}");
    }
}

#[test]
fn a_cut_is_at_the_nearest_sample() {
    for (pictures, first) in [(809_999, 800_000), (900_000, 800_000), (910_000, 1_000_000)] {
        let film = begun(pictures, 0);
        let served = film.asked(&format!("audio-64/{}", names(&film)[0]));
        assert_eq!(decoded(&served), first, "{pictures}");
    }
}

#[test]
fn segments_before_the_pictures_are_not_listed() {
    assert_eq!(names(&begun(2 * SECOND, 0)), ["20000000.m4s", "40000000.m4s"]);
    // What is left of the first segment would not be missed.
    let film = begun(19_900_000, 0);
    assert_eq!(sound(&film)[0], ("20000000.m4s".to_owned(), 20_100_000));
    let date = |name: &str| film.playlist(name).entries[0].date();
    assert_eq!(date("audio-64.m3u8"), date("video-300.m3u8"));
    assert_eq!(names(&begun(25_000_000, 0))[0], "20000000-25000000.m4s");
}

#[test]
fn silence_comes_before_sound_that_begins_after_the_pictures() {
    let film = begun(SECOND, 55_000_000);
    let expected = [
        ("silence-10000000-25000000.m4s", 15_000_000),
        ("silence-25000000-40000000.m4s", 15_000_000),
        ("silence-40000000-55000000.m4s", 15_000_000),
        ("55000000.m4s", 2 * SECOND),
    ];
    let expected = expected.map(|(name, ticks)| (name.to_owned(), ticks));
    assert_eq!(sound(&film)[..4], expected);
    let mut next = SECOND;
    for (name, ticks) in &expected[..3] {
        let served = film.asked(&format!("audio-64/{name}"));
        assert_eq!(decoded(&served), next);
        let samples = ours(&served, (0, 0, 0));
        let lasts: u64 = samples.iter().map(|of| u64::from(of.duration)).sum();
        assert_eq!(lasts, *ticks);
        // 1.5 s of 1024 samples at 48 kHz.
        assert_eq!(samples.len(), 70);
        let frames = data(&served, &samples);
        assert!(frames.iter().all(|frame| **frame == [0x20, 0, 0, 0, 0, 0, 0x0e]), "{frames:?}");
        assert_eq!(traf(&served).get::<Tfhd>().unwrap().track_id, 2);
        next += ticks;
    }
    assert_eq!(film.sets()[1].times[0].0, 55_000_000, "DASH has a time");
}

#[test]
fn playlists_begin_together_where_nobody_would_notice_a_difference() {
    for (pictures, sound, first, lasts) in [
        (0, 0, "0.m4s", 20_000_000),
        (400_000, 0, "0.m4s", 19_600_000),
        (0, 400_000, "400000.m4s", 20_400_000),
    ] {
        let film = begun(pictures, sound);
        let entry = film.playlist("audio-64.m3u8").entries.remove(0);
        assert_eq!(entry.uri, format!("audio-64/{first}"), "{pictures} {sound}");
        assert_eq!(entry.duration(), lasts, "{pictures} {sound}");
        assert_eq!(entry.date(), film.playlist("video-300.m3u8").entries[0].date());
    }
}

#[test]
fn sound_that_is_far_from_the_pictures_stays_as_it_is() {
    for (pictures, sound, first) in [
        // Not by chance.
        (10 * SECOND + 1, 0, "0.m4s"),
        (0, 601 * SECOND, "6010000000.m4s"),
        // There is no sound with the pictures.
        (8 * SECOND, 0, "0.m4s"),
    ] {
        let film = begun(pictures, sound);
        let playlist = film.playlist("audio-64.m3u8");
        assert_eq!(playlist.entries[0].uri, format!("audio-64/{first}"), "{pictures} {sound}");
    }
}

#[test]
fn only_the_beginning_of_a_playlist_is_cut_or_silent() {
    let (early, late) = (begun(8_000_000, 0), begun(0, 3 * SECOND));
    assert_eq!(names(&late)[..2], ["silence-0-15000000.m4s", "silence-15000000-30000000.m4s"]);
    for (film, name) in [
        (&early, "audio-64/0-8000001.m4s"),
        (&early, "audio-64/20000000-8000000.m4s"),
        (&early, "audio-64/0-0.m4s"),
        (&early, "audio-64/silence-0-8000000.m4s"),
        (&early, "video-300/0-8000000.m4s"),
        (&early, "video-300/8000000-8000000.m4s"),
        (&late, "audio-64/silence-0-30000000.m4s"),
        (&late, "audio-64/silence-0-1.m4s"),
        (&late, "audio-64/30000000-30000000.m4s"),
        (&late, "video-300/silence-0-15000000.m4s"),
    ] {
        assert_eq!(film.status(name), 404, "{name}");
    }
    for name in ["silence-0.m4s", "silence-00-15000000.m4s", "0-08000000.m4s", "0-1-2.m4s"] {
        assert!([400, 404].contains(&early.status(&format!("audio-64/{name}"))), "{name}");
    }
}
