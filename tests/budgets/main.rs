//! Budgets: what an input makes the crate allocate, read and do is bounded by its length.
//!
//! Memory is the most that is allocated at one time, by an allocator that counts. What grows counts
//! twice while it is copied, since no allocator need grow it in place; what is read is copied, as
//! from a file.
//!
//! Steps are what can be counted on every machine alike: allocations, all their bytes (what grows
//! is copied), reads, their bytes, and batches. A loop that does none of these is not seen here, and
//! the instructions that are counted under `benches/` are those of ordinary content.

mod cost;
mod worst;

#[allow(dead_code, unreachable_pub)]
#[path = "../../fuzz/bodies/container.rs"]
mod container;

use std::fs;
use std::path::Path;

use cost::{Cost, Input};
use smooth_origin::base::Limits;
use smooth_origin::bmff::Boxes;
use smooth_origin::manifest::{ClientManifest, Layout, StreamKind};
use testkit::film::{self, Style, Track, ism, ismc};
use worst::{BOXES, Case, HEADS, MANIFESTS, PATHS, PRESENTATIONS};

/// Bytes that may be allocated for each byte of input.
const TIMES: u64 = 16;

/// Bytes that may be allocated in addition, whatever the input.
const BASE: u64 = (1 << 20) + (32 << 10);

/// The same for an input of a few thousand bytes: a list of boxes or of chunks begins with room.
const SMALL_BASE: u64 = 96 << 10;

/// What an input may cost.
fn check(what: &str, input: &Input, base: u64) -> Cost {
    let cost = input.cost(&Limits::default());
    let len = input.len() as u64;
    assert!(cost.peak <= TIMES * len + base, "{what}: {} bytes for {len}", cost.peak);
    check_reads(what, &cost, len);
    cost
}

/// Nothing is read over and over: not in opening, and not in answering some requests.
fn check_reads(what: &str, cost: &Cost, len: u64) {
    assert!(cost.read <= 4 * len + (256 << 10), "{what}: {} of {len} bytes read", cost.read);
    assert!(cost.reads <= len / 16 + 64, "{what}: {} reads of {len} bytes", cost.reads);
}

/// The budget of each case, and that twice the input takes at most twice the steps.
fn check_cases(cases: &[Case]) {
    for case in cases {
        // Lists that grow by half are copied anywhere between.
        for eighths in [10, 12, 14] {
            let parts = case.parts * eighths / 8;
            check(&format!("{parts} {}", case.name), &(case.make)(parts), BASE);
        }
        let [once, twice] = [case.parts, 2 * case.parts - case.parts % 2].map(|parts| {
            let what = format!("{parts} {}", case.name);
            let input = (case.make)(parts);
            check(&what, &input, BASE)
        });
        for ((step, once, some), (_, twice, _)) in once.steps().into_iter().zip(twice.steps()) {
            // A list that grows by half is copied at other lengths: its sum jumps by as much.
            let times = if step == "bytes allocated" { 3 } else { 2 };
            assert!(twice <= times * once + some, "{}: {step} from {once} to {twice}", case.name);
        }
    }
}

#[test]
fn worst_cases_of_manifests_are_within_the_budget() {
    check_cases(MANIFESTS);
}

#[test]
fn worst_cases_of_request_paths_are_within_the_budget() {
    check_cases(PATHS);
}

#[test]
fn worst_cases_of_boxes_are_within_the_budget() {
    check_cases(BOXES);
}

#[test]
fn worst_cases_of_presentations_are_within_the_budget() {
    check_cases(PRESENTATIONS);
}

#[test]
fn worst_cases_of_heads_of_fragments_are_within_the_budget() {
    check_cases(HEADS);
}

/// How many tracks may name one track of a file is a budget of its own, raised here.
#[test]
fn tracks_that_name_one_file_take_sixteen_bytes_a_fragment_each_and_no_more_than_may_be() {
    let (tracks, fragments) = (40, 2000);
    let input = worst::names_of_one_file(tracks, fragments);
    let own = TIMES * input.len() as u64 + BASE;
    let peak = |fragments: usize| {
        let mut limits = Limits::default();
        limits.fragments = fragments as u64;
        limits.uses_of_track = tracks;
        input.cost(&limits).peak
    };
    let all = peak(tracks * fragments);
    assert!(all <= own + 16 * (tracks * fragments) as u64, "{all}");
    let half = peak(tracks * fragments / 2);
    assert!(half <= own + 8 * (tracks * fragments) as u64, "{half}");
    assert!(half < all);
}

#[test]
fn what_is_written_on_request_is_within_its_own_budget() {
    let claim = "<SmoothStreamingMedia><StreamIndex Type='video'>\
                 <c t='0' d='1' r='18446744073709551614'/></StreamIndex></SmoothStreamingMedia>";
    let mut limits = Limits::default();
    limits.client_manifest = 256 << 10;
    let manifest = ClientManifest::parse(claim.as_bytes(), &limits).unwrap();
    let counted = allocation_counter::measure(|| {
        manifest.to_xml(Layout::Full, &limits).unwrap_err();
    });
    // A text that grows is there twice.
    assert!(counted.bytes_max <= 4 * limits.client_manifest, "{counted:?}");
    let counted = allocation_counter::measure(|| {
        manifest.to_xml(Layout::Compact, &limits).unwrap();
    });
    assert!(counted.bytes_max <= 4 << 10, "{counted:?}");
}

