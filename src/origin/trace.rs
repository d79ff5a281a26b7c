//! Events of an origin as events of `tracing`.

use std::sync::Arc;

use super::events::Report;
use super::{Event, Level};
use crate::base::Name;

/// Reports an event to the subscriber of the thread, and to the host as before.
pub(super) fn traced(report: Option<Arc<Report>>) -> Arc<Report> {
    Arc::new(move |event: &Event<'_>| {
        trace(event);
        if let Some(report) = &report {
            report(event);
        }
    })
}

fn trace(event: &Event<'_>) {
    // The macro takes a level that is known when it is compiled.
    macro_rules! at {
        ($level:expr) => {
            tracing::event!(
                target: "smooth_origin",
                $level,
                event = event.kind(),
                name = event.name().map(Name::as_str),
                file = event.file(),
                code = event.code(),
                took_seconds = event.took().map(|took| took.as_secs_f64()),
                "{event}"
            )
        };
    }
    match event.level() {
        Level::Info => at!(tracing::Level::INFO),
        Level::Warn => at!(tracing::Level::WARN),
        Level::Error => at!(tracing::Level::ERROR),
    }
}
