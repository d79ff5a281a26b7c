//! `/healthz` and `/readyz`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{Response, StatusCode};

use super::answer::words;
use crate::site::SiteBody;

/// Whether the server is ready.
pub(super) struct Health {
    roots: Vec<Root>,
    is_stopping: AtomicBool,
    /// The result of the last look, and its time.
    last: Mutex<Option<(Instant, Vec<String>)>>,
}

struct Root {
    folder: PathBuf,
    /// Set while a thread reads the folder. A network that does not answer keeps one thread, not one
    /// per request.
    is_read: Arc<AtomicBool>,
}

/// Time for a folder to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Time for which a result counts, so that probes cost next to nothing.
const COUNTS_FOR: Duration = Duration::from_secs(1);

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

    /// Answers `/readyz`: the folders can be read, and the server goes on.
    pub(super) async fn ready(&self) -> Response<SiteBody> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return words(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping");
        }
        let known = self.known();
        let problems = match known {
            Some(problems) => problems,
            None => {
                let mut problems = Vec::new();
                for root in &self.roots {
                    problems.extend(root.problem().await);
                }
                let last = Some((Instant::now(), problems.clone()));
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
                problems
            }
        };
        match &problems[..] {
            [] => words(StatusCode::OK, "ready"),
            problems => words(StatusCode::SERVICE_UNAVAILABLE, &problems.join("\n")),
        }
    }

    /// Returns the result of the last look, if it still counts.
    fn known(&self) -> Option<Vec<String>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, problems) = last.as_ref()?;
        (at.elapsed() < COUNTS_FOR).then(|| problems.clone())
    }
}

impl Root {
    async fn problem(&self) -> Option<String> {
        let folder = self.folder.display();
        if self.is_read.swap(true, Ordering::Relaxed) {
            return Some(format!("the folder {folder} does not answer"));
        }
        let (path, is_read) = (self.folder.clone(), Arc::clone(&self.is_read));
        let look = tokio::task::spawn_blocking(move || {
            let result = look(&path);
            is_read.store(false, Ordering::Relaxed);
            result
        });
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => Some(format!("the folder {folder} cannot be read: {error}")),
            Ok(Err(error)) => Some(format!("the folder {folder} cannot be looked at: {error}")),
            Err(_) => Some(format!("the folder {folder} does not answer")),
        }
    }
}

/// Reads the first entry of a folder, if there is one.
fn look(folder: &Path) -> std::io::Result<()> {
    fs::read_dir(folder)?.next().transpose().map(drop)
}
