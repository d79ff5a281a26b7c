//! Opening a presentation for the page, and naming parts of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::StatusCode;
use smooth_origin::base::Name;
use smooth_origin::origin::Opened;
use smooth_origin::presentation::Presentation;
use tokio::sync::Semaphore;

use super::Page;
use super::failure::Failure;
use super::sizes::{Placed, of_stream};

impl Page {
    /// Opens a presentation, or takes it from the origin's cache.
    ///
    /// # Errors
    /// The reason why it is not served.
    pub(super) async fn open(&self, name: &Name) -> Result<Arc<Opened>, Failure> {
        let opened = match self.origin.open(name).await {
            Ok(opened) => opened,
            Err(error) => {
                self.healths.failed(name, &error);
                return Err(Failure::of_opening(self, error, name).await);
            }
        };
        let presentation = opened.presentation();
        self.healths.opened(presentation);
        match presentation.manifest() {
            Ok(_) => Ok(opened),
            Err(error) => Err(Failure::of_manifest(self, error, presentation).await),
        }
    }
}

/// Answers that are made at the same time: each may take tens of megabytes.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Requests that wait for a turn.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Requests that may wait for a turn; more are refused.
const MOST_WAITING: usize = 32;

/// A request that waits until this is dropped.
struct Waiting;

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs work that takes long in a thread that may wait, when it is its turn.
///
/// # Errors
/// Too many wait, or the work has ended before its time.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let busy = || {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "the page is busy with other requests")
            .advise("ask again in a moment")
    };
    let waiting = WAITING.fetch_add(1, Ordering::Relaxed);
    let guard = Waiting;
    if waiting >= MOST_WAITING {
        return Err(busy());
    }
    let turn = TURNS.acquire().await.map_err(|_| busy())?;
    drop(guard);
    let ended = |_| Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "the work was not done");
    // Work whose client has gone goes on, and so does its turn.
    let work = move || (work(), turn).0;
    tokio::task::spawn_blocking(work).await.map_err(ended)
}

/// Returns a track by the places of its stream and of itself.
///
/// # Errors
/// Places that there are not.
pub(super) fn track(
    presentation: &Presentation,
    stream: usize,
    track: usize,
) -> Result<Placed<'_>, Failure> {
    let none = |what: &str, count: usize| {
        let what = format!("there is no such {what}: there are {count}, counted from 0");
        Failure::new(StatusCode::NOT_FOUND, what)
    };
    let streams = presentation.streams();
    let of = streams.get(stream).ok_or_else(|| none("stream", streams.len()))?;
    let placed = of_stream(of, stream).nth(track);
    placed.ok_or_else(|| none("track", of.tracks().len()))
}
