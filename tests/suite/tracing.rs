//! With the feature `tracing`, events reach the subscriber with their fields.
#![cfg(feature = "tracing")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use smooth_origin::manifest::StreamKind;
use smooth_origin::origin::Origin;
use smooth_origin::storage::MemoryStore;
use testkit::film::{self, Style, Track, ism};
use testkit::{Hands, status, store};
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata, Subscriber, span};

/// Keeps the level and the fields of each event.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<(Level, Fields)>>>);

#[derive(Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "smooth_origin"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push((*event.metadata().level(), fields));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

fn films() -> MemoryStore {
    let video = Track::regular(1, StreamKind::Video, 5, 20_000_000, 100);
    store([
        ("film.ism", ism(None, &[("video", "film.ismv", 300, 1, "")])),
        ("film.ismv", film::media(&[video], Style::default()).to_bytes()),
        ("broken.ism", b"<smil>\n<\n".to_vec()),
    ])
}

#[test]
fn an_event_has_its_level_its_fields_and_its_line() {
    let kept = Kept::default();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&lines);
    let origin = Origin::builder(films())
        .clock(Hands::default().clock())
        .trace_events()
        .on_event(move |event| told.lock().unwrap().push(event.to_string()))
        .build();
    tracing::subscriber::with_default(kept.clone(), || {
        for path in ["film.ism/Manifest", "film.ism/Manifest", "broken.ism/Manifest"] {
            status(&origin, path);
        }
    });
    let kept = kept.0.lock().unwrap();
    let [(info, opened), (error, failed)] = &kept[..] else { panic!("{:?}", kept.len()) };
    assert_eq!((*info, *error), (Level::INFO, Level::ERROR));
    let of = |fields: &Fields| {
        let wanted = ["event", "name", "code", "took_seconds"];
        wanted.map(|name| fields.0.get(name).cloned().unwrap_or_default())
    };
    assert_eq!(of(opened), ["opened", "film.ism", "", "0.0"]);
    assert_eq!(of(failed), ["opening-failed", "broken.ism", "not-xml", "0.0"]);
    let messages: Vec<_> = kept.iter().map(|(_, fields)| fields.0["message"].clone()).collect();
    assert_eq!(messages, *lines.lock().unwrap(), "the host's function gets the same events");
}

#[test]
fn an_origin_that_is_not_told_to_trace_traces_nothing() {
    let kept = Kept::default();
    let origin = Origin::new(films());
    tracing::subscriber::with_default(kept.clone(), || status(&origin, "broken.ism/Manifest"));
    assert!(kept.0.lock().unwrap().is_empty());
}
