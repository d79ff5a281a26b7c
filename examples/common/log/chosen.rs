//! The lines that are shown: those of the server and of the library, by their level.

use std::sync::atomic::{AtomicU8, Ordering};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{LIBRARY, Level, OWN};

/// The least important level that is shown.
static SHOWN: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// Shows lines of this level and of all that matter more; default [`Level::Info`].
pub fn show(level: Level) {
    SHOWN.store(level as u8, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

/// Returns whether lines of this level are shown.
pub fn shows(level: Level) -> bool {
    level as u8 <= SHOWN.load(Ordering::Relaxed)
}

/// Returns the level of a line in the log. The list says which presentations were opened, so the
/// library's events about them are details.
pub(super) fn level_of(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO if metadata.target() == OWN => Level::Info,
        _ => Level::Debug,
    }
}

/// Lets through what is shown. Other libraries trace, too: theirs is never shown.
pub(super) struct Chosen;

impl Chosen {
    fn has(metadata: &Metadata<'_>) -> bool {
        [OWN, LIBRARY].contains(&metadata.target()) && shows(level_of(metadata))
    }
}

impl<S: Subscriber> Layer<S> for Chosen {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match Self::has(metadata) {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        Self::has(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match SHOWN.load(Ordering::Relaxed) {
            level if level == Level::Error as u8 => LevelFilter::ERROR,
            level if level == Level::Warn as u8 => LevelFilter::WARN,
            level if level == Level::Info as u8 => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        })
    }
}
