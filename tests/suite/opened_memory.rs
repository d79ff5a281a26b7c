//! What an opened presentation takes is what caches are told that it takes.

#![cfg(feature = "fs")]

use smooth_origin::manifest::{ClientManifest, Layout, StreamKind};
use smooth_origin::origin::block_on;
use smooth_origin::storage::LocalStore;
use testkit::film::{Style, Track, ism, media};
use testkit::folder::{Folder, trusting};
use testkit::name;

/// What the origin keeps beside it: names and versions of its files, what holds them open.
fn beside(files: usize) -> usize {
    (2 << 10) + files * 512
}

/// Files of one track each, with a client manifest or without one.
fn write(folder: &Folder, film: &str, tracks: u32, fragments: u32, is_stored: bool) {
    let names: Vec<_> = (1..=tracks).map(|id| format!("track{id}.ismv")).collect();
    for file in &names {
        let track = Track::regular(1, StreamKind::Video, fragments, 20_000_000, 10);
        let content = media(&[track], Style::default()).to_bytes();
        folder.write(&format!("{film}/{file}"), &content);
    }
    let element = |(file, i): (_, u32)| ("video", file, i * 100_000, 1, "");
    let elements: Vec<_> = names.iter().map(String::as_str).zip(1..).map(element).collect();
    folder.write(&format!("{film}/film.ism"), &ism(None, &elements));
    if is_stored {
        let origin = trusting(LocalStore::new(folder).unwrap());
        let opened = block_on(origin.open(&name(&format!("{film}/film.ism")))).unwrap();
        let generated = opened.presentation().manifest().unwrap().clone();
        let limits = Default::default();
        let manifest = ClientManifest::parse(&generated, &limits).unwrap();
        let text = manifest.to_xml(Layout::Full, &limits).unwrap();
        folder.write(&format!("{film}/film.ismc"), text.as_bytes());
        folder.write(&format!("{film}/film.ism"), &ism(Some("film.ismc"), &elements));
    }
}

#[test]
fn an_opened_presentation_takes_no_more_than_it_says() {
    let folder = Folder::new("memory");
    write(&folder, "first", 1, 1, false);
    for (tracks, fragments) in [(1, 30), (4, 300), (4, 5400), (64, 300)] {
        for is_stored in [false, true] {
            let film = format!("film-{tracks}-{fragments}-{is_stored}");
            write(&folder, &film, tracks, fragments, is_stored);
            let origin = trusting(LocalStore::new(&folder).unwrap());
            // Tables that grow with the first entry are there.
            block_on(origin.open(&name("first/film.ism"))).unwrap();
            let (name, mut kept) = (name(&format!("{film}/film.ism")), None);
            let counted = allocation_counter::measure(|| kept = block_on(origin.open(&name)).ok());
            let opened = kept.unwrap();
            // A word beside each piece, and what rounding to 16 bytes adds.
            let takes = (counted.bytes_current + 16 * counted.count_current) as usize;
            let says = opened.presentation().memory();
            let most = says + beside(opened.presentation().files().len());
            assert!(takes <= most, "{film}: takes {takes}, says {says}");
            assert!(says <= takes + 4096, "{film}: takes {takes}, says {says}");
        }
    }
}

/// Header fields of a manifest in three codings and of fragments of three kinds, in both of their
/// forms.
#[cfg(feature = "compression")]
#[test]
fn prepared_header_fields_take_no_more_than_caches_allow_for() {
    use smooth_origin::service::{Cors, OriginService, ServiceOptions};

    let folder = Folder::new("header-fields");
    let kinds = [StreamKind::Video, StreamKind::Audio, StreamKind::Text];
    let names = ["video", "audio", "textstream"];
    for film in ["first", "film"] {
        let elements = names.map(|kind| (kind, kind, 100_000, 1, ""));
        for (kind, file) in kinds.into_iter().zip(names) {
            let track = Track::regular(1, kind, 30, 20_000_000, 10);
            let content = media(&[track], Style::default()).to_bytes();
            folder.write(&format!("{film}/{file}"), &content);
        }
        folder.write(&format!("{film}/film.ism"), &ism(None, &elements));
    }
    let options = ServiceOptions::default().cors(Cors::any()).compression(true);
    let service = OriginService::with_options(trusting(LocalStore::new(&folder).unwrap()), options);
    let answer = |path: &str, coding: &str| {
        let request = http::Request::get(format!("http://vod.example.com{path}"));
        let request = request.header("accept-encoding", coding).body(()).unwrap();
        let response = block_on(service.respond(&request));
        assert_eq!(response.status(), 200, "{path}");
        let plain = service.respond_plain(path, coding.as_bytes(), &mut Vec::with_capacity(4096));
        assert!(plain.is_some(), "{path}");
        response.headers().get("content-encoding").is_some()
    };
    let answer_all = |film: &str| {
        let manifest = format!("/{film}/film.ism/Manifest");
        answer(&manifest, "");
        for coding in ["br", "gzip"] {
            while !answer(&manifest, coding) {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        for stream in ["video", "audio", "textstream"] {
            let stream = format!("QualityLevels(100000)/Fragments({stream}=0)");
            answer(&format!("/{film}/film.ism/{stream}"), "");
        }
    };
    // What is made once for all presentations is there.
    answer_all("first");
    block_on(service.origin().open(&name("film/film.ism"))).unwrap();
    let counted = allocation_counter::measure(|| answer_all("film"));
    let takes = counted.bytes_current + 16 * counted.count_current as i64;
    assert!(takes <= 13 << 10, "{takes}");
}
