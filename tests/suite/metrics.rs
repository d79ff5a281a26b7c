//! With the feature `metrics`, a recorder gets the numbers of `stats` under the documented names.
#![cfg(feature = "metrics")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism};
use testkit::{get, served, status, store};

/// Keeps the metrics by name and labels, and the names that were described.
#[derive(Default)]
struct Kept {
    counters: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    histograms: Mutex<BTreeMap<String, Arc<Values>>>,
    described: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Values(Mutex<Vec<f64>>);

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().push(value);
    }
}

fn text(key: &Key) -> String {
    let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
    format!("{}{}", key.name(), labels.collect::<String>())
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().into());
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().into());
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().push(key.as_str().into());
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.counters.lock().unwrap().entry(text(key)).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(self.gauges.lock().unwrap().entry(text(key)).or_default()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let mut histograms = self.histograms.lock().unwrap();
        Histogram::from_arc(Arc::clone(histograms.entry(text(key)).or_default()))
    }
}

impl Kept {
    fn counter(&self, key: &str) -> u64 {
        self.counters.lock().unwrap()[key].load(Ordering::Relaxed)
    }

    fn gauge(&self, key: &str) -> f64 {
        f64::from_bits(self.gauges.lock().unwrap()[key].load(Ordering::Relaxed))
    }
}

fn films() -> MemoryStore {
    let video = Track::regular(1, StreamKind::Video, 5, 20_000_000, 1000);
    store([
        ("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", film::media(&[video], Style::default()).to_bytes()),
        ("broken.ism", b"<smil>\n<\n".to_vec()),
    ])
}

#[test]
fn counters_and_gauges_are_the_numbers_of_stats_and_openings_are_a_histogram() {
    let kept = Kept::default();
    let build = || Origin::builder(films()).record_metrics("films").build();
    let origin = metrics::with_local_recorder(&kept, build);
    get(&origin, "film.ism/Manifest").unwrap();
    status(&origin, "broken.ism/Manifest");
    let fragment = served(&origin, "film.ism/QualityLevels(300)/Fragments(video=0)").unwrap();
    let bytes = block_on(fragment.body().next()).unwrap().unwrap();
    let openings = |kept: &Kept| {
        kept.histograms.lock().unwrap()["smooth_origin_opening_seconds origin=films"]
            .0
            .lock()
            .unwrap()
            .len()
    };
    assert_eq!(openings(&kept), 2);
    let opened = "smooth_origin_openings_total origin=films outcome=opened";
    assert_eq!(kept.counter(opened), 0, "they are brought up to date when the host says so");
    origin.record_metrics();
    let stats = origin.stats();
    for (key, number) in [
        (opened, 1),
        ("smooth_origin_openings_total origin=films outcome=failed", 1),
        ("smooth_origin_openings_total origin=films outcome=refused", 0),
        ("smooth_origin_reads_total origin=films", stats.reads),
        ("smooth_origin_read_bytes_total origin=films", stats.read_bytes),
    ] {
        assert_eq!(kept.counter(key), number, "{key}");
    }
    assert!(stats.reads > 0);
    for (key, number) in [
        ("smooth_origin_presentations origin=films", 1),
        ("smooth_origin_failed_presentations origin=films", 1),
        ("smooth_origin_presentation_bytes origin=films", stats.presentation_bytes),
        ("smooth_origin_open_files origin=films", stats.open_files),
        ("smooth_origin_body_bytes origin=films", fragment.reply().length()),
        ("smooth_origin_operations_waiting origin=films", 0),
    ] {
        assert_eq!(kept.gauge(key), number as f64, "{key}");
    }
    drop(bytes);
    origin.record_metrics();
    assert_eq!(kept.gauge("smooth_origin_body_bytes origin=films"), 0.0);
    assert_eq!(kept.counter(opened), 1, "not added up");
}

#[test]
fn each_metric_is_described_and_is_in_the_documentation() {
    let kept = Kept::default();
    let build = || Origin::builder(films()).record_metrics("films").build();
    metrics::with_local_recorder(&kept, build);
    let described = kept.described.lock().unwrap();
    let documented = include_str!("../../src/origin/builder/reports.rs");
    let mut names = 0;
    let keys = [&kept.counters, &kept.gauges].map(|keys| keys.lock().unwrap().clone());
    for key in keys.iter().flat_map(|keys| keys.keys()) {
        let name = key.split(' ').next().unwrap();
        assert!(described.iter().any(|described| described == name), "{name}");
        assert!(documented.contains(&format!("`{name}`")), "{name}");
        names += 1;
    }
    assert_eq!(names, 33);
    assert!(described.iter().any(|name| name == "smooth_origin_opening_seconds"));
}

#[test]
fn an_origin_that_is_not_told_to_record_registers_nothing() {
    let kept = Kept::default();
    let origin = metrics::with_local_recorder(&kept, || Origin::new(films()));
    get(&origin, "film.ism/Manifest").unwrap();
    origin.record_metrics();
    assert!(kept.counters.lock().unwrap().is_empty() && kept.described.lock().unwrap().is_empty());
}
