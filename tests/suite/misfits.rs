//! Files and manifests that do not fit each other: what can be served of them is, and never one
//! thing as another.

use smooth_origin::bmff::{AnyBox, Boxes, FullBox, Mfhd, Stsz, Tfdt, Tfhd, Trun};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::presentation::ManifestSource;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Fragment, Media, Style, Track, ism, ismc};
use testkit::{codes, get, open, status, store};

const VIDEO: (&str, &str, u32, u32, &str) = ("video", "film.ismv", 300, 1, "");

/// A fragment by its boxes: what its `traf` holds beside the `tfhd`, what lies between `moof` and
/// `mdat`, and the `mdat`.
struct Made {
    time: u64,
    traf: Vec<AnyBox>,
    between: Vec<AnyBox>,
    payload: u32,
}

/// A file of one video track with these fragments, and an index.
fn made(fragments: impl IntoIterator<Item = Made>) -> Vec<u8> {
    let mut media = Media::default();
    media.push(b"\0\0\0\x18ftypisml\0\0\0\x01piffiso2".to_vec());
    let push = |media: &mut Media, boxes: Vec<AnyBox>| {
        media.push(Boxes::from_iter(boxes).to_bytes().to_vec());
    };
    push(&mut media, vec![film::moov(&[Track::new(1, StreamKind::Video, Vec::new())])]);
    let mut entries = Vec::new();
    for Made { time, traf, between, payload } in fragments {
        entries.push((time, media.len));
        let tfhd = AnyBox::new(Tfhd { track_id: 1, ..Tfhd::default() });
        let traf = AnyBox::container(*b"traf", [vec![tfhd], traf].concat());
        let moof = AnyBox::container(*b"moof", [AnyBox::new(Mfhd::default()), traf]);
        let mdat = AnyBox::other(*b"mdat", vec![7; payload as usize]);
        push(&mut media, [vec![moof], between, vec![mdat]].concat());
    }
    film::push_mfra(&mut media, &vec![(1, entries)]);
    media.read(0..media.len)
}

/// A run of one sample.
fn run(duration: u32, size: u32, composition_offset: i32) -> AnyBox {
    let samples = [duration, size, composition_offset as u32].map(u32::to_be_bytes).concat();
    let flags = Trun::DURATION | Trun::SIZE | Trun::COMPOSITION_OFFSET;
    let full = FullBox { version: 0, flags };
    AnyBox::new(Trun { full, sample_count: 1, entries: samples.into(), ..Trun::default() })
}

fn starts(count: u64) -> Vec<u64> {
    (0..count).map(|i| i * 20_000_000).collect()
}

fn regular(id: u32, kind: StreamKind, size: u32) -> Track {
    Track::regular(id, kind, 3, 20_000_000, size)
}

fn file(track: Track) -> Vec<u8> {
    film::media(&[track], Style::default()).to_bytes()
}

fn findings(store: &MemoryStore) -> Vec<String> {
    codes(open(store).unwrap().presentation())
}

/// Bytes of the payload of the first fragment.
fn payload(store: &MemoryStore, bitrate: u32, stream: &str) -> usize {
    let path = format!("film.ism/QualityLevels({bitrate})/RawFragments({stream}=0)");
    get(&Origin::new(store.clone()), &path).unwrap().len()
}

#[test]
fn an_index_of_decoding_times_fits_though_the_first_picture_is_shown_later() {
    // Bento4's mp4fragment writes `tfdt` into `tfra`; with B frames the first picture is late.
    let fragment = |time| {
        let full = FullBox { version: 1, flags: 0 };
        let tfdt = AnyBox::new(Tfdt { full, base_media_decode_time: time });
        let traf = vec![tfdt, run(20_000_000, 100, 834_166)];
        Made { time, traf, between: Vec::new(), payload: 100 }
    };
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
        ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], &starts(5))])),
        ("film.ismv", made(starts(5).into_iter().map(fragment))),
    ]);
    assert_eq!(findings(&store), Vec::<String>::new());
    let origin = Origin::new(store);
    assert_eq!(status(&origin, "film.ism/Manifest"), 200);
    for time in starts(5) {
        let path = format!("film.ism/QualityLevels(300)/Fragments(video={time})");
        assert_eq!(status(&origin, &path), 200, "{path}");
    }
}

