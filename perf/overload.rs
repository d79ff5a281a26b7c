//! A service over a slow store, offered four times what the store can give.
//!
//! ```sh
//! cargo run --release -p smooth-origin-perf --bin overload -- [SECONDS]
//! ```
//!
//! The store takes 50 ms an operation and does 32 at one time. First twice as many clients ask one
//! request after the other: what they are given is the capacity. Then requests arrive at four times
//! that rate, whether those before them are answered or not, for a minute; then they stop, and
//! single requests show how soon all is as it was.

use std::future::poll_fn;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::Body;
use smooth_origin::base::Name;
use smooth_origin::origin::Origin;
use smooth_origin::service::{OriginService, ServiceBody};
use smooth_origin::storage::{MemoryObject, MemoryStore, RangeSource, Stat, Store};
use smooth_origin_benches::{Stored, every_policy, files, heads, memory};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Time that an operation of the store takes.
const LATENCY: Duration = Duration::from_millis(50);

/// Operations that the store does at one time, and that the origin asks of it.
const AT_ONCE: usize = 32;

/// Operations that may wait for their turn: they are done in a tenth of a second.
const WAITING: usize = 64;

/// Offered load, in multiples of the capacity.
const OFFERED: f64 = 4.0;

/// Time between arrivals, each of several requests.
const TICK: Duration = Duration::from_millis(5);

/// The bars: the part of the capacity that must be served, and the time after the load by which
/// responses must be as fast as before.
const GOODPUT: f64 = 0.8;
const RECOVERY: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() {
    let seconds = std::env::args().nth(1).map_or(60, |seconds| seconds.parse().unwrap());
    let duration = Duration::from_secs(seconds);
    let client = Client::new().await;
    let alone = client.ask().await.took;
    println!("alone: {} ms a fragment", alone.as_millis());
    let capacity = client.capacity(duration / 4).await;
    println!("capacity: {capacity:.0} fragments/s; {:.0} by the store", limit());

    let (good, busy) = client.overload(capacity * OFFERED, duration).await;
    let stopped = Instant::now();
    let goodput = good.len() as f64 / duration.as_secs_f64();
    println!(
        "offered {:.0}/s for {seconds} s: {goodput:.0} fragments/s, {:.0} % of the capacity; {:.0}/s refused with 503",
        capacity * OFFERED,
        goodput / capacity * 100.0,
        busy.len() as f64 / duration.as_secs_f64(),
    );
    print_times("a fragment took", good);
    print_times("a refusal took", busy);
    let recovered = client.recovered(stopped, alone).await;
    println!(
        "{} ms after the last arrival a fragment takes what it took alone",
        recovered.as_millis()
    );

    assert!(goodput >= capacity * GOODPUT, "too little of the capacity is used");
    assert!(recovered <= RECOVERY, "recovery takes too long");
}

/// Fragments per second that the store can deliver.
fn limit() -> f64 {
    AT_ONCE as f64 / LATENCY.as_secs_f64()
}

fn print_times(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let of = |part: f64| {
        let at = (times.len() as f64 * part) as usize;
        times.get(at.min(times.len().saturating_sub(1))).map_or(0.0, |t| t.as_secs_f64() * 1e3)
    };
    println!(
        "{what} {:.1} ms, at most {:.1} ms in 99 of 100, {:.1} ms in all",
        of(0.5),
        of(0.99),
        of(1.0)
    );
}

/// Asks for fragments in turn.
#[derive(Clone)]
struct Client {
    service: OriginService,
    paths: Arc<Vec<http::Uri>>,
    next: Arc<AtomicUsize>,
}

/// An answer read to its end.
struct Answered {
    status: StatusCode,
    took: Duration,
}

