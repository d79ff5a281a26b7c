//! Files that were cut off: the findings name the file first, then what it costs, and blame nothing
//! that is whole.

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::presentation::{Finding, FindingCode, Severity};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Media, Style, Track, ism, ismc};
use testkit::{get, open, status, store};

const SECOND: u32 = 10_000_000;
const HIGH: (&str, &str, u32, u32, &str) = ("video", "high.ismv", 600, 1, "");
const LOW: (&str, &str, u32, u32, &str) = ("video", "low.ismv", 300, 1, "");

/// A file of one video track of this many fragments, each of this duration.
fn video(count: u32, duration: u32, size: u32) -> Media {
    film::media(&[Track::regular(1, StreamKind::Video, count, duration, size)], Style::default())
}

/// The bytes of a file up to the middle of its fragment of this number.
fn cut_in(media: &Media, number: usize) -> Vec<u8> {
    let range = &media.fragments[number].2;
    media.read(0..range.start.midpoint(range.end))
}

fn starts(count: u64) -> Vec<u64> {
    (0..count).map(|i| i * 20_000_000).collect()
}

fn findings(store: &MemoryStore) -> Vec<Finding> {
    open(store).unwrap().presentation().findings()
}

fn texts(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

/// A presentation with a whole file and one that has lost everything from a fragment on.
fn half(client: bool, whole: usize) -> MemoryStore {
    let client_name = client.then_some("film.ismc");
    let mut objects = vec![
        ("film.ism", ism(client_name, &[HIGH, LOW])),
        ("high.ismv", cut_in(&video(6, 2 * SECOND, 400), whole)),
        ("low.ismv", video(6, 2 * SECOND, 200).to_bytes()),
    ];
    if client {
        let text = ismc(&[(StreamKind::Video, "video", &[600, 300], &starts(6))]);
        objects.push(("film.ismc", text));
    }
    store(objects)
}

#[test]
fn the_cut_file_is_named_first_and_the_chunks_that_it_lacks_follow() {
    let media = video(6, 2 * SECOND, 400);
    for (whole, has, lacks) in [
        (1, "1 whole fragment, the first 2.000 s", "5 of its 6 chunks have no fragment"),
        (4, "4 whole fragments, the first 8.000 s", "2 of its 6 chunks have no fragment"),
        (5, "5 whole fragments, the first 10.000 s", "1 of its 6 chunks has no fragment"),
    ] {
        for client in [true, false] {
            let found = findings(&half(client, whole));
            let (cut, lacking) = (&found[0], &found[1]);
            assert_eq!(cut.code, FindingCode::RecordingCutOff, "{found:?}");
            assert_eq!(cut.file.as_deref(), Some("high.ismv"));
            let at = media.fragments[whole].2.start;
            let inside = format!("inside the fragment that begins at byte {at}; it has {has}");
            assert!(cut.message.ends_with(&inside), "{}", cut.message);
            assert_eq!(lacking.code, FindingCode::ChunksWithoutMedia, "{found:?}");
            assert_eq!(lacking.chunk, Some(whole as u64 * 20_000_000));
            assert!(lacking.message.starts_with(lacks), "{}", lacking.message);
            assert!(lacking.message.contains("its file, which was cut off"));
            // Nothing else is wrong, and above all not the whole file.
            assert_eq!(found.len(), 2, "{:#?}", texts(&found));
        }
    }
}

#[test]
fn a_file_that_is_cut_in_its_first_fragment_has_none() {
    let found = findings(&half(true, 0));
    let codes: Vec<_> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["recording-cut-off", "index-missing", "manifest-mended"]);
    assert!(found[0].message.ends_with("; it has no whole fragment"), "{}", found[0].message);
}

#[test]
fn a_stored_manifest_stays_as_it_is_and_what_is_whole_is_served() {
    let store = half(true, 4);
    let origin = Origin::new(store.clone());
    let text = ismc(&[(StreamKind::Video, "video", &[600, 300], &starts(6))]);
    assert_eq!(get(&origin, "film.ism/Manifest").unwrap(), text);
    for (bitrate, start, answer) in [(600, 3, 200), (600, 4, 404), (600, 5, 404), (300, 5, 200)] {
        let time = start * 20_000_000_u64;
        let path = format!("film.ism/QualityLevels({bitrate})/Fragments(video={time})");
        assert_eq!(status(&origin, &path), answer, "{path}");
    }
}

/// A track of shorter chunks has more of them even if it was cut off. It must not give the chunks of
/// a generated manifest, by which the whole track would be the wrong one.
#[test]
fn a_file_that_was_cut_off_does_not_give_the_chunks_of_a_whole_one() {
    let store = store([
        ("film.ism", ism(None, &[HIGH, LOW])),
        ("high.ismv", cut_in(&video(12, SECOND, 400), 8)),
        ("low.ismv", video(6, 2 * SECOND, 200).to_bytes()),
    ]);
    let opened = open(&store).unwrap();
    assert_eq!(opened.presentation().streams()[0].timeline().len(), 6);
    let found = opened.presentation().findings();
    assert_eq!(found[0].code, FindingCode::RecordingCutOff);
    let of_low = found.iter().filter(|finding| finding.bitrate == Some(300));
    assert_eq!(of_low.count(), 0, "{:#?}", texts(&found));
}