#[test]
fn a_long_box_between_moof_and_mdat_is_part_of_the_fragment() {
    let fragment = |time| {
        let free = AnyBox::other(*b"free", vec![0; 10 << 10]);
        let traf = vec![run(20_000_000, 100_000, 0)];
        Made { time, traf, between: vec![free], payload: 100_000 }
    };
    let file = made(starts(5).into_iter().map(fragment));
    let store = store([("film.ism", ism(None, &[VIDEO])), ("film.ismv", file.clone())]);
    let origin = Origin::new(store);
    let path = "film.ism/QualityLevels(300)/Fragments(video=20000000)";
    for _ in 0..2 {
        let body = get(&origin, path).unwrap();
        assert!(body.len() > 110_000);
        assert!(file.windows(body.len()).any(|part| part == body));
    }
}

#[test]
fn sound_of_one_bitrate_without_names_is_told_apart_by_its_language() {
    let of = |language, size| file(regular(1, StreamKind::Audio, size).language(language));
    let track = |language| {
        format!(
            r#"<audio src="{language}.isma" systemBitrate="64" systemLanguage="{language}"><param name="trackID" value="1"/></audio>"#
        )
    };
    let stream = |language| {
        format!(
            r#"<StreamIndex Type="audio" Name="audio_{language}" Language="{language}"><QualityLevel Bitrate="64"/><c t="0" d="20000000" r="3"/></StreamIndex>"#
        )
    };
    let server = format!(
        r#"<smil><head><meta name="clientManifestRelativePath" content="film.ismc"/></head><body><switch>{}{}</switch></body></smil>"#,
        track("eng"),
        track("fra")
    );
    // In another order than the server manifest.
    let client = format!(
        r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="60000000">{}{}</SmoothStreamingMedia>"#,
        stream("fra"),
        stream("eng")
    );
    let store = store([
        ("film.ism", server.into_bytes()),
        ("film.ismc", client.into_bytes()),
        ("eng.isma", of(b"eng", 111)),
        ("fra.isma", of(b"fra", 222)),
    ]);
    assert_eq!(payload(&store, 64, "audio_eng"), 111);
    assert_eq!(payload(&store, 64, "audio_fra"), 222);
}

#[test]
fn a_track_number_of_pictures_is_not_served_as_sound() {
    let tracks = [regular(1, StreamKind::Video, 500), regular(2, StreamKind::Audio, 50)];
    let store = store([
        ("film.ism", ism(None, &[VIDEO, ("audio", "film.ismv", 64, 1, "")])),
        ("film.ismv", film::media(&tracks, Style::default()).to_bytes()),
    ]);
    assert_eq!(findings(&store), ["warning manifests-disagree"]);
    assert_eq!((payload(&store, 300, "video"), payload(&store, 64, "audio")), (500, 50));
}

#[test]
fn any_number_of_events_at_one_time_does_not_cost_the_stored_manifest() {
    let event = |i: u64| format!(r#"<c t="{0}" d="0"/><c t="{0}" d="0"/>"#, i * 10);
    let events: String = (0..70).map(event).collect();
    let client = format!(
        r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="60000000">
<StreamIndex Type="video" Name="video"><QualityLevel Bitrate="300"/><c t="0" d="20000000" r="3"/></StreamIndex>
<StreamIndex Type="text" Name="events" ManifestOutput="TRUE"><QualityLevel Bitrate="1"/>{events}</StreamIndex>
</SmoothStreamingMedia>"#
    );
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
        ("film.ismc", client.clone().into_bytes()),
        ("film.ismv", file(regular(1, StreamKind::Video, 100))),
    ]);
    let opened = open(&store).unwrap();
    assert_eq!(opened.presentation().manifest_source(), ManifestSource::Stored);
    assert_eq!(opened.presentation().manifest().unwrap()[..], *client.as_bytes());
}

