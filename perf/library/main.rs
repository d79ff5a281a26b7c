//! A library of 100,000 presentations, addressed at random, under a budget of memory.
//!
//! ```sh
//! cargo run --release -p smooth-origin-perf --bin library -- \
//!     FOLDER [PRESENTATIONS [REQUESTS]] [--chart FILE.svg] [--csv FILE.csv]
//! ```
//!
//! The folder is written where it is not there yet, and stays. Two threads ask the service for
//! fragments and, one time in ten, for the manifest in brotli: first by Zipf's law with s = 1.0, then
//! with 0.8, then all alike. The origin stays the same, and each time others are popular.

mod chart;
mod popularity;
mod shelves;
mod watched;

use std::fmt::Write;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use http::Request;
use http_body::Body;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::OriginService;
use smooth_origin::storage::LocalStore;
use smooth_origin_benches::{every_policy, own_memory, quantile};

use chart::{Curve, Panel, svg};
use popularity::{Popularity, Random};
use watched::{Found, Watched, found};

const THREADS: usize = 2;

/// Memory for opened presentations. The process takes no more than this beside what it took before
/// the first request, whatever it opens, compresses and holds open meanwhile.
const BUDGET: u64 = 256 << 20;

/// The longest that 99 of 100 answers may take whose presentation must be opened.
const COLD: Duration = Duration::from_millis(10);

/// The loads: names, and exponents of Zipf's law.
const LOADS: [(&str, f64); 3] =
    [("Zipf, s = 1.0", 1.0), ("Zipf, s = 0.8", 0.8), ("all alike", 0.0)];

/// Points of a curve.
const POINTS: usize = 100;

fn main() {
    let arguments = Arguments::parse();
    if !arguments.folder.exists() {
        shelves::write_presentations(&arguments.folder, arguments.presentations);
    }
    let run = Run::new(&arguments);
    let outcomes = run.go();
    outcomes.iter().for_each(Outcome::print);
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

/// Loads on one origin.
struct Run {
    service: OriginService,
    loads: Vec<Load>,
    requests: usize,
    /// All threads wait for one another here before a load.
    start: Barrier,
    /// Memory of the process before the first request.
    empty: u64,
}

/// Requests of one popularity.
struct Load {
    name: &'static str,
    popularity: Popularity,
    asked: AtomicUsize,
    answers: Mutex<Vec<Answered>>,
}

/// An answer whose last byte was read; times in microseconds.
#[derive(Clone, Copy)]
struct Answered {
    found: Found,
    took: u32,
    /// `took` without the time in which other threads and processes had the processor.
    own: u32,
}

/// The figures after some more requests.
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
    fn new(arguments: &Arguments) -> Self {
        let load = |(name, s)| Load {
            name,
            popularity: Popularity::zipf(s, arguments.presentations),
            asked: AtomicUsize::new(0),
            answers: Mutex::new(room_for(arguments.requests)),
        };
        let loads = LOADS.map(load).into();
        let empty = own_memory();
        let store = Watched(LocalStore::new(&arguments.folder).unwrap());
        let origin = Origin::builder(store).cache_bytes(BUDGET).build();
        let service = OriginService::with_options(origin, every_policy());
        let start = Barrier::new(THREADS + 1);
        println!("before the first request: {:.1} MiB", mib(empty));
        Self { service, loads, requests: arguments.requests, start, empty }
    }

    fn go(self) -> Vec<Outcome> {
        let watched = scope(|scope| {
            for number in 0..THREADS {
                let run = &self;
                scope.spawn(move || run.ask_all(number as u64));
            }
            let watched = self.loads.iter().map(|load| self.watch(load));
            watched.collect::<Vec<_>>()
        });
        let outcome = |(load, (points, most_memory)): (Load, _)| Outcome {
            name: load.name,
            answers: load.answers.into_inner().unwrap(),
            points,
            most_memory,
        };
        self.loads.into_iter().zip(watched).map(outcome).collect()
    }

    /// A client: one request after the other.
    fn ask_all(&self, number: u64) {
        let mut random = Random(number);
        for (shift, load) in self.loads.iter().enumerate() {
            self.start.wait();
            while load.asked.fetch_add(1, Ordering::Relaxed) < self.requests {
                let picked = load.popularity.pick(random.next());
                let presentation = (picked + 10 * shift) % load.popularity.len();
                let path = match random.next() % 10 {
                    0 => shelves::manifest(presentation),
                    _ => shelves::fragment(presentation, random.next()),
                };
                let answered = self.ask(path);
                load.answers.lock().unwrap().push(answered);
            }
        }
    }

    fn ask(&self, path: String) -> Answered {
        let request = Request::get(path).header("host", "localhost");
        let request = request.header("accept-encoding", "gzip, br").body(()).unwrap();
        let (waited, start) = (waited(), Instant::now());
        let response = block_on(self.service.respond(&request));
        assert_eq!(response.status(), 200, "{}", request.uri());
        let mut body = response.into_body();
        while let Some(frame) = block_on(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx))) {
            frame.unwrap();
        }
        let took = start.elapsed();
        let own = took.saturating_sub(self::waited() - waited);
        let micros = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        Answered { found: found(), took: micros(took), own: micros(own) }
    }

    /// Looks at the memory all the time, and keeps a point of the curves each so many requests.
    fn watch(&self, load: &Load) -> (Vec<Point>, u64) {
        let (mut points, mut most_memory) = (Vec::<Point>::new(), 0);
        let (mut seen, mut since) = (0, Instant::now());
        self.start.wait();
        while seen < self.requests {
            sleep(Duration::from_millis(10));
            let memory = own_memory().saturating_sub(self.empty);
            most_memory = most_memory.max(memory);
            let answers = load.answers.lock().unwrap();
            let new = &answers[seen..];
            if new.len() < self.requests / POINTS && answers.len() < self.requests {
                continue;
            }
            let openings = new.iter().filter(|answer| answer.found == Found::Opened).count();
            let point = Point {
                asked: answers.len(),
                openings_a_second: openings as f64 / since.elapsed().as_secs_f64(),
                hit_rate: 1.0 - openings as f64 / new.len().max(1) as f64,
                memory,
            };
            (seen, since) = (answers.len(), Instant::now());
            drop(answers);
            if points.len() % 10 == 9 {
                point.print(load.name);
            }
            points.push(point);
        }
        (points, most_memory)
    }
}

/// An empty list whose memory the process has taken already, so that it is none of the origin's.
fn room_for(answers: usize) -> Vec<Answered> {
    let mut room = vec![Answered { found: Found::Kept, took: 1, own: 1 }; answers];
    room.clear();
    room
}

/// Time in which this thread could have run and others did; zero if the system does not report it.
fn waited() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().nth(1).and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
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
    fn times(&self, found: Found, time: impl Fn(&Answered) -> u32) -> Vec<Duration> {
        let answers = self.answers.iter().filter(|answer| answer.found == found);
        let mut times: Vec<_> =
            answers.map(|answer| Duration::from_micros(time(answer).into())).collect();
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
            let own = self.times(found, |answer| answer.own);
            print_times(&format!("{what}, while it had a processor"), &own);
        }
    }

    fn check(&self) {
        let took = self.times(Found::Opened, |answer| answer.took);
        let cold = quantile(&took, 0.99);
        assert!(cold <= COLD, "{}: a cold answer takes {cold:?}", self.name);
        let memory = mib(self.most_memory);
        assert!(self.most_memory <= BUDGET, "{}: {memory:.0} MiB", self.name);
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
