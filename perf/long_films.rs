//! A film of 24 hours and films of 64 tracks beside one of a minute, from a local disk.
//!
//! ```sh
//! cargo run --release -p smooth-origin-perf --bin long_films -- FOLDER
//! ```
//!
//! The folder is written where it is not there yet, and stays. Processor time; requests for the
//! films are measured in turn, and what counts is the ratio of the medians.

use std::future::poll_fn;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use http_body::Body;
use smooth_origin::base::Name;
use smooth_origin::origin::{Opened, Origin, block_on};
use smooth_origin::service::OriginService;
use smooth_origin::storage::LocalStore;
use smooth_origin_benches::{
    Stored, every_policy, files_of, own_memory, quantile, requests, thread_time, write_whole,
};

/// The films: name, seconds, bytes per fragment, tracks of video and of sound.
const FILMS: [(&str, u32, u32, u32, usize); 5] = [
    ("60 s, 4 tracks", 60, 300, 3, 1),
    ("3 h, 4 tracks", 3 * 3600, 300, 3, 1),
    ("24 h, 4 tracks", 24 * 3600, 300, 3, 1),
    ("60 s, 64 tracks", 60, 300, 16, 48),
    ("3 h, 64 tracks", 3 * 3600, 300, 16, 48),
];

/// Rounds of each measurement, and requests of a round.
const ROUNDS: usize = 15;
const REQUESTS: usize = 2000;

/// The bar: the time for a fragment of a film of 24 hours, as a multiple of that of a film of a
/// minute. The index of a long film does not stay in the processor's cache.
const BAR: f64 = 2.0;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let folder = match &arguments[..] {
        [memory, film] if memory == "--memory" => return print_memory(Path::new(film)),
        [folder] => Path::new(folder),
        _ => panic!("a folder is wanted"),
    };
    let films: Vec<_> = FILMS.iter().map(|film| Film::write(folder, film)).collect();
    for film in &films {
        film.measure_opening();
    }
    let open: Vec<_> = films.iter().map(OpenFilm::new).collect();
    for method in [Method::HEAD, Method::GET] {
        compare(&open, &method);
    }
}

struct Film {
    name: &'static str,
    folder: PathBuf,
}

impl Film {
    fn write(
        folder: &Path,
        &(name, seconds, payload, videos, sounds): &(&'static str, u32, u32, u32, usize),
    ) -> Self {
        let folder = folder.join(name.replace([' ', ','], ""));
        if !folder.exists() {
            let bitrates: Vec<u32> = (1..=videos).map(|number| number * 400_000).collect();
            write_whole(&files_of(seconds, payload, Stored::Full, &bitrates, sounds), &folder);
        }
        Self { name, folder }
    }

    fn origin(&self) -> Origin {
        Origin::new(LocalStore::new(&self.folder).unwrap())
    }

    fn open(&self) -> (Origin, Arc<Opened>) {
        let origin = self.origin();
        let opened = block_on(origin.open(&Name::new("film.ism").unwrap())).unwrap();
        (origin, opened)
    }

    /// Time and memory of an opening, and what the first fragment takes after it.
    fn measure_opening(&self) {
        let (_, opened) = self.open();
        let presentation = opened.presentation();
        let (weight, manifest) = (presentation.memory(), presentation.manifest().unwrap().len());
        let target = format!("/film.ism/{}", requests(presentation, 2)[1]);
        let opening = median(|| timed(|| self.open()).1);
        let first = median(|| {
            let (origin, _opened) = self.open();
            timed(|| block_on(origin.answer(&target)).unwrap()).1
        });
        println!(
            "{}: opened in {:.2} ms; the first fragment takes {:.0} µs; weighs {:.2} MiB, takes {:.2} MiB; manifest {:.1} KB",
            self.name,
            opening.as_secs_f64() * 1e3,
            first.as_secs_f64() * 1e6,
            mib(weight as f64),
            mib(self.memory()),
            manifest as f64 / 1e3
        );
    }

    /// Measures the memory that the film takes while it is open, in a process of its own.
    fn memory(&self) -> f64 {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).arg("--memory").arg(&self.folder).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

/// Prints what a film takes that is opened several times, by what the system gives this process.
fn print_memory(folder: &Path) {
    const COPIES: usize = 16;
    let film = Film { name: "", folder: folder.into() };
    // What opening takes for a while, and is used again, is no part of it.
    let _first = film.open();
    let before = own_memory();
    let kept: Vec<_> = (0..COPIES).map(|_| film.open()).collect();
    let more = own_memory() - before;
    println!("{}", more / kept.len() as u64);
}

/// A film with requests all over it.
struct OpenFilm {
    name: &'static str,
    service: OriginService,
    paths: Vec<String>,
}

impl OpenFilm {
    /// Each fragment that is asked for has been looked at once.
    fn new(film: &Film) -> Self {
        let (origin, opened) = film.open();
        let service = OriginService::with_options(origin, every_policy());
        let paths = requests(opened.presentation(), REQUESTS);
        let open = Self { name: film.name, service, paths };
        open.ask_all(&Method::GET);
        open
    }

    /// Asks for each path, and returns the time per request in nanoseconds.
    fn ask_all(&self, method: &Method) -> f64 {
        let requests: Vec<_> = self
            .paths
            .iter()
            .map(|path| Request::builder().method(method).uri(format!("/film.ism/{path}")))
            .map(|request| request.header("host", "localhost").body(()).unwrap())
            .collect();
        let ((), took) = timed(|| requests.iter().for_each(|request| self.ask(request)));
        took.as_nanos() as f64 / requests.len() as f64
    }

    fn ask(&self, request: &Request<()>) {
        let response = block_on(self.service.respond(request));
        assert_eq!(response.status(), 200, "{}", request.uri());
        let mut body = response.into_body();
        while let Some(frame) = block_on(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))) {
            black_box(frame.unwrap());
        }
    }
}

/// Requests for all films, beside those for the first.
fn compare(films: &[OpenFilm], method: &Method) {
    let mut took = vec![Vec::new(); films.len()];
    for _ in 0..ROUNDS {
        for (film, took) in films.iter().zip(&mut took) {
            took.push(film.ask_all(method));
        }
    }
    took.iter_mut().for_each(|took| took.sort_by(f64::total_cmp));
    let of_a_minute = took[0][ROUNDS / 2];
    for (film, took) in films.iter().zip(&took) {
        let ratio = took[ROUNDS / 2] / of_a_minute;
        println!("{method}, {}: {:.2} µs, {ratio:.3} times", film.name, took[ROUNDS / 2] / 1e3);
    }
    let ratio = took[2][ROUNDS / 2] / of_a_minute;
    assert!(ratio <= BAR, "a {method} at 24 h takes {ratio:.3} times what one at 60 s does");
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = thread_time();
    let done = work();
    (done, thread_time() - start)
}

fn median(measure: impl Fn() -> Duration) -> Duration {
    let mut times: Vec<_> = (0..ROUNDS).map(|_| measure()).collect();
    times.sort();
    quantile(&times, 0.5)
}

fn mib(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}