#[test]
fn a_file_that_is_late_fits_a_manifest_of_coarser_times_that_were_cut_off() {
    // The manifest counts milliseconds from 0, rounded down; the file 100 ns from 1.23 s.
    const LATE: i64 = 12_344_500;
    let time = |i: i64| i * 21_594_557;
    let fragment = |i| Fragment { time: LATE + time(i), samples: vec![(21_594_557, 100)] };
    let track = Track::new(1, StreamKind::Audio, (0..40).map(fragment).collect());
    let chunk = |i| format!(r#"<c t="{}" d="2159"/>"#, time(i) / 10_000);
    let chunks: String = (0..40).map(chunk).collect();
    let client = format!(
        r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" TimeScale="1000" Duration="86000"><StreamIndex Type="audio" Name="audio" Url="QualityLevels({{bitrate}})/Fragments(audio={{start time}})"><QualityLevel Bitrate="64"/>{chunks}</StreamIndex></SmoothStreamingMedia>"#
    );
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[("audio", "film.ismv", 64, 1, "")])),
        ("film.ismc", client.into_bytes()),
        ("film.ismv", file(track)),
    ]);
    let wanted = ["warning timescales-differ", "info times-shifted", "info timescale-unusual"];
    assert_eq!(findings(&store), wanted);
    let origin = Origin::new(store);
    for i in 0..40 {
        let path = format!("film.ism/QualityLevels(64)/Fragments(audio={})", time(i) / 10_000);
        assert_eq!(status(&origin, &path), 200, "{path}");
    }
}

#[test]
fn a_track_that_another_names_is_not_served_for_one_that_the_file_does_not_have() {
    let track = || Track::regular(2, StreamKind::Video, 3, 20_000_000, 100);
    let media = || film::media(&[track()], Style::default()).to_bytes();
    let tracks = |ids: &[u32]| {
        let track = |id: &u32| ("video", "film.ismv", 100 * id, *id, "");
        ism(None, &ids.iter().map(track).collect::<Vec<_>>())
    };
    let ask = |ids: &[u32]| {
        let origin = Origin::new(store([("film.ism", tracks(ids)), ("film.ismv", media())]));
        let path = |id| format!("film.ism/QualityLevels({})/Fragments(video=0)", 100 * id);
        ids.iter().map(|id| status(&origin, &path(*id))).collect::<Vec<_>>()
    };
    assert_eq!(ask(&[1]), [200], "only one can be meant");
    assert_eq!(ask(&[1, 2]), [404, 200]);
}

/// A manifest that a tool damaged in one place is served, corrected in just that place.
#[test]
fn one_odd_thing_does_not_cost_the_stored_manifest() {
    let times = starts(3);
    let client = ismc(&[
        (StreamKind::Video, "video", &[300], &times),
        (StreamKind::Audio, "audio", &[64], &times),
    ]);
    let client = String::from_utf8(client).unwrap().replace("</Smooth", "<Label a=\"b\"/></Smooth");
    let client = format!("<?xml version=\"1.0\"?>\n{client}");
    let tracks = [regular(1, StreamKind::Video, 500), regular(2, StreamKind::Audio, 50)];
    let media = film::media(&tracks, Style::default()).to_bytes();
    let odd = |stream: &str| client.replace("<Label", &format!("{stream}<Label"));
    for (stored, served) in [
        (odd("<StreamIndex Type=\"data\" Name=\"meta\"/>"), client.clone()),
        (client.replace("\"300\"", "\"300.0\""), client.clone()),
        (client.clone() + "\0\0\0", client.clone()),
        (client.clone() + "\x1a", client.clone()),
        (format!("\n<!-- x -->{client}"), client.clone()),
        (format!("\u{feff}\u{feff}{client}"), format!("\u{feff}{client}")),
    ] {
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[VIDEO, ("audio", "film.ismv", 64, 2, "")])),
            ("film.ismc", stored.clone().into_bytes()),
            ("film.ismv", media.clone()),
        ]);
        let opened = open(&store).unwrap();
        let presentation = opened.presentation();
        assert_eq!(presentation.manifest_source(), ManifestSource::Mended, "{stored:?}");
        assert_eq!(presentation.manifest().unwrap()[..], *served.as_bytes());
        let wanted = match stored.contains("Type=\"data\"") {
            true => "error manifest-part-left-out",
            false => "warning manifest-corrected",
        };
        assert_eq!(codes(presentation), [wanted], "{stored:?}");
        assert_eq!((payload(&store, 300, "video"), payload(&store, 64, "audio")), (500, 50));
    }
}

