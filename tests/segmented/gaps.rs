//! Gaps in one stream alone: HLS fills them, because players forget a discontinuity that not all
//! playlists have.

use bytes::Bytes;
use proptest::prelude::*;
use smooth_origin::bmff::Tfdt;
use smooth_origin::manifest::StreamKind;
use testkit::film::{self, Fragment, Style, Track, ism};

use super::film::{Film, Quality};
use super::samples::{Sample, ours, traf};

const SECOND: u64 = 10_000_000;

/// A track of fragments of 2 s, of 50 samples each, that start at these seconds.
fn track(id: u32, kind: StreamKind, seconds: &[u64]) -> Track {
    let fragment = |&second: &u64| Fragment {
        time: (second * SECOND) as i64,
        samples: (0..50).map(|sample| (400_000, 20 + sample + second as u32)).collect(),
    };
    Track::new(id, kind, seconds.iter().map(fragment).collect())
}

/// A film whose pictures and sound have chunks that start at these seconds.
fn film(pictures: &[u64], sound: &[u64]) -> Film {
    let tracks = [track(1, StreamKind::Video, pictures), track(2, StreamKind::Audio, sound)];
    let media = film::media(&tracks, Style::default());
    let listed = [("video", "film.ismv", 300, 1, ""), ("audio", "film.ismv", 64, 2, "")];
    Film::of_files([
        ("film.ism", ism(Some("film.ismc"), &listed)),
        ("film.ismc", client(pictures, sound)),
        ("film.ismv", media.to_bytes()),
    ])
}

fn client(pictures: &[u64], sound: &[u64]) -> Vec<u8> {
    let stream = |kind: &str, quality: &str, seconds: &[u64]| {
        let chunk = |second: &u64| format!("<c t=\"{}\" d=\"20000000\"/>", second * SECOND);
        let chunks: String = seconds.iter().map(chunk).collect();
        format!(
            "<StreamIndex Type=\"{kind}\" Name=\"{kind}\" \
             Url=\"QualityLevels({{bitrate}})/Fragments({kind}={{start time}})\">\
             <QualityLevel Index=\"0\" {quality}/>{chunks}</StreamIndex>"
        )
    };
    let video = stream("video", "Bitrate=\"300\" FourCC=\"H264\"", pictures);
    let sound_of = "Bitrate=\"64\" FourCC=\"AACL\" CodecPrivateData=\"1190\" \
                    SamplingRate=\"48000\" Channels=\"2\"";
    let audio = stream("audio", sound_of, sound);
    format!(
        "<SmoothStreamingMedia MajorVersion=\"2\" MinorVersion=\"0\" Duration=\"100000000\">\
         {video}{audio}</SmoothStreamingMedia>"
    )
    .into_bytes()
}

/// Names and durations in seconds, and whether there is a discontinuity.
fn listed(film: &Film, name: &str) -> (Vec<(String, u64)>, bool) {
    let playlist = film.playlist(&format!("{name}.m3u8"));
    let entries = playlist.entries.iter();
    let segment = |uri: &str| uri.rsplit('/').next().unwrap().to_owned();
    let entries = entries.map(|entry| (segment(&entry.uri), entry.duration() / SECOND));
    (entries.collect(), playlist.each("#EXT-X-DISCONTINUITY").next().is_some())
}

fn data(fragment: &Bytes, samples: &[Sample]) -> Vec<Bytes> {
    let range = |of: &Sample| of.at as usize..of.at as usize + of.size as usize;
    samples.iter().map(|of| fragment.slice(range(of))).collect()
}

#[test]
fn the_last_picture_is_held_where_only_pictures_are_missing() {
    let film = film(&[0, 2, 7, 9], &[0, 2, 4, 6, 8]);
    let (names, is_broken) = listed(&film, "video-300");
    let expected = [
        ("0.m4s", 2),
        ("20000000-until-70000000.m4s", 5),
        ("70000000.m4s", 2),
        ("90000000.m4s", 2),
    ];
    assert_eq!(names, expected.map(|(name, lasts)| (name.to_owned(), lasts)));
    assert!(!is_broken);
    assert_eq!(film.playlist("video-300.m3u8").value("#EXT-X-TARGETDURATION"), "5");

    let stored = film.fragment("video", Quality { bitrate: 300, nth: 0 }, 2 * SECOND);
    let held = film.asked("video-300/20000000-until-70000000.m4s");
    let (before, after) = (ours(&stored, (0, 0, 0)), ours(&held, (0, 0, 0)));
    assert_eq!(data(&stored, &before), data(&held, &after));
    let durations = |all: &[Sample]| all.iter().map(|of| of.duration).collect::<Vec<_>>();
    assert_eq!(durations(&before)[..49], durations(&after)[..49]);
    assert_eq!(after[49].duration, 400_000 + 30_000_000);
    assert_eq!(traf(&held).get::<Tfdt>().unwrap().base_media_decode_time, 2 * SECOND);
    // DASH and the key frames have no other names.
    assert_eq!(film.sets()[0].times[1], (2 * SECOND, 5 * SECOND));
    assert_eq!(ours(&film.asked("video-300/20000000.m4s"), (0, 0, 0))[49].duration, 400_000);
    let (keys, is_broken) = listed(&film, "video-300.key");
    assert_eq!((keys[1].clone(), is_broken), (("20000000.m4s".to_owned(), 5), false));
}

