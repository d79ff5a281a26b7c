//! Tracks have the properties that manifests of DASH and HLS announce: codec string, frame rate,
//! pixels, colour, channels, encryption, language and role.

#![cfg(feature = "fs")]

use std::path::Path;
use std::sync::Arc;

use smooth_origin::codec::{ChannelLayout, EncryptionScheme};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Opened, Origin, block_on};
use smooth_origin::presentation::{Role, Stream, Track};
use smooth_origin::storage::LocalStore;
use testkit::film::{self, Style, ism};
use testkit::{name, store};

fn real(path: &str) -> Arc<Opened> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let origin = Origin::new(LocalStore::new(root).unwrap());
    block_on(origin.open(&name(path))).unwrap()
}

fn line(stream: &Stream, track: &Track) -> String {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let aspect = track.pixel_aspect_ratio().map(|(across, down)| format!("{across}:{down}"));
    let range = track.video_range().map(|range| range.as_str().to_owned());
    let sound = track.sound().map(|sound| {
        let layout = match sound.layout {
            Some(ChannelLayout::Mpeg(configuration)) => format!("cicp {configuration}"),
            other => format!("{other:?}"),
        };
        format!("{} Hz {} ch {layout}", sound.sampling_rate, sound.channels)
    });
    let of_video = [track.frame_rate().map(|rate| rate.to_string()), aspect, range].map(text);
    let of_video = of_video.join(" ");
    let media = if stream.kind() == StreamKind::Video { of_video } else { text(sound) };
    let (role, language) = (stream.role().as_str(), text(stream.language_tag()));
    format!("{} {role} {language}: {} {media}", stream.name(), text(track.codecs()))
}

fn lines(film: &str) -> Vec<String> {
    let opened = real(film);
    let streams = opened.presentation().streams().iter();
    streams.flat_map(|stream| stream.tracks().iter().map(|track| line(stream, track))).collect()
}

/// ffprobe 5.1 says the same of these files, apart from roles.
#[test]
fn real_films_have_the_properties_that_ffprobe_finds() {
    assert_eq!(
        lines("ladder/ladder.ism"),
        [
            "video main -: avc1.64000B 25 1:1 -",
            "video main -: avc1.64000C 25 1:1 -",
            "video main -: avc1.64000C 25 1:1 -",
            "audio_eng main en: mp4a.40.2 48000 Hz 1 ch cicp 1",
            "audio_fra main fr: mp4a.40.2 48000 Hz 1 ch cicp 1",
        ]
    );
    assert_eq!(
        lines("ntsc/ntsc.ism"),
        [
            "audio main -: mp4a.40.2 44100 Hz 2 ch cicp 2",
            "video main -: avc1.64000B 30000/1001 1:1 -",
            "video main -: avc1.64000D 30000/1001 1:1 -",
        ]
    );
    assert_eq!(
        lines("dialects/archive/archive.ism"),
        [
            "video main -: avc1.64000B 25 1:1 -",
            "audio main -: mp4a.40.2 48000 Hz 2 ch cicp 2",
            "captions caption en: stpp -",
            "events metadata -: - -",
        ]
    );
}

#[test]
fn an_encrypted_film_has_its_scheme_its_key_and_the_data_for_licences() {
    let opened = real("dialects/playready/playready.ism");
    let key = "09e36702-8f33-436c-a5dd-60ffe6671e70".parse().unwrap();
    for track in opened.presentation().streams().iter().flat_map(Stream::tracks) {
        let encryption = track.encryption().unwrap();
        assert_eq!((encryption.scheme, encryption.iv_size), (EncryptionScheme::Cenc, 8));
        assert_eq!((encryption.key_id, encryption.pattern), (Some(key), (0, 0)));
    }
    let [system] = opened.presentation().protection() else { panic!("PlayReady") };
    assert!(system.is_play_ready());
    assert_eq!(system.keys(), [key]);
    assert!(real("ladder/ladder.ism").presentation().protection().is_empty());
}

