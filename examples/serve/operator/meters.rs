//! `/metrics`: numbers of the server and of the library, as text for Prometheus. `docs/serve.md` lists them.

use std::array;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::Failure;
use metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::access::{Class, End};

const REQUESTS: &str = "serve_requests_total";
const SENT: &str = "serve_sent_bytes_total";
const SECONDS: &str = "serve_request_seconds";
const UNFINISHED: &str = "serve_unfinished_responses_total";
const CONNECTIONS: &str = "serve_connections";
const ACCEPTED: &str = "serve_connections_total";
const TLS_FAILURES: &str = "serve_tls_failures_total";
const DROPPED_LINES: &str = "serve_access_log_dropped_lines_total";
const BUILD: &str = "serve_build_info";
const STARTED: &str = "process_start_time_seconds";

/// Upper bounds of the buckets of times, in seconds.
const BUCKETS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Statuses that have counters; others are counted as `other`.
const STATUSES: [u16; 20] = [
    200, 204, 206, 301, 302, 304, 307, 308, 400, 403, 404, 405, 412, 415, 416, 431, 499, 500, 503,
    504,
];

/// Time between two emptyings of the lists in which times are recorded.
const UPKEEP: Duration = Duration::from_secs(5);

/// The metrics of the server. Each is looked up once, so that a request adds numbers and no more.
pub(crate) struct Meters {
    /// Counters by class and status. Each is shown once it has counted.
    requests: [[OnceLock<Counter>; STATUSES.len() + 1]; Class::ALL.len()],
    sent: [Counter; Class::ALL.len()],
    seconds: [Histogram; Class::ALL.len()],
    unfinished: [Counter; End::ALL.len()],
    connections: Gauge,
    accepted: Counter,
    tls_failures: Counter,
    dropped_lines: Counter,
    exported: PrometheusHandle,
}

/// A connection that is counted.
pub(crate) struct Connected(Arc<Meters>);

impl Meters {
    /// Installs the recorder of this process. The origin is built afterwards, because its metrics are
    /// registered then.
    ///
    /// # Errors
    /// There is a recorder already, or no thread can be started.
    pub(crate) fn install() -> Result<Arc<Self>, Failure> {
        let cannot = |error: &dyn std::fmt::Display| {
            Failure::System(format!(
                "metrics cannot be recorded: {error}; --no-metrics leaves them out"
            ))
        };
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS);
        let recorder = builder.map_err(|error| cannot(&error))?.build_recorder();
        let exported = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| cannot(&error))?;
        let kept = exported.clone();
        let upkeep = move || {
            loop {
                thread::sleep(UPKEEP);
                kept.run_upkeep();
            }
        };
        thread::Builder::new()
            .name("metrics".into())
            .spawn(upkeep)
            .map_err(|error| cannot(&error))?;
        Ok(Arc::new(Self::registered(exported)))
    }

    fn registered(exported: PrometheusHandle) -> Self {
        describe();
        gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        gauge!(STARTED).set(now.as_secs_f64());
        let of_class = |place: usize| Class::ALL[place].as_str();
        Self {
            requests: Default::default(),
            sent: array::from_fn(|place| counter!(SENT, "class" => of_class(place))),
            seconds: array::from_fn(|place| histogram!(SECONDS, "class" => of_class(place))),
            unfinished: array::from_fn(|place| match End::ALL[place] {
                End::Complete => Counter::noop(),
                end => counter!(UNFINISHED, "end" => end.as_str()),
            }),
            connections: gauge!(CONNECTIONS),
            accepted: counter!(ACCEPTED),
            tls_failures: counter!(TLS_FAILURES),
            dropped_lines: counter!(DROPPED_LINES),
            exported,
        }
    }

    /// Counts a request whose response has ended.
    pub(crate) fn request(&self, class: Class, status: u16, bytes: u64, took: Duration, end: End) {
        // `ALL` of both has them in the order of their numbers.
        let (row, end) = (class as usize, end as usize);
        let column = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len());
        let counter = self.requests[row][column].get_or_init(|| {
            let status = STATUSES.get(column).map_or("other".into(), ToString::to_string);
            counter!(REQUESTS, "class" => class.as_str(), "status" => status)
        });
        counter.increment(1);
        self.sent[row].increment(bytes);
        self.seconds[row].record(took);
        self.unfinished[end].increment(1);
    }

    pub(crate) fn tls_failed(&self) {
        self.tls_failures.increment(1);
    }

    /// Returns all numbers, as text.
    pub(super) fn text(&self, dropped_lines: u64) -> String {
        self.dropped_lines.absolute(dropped_lines);
        self.exported.render()
    }
}

impl Connected {
    pub(crate) fn new(meters: &Arc<Meters>) -> Self {
        meters.accepted.increment(1);
        meters.connections.increment(1.0);
        Self(Arc::clone(meters))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.decrement(1.0);
    }
}

fn describe() {
    let count = |name, what: &'static str| metrics::describe_counter!(name, Unit::Count, what);
    count(REQUESTS, "Requests whose response has ended");
    metrics::describe_counter!(SENT, Unit::Bytes, "Bytes of bodies that the system has taken");
    metrics::describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "Time from the head of a request to the last byte of its response"
    );
    count(UNFINISHED, "Responses that were not sent to their end");
    metrics::describe_gauge!(CONNECTIONS, Unit::Count, "Connections that are open");
    count(ACCEPTED, "Connections that were served");
    count(TLS_FAILURES, "Connections whose TLS handshake failed");
    count(DROPPED_LINES, "Lines of the access log that were not written");
    metrics::describe_gauge!(BUILD, Unit::Count, "The version of the server; always 1");
    metrics::describe_gauge!(STARTED, Unit::Seconds, "Start of the server, in seconds since 1970");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_ends_are_listed_in_the_order_of_their_numbers() {
        assert!(Class::ALL.iter().enumerate().all(|(place, class)| *class as usize == place));
        assert!(End::ALL.iter().enumerate().all(|(place, end)| *end as usize == place));
    }
}