impl Client {
    /// Each fragment has been looked at once.
    async fn new() -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let store = memory(&files(600, 30_000, Stored::Nothing));
        let origin = Origin::builder(Slow { inner: store, turns });
        let origin = origin.max_reads(AT_ONCE).max_waiting(WAITING).build();
        let opened = origin.open(&Name::new("film.ism").unwrap()).await.unwrap();
        let service = OriginService::with_options(origin, every_policy());
        let heads = heads(opened.presentation(), 1200);
        let paths = heads.into_iter().map(|head| head.uri().clone()).collect();
        let client = Self { service, paths: Arc::new(paths), next: Arc::default() };
        client.in_turn(1200 / AT_ONCE).await;
        client
    }

    async fn ask(&self) -> Answered {
        let start = Instant::now();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let uri = self.paths[number % self.paths.len()].clone();
        let request = Request::get(uri).header("host", "localhost").body(()).unwrap();
        let response = self.service.respond(&request).await;
        let status = response.status();
        assert!(matches!(status.as_u16(), 200 | 503), "{status} for {}", request.uri());
        let (announced, read) =
            (response.headers()["content-length"].clone(), read(response.into_body()).await);
        assert_eq!(announced, read.to_string(), "{} was cut off", request.uri());
        Answered { status, took: start.elapsed() }
    }

    /// Twice as many clients as the store serves at once, each with so many requests.
    async fn in_turn(&self, requests: usize) -> usize {
        let mut clients = JoinSet::new();
        for _ in 0..AT_ONCE * 2 {
            let client = self.clone();
            clients.spawn(async move {
                for _ in 0..requests {
                    assert_eq!(client.ask().await.status, StatusCode::OK);
                }
            });
        }
        clients.join_all().await.len() * requests
    }

    /// Fragments a second when nobody has to be refused.
    async fn capacity(&self, duration: Duration) -> f64 {
        let requests = (limit() * duration.as_secs_f64()) as usize / (AT_ONCE * 2);
        let start = Instant::now();
        let answered = self.in_turn(requests.max(1)).await;
        answered as f64 / start.elapsed().as_secs_f64()
    }

    /// Requests at this rate: what good answers took that came while it lasted, and what refusals.
    async fn overload(&self, rate: f64, duration: Duration) -> (Vec<Duration>, Vec<Duration>) {
        let start = Instant::now();
        let end = start + duration;
        let mut requests = JoinSet::new();
        let (mut good, mut busy) = (Vec::new(), Vec::new());
        let mut take = |answered: Answered| match answered.status {
            StatusCode::OK => good.push(answered.took),
            _ => busy.push(answered.took),
        };
        let mut arrived = 0;
        let mut tick = start;
        while tick < end {
            sleep_until(tick).await;
            let due = ((tick - start).as_secs_f64() * rate) as usize;
            for _ in arrived..due {
                let client = self.clone();
                requests.spawn(async move { client.ask().await });
            }
            arrived = due;
            while let Some(answered) = requests.try_join_next() {
                take(answered.unwrap());
            }
            tick += TICK;
        }
        // What is still under way came too late to count.
        requests.detach_all();
        (good, busy)
    }

    /// Waits until a request is answered as fast as one alone was, give or take half; returns the time
    /// since `stopped`.
    async fn recovered(&self, stopped: Instant, alone: Duration) -> Duration {
        loop {
            let asked = stopped.elapsed();
            let answered = self.ask().await;
            if answered.status == StatusCode::OK && answered.took <= alone * 3 / 2 {
                return asked;
            }
            sleep(TICK).await;
        }
    }
}

/// Reads a body to its end; gives its length.
async fn read(mut body: ServiceBody) -> usize {
    let mut length = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        length += frame.unwrap().into_data().map_or(0, |data| data.len());
    }
    length
}

/// A store that takes its time, with so many turns.
struct Slow<S> {
    inner: S,
    turns: Arc<Semaphore>,
}

impl<S> Slow<S> {
    async fn wait(&self) {
        let _turn = self.turns.acquire().await.unwrap();
        sleep(LATENCY).await;
    }
}

impl Store for Slow<MemoryStore> {
    type Source = Slow<MemoryObject>;

    async fn open(&self, name: &Name) -> io::Result<Self::Source> {
        self.wait().await;
        Ok(Slow { inner: self.inner.open(name).await?, turns: Arc::clone(&self.turns) })
    }
}

impl RangeSource for Slow<MemoryObject> {
    async fn stat(&self) -> io::Result<Stat> {
        self.wait().await;
        self.inner.stat().await
    }

    async fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.wait().await;
        self.inner.read(range).await
    }
}
