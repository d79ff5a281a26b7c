//! Buckets as other services leave them.

use std::fs;

use super::client::{compare, fetch};
use super::fake_s3::FakeS3;
use crate::observed::{Observed, TESTDATA};

const GUID: &str = "asset-5f9a3c52-8f0e-4d6b-9a57-0c2de3c1a4b7";

fn read(file: &str) -> Vec<u8> {
    fs::read(format!("{TESTDATA}/{file}")).unwrap()
}

fn text(file: &str) -> String {
    String::from_utf8(read(file)).unwrap()
}

/// Uploads a presentation whose files have other names.
fn renamed(store: &FakeS3, at: &str, files: &[(&str, &str)]) {
    for (file, name) in files {
        let bytes = match file.ends_with(".ism") {
            true => {
                let mut text = text(file);
                for (file, name) in files {
                    text = text.replace(file.rsplit('/').next().unwrap(), name);
                }
                text.into_bytes()
            }
            false => read(file),
        };
        store.put(&format!("{at}/{name}"), bytes);
    }
}

#[test]
fn what_media_convert_leaves_is_served() {
    // A job's name modifiers stand behind the name of the input; two manifests share the media.
    let store = FakeS3::new();
    let files = [
        ("split/split_60.ismv", "Input_video_60.ismv"),
        ("split/split_120.ismv", "Input_video_120.ismv"),
        ("split/split_audio.isma", "Input_audio.isma"),
        ("split/split.ismc", "Input.ismc"),
        ("split/split.ism", "Input.ism"),
    ];
    renamed(&store, "out/job-1/MSS", &files);
    let mut second = files;
    second[4].1 = "Input_second.ism";
    renamed(&store, "out/job-1/MSS", &second);
    let server = Observed::start_by(store.command(), &["s3://out"]);
    let folder = Observed::start(TESTDATA, &[]);
    for name in ["Input.ism", "Input_second.ism"] {
        let at = format!("/job-1/MSS/{name}");
        assert!(compare((&folder, "/split/split.ism"), (&server, &at)) > 10);
    }
}

#[test]
fn a_container_for_each_title_is_found_by_its_name() {
    let store = FakeS3::new();
    let files = [
        ("dialects/azure/azure_60.mp4", "Film_320x180_60.mp4"),
        ("dialects/azure/azure_audio.mp4", "Film_AAC_und_48.mp4"),
        ("dialects/azure/azure.ismc", "Film.ismc"),
        ("dialects/azure/azure.ism", "Film.ism"),
    ];
    renamed(&store, GUID, &files);
    let rule = ["--store", "prefix=*,location=s3://*"];
    let server = Observed::start_by(store.command(), &rule);
    let folder = Observed::start(TESTDATA, &[]);
    compare((&folder, "/dialects/azure/azure.ism"), (&server, &format!("/{GUID}/Film.ism")));
    // A client that invents names gets 404, and other titles are served as before.
    for no in 0..40 {
        assert_eq!(fetch(&server, &format!("/asset-{no}/Film.ism/Manifest")).0, 404);
    }
    assert_eq!(fetch(&server, &format!("/{GUID}/Film.ism/Manifest")).0, 200);
    for name in ["x", "UPPER", "a--b..c", "a%2fb", "..", "a b", &"a".repeat(300)] {
        let (status, _) =
            fetch(&server, &format!("/{}/Film.ism/Manifest", name.replace(' ', "%20")));
        assert!([400, 404].contains(&status), "{name}: {status}");
    }
}

#[test]
fn letter_case_that_differs_between_manifests_and_keys_does_not_matter() {
    let store = FakeS3::new();
    store.put("films/Split.ism", read("split/split.ism"));
    store.put("films/split.ISMC", read("split/split.ismc"));
    store.put("films/SPLIT_60.ismv", read("split/split_60.ismv"));
    store.put("films/Split_120.ISMV", read("split/split_120.ismv"));
    store.put("films/split_Audio.isma", read("split/split_audio.isma"));
    let folder = Observed::start(TESTDATA, &[]);
    let server = Observed::start_by(store.command(), &["s3://films"]);
    for name in ["/Split.ism", "/split.ism"] {
        compare((&folder, "/split/split.ism"), (&server, name));
    }
    // Names that nobody has cost one list of their folder.
    store.asked();
    for no in 0..20 {
        assert_eq!(fetch(&server, &format!("/no-{no}.ism/Manifest")).0, 404);
    }
    let asked = store.asked();
    assert!(asked.iter().filter(|asked| asked.contains("list-type")).count() <= 2, "{asked:#?}");
    let exact = Observed::start_by(store.command(), &["s3://films", "--exact-names"]);
    assert_eq!(fetch(&exact, "/split.ism/Manifest").0, 404);
}
