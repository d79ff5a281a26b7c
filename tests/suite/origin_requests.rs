//! Requests: what is understood, what each failure is answered with, and what a request costs.

use proptest::prelude::*;
use smooth_origin::base::{ErrorGroup, Step};
use smooth_origin::manifest::{Layout, StreamKind};
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::output::mss::{self, FragmentRequest, ManifestOptions, Noun, Request};
use smooth_origin::presentation::OpenOptions;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism, ismc};
use testkit::{get, name, status, store};

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");

fn objects() -> MemoryStore {
    let tracks = [
        Track::regular(1, StreamKind::Video, 3, 20_000_000, 100),
        Track::regular(2, StreamKind::Audio, 3, 20_000_000, 50),
    ];
    store([
        ("film.ism", ism(None, &[VIDEO, ("audio", "film.ismv", 64, 2, "audio_eng")])),
        ("film.ismv", film::media(&tracks, Style::default()).to_bytes()),
        ("folder/broken.ism", b"<smil>".to_vec()),
        ("folder/gone.ism", ism(None, &[("video", "gone.ismv", 300, 1, "")])),
    ])
}

#[test]
fn every_failure_has_its_status() {
    let origin = Origin::new(objects());
    for (path, expected) in [
        ("/film.ism/Manifest", 200),
        ("/film.ism/manifest", 200),
        ("/film.ism/MANIFEST", 200),
        ("/film.ism", 302),
        ("/film.ism/", 302),
        ("/film.ism/QualityLevels(300)/Fragments(video=0)", 200),
        ("/film.ism/qualitylevels(300)/fragments(video=0)", 200),
        ("/film.ism/QualityLevels%28300%29/Fragments%28video%3D0%29", 200),
        ("/film.ism/QualityLevels(64)/Fragments(audio_eng=0)", 200),
        ("/film.ism/QualityLevels(64)/Fragments(AUDIO_ENG=0)", 200),
        // Not here.
        ("/", 404),
        ("/other", 404),
        ("/other.ism/Manifest", 404),
        ("/Film.ism/Manifest", 404),
        ("/film.ism/QualityLevels(301)/Fragments(video=0)", 404),
        ("/film.ism/QualityLevels(300)/Fragments(audio_eng=0)", 404),
        ("/film.ism/QualityLevels(300)/Fragments(text=0)", 404),
        ("/film.ism/QualityLevels(300)/Fragments(video=1)", 404),
        ("/film.ism/QualityLevels(300)/Fragments(video=60000000)", 404),
        ("/film.ism/QualityLevels(300,a=b)/Fragments(video=0)", 404),
        // Not by the grammar.
        ("/film.ism/QualityLevels(300)", 400),
        ("/film.ism/QualityLevels(x)/Fragments(video=0)", 400),
        ("/film.ism/QualityLevels(300)/Fragments(video=-1)", 400),
        ("/film.ism/QualityLevels(300)/Fragments(a%2Fb=0)", 400),
        ("/film.ism/QualityLevels(300)/Slices(video=0)", 400),
        ("/film.ism/film.ismv", 400),
        ("/a%2Ffilm.ism/Manifest", 400),
        ("/../film.ism/Manifest", 400),
        ("/a/../film.ism/Manifest", 400),
        ("/%2e%2e/film.ism/Manifest", 400),
        ("/a//film.ism/Manifest", 404),
        ("/a\\film.ism/Manifest", 400),
        ("/c:/film.ism/Manifest", 400),
        ("/film%00.ism/Manifest", 400),
        // Known, and not served.
        ("/film.ism/Manifest(format=m3u8-aapl)", 415),
        ("/film.ism/manifest(format=mpd-time-csf,encryption=cenc)", 415),
        ("/film.ism/QualityLevels(300)/Fragments(video=0,format=m3u8-aapl)", 415),
        ("/film.ism/QualityLevels(300)/Manifest(video,format=m3u8-aapl-v3,audiotrack=a)", 415),
        ("/film.ism/manifest(format=m3u8-aapl).m3u8", 415),
        // Our own fault.
        ("/folder/broken.ism/Manifest", 500),
        ("/folder/gone.ism/Manifest", 500),
        ("/folder/gone.ism/QualityLevels(300)/Fragments(video=0)", 404),
    ] {
        assert_eq!(status(&origin, path), expected, "{path}");
    }
}

