//! The publishing points of a server, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::followed::FollowedPoint;
use super::followed_points::FollowedPoints;
use super::options::LiveOptions;
use super::point::LivePoint;
use super::turns::Turns;
#[cfg(feature = "http")]
use super::unbegun::{Unbegun, UnbegunBodies};
use crate::base::{Error, ErrorKind, Name};
use crate::live::journal::{Names, PointRecord};
use crate::live::{PointOptions, PointState};
#[cfg(feature = "http")]
use crate::origin::Timer;
use crate::origin::host::Host;
use crate::origin::read::Shared;
use crate::origin::{Opened, path};
use crate::storage::AnyArchive;

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
/// // A host takes bodies by `points.for_push(…).await?.begin(…)?`, or has `IngestService` do it.
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
    /// Points that other processes write.
    followed: FollowedPoints,
    #[cfg(feature = "http")]
    unbegun: UnbegunBodies,
    /// A point is recovered once, and not while it is taken away.
    turns: Turns,
}

/// The points, by their names in lower case.
#[derive(Default)]
struct ByName {
    points: BTreeMap<String, Arc<LivePoint>>,
    /// Those that pushes have created.
    pushed: BTreeSet<String>,
    /// Names as they are written of points that could not be [recovered](LivePoints::recover) yet: those of their files
    /// in the archive are written alike.
    awaited: BTreeMap<String, Name>,
}

impl LivePoints {
    /// Without any point.
    pub fn new(options: LiveOptions) -> Self {
        Self { shared: Arc::new(Points { options, ..Points::default() }) }
    }

    /// Creates a publishing point. If there is one of this name, it stays as it is and is returned. Points that
    /// have an archive are [recovered](Self::recover) instead.
    ///
    /// # Errors
    /// [`ErrorKind::BadName`] if the name does not end in `.isml`; [`ErrorKind::Busy`] if the points have an archive.
    pub fn create(&self, name: Name, options: PointOptions) -> Result<Arc<LivePoint>, Error> {
        check(&name)?;
        let mut by_name = self.by_name_mut();
        if self.archive().is_some() {
            let why = "a publishing point with an archive must be recovered first";
            return by_name.find(name.as_str()).ok_or_else(|| ErrorKind::Busy(why).into());
        }
        Ok(self.add(&mut by_name, name, options))
    }

    /// Creates a publishing point that goes on with the event that the archive has of it, if an earlier process
    /// has not ended it. All fragments that were published are there, at the same offsets, and those that
    /// were taken are published next. The film of an event that has ended is made by [`settle`](Self::settle).
    ///
    /// A host calls it when it begins, for each point that may have an event that goes on. Points that the first push
    /// creates are recovered by [`for_push`](Self::for_push).
    ///
    /// # Errors
    /// [`ErrorKind::BadName`] if the name does not end in `.isml`; [`ErrorKind::Read`] if the archive cannot be
    /// read or written; [`ErrorKind::Invalid`] if it contradicts itself: see [`set_aside`](Self::set_aside).
    pub async fn recover(
        &self,
        name: Name,
        options: PointOptions,
    ) -> Result<Arc<LivePoint>, Error> {
        check(&name)?;
        let _turn = self.shared.turns.take(key_of(&name)).await;
        if let Some(point) = self.get(&name) {
            return Ok(point);
        }
        let Points { options: of_all, host, .. } = &*self.shared;
        let recovered = LivePoint::recovered(name.clone(), options, of_all, Arc::clone(host)).await;
        if recovered.is_err() {
            let mut by_name = self.by_name_mut();
            // As many as pushes may create: a host may try any names.
            if by_name.awaited.len() < self.shared.options.max_points.max(AWAITED) {
                by_name.awaited.insert(key_of(&name), name);
            }
        }
        Ok(self.put(recovered?))
    }

    /// The name of the publishing point that a file of an archive (`NAME.point`) is the record of, for a host that
    /// looks for points to [recover](Self::recover). `None` if it is none.
    pub fn named(record: &[u8]) -> Option<Name> {
        PointRecord::point_of(&Bytes::copy_from_slice(record))
    }

