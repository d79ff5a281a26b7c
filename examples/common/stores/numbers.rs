//! The numbers of stores, as metrics.

use std::sync::{Once, PoisonError};

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use smooth_origin::storage::BreakerState;

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
        count("serve_store_slow_downs_total", stats.retry.slow_downs);
        count("serve_store_openings_total", stats.breaker.openings);
        count("serve_store_refused_total", stats.breaker.refused);
        let is_left_alone = stats.breaker.state != BreakerState::Closed;
        gauge!("serve_store_left_alone", "store" => label())
            .set(f64::from(u8::from(is_left_alone)));
    }
}

fn describe() {
    let count = |name, what: &'static str| describe_counter!(name, Unit::Count, what);
    count("serve_store_retries_total", "Requests to a store that were made again");
    count("serve_store_recovered_total", "Operations that succeeded after a failure");
    count("serve_store_failed_total", "Operations that failed after all tries");
    count("serve_store_slow_downs_total", "Answers of a store that ask for fewer requests");
    count("serve_store_openings_total", "Times that a store has been left alone");
    count("serve_store_refused_total", "Operations that were not tried meanwhile");
    let what = "1 while a store is left alone because it fails again and again";
    describe_gauge!("serve_store_left_alone", Unit::Count, what);
}