#[cfg(all(feature = "dash", feature = "hls"))]
#[test]
fn requests_for_other_outputs_have_their_status() {
    let origin = Origin::new(objects());
    for (path, expected) in [
        ("/film.ism/manifest.mpd", 200),
        ("/film.ism/.mpd", 200),
        ("/film.ism/manifest(format=mpd-time-csf)", 200),
        ("/film.ism/master.m3u8", 200),
        ("/film.ism/.m3u8", 200),
        ("/film.ism/manifest(format=m3u8-cmaf)", 200),
        ("/film.ism/video-300.m3u8", 200),
        ("/film.ism/audio_eng-64/init.mp4", 200),
        ("/film.ism/audio%5Feng-64/init.mp4", 200),
        ("/film.ism/video-300/40000000.m4s", 200),
        ("/other.ism/video-300/0.m4s", 404),
        ("/film.ism/video-301/0.m4s", 404),
        ("/film.ism/video-300/1.m4s", 404),
        ("/film.ism/x.mpd", 404),
        ("/film.ism/x.m3u8", 404),
        ("/film.ism/video-300/x.m4s", 400),
        ("/film.ism/video-300/", 400),
        ("/film.ism/manifest.mpd?filter=x", 415),
        ("/film.ism/manifest(format=m3u8-cmaf,encryption=cbcs)", 415),
        ("/folder/broken.ism/manifest.mpd", 500),
        ("/folder/gone.ism/manifest.mpd", 500),
        ("/folder/gone.ism/master.m3u8", 500),
    ] {
        assert_eq!(status(&origin, path), expected, "{path}");
    }
}

#[test]
fn empty_segments_do_not_count_whether_a_name_is_encoded_or_not() {
    let origin = Origin::new(objects());
    for slashes in ["/", "//", "////"] {
        for name in ["film.ism", "%66ilm.ism"] {
            for rest in ["Manifest", "QualityLevels(300)/Fragments(video=0)"] {
                let path = format!(
                    "{slashes}{name}{slashes}{}",
                    rest.replace(")/", &format!("){slashes}"))
                );
                assert_eq!(status(&origin, &path), 200, "{path}");
                assert_eq!(status(&origin, &format!("{path}{slashes}")), 200, "{path}{slashes}");
            }
        }
    }
}

#[test]
fn names_of_the_smooth_manifest_itself_give_it() {
    let origin = Origin::new(objects());
    let plain = get(&origin, "/film.ism/Manifest").unwrap();
    for path in ["/film.ism/Manifest(format=fmp4)", "/film.ism/manifest(format=fmp4-v20)"] {
        assert_eq!(get(&origin, path).unwrap(), plain, "{path}");
    }
    let compact = OpenOptions::default().layout(Layout::Compact);
    let origin = Origin::builder(objects()).open_options(compact).build();
    assert_eq!(status(&origin, "/film.ism/Manifest(format=fmp4)"), 200);
    assert_eq!(status(&origin, "/film.ism/Manifest(format=fmp4-v20)"), 415, "it has `r`");
}

#[test]
fn no_failure_of_a_request_is_taken_for_a_fault_of_the_content() {
    let origin = Origin::new(objects());
    for path in
        ["/film.ism/x", "/film.ism/QualityLevels(1)/Fragments(video=0)", "/none.ism/Manifest"]
    {
        let error = block_on(origin.answer(path)).unwrap_err();
        assert_eq!(error.kind.group(), ErrorGroup::Request, "{path}: {error}");
    }
}

