//! An encrypted film: each manifest says how a player gets its keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smooth_origin::Limits;
use smooth_origin::bmff::{Boxes, Pssh};

use super::every_film::real;

const KEY: &str = "09e36702-8f33-436c-a5dd-60ffe6671e70";
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
