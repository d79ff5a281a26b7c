//! An encrypted film: each manifest says how a player gets its keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Pssh};

use testkit::film::ism;

use super::element::Element;
use super::every_film::real;
use super::film::Film;

const KEY: &str = "09e36702-8f33-436c-a5dd-60ffe6671e70";
const OTHER: &str = "11111111-2222-3333-4444-555555555555";
const PLAY_READY: &str = "9a04f079-9840-4286-ab92-e65be0885f95";

#[test]
fn manifests_and_headers_of_an_encrypted_film_have_the_data_of_its_system() {
    let film = real("dialects/playready/playready.ism");
    let mpd = film.mpd();
    let mut data = Vec::new();
    for set in mpd.one("Period").each("AdaptationSet") {
        let protections: Vec<_> = set.each("ContentProtection").collect();
        let [common, play_ready] = protections[..] else { panic!("{protections:?}") };
        assert_eq!(common.get("schemeIdUri"), Some("urn:mpeg:dash:mp4protection:2011"));
        assert_eq!(common.get("value"), Some("cenc"));
        assert_eq!(common.get("cenc:default_KID").map(str::to_lowercase).as_deref(), Some(KEY));
        let scheme = play_ready.get("schemeIdUri").unwrap().to_lowercase();
        assert_eq!(scheme, format!("urn:uuid:{PLAY_READY}"));
        let pssh = STANDARD.decode(&play_ready.one("cenc:pssh").text).unwrap();
        let object = STANDARD.decode(&play_ready.one("mspr:pro").text).unwrap();
        assert!(pssh.ends_with(&object) && pssh[4..8] == *b"pssh");
        for representation in set.each("Representation") {
            let init = film.get(&format!("{}/init.mp4", representation.get("id").unwrap()));
            let boxes = Boxes::parse(&init, 0, &Limits::default()).unwrap();
            let moov = boxes.inside(*b"moov").unwrap();
            assert!(moov.all::<Pssh>().any(|found| found.data == object));
        }
        data.push(object);
    }
    assert_eq!(data.len(), 3, "pictures, key frames and sound");
    for uri in film.playlist("master.m3u8").playlists() {
        let playlist = film.playlist(&uri);
        let [key] = playlist.each("#EXT-X-KEY").collect::<Vec<_>>()[..] else { panic!("{uri}") };
        let key = key.attributes();
        assert_eq!(key["METHOD"], "SAMPLE-AES-CTR");
        assert_eq!(key["KEYFORMAT"], "com.microsoft.playready");
        assert_eq!(key["KEYID"].to_lowercase(), format!("0x{}", KEY.replace('-', "")));
        let (_, text) = key["URI"].split_once("base64,").unwrap();
        assert_eq!(STANDARD.decode(text).unwrap(), data[0]);
    }
}

/// The film with a second quality of pictures and sound that have another key.
fn of_two_keys() -> Film {
    let read = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/dialects/playready/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    };
    let (first, mut second) = (read("playready.ismv"), read("playready.ismv"));
    let [key, other] = [KEY, OTHER].map(|key| u128::from_str_radix(&key.replace('-', ""), 16));
    let [key, other] = [key, other].map(|key| key.unwrap().to_be_bytes());
    for at in 0..second.len() - 16 {
        if second[at..at + 16] == key {
            second[at..at + 16].copy_from_slice(&other);
        }
    }
    let client = String::from_utf8(read("playready.ismc")).unwrap();
    let from = client.find("<QualityLevel").unwrap();
    let to = from + client[from..].find('>').unwrap() + 1;
    let quality = &client[from..to];
    assert!(quality.ends_with("/>") && quality.contains("\"60000\""), "{quality}");
    let qualities = [quality, &quality.replace("\"60000\"", "\"70000\"")].concat();
    let client = client.replace(quality, &qualities).replace("QualityLevels=\"1\"", "");
    let elements = [
        ("video", "first.ismv", 60_000, 2, ""),
        ("video", "second.ismv", 70_000, 2, ""),
        ("audio", "second.ismv", 48_000, 1, ""),
    ];
    Film::of_files([
        ("film.ism", ism(Some("film.ismc"), &elements)),
        ("film.ismc", client.into_bytes()),
        ("first.ismv", first),
        ("second.ismv", second),
    ])
}

/// Shaka Player refuses an Adaptation Set with two keys of its own; it, dash.js and RxPlayer take the
/// key of a Representation and the data of the set.
#[test]
fn each_quality_has_its_own_key() {
    let film = of_two_keys();
    let common = "urn:mpeg:dash:mp4protection:2011";
    let kid = |element: &Element| {
        let mut all = element.each("ContentProtection");
        let found = all.find(|one| one.get("schemeIdUri") == Some(common));
        found.and_then(|one| one.get("cenc:default_KID").map(str::to_lowercase))
    };
    let mpd = film.mpd();
    let mut keys = Vec::new();
    for set in mpd.one("Period").each("AdaptationSet") {
        let systems =
            set.each("ContentProtection").filter(|one| one.get("schemeIdUri") != Some(common));
        assert_eq!(systems.count(), 1);
        let of_set = kid(set);
        for representation in set.each("Representation") {
            let id = representation.get("id").unwrap();
            let own = kid(representation);
            assert!(of_set.is_none() || own.is_none(), "{id}");
            let key = own.or(of_set.clone()).unwrap();
            let init = film.get(&format!("{id}/init.mp4"));
            let bytes = u128::from_str_radix(&key.replace('-', ""), 16).unwrap().to_be_bytes();
            assert!(init.windows(16).any(|window| window == bytes), "{id}");
            let playlist = film.playlist(&format!("{id}.m3u8"));
            let [tag] = playlist.each("#EXT-X-KEY").collect::<Vec<_>>()[..] else { panic!("{id}") };
            assert_eq!(
                tag.attributes()["KEYID"].to_lowercase(),
                format!("0x{}", key.replace('-', ""))
            );
            keys.push((id.to_owned(), key));
        }
    }
    let expected = [
        ("video-60000", KEY),
        ("video-70000", OTHER),
        ("audio-48000", OTHER),
        ("video-60000.key", KEY),
        ("video-70000.key", OTHER),
    ];
    let is_same =
        |((id, key), (other, of)): (&(String, String), (&str, &str))| id == other && key == of;
    assert!(keys.len() == 5 && keys.iter().zip(expected).all(is_same), "{keys:?}");
    let multivariant = film.playlist("master.m3u8");
    let session = multivariant.each("#EXT-X-SESSION-KEY");
    let session: Vec<_> = session.map(|tag| tag.attributes()["KEYID"].to_lowercase()).collect();
    assert_eq!(session, [KEY, OTHER].map(|key| format!("0x{}", key.replace('-', ""))));
}
