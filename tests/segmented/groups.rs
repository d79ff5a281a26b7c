//! Groups of sound in HLS: one codec in each, and all streams that have it.

use std::collections::BTreeMap;

use testkit::{fragment_files, store};

use super::film::Film;

const PICTURES: &str = r#"FourCC="H264" MaxWidth="320" MaxHeight="180" CodecPrivateData="000000016742C00DDA05067E7C39A808080A000007D20001D4C01E2855400000000168CE3C80""#;
const AAC: &str = r#"FourCC="AACL" CodecPrivateData="1190" SamplingRate="48000" Channels="2" AudioTag="255" BitsPerSample="16" PacketSize="4""#;
const DOLBY: &str = r#"FourCC="EC-3" CodecPrivateData="00063F000000AF87FBA7022DFB42A4D405CD93843BDD0700200F00" SamplingRate="48000" Channels="6" AudioTag="65534" BitsPerSample="16" PacketSize="1536""#;

/// A film with pictures and these streams of sound: name, and bitrates with their codecs.
fn film(sound: &[(&str, &[(u32, &str)])]) -> Film {
    film_of(sound, &[0])
}

/// A film whose sound has chunks of 2 s at these times in seconds, beside pictures of 8 s.
fn film_of(sound: &[(&str, &[(u32, &str)])], chunks: &[u64]) -> Film {
    let starts = |kind: &str| if kind == "video" { vec![0, 2, 4, 6] } else { chunks.to_vec() };
    let stream = |kind: &str, name: &str, qualities: &[(u32, &str)]| {
        let quality =
            |(bitrate, codec): &(u32, &str)| format!("<QualityLevel Bitrate='{bitrate}' {codec}/>");
        let qualities: String = qualities.iter().map(quality).collect();
        let chunk = |start| format!("<c t='{start}0000000' d='20000000'/>");
        let chunks: String = starts(kind).into_iter().map(chunk).collect();
        format!(
            "<StreamIndex Type='{kind}' Name='{name}' \
             Url='QualityLevels({{bitrate}})/Fragments({name}={{start time}})'>\
             {qualities}{chunks}</StreamIndex>"
        )
    };
    let pictures: (&str, &[(u32, &str)]) = ("video", &[(3000, PICTURES)]);
    let mut client = stream("video", pictures.0, pictures.1);
    sound.iter().for_each(|(name, qualities)| client += &stream("audio", name, qualities));
    let client = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='80000000'>\
         {client}</SmoothStreamingMedia>"
    );
    let mut files = BTreeMap::from([("film.ism/Manifest".to_owned(), client.into_bytes())]);
    for (name, qualities) in sound.iter().chain([&pictures]) {
        for (bitrate, _) in *qualities {
            for start in starts(if *name == "video" { name } else { "audio" }) {
                let time = start * 10_000_000;
                let path = format!("film.ism/QualityLevels({bitrate})/Fragments({name}={time})");
                files.insert(path, fragment_files::fragment(1, time));
            }
        }
    }
    let store = store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
    Film::of_store(&store, files)
}

/// Returns the playlists of each group of sound, and the codecs of the variant that has it.
fn groups(film: &Film) -> Vec<(Vec<String>, String)> {
    let multivariant = film.playlist("master.m3u8");
    let mut members = BTreeMap::<String, Vec<String>>::new();
    for tag in multivariant.each("#EXT-X-MEDIA") {
        let attributes = tag.attributes();
        let uri = attributes["URI"].trim_matches('"').trim_end_matches(".m3u8").to_owned();
        let all = members.entry(attributes["GROUP-ID"].to_owned()).or_default();
        let is_default = attributes["DEFAULT"] == "YES";
        assert_eq!(is_default, all.is_empty(), "the first of each group is the default");
        all.push(uri);
    }
    let variant = |entry: &super::playlist::Entry| {
        let attributes = entry.tag("#EXT-X-STREAM-INF").unwrap().attributes();
        let sound = attributes["CODECS"].trim_matches('"').split_once(',').unwrap().1;
        (members[attributes["AUDIO"]].clone(), sound.to_owned())
    };
    multivariant.entries.iter().map(variant).collect()
}

fn group(members: &[&str], codecs: &str) -> (Vec<String>, String) {
    (members.iter().map(|member| (*member).to_owned()).collect(), codecs.to_owned())
}

/// hls.js plays no variant with a codec that the browser does not have.
#[test]
fn streams_of_two_codecs_are_in_groups_of_their_own() {
    let film = film(&[("stereo", &[(64, AAC)]), ("surround", &[(640, DOLBY)])]);
    let expected = [group(&["stereo-64"], "mp4a.40.2"), group(&["surround-640"], "ec-3")];
    assert_eq!(groups(&film), expected);
}

#[test]
fn a_stream_of_two_codecs_is_in_the_groups_of_both_and_ranks_stay_together() {
    let film = film(&[
        ("english", &[(64, AAC), (128, AAC), (640, DOLBY)]),
        ("german", &[(65, AAC), (641, DOLBY)]),
        ("french", &[(66, AAC), (129, AAC)]),
    ]);
    let expected = [
        group(&["english-64", "german-65", "french-66"], "mp4a.40.2"),
        group(&["english-128", "german-65", "french-129"], "mp4a.40.2"),
        group(&["english-640", "german-641"], "ec-3"),
    ];
    assert_eq!(groups(&film), expected);
    let codes = testkit::codes(film.opened.presentation());
    assert!(codes.iter().all(|code| !code.contains("track-left-out")), "{codes:?}");
}

/// Silence is known for AAC alone.
#[test]
fn silence_in_one_codec_counts_for_the_target_duration_of_all() {
    let film = film_of(&[("sound", &[(640, DOLBY), (64, AAC)])], &[0, 6]);
    assert!(film.playlist("sound-64.m3u8").entries.len() > 2, "the gap is filled");
    assert_eq!(film.playlist("sound-640.m3u8").entries.len(), 2);
    for uri in ["sound-64.m3u8", "sound-640.m3u8", "video-3000.m3u8", "video-3000.key.m3u8"] {
        assert_eq!(film.playlist(uri).value("#EXT-X-TARGETDURATION"), "4", "{uri}");
    }
}
