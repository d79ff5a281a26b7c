//! Times of operations and of the work that bounds them, measured in turn: `cargo bench -p smooth-origin-benches`.
//!
//! Times are the processor's, of this thread, so that other work on the machine counts for little.
//! A time alone still says only what it says here; the ratio of two that were measured in one run,
//! round by round, says it anywhere.

mod progressive;
mod segmented;

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use smooth_origin::base::Limits;
use smooth_origin::manifest::Layout;
use smooth_origin::storage::LocalStore;
use smooth_origin_benches::{
    Stored, files, large_manifest, locate, open_with, push_manifest, recording, requests,
    six_tracks, write,
};

/// Rounds of each comparison; the median of them is printed.
const ROUNDS: usize = 15;

/// Measures two things in turn and prints the first beside the second.
fn compare(
    what: &str,
    bar: &str,
    per_round: usize,
    mut subject: impl FnMut(),
    bound: &str,
    mut limit: impl FnMut(),
) {
    let time = |work: &mut dyn FnMut()| {
        let start = now();
        (0..per_round).for_each(|_| work());
        (now() - start).as_nanos() as f64 / per_round as f64
    };
    let (mut subjects, mut limits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (a, b) = (time(&mut subject), time(&mut limit));
        // The first round warms up.
        if round > 0 {
            subjects.push(a);
            limits.push(b);
            ratios.push(a / b);
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (subject, limit, ratio) = (median(&mut subjects), median(&mut limits), median(&mut ratios));
    println!("{what}\n  {} ({bar})", human(subject));
    println!("  {} × {bound}: {}", round(ratio), human(limit));
}

/// Processor time of this thread.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn human(nanos: f64) -> String {
    match nanos {
        n if n < 1e4 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.1} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
    }
}

fn round(ratio: f64) -> String {
    format!("{ratio:.2}")
}

fn main() {
    // Those of progressive films alone.
    if std::env::args().any(|arg| arg == "progressive") {
        progressive::open();
        progressive::ask();
        return;
    }
    locate_a_fragment();
    open_a_film();
    progressive::open();
    progressive::ask();
    walk_through_a_recording();
    generate_a_manifest();
    segmented::segments();
    segmented::manifests();
}

fn locate_a_fragment() {
    let (minute, day) = (six_tracks(60), six_tracks(24 * 3600));
    let (of_minute, of_day) = (requests(&minute, 1000), requests(&day, 1000));
    let all = |presentation: &_, paths: &[String]| {
        paths.iter().map(|path| locate(presentation, path)).sum::<u64>()
    };
    let digits =
        |paths: &[String]| paths.iter().flat_map(|path| path.bytes()).map(u64::from).sum::<u64>();
    let per_request = |presentation: &_, paths: &[String]| {
        let start = now();
        black_box(all(presentation, paths));
        (now() - start).as_nanos() as f64 / paths.len() as f64
    };
    let mut difference: Vec<f64> =
        (0..101).map(|_| per_request(&day, &of_day) - per_request(&minute, &of_minute)).collect();
    difference.sort_by(f64::total_cmp);
    compare(
        "1,000 requests parsed and located, 6 tracks, 24 h",
        "bar: 200 ns each",
        20,
        || {
            black_box(all(&day, &of_day));
        },
        "reading every byte of their paths",
        || {
            black_box(digits(&of_day));
        },
    );
    println!("  {:.0} ns a request more than at 60 s (bar: 40 ns)", difference[50]);
}

fn open_a_film() {
    let folder = std::env::temp_dir().join(format!("smooth-origin-bench-{}", std::process::id()));
    for (stored, bar) in [
        (Stored::Nothing, "bar: 5 ms"),
        (Stored::Compact, "bar: 5 ms"),
        (Stored::Full, "bar: 12 ms"),
    ] {
        let files = files(3 * 3600, 300_000, stored);
        write(&files, &folder);
        compare(
            &format!("open a film of 3 h, 3 video files and sound, local, manifest: {stored:?}"),
            bar,
            3,
            || {
                black_box(open_with(LocalStore::new(&folder).unwrap()));
            },
            "reading its manifests, moovs and mfras",
            || {
                black_box(read_indexes(&folder, &files));
            },
        );
    }
    let _ = std::fs::remove_dir_all(folder);
}

/// The bytes that opening cannot do without.
fn read_indexes(folder: &Path, files: &[(String, smooth_origin_benches::film::Media)]) -> usize {
    use std::io::{Read, Seek, SeekFrom};
    let mut read = 0;
    for (name, media) in files {
        let mut file = std::fs::File::open(folder.join(name)).unwrap();
        let mut bytes = vec![0; 4096.min(media.len) as usize];
        file.read_exact(&mut bytes).unwrap();
        let rest = if media.mfra > 0 { media.mfra } else { 0 };
        file.seek(SeekFrom::Start(rest)).unwrap();
        read += bytes.len() + file.read_to_end(&mut bytes).unwrap();
    }
    read
}

fn walk_through_a_recording() {
    let name = format!("smooth-origin-bench-{}-recording", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let files = recording(3 * 3600, 500_000);
    write(&files, &folder);
    let fragments: usize = open_with(LocalStore::new(&folder).unwrap())
        .presentation()
        .streams()
        .iter()
        .flat_map(|stream| stream.tracks())
        .map(|track| track.fragment_count())
        .sum();
    assert_eq!(fragments, 3 * 3600, "all of both tracks is found");
    compare(
        "open a recording of 3 h without an index, pictures and sound in one file, local",
        "bar: 1.5 ×",
        1,
        || {
            black_box(open_with(LocalStore::new(&folder).unwrap()));
        },
        "a walk that reads every moof once",
        || {
            black_box(read_moofs(&folder.join("film.ismv")));
        },
    );
    let _ = std::fs::remove_dir_all(folder);
}

/// Reads the header of each box, and each `moof`.
fn read_moofs(path: &Path) -> usize {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::open(path).unwrap();
    let size = file.metadata().unwrap().len();
    let (mut at, mut read) = (0, 0);
    let length = |header: &[u8]| u64::from(u32::from_be_bytes(header[..4].try_into().unwrap()));
    while at < size {
        let mut header = [0; 8];
        file.read_exact_at(&mut header, at).unwrap();
        let len = length(&header);
        if &header[4..] == b"moof" {
            let mut moof = vec![0; len as usize];
            file.read_exact_at(&mut moof, at).unwrap();
            read += moof.len();
        }
        at += len;
    }
    read
}

fn generate_a_manifest() {
    let manifest = large_manifest(5000, 3);
    assert_eq!(
        manifest.to_xml(Layout::Full, &Limits::default()).unwrap(),
        push_manifest(&manifest),
        "the bound writes the same"
    );
    compare(
        "write a manifest of 5,000 chunks and 3 qualities",
        "bar: 3 ×",
        20,
        || {
            black_box(manifest.to_xml(Layout::Full, &Limits::default()).unwrap());
        },
        "pushing the same texts and digits into a buffer",
        || {
            black_box(push_manifest(&manifest));
        },
    );
}