#[test]
fn a_stream_that_cannot_be_read_is_cut_out_and_its_media_are_not_served_as_another() {
    let times = starts(3);
    let streams: &[(StreamKind, &str, &[u32], &[u64])] = &[
        (StreamKind::Video, "video", &[300], &times),
        (StreamKind::Audio, "audio", &[64], &times),
    ];
    let client = String::from_utf8(ismc(streams)).unwrap().replace("\"64\"", "\"-64\"");
    let tracks = [regular(1, StreamKind::Video, 500), regular(2, StreamKind::Audio, 50)];
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO, ("audio", "film.ismv", 64, 2, "")])),
        ("film.ismc", client.into_bytes()),
        ("film.ismv", film::media(&tracks, Style::default()).to_bytes()),
    ]);
    let wanted = [
        "error manifest-part-left-out",
        "error manifest-part-left-out",
        "info track-not-announced",
    ];
    assert_eq!(findings(&store), wanted);
    assert_eq!(payload(&store, 300, "video"), 500);
    let origin = Origin::new(store);
    for path in ["QualityLevels(64)/Fragments(audio=0)", "QualityLevels(64)/Fragments(video=0)"] {
        assert_eq!(status(&origin, &format!("film.ism/{path}")), 404, "{path}");
    }
}

/// As ffmpeg announces sound with priming samples: the first `t` is 2^64 less than them.
#[test]
fn sound_that_begins_before_0_is_announced_from_0() {
    const PRIMING: i64 = 213_333;
    let fragment = |i: i64| Fragment {
        time: 20_000_000 * i - PRIMING,
        samples: vec![(20_000_000, 50 + i as u32)],
    };
    let sound = || Track::new(1, StreamKind::Audio, (0..3).map(fragment).collect());
    let before_0 = (-PRIMING) as u64;
    let later = 20_000_000 - PRIMING;
    for (chunks, starts) in [
        (
            format!(r#"<c t="{before_0}" d="20000000"/><c d="20000000"/><c d="20000000"/>"#),
            [0, 20_000_000, 40_000_000],
        ),
        (
            format!(r#"<c t="{before_0}" d="20000000"/><c t="{later}" d="20000000" r="2"/>"#),
            [0, later, later + 20_000_000],
        ),
    ] {
        let client = format!(
            r#"<SmoothStreamingMedia MajorVersion="2" MinorVersion="2" Duration="60000000"><StreamIndex Type="audio" Name="audio" Url="QualityLevels({{bitrate}})/Fragments(audio={{start time}})"><QualityLevel Bitrate="64"/>{chunks}</StreamIndex></SmoothStreamingMedia>"#
        );
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[("audio", "film.ismv", 64, 1, "")])),
            ("film.ismc", client.into_bytes()),
            ("film.ismv", file(sound())),
        ]);
        let opened = open(&store).unwrap();
        assert_eq!(opened.presentation().manifest_source(), ManifestSource::Mended);
        assert!(findings(&store).contains(&"warning manifest-corrected".to_owned()));
        let origin = Origin::new(store);
        for (size, start) in (50..).zip(starts) {
            let path = format!("film.ism/QualityLevels(64)/RawFragments(audio={start})");
            assert_eq!(get(&origin, &path).unwrap().len(), size, "{path}");
        }
    }
}

#[test]
fn qualities_in_another_order_at_rounded_bitrates_are_the_files_of_the_nearest() {
    let of = |size| file(regular(1, StreamKind::Video, size));
    let track = |bitrate, src| ("video", src, bitrate, 1, "");
    let tracks =
        [track(805_000, "low.ismv"), track(1_502_000, "mid.ismv"), track(3_005_000, "high.ismv")];
    let bitrates = [3_000_000, 1_500_000, 800_000];
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &tracks)),
        ("film.ismc", ismc(&[(StreamKind::Video, "video", &bitrates, &starts(3))])),
        ("low.ismv", of(100)),
        ("mid.ismv", of(200)),
        ("high.ismv", of(300)),
    ]);
    assert_eq!(findings(&store), ["warning manifests-disagree"; 3]);
    assert_eq!(bitrates.map(|bitrate| payload(&store, bitrate, "video")), [300, 200, 100]);
}

