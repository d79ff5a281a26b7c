//! Qualities that have the media of another quality, or of another bitrate.

use smooth_origin::manifest::StreamKind;
use smooth_origin::presentation::Finding;
use testkit::film::{self, Fragment, Style, Track, ism, ismc};
use testkit::{open, store};

const SECOND: u32 = 10_000_000;

/// A track of fragments of two seconds that have so many bits per second, each a little more or less.
fn track(id: u32, kind: StreamKind, bitrate: u32) -> Track {
    let fragment = |i: u32| Fragment {
        time: i64::from(i * 2 * SECOND),
        samples: vec![(2 * SECOND, bitrate / 4 + i * 7)],
    };
    Track::new(id, kind, (0..6).map(fragment).collect())
}

fn file(bitrate: u32) -> Vec<u8> {
    film::media(&[track(1, StreamKind::Video, bitrate)], Style::default()).to_bytes()
}

/// A presentation of these files with these bitrates, as their order says, with a stored manifest
/// and without. Returns the findings, which must be the same.
fn found(files: &[(&str, u32, Vec<u8>)]) -> Vec<Finding> {
    let elements: Vec<_> =
        files.iter().map(|(file, bitrate, _)| ("video", *file, *bitrate, 1, "")).collect();
    let bitrates: Vec<u32> = files.iter().map(|file| file.1).collect();
    let starts: Vec<u64> = (0..6).map(|i| i * 20_000_000).collect();
    let client = ismc(&[(StreamKind::Video, "video", &bitrates, &starts)]);
    let of = |client_name| {
        let objects = files.iter().map(|(name, _, bytes)| (*name, bytes.clone()));
        let manifests = [("film.ism", ism(client_name, &elements)), ("film.ismc", client.clone())];
        let store = store(manifests.into_iter().chain(objects));
        open(&store).unwrap().presentation().findings()
    };
    let (stored, generated) = (of(Some("film.ismc")), of(None));
    assert_eq!(stored, generated);
    stored
}

fn texts(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn qualities_with_media_of_their_own_bitrates_are_fine() {
    let declared = [2_000_000, 1_000_000, 500_000];
    // A declared bitrate is an average, a maximum, or a little less than the truth.
    for measured in [declared, [600_000, 500_000, 400_000], [2_400_000, 1_300_000, 900_000]] {
        let names = ["a.ismv", "b.ismv", "c.ismv"];
        let files: Vec<_> = (0..3).map(|i| (names[i], declared[i], file(measured[i]))).collect();
        assert_eq!(texts(&found(&files)), [""; 0], "{measured:?}");
    }
}

#[test]
fn a_file_that_was_copied_over_another_is_told_apart_by_its_bitrate() {
    for (bitrate, wrong, right) in [(500_000, 2_000_000, 500_000), (2_000_000, 500_000, 2_000_000)]
    {
        let files = [("high.ismv", 2_000_000, file(bitrate)), ("low.ismv", 500_000, file(bitrate))];
        let found = found(&files);
        let [finding] = &found[..] else { panic!("{:#?}", texts(&found)) };
        assert_eq!(finding.code.as_str(), "same-media");
        assert_eq!(finding.bitrate, Some(wrong));
        let says = format!("its media are those of video at {right}, ");
        assert!(finding.message.starts_with(&says), "{}", finding.message);
        let of_file = if wrong == 500_000 { "high.ismv" } else { "low.ismv" };
        let says = format!(" bit/s: its 6 fragments have the same sizes as those in {of_file}");
        assert!(finding.message.ends_with(&says), "{}", finding.message);
    }
}

#[test]
fn a_file_that_is_named_twice_is_reported_at_the_quality_that_it_does_not_fit() {
    let elements = [("video", "a.ismv", 2_000_000, 1, ""), ("video", "a.ismv", 500_000, 1, "")];
    let store = store([("film.ism", ism(None, &elements)), ("a.ismv", file(500_000))]);
    let found = open(&store).unwrap().presentation().findings();
    let [finding] = &found[..] else { panic!("{:#?}", texts(&found)) };
    assert_eq!((finding.code.as_str(), finding.bitrate), ("same-media", Some(2_000_000)));
    assert!(finding.message.ends_with(": both are the same track of the same file"));
}

/// Sound of a constant bitrate has fragments of one size, in each language and in each film.
#[test]
fn equal_sizes_of_all_fragments_are_no_evidence_but_equal_files_are() {
    let constant = |language: &[u8; 3], bitrate: u32| {
        let track = Track::regular(1, StreamKind::Audio, 6, 2 * SECOND, bitrate / 4);
        film::media(&[track.language(language)], Style::default()).to_bytes()
    };
    let elements = [("audio", "a.isma", 80_000, 1, ""), ("audio", "b.isma", 64_000, 1, "")];
    let client = [(StreamKind::Audio, "audio", &[80_000, 64_000][..], &[0, 20_000_000][..])];
    for (language, expected) in [(b"fra", 0), (b"eng", 1)] {
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &elements)),
            ("film.ismc", ismc(&client)),
            ("a.isma", constant(b"eng", 64_000)),
            ("b.isma", constant(language, 64_000)),
        ]);
        let found = open(&store).unwrap().presentation().findings();
        let same = found.iter().filter(|finding| finding.code.as_str() == "same-media");
        assert_eq!(same.count(), expected, "{:#?}", texts(&found));
    }
}

