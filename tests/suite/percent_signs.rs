//! Percent signs in names of files, in server manifests, and in URLs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use smooth_origin::base::{FileEnds, Got, Name, ReadError, ReadErrorKind, Step, Want};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Answer, Origin, block_on};
use smooth_origin::presentation::{OpenOptions, Presentation, open};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism, ismc};
use testkit::{codes, get, name, status, store};

const STARTS: [u64; 3] = [0, 20_000_000, 40_000_000];

fn media(size: u32) -> Vec<u8> {
    let track = Track::regular(1, StreamKind::Video, 3, 20_000_000, size);
    film::media(&[track], Style::default()).to_bytes()
}

fn client() -> Vec<u8> {
    ismc(&[(StreamKind::Video, "video", &[300], &STARTS)])
}

fn server(client: &str, src: &str) -> Vec<u8> {
    ism(Some(client), &[("video", src, 300, 1, "")])
}

const FRAGMENT: &str = "QualityLevels(300)/RawFragments(video=20000000)";

#[test]
fn a_presentation_whose_name_has_a_percent_sign_is_asked_for_percent_encoded() {
    let server = || server("film.ismc", "film.ismv");
    let origin = Origin::new(store([
        ("a%20b.ism", server()),
        ("100%.ism", server()),
        ("c d.ism", server()),
        ("50%25/film.ism", server()),
        ("50%25/film.ismc", client()),
        ("50%25/film.ismv", media(100)),
        ("film.ismc", client()),
        ("film.ismv", media(100)),
    ]));
    for (path, expected) in [
        ("/a%2520b.ism", 200),
        ("/a%2520b%2Eism", 200),
        ("/100%25.ism", 200),
        // A lone percent sign does not begin an encoded byte.
        ("/100%.ism", 200),
        ("/c%20d.ism", 200),
        ("/c d.ism", 200),
        ("/50%2525/film.ism", 200),
        // A URL is decoded once.
        ("/a%20b.ism", 404),
        ("/c%2520d.ism", 404),
        ("/50%25/film.ism", 404),
        ("/100%2525.ism", 404),
    ] {
        assert_eq!(status(&origin, &format!("{path}/Manifest")), expected, "{path}");
        assert_eq!(status(&origin, &format!("{path}/{FRAGMENT}")), expected, "{path}");
    }
    for (path, to) in
        [("/a%2520b.ism", "a%2520b.ism/Manifest"), ("/100%.ism", "100%25.ism/Manifest")]
    {
        match block_on(origin.answer(path)).unwrap() {
            Answer::Redirect(found) => assert_eq!(found.location(), Some(to)),
            other => panic!("{other:?}"),
        }
    }
}

/// Returns the sizes of the served fragment, and the findings.
fn opened(store: &MemoryStore) -> (Result<usize, u16>, Vec<String>) {
    let origin = Origin::new(store.clone());
    let body = get(&origin, &format!("/film.ism/{FRAGMENT}"));
    let opened = block_on(origin.open(&name("film.ism"))).unwrap();
    let served = body.map(|body| body.len()).map_err(|error| error.kind.status());
    (served, codes(opened.presentation()))
}

#[test]
fn a_file_is_found_by_the_decoded_name_else_by_the_written_one_else_by_the_encoded_one() {
    let other = "info name-spelled-otherwise";
    for (src, stored, finding) in [
        ("a%20b.ismv", "a b.ismv", None),
        ("a%20b.ismv", "a%20b.ismv", Some(other)),
        ("a b.ismv", "a b.ismv", None),
        ("a b.ismv", "a%20b.ismv", Some(other)),
        ("a%2520b.ismv", "a%20b.ismv", None),
        ("a%2520b.ismv", "a%2520b.ismv", Some(other)),
        ("100%.ismv", "100%.ismv", None),
        ("100%25.ismv", "100%.ismv", None),
        ("100%.ismv", "100%25.ismv", Some(other)),
        ("\u{e9}.ismv", "%C3%A9.ismv", Some(other)),
        ("sub/a%20b.ismv", "sub/a%20b.ismv", Some(other)),
        ("sub\\a%20b.ismv", "sub/a%20b.ismv", Some(other)),
    ] {
        let store = store([
            ("film.ism", server("film.ismc", src)),
            ("film.ismc", client()),
            (stored, media(100)),
        ]);
        let expected: Vec<String> = finding.into_iter().map(str::to_owned).collect();
        assert_eq!(opened(&store), (Ok(100), expected), "{src} for {stored}");
    }
    let both = store([
        ("film.ism", server("film.ismc", "a%20b.ismv")),
        ("film.ismc", client()),
        ("a b.ismv", media(100)),
        ("a%20b.ismv", media(200)),
    ]);
    assert_eq!(opened(&both), (Ok(100), vec![]), "the decoded name comes first");
}

