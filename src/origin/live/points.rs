//! The publishing points of a server, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::options::LiveOptions;
use super::point::LivePoint;
use crate::base::{Error, ErrorKind, Name};
use crate::live::PointOptions;
#[cfg(feature = "http")]
use crate::origin::Timer;
use crate::origin::host::Host;
use crate::origin::read::Shared;
use crate::origin::{Opened, path};

/// The publishing points that encoders push to and that an origin answers from. Cheap to clone: clones
/// share the points.
///
/// An origin that has them ([`OriginBuilder::live`](crate::origin::OriginBuilder::live)) answers requests
/// below `NAME.isml` from the newest snapshot of the point of this name, and looks into its store for
/// all others, and as long as nothing was pushed. Letter case of names does not matter.
///
/// ```
/// use smooth_origin::Name;
/// use smooth_origin::live::PointOptions;
/// use smooth_origin::origin::{LivePoints, Origin};
/// use smooth_origin::storage::MemoryStore;
///
/// # fn main() -> Result<(), smooth_origin::Error> {
/// let points = LivePoints::default();
/// points.create(Name::new("events/news.isml")?, PointOptions::default())?;
/// let origin = Origin::builder(MemoryStore::new()).live(points.clone()).build();
/// // A host takes bodies by `points.for_push(…)?.begin(…)?`, or has `IngestService` do it.
/// # let _ = origin;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct LivePoints {
    shared: Arc<Points>,
}

#[derive(Default)]
struct Points {
    options: LiveOptions,
    /// Those parts of the origin that the points use: clock, timer, log, numbers.
    host: Arc<RwLock<Arc<Host>>>,
    by_name: RwLock<ByName>,
}

/// The points, by their names in lower case.
#[derive(Default)]
struct ByName {
    points: BTreeMap<String, Arc<LivePoint>>,
    /// Number of those that pushes have created.
    pushed: usize,
}

impl LivePoints {
    /// Without any point.
    pub fn new(options: LiveOptions) -> Self {
        Self { shared: Arc::new(Points { options, ..Points::default() }) }
    }

    /// Creates a publishing point. If there is one of this name, it stays as it is and is returned.
    ///
    /// # Errors
    /// [`ErrorKind::BadName`] if the name does not end in `.isml`.
    pub fn create(&self, name: Name, options: PointOptions) -> Result<Arc<LivePoint>, Error> {
        check(&name)?;
        let mut by_name = self.by_name_mut();
        Ok(self.add(&mut by_name, name, options))
    }

    /// Creates a publishing point that goes on with the event that the archive has of it, if an earlier process
    /// has not ended it. All fragments that were published are there, at the same offsets, and those that
    /// were taken are published next. An event whose end was not written completely is made a film.
    ///
    /// A host calls it when it begins, for each point that the archive may have, and before encoders push to
    /// it: [`create`](Self::create) and [`for_push`](Self::for_push) know nothing of earlier processes, and
    /// the files of a new event take the place of earlier ones of the same names.
    ///
    /// # Errors
    /// [`ErrorKind::BadName`] if the name does not end in `.isml`; [`ErrorKind::Read`] if the archive cannot be
    /// read or written; [`ErrorKind::Invalid`] if it contradicts itself.
    pub async fn recover(
        &self,
        name: Name,
        options: PointOptions,
    ) -> Result<Arc<LivePoint>, Error> {
        check(&name)?;
        if let Some(point) = self.get(&name) {
            return Ok(point);
        }
        let Points { options: of_all, host, .. } = &*self.shared;
        let key = key_of(&name);
        let point = LivePoint::recovered(name, options, of_all, Arc::clone(host)).await?;
        let mut by_name = self.by_name_mut();
        Ok(Arc::clone(by_name.points.entry(key).or_insert_with(|| Arc::new(point))))
    }

    /// Takes a publishing point away, and ends what is pushed to it. Bodies that clients take end as they
    /// began. Returns whether there was one.
    pub fn remove(&self, name: &Name) -> bool {
        let point = self.by_name_mut().points.remove(&key_of(name));
        if let Some(point) = &point {
            point.stop();
        }
        point.is_some()
    }

    /// The publishing point of this name.
    pub fn get(&self, name: &Name) -> Option<Arc<LivePoint>> {
        self.by_name().find(name.as_str())
    }

    /// All publishing points, in the order of their names.
    pub fn list(&self) -> Vec<Arc<LivePoint>> {
        self.by_name().points.values().cloned().collect()
    }

    /// Returns whether a push to this name is taken, now or after it has created the point.
    pub fn may_be_pushed(&self, name: &Name) -> bool {
        self.get(name).is_some() || self.options_of_first(name).is_some()
    }

    /// The publishing point of this name, for an encoder: created now if there is none and the
    /// [rule](LiveOptions::on_first_push) allows that.
    ///
    /// # Errors
    /// [`ErrorKind::NoPresentation`] if there is none; [`ErrorKind::Busy`] if there are too many.
    pub fn for_push(&self, name: &Name) -> Result<Arc<LivePoint>, Error> {
        if let Some(point) = self.get(name) {
            return Ok(point);
        }
        let options = self.options_of_first(name);
        let options = options.ok_or_else(|| Error::request("path", ErrorKind::NoPresentation))?;
        let mut by_name = self.by_name_mut();
        if let Some(point) = by_name.find(name.as_str()) {
            return Ok(point);
        }
        if by_name.pushed >= self.shared.options.max_points {
            return Err(ErrorKind::Busy("there are too many publishing points").into());
        }
        by_name.pushed += 1;
        Ok(self.add(&mut by_name, name.clone(), options))
    }

