//! Rules for caches: the time for which they may keep responses.

use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::Pattern;

/// A `Cache-Control` field of a response: RFC 9111, 5.2.2, RFC 5861 and RFC 8246.
///
/// A directive that is set twice has its last value. Times are whole seconds, rounded down; longer
/// ones than 2,147,483,648 s are sent as that (RFC 9111, 1.2.2).
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::service::CacheControl;
/// let minute = CacheControl::max_age(Duration::from_secs(60));
/// let control = minute.stale_if_error(Duration::from_secs(3600));
/// assert_eq!(control.to_string(), "max-age=60, stale-if-error=3600");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheControl {
    /// `None` stands for `no-store`, which makes all other directives meaningless.
    max_age: Option<u32>,
    s_maxage: Option<u32>,
    stale_while_revalidate: Option<u32>,
    stale_if_error: Option<u32>,
    is_immutable: bool,
    is_public: bool,
}

impl CacheControl {
    /// Browsers and shared caches keep the response for this long.
    pub fn max_age(age: Duration) -> Self {
        Self { max_age: Some(delta_seconds(age)), ..Self::no_store() }
    }

    /// No cache keeps the response. Directives that are added have no effect.
    pub fn no_store() -> Self {
        Self {
            max_age: None,
            s_maxage: None,
            stale_while_revalidate: None,
            stale_if_error: None,
            is_immutable: false,
            is_public: false,
        }
    }

    /// Shared caches (CDNs) keep the response for this long instead.
    pub fn s_maxage(mut self, age: Duration) -> Self {
        self.s_maxage = Some(delta_seconds(age));
        self
    }

    /// A cache may serve the response for this long after it has become stale, while it asks for a
    /// new one.
    pub fn stale_while_revalidate(mut self, age: Duration) -> Self {
        self.stale_while_revalidate = Some(delta_seconds(age));
        self
    }

    /// A cache may serve the response for this long after it has become stale, if the origin fails.
    pub fn stale_if_error(mut self, age: Duration) -> Self {
        self.stale_if_error = Some(delta_seconds(age));
        self
    }

    /// A browser does not revalidate the response while it is fresh. Left out if `max-age` is 0:
    /// such a response is never fresh.
    pub fn immutable(mut self) -> Self {
        self.is_immutable = true;
        self
    }

    /// Shared caches may keep the response even if the request was authorized.
    pub fn public(mut self) -> Self {
        self.is_public = true;
        self
    }
}

/// `delta-seconds` of RFC 9111, 1.2.2.
pub(super) fn delta_seconds(age: Duration) -> u32 {
    const MAX: u32 = 1 << 31;
    u32::try_from(age.as_secs()).map_or(MAX, |seconds| seconds.min(MAX))
}

/// Returns the `Cache-Control` of a response that no cache may use after a time, whatever the policy says
/// that another response has.
pub(super) fn within(policy: Option<&HeaderValue>, time: Duration) -> HeaderValue {
    let text = policy.and_then(|policy| policy.to_str().ok()).unwrap_or_default();
    let directives = || text.split(", ");
    if directives().any(|directive| directive == "no-store") {
        return CacheControl::no_store().into();
    }
    let age = |name: &str| {
        let seconds = directives().find_map(|directive| directive.strip_prefix(name)?.parse().ok());
        seconds.map(|seconds| time.min(Duration::from_secs(seconds)))
    };
    let mut control = CacheControl::max_age(age("max-age=").unwrap_or(time));
    if let Some(shared) = age("s-maxage=") {
        control = control.s_maxage(shared);
    }
    if directives().any(|directive| directive == "public") {
        control = control.public();
    }
    control.into()
}

impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(max_age) = self.max_age else { return f.write_str("no-store") };
        write!(f, "max-age={max_age}")?;
        for (word, age) in [
            ("s-maxage", self.s_maxage),
            ("stale-while-revalidate", self.stale_while_revalidate),
            ("stale-if-error", self.stale_if_error),
        ] {
            if let Some(age) = age {
                write!(f, ", {word}={age}")?;
            }
        }
        if self.is_public {
            f.write_str(", public")?;
        }
        if self.is_immutable && max_age > 0 {
            f.write_str(", immutable")?;
        }
        Ok(())
    }
}

impl From<CacheControl> for HeaderValue {
    fn from(control: CacheControl) -> Self {
        // Words, digits and commas.
        Self::from_maybe_shared(control.to_string()).unwrap_or(Self::from_static("no-store"))
    }
}

/// A class of responses, which caches treat alike.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::service::{CacheClass, CacheControl, Caching};
///
/// let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
/// let caching = Caching::default()
///     .class(CacheClass::Manifest, CacheControl::max_age(minutes(5)))
///     .for_paths("news/*", CacheClass::Manifest, CacheControl::max_age(minutes(1)));
/// # let _ = caching;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheClass {
    /// A manifest or a playlist, or the redirect to one. Default: a minute.
    Manifest,
    /// A fragment or a segment, a part of one, or an initialization segment. Default: a day, then
    /// revalidated.
    Fragment,
    /// A manifest or a playlist of a live presentation. Default: 1 s.
    LiveManifest,
    /// A fragment that a live presentation announces, or has announced. Default: a minute, then
    /// revalidated, because an encoder that is restarted may use the same times.
    LiveFragment,
    /// A fragment of a live presentation that is not announced yet and whose file may still be
    /// rewritten, the 412 for a fragment that does not exist yet, and 404 at a publishing point that another
    /// process writes. Default: 1 s.
    LiveEdge,
    /// A file passed through, the cross-domain policies among them. Default: a minute.
    File,
    /// 400. Default: 5 s.
    Malformed,
    /// 403. Default: 5 s.
    Refused,
    /// 404, but for publishing points that another process writes. Default: 5 s.
    NotFound,
    /// 415: content or an output that is not served. Default: 5 s.
    NotServed,
    /// 500: content that is broken. Default: 1 s.
    Broken,
    /// 503. Default: not kept.
    Busy,
}