#[test]
fn a_file_that_was_cut_off_gives_the_chunks_if_it_is_longer_than_every_whole_one() {
    let store = store([
        ("film.ism", ism(None, &[HIGH, LOW])),
        ("high.ismv", cut_in(&video(6, 2 * SECOND, 400), 5)),
        ("low.ismv", video(2, 2 * SECOND, 200).to_bytes()),
    ]);
    let opened = open(&store).unwrap();
    assert_eq!(opened.presentation().streams()[0].timeline().len(), 5);
}

#[test]
fn all_tracks_of_a_cut_file_are_counted_together() {
    let tracks = [
        Track::regular(1, StreamKind::Video, 4, 2 * SECOND, 400),
        Track::regular(2, StreamKind::Audio, 4, 2 * SECOND, 100),
    ];
    let media = film::media(&tracks, Style::default());
    let elements = [("video", "film.ismv", 600, 1, ""), ("audio", "film.ismv", 64, 2, "")];
    // Fragments of the two tracks take turns.
    for (whole, has) in [
        (1, "1 whole fragment of 1 of its 2 tracks, the first 2.000 s"),
        (2, "2 whole fragments of 2 tracks, the first 2.000 s"),
        (5, "5 whole fragments of 2 tracks, the first 4.000 s"),
    ] {
        let store =
            store([("film.ism", ism(None, &elements)), ("film.ismv", cut_in(&media, whole))]);
        let found = findings(&store);
        assert!(found[0].message.ends_with(has), "{:#?}", texts(&found));
    }
}

#[test]
fn a_file_that_lost_the_end_of_its_index_has_lost_no_fragment() {
    let media = video(4, 2 * SECOND, 400);
    for missing in [1, 20] {
        let store = store([
            ("film.ism", ism(None, &[LOW])),
            ("low.ismv", media.read(0..media.len - missing)),
        ]);
        let found = findings(&store);
        let [rebuilt] = &found[..] else { panic!("{:#?}", texts(&found)) };
        assert_eq!(rebuilt.code, FindingCode::IndexRebuilt);
        let says = "its file was cut off inside the index (`mfra`), behind all fragments; a search of the file found 4 fragments";
        assert_eq!(rebuilt.message, says);
    }
}

#[test]
fn one_fragment_is_found_and_not_were_found() {
    let media = film::media(
        &[Track::regular(1, StreamKind::Video, 1, 2 * SECOND, 400)],
        Style { mfra: false, ..Style::default() },
    );
    let store = store([("film.ism", ism(None, &[LOW])), ("low.ismv", media.to_bytes())]);
    let found = findings(&store);
    let says =
        "its file has no index (`mfra`) of its fragments; a search of the file found 1 fragment";
    assert_eq!(found[0].message, says);
}

/// The index is at the end of a file: one that has its index was not cut off.
#[test]
fn a_file_with_its_index_is_not_said_to_be_cut_off() {
    let media = video(4, 2 * SECOND, 400);
    let mut bytes = media.to_bytes();
    // The type of the second fragment's `traf` makes the walk necessary.
    let second = media.fragments[1].2.start as usize;
    bytes[second + 28..second + 32].copy_from_slice(b"xxxx");
    bytes.extend([0, 0, 0]);
    for client in [None, Some("film.ismc")] {
        let store = store([
            ("film.ism", ism(client, &[LOW])),
            ("low.ismv", bytes.clone()),
            ("film.ismc", ismc(&[(StreamKind::Video, "video", &[300], &starts(5))])),
        ]);
        let found = findings(&store);
        assert!(
            found.iter().all(|finding| finding.code != FindingCode::RecordingCutOff),
            "{:#?}",
            texts(&found)
        );
    }
}

#[test]
fn findings_of_answering_are_listed_by_severity_too() {
    let media = video(5, 2 * SECOND, 400);
    let mut bytes = media.to_bytes();
    let third = media.fragments[2].2.start as usize;
    bytes[third + 4..third + 8].copy_from_slice(b"oops");
    let text = ismc(&[(StreamKind::Video, "video", &[300], &starts(4))]);
    let store = store([
        ("film.ism", ism(Some("film.ismc"), &[LOW])),
        ("low.ismv", bytes),
        ("film.ismc", text),
    ]);
    let origin = Origin::new(store);
    let name = testkit::name("film.ism");
    let opened = smooth_origin::origin::block_on(origin.open(&name)).unwrap();
    let severities = || -> Vec<Severity> {
        opened.presentation().findings().iter().map(Finding::severity).collect()
    };
    assert_eq!(severities(), [Severity::Info], "the last fragment has no chunk");
    assert!(get(&origin, "film.ism/QualityLevels(300)/Fragments(video=40000000)").is_err());
    assert_eq!(severities(), [Severity::Error, Severity::Info]);
}
