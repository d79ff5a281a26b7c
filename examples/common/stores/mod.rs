//! Stores that are reached over a network, in place of folders.
//!
//! ```text
//!  spelled (letter case) ─► disk (cache) ─► resilience (time, retries, hedges, breaker) ─► limit ─► buckets ─► Bucket
//! ```

mod buckets;
pub(crate) mod disk;
mod list;
mod names;
mod numbers;
mod options;
mod place;
mod runtime;
mod spelled;

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use smooth_origin::storage::{
    AnyStore, BreakerState, Bucket, LimitStore, Location, Resilience, ResilientStore, Store,
};

use crate::Failure;
use crate::log::{Level, log};
use crate::place::StoreUrl;

use buckets::Buckets;
pub(crate) use list::visit;
pub(crate) use numbers::record;
pub(crate) use options::StoreOptions;
use spelled::Spelled;

type Resilient = ResilientStore<LimitStore<Buckets>>;

/// A store that is connected, for all that this process does with it. The environment does not change, so
/// a URL means the same for ever.
#[derive(Clone)]
struct Connected {
    buckets: Buckets,
    resilient: Resilient,
    /// This store again, for the lists that clients cause by names that are missing. Their faults are not
    /// those of reads.
    brief: Resilient,
}

/// Time of a list for letter case, with all tries. A name that is missing takes one, and often another.
const BRIEF: Duration = Duration::from_secs(1);

/// Stores by their URLs. A reload finds those again that it keeps, with their numbers.
fn all() -> &'static Mutex<HashMap<StoreUrl, Connected>> {
    static ALL: OnceLock<Mutex<HashMap<StoreUrl, Connected>>> = OnceLock::new();
    ALL.get_or_init(Mutex::default)
}

/// Checks the URL of a store. A `*` may stand in the name of its bucket.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let (before, path) = text.split_once("://").unwrap_or_default();
    let (bucket, path) = path.split_once('/').unwrap_or((path, ""));
    if bucket.contains('*') && before.starts_with("http") {
        // Clients would choose the server that is asked, with the credentials of this one.
        return Err(
            "a server of files has its whole name: a * stands in that of a bucket alone".into()
        );
    }
    if bucket.matches('*').count() > 1 {
        return Err("the name of a bucket has one * at most".into());
    }
    let text = format!("{before}://{}/{path}", bucket.replace('*', "x"));
    Location::parse(&text).map_err(|error| error.to_string())?;
    match bucket.contains('*') {
        // Each name that it makes is checked when it is asked for.
        true => names::check(before, &bucket.replace('*', "xxx")),
        false => names::check(before, bucket),
    }
}

/// Connects to a store, with what stands in the environment. Nothing is asked of it.
///
/// # Errors
/// A variable is missing or wrong: the sentence names it.
pub(crate) fn open(
    url: &StoreUrl,
    options: &StoreOptions,
    exact_names: bool,
) -> Result<AnyStore, Failure> {
    let Connected { resilient: store, brief, .. } = connected(url, options)?;
    // Servers of files may not list, and know of letter case what their disks know.
    let exact_names = exact_names || url.as_str().starts_with("http");
    Ok(match disk::opened() {
        Some(disk) => named(disk.cache.around(&place::of(url), store), brief, exact_names),
        None => named(store, brief, exact_names),
    })
}

/// Connects to a bucket that is written to. Nothing is asked of it.
///
/// # Errors
/// As those of [`open`]; a `*` is in its name.
pub(crate) fn bucket(url: &StoreUrl) -> Result<Bucket, Failure> {
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::System(format!("cannot use the store {url}: {error}"))
    };
    runtime::start().map_err(|error| cannot(&error))?;
    let buckets = Buckets::connect(url).map_err(|error| cannot(&error))?;
    buckets.one().cloned().ok_or_else(|| cannot(&"it is more than one bucket"))
}

fn named(store: impl Store, brief: Resilient, exact_names: bool) -> AnyStore {
    match exact_names {
        true => AnyStore::new(store),
        false => AnyStore::new(Spelled::new(store, brief)),
    }
}

/// The store of a URL. How it is asked is what the first caller says.
fn connected(url: &StoreUrl, options: &StoreOptions) -> Result<Connected, Failure> {
    let mut all = all().lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.get(url) {
        return Ok(known.clone());
    }
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::System(format!("cannot serve the store {url}: {error}"))
    };
    runtime::start().map_err(|error| cannot(&error))?;
    let buckets = Buckets::connect(url).map_err(|error| cannot(&error))?;
    let named = url.clone();
    let report = move |state, error: Option<&io::Error>| tell(&named, state, error);
    let limited = LimitStore::new(buckets.clone(), options.reads);
    let resilient = options.resilience().on_breaker_change(report).around(limited.clone());
    let brief = Resilience::new().timeout(BRIEF, 0).tries(2).total(BRIEF).around(limited);
    let connected = Connected { buckets, resilient, brief };
    all.insert(url.clone(), connected.clone());
    Ok(connected)
}

/// Logs that a store is left alone for a while, and that it answers again.
fn tell(url: &StoreUrl, state: BreakerState, error: Option<&io::Error>) {
    match (state, error) {
        (BreakerState::Closed, _) => {
            log(Level::Info, format_args!("the store {url} answers again"));
        }
        (BreakerState::Open, Some(error)) => log(
            Level::Error,
            format_args!(
                "the store {url} fails again and again, and is asked every few seconds only; until \
                 it answers, requests for what is not in memory get 503: {error}"
            ),
        ),
        _ => {}
    }
}
