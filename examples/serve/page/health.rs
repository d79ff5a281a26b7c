//! The health of presentations that the page has opened, and `health`, which opens one.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::Serialize;
use smooth_origin::base::{Error, ErrorKind, Name};
use smooth_origin::presentation::{Presentation, Severity};

use super::Page;
use super::answer::Answer;
use super::failure::Failure;
use super::query::Query;

/// The health of a presentation, in the words of `--check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Health {
    Fine,
    Warnings,
    Errors,
    NotServed,
}

/// The health of presentations that were opened. Names are not kept, only keyed hashes of them.
#[derive(Default)]
pub(crate) struct Healths {
    hashes: RandomState,
    known: Mutex<HashMap<u64, (Health, Instant)>>,
}

/// Most presentations whose health is kept: about 8 MiB.
const MOST: usize = 200_000;

/// A health that is older is forgotten: files may have changed.
const KEPT: Duration = Duration::from_secs(60 * 60);

impl Health {
    fn of(presentation: &Presentation) -> Self {
        if presentation.manifest().is_err() {
            return Self::NotServed;
        }
        let findings = common::findings(presentation);
        match findings.iter().map(|finding| finding.severity()).max() {
            Some(Severity::Error) => Self::Errors,
            Some(Severity::Warning) => Self::Warnings,
            _ => Self::Fine,
        }
    }
}

impl Healths {
    /// Returns the health of a presentation, if it was opened lately.
    pub(super) fn get(&self, name: &str) -> Option<Health> {
        let (health, seen) = *self.lock().get(&self.hashes.hash_one(name))?;
        (seen.elapsed() < KEPT).then_some(health)
    }

    pub(super) fn opened(&self, presentation: &Presentation) {
        self.set(presentation.name().as_str(), Health::of(presentation));
    }

    /// Keeps that a presentation could not be opened. A server that is busy says nothing about it.
    pub(super) fn failed(&self, name: &Name, error: &Error) {
        if matches!(error.kind, ErrorKind::NoPresentation) {
            self.lock().remove(&self.hashes.hash_one(name.as_str()));
        } else if error.kind.status() != StatusCode::SERVICE_UNAVAILABLE.as_u16() {
            self.set(name.as_str(), Health::NotServed);
        }
    }

    fn set(&self, name: &str, health: Health) {
        let hash = self.hashes.hash_one(name);
        let mut known = self.lock();
        if known.len() >= MOST && !known.contains_key(&hash) {
            known.retain(|_, (_, seen)| seen.elapsed() < KEPT);
            // With none too old, half of them make room, so that this is seldom done.
            if known.len() >= MOST {
                let mut is_kept = false;
                known.retain(|_, _| {
                    is_kept = !is_kept;
                    is_kept
                });
            }
        }
        known.insert(hash, (health, Instant::now()));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (Health, Instant)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Serialize)]
struct HealthJson<'a> {
    name: &'a str,
    health: Health,
}

/// Opens a presentation, and answers with its health.
pub(super) async fn answer(page: &Page, query: &Query) -> Result<Answer, Failure> {
    let name = query.presentation()?;
    let health = match page.open(&name).await {
        Ok(opened) => Health::of(opened.presentation()),
        // That nothing of it is served is an answer; that the server is busy is none.
        Err(failure) => page.healths.get(name.as_str()).ok_or(failure)?,
    };
    Ok(Answer::json(StatusCode::OK, &HealthJson { name: name.as_str(), health }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_presentations_are_kept_than_there_is_room_for() {
        let healths = Healths::default();
        for number in 0..MOST + 10 {
            healths.set(&number.to_string(), Health::Errors);
        }
        assert!(healths.lock().len() <= MOST);
        assert_eq!(healths.get(&(MOST + 9).to_string()), Some(Health::Errors));
        assert_eq!(healths.get("none"), None);
    }
}