    /// Creates a publishing point without the event that the archive has of it, because it cannot be recovered. Its
    /// files stay as they are, and the next push begins an event with files of its own.
    ///
    /// # Errors
    /// As [`recover`](Self::recover), if not even the record of the point can be read.
    pub async fn set_aside(
        &self,
        name: Name,
        options: PointOptions,
    ) -> Result<Arc<LivePoint>, Error> {
        check(&name)?;
        let _turn = self.shared.turns.take(key_of(&name)).await;
        if let Some(point) = self.get(&name) {
            return Ok(point);
        }
        let Points { options: of_all, host, .. } = &*self.shared;
        let point = LivePoint::set_aside(name, options, of_all, Arc::clone(host)).await?;
        Ok(self.put(point))
    }

    /// Takes a publishing point away, ends what is pushed to it, and waits until the archive has its event. Bodies that
    /// clients take end as they began. Returns whether there was one.
    pub async fn remove(&self, name: &Name) -> bool {
        // Nobody recovers it while it is written.
        let _turn = self.shared.turns.take(key_of(name)).await;
        let point = {
            let mut by_name = self.by_name_mut();
            by_name.pushed.remove(&key_of(name));
            by_name.points.remove(&key_of(name))
        };
        if let Some(point) = &point {
            point.remove();
            // A failure was reported.
            let _ = point.acknowledge().await;
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
    /// [rule](LiveOptions::on_first_push) allows that. It goes on with the event that the archive has of it; one that
    /// cannot be recovered is reported and [set aside](Self::set_aside).
    ///
    /// # Errors
    /// [`ErrorKind::NoPresentation`] if there is none; [`ErrorKind::Busy`] if there are too many;
    /// [`ErrorKind::Read`] if the archive cannot be read.
    pub async fn for_push(&self, name: &Name) -> Result<Arc<LivePoint>, Error> {
        if let Some(point) = self.get(name) {
            return Ok(point);
        }
        let options = self.options_of_first(name);
        let options = options.ok_or_else(|| Error::request("path", ErrorKind::NoPresentation))?;
        let _turn = self.shared.turns.take(key_of(name)).await;
        if let Some(point) = self.get(name) {
            return Ok(point);
        }
        let mut place = self.place_of_first(name)?;
        // The archive is asked by the name that it has.
        let awaited = self.by_name().awaited.get(&key_of(name)).cloned();
        let name = awaited.as_ref().unwrap_or(name);
        let Points { options: of_all, host, .. } = &*self.shared;
        let (name, of) = (|| name.clone(), || Arc::clone(host));
        let point = match LivePoint::recovered(name(), options.clone(), of_all, of()).await {
            Err(error) if matches!(error.kind, ErrorKind::Invalid { .. }) => {
                let failed = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
                self.host().events.archive_failed(&name(), &failed);
                LivePoint::set_aside(name(), options, of_all, of()).await?
            }
            point => point?,
        };
        place.is_taken = true;
        Ok(self.put(point))
    }

    /// Takes a publishing point away that a push has created, if nothing of any push was used and nobody else
    /// has it: what a refused push has created must not use up room.
    #[cfg(feature = "http")]
    pub(crate) fn forget_unused(&self, name: &Name) {
        let key = key_of(name);
        if !self.by_name().pushed.contains(&key) {
            return;
        }
        let mut by_name = self.by_name_mut();
        // With the lock held, nobody gets the point from here.
        let is_unused = by_name
            .points
            .get(&key)
            .is_some_and(|point| Arc::strong_count(point) == 1 && point.is_unused());
        if is_unused && by_name.pushed.remove(&key) {
            by_name.points.remove(&key);
        }
    }

    /// Ends all events: see [`LivePoint::stop`].
    pub fn stop(&self) {
        for point in self.list() {
            point.stop();
        }
    }

    /// Ends all pushes, because the process ends: see [`LivePoint::suspend`]. A host calls it, and then
    /// [`settle`](Self::settle), before it ends.
    pub fn suspend(&self) {
        for point in self.list() {
            point.suspend();
        }
        #[cfg(feature = "http")]
        self.shared.unbegun.suspend();
    }

    /// A body begins that is no push yet.
    #[cfg(feature = "http")]
    pub(crate) fn begin_body(&self) -> Unbegun {
        self.shared.unbegun.add()
    }

    /// Has all points look at the time: see [`LivePoint::tick`].
    pub fn tick(&self) {
        for point in self.list() {
            point.tick();
        }
    }

    /// Waits until the archive has everything that was published, and the films of events that have ended. No point waits
    /// for another one.
    pub async fn settle(&self) {
        let points = self.list();
        // A failure was reported.
        join_all(points.iter().map(|point| point.make_films())).await;
    }

    /// Waits until the archive has everything that was published. Films are [made](LivePoint::make_films) beside it.
    pub async fn flush(&self) {
        let points = self.list();
        // A failure was reported.
        join_all(points.iter().map(|point| point.write())).await;
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
        if let Some(point) = self.by_name().find(name) {
            return point.opened(shared);
        }
        self.followed(name)?.opened(shared)
    }

    /// True if the archive is to be [looked](Self::look) at before anything is answered about this name.
    #[inline]
    pub(in crate::origin) fn is_look_due(&self, name: &str) -> bool {
        is_point(name) && self.followed(name).is_some_and(|point| point.is_due())
    }

    /// The newest snapshot of the point of this name, if another process writes it.
    ///
    /// # Errors
    /// The archive cannot be read; [`ErrorKind::Busy`] if too many points are followed.
    pub(in crate::origin) async fn look(
        &self,
        name: &str,
        shared: &Arc<Shared>,
    ) -> Result<Option<Arc<Opened>>, Error> {
        if !is_point(name) {
            return Ok(None);
        }
        if let Some(point) = self.by_name().find(name) {
            return match point.awaits_film() {
                true => Err(ErrorKind::Busy("the film of the event is not made yet").into()),
                false => Ok(None),
            };
        }
        let point = match self.followed(name) {
            Some(point) => point,
            None => match self.begin_to_follow(name)? {
                Some(point) => point,
                None => return Ok(None),
            },
        };
        point.look(shared).await
    }

    /// Number of looks at the archive that have begun for the point of this name, if another process may write it.
    pub(in crate::origin) fn looks(&self, name: &str) -> Option<u64> {
        self.shared.options.follow.as_ref()?;
        let may_be_followed = is_point(name) && self.by_name().find(name).is_none();
        may_be_followed.then(|| self.followed(name).map_or(0, |point| point.looks()))
    }

    /// Looks at the archive though that may not be due, for a request that has not found what it was for. `looks`
    /// have begun before it. Returns whether there may be something new.
    pub(in crate::origin) async fn look_again(&self, name: &str, looks: u64) -> bool {
        match self.followed(name) {
            Some(point) => point.look_again(looks).await,
            None => false,
        }
    }

    /// Returns whether another process writes the point of this name.
    pub(in crate::origin) fn is_followed(&self, name: &str) -> bool {
        self.looks(name).is_some() && self.followed(name).is_some()
    }

    fn followed(&self, name: &str) -> Option<Arc<FollowedPoint>> {
        self.shared.options.follow.as_ref()?;
        self.shared.followed.find(name)
    }

    fn begin_to_follow(&self, name: &str) -> Result<Option<Arc<FollowedPoint>>, Error> {
        let Points { options, host, followed, .. } = &*self.shared;
        let (Some(rule), Some(archive)) = (&options.follow, &options.archive) else {
            return Ok(None);
        };
        let Ok(name) = Name::new(name) else { return Ok(None) };
        let Some(of_point) = rule(&name) else { return Ok(None) };
        let now = self.host().clock.now();
        let new = || {
            let (archive, every, host) = (archive.clone(), options.follow_every, Arc::clone(host));
            FollowedPoint::new(name.clone(), of_point, archive, every, host)
        };
        let point = followed.find_or_add(&name, options.max_points, now, new);
        let busy = || ErrorKind::Busy("too many publishing points are followed").into();
        point.map(Some).ok_or_else(busy)
    }

    /// The point of this name, and the server manifest of the film that it has become, if that is in the archive.
    #[inline]
    pub(in crate::origin) fn film(&self, name: &str) -> Option<(Name, Name)> {
        if self.archive().is_none() || !is_point(name) {
            return None;
        }
        if let Some(point) = self.by_name().find(name) {
            return Some((point.name().clone(), point.film()?));
        }
        let point = self.followed(name)?;
        Some((point.name().clone(), point.film()?))
    }

    /// Returns whether a point of this name is there that has nothing to show yet, and may have it at any moment.
    pub(in crate::origin) fn is_awaited(&self, name: &str) -> bool {
        let point = if is_point(name) { self.by_name().find(name) } else { None };
        point.is_some_and(|point| point.state() != PointState::Stopped)
    }

    /// Returns whether this is a file of a film that a point has become.
    pub(super) fn has_film_of(&self, name: &Name) -> bool {
        self.list().iter().any(|point| point.has_film_of(name))
            || self.shared.followed.have_film_of(name)
    }

    /// Time from which a film is known to be there, if this is the server manifest of one that a point has become.
    pub(in crate::origin) fn film_since(&self, name: &str) -> Option<Duration> {
        self.archive()?;
        let mut own = self.list().into_iter();
        own.find_map(|point| point.film_since(name))
            .or_else(|| self.shared.followed.film_since(name))
    }

    /// Returns whether this is the server manifest of an event that goes on.
    pub(super) fn is_growing(&self, name: &Name) -> bool {
        self.list().iter().any(|point| point.is_growing(name))
    }

    /// The archive of the events, if they have one.
    pub(super) fn archive(&self) -> Option<&AnyArchive> {
        self.shared.options.archive.as_ref()
    }

    /// The timer of the host.
    #[cfg(feature = "http")]
    pub(crate) fn timer(&self) -> Arc<dyn Timer> {
        Arc::clone(&self.host().timer)
    }

    /// Counts and reports a push that was refused.
    #[cfg(feature = "http")]
    pub(crate) fn push_refused(&self, point: Option<&Name>, what: &str, status: u16, why: &str) {
        if let Some(point) = point.and_then(|name| self.get(name)) {
            point.note_refusal(what, status, why);
        }
        self.host().events.push_refused(point, what, status, why);
    }

    fn host(&self) -> Arc<Host> {
        Arc::clone(&self.shared.host.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn options_of_first(&self, name: &Name) -> Option<PointOptions> {
        let rule = self.shared.options.first_push.as_ref()?;
        check(name).ok()?;
        rule(name)
    }

    /// Counts a point that a push creates, while others are recovered at the same time.
    fn place_of_first(&self, name: &Name) -> Result<PlaceOfFirst<'_>, Error> {
        let mut by_name = self.by_name_mut();
        if by_name.pushed.len() >= self.shared.options.max_points {
            return Err(ErrorKind::Busy("there are too many publishing points").into());
        }
        let key = key_of(name);
        by_name.pushed.insert(key.clone());
        Ok(PlaceOfFirst { points: self, key, is_taken: false })
    }

    fn put(&self, point: LivePoint) -> Arc<LivePoint> {
        let (key, mut by_name) = (key_of(point.name()), self.by_name_mut());
        by_name.awaited.remove(&key);
        Arc::clone(by_name.points.entry(key).or_insert_with(|| Arc::new(point)))
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

/// Points that could not be recovered whose names are kept, at least.
const AWAITED: usize = 1024;

/// The place of a point that a push creates. It is free again if there is no point in the end.
struct PlaceOfFirst<'a> {
    points: &'a LivePoints,
    key: String,
    is_taken: bool,
}

impl Drop for PlaceOfFirst<'_> {
    fn drop(&mut self) {
        if !self.is_taken {
            self.points.by_name_mut().pushed.remove(&self.key);
        }
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
    let why = match name {
        name if !is_point(name.as_str()) => "the name of a publishing point ends in .isml",
        // Those of its files are longer.
        name if Names::of(name).is_none() => "the name of a publishing point is too long",
        _ => return Ok(()),
    };
    Err(Error::request("name", ErrorKind::BadName(why)))
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
    use crate::origin::block_on;

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
        let long = name(&format!("{}news.isml", "folder/".repeat(560)));
        assert!(points.create(long, PointOptions::default()).is_err(), "its files have no names");
        assert!(block_on(points.remove(&name("events/NEWS.isml"))) && points.list().is_empty());
    }

    #[test]
    fn a_push_creates_what_the_rule_allows_and_no_more_than_so_many() {
        let options = LiveOptions::default()
            .max_points(2)
            .on_first_push(|name| name.as_str().starts_with("open/").then(PointOptions::default));
        let points = LivePoints::new(options);
        let push =
            |text| block_on(points.for_push(&name(text))).map_err(|error| error.kind.status());
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
