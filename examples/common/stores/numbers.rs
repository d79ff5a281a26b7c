//! The numbers of stores, as metrics.

use std::sync::{Once, PoisonError};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use smooth_origin::storage::BreakerState;

use super::disk::{self, Disk};

/// Records the numbers of all stores, each with the URL of its store as the label `store`.
pub(crate) fn record() {
    static DESCRIBED: Once = Once::new();
    DESCRIBED.call_once(describe);
    let all = super::all().lock().unwrap_or_else(PoisonError::into_inner);
    for (url, connected) in all.iter() {
        let stats = connected.resilient.stats();
        let label = || url.to_string();
        let count =
            |name: &'static str, value: u64| counter!(name, "store" => label()).absolute(value);
        count("serve_store_retries_total", stats.retry.retries);
        count("serve_store_recovered_total", stats.retry.recovered);
        count("serve_store_failed_total", stats.retry.given_up);
        count("serve_store_out_of_budget_total", stats.retry.out_of_budget);
        count("serve_store_slow_downs_total", stats.retry.slow_downs);
        count("serve_store_openings_total", stats.breaker.openings);
        count("serve_store_refused_total", stats.breaker.refused);
        let is_left_alone = stats.breaker.state != BreakerState::Closed;
        gauge!("serve_store_left_alone", "store" => label())
            .set(f64::from(u8::from(is_left_alone)));
        count("serve_store_hedges_total", stats.hedge.sent);
        count("serve_store_hedges_won_total", stats.hedge.won);
        count("serve_store_hedges_over_limit_total", stats.hedge.over_limit);
    }
    if let Some(disk) = disk::opened() {
        of_disk(disk);
    }
}

/// The cache is one for all stores, each of which it knows by its place, so that the origin above them does
/// not know of it.
fn of_disk(disk: &Disk) {
    let stats = disk.stats();
    let count = |name: &'static str, value| counter!(name, "origin" => "main").absolute(value);
    count("smooth_origin_disk_cache_hits_total", stats.hits);
    count("smooth_origin_disk_cache_misses_total", stats.misses);
    count("smooth_origin_disk_cache_errors_total", stats.errors);
    count("smooth_origin_disk_cache_hit_bytes_total", stats.hit_bytes);
    if let Some(free) = disk.free() {
        gauge!("serve_disk_cache_free_bytes").set(free as f64);
    }
}

fn describe() {
    let count = |name, what: &'static str| describe_counter!(name, Unit::Count, what);
    count("serve_store_retries_total", "Requests to a store that were made again");
    count("serve_store_recovered_total", "Operations that succeeded after a failure");
    count("serve_store_failed_total", "Operations that failed after all tries");
    let what = "Operations that were not tried again, because too many others were";
    count("serve_store_out_of_budget_total", what);
    count("serve_store_slow_downs_total", "Answers of a store that ask for fewer requests");
    count("serve_store_openings_total", "Times that a store has been left alone");
    count("serve_store_refused_total", "Operations that were not tried meanwhile");
    count(
        "serve_store_hedges_total",
        "Requests that were made a second time, because they were slow",
    );
    count("serve_store_hedges_won_total", "Second requests that answered first");
    let what = "Slow requests that were not made a second time, because too many were";
    count("serve_store_hedges_over_limit_total", what);
    let what = "Bytes that the disk of the cache of stores has free";
    describe_gauge!("serve_disk_cache_free_bytes", Unit::Bytes, what);
    let what = "1 while a store is left alone because it fails again and again";
    describe_gauge!("serve_store_left_alone", Unit::Count, what);
}