#[test]
fn a_quality_whose_track_cannot_be_told_is_an_error() {
    let of = |size| file(regular(1, StreamKind::Video, size));
    let tracks = [("video", "one.ismv", 100, 1, ""), ("video", "other.ismv", 200, 1, "")];
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &tracks)),
        ("film.ismc", ismc(&[(StreamKind::Video, "video", &[3000, 9000], &starts(3))])),
        ("one.ismv", of(100)),
        ("other.ismv", of(200)),
    ]);
    assert_eq!(findings(&store), ["error track-guessed"; 2]);
}

#[test]
fn a_film_that_says_it_is_live_and_a_stream_without_a_url_are_findings() {
    let client = ismc(&[(StreamKind::Video, "video", &[300], &starts(3))]);
    let client = String::from_utf8(client).unwrap();
    let url = " Url=\"QualityLevels({bitrate})/Fragments(video={start time})\"";
    assert!(client.contains(url));
    for (client, wanted) in [
        (client.clone(), &[][..]),
        (client.replacen(" Duration", " IsLive=\"TRUE\" Duration", 1), &["warning live-film"]),
        (client.replacen(" Duration", " IsLive=\"False\" Duration", 1), &[]),
        (client.replacen(url, "", 1), &["warning url-missing"]),
    ] {
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
            ("film.ismc", client.clone().into_bytes()),
            ("film.ismv", file(regular(1, StreamKind::Video, 500))),
        ]);
        assert_eq!(findings(&store), wanted, "{client}");
        let opened = open(&store).unwrap();
        assert_eq!(opened.presentation().manifest_source(), ManifestSource::Stored);
    }
}

#[test]
fn a_url_that_is_not_answered_here_is_an_error_and_the_manifest_is_kept() {
    let client = ismc(&[(StreamKind::Video, "video", &[300], &starts(3))]);
    let client = String::from_utf8(client).unwrap();
    let url = "QualityLevels({bitrate})/Fragments(video={start time})";
    assert!(client.contains(url));
    for (other, wanted) in [
        (
            "http://host/film.ism/QualityLevels({bitrate})/Fragments(video={start time})",
            &["error url-unanswered"][..],
        ),
        ("QualityLevels%28{bitrate}%29/Fragments%28video%3D{start time}%29", &[]),
        ("content?stream=video&amp;bitrate={bitrate}", &["error url-unanswered"]),
        ("QualityLevels({bitrate})/Fragments(a%2Fb={start time})", &["error url-unanswered"]),
        (
            "QualityLevels({bitrate})/Fragments(video={start time},format=x)",
            &["error url-unanswered"],
        ),
    ] {
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
            ("film.ismc", client.replacen(url, other, 1).into_bytes()),
            ("film.ismv", file(regular(1, StreamKind::Video, 500))),
        ]);
        assert_eq!(findings(&store), wanted, "{other}");
        let opened = open(&store).unwrap();
        assert_eq!(opened.presentation().manifest_source(), ManifestSource::Stored);
    }
}

#[test]
fn a_uuid_box_too_short_for_its_type_costs_the_header_nothing() {
    let track = regular(1, StreamKind::Video, 500);
    let mut header = Boxes::from_iter([film::moov(std::slice::from_ref(&track))]);
    let moov = header.inside_mut(*b"moov").unwrap();
    moov.list.push(AnyBox::other(*b"uuid", vec![1; 8]));
    let film = file(track);
    let moof = film.windows(4).position(|word| word == b"moof").unwrap() - 4;
    let mfra = film.windows(4).position(|word| word == b"mfra").unwrap() - 4;
    let film = [&header.to_bytes(), &film[moof..mfra]].concat();
    let client = ismc(&[(StreamKind::Video, "video", &[300], &starts(3))]);
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
        ("film.ismc", client),
        ("film.ismv", film),
    ]);
    assert_eq!(findings(&store), ["warning box-unreadable", "warning index-rebuilt"]);
    assert_eq!(payload(&store, 300, "video"), 500);
}

