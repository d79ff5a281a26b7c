//! Streams and tracks that DASH and HLS do not list: each is reported, and the rest is served.

use std::collections::BTreeMap;

use smooth_origin::presentation::{Finding, FindingCode};
use testkit::{fragment_files, store};

use super::film::Film;

const PICTURES: &str = r#"FourCC="H264" MaxWidth="320" MaxHeight="180" CodecPrivateData="000000016742C00DDA05067E7C39A808080A000007D20001D4C01E2855400000000168CE3C80""#;
const VC_1: &str = r#"FourCC="WVC1" MaxWidth="1280" MaxHeight="720" CodecPrivateData="250000010FD3FE27F1678A27F859E80C9082E948C1CD400000010E5A67F840""#;
const HEVC: &str = r#"FourCC="HVC1" MaxWidth="320" MaxHeight="180" CodecPrivateData="""#;
const SOUND: &str = r#"FourCC="AACL" CodecPrivateData="1190" SamplingRate="48000" Channels="2" AudioTag="255" BitsPerSample="16" PacketSize="4""#;
const WMA: &str = r#"FourCC="WMAP" CodecPrivateData="1000030000000000000000000000E00042C0" SamplingRate="48000" Channels="2" AudioTag="354" BitsPerSample="16" PacketSize="5462""#;
const LATM: &str = r#"FourCC="LATM" CodecPrivateData="" SamplingRate="48000" Channels="2" AudioTag="511" BitsPerSample="16" PacketSize="1""#;
const OPUS: &str = r#"FourCC="OPUS" CodecPrivateData="" SamplingRate="48000" Channels="2" BitsPerSample="16" PacketSize="1""#;

/// Element of a stream with one quality of 1000 bit/s, called `x`, and its only chunk.
fn stream(kind: &str, attributes: &str, quality: &str) -> String {
    chunks(kind, attributes, quality, "<c t='0' d='20000000'/>")
}

fn chunks(kind: &str, attributes: &str, quality: &str, chunks: &str) -> String {
    format!(
        "<StreamIndex Type='{kind}' Name='x' {attributes} \
         Url='QualityLevels({{bitrate}})/Fragments(x={{start time}})'>\
         <QualityLevel Bitrate='1000' {quality}/>{chunks}</StreamIndex>"
    )
}

/// A film of pictures that everything can play, if there are to be any, and another stream.
fn film(has_pictures: bool, other: &str) -> Film {
    let pictures = format!(
        "<StreamIndex Type='video' Name='video' \
         Url='QualityLevels({{bitrate}})/Fragments(video={{start time}})'>\
         <QualityLevel Bitrate='3000' {PICTURES}/><c t='0' d='20000000'/></StreamIndex>"
    );
    let pictures = if has_pictures { &*pictures } else { "" };
    let client = format!(
        "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='20000000'>\
         {pictures}{other}</SmoothStreamingMedia>"
    );
    let fragment = |name: &str| (name.to_owned(), fragment_files::fragment(1, 0));
    let files = BTreeMap::from([
        ("film.ism/Manifest".to_owned(), client.into_bytes()),
        fragment("film.ism/QualityLevels(3000)/Fragments(video=0)"),
        fragment("film.ism/QualityLevels(1000)/Fragments(x=0)"),
    ]);
    let store = store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
    Film::of_store(&store, files)
}

fn left_out(film: &Film) -> Vec<Finding> {
    let mut found = film.opened.presentation().findings();
    found.retain(|finding| finding.code == FindingCode::TrackLeftOut);
    found
}

