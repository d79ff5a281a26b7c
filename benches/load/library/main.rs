//! A library of 100,000 presentations, addressed at random, under a budget of memory.
//!
//! ```sh
//! cargo run --release -p smooth-origin-benches --bin library -- \
//!     FOLDER [PRESENTATIONS [REQUESTS]] [--chart FILE.svg] [--csv FILE.csv]
//! ```
//!
//! The folder is written where it is not there yet, and stays. Two threads ask the service for
//! fragments and, one time in ten, for the manifest in brotli: first by Zipf's law with s = 1.0, then
//! with 0.8, then all alike; each time from an origin that has nothing in memory.

mod chart;
mod popularity;
mod shelves;
mod watched;

use std::fmt::Write;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use http::Request;
use http_body::Body;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::OriginService;
use smooth_origin::storage::LocalStore;
use smooth_origin_benches::{every_policy, own_memory, quantile, thread_time};

use chart::{Curve, Panel, svg};
use popularity::{Popularity, Random};
use watched::{Found, Watched, found};

const THREADS: usize = 2;

/// Memory for opened presentations.
const BUDGET: u64 = 256 << 20;

/// Memory beside them: what the allocator keeps of what it was given back, files held open, two
/// openings in progress, 64 manifests that wait to be compressed and the window of one that is.
const BESIDE: u64 = 32 << 20;

/// The longest that 99 of 100 answers may take whose presentation must be opened.
const COLD: Duration = Duration::from_millis(10);

/// Points of a curve.
const POINTS: usize = 100;

fn main() {
    let arguments = Arguments::parse();
    if !arguments.folder.exists() {
        shelves::write_presentations(&arguments.folder, arguments.presentations);
    }
    let empty = own_memory();
    let loads = [("Zipf, s = 1.0", 1.0), ("Zipf, s = 0.8", 0.8), ("all alike", 0.0)];
    let outcomes = loads.map(|(name, s)| {
        let popularity = Popularity::zipf(s, arguments.presentations);
        let run = Run::new(&arguments.folder, arguments.requests, popularity);
        let outcome = run.go(name, empty);
        outcome.print();
        outcome
    });
    if let Some(file) = &arguments.chart {
        std::fs::write(file, chart(&outcomes)).unwrap();
    }
    if let Some(file) = &arguments.csv {
        std::fs::write(file, csv(&outcomes)).unwrap();
    }
    for outcome in &outcomes {
        outcome.check();
    }
}

struct Arguments {
    folder: PathBuf,
    presentations: usize,
    requests: usize,
    chart: Option<PathBuf>,
    csv: Option<PathBuf>,
}

impl Arguments {
    fn parse() -> Self {
        let (mut plain, mut chart, mut csv) = (Vec::new(), None, None);
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--chart" => chart = words.next().map(PathBuf::from),
                "--csv" => csv = words.next().map(PathBuf::from),
                _ => plain.push(word),
            }
        }
        let number = |at: usize| plain.get(at).map_or(100_000, |number| number.parse().unwrap());
        let folder = plain.first().expect("a folder is wanted").into();
        Self { folder, presentations: number(1), requests: number(2), chart, csv }
    }
}

/// One load on one origin.
struct Run {
    service: OriginService,
    popularity: Popularity,
    requests: usize,
    asked: AtomicUsize,
    answers: Mutex<Vec<Answered>>,
    done: AtomicBool,
}

/// An answer whose last byte was read.
#[derive(Clone, Copy)]
struct Answered {
    found: Found,
    took: Duration,
    /// Of this thread.
    processor: Duration,
}

/// What is known after some more requests.
struct Point {
    asked: usize,
    openings_a_second: f64,
    hit_rate: f64,
    memory: u64,
}

struct Outcome {
    name: &'static str,
    answers: Vec<Answered>,
    points: Vec<Point>,
    most_memory: u64,
}

impl Run {
    fn new(folder: &Path, requests: usize, popularity: Popularity) -> Self {
        let store = Watched(LocalStore::new(folder).unwrap());
        let origin = Origin::builder(store).cache_bytes(BUDGET).build();
        let service = OriginService::with_options(origin, every_policy());
        let (asked, answers) = (AtomicUsize::new(0), Mutex::default());
        Self { service, popularity, requests, asked, answers, done: AtomicBool::new(false) }
    }

    fn go(self, name: &'static str, empty: u64) -> Outcome {
        let (points, most_memory) = scope(|scope| {
            let clients: Vec<_> = (0..THREADS)
                .map(|number| {
                    scope.spawn({
                        let run = &self;
                        move || run.ask_all(number as u64)
                    })
                })
                .collect();
            let watcher = scope.spawn(|| self.watch(name, empty));
            clients.into_iter().for_each(|client| client.join().unwrap());
            self.done.store(true, Ordering::Relaxed);
            watcher.join().unwrap()
        });
        Outcome { name, answers: self.answers.into_inner().unwrap(), points, most_memory }
    }

