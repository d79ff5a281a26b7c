//! Pairing qualities of the client manifest with tracks of the server manifest if bitrates, names
//! and picture sizes do not agree. The served bytes show the result.

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track};
use testkit::{codes, get, open, status, store};

/// A track of the server manifest in a file of its own.
#[derive(Clone, Default)]
struct Film {
    element: &'static str,
    bitrate: u32,
    /// `trackName`, and other parameters.
    params: String,
    /// Width of the pictures in the file; if 0, that of [`film::media`].
    width: u16,
    /// A byte of the parameter set in the file.
    profile: u8,
    /// Number of bytes of a fragment, by which the track is recognized.
    bytes: u32,
}

fn video(bitrate: u32, bytes: u32) -> Film {
    Film { element: "video", bitrate, bytes, profile: 1, ..Film::default() }
}

fn audio(bitrate: u32, bytes: u32, name: &str) -> Film {
    Film { element: "audio", ..video(bitrate, bytes) }.param("trackName", name)
}

impl Film {
    fn param(mut self, name: &str, value: &str) -> Self {
        self.params += &format!(r#"<param name="{name}" value="{value}"/>"#);
        self
    }

    fn says(self, width: u32) -> Self {
        self.param("MaxWidth", &width.to_string()).param("MaxHeight", "360")
    }

    fn shows(self, width: u16) -> Self {
        Self { width, ..self }
    }

    fn file(&self) -> Vec<u8> {
        let kind = if self.element == "video" { StreamKind::Video } else { StreamKind::Audio };
        let track = Track::regular(1, kind, 2, 20_000_000, self.bytes);
        let mut file = film::media(&[track], Style::default()).to_bytes();
        if let Some(entry) = file.windows(4).position(|word| word == b"avc1") {
            if self.width > 0 {
                // After the format, there are 24 bytes before width and height.
                file[entry + 28..entry + 30].copy_from_slice(&self.width.to_be_bytes());
            }
            let sps = file.windows(5).position(|unit| unit == [0x67, 66, 0, 30, 1]).unwrap();
            file[sps + 4] = self.profile;
        }
        file
    }
}

/// Makes a quality of the client manifest with this width; if 0, without one.
fn quality(bitrate: u32, wide: u32) -> String {
    match wide {
        0 => format!(r#"<QualityLevel Bitrate="{bitrate}"/>"#),
        _ => format!(r#"<QualityLevel Bitrate="{bitrate}" MaxWidth="{wide}" MaxHeight="360"/>"#),
    }
}

fn stream(kind: &str, name: &str, qualities: &[String]) -> String {
    format!(
        r#"<StreamIndex Type="{kind}" Name="{name}" Url="QualityLevels({{bitrate}})/Fragments({name}={{start time}})">{}<c t="0" d="20000000"/><c d="20000000"/></StreamIndex>"#,
        qualities.concat()
    )
}

fn videos(qualities: &[(u32, u32)]) -> String {
    let qualities: Vec<String> = qualities.iter().map(|q| quality(q.0, q.1)).collect();
    stream("video", "video", &qualities)
}

fn set(streams: &str, films: &[Film]) -> MemoryStore {
    let element = |(number, film): (usize, &Film)| {
        let Film { element, bitrate, params, .. } = film;
        format!(
            r#"<{element} src="{number}.ismv" systemBitrate="{bitrate}"><param name="trackID" value="1"/>{params}</{element}>"#
        )
    };
    let elements: String = films.iter().enumerate().map(element).collect();
    let server = format!(
        r#"<smil><head><meta name="clientManifestRelativePath" content="film.ismc"/></head><body><switch>{elements}</switch></body></smil>"#
    );
    let client = format!(
        r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="0" Duration="40000000">{streams}</SmoothStreamingMedia>"#
    );
    let all = store([("film.ism", server.into_bytes()), ("film.ismc", client.into_bytes())]);
    for (number, film) in films.iter().enumerate() {
        all.put(testkit::name(&format!("{number}.ismv")), film.file());
    }
    all
}

/// Returns the number of bytes of the second fragment of each quality of a stream; 0 if it is
/// refused.
fn served<const N: usize>(store: &MemoryStore, name: &str, bitrates: [u32; N]) -> [usize; N] {
    let origin = Origin::new(store.clone());
    bitrates.map(|bitrate| {
        let path = |noun| format!("film.ism/QualityLevels({bitrate})/{noun}({name}=20000000)");
        match status(&origin, &path("Fragments")) {
            200 => get(&origin, &path("RawFragments")).unwrap().len(),
            _ => 0,
        }
    })
}

fn found(store: &MemoryStore) -> Vec<String> {
    codes(open(store).unwrap().presentation())
}

const OTHER_PICTURES: &str = "warning pictures-contradicted";
const DISAGREE: &str = "warning manifests-disagree";
const GUESSED: &str = "error track-guessed";

#[test]
fn picture_sizes_tell_that_two_bitrates_were_exchanged() {
    let streams = videos(&[(800, 640), (1500, 960), (3000, 1280)]);
    // The size is in the server manifest, or in the file alone.
    for said in [true, false] {
        let film = |bitrate, width: u16| {
            let film = video(bitrate, width.into()).shows(width);
            if said { film.says(width.into()) } else { film }
        };
        let set = set(&streams, &[film(1500, 640), film(800, 960), film(3000, 1280)]);
        assert_eq!(served(&set, "video", [800, 1500, 3000]), [640, 960, 1280], "{said}");
        assert_eq!(found(&set), [DISAGREE; 2]);
    }
}

#[test]
fn data_for_the_decoder_tells_that_two_bitrates_were_exchanged() {
    let coded = |bitrate: u32, data: &str| {
        format!(
            r#"<QualityLevel Bitrate="{bitrate}" FourCC="H264" CodecPrivateData="00000001{data}"/>"#
        )
    };
    let streams = stream("video", "video", &[coded(800, "67aa"), coded(1500, "67bb")]);
    let film = |bitrate, bytes, data: &str| {
        video(bitrate, bytes).param("CodecPrivateData", &format!("00000001{data}"))
    };
    let exchanged = set(&streams, &[film(1500, 100, "67AA"), film(800, 200, "67BB")]);
    assert_eq!(served(&exchanged, "video", [800, 1500]), [100, 200]);
    assert_eq!(found(&exchanged), [DISAGREE; 2]);
    // Data that no quality has changes nothing.
    let others = set(&streams, &[film(800, 100, "67cc"), film(1500, 200, "67dd")]);
    assert_eq!(served(&others, "video", [800, 1500]), [100, 200]);
    assert!(found(&others).is_empty());
}

#[test]
fn sizes_of_the_display_do_not_change_which_bitrate_is_whose() {
    // Anamorphic: the manifest has the width of the display.
    let streams = videos(&[(800, 853), (1500, 1024)]);
    let films = [video(800, 100).shows(720), video(1500, 200).shows(720)];
    let set_of = |films: &[Film]| set(&streams, films);
    assert_eq!(served(&set_of(&films), "video", [800, 1500]), [100, 200]);
    assert!(found(&set_of(&films)).is_empty());
    // Neither does a quality without a track, or a track without a quality.
    let more = set(&videos(&[(800, 853), (1500, 1024), (9000, 720)]), &films);
    assert_eq!(served(&more, "video", [800, 1500, 9000]), [100, 200, 0]);
    let extra = set_of(&[&films[..], &[video(5000, 300).shows(1024)]].concat());
    assert_eq!(served(&extra, "video", [800, 1500]), [100, 200]);
    // If the server manifest gives the size, there is a finding.
    let films = films.map(|film| film.says(720));
    assert_eq!(served(&set_of(&films), "video", [800, 1500]), [100, 200]);
    assert_eq!(found(&set_of(&films)), [DISAGREE; 2]);
}

#[test]
fn picture_sizes_tell_that_all_bitrates_are_a_step_off() {
    // Each track has twice the bitrate, so three have the bitrate of another quality.
    let ladder = [(300, 640), (600, 960), (1200, 1280), (2400, 1920)];
    let films = ladder.map(|(bitrate, width)| video(2 * bitrate, width).says(width));
    let set = set(&videos(&ladder), &films);
    let right = [640, 960, 1280, 1920];
    assert_eq!(served(&set, "video", [300, 600, 1200, 2400]), right);
    // All files show the pictures of the lowest quality.
    assert_eq!(found(&set), [&[DISAGREE; 4][..], &[OTHER_PICTURES; 3]].concat());
}

#[test]
fn a_server_manifest_that_contradicts_its_files_does_not_move_their_tracks() {
    let streams = videos(&[(800, 640), (1500, 1280)]);
    let films = [video(800, 100).shows(640).says(1280), video(1500, 200).shows(1280).says(640)];
    let set = set(&streams, &films);
    assert_eq!(served(&set, "video", [800, 1500]), [100, 200]);
    assert_eq!(found(&set), [DISAGREE; 2]);
}

#[test]
fn of_tracks_of_one_bitrate_each_quality_has_the_one_of_its_pictures() {
    let sps = |profile: u8| format!("000000016742001e{profile:02x}000000016801");
    let coded = |bitrate: u32, profile| {
        format!(
            r#"<QualityLevel Bitrate="{bitrate}" FourCC="H264" CodecPrivateData="{}"/>"#,
            sps(profile)
        )
    };
    let by_data = stream("video", "video", &[coded(1000, 5), coded(1500, 9)]);
    let by_size = videos(&[(1000, 640), (1500, 1280)]);
    let plain = [video(1000, 200), video(1000, 100)];
    let [high, low] = plain.clone();
    let shown = [high.clone().shows(1280), low.clone().shows(640)];
    let said = [high.clone().says(1280), low.clone().says(640)];
    let shown_data = [Film { profile: 9, ..high.clone() }, Film { profile: 5, ..low.clone() }];
    let said_data = [high, low].into_iter().zip([9, 5]);
    let said_data = said_data.map(|(film, profile)| film.param("CodecPrivateData", &sps(profile)));
    for (streams, films, expected) in [
        (&by_size, shown.to_vec(), &[DISAGREE][..]),
        // The files do not show what is said of them.
        (&by_size, said.to_vec(), &[DISAGREE, OTHER_PICTURES]),
        (&by_data, shown_data.to_vec(), &[DISAGREE]),
        (&by_data, said_data.collect(), &[DISAGREE]),
    ] {
        let set = set(streams, &films);
        assert_eq!(served(&set, "video", [1000, 1500]), [100, 200], "{}", films[0].params);
        assert_eq!(found(&set), expected);
    }
}

#[test]
fn a_bitrate_that_is_near_is_not_certain_where_both_manifests_say_other_sizes() {
    // Each track is near to the wrong quality in bitrate; its size shows the right one.
    let streams = videos(&[(1000, 640), (2000, 1280)]);
    let films = [video(1990, 100).shows(640).says(640), video(1010, 200).shows(1280).says(1280)];
    let set = set(&streams, &films);
    assert_eq!(served(&set, "video", [1000, 2000]), [100, 200]);
    assert_eq!(found(&set), [DISAGREE; 2]);
}

#[test]
fn the_name_of_a_track_wins_over_its_bitrate() {
    let one = |name, bitrate| stream("audio", name, &[quality(bitrate, 0)]);
    let streams = one("english", 64) + &one("french", 128);
    let set = set(&streams, &[audio(128, 100, "english"), audio(64, 200, "french")]);
    assert_eq!(served(&set, "english", [64]), [100]);
    assert_eq!(served(&set, "french", [128]), [200]);
    assert_eq!(found(&set), [DISAGREE; 2]);

    // Nor is a track taken from the stream of its name if that stream has another bitrate, or if
    // the other stream has no track.
    let streams = one("english", 64) + &one("french", 500);
    let alone = self::set(&streams, &[audio(64, 200, "french")]);
    assert_eq!(served(&alone, "english", [64]), [0]);
    assert_eq!(served(&alone, "french", [500]), [200]);
}

#[test]
fn tracks_that_the_stream_of_their_name_does_not_need_are_for_the_others() {
    // Both tracks have the name of the first stream, as some packagers write them.
    let streams = stream("audio", "audio", &[quality(128, 0)])
        + &stream("audio", "audio_fra", &[quality(160, 0)]);
    let set = set(&streams, &[audio(160, 200, "audio"), audio(128, 100, "audio")]);
    assert_eq!(served(&set, "audio", [128]), [100]);
    assert_eq!(served(&set, "audio_fra", [160]), [200]);
    assert_eq!(found(&set), [DISAGREE]);
}

#[test]
fn qualities_whose_bitrates_bear_no_likeness_are_paired_by_rank() {
    let ladder = [230, 331, 477, 688].map(|bitrate| bitrate * 1000);
    let streams = videos(&ladder.map(|bitrate| (bitrate, 0)));
    for (scale, of) in [
        ("kilobits", (|b| b / 1000) as fn(u32) -> u32),
        // All are near to the next quality but one.
        ("half as much more", |b| b * 3 / 2),
        ("with the audio", |b| b + 128_000),
    ] {
        let films = [(3, 400), (1, 200), (0, 100), (2, 300)];
        let films = films.map(|(rank, bytes)| video(of(ladder[rank]), bytes));
        let set = set(&streams, &films);
        assert_eq!(served(&set, "video", ladder), [100, 200, 300, 400], "{scale}");
        let found = found(&set);
        assert!(found.iter().any(|code| code == GUESSED), "{scale}: {found:?}");
    }
}

#[test]
fn a_track_that_crosses_others_is_no_certain_one() {
    // All are a tenth higher: two have the bitrates of other qualities, and the third one remains.
    let ladder = [1_000_000, 1_100_000, 1_210_000];
    let films = [video(1_331_000, 300), video(1_210_000, 200), video(1_100_000, 100)];
    let set = set(&videos(&ladder.map(|bitrate| (bitrate, 0))), &films);
    assert_eq!(served(&set, "video", [1_100_000, 1_210_000]), [100, 200]);
    assert_eq!(found(&set), [GUESSED]);
    // A size that all of them have proves nothing.
    let films = films.map(|film| film.shows(640));
    let set = self::set(&videos(&ladder.map(|bitrate| (bitrate, 640))), &films);
    assert_eq!(found(&set), [GUESSED]);
}

#[test]
fn elements_that_have_each_others_track_id_are_the_only_tracks_of_their_kinds() {
    let tracks = [
        Track::regular(1, StreamKind::Audio, 2, 20_000_000, 100),
        Track::regular(2, StreamKind::Video, 2, 20_000_000, 200),
    ];
    let streams = videos(&[(500, 0)]) + &stream("audio", "audio", &[quality(64, 0)]);
    let set = set(&streams, &[]);
    let server = |video: u32, audio: u32| {
        let elements =
            [("video", "film.ismv", 500, video, ""), ("audio", "film.ismv", 64, audio, "")];
        film::ism(Some("film.ismc"), &elements)
    };
    set.put(testkit::name("film.ismv"), film::media(&tracks, Style::default()).to_bytes());
    set.put(testkit::name("film.ism"), server(1, 2));
    assert_eq!(served(&set, "video", [500]), [200]);
    assert_eq!(served(&set, "audio", [64]), [100]);
    assert_eq!(found(&set), [DISAGREE; 2]);
}

#[test]
fn a_track_of_another_kind_is_reported_with_what_the_file_has() {
    let tracks = [
        Track::regular(1, StreamKind::Audio, 2, 20_000_000, 100),
        Track::regular(2, StreamKind::Video, 2, 20_000_000, 200),
        Track::regular(3, StreamKind::Video, 2, 20_000_000, 200),
    ];
    let set = set(&videos(&[(500, 0)]), &[]);
    set.put(testkit::name("film.ismv"), film::media(&tracks, Style::default()).to_bytes());
    let elements = [("video", "film.ismv", 500, 1, "")];
    set.put(testkit::name("film.ism"), film::ism(Some("film.ismc"), &elements));
    let opened = open(&set).unwrap();
    let findings = opened.presentation().findings();
    let mut messages = findings.iter().map(|finding| &*finding.message);
    let message = "its track 1 is not video: it has 1 (audio), 2 (video), 3 (video)";
    assert!(messages.any(|found| found == message));
    assert_eq!(served(&set, "video", [500]), [0]);
}

#[test]
fn a_server_manifest_without_tracks_is_the_reason_beside_a_client_manifest_too() {
    let set = set(&videos(&[(500, 0)]), &[]);
    let opened = open(&set).unwrap();
    let error = opened.presentation().manifest().unwrap_err().to_string();
    assert!(error.contains("the server manifest names no track"), "{error}");
}

/// Makes a file of tracks 1, 2, 3 …, each with pictures of its width or, for sound, its language,
/// and its number of bytes per fragment.
fn tracks(kind: StreamKind, tracks: &[(u16, &[u8; 3], u32)]) -> Vec<u8> {
    let track = |(id, (_, language, bytes)): (u32, &(u16, &[u8; 3], u32))| {
        Track::regular(id, kind, 2, 20_000_000, *bytes).language(language)
    };
    let all: Vec<Track> = (1..).zip(tracks).map(track).collect();
    let mut file = film::media(&all, Style::default()).to_bytes();
    let entries: Vec<usize> =
        (0..file.len()).filter(|&at| file[at..].starts_with(b"avc1")).collect();
    for (entry, (width, _, _)) in entries.into_iter().zip(tracks) {
        file[entry + 28..entry + 30].copy_from_slice(&width.to_be_bytes());
        let sps = file[entry..].windows(5).position(|unit| unit == [0x67, 66, 0, 30, 1]).unwrap();
        file[entry + sps + 4] = (width / 64) as u8;
    }
    file
}

/// Makes a presentation of one file: element, bitrate, track number (if not 0) and language of each
/// element.
fn of_one_file(streams: &str, elements: &[(&str, u32, u32, &str)], file: Vec<u8>) -> MemoryStore {
    let set = set(streams, &[]);
    let element = |(element, bitrate, id, language): &(&str, u32, u32, &str)| {
        let name = match *language {
            "" => String::new(),
            _ => format!(r#"<param name="trackName" value="audio_{language}"/>"#),
        };
        let id = match *id {
            0 => String::new(),
            _ => format!(r#"<param name="trackID" value="{id}"/>"#),
        };
        format!(
            r#"<{element} src="film.ismv" systemBitrate="{bitrate}" systemLanguage="{language}">{id}{name}</{element}>"#
        )
    };
    let elements: String = elements.iter().map(element).collect();
    let server = format!(
        r#"<smil><head><meta name="clientManifestRelativePath" content="film.ismc"/></head><body><switch>{elements}</switch></body></smil>"#
    );
    set.put(testkit::name("film.ism"), server.into_bytes());
    set.put(testkit::name("film.ismv"), file);
    set
}

const MISSING: &str = "error track-missing";

const LADDER: [(u16, &[u8; 3], u32); 3] =
    [(320, b"und", 100), (640, b"und", 200), (1280, b"und", 300)];

#[test]
fn of_two_elements_with_one_track_number_each_has_the_pictures_of_its_quality() {
    let streams = videos(&[(100, 320), (200, 640)]);
    for id in [1, 2] {
        let elements = [("video", 100, id, ""), ("video", 200, id, "")];
        let set = of_one_file(&streams, &elements, tracks(StreamKind::Video, &LADDER[..2]));
        assert_eq!(served(&set, "video", [100, 200]), [100, 200], "{id}");
        assert_eq!(found(&set), [DISAGREE], "{id}");
    }
}

#[test]
fn of_three_elements_two_with_one_track_number_each_has_its_own_track() {
    let streams = videos(&[(100, 320), (200, 640), (300, 1280)]);
    for ids in [[1, 1, 3], [1, 2, 1], [3, 2, 3], [1, 2, 2], [2, 2, 2]] {
        let elements = [0, 1, 2].map(|i| ("video", 100 * (i as u32 + 1), ids[i], ""));
        let set = of_one_file(&streams, &elements, tracks(StreamKind::Video, &LADDER));
        assert_eq!(served(&set, "video", [100, 200, 300]), [100, 200, 300], "{ids:?}");
        assert!(found(&set).iter().all(|code| code == DISAGREE), "{ids:?}: {:?}", found(&set));
        assert!(!found(&set).is_empty(), "{ids:?}");
    }
}

#[test]
fn decoder_configurations_tell_elements_with_one_track_number_apart() {
    // Widths of 640 and 704 give other parameter sets; the size is made the same.
    let mut file = tracks(StreamKind::Video, &[(640, b"und", 100), (704, b"und", 200)]);
    let second = file.windows(4).rposition(|word| word == b"avc1").unwrap();
    file[second + 28..second + 30].copy_from_slice(&640_u16.to_be_bytes());
    let set = of_one_file("", &[], file.clone());
    set.put(testkit::name("film.ism"), film::ism(None, &[("video", "film.ismv", 100, 1, "")]));
    let manifest = testkit::manifest(open(&set).unwrap().presentation());
    let first = manifest.split("CodecPrivateData=\"").nth(1).unwrap().split('"').next().unwrap();
    let quality = |bitrate, data: &str| {
        format!(
            r#"<QualityLevel Bitrate="{bitrate}" FourCC="H264" MaxWidth="640" MaxHeight="360" CodecPrivateData="{data}"/>"#
        )
    };
    // The track with more bytes has the lower bitrate: it is not found by rank.
    let second = first.replace("001E0A", "001E0B").replace("001e0a", "001e0b");
    assert_ne!(first, second);
    let streams = stream("video", "video", &[quality(100, &second), quality(200, first)]);
    let set = of_one_file(&streams, &[("video", 100, 1, ""), ("video", 200, 1, "")], file);
    assert_eq!(served(&set, "video", [100, 200]), [200, 100]);
    assert_eq!(found(&set), [DISAGREE]);
}

fn sound(languages: &[&str]) -> String {
    let stream = |language: &&str| stream("audio", &format!("audio_{language}"), &[quality(64, 0)]);
    languages.iter().map(stream).collect()
}

#[test]
fn of_two_languages_with_one_track_number_each_has_its_own_sound() {
    let file = tracks(StreamKind::Audio, &[(0, b"eng", 100), (0, b"fra", 200)]);
    for (languages, id) in [(["eng", "fra"], 1), (["eng", "fra"], 2), (["en-US", "fre"], 1)] {
        let elements = languages.map(|language| ("audio", 64, id, language));
        let set = of_one_file(&sound(&languages), &elements, file.clone());
        let [one, other] = languages.map(|l| served(&set, &format!("audio_{l}"), [64])[0]);
        assert_eq!([one, other], [100, 200], "{languages:?} {id}");
        assert_eq!(found(&set), [DISAGREE], "{languages:?} {id}");
    }
}

#[test]
fn a_language_that_the_file_does_not_have_is_absent_and_no_other_sound() {
    let file = tracks(StreamKind::Audio, &[(0, b"eng", 100), (0, b"deu", 200)]);
    let elements = ["eng", "fra"].map(|language| ("audio", 64, 1, language));
    let set = of_one_file(&sound(&["eng", "fra"]), &elements, file);
    assert_eq!(served(&set, "audio_eng", [64]), [100]);
    assert_eq!(served(&set, "audio_fra", [64]), [0]);
    assert!(found(&set).iter().any(|code| code == MISSING), "{:?}", found(&set));
}

#[test]
fn elements_with_one_track_number_that_nothing_tells_apart_are_not_served_alike() {
    let file = tracks(StreamKind::Audio, &[(0, b"und", 100), (0, b"und", 200), (0, b"und", 300)]);
    let elements = ["eng", "fra"].map(|language| ("audio", 64, 1, language));
    let set = of_one_file(&sound(&["eng", "fra"]), &elements, file);
    assert_eq!(served(&set, "audio_eng", [64]), [100]);
    assert_eq!(served(&set, "audio_fra", [64]), [0]);
    assert!(found(&set).iter().any(|code| code == MISSING), "{:?}", found(&set));
}

#[test]
fn bitrates_alone_give_elements_with_one_track_number_a_guess() {
    let ladder = LADDER.map(|(_, language, bytes)| (640, language, bytes));
    let streams = videos(&[(100, 0), (200, 0), (300, 0)]);
    let elements = [("video", 300, 3, ""), ("video", 200, 1, ""), ("video", 100, 1, "")];
    let set = of_one_file(&streams, &elements, tracks(StreamKind::Video, &ladder));
    assert_eq!(served(&set, "video", [100, 200, 300]), [100, 200, 300]);
    assert!(found(&set).iter().any(|code| code == GUESSED), "{:?}", found(&set));
}

#[test]
fn the_same_media_under_two_bitrates_or_names_stay_so() {
    // The file has no other track.
    let only = tracks(StreamKind::Video, &LADDER[..1]);
    let elements = [("video", 100, 1, ""), ("video", 200, 1, "")];
    let set = of_one_file(&videos(&[(100, 320), (200, 320)]), &elements, only);
    assert_eq!(served(&set, "video", [100, 200]), [100, 100]);
    assert_eq!(found(&set), ["warning same-media"]);
    // All other tracks have an element.
    let elements = [("video", 100, 1, ""), ("video", 200, 1, ""), ("video", 300, 2, "")];
    let streams = videos(&[(100, 320), (200, 320), (300, 640)]);
    let set = of_one_file(&streams, &elements, tracks(StreamKind::Video, &LADDER[..2]));
    assert_eq!(served(&set, "video", [100, 200, 300]), [100, 100, 200]);
    assert_eq!(found(&set), ["warning same-media"]);
    // The track that has none is another language than both.
    let file = tracks(StreamKind::Audio, &[(0, b"eng", 100), (0, b"fra", 200)]);
    let elements = [("audio", 64, 1, "eng"), ("audio", 96, 1, "eng")];
    let streams = stream("audio", "audio_eng", &[quality(64, 0), quality(96, 0)]);
    let set = of_one_file(&streams, &elements, file);
    assert_eq!(served(&set, "audio_eng", [64, 96]), [100, 100]);
    assert_eq!(found(&set), ["warning same-media"]);
}

#[test]
fn an_element_without_a_track_number_is_not_that_of_another_element() {
    let streams = videos(&[(100, 320), (200, 640)]);
    let elements = [("video", 100, 1, ""), ("video", 200, 0, "")];
    let set = of_one_file(&streams, &elements, tracks(StreamKind::Video, &LADDER[..2]));
    assert_eq!(served(&set, "video", [100, 200]), [100, 200]);
    assert_eq!(found(&set), [DISAGREE]);
}
