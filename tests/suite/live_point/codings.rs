//! Tracks of one name in several codecs, and what headers without a live server manifest say.

use smooth_origin::live::{PointOptions, PushId};

use super::encoder::{Spec, audio, video};
use super::watch::Watch;
use crate::live_intake::{avc1, boxed, ftyp, moov, mp4a, trak, words};

/// 48 kHz, and 44.1 kHz.
const AAC: [[u8; 2]; 2] = [[0x11, 0x88], [0x12, 0x08]];

/// 48 kHz, 5.1 channels, 384 kbit/s.
fn ac_3() -> Vec<u8> {
    let mut entry = vec![0; 28];
    (entry[7], entry[17], entry[19], entry[24], entry[25]) = (1, 6, 16, 0xbb, 0x80);
    entry.extend(boxed("dac3", &[0x10, 0x3d, 0xc0]));
    boxed("ac-3", &entry)
}

/// A header of one track, as encoders of CMAF push it.
fn header(handler: &'static str, entry: &[u8]) -> Vec<u8> {
    [ftyp(), moov(&[trak(1, handler, entry.to_vec())])].concat()
}

fn names(watch: &Watch) -> Vec<String> {
    let streams = watch.point.status().streams;
    streams.iter().map(|stream| stream.name.to_string()).collect()
}

/// An event with headers of these tracks, each of a stream of its own.
fn pushed(tracks: &[(&'static str, Vec<u8>)]) -> (Watch, Vec<PushId>) {
    let mut watch = Watch::with(PointOptions::default(), 0);
    let mut ids = Vec::new();
    for (number, (handler, entry)) in tracks.iter().enumerate() {
        let id = watch.begin(&format!("track{number}"), "a");
        watch.push(id, &header(handler, entry)).unwrap();
        // The header is known when its first fragment comes, or when its body ends.
        watch.end(id).unwrap();
        ids.push(watch.begin(&format!("track{number}"), "a"));
    }
    (watch, ids)
}

#[test]
fn sound_in_two_codecs_is_two_streams_and_nothing_of_it_is_dropped() {
    for is_reversed in [false, true] {
        let mut tracks = [("soun", mp4a(AAC[0])), ("soun", ac_3())];
        let mut lengths = [20_053_333_u32, 20_160_000];
        if is_reversed {
            tracks.reverse();
            lengths.reverse();
        }
        let (mut watch, ids) = pushed(&tracks);
        let mut found = names(&watch);
        found.sort();
        assert_eq!(found, ["audio", "audio_ac3"], "whatever comes first");
        for number in 0..6 {
            watch.pass(2000);
            for (id, length) in ids.iter().zip(lengths) {
                let time = number * i64::from(length);
                watch.push(*id, &audio(1, 0).fragment(time, length, 0)).unwrap();
            }
            watch.tick();
        }
        for stream in ["audio", "audio_ac3"] {
            assert_eq!(watch.chunks(stream).len(), 6, "{stream}: {:#?}", watch.notices);
        }
        assert_eq!(watch.count("misaligned"), 0, "{:#?}", watch.notices);
    }
}

#[test]
fn another_sampling_rate_and_another_codec_of_pictures_are_streams_of_their_own() {
    let (mut watch, _) = pushed(&[("soun", mp4a(AAC[0])), ("soun", mp4a(AAC[1]))]);
    assert_eq!(names(&watch), ["audio", "audio_aacl_44100"]);
    // Another encoder of the same tracks adds none.
    for (number, specific) in AAC.into_iter().enumerate() {
        let id = watch.begin(&format!("track{number}"), "b");
        watch.push(id, &header("soun", &mp4a(specific))).unwrap();
        watch.end(id).unwrap();
    }
    assert_eq!(names(&watch), ["audio", "audio_aacl_44100"]);
    let mut hevc = vec![0; 78];
    (hevc[7], hevc[25], hevc[27]) = (1, 160, 90);
    let hevc = boxed("hvc1", &hevc);
    for tracks in [[("vide", hevc.clone()), ("vide", avc1())], [("vide", avc1()), ("vide", hevc)]] {
        let (watch, _) = pushed(&tracks);
        let mut found = names(&watch);
        found.sort();
        assert_eq!(found, ["video", "video_hvc1"]);
    }
    // Qualities of one codec stay one stream.
    let (watch, _) = pushed(&[("vide", avc1()), ("vide", avc1())]);
    assert_eq!(names(&watch), ["video"]);
}

#[test]
fn an_encoder_that_goes_on_with_another_codec_begins_a_new_event_if_it_is_to() {
    for (restarts, number, found) in
        [(true, 2, vec!["audio_ac3"]), (false, 1, vec!["audio", "audio_ac3"])]
    {
        let options = PointOptions::default().restart_on_encoder_reconnect(restarts);
        let mut watch = Watch::with(options, 0);
        let id = watch.begin("a", "a");
        watch.push(id, &header("soun", &mp4a(AAC[0]))).unwrap();
        for number in 0..3 {
            watch.pass(2000);
            let fragment = audio(1, 0).fragment(number * 20_000_000, 20_000_000, 0);
            watch.push(id, &fragment).unwrap();
        }
        let (header, fragment) =
            (header("soun", &ac_3()), audio(1, 0).fragment(60_000_000, 20_000_000, 0));
        watch.push(id, &[&header[..], &fragment].concat()).unwrap();
        let status = watch.point.status();
        assert_eq!(
            (status.number, names(&watch)),
            (number, found.iter().map(ToString::to_string).collect())
        );
    }
}

#[test]
fn the_bitrate_is_that_of_the_header_if_no_manifest_says_it() {
    let with_btrt = |most: u32, average: u32| {
        let mut entry = avc1();
        entry.extend(boxed("btrt", &words(&[9, most, average])));
        let len = entry.len() as u32;
        entry[..4].copy_from_slice(&len.to_be_bytes());
        entry
    };
    let cases: [(&str, Vec<u8>, Spec, u32); 4] = [
        ("vide", with_btrt(4_000_000, 3_000_000), video(1, 0), 3_000_000),
        ("vide", with_btrt(4_000_000, 0), video(1, 0), 4_000_000),
        // By `esds`, and by `dac3`.
        ("soun", mp4a(AAC[0]), audio(1, 0), 64_000),
        ("soun", ac_3(), audio(1, 0), 384_000),
    ];
    for (handler, entry, spec, bitrate) in cases {
        let (mut watch, ids) = pushed(&[(handler, entry)]);
        for number in 0..3 {
            watch.pass(2000);
            watch.push(ids[0], &spec.fragment(number * 20_000_000, 20_000_000, 0)).unwrap();
        }
        assert_eq!(watch.point.status().streams[0].tracks[0].bitrate, bitrate);
    }
    // Two qualities that say the same stay two.
    let tracks = [("vide", with_btrt(0, 3_000_000)), ("vide", with_btrt(0, 3_000_000))];
    let (mut watch, ids) = pushed(&tracks);
    for number in 0..3 {
        watch.pass(2000);
        for id in &ids {
            watch.push(*id, &video(1, 0).fragment(number * 20_000_000, 20_000_000, 0)).unwrap();
        }
        watch.tick();
    }
    let status = watch.point.status();
    let mut bitrates: Vec<_> = status.streams[0].tracks.iter().map(|of| of.bitrate).collect();
    bitrates.sort_unstable();
    assert_eq!(bitrates, [3_000_000, 3_000_001]);
}