const CLASSES: usize = CacheClass::Busy as usize + 1;

/// The caching policy: a [`CacheControl`] for each class of responses, and others for the paths of
/// a pattern.
///
/// ```
/// use std::time::Duration;
/// use smooth_origin::service::{CacheClass, CacheControl, Caching};
/// let short = CacheControl::max_age(Duration::from_secs(2));
/// let caching = Caching::default()
///     .content_never_changes()
///     .for_paths("trailers/*", CacheClass::Manifest, short);
/// ```
#[derive(Clone, Debug)]
pub struct Caching {
    classes: [HeaderValue; CLASSES],
    of_paths: Vec<(Pattern, CacheClass, HeaderValue)>,
    surrogate_key: Option<HeaderName>,
}

impl Default for Caching {
    fn default() -> Self {
        let (short, minute) =
            (HeaderValue::from_static("max-age=5"), HeaderValue::from_static("max-age=60"));
        let second = HeaderValue::from_static("max-age=1");
        let mut classes = [const { HeaderValue::from_static("no-store") }; CLASSES];
        for (class, value) in [
            (CacheClass::Manifest, &minute),
            (CacheClass::Fragment, &HeaderValue::from_static("max-age=86400")),
            (CacheClass::LiveManifest, &second),
            (CacheClass::LiveFragment, &minute),
            (CacheClass::LiveEdge, &second),
            (CacheClass::File, &minute),
            (CacheClass::Malformed, &short),
            (CacheClass::Refused, &short),
            (CacheClass::NotFound, &short),
            (CacheClass::NotServed, &short),
            (CacheClass::Broken, &second),
        ] {
            classes[class as usize] = value.clone();
        }
        let surrogate_key = Some(HeaderName::from_static("surrogate-key"));
        Self { classes, of_paths: Vec::new(), surrogate_key }
    }
}

impl Caching {
    /// Sets the field of all responses of a class.
    pub fn class(mut self, class: CacheClass, control: CacheControl) -> Self {
        self.classes[class as usize] = control.into();
        self
    }

    /// Sets the field of responses of a class whose path matches a [pattern](Pattern). Of several
    /// that match, the one that was added first counts.
    pub fn for_paths(
        mut self,
        paths: impl Into<Pattern>,
        class: CacheClass,
        control: CacheControl,
    ) -> Self {
        self.of_paths.push((paths.into(), class, control.into()));
        self
    }

    /// Fragments are kept for a year and never asked for again: no presentation is ever replaced by
    /// another of its name.
    pub fn content_never_changes(self) -> Self {
        let year = CacheControl::max_age(Duration::from_secs(365 * 86_400));
        self.class(CacheClass::Fragment, year.immutable())
    }

    /// The field that names the presentation, so that a CDN can purge all of one title; default
    /// `Surrogate-Key`. Others call it `Cache-Tag` or `Edge-Cache-Tag`; `None` leaves it out.
    pub fn surrogate_key(mut self, name: Option<HeaderName>) -> Self {
        self.surrogate_key = name;
        self
    }

    /// Returns the field of a class.
    pub(super) fn of_class(&self, class: CacheClass) -> &HeaderValue {
        &self.classes[class as usize]
    }

    /// Returns whether some paths have fields of their own.
    pub(super) fn has_paths(&self) -> bool {
        !self.of_paths.is_empty()
    }

    /// Returns the field of a path, as the URL spells it, if it differs from that of its class.
    pub(super) fn of_path(&self, class: CacheClass, path: &str) -> Option<&HeaderValue> {
        if self.of_paths.is_empty() {
            return None;
        }
        let mut path = percent_decode_str(path).decode_utf8_lossy();
        if path.contains("//") {
            // Empty segments do not count in the path of a presentation.
            let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
            path = segments.join("/").into();
        }
        let mut of_paths = self.of_paths.iter().filter(|(_, of, _)| *of == class);
        of_paths.find(|(paths, ..)| paths.matches(&path)).map(|(.., control)| control)
    }

    pub(super) fn surrogate_key_name(&self) -> Option<&HeaderName> {
        self.surrogate_key.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_cut_to_a_time() {
        for (policy, expected) in [
            ("max-age=86400", "max-age=90"),
            (
                "max-age=5, s-maxage=600, stale-if-error=99, public",
                "max-age=5, s-maxage=90, public",
            ),
            ("max-age=31536000, immutable", "max-age=90"),
            ("no-store", "no-store"),
        ] {
            let policy = HeaderValue::from_static(policy);
            assert_eq!(within(Some(&policy), Duration::from_secs(90)), expected);
        }
        assert_eq!(within(None, Duration::from_secs(90)), "max-age=90");
    }
}
