//! The version of an object that a source is pinned to.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, SystemTime};

use object_store::{GetOptions, ObjectMeta};

use super::get::Seen;
use crate::storage::{Age, Stat, Version};

/// `Last-Modified` has whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// The marks by which a version of an object is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) size: u64,
    e_tag: Option<String>,
    pub(super) version: Option<String>,
    modified: Option<SystemTime>,
    /// Time for which it had been unchanged when it was pinned; zero if that is not known.
    age: Duration,
}

impl Pin {
    /// `None` if nothing in the answer tells versions apart.
    pub(super) fn new(seen: &Seen) -> Option<Self> {
        let meta = &seen.meta;
        let pin = Self {
            age: age(seen),
            size: meta.size,
            e_tag: meta.e_tag.clone().filter(|e_tag| is_tag(e_tag)),
            version: meta.version.clone().filter(|version| !version.is_empty()),
            modified: modified(meta),
        };
        (pin.is_named() || pin.modified.is_some()).then_some(pin)
    }

    /// Returns whether the store names versions. Otherwise time and size are all that there is.
    pub(super) fn is_named(&self) -> bool {
        self.e_tag.is_some() || self.version.is_some()
    }

    /// Returns whether an answer is about this version.
    pub(super) fn is(&self, meta: &ObjectMeta) -> bool {
        let is_same = self.size == meta.size
            && self.e_tag == meta.e_tag.clone().filter(|e_tag| is_tag(e_tag));
        let is_of_time = self.is_named() || self.modified == modified(meta);
        is_same && self.is_version(meta) && is_of_time
    }

    /// A number that two versions do not share, in all likelihood.
    pub(super) fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.size, &self.e_tag, &self.version, self.modified).hash(&mut hasher);
        hasher.finish()
    }

    /// A store may leave the version out of some answers if there is an ETag.
    fn is_version(&self, meta: &ObjectMeta) -> bool {
        match (&self.version, meta.version.as_ref().filter(|version| !version.is_empty())) {
            (Some(pinned), Some(version)) => pinned == version,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => self.e_tag.is_some(),
        }
    }

    /// Asks for this version alone, as far as a request can.
    pub(super) fn options(&self) -> GetOptions {
        // A weak tag never matches here (RFC 9110, 13.1.1): the answer is compared instead.
        let strong = self.e_tag.clone().filter(|e_tag| !e_tag.starts_with("W/"));
        GetOptions { if_match: strong, version: self.version.clone(), ..GetOptions::default() }
    }

    pub(super) fn stat(&self, is_written_in_place: bool) -> Stat {
        let Self { size, e_tag, version, modified, age } = self;
        let mut bytes = Vec::new();
        for part in [e_tag, version] {
            bytes.extend_from_slice(part.as_deref().unwrap_or_default().as_bytes());
            bytes.push(0);
        }
        if !self.is_named() {
            let since = modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
            bytes.extend_from_slice(&since.unwrap_or_default().as_nanos().to_be_bytes());
        }
        bytes.extend_from_slice(&size.to_be_bytes());
        let version = Version::new(bytes);
        let stat = if self.is_named() && !is_written_in_place {
            Stat::immutable(*size, version)
        } else {
            Stat::mutable(*size, version, Age::at_least(*age).resolution(SECOND))
        };
        stat.modified(*modified)
    }
}

/// An empty tag is no version: some servers give it to every object.
fn is_tag(e_tag: &str) -> bool {
    !e_tag.strip_prefix("W/").unwrap_or(e_tag).trim_matches('"').is_empty()
}

/// Returns for how long an object has been unchanged at least, by the clock that stamps it. Another clock
/// might run ahead of that one, and take an object that is being written for one that has settled.
pub(super) fn age(seen: &Seen) -> Duration {
    let since =
        seen.now.zip(modified(&seen.meta)).and_then(|(now, at)| now.duration_since(at).ok());
    since.unwrap_or_default().saturating_sub(SECOND)
}

/// Stores that know no time give the epoch.
fn modified(meta: &ObjectMeta) -> Option<SystemTime> {
    Some(SystemTime::from(meta.last_modified)).filter(|time| *time > SystemTime::UNIX_EPOCH)
}