#[test]
fn a_stream_or_track_that_is_not_listed_is_reported_once() {
    let track = Some(1000);
    let ttml = r#"FourCC="TTML""#;
    for (other, bitrate, reason) in [
        (stream("video", "", VC_1), track, "no player of DASH or HLS decodes its codec"),
        (stream("video", "", HEVC), track, "DASH and HLS have no name for its codec"),
        (stream("audio", "", WMA), track, "DASH and HLS have no name for its codec"),
        (stream("audio", "", LATM), track, "DASH and HLS have no name for its codec"),
        (stream("audio", "", OPUS), track, "no initialization segment can be written for it: "),
        (stream("text", "", r#"FourCC="WVTT""#), track, "DASH and HLS list no text but TTML"),
        (stream("text", "", r#"FourCC="SAMI""#), track, "DASH and HLS list no text but TTML"),
        (stream("text", "Subtype='DATA'", ttml), None, "DASH and HLS list no streams of events"),
        (
            stream("text", "ParentStreamIndex='video'", ttml),
            None,
            "DASH and HLS list no streams that are announced within another stream",
        ),
        (
            stream("video", "Subtype='ZOET'", PICTURES),
            None,
            "DASH and HLS list no pictures beside those of the film",
        ),
        (
            chunks("video", "", PICTURES, "<c t='0' d='2' r='500001'/>"),
            None,
            "more than 500,000 chunks make a manifest of DASH or HLS too long",
        ),
        (
            chunks("video", "", PICTURES, "<c t='0' d='20000000' r='400000'/>"),
            None,
            "its playlist would be longer than a manifest may be",
        ),
    ] {
        let film = film(true, &other);
        assert_eq!(left_out(&film), []);
        for _ in 0..2 {
            let sets = film.sets();
            assert!(sets.iter().all(|set| set.times.len() == 1), "{reason}");
            let playlists = film.playlist("master.m3u8").playlists();
            assert_eq!(playlists, ["video-3000.key.m3u8", "video-3000.m3u8"], "{reason}");
        }
        for form in ["", ".key", ".vtt"] {
            assert_eq!(film.status(&format!("x-1000{form}.m3u8")), 404, "{reason}");
        }
        let found = left_out(&film);
        assert_eq!(found.len(), 1, "{reason}: {found:?}");
        let finding = &found[0];
        let is_part = reason.ends_with(' ') && finding.message.starts_with(reason);
        assert!(is_part || finding.message == reason, "{reason}: {}", finding.message);
        assert_eq!((finding.stream.as_deref(), finding.bitrate), (Some("x"), bitrate), "{reason}");
    }
}

#[test]
fn a_film_of_which_nothing_is_listed_is_415_and_smooth_streaming_has_it() {
    for other in [stream("video", "", VC_1), stream("audio", "", WMA)] {
        let film = film(false, &other);
        for path in ["manifest.mpd", "trick.mpd", "master.m3u8"] {
            assert_eq!(film.status(path), 415, "{path}");
        }
        assert_eq!(film.status("Manifest"), 200);
        assert_eq!(film.status("QualityLevels(1000)/Fragments(x=0)"), 200);
        assert_eq!(left_out(&film).len(), 1);
    }
}

/// Each quality of pictures is a variant with each quality of sound, so HLS lists 16 of the latter.
#[test]
fn sound_above_the_sixteenth_quality_and_the_second_quality_of_text_are_reported_as_left_out_of_hls()
 {
    let qualities = |count: u32, first: u32, attributes: &str| -> String {
        let quality = |number| {
            format!("<QualityLevel Index='{number}' Bitrate='{}' {attributes}/>", first + number)
        };
        (0..count).map(quality).collect()
    };
    let stream = |kind: &str, name: &str, qualities: &str| {
        format!(
            "<StreamIndex Type='{kind}' Name='{name}' \
             Url='QualityLevels({{bitrate}})/Fragments({name}={{start time}})'>\
             {qualities}<c t='0' d='20000000'/></StreamIndex>"
        )
    };
    for (count, texts, expected) in
        [(16, 1, &[][..]), (18, 2, &[("sound", 1016), ("sound", 1017), ("text", 11)])]
    {
        let client = format!(
            "<SmoothStreamingMedia MajorVersion='2' MinorVersion='2' Duration='20000000'>\
             {}{}{}</SmoothStreamingMedia>",
            stream("video", "video", &qualities(1, 3000, PICTURES)),
            stream("audio", "sound", &qualities(count, 1000, SOUND)),
            stream("text", "text", &qualities(texts, 10, "FourCC='TTML'")),
        );
        let tracks = [("video", 1, 3000), ("sound", count, 1000), ("text", texts, 10)];
        let fragments = tracks.into_iter().flat_map(|(name, count, first)| {
            let path = move |number| {
                format!("film.ism/QualityLevels({})/Fragments({name}=0)", first + number)
            };
            (0..count).map(move |number| (path(number), fragment_files::fragment(1, 0)))
        });
        let mut files: BTreeMap<_, _> = fragments.collect();
        files.insert("film.ism/Manifest".to_owned(), client.into_bytes());
        let store = store(files.iter().map(|(name, bytes)| (&**name, bytes.clone())));
        let film = Film::of_store(&store, files);
        let sound = film.sets().into_iter().filter(|set| set.kind == "audio");
        let listed: usize = sound.map(|set| set.representations.len()).sum();
        assert_eq!(listed, count as usize);
        assert_eq!(left_out(&film), [], "DASH lists them all");
        for playlist in ["master.m3u8", "imsc.m3u8"] {
            let playlists = film.playlist(playlist).playlists();
            let sound = playlists.iter().filter(|name| name.starts_with("sound"));
            assert_eq!(sound.count(), 16);
        }
        let found = left_out(&film);
        let tracks: Vec<_> = found
            .iter()
            .map(|finding| (finding.stream.as_deref().unwrap(), finding.bitrate.unwrap()))
            .collect();
        assert_eq!(tracks, expected, "{found:?}");
        let messages: Vec<_> = found.iter().map(|finding| &*finding.message).collect();
        let known =
            ["HLS lists sound in at most 16 qualities", "HLS lists one quality per stream of text"];
        assert!(messages.iter().all(|message| known.contains(message)), "{messages:?}");
    }
}

#[test]
fn a_week_of_chunks_of_two_seconds_is_listed() {
    let chunks = chunks("audio", "", SOUND, "<c t='0' d='20000000' r='302400'/>");
    let film = film(true, &chunks);
    assert_eq!(film.sets().iter().map(|set| set.times.len()).max(), Some(302_400));
    assert_eq!(film.playlist("x-1000.m3u8").entries.len(), 302_400);
    assert_eq!(left_out(&film), []);
}