#[test]
fn limits_as_large_as_numbers_get_are_no_limits() {
    let mut limits = Limits::default();
    for limit in [
        &mut limits.server_manifest,
        &mut limits.client_manifest,
        &mut limits.moov,
        &mut limits.mfra,
        &mut limits.moof,
        &mut limits.opening,
        &mut limits.fragments,
        &mut limits.scan_reads,
        &mut limits.scan_bytes,
        &mut limits.samples,
        &mut limits.chunks,
    ] {
        *limit = u64::MAX;
    }
    for limit in [
        &mut limits.xml_depth,
        &mut limits.xml_attributes,
        &mut limits.tracks,
        &mut limits.uses_of_track,
        &mut limits.boxes,
        &mut limits.box_depth,
        &mut limits.backward_steps,
        &mut limits.findings,
        &mut limits.finding_bytes,
    ] {
        *limit = usize::MAX;
    }
    let [server, client, media] = tiny();
    for media in [media, worst::without_index(2, true)] {
        let input = Input::files([
            ("film.ism", server.clone()),
            ("film.ismc", client.clone()),
            ("film.ismv", media),
        ]);
        let (unlimited, usual) = (input.cost(&limits), input.cost(&Limits::default()));
        assert_eq!((unlimited.reads, unlimited.read), (usual.reads, usual.read));
        assert!(unlimited.batches > 4, "opened and answered: {unlimited:?}");
    }
}

#[test]
fn every_file_of_the_corpora_is_within_the_budget() {
    for (target, input) in [
        ("boxes", (|data| Input::Boxes(data.into())) as fn(Vec<u8>) -> Input),
        ("server_manifest", Input::Server),
        ("client_manifest", Input::Client),
        ("request_paths", |data| Input::Path(String::from_utf8_lossy(&data).into_owned())),
        ("opening", contained),
    ] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            check(&path.to_string_lossy(), &input(fs::read(&path).unwrap()), SMALL_BASE);
        }
    }
}

/// The files of an input of the opening target.
fn contained(data: Vec<u8>) -> Input {
    let container = container::Container::decode(&data);
    let names = ["film.ism", "film.ismc", "1.ismv", "2.ismv", "3.ismv"];
    Input::files(names.iter().filter_map(|name| Some((*name, container.file(name)?.to_vec()))))
}

/// Every prefix, and every byte set to a few others.
fn variants(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let prefixes = (0..=bytes.len()).map(|len| bytes[..len].to_vec());
    let changes = (0..bytes.len()).flat_map(move |at| {
        let byte = bytes[at];
        let others = [0, 0xff, byte ^ 1, byte ^ 0x80].into_iter();
        others.filter(move |&other| other != byte).map(move |other| {
            let mut changed = bytes.to_vec();
            changed[at] = other;
            changed
        })
    });
    prefixes.chain(changes)
}

/// A server manifest, a client manifest, and a file of two fragments.
fn tiny() -> [Vec<u8>; 3] {
    [
        ism(Some("film.ismc"), &[("video", "film.ismv", 300, 1, "")]),
        ismc(&[(StreamKind::Video, "video", &[300], &[0, 1])]),
        worst::film_of(2),
    ]
}

#[test]
fn every_prefix_and_every_changed_byte_of_boxes_is_within_the_budget() {
    let tracks = [
        Track::regular(1, StreamKind::Video, 2, 1, 1),
        Track::regular(2, StreamKind::Audio, 2, 1, 1),
    ];
    let media = film::media(&tracks, Style::default());
    let bytes = media.to_bytes();
    let moof = media.fragments[0].2.start as usize;
    for part in [&bytes[24..moof], &bytes[moof..media.mfra as usize], &bytes[media.mfra as usize..]]
    {
        Boxes::parse(&part.to_vec().into(), 0, &Limits::default()).unwrap();
        for variant in variants(part) {
            check("boxes", &Input::Boxes(variant.into()), SMALL_BASE);
        }
    }
}

#[test]
fn every_prefix_and_every_changed_byte_of_manifests_and_paths_is_within_the_budget() {
    let [server, client, _] = tiny();
    for variant in variants(&server) {
        check("server manifest", &Input::Server(variant), SMALL_BASE);
    }
    for variant in variants(&client) {
        check("client manifest", &Input::Client(variant), SMALL_BASE);
    }
    for variant in variants(b"QualityLevels(300,a=b%20c)/Fragments(vid%C3%A9o=20000000)") {
        let path = String::from_utf8_lossy(&variant).into_owned();
        check("path", &Input::Path(path), SMALL_BASE);
    }
}

#[test]
fn every_prefix_and_every_changed_byte_of_a_presentation_is_within_the_budget() {
    let names = ["film.ism", "film.ismc", "film.ismv"];
    for (changed, file) in tiny().iter().enumerate() {
        for variant in variants(file) {
            let mut files = tiny();
            files[changed] = variant;
            check(names[changed], &Input::files(names.into_iter().zip(files)), SMALL_BASE);
        }
    }
}
