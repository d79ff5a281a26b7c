//! Requests name a track by the word in its stream's `Url`, its bitrate and its attributes. Whatever
//! names the manifest has, no request is answered with another track's bytes.

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism};
use testkit::{codes, get, open, status, store};

/// One track of sound in a file of its own. The size of its fragments tells whose bytes are served.
struct Sound {
    /// `Name` and `Language` of its stream.
    attributes: &'static str,
    /// The word in `Url`, as it is written there.
    word: &'static str,
    /// `trackName`; none if empty.
    track_name: &'static str,
    bitrate: u32,
    size: u32,
}

const SOUND: Sound =
    Sound { attributes: "", word: "audio", track_name: "", bitrate: 64, size: 100 };

/// A film of these tracks, one in each stream, under the manifests that they describe.
fn film(sounds: &[Sound]) -> MemoryStore {
    let file = |sound: &Sound| format!("{}.isma", sound.size);
    let files: Vec<String> = sounds.iter().map(file).collect();
    let tracks: Vec<_> = sounds
        .iter()
        .zip(&files)
        .map(|(sound, file)| ("audio", &**file, sound.bitrate, 1, sound.track_name))
        .collect();
    let stream = |sound: &Sound| {
        format!(
            r#"<StreamIndex Type="audio" {} Url="QualityLevels({{bitrate}})/Fragments({}={{start time}})"><QualityLevel Bitrate="{}"/><c t="0" d="20000000" r="3"/></StreamIndex>"#,
            sound.attributes, sound.word, sound.bitrate
        )
    };
    let streams: Vec<_> = sounds.iter().map(stream).collect();
    let media = |sound: &Sound| {
        let track = Track::regular(1, StreamKind::Audio, 3, 20_000_000, sound.size);
        film::media(&[track], Style::default()).to_bytes()
    };
    let store = store(files.iter().map(|file| &**file).zip(sounds.iter().map(media)));
    store.put(testkit::name("film.ism"), ism(Some("film.ismc"), &tracks));
    store.put(testkit::name("film.ismc"), client(&streams));
    store
}

fn client(streams: &[String]) -> Vec<u8> {
    let streams = streams.concat();
    format!(
        r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="60000000">{streams}</SmoothStreamingMedia>"#
    )
    .into_bytes()
}

/// Bytes of samples in the answer, or the status of an error.
fn asked(store: &MemoryStore, level: &str, stream: &str) -> Result<usize, u16> {
    let path = format!("film.ism/QualityLevels({level})/RawFragments({stream}=20000000)");
    let body = get(&Origin::new(store.clone()), &path);
    body.map(|body| body.len()).map_err(|error| error.kind.status())
}

fn findings(store: &MemoryStore) -> Vec<String> {
    codes(open(store).unwrap().presentation())
}

const NONE: [String; 0] = [];