    /// A client: one request after the other.
    fn ask_all(&self, number: u64) {
        let mut random = Random(number);
        while self.asked.fetch_add(1, Ordering::Relaxed) < self.requests {
            let presentation = self.popularity.pick(random.next());
            let path = match random.next() % 10 {
                0 => shelves::manifest(presentation),
                _ => shelves::fragment(presentation, random.next()),
            };
            let request =
                Request::get(path).header("accept-encoding", "gzip, br").body(()).unwrap();
            let (start, processor) = (Instant::now(), thread_time());
            self.ask(&request);
            let (took, processor) = (start.elapsed(), thread_time() - processor);
            let answered = Answered { found: found(), took, processor };
            self.answers.lock().unwrap().push(answered);
        }
    }

    fn ask(&self, request: &Request<()>) {
        let response = block_on(self.service.respond(request));
        assert_eq!(response.status(), 200, "{}", request.uri());
        let mut body = response.into_body();
        while let Some(frame) = block_on(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))) {
            frame.unwrap();
        }
    }

    /// Looks at the memory all the time, and keeps a point of the curves each so many requests.
    fn watch(&self, name: &str, empty: u64) -> (Vec<Point>, u64) {
        let (mut points, mut most_memory) = (Vec::<Point>::new(), 0);
        let (mut seen, mut since) = (0, Instant::now());
        while !self.done.load(Ordering::Relaxed) {
            sleep(Duration::from_millis(10));
            let memory = own_memory().saturating_sub(empty);
            most_memory = most_memory.max(memory);
            let answers = self.answers.lock().unwrap();
            let new = &answers[seen..];
            if new.len() < self.requests / POINTS {
                continue;
            }
            let openings = new.iter().filter(|answer| answer.found == Found::Opened).count();
            let point = Point {
                asked: answers.len(),
                openings_a_second: openings as f64 / since.elapsed().as_secs_f64(),
                hit_rate: 1.0 - openings as f64 / new.len() as f64,
                memory,
            };
            (seen, since) = (answers.len(), Instant::now());
            drop(answers);
            if points.len() % 10 == 9 {
                point.print(name);
            }
            points.push(point);
        }
        (points, most_memory)
    }
}

impl Point {
    fn print(&self, name: &str) {
        println!(
            "{name}: {:>7} requests, {:.0} openings/s, {:.1} % hits, {:.0} MiB",
            self.asked,
            self.openings_a_second,
            self.hit_rate * 100.0,
            mib(self.memory)
        );
    }
}

impl Outcome {
    fn times(&self, found: Found, time: impl Fn(&Answered) -> Duration) -> Vec<Duration> {
        let answers = self.answers.iter().filter(|answer| answer.found == found);
        let mut times: Vec<_> = answers.map(time).collect();
        times.sort();
        times
    }

    fn print(&self) {
        let opened = self.times(Found::Opened, |answer| answer.took).len();
        let hits = self.answers.len() - opened;
        println!(
            "{}: {} requests, {opened} openings, {:.1} % hits, at most {:.0} MiB",
            self.name,
            self.answers.len(),
            hits as f64 / self.answers.len() as f64 * 100.0,
            mib(self.most_memory)
        );
        let kinds =
            [("opened", Found::Opened), ("looked at", Found::LookedAt), ("kept", Found::Kept)];
        for (what, found) in kinds {
            let took = self.times(found, |answer| answer.took);
            print_times(&format!("{what}, {} answers", took.len()), &took);
            let processor = self.times(found, |answer| answer.processor);
            print_times(&format!("{what}, processor time"), &processor);
        }
    }

    fn check(&self) {
        let took = self.times(Found::Opened, |answer| answer.took);
        let cold = quantile(&took, 0.99);
        assert!(cold <= COLD, "{}: a cold answer takes {cold:?}", self.name);
        let memory = mib(self.most_memory);
        assert!(self.most_memory <= BUDGET + BESIDE, "{}: {memory:.0} MiB", self.name);
    }
}

fn print_times(what: &str, times: &[Duration]) {
    let of = |part| quantile(times, part).as_secs_f64() * 1e3;
    println!(
        "  {what}: {:.3} ms, at most {:.3} ms in 99 of 100, {:.3} ms in all",
        of(0.5),
        of(0.99),
        of(1.0)
    );
}

fn chart(outcomes: &[Outcome]) -> String {
    let panel = |title: &str, limit, value: fn(&Point) -> f64| {
        let curve = |outcome: &Outcome| {
            let points = outcome.points.iter().map(|point| (point.asked as f64, value(point)));
            Curve { name: outcome.name, points: points.collect() }
        };
        Panel { title: title.into(), curves: outcomes.iter().map(curve).collect(), limit }
    };
    let panels = [
        panel("hits, % of the requests", None, |point| point.hit_rate * 100.0),
        panel("openings a second", None, |point| point.openings_a_second),
        panel("memory, MiB", Some(mib(BUDGET)), |point| mib(point.memory)),
    ];
    svg(&panels, "requests")
}

fn csv(outcomes: &[Outcome]) -> String {
    let mut text = String::from("load,requests,openings_a_second,hit_rate,memory_bytes\n");
    for outcome in outcomes {
        for point in &outcome.points {
            let Point { asked, openings_a_second, hit_rate, memory } = point;
            let _ = writeln!(
                text,
                "\"{}\",{asked},{openings_a_second:.0},{hit_rate:.4},{memory}",
                outcome.name
            );
        }
    }
    text
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