    /// Ends all events: see [`LivePoint::stop`]. A host calls it before it ends.
    pub fn stop(&self) {
        for point in self.list() {
            point.stop();
        }
    }

    /// Has all points look at the time: see [`LivePoint::tick`].
    pub fn tick(&self) {
        for point in self.list() {
            point.tick();
        }
    }

    /// Waits until the archive has everything that was published.
    pub async fn settle(&self) {
        for point in self.list() {
            // A failure was reported.
            let _ = point.acknowledge().await;
        }
    }

    /// Uses the clock, timer, log and numbers of an origin from now on.
    pub(in crate::origin) fn attach(&self, host: &Host) {
        let mut known = self.shared.host.write().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(host.clone());
    }

    /// The newest snapshot of the point of this name, if there is one.
    #[inline]
    pub(in crate::origin) fn opened(
        &self,
        name: &str,
        shared: &Arc<Shared>,
    ) -> Option<Arc<Opened>> {
        // Other names take no lock.
        if !is_point(name) {
            return None;
        }
        self.by_name().find(name)?.opened(shared)
    }

    /// The timer of the host.
    #[cfg(feature = "http")]
    pub(crate) fn timer(&self) -> Arc<dyn Timer> {
        Arc::clone(&self.host().timer)
    }

    /// Counts and reports a push that was refused.
    #[cfg(feature = "http")]
    pub(crate) fn push_refused(&self, point: Option<&Name>, what: &str, status: u16, why: &str) {
        self.host().events.push_refused(point, what, status, why);
    }

    #[cfg(feature = "http")]
    fn host(&self) -> Arc<Host> {
        Arc::clone(&self.shared.host.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn options_of_first(&self, name: &Name) -> Option<PointOptions> {
        let rule = self.shared.options.first_push.as_ref()?;
        check(name).ok()?;
        rule(name)
    }

    fn add(&self, by_name: &mut ByName, name: Name, options: PointOptions) -> Arc<LivePoint> {
        let Points { options: of_all, host, .. } = &*self.shared;
        let point = by_name
            .points
            .entry(key_of(&name))
            .or_insert_with(|| Arc::new(LivePoint::new(name, options, of_all, Arc::clone(host))));
        Arc::clone(point)
    }

    fn by_name(&self) -> RwLockReadGuard<'_, ByName> {
        self.shared.by_name.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn by_name_mut(&self) -> RwLockWriteGuard<'_, ByName> {
        self.shared.by_name.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ByName {
    /// The point of a name in any letter case.
    fn find(&self, name: &str) -> Option<Arc<LivePoint>> {
        let found = match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => self.points.get(&name.to_ascii_lowercase()),
            false => self.points.get(name),
        };
        found.cloned()
    }
}

fn key_of(name: &Name) -> String {
    name.as_str().to_ascii_lowercase()
}

/// Returns whether a name is that of a publishing point.
fn is_point(name: &str) -> bool {
    name.as_bytes().last().is_some_and(|last| last.eq_ignore_ascii_case(&b'l'))
        && path::has_extension(name.as_bytes())
}

fn check(name: &Name) -> Result<(), Error> {
    match is_point(name.as_str()) {
        true => Ok(()),
        false => {
            let why = "the name of a publishing point ends in .isml";
            Err(Error::request("name", ErrorKind::BadName(why)))
        }
    }
}

impl fmt::Debug for LivePoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePoints")
            .field("points", &self.by_name().points.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_point_is_found_in_any_letter_case() {
        let points = LivePoints::default();
        let point = points.create(name("Events/News.isml"), PointOptions::default()).unwrap();
        for spelled in ["events/news.isml", "EVENTS/NEWS.ISML", "Events/News.isml"] {
            assert!(Arc::ptr_eq(&points.get(&name(spelled)).unwrap(), &point), "{spelled}");
        }
        assert_eq!(point.name().as_str(), "Events/News.isml");
        assert!(points.get(&name("news.isml")).is_none());
        assert!(points.create(name("news.ism"), PointOptions::default()).is_err());
        assert!(points.remove(&name("events/NEWS.isml")) && points.list().is_empty());
    }

    #[test]
    fn a_push_creates_what_the_rule_allows_and_no_more_than_so_many() {
        let options = LiveOptions::default()
            .max_points(2)
            .on_first_push(|name| name.as_str().starts_with("open/").then(PointOptions::default));
        let points = LivePoints::new(options);
        let push = |text| points.for_push(&name(text)).map_err(|error| error.kind.status());
        assert_eq!(push("closed/a.isml").unwrap_err(), 404);
        assert_eq!(push("open/a.ism").unwrap_err(), 404);
        assert!(points.may_be_pushed(&name("open/a.isml")) && points.list().is_empty());
        let first = push("open/a.isml").unwrap();
        assert!(Arc::ptr_eq(&push("open/A.isml").unwrap(), &first));
        assert!(push("open/b.isml").is_ok());
        assert_eq!(push("open/c.isml").unwrap_err(), 503);
        // Those that the host creates do not count.
        points.create(name("c.isml"), PointOptions::default()).unwrap();
        assert_eq!(points.list().len(), 3);
    }
}