#[test]
fn samples_in_the_header_are_an_error_and_the_fragments_are_served() {
    let stsz = |count| AnyBox::new(Stsz { sample_count: count, ..Stsz::default() });
    let stco = |count: u8, entries: &[u8]| {
        AnyBox::other(*b"stco", [&[0, 0, 0, 0, 0, 0, 0, count], entries].concat())
    };
    let co64 = |count: u8, entries: &[u8]| {
        AnyBox::other(*b"co64", [&[0, 0, 0, 0, 0, 0, 0, count], entries].concat())
    };
    let stz2 = |count: u8| {
        let head = [0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, count];
        AnyBox::other(*b"stz2", [&head[..], &vec![1; count.into()]].concat())
    };
    for (boxes, wanted) in [
        (vec![stsz(50), stco(1, &[0, 0, 0, 9])], &["error samples-in-header"][..]),
        (vec![stsz(50), co64(1, &[0, 0, 0, 0, 0, 0, 0, 9])], &["error samples-in-header"]),
        (vec![stz2(50), stco(1, &[0, 0, 0, 9])], &["error samples-in-header"]),
        (vec![stsz(0), stco(0, &[])], &[]),
        (vec![stsz(50), stco(1, &[])], &["warning box-unreadable"]),
        (vec![stsz(50)], &[]),
    ] {
        let track = regular(1, StreamKind::Video, 500);
        let mut header = Boxes::from_iter([film::moov(std::slice::from_ref(&track))]);
        let path = [*b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl"];
        let stbl = path.iter().fold(&mut header, |boxes, &kind| boxes.inside_mut(kind).unwrap());
        stbl.list.extend(boxes);
        let film = file(track);
        // The walk finds the fragments, which have moved: the index is left out.
        let moof = film.windows(4).position(|word| word == b"moof").unwrap() - 4;
        let mfra = film.windows(4).position(|word| word == b"mfra").unwrap() - 4;
        let film = [&header.to_bytes(), &film[moof..mfra]].concat();
        let client = ismc(&[(StreamKind::Video, "video", &[300], &starts(3))]);
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &[VIDEO])),
            ("film.ismc", client),
            ("film.ismv", film),
        ]);
        let mut found = findings(&store);
        found.retain(|code| code != "warning index-rebuilt");
        assert_eq!(found, wanted);
        assert_eq!(payload(&store, 300, "video"), 500);
    }
}

/// Makes a file of three fragments of one sample of `size` bytes, with pictures of this width and
/// this byte in its parameter set.
fn pictures(size: u32, width: u16, profile: u8) -> Vec<u8> {
    let mut bytes = file(regular(1, StreamKind::Video, size));
    let entry = bytes.windows(4).position(|word| word == b"avc1").unwrap();
    // After the format, there are 24 bytes before width and height.
    bytes[entry + 28..entry + 30].copy_from_slice(&width.to_be_bytes());
    let sps = bytes.windows(5).position(|unit| unit == [0x67, 66, 0, 30, 1]).unwrap();
    bytes[sps + 4] = profile;
    bytes
}

/// Makes a client manifest of qualities, each with its bitrate and further attributes.
fn qualities(list: &[(u32, &str)]) -> Vec<u8> {
    let client = ismc(&[(StreamKind::Video, "video", &[1], &starts(3))]);
    let quality = |(bitrate, other): &(u32, &str)| {
        format!(r#"<QualityLevel Bitrate="{bitrate}" FourCC="H264" {other}/>"#)
    };
    let all: String = list.iter().map(quality).collect();
    let client = String::from_utf8(client).unwrap();
    client.replace(r#"<QualityLevel Bitrate="1"/>"#, &all).into_bytes()
}

#[test]
fn qualities_of_other_bitrates_are_told_apart_by_what_their_media_shows() {
    let tracks = [("video", "one.ismv", 1, 1, ""), ("video", "other.ismv", 2, 1, "")];
    let private = |last: &str| format!("CodecPrivateData=\"000000016742001e{last}000000016801\"");
    for (first, second) in [
        (
            r#"MaxWidth="1280" MaxHeight="360""#.to_owned(),
            r#"MaxWidth="640" MaxHeight="360""#.to_owned(),
        ),
        (private("09"), private("05")),
    ] {
        // In another order than the server manifest.
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &tracks)),
            ("film.ismc", qualities(&[(3000, &first), (9000, &second)])),
            ("one.ismv", pictures(100, 640, 5)),
            ("other.ismv", pictures(200, 1280, 9)),
        ]);
        assert_eq!(findings(&store), ["warning manifests-disagree"; 2], "{first}");
        assert_eq!([3000, 9000].map(|bitrate| payload(&store, bitrate, "video")), [200, 100]);
    }
}