#[test]
fn media_of_more_than_twice_the_declared_bitrate_contradict_it() {
    let found =
        found(&[("a.ismv", 1_000_000, file(1_000_000)), ("b.ismv", 500_000, file(1_100_000))]);
    let [finding] = &found[..] else { panic!("{:#?}", texts(&found)) };
    assert_eq!((finding.code.as_str(), finding.bitrate), ("bitrate-contradicted", Some(500_000)));
    assert_eq!(finding.file.as_deref(), Some("b.ismv"));
    assert!(finding.message.starts_with("its media have 110"), "{}", finding.message);
}

#[test]
fn a_higher_quality_with_far_fewer_bits_than_a_lower_one_contradicts_its_bitrate() {
    let found =
        found(&[("a.ismv", 2_000_000, file(500_000)), ("b.ismv", 1_000_000, file(900_000))]);
    let [finding] = &found[..] else { panic!("{:#?}", texts(&found)) };
    assert_eq!((finding.code.as_str(), finding.bitrate), ("bitrate-contradicted", Some(2_000_000)));
    assert!(finding.message.ends_with(" bit/s of video at 1000000"), "{}", finding.message);
}

/// A file of one video track with pictures of this width.
fn pictures(bitrate: u32, width: u16) -> Vec<u8> {
    let mut file = file(bitrate);
    let entry = file.windows(4).position(|word| word == b"avc1").unwrap();
    // After the format, there are 24 bytes before width and height.
    file[entry + 28..entry + 30].copy_from_slice(&width.to_be_bytes());
    file
}

#[test]
fn pictures_of_the_size_of_another_quality_are_reported_whatever_their_bitrate() {
    let level = |bitrate: u32, width: u32| {
        format!(r#"<QualityLevel Bitrate="{bitrate}" MaxWidth="{width}" MaxHeight="360"/>"#)
    };
    let starts: Vec<u64> = (0..6).map(|i| i * 20_000_000).collect();
    let client = ismc(&[(StreamKind::Video, "video", &[2_000_000, 500_000], &starts)]);
    let client = String::from_utf8(client).unwrap();
    let client = [(2_000_000, 1280), (500_000, 640)].iter().fold(client, |text, of| {
        text.replace(&format!(r#"<QualityLevel Bitrate="{}"/>"#, of.0), &level(of.0, of.1))
    });
    assert!(client.contains(r#"MaxWidth="1280""#), "{client}");
    let elements = [("video", "a.ismv", 2_000_000, 1, ""), ("video", "b.ismv", 500_000, 1, "")];
    // Right; that of the other; one that is only cropped; one that no quality has.
    for (width, expected) in [(1280, 0), (640, 1), (1272, 0), (960, 0)] {
        let store = store([
            ("film.ism", ism(Some("film.ismc"), &elements)),
            ("film.ismc", client.clone().into_bytes()),
            ("a.ismv", pictures(1_500_000, width)),
            ("b.ismv", pictures(500_000, 640)),
        ]);
        let found = open(&store).unwrap().presentation().findings();
        assert_eq!(found.len(), expected, "{:#?}", texts(&found));
        if let [finding] = &found[..] {
            let says = "its media have pictures of 640 × 360, as video at 500000 should; the manifest says 1280 × 360";
            assert_eq!((finding.code.as_str(), &*finding.message), ("pictures-contradicted", says));
            assert_eq!(finding.file.as_deref(), Some("a.ismv"));
        }
    }
}

/// The index may have one track of several: then nothing says which bytes are its own.
#[test]
fn bytes_of_a_track_without_an_index_are_not_those_of_the_track_before_them() {
    let tracks = [track(1, StreamKind::Video, 60_000), track(2, StreamKind::Audio, 300_000)];
    let mut media = film::media(&tracks, Style { mfra: false, ..Style::default() });
    let of_video = media.fragments.iter().filter(|(id, ..)| *id == 1);
    let entries: Vec<(u64, u64)> =
        of_video.map(|(_, time, range)| (*time as u64, range.start)).collect();
    film::push_mfra(&mut media, &vec![(1, entries)]);
    let store = store([
        ("film.ism", ism(None, &[("video", "film.ismv", 60_000, 1, "")])),
        ("film.ismv", media.to_bytes()),
    ]);
    let found = open(&store).unwrap().presentation().findings();
    assert_eq!(texts(&found), [""; 0]);
}