#[test]
fn streams_of_one_name_are_told_apart_by_bitrate() {
    let store = film(&[
        Sound { attributes: r#"Language="eng""#, ..SOUND },
        Sound { attributes: r#"Language="fra""#, bitrate: 65, size: 200, ..SOUND },
    ]);
    assert_eq!(findings(&store), NONE);
    assert_eq!([64, 65].map(|b| asked(&store, &b.to_string(), "audio")), [Ok(100), Ok(200)]);
    // By another spelling too; and no third bitrate is answered with one of these.
    assert_eq!(asked(&store, "65", "AUDIO"), Ok(200));
    assert_eq!(asked(&store, "66", "audio"), Err(404));
}

#[test]
fn streams_of_one_name_have_times_of_their_own() {
    let store = film(&[SOUND, Sound { bitrate: 65, size: 200, ..SOUND }]);
    let late = |number: usize| match number {
        0 => "0",
        _ => "5",
    };
    let stream = |number: usize| {
        format!(
            r#"<StreamIndex Type="audio" Url="QualityLevels({{bitrate}})/Fragments(audio={{start time}})"><QualityLevel Bitrate="{}"/><c t="{}" d="20000000" r="3"/></StreamIndex>"#,
            64 + number,
            late(number)
        )
    };
    store.put(testkit::name("film.ismc"), client(&[stream(0), stream(1)]));
    let origin = Origin::new(store);
    let of = |bitrate, time| {
        status(&origin, &format!("film.ism/QualityLevels({bitrate})/Fragments(audio={time})"))
    };
    assert_eq!([of(64, 0), of(65, 5), of(64, 5), of(65, 0)], [200, 200, 404, 404]);
}

#[test]
fn tracks_of_one_name_bitrate_and_attributes_are_an_error_and_the_first_answers() {
    let store = film(&[SOUND, Sound { size: 200, ..SOUND }]);
    assert_eq!(findings(&store), ["error ambiguous"]);
    assert_eq!(asked(&store, "64", "audio"), Ok(100));
    // What the finding advises: another word in `Url`, or another bitrate.
    let cured = [
        Sound { size: 200, word: "audio_2", track_name: "audio_2", ..SOUND },
        Sound { size: 200, bitrate: 65, ..SOUND },
    ];
    for second in cured {
        let (level, word) = (second.bitrate.to_string(), second.word);
        let store = film(&[SOUND, second]);
        assert_eq!(findings(&store), NONE, "{word}");
        assert_eq!(asked(&store, &level, word), Ok(200));
        assert_eq!(asked(&store, "64", "audio"), Ok(100));
    }
}

#[test]
fn a_track_without_media_does_not_hide_another_of_its_name_and_bitrate() {
    let store = film(&[SOUND, Sound { size: 200, ..SOUND }]);
    store.remove(&testkit::name("100.isma"));
    assert_eq!(asked(&store, "64", "audio"), Ok(200));
    assert!(!findings(&store).contains(&"error ambiguous".to_owned()));
}

#[test]
fn the_word_in_url_is_asked_for_and_the_name_answers_too() {
    let store = film(&[
        Sound {
            attributes: r#"Name="English""#,
            word: "audio_en",
            track_name: "audio_en",
            ..SOUND
        },
        Sound {
            attributes: r#"Name="Français""#,
            word: "audio%5Ffr%20&amp;%20co",
            track_name: "Français",
            size: 200,
            ..SOUND
        },
    ]);
    assert_eq!(findings(&store), NONE);
    for word in ["audio_en", "English", "ENGLISH", "Audio_En"] {
        assert_eq!(asked(&store, "64", word), Ok(100), "{word}");
    }
    for word in ["audio%5Ffr%20&%20co", "audio_fr%20%26%20co", "Fran%C3%A7ais", "FRAN%C3%87AIS"] {
        assert_eq!(asked(&store, "64", word), Ok(200), "{word}");
    }
    assert_eq!(asked(&store, "64", "audio"), Err(404));
    let opened = open(&store).unwrap();
    let streams = opened.presentation().streams();
    let names: Vec<_> = streams.iter().map(|stream| (stream.name(), stream.label())).collect();
    assert_eq!(names, [("audio_en", Some("English")), ("audio_fr & co", Some("Français"))]);
}

#[test]
fn a_name_that_is_another_streams_word_is_not_free() {
    let store = film(&[
        Sound { attributes: r#"Name="b""#, word: "a", track_name: "a", ..SOUND },
        Sound { attributes: r#"Name="A""#, word: "b", track_name: "b", size: 200, ..SOUND },
    ]);
    assert_eq!(findings(&store), NONE);
    assert_eq!(
        ["a", "b", "A", "B"].map(|word| asked(&store, "64", word)),
        [Ok(100), Ok(200), Ok(100), Ok(200)]
    );
}

#[test]
fn a_name_of_two_streams_leads_to_the_one_with_the_bitrate_and_is_refused_otherwise() {
    let both = r#"Name="Sound""#;
    let store = film(&[
        Sound { attributes: both, word: "a", track_name: "a", ..SOUND },
        Sound { attributes: both, word: "b", track_name: "b", size: 200, ..SOUND },
        Sound { attributes: both, word: "c", track_name: "c", size: 300, bitrate: 65 },
    ]);
    assert_eq!(findings(&store), NONE);
    assert_eq!(asked(&store, "65", "Sound"), Ok(300));
    assert_eq!(asked(&store, "64", "Sound"), Err(404));
}

#[test]
fn one_name_and_bitrates_that_differ_between_the_manifests_are_paired_by_language() {
    // The server manifest has them in another order and at one bitrate.
    let track = |language: &str, size: u32| {
        format!(
            r#"<audio src="{size}.isma" systemBitrate="64" systemLanguage="{language}"><param name="trackID" value="1"/></audio>"#
        )
    };
    let store = film(&[
        Sound { attributes: r#"Language="eng""#, ..SOUND },
        Sound { attributes: r#"Language="fra""#, bitrate: 65, size: 200, ..SOUND },
    ]);
    let server = format!(
        r#"<smil><head><meta name="clientManifestRelativePath" content="film.ismc"/></head><body><switch>{}{}</switch></body></smil>"#,
        track("fra", 200),
        track("eng", 100)
    );
    store.put(testkit::name("film.ism"), server.into_bytes());
    assert_eq!([64, 65].map(|b| asked(&store, &b.to_string(), "audio")), [Ok(100), Ok(200)]);
    assert_eq!(findings(&store), ["warning manifests-disagree"]);
}

#[test]
fn attributes_that_are_asked_for_are_those_of_the_track() {
    let quality = |attributes: &str| {
        format!(
            r#"<QualityLevel Bitrate="64"><CustomAttributes>{attributes}</CustomAttributes></QualityLevel>"#
        )
    };
    let angle = |value: &str| format!(r#"<Attribute Name="angle" Value="{value}"/>"#);
    let stream = format!(
        r#"<StreamIndex Type="audio" Url="QualityLevels({{bitrate}},{{CustomAttributes}})/Fragments(audio={{start_time}})">{}{}{}<c t="0" d="20000000" r="3"/></StreamIndex>"#,
        quality(&(angle("1") + r#"<Attribute Name="x" Value="1"/>"#)),
        quality(&angle("1")),
        quality("")
    );
    let store = film(&[SOUND, Sound { size: 200, ..SOUND }, Sound { size: 300, ..SOUND }]);
    store.put(testkit::name("film.ismc"), client(&[stream]));
    let track = |size: u32, params: &str| {
        format!(r#"<audio src="{size}.isma" systemBitrate="64">{params}</audio>"#)
    };
    let param = r#"<param name="angle" value="1"/>"#;
    let server = format!(
        r#"<smil><head><meta name="clientManifestRelativePath" content="film.ismc"/></head><body><switch>{}{}{}</switch></body></smil>"#,
        track(100, &format!(r#"{param}<param name="x" value="1"/>"#)),
        track(200, param),
        track(300, "")
    );
    store.put(testkit::name("film.ism"), server.into_bytes());
    assert_eq!(findings(&store), NONE);
    for (level, size) in
        [("64", 300), ("64,", 300), ("64,angle=1", 200), ("64,x=1,angle=1", 100), ("64,x=1", 100)]
    {
        assert_eq!(asked(&store, level, "audio"), Ok(size), "{level}");
    }
    assert_eq!(asked(&store, "64,angle=2", "audio"), Err(404));
}

#[test]
fn streams_without_anything_to_ask_for_are_not_ambiguous() {
    // As in Microsoft's example of a client manifest: script commands and chapters, both without
    // `Url` and `Name`, and a stream whose samples are in the manifest.
    let content = r#"<StreamIndex Type="text" Subtype="SCMD"><Content><ScriptCommand Time="0" Type="a" Command="b"/></Content></StreamIndex>
        <StreamIndex Type="text" Subtype="CHAP"><Content><Marker Time="0" Value="a"/></Content></StreamIndex>"#;
    let embedded = r#"<StreamIndex Type="text" Subtype="CTRL" ManifestOutput="true" ParentStreamIndex="audio"><QualityLevel Bitrate="0"/><c t="0"><f i="0">YQ==</f></c></StreamIndex>"#;
    let store = film(&[SOUND]);
    let stream = r#"<StreamIndex Type="audio" Name="audio" Url="QualityLevels({bitrate})/Fragments(audio={start time})"><QualityLevel Bitrate="64"/><c t="0" d="20000000" r="3"/></StreamIndex>"#;
    let streams = [stream, content, embedded, embedded].map(str::to_owned);
    store.put(testkit::name("film.ismc"), client(&streams));
    assert_eq!(findings(&store), ["warning fourcc-missing"]);
    assert_eq!(asked(&store, "64", "audio"), Ok(100));
}

#[test]
fn a_thousand_streams_of_one_name_are_each_found() {
    let sound = |number: u32| Sound { bitrate: 1000 + number, size: 100 + number, ..SOUND };
    let sounds: Vec<_> = (0..1000).map(sound).collect();
    let store = film(&sounds);
    let origin = Origin::new(store);
    for number in [0, 1, 500, 999] {
        let path = format!("film.ism/QualityLevels({})/RawFragments(audio=0)", 1000 + number);
        assert_eq!(get(&origin, &path).unwrap().len(), 100 + number);
    }
    assert_eq!(status(&origin, "film.ism/QualityLevels(999)/Fragments(audio=0)"), 404);
}