#[test]
fn a_track_whose_pictures_have_another_size_is_never_guessed() {
    let tracks = [("video", "one.ismv", 1, 1, ""), ("video", "other.ismv", 2, 1, "")];
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &tracks)),
        (
            "film.ismc",
            qualities(&[
                (3000, r#"MaxWidth="1920" MaxHeight="1080""#),
                (9000, r#"MaxWidth="640" MaxHeight="360""#),
                (9500, r#"MaxWidth="640" MaxHeight="368""#),
            ]),
        ),
        ("one.ismv", pictures(100, 640, 5)),
        ("other.ismv", pictures(200, 640, 5)),
    ]);
    let origin = Origin::new(store.clone());
    let path = |bitrate| format!("film.ism/QualityLevels({bitrate})/Fragments(video=0)");
    // The two smaller ones cannot be told apart: they are served in order, each with an error.
    assert_eq!([3000, 9000, 9500].map(|bitrate| status(&origin, &path(bitrate))), [404, 200, 200]);
    let found = findings(&store);
    assert_eq!(found.iter().filter(|code| *code == "error track-guessed").count(), 2, "{found:?}");
    assert!(found.contains(&"error track-missing".into()), "{found:?}");
    let opened = open(&store).unwrap();
    assert!(!testkit::manifest(opened.presentation()).contains("3000"), "it is not announced");
}

#[test]
fn a_single_track_whose_pictures_have_another_size_is_not_served() {
    let store_of = |bitrate, list: &[(u32, &str)]| {
        let tracks = [("video", "one.ismv", bitrate, 1, "")];
        store([
            ("film.ism", ism(Some("film.ismc"), &tracks)),
            ("film.ismc", qualities(list)),
            ("one.ismv", pictures(100, 640, 5)),
        ])
    };
    let store = store_of(1, &[(3000, r#"MaxWidth="1920" MaxHeight="1080""#)]);
    let found = findings(&store);
    assert_eq!(found[..2], ["error track-guessed", "error track-missing"], "{found:?}");
    let path = "film.ism/QualityLevels(3000)/Fragments(video=0)";
    assert_eq!(status(&Origin::new(store), path), 404);

    // Without bitrates, there is no other choice: the size may be that of the display.
    let store = store_of(0, &[(0, r#"MaxWidth="1024" MaxHeight="576""#)]);
    assert_eq!(payload(&store, 0, "video"), 100);
}

#[test]
fn attributes_that_players_do_not_ask_for_are_an_error() {
    let attribute = |value: u32| {
        format!(
            r#"<QualityLevel Bitrate="300"><CustomAttributes><Attribute Name="angle" Value="{value}"/></CustomAttributes></QualityLevel>"#
        )
    };
    let two = format!("{}{}", attribute(1), attribute(2));
    let client = ismc(&[(StreamKind::Video, "video", &[300], &starts(3))]);
    let client = String::from_utf8(client).unwrap();
    let with_two = client.replace(r#"<QualityLevel Bitrate="300"/>"#, &two);
    let asked = with_two.replace("({bitrate})", "({bitrate},{CustomAttributes})");
    let one = client.replace(r#"<QualityLevel Bitrate="300"/>"#, &attribute(1));
    let param = |value| {
        format!(
            r#"<video src="film.ismv" systemBitrate="300"><param name="trackID" value="{value}"/><param name="angle" value="{value}"/></video>"#
        )
    };
    let server = format!(
        r#"<smil><head><meta name="clientManifestRelativePath" content="film.ismc"/></head><body><switch>{}{}</switch></body></smil>"#,
        param(1),
        param(2)
    );
    let tracks = [regular(1, StreamKind::Video, 100), regular(2, StreamKind::Video, 200)];
    let media = film::media(&tracks, Style::default()).to_bytes();
    for (client, wanted) in [
        (with_two, &["error attributes-not-asked"][..]),
        (asked, &[]),
        (one, &["info track-not-announced"]),
    ] {
        let store = store([
            ("film.ism", server.clone().into_bytes()),
            ("film.ismc", client.into_bytes()),
            ("film.ismv", media.clone()),
        ]);
        assert_eq!(findings(&store), wanted);
    }
}