fn written(elements: &[(&str, &str, u32, u32, &str)], tracks: &[film::Track]) -> Arc<Opened> {
    let media = film::media(tracks, Style::default()).to_bytes();
    testkit::open(&store([("film.ism", ism(None, elements)), ("film.ismv", media)])).unwrap()
}

#[test]
fn the_first_stream_of_a_language_is_the_main_one_and_manifests_name_other_roles() {
    let of = |id, language: &[u8; 3]| {
        film::Track::regular(id, StreamKind::Audio, 3, 20_000_000, 50).language(language)
    };
    let tracks = [of(1, b"eng"), of(2, b"ger"), of(3, b"eng"), of(4, b"eng"), of(5, b"eng")];
    let named =
        |name: &str, more: &str| format!("<param name=\"trackName\" value=\"{name}\"/>{more}");
    let params = [
        named("one", ""),
        named("two", ""),
        named("three", ""),
        named("four", "<param name=\"accessibility\" value=\"description\"/>"),
        named("five commentary", ""),
    ];
    let elements: Vec<_> = params
        .iter()
        .zip(1..)
        .map(|(params, id)| ("audio", "film.ismv", 100 + id, id, params.as_str()))
        .collect();
    let opened = written(&elements, &tracks);
    let role = |stream: &Stream| (stream.name().to_owned(), stream.role(), stream.language_tag());
    let mut roles: Vec<_> = opened.presentation().streams().iter().map(role).collect();
    roles.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("five commentary", Role::Commentary, "en"),
        ("four", Role::Description, "en"),
        ("one", Role::Main, "en"),
        ("three", Role::Alternate, "en"),
        ("two", Role::Main, "de"),
    ];
    let expected = expected.map(|(name, role, tag)| (name.to_owned(), role, Some(tag.to_owned())));
    assert_eq!(roles, expected);
}

#[test]
fn samples_of_one_duration_give_a_frame_rate_where_nothing_else_does() {
    let rate = |durations: &[u32]| {
        let samples: Vec<_> = durations.iter().map(|&duration| (duration, 50)).collect();
        let fragments =
            [0, 20_000_000].map(|time| film::Fragment { time, samples: samples.clone() });
        let tracks = [film::Track::new(1, StreamKind::Video, fragments.into())];
        let opened = written(&[("video", "film.ismv", 100, 1, "")], &tracks);
        let track = &opened.presentation().streams()[0].tracks()[0];
        track.frame_rate().map(|rate| rate.to_string())
    };
    assert_eq!(rate(&[400_000; 50]).as_deref(), Some("25"));
    assert_eq!(rate(&[417_083, 417_084, 417_083]).as_deref(), Some("24000/1001"));
    assert_eq!(rate(&[400_000, 800_000]), None);
}

#[test]
fn data_of_a_system_in_the_client_manifest_takes_the_place_of_that_in_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/dialects/playready");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let data = |manifest: Vec<u8>| {
        let store = store([
            ("film.ism", read("playready.ism")),
            ("playready.ismc", manifest),
            ("playready.ismv", read("playready.ismv")),
        ]);
        let opened = testkit::open(&store).unwrap();
        let systems = opened.presentation().protection().iter();
        systems.map(|system| (system.is_play_ready(), system.data.len())).collect::<Vec<_>>()
    };
    let manifest = String::from_utf8(read("playready.ismc")).unwrap();
    assert_eq!(data(manifest.clone().into()), [(true, 572)]);
    let (start, end) =
        (manifest.find(">PAIAA").unwrap() + 1, manifest.find("</ProtectionHeader").unwrap());
    let other = format!("{}QUJD{}", &manifest[..start], &manifest[end..]);
    assert_eq!(data(other.into()), [(true, 3)]);
    // Without a header, or with one that is not Base64, the files count.
    let broken = format!("{}?{}", &manifest[..start], &manifest[end..]);
    assert_eq!(data(broken.into()), data(Vec::new()));
}
