//! `/healthz` and `/readyz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::Trouble;
use http::{Response, StatusCode};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::words;
use crate::site::SiteBody;

/// Knows whether the server is ready.
pub(super) struct Health {
    roots: Vec<Root>,
    is_stopping: AtomicBool,
    /// The result of the last look, and its time. Who looks holds the lock, and others wait for the
    /// result.
    last: Mutex<Option<(Instant, Vec<String>)>>,
}

struct Root {
    folder: PathBuf,
    /// Set while a thread reads the folder. A network that does not answer keeps one thread, not one
    /// per request.
    is_read: Arc<AtomicBool>,
}

/// Time for all folders to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Time for which a result counts, so that probes cost next to nothing.
const COUNTS_FOR: Duration = Duration::from_secs(1);

/// Pause before it is seen again whether an earlier look has ended.
const PAUSE: Duration = Duration::from_millis(20);

impl Health {
    pub(super) fn new(folders: Vec<PathBuf>) -> Self {
        let root = |folder| Root { folder, is_read: Arc::default() };
        Self {
            roots: folders.into_iter().map(root).collect(),
            is_stopping: AtomicBool::new(false),
            last: Mutex::new(None),
        }
    }

    pub(super) fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Answers `/healthz`: the process lives.
    pub(super) fn alive() -> Response<SiteBody> {
        words(StatusCode::OK, "ok")
    }

    /// Answers `/readyz`: the folders can be read, and the server goes on. Only the operator is told which
    /// folder cannot.
    pub(super) async fn ready(&self, is_for_operator: bool) -> Response<SiteBody> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return words(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping");
        }
        let mut last = self.last.lock().await;
        let known = last.take().filter(|(at, _)| at.elapsed() < COUNTS_FOR);
        let (_, problems) = last.insert(match known {
            Some(known) => known,
            None => {
                let deadline = Instant::now() + PATIENCE;
                let mut problems = Vec::new();
                for root in &self.roots {
                    problems.extend(root.problem(deadline).await);
                }
                (Instant::now(), problems)
            }
        });
        match &problems[..] {
            [] => words(StatusCode::OK, "ready"),
            _ if !is_for_operator => words(StatusCode::SERVICE_UNAVAILABLE, "not ready"),
            problems => words(StatusCode::SERVICE_UNAVAILABLE, &problems.join("\n")),
        }
    }
}

impl Root {
    async fn problem(&self, deadline: Instant) -> Option<String> {
        let folder = self.folder.display();
        // A client that went away may have left a look that goes on.
        while self.is_read.swap(true, Ordering::Relaxed) {
            if Instant::now() > deadline {
                return Some(format!("the folder {folder} does not answer"));
            }
            sleep(PAUSE).await;
        }
        let (path, is_read) = (self.folder.clone(), Arc::clone(&self.is_read));
        let look = tokio::task::spawn_blocking(move || {
            let result = look(&path);
            is_read.store(false, Ordering::Relaxed);
            result
        });
        match timeout_at(deadline, look).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => Some(format!(
                "the folder {folder} cannot be read: {}",
                Trouble::of(&self.folder, &error)
            )),
            Ok(Err(error)) => Some(format!("the folder {folder} cannot be looked at: {error}")),
            Err(_) => Some(format!("the folder {folder} does not answer")),
        }
    }
}

/// Reads the first entry of a folder, if there is one.
fn look(folder: &Path) -> std::io::Result<()> {
    fs::read_dir(folder)?.next().transpose().map(drop)
}