#[test]
fn silence_is_where_only_sound_is_missing() {
    let film = film(&[0, 2, 4, 6, 8], &[0, 2, 9]);
    let (names, is_broken) = listed(&film, "audio-64");
    let expected = [
        ("0.m4s", 2),
        ("20000000.m4s", 2),
        ("silence-40000000-90000000.m4s", 5),
        ("90000000.m4s", 2),
    ];
    assert_eq!(names, expected.map(|(name, lasts)| (name.to_owned(), lasts)));
    assert!(!is_broken);
    let silence = film.asked("audio-64/silence-40000000-90000000.m4s");
    assert_eq!(traf(&silence).get::<Tfdt>().unwrap().base_media_decode_time, 4 * SECOND);
    let lasts = ours(&silence, (0, 0, 0)).iter().map(|of| u64::from(of.duration)).sum::<u64>();
    assert_eq!(lasts, 5 * SECOND);
}

#[test]
fn a_gap_that_all_streams_have_is_a_discontinuity_in_all() {
    let film = film(&[0, 2, 7], &[0, 2, 8]);
    for name in ["video-300", "audio-64", "video-300.key"] {
        // The gaps are of 3 and 4 s.
        let (names, is_broken) = listed(&film, name);
        assert!(is_broken && names.len() == 3, "{name} {names:?}");
        assert!(names.iter().all(|(name, lasts)| !name.contains('-') && *lasts == 2), "{names:?}");
    }
}

#[test]
fn a_short_gap_is_filled_in_all_streams() {
    let film = film(&[0, 2, 5], &[0, 2, 5]);
    for (name, filled) in [
        ("video-300", "20000000-until-50000000.m4s"),
        ("audio-64", "silence-40000000-50000000.m4s"),
        ("video-300.key", "20000000.m4s"),
    ] {
        let (names, is_broken) = listed(&film, name);
        assert!(!is_broken && names.iter().any(|of| of.0 == filled), "{name} {names:?}");
        assert_eq!(names.iter().map(|(_, lasts)| lasts).sum::<u64>(), 7, "{name}");
    }
}

#[test]
fn a_gap_that_is_too_long_for_a_sample_stays_open() {
    let seconds: Vec<u64> = (0..250).map(|number| 2 * number).collect();
    let (_, is_broken) = listed(&film(&[0, 431], &seconds), "video-300");
    assert!(is_broken);
    let (names, is_broken) = listed(&film(&[0, 400], &seconds), "video-300");
    assert_eq!((&*names[0].0, is_broken), ("0-until-4000000000.m4s", false));
}

#[test]
fn only_gaps_are_filled() {
    let film = film(&[0, 2, 7, 9], &[0, 2, 6, 8]);
    for name in [
        "video-300/0-until-20000000.m4s",
        "video-300/20000000-until-70000001.m4s",
        "video-300/20000001-until-70000000.m4s",
        "video-300/90000000-until-110000000.m4s",
        "video-300.key/20000000-until-70000000.m4s",
        "audio-64/20000000-until-60000000.m4s",
        "audio-64/silence-40000000-60000001.m4s",
        "audio-64/silence-0-20000000.m4s",
    ] {
        assert_eq!(film.status(name), 404, "{name}");
    }
}

/// Start seconds of chunks: a first one, and the distances of the others.
fn seconds() -> impl Strategy<Value = Vec<u64>> {
    let distances = prop::collection::vec(prop_oneof![4 => Just(2_u64), 1 => 3..8_u64], 0..8);
    (0..5_u64, distances).prop_map(|(first, distances)| {
        let mut starts = vec![first];
        starts.extend(distances.iter().scan(first, |start, distance| {
            *start += distance;
            Some(*start)
        }));
        starts
    })
}

proptest! {
    #[test]
    fn whatever_the_times_are_each_segment_is_there_and_begins_where_the_playlist_says(
        pictures in seconds(),
        sound in seconds(),
    ) {
        let film = film(&pictures, &sound);
        for name in ["video-300", "audio-64"] {
            let playlist = film.playlist(&format!("{name}.m3u8"));
            let mut next = None;
            for entry in &playlist.entries {
                let served = film.asked(&entry.uri);
                let decoded = traf(&served).get::<Tfdt>().unwrap().base_media_decode_time;
                let date = entry.date().map(|millis| millis * 10_000);
                let start = date.or(next).unwrap();
                prop_assert_eq!(decoded, start, "{} in {:?} {:?}", entry.uri, pictures, sound);
                let lasts: u64 = ours(&served, (0, 0, 0)).iter().map(|of| u64::from(of.duration)).sum();
                prop_assert_eq!(entry.duration(), lasts, "{}", entry.uri);
                next = Some(start + lasts);
            }
        }
    }
}
