//! URLs of objects, as they were given out before, and what was told about them.

use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Redirects;
use crate::base::Name;
use crate::presentation::Validator;
use crate::storage::{Link, Source};

/// The URLs of a service's redirects.
#[derive(Debug)]
pub(super) struct KeptLinks {
    redirects: Redirects,
    entries: Cache<LinkKey, Kept, ByLength>,
    /// Time until which nothing is signed, because signing has failed.
    rests_until: Mutex<Option<SystemTime>>,
    told_failure: Mutex<Option<SystemTime>>,
    told_version: AtomicBool,
    told_none: AtomicBool,
}

/// An object, as long as the presentation that has it, or the file, stays the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LinkKey {
    pub(super) version: Validator,
    pub(super) name: Name,
}

/// A URL that a client is sent to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) location: HeaderValue,
    /// Time for which caches may keep the redirect.
    pub(super) fresh_for: Duration,
}

/// The facts that are known about an object.
#[derive(Clone, Debug)]
pub(super) enum Known {
    Target(Target),
    /// It has no URL, or none can be signed now.
    None,
    Nothing,
}

#[derive(Clone, Debug)]
struct Kept {
    /// `None` if the object has none.
    location: Option<HeaderValue>,
    made: SystemTime,
}

#[derive(Clone, Copy, Debug)]
struct ByLength;

/// Bytes of memory for all URLs.
const CAPACITY: u64 = 16 << 20;

/// Bytes that an entry takes beside its texts.
const ENTRY: u64 = 256;

/// URLs that are kept usually, for a first guess.
const USUAL: usize = 1024;

/// Time for which nothing is signed after a failure.
const REST: Duration = Duration::from_secs(10);

/// Shortest time between two sentences about failures.
const MINUTE: Duration = Duration::from_secs(60);

impl Weighter<LinkKey, Kept> for ByLength {
    fn weight(&self, key: &LinkKey, kept: &Kept) -> u64 {
        let location = kept.location.as_ref().map_or(0, HeaderValue::len);
        (key.name.as_str().len() + location) as u64 + ENTRY
    }
}

impl KeptLinks {
    pub(super) fn new(redirects: Redirects) -> Self {
        Self {
            redirects,
            entries: Cache::with_weighter(USUAL, CAPACITY, ByLength),
            rests_until: Mutex::default(),
            told_failure: Mutex::default(),
            told_version: AtomicBool::new(false),
            told_none: AtomicBool::new(false),
        }
    }

    pub(super) fn redirects(&self) -> &Redirects {
        &self.redirects
    }

    /// Returns what is known at this time of day.
    pub(super) fn known(&self, key: &LinkKey, now: SystemTime) -> Known {
        if let Some(kept) = self.entries.get(key)
            && let Ok(age) = now.duration_since(kept.made)
            && age < self.redirects.life / 2
        {
            return match kept.location {
                Some(location) => {
                    // At least a quarter of the life is left to a client that gets it from a cache.
                    let fresh_for = (self.redirects.life * 3 / 4).saturating_sub(age);
                    Known::Target(Target { location, fresh_for })
                }
                None => Known::None,
            };
        }
        let rests_until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        match rests_until {
            // A clock that was set back does not stop signing for long.
            Some(until) if now < until && now + REST >= until => Known::None,
            _ => Known::Nothing,
        }
    }

    /// Asks for the URL of an object. Its life begins `now`, or later.
    pub(super) async fn link(&self, source: &Source) -> io::Result<Option<Link>> {
        self.redirects.links.link(source, self.redirects.life).await
    }

    /// Keeps the outcome of [`link`](Self::link), which was called at `made`. Returns what is known then: of
    /// several requests that have asked at the same time, all get the URL of the first one.
    pub(super) fn keep(
        &self,
        key: LinkKey,
        made: SystemTime,
        linked: io::Result<Option<Link>>,
    ) -> Known {
        let location = match linked {
            Ok(Some(link)) => {
                let location = location_of(&link);
                if location.is_ok() && !link.is_pinned() {
                    self.tell_once(&self.told_version, NOT_PINNED);
                }
                location.map(Some)
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match location {
            Ok(location) => {
                if location.is_none() {
                    let name = key.name.as_str().escape_debug();
                    let sentence = format!("{NO_URL} (the first one is `{name}`)");
                    self.tell_once(&self.told_none, &sentence);
                }
                if let Known::Target(target) = self.known(&key, made) {
                    return Known::Target(target);
                }
                self.entries.insert(key.clone(), Kept { location: location.clone(), made });
                match location {
                    Some(location) => {
                        let fresh_for = self.redirects.life * 3 / 4;
                        Known::Target(Target { location, fresh_for })
                    }
                    None => Known::None,
                }
            }
            Err(error) => {
                self.rest(made, &error);
                Known::None
            }
        }
    }

    /// Signs nothing for a while, and tells why.
    #[cold]
    fn rest(&self, now: SystemTime, error: &io::Error) {
        *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(now + REST);
        let is_told = {
            let mut told = self.told_failure.lock().unwrap_or_else(PoisonError::into_inner);
            let is_told = told.is_some_and(|told| told <= now && now < told + MINUTE);
            if !is_told {
                *told = Some(now);
            }
            is_told
        };
        if !is_told && let Some(notify) = &self.redirects.notify {
            notify(&format!(
                "clients are not redirected to the store, and get the bytes from this server, because \
                 URLs cannot be signed: {error}"
            ));
        }
    }

    fn tell_once(&self, told: &AtomicBool, sentence: &str) {
        if let Some(notify) = &self.redirects.notify
            && !told.swap(true, Ordering::Relaxed)
        {
            notify(sentence);
        }
    }
}

const NOT_PINNED: &str = "redirects lead to the objects as they are when clients come, and not to the \
     versions that were opened, because the store or the bucket names no versions: upload other media \
     under other names, or switch on versioning (S3, Google)";

const NO_URL: &str = "some objects have no URL that clients can use, and this server sends their bytes: \
     they are in folders or on servers of files, or in a container of Azure under names that need \
     percent-encoding, or the store is reached without a key";

/// The field of a response. It is a secret, so that it is not shown by `Debug` and not kept by HTTP/2.
fn location_of(link: &Link) -> io::Result<HeaderValue> {
    let is_absolute = link.url().starts_with("https://") || link.url().starts_with("http://");
    match HeaderValue::from_str(link.url()) {
        Ok(mut location) if is_absolute => {
            location.set_sensitive(true);
            Ok(location)
        }
        _ => {
            let sentence = "the store gave a URL that is not an absolute one of http or https";
            Err(io::Error::new(io::ErrorKind::InvalidData, sentence))
        }
    }
}