#[test]
fn the_client_manifest_is_found_by_either_name() {
    let store = store([
        ("film.ism", server("a%20b.ismc", "film.ismv")),
        ("a%20b.ismc", client()),
        ("film.ismv", media(100)),
    ]);
    assert_eq!(opened(&store), (Ok(100), vec!["info name-spelled-otherwise".to_owned()]));
    let origin = Origin::new(store);
    assert_eq!(get(&origin, "/film.ism/Manifest").unwrap(), client());
}

#[test]
fn two_names_of_one_file_are_one_file() {
    let server = ism(
        Some("film.ismc"),
        &[("video", "a%20b.ismv", 300, 1, ""), ("video", "a%2520b.ismv", 301, 1, "")],
    );
    let client = ismc(&[(StreamKind::Video, "video", &[300, 301], &STARTS)]);
    let store = store([("film.ism", server), ("film.ismc", client), ("a%20b.ismv", media(100))]);
    let codes = ["warning same-media", "info name-spelled-otherwise"].map(str::to_owned);
    assert_eq!(opened(&store), (Ok(100), codes.to_vec()));
}

#[test]
fn a_file_that_is_under_neither_name_is_missing_until_it_is_put_back() {
    let store = store([("film.ism", server("film.ismc", "a%20b.ismv")), ("film.ismc", client())]);
    let findings = ["error file-missing", "warning manifest-mended", "warning manifest-generated"];
    let origin = Origin::builder(store.clone()).revalidate_after(std::time::Duration::ZERO).build();
    let asked = || status(&origin, &format!("/film.ism/{FRAGMENT}"));
    let codes_now = || {
        let opened = block_on(origin.open(&name("film.ism"))).unwrap();
        (codes(opened.presentation()), opened.presentation().files()[2].to_string())
    };
    assert_eq!(asked(), 404);
    assert_eq!(codes_now(), (findings.map(str::to_owned).to_vec(), "a b.ismv".to_owned()));
    store.put(name("a b.ismv"), media(100));
    assert_eq!(asked(), 200);
    assert_eq!(codes_now().0, [""; 0]);
}

/// Returns the names that an opening asks for, batch by batch.
fn asked(files: &[(&str, Vec<u8>)], src: &str) -> (Vec<Vec<String>>, Presentation) {
    let found = |name: &Name| files.iter().find(|(file, _)| *file == name.as_str());
    let batches: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let mut step = open(name("film.ism"), &OpenOptions::default());
    let server = server("film.ismc", src);
    let mut contents: Vec<Vec<u8>> = vec![Vec::new(); 8];
    loop {
        let reads = match step {
            Step::Ready(presentation) => {
                let names = batches.lock().unwrap().clone();
                return (names, presentation);
            }
            Step::Read(reads) => reads,
        };
        let mut names = Vec::new();
        let got = reads.wanted().iter().map(|want| match want {
            Want::Open { file, name, head, tail } => {
                names.push(name.to_string());
                let content = match name.as_str() {
                    "film.ism" => server.clone(),
                    _ => match found(name) {
                        Some((_, content)) => content.clone(),
                        None => return Err(ReadError::new(ReadErrorKind::Gone)),
                    },
                };
                contents[file.index()] = content.clone();
                let part = |len: u64| content.len().min(usize::try_from(len).unwrap_or(usize::MAX));
                let (head, tail) =
                    (&content[..part(*head)], &content[content.len() - part(*tail)..]);
                let (head, tail) = (head.to_vec().into(), tail.to_vec().into());
                Ok(Got::Opened(FileEnds::new(content.len() as u64, head, tail)))
            }
            Want::Range { file, range } => {
                let range = range.start as usize..range.end as usize;
                Ok(Got::Range(contents[file.index()][range].to_vec().into()))
            }
            _ => unreachable!(),
        });
        let got = got.collect();
        batches.lock().unwrap().push(names);
        step = reads.feed(got).unwrap();
    }
}

#[test]
fn only_files_that_are_missing_are_looked_for_twice() {
    let (names, _) = asked(&[("film.ismc", client()), ("a b.ismv", media(100))], "a%20b.ismv");
    let opened: Vec<_> = names.concat();
    assert_eq!(opened, ["film.ism", "film.ismc", "a b.ismv"], "nothing more for a healthy set");
    let (names, _) = asked(&[("film.ismc", client()), ("a%20b.ismv", media(100))], "a%20b.ismv");
    assert_eq!(names[2], ["a%20b.ismv"]);
    // A name without a percent sign, or a character that is encoded, has no second name.
    let (names, _) = asked(&[("film.ismc", client())], "plain.ismv");
    assert_eq!(names.concat(), ["film.ism", "film.ismc", "plain.ismv"]);
}

#[test]
fn no_second_name_leads_out_of_the_folder() {
    for src in ["..%2Fsecret.ismv", "%2e%2e/secret.ismv", "..%5Csecret.ismv", "/secret%20.ismv"] {
        let (names, presentation) = asked(&[("film.ismc", client())], src);
        let names: HashSet<_> = names.concat().into_iter().collect();
        assert_eq!(names, ["film.ism", "film.ismc"].map(str::to_owned).into(), "{src}");
        assert!(codes(&presentation).contains(&"error name-refused".to_owned()), "{src}");
    }
}
