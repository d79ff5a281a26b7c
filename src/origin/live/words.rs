//! Events of publishing points, as the host's log has them.

use crate::live::LiveEvent;
use crate::presentation::Severity;

/// A stable word for the event.
pub(in crate::origin) fn kind(event: &LiveEvent) -> &'static str {
    match event {
        LiveEvent::Began { .. } => "live-began",
        LiveEvent::State(_) => "live-state",
        _ => "live",
    }
}

/// The importance of the event; `None` if it is none for a log.
pub(in crate::origin) fn severity(event: &LiveEvent) -> Option<Severity> {
    match event {
        LiveEvent::Append { .. }
        | LiveEvent::Forget { .. }
        | LiveEvent::Held { .. }
        | LiveEvent::Published { .. } => None,
        _ => Some(Severity::Info),
    }
}