#[test]
fn custom_attributes_choose_between_tracks_of_one_bitrate() {
    let tracks = [
        Track::regular(1, StreamKind::Video, 1, 20_000_000, 100),
        Track::regular(2, StreamKind::Video, 1, 20_000_000, 50),
    ];
    let client =
        String::from_utf8(ismc(&[(StreamKind::Video, "video", &[300, 300], &[0])])).unwrap();
    let mut profiles = ["Desktop", "Handheld"].iter();
    let client: String = client
        .split_inclusive('\n')
        .map(|line| match line.contains("QualityLevel Bitrate") {
            true => format!(
                "<QualityLevel Bitrate=\"300\"><CustomAttributes><Attribute Name=\"Profile\" Value=\"{}\"/>\
                 <Attribute Name=\"x\" Value=\"y\"/></CustomAttributes></QualityLevel>",
                profiles.next().unwrap()
            ),
            false => line.to_owned(),
        })
        .collect();
    let track = |id, profile| {
        format!(
            "<video src='film.ismv' systemBitrate='300'><param name='trackID' value='{id}'/>\
             <param name='Profile' value='{profile}'/><param name='x' value='y'/></video>"
        )
    };
    let server = format!(
        "<smil><head><meta name='clientManifestRelativePath' content='film.ismc'/></head><body><switch>{}{}</switch></body></smil>",
        track(2, "Handheld"),
        track(1, "Desktop")
    );
    let media = film::media(&tracks, Style::default());
    let store = store([
        ("film.ism", server.into_bytes()),
        ("film.ismc", client.into_bytes()),
        ("film.ismv", media.to_bytes()),
    ]);
    let origin = Origin::new(store);
    let len = |attributes: &str| {
        get(&origin, &format!("film.ism/QualityLevels(300{attributes})/RawFragments(video=0)"))
            .map(|b| b.len())
    };
    assert_eq!(len(",Profile=Desktop").unwrap(), 100);
    assert_eq!(len(",Profile=Handheld,x=y").unwrap(), 50);
    assert_eq!(len("").unwrap(), 100, "the first");
    assert!(len(",Profile=None").is_err());
    assert!(len(",x=y,x=y").is_ok(), "as many pairs as the track has");
    assert!(len(",x=y,x=y,x=y").is_err(), "no manifest asks for more than that");
}

#[test]
fn a_request_without_percent_is_parsed_located_and_answered_without_allocating() {
    let kind = |id| if id < 4 { StreamKind::Video } else { StreamKind::Audio };
    let tracks: Vec<_> =
        (1..=6).map(|id| Track::regular(id, kind(id), 30, 20_000_000, 3)).collect();
    let elements: Vec<_> =
        (1..=6).map(|id| (kind(id).element(), "film.ismv", id * 100_000, id, "")).collect();
    let media = film::media(&tracks, Style::default());
    let store = store([("film.ism", ism(None, &elements)), ("film.ismv", media.to_bytes())]);
    let origin = Origin::new(store);
    // The first answer looks at the fragment, and keeps what it found.
    let path = "QualityLevels(600000)/Fragments(audio=580000000)";
    get(&origin, &format!("film.ism/{path}")).unwrap();
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();

    for noun in ["Fragments", "FragmentInfo", "RawFragments"] {
        let path = path.replace("Fragments", noun);
        let counted = allocation_counter::measure(|| {
            let request = Request::parse(&path, None).unwrap();
            match mss::answer(opened.presentation(), &request).unwrap() {
                Step::Ready(reply) => assert!(reply.stored().is_some()),
                Step::Read(_) => panic!("it is known where the fragment lies"),
            }
        });
        assert_eq!(counted.count_total, 0, "{noun}: {counted:?}");
    }
    let counted = allocation_counter::measure(|| {
        let request = Request::Manifest(ManifestOptions::default());
        mss::answer(opened.presentation(), &request).map(drop).unwrap();
    });
    assert_eq!(counted.count_total, 0, "the manifest: {counted:?}");
}

proptest! {
    #[test]
    fn what_a_request_displays_it_parses(
        noun in prop::sample::select(Noun::ALL.to_vec()),
        bitrate: u32,
        time: u64,
        attributes in "([a-zA-Z_][a-zA-Z0-9_]{0,8}=[a-zA-Z0-9._~é %-]{0,8}(,[a-z]=[a-z%?#]{1,3}){0,2})?",
        stream in "[^/\\\\\0]{1,20}",
    ) {
        let request = FragmentRequest {
            noun,
            bitrate,
            attributes: attributes.into(),
            stream: stream.into(),
            time,
        };
        let path = request.to_string();
        let format = request.stream.rsplit_once(',').is_some_and(|(_, last)| last.trim_start().to_lowercase().starts_with("format"));
        prop_assume!(!format && !request.attributes.contains(')'));
        let parsed = FragmentRequest::parse(&path);
        prop_assert_eq!(parsed.unwrap(), request, "{}", path);
    }

    #[test]
    fn no_path_makes_the_origin_panic_or_leave_its_store(path in "[/a-zA-Z.%()=0-9\\\\:,éü \u{0}-\u{1f}]{0,60}(\\.ism)?[/%()A-Za-z=0-9]{0,40}") {
        let origin = Origin::new(objects());
        let status = status(&origin, &path);
        prop_assert!(matches!(status, 200 | 302 | 400 | 404 | 415 | 500), "{path:?} gave {status}");
    }
}
