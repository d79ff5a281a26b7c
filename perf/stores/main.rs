//! Readers of the fragments of a film in a store of S3, and a relay before it: what `stores.py` measures.
//!
//! ```sh
//! stores read WHAT PORT THREADS CONNECTIONS PASSES LIST [FOLDER]
//! stores relay PORT THREADS LIST
//! ```
//!
//! | `WHAT` | reads |
//! |---|---|
//! | `ranges` | the ranges of the objects, over plain sockets and into one buffer for each connection |
//! | `paths` | the fragments of an origin, in the same way |
//! | `object-store` | the ranges, by the crate `object_store` alone |
//! | `origin` | the fragments, by an origin in this process whose bodies are dropped |
//!
//! `LIST` has a fragment a line: its path at an origin, the key of its object, and its range. The fragments are read
//! one after the other, so often, by so many connections. Each answer has as many bytes as the range; with
//! `FOLDER`, which has the objects, they are compared as well.

mod fragments;
mod library;
mod relay;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fragments::Fragments;
use library::Library;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// The bucket of the server.
const BUCKET: &str = "films";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["read", what, port, threads, connections, passes, list, ref folder @ ..] => {
            let folder = folder.first().map(std::path::PathBuf::from);
            let fragments = Arc::new(Fragments::read(list, number(passes), folder));
            let runtime = runtime(number(threads));
            runtime.block_on(read(what, number(port), number(connections), fragments));
        }
        ["relay", port, threads, list] => {
            relay::run(number(port), number(threads), Arc::new(Fragments::read(list, 1, None)));
        }
        _ => {
            panic!("`stores read …` or `stores relay …`: the arguments are at the top of `main.rs`")
        }
    }
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no such number"))
}

fn runtime(threads: usize) -> Runtime {
    let built = match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    };
    built.expect("a runtime starts")
}

async fn read(what: &str, port: u16, connections: usize, fragments: Arc<Fragments>) {
    let library = match what {
        "object-store" => Some(Library::store(port)),
        "origin" => Some(Library::origin(port, &fragments).await),
        _ => None,
    };
    let by_path = what == "paths";
    let (began, used) = (Instant::now(), used());
    let mut readers = JoinSet::new();
    for _ in 0..connections {
        let fragments = Arc::clone(&fragments);
        match library.clone() {
            Some(library) => readers.spawn(async move { library.read_all(&fragments).await }),
            None => readers.spawn(async move { wire::read_all(port, by_path, &fragments).await }),
        };
    }
    let mut times: Vec<Times> = readers.join_all().await.into_iter().flatten().collect();
    let seconds = began.elapsed().as_secs_f64();
    let (user, system) = self::used();
    let bytes = fragments.bytes() * fragments.passes();
    let first = middle(&mut times, |times| times.first);
    let whole = middle(&mut times, |times| times.whole);
    println!(
        r#"{{"requests": {}, "bytes": {bytes}, "seconds": {seconds}, "user": {}, "system": {}, "first": {first}, "whole": {whole}}}"#,
        times.len(),
        user - used.0,
        system - used.1,
    );
}

/// The times from a request to the first byte of the body and to the last one.
#[derive(Clone, Copy)]
struct Times {
    first: Duration,
    whole: Duration,
}

/// The median in ms.
fn middle(times: &mut [Times], of: impl Fn(&Times) -> Duration) -> f64 {
    times.sort_by_key(&of);
    times.get(times.len() / 2).map_or(0.0, |times| of(times).as_secs_f64() * 1e3)
}

/// Seconds of processor time of this process so far, for itself and in the kernel.
fn used() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // In hundredths, on every Linux.
    let seconds = |place: usize| fields[place].parse::<u64>().unwrap_or_default() as f64 / 100.0;
    (seconds(11), seconds(12))
}
