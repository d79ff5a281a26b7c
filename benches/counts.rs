//! Work to be counted under valgrind, one scenario a run: see `counts.py`.
//!
//! Everything is prepared first; only what [`measured`] calls is counted.

use std::hint::black_box;

use smooth_origin::base::Limits;
use smooth_origin::manifest::Layout;
use smooth_origin_benches::{
    Stored, files, large_manifest, locate, memory, open, recording, requests, six_tracks,
};

/// The one function whose instructions are counted, with all that it calls.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

fn main() {
    let scenario = std::env::args().nth(1).unwrap_or_default();
    match scenario.as_str() {
        "locate-60s" => locate_all(60),
        "locate-24h" => locate_all(24 * 3600),
        "open-60s" => open_film(60, Stored::Nothing),
        "open-3h" => open_film(3 * 3600, Stored::Nothing),
        "open-3h-full" => open_film(3 * 3600, Stored::Full),
        "open-3h-compact" => open_film(3 * 3600, Stored::Compact),
        "walk-30min" => {
            let store = memory(&recording(1800, 30_000));
            measured(&mut || {
                black_box(open(&store));
            });
        }
        "manifest" => {
            let manifest = large_manifest(5000, 3);
            measured(&mut || {
                black_box(manifest.to_xml(Layout::Full, &Limits::default()).unwrap());
            });
        }
        unknown => {
            eprintln!("no scenario `{unknown}`");
            std::process::exit(2);
        }
    }
}

/// A thousand requests.
fn locate_all(seconds: u32) {
    let presentation = six_tracks(seconds);
    let paths = requests(&presentation, 1000);
    measured(&mut || {
        for path in &paths {
            black_box(locate(&presentation, path));
        }
    });
}

fn open_film(seconds: u32, stored: Stored) {
    let store = memory(&files(seconds, 300, stored));
    measured(&mut || {
        black_box(open(&store));
    });
}
