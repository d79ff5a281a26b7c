//! Object stores: any store of the crate `object_store`.

#[cfg(feature = "live")]
mod archive;
mod connect_error;
mod get;
mod listing;
mod location;
mod near;
mod no_bucket;
mod notice;
mod object;
mod pin;
mod problem;
mod reach;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs", feature = "http-store"))]
mod remote;
mod run;
mod signed_links;
mod signing;
mod unsteady;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin as Pinned;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join;
use object_store::list::PaginatedListStore;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore};

#[cfg(feature = "live")]
pub use archive::BucketArchive;
pub use connect_error::ConnectError;
pub use listing::ListedPage;
pub use location::{Location, Protocol};
pub use no_bucket::NoBucket;
pub use object::BucketObject;
pub use signed_links::SignedLinks;

use get::{Got, Seen};
use notice::Notice;
use pin::Pin;
use problem::Problem;
use reach::Reach;
use run::Runner;

use super::{Ends, Opening, RangeSource, Stat, Store};
use crate::base::Name;

/// Names that one folder may have, if the host does not say.
const MAX_LISTED: usize = 100_000;

/// Age below which an object that is written in place is looked at again, if the host does not say.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// Longest head or tail that an opening reads, in bytes. Servers take numbers near 2⁶⁴ for none.
const MAX_END: u64 = 16 << 20;

/// A store of the crate `object_store` as a store of an origin.
///
/// Opening takes one request for the first bytes, and at the same time one for the last bytes if
/// they are wanted: the answers give size and version as well. A read is one request.
///
/// ```
/// # use smooth_origin::origin::block_on;
/// use object_store::memory::InMemory;
/// use smooth_origin::base::Name;
/// use smooth_origin::origin::Origin;
/// use smooth_origin::storage::Bucket;
///
/// // Only keys below `films/` are ever asked for.
/// let bucket = Bucket::new(InMemory::new()).prefix(Name::new("films").unwrap());
/// let origin = Origin::new(bucket);
/// # assert!(block_on(origin.answer("/film.ism/Manifest")).is_err());
/// ```
///
/// # Versions
///
/// Each read is pinned to the version that was opened: by a strong ETag (`If-Match`), by the version
/// or generation if the store has them, and by comparing both, and the size, with every answer. If
/// the store gives neither, the time of the last change and the size are all that is compared. Two
/// changes within a second that keep the size are then taken for one.
///
/// # Runtime
///
/// The stores of `object_store` that use a network need Tokio. In a host that runs on Tokio nothing
/// is to be done. Others give the work to a runtime with [`run_by`](Self::run_by).
///
/// # Errors
///
/// The texts of errors never contain those of the store, which may have URLs with signatures or
/// passwords in them. A store that asks for fewer requests gives [`SlowDown`](super::SlowDown).
/// Nothing is tried again here.
#[derive(Clone)]
pub struct Bucket {
    reach: Reach,
    /// The store once more, if it lists page by page.
    pages: Option<Arc<dyn PaginatedListStore>>,
    max_listed: usize,
    /// Cleared when the store is found to give no suffix ranges.
    gives_suffixes: Arc<AtomicBool>,
}

impl Bucket {
    /// All objects of a store.
    pub fn new(store: impl ObjectStore) -> Self {
        let runner = Runner::default();
        let reach = Reach {
            store: Arc::new(store),
            runner,
            notice: Notice::default(),
            prefix: None,
            is_written_in_place: false,
            look_again: LOOK_AGAIN,
            signing: None,
        };
        let gives_suffixes = Arc::new(AtomicBool::new(true));
        Self { reach, pages: None, max_listed: MAX_LISTED, gives_suffixes }
    }

    /// Connects to the store of a location with the credentials and the endpoint of an environment,
    /// from which values are taken by their names. Nothing is asked of the store.
    ///
    /// | Location | Variables |
    /// |---|---|
    /// | `s3://` | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`; `AWS_SHARED_CREDENTIALS_FILE` with `AWS_PROFILE`, `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `AWS_METADATA_ENDPOINT` for credentials that are renewed; `AWS_SKIP_SIGNATURE` |
    /// | `az://` | `AZURE_STORAGE_ACCOUNT_NAME`, `AZURE_STORAGE_ACCOUNT_KEY` or `AZURE_STORAGE_SAS_TOKEN`, `AZURE_STORAGE_ENDPOINT`; `AZURE_STORAGE_SAS_TOKEN_FILE`; `AZURE_CLIENT_ID`, `AZURE_CLIENT_SECRET` and `AZURE_TENANT_ID`; `AZURE_FEDERATED_TOKEN_FILE`, `IDENTITY_ENDPOINT`; `AZURE_SKIP_SIGNATURE` |
    /// | `gs://` | `GOOGLE_APPLICATION_CREDENTIALS`, `GOOGLE_SERVICE_ACCOUNT_KEY`, `GOOGLE_BEARER_TOKEN`, `GOOGLE_BASE_URL`, `GOOGLE_SKIP_SIGNATURE` |
    /// | `http://`, `https://` | `HTTP_STORE_AUTHORIZATION`: the whole value of the header `Authorization`, or `HTTP_STORE_AUTHORIZATION_FILE`; `HTTP_STORE_LOOK_AGAIN`: `always`, or seconds ([`look_again`](Self::look_again)) |
    /// | all | `STORE_ROOT_CERTIFICATES`: a file with further root certificates in PEM; `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` |
    ///
    /// The environment is read once. A file of credentials is read again a second after its last
    /// reading, so whoever writes it renews them; while it cannot be read, or is only half written, the
    /// old ones are used. Credentials of a service are fetched again five minutes before they expire;
    /// if the service fails then, they are used up to their end.
    ///
    /// Requests use HTTP/1.1 with TLS by rustls, and the certificates of the system. Redirects are
    /// not followed, and nothing is tried again.
    ///
    /// ```
    /// # #[cfg(feature = "s3")] {
    /// use smooth_origin::storage::{Bucket, Location};
    ///
    /// let location = Location::parse("s3://films/2026").unwrap();
    /// # let var = |name: &str| match name { "AWS_REGION" => Some("eu-west-1".into()), _ => None };
    /// # mod env { pub fn var(_: &str) -> Result<String, ()> { Err(()) } }
    /// let bucket = Bucket::connect(&location, |name| env::var(name).ok());
    /// # let bucket = Bucket::connect(&location, var);
    /// // Keys that are missing are missed at once.
    /// assert!(bucket.unwrap_err().to_string().contains("AWS_ACCESS_KEY_ID is not set"));
    /// # }
    /// ```
    ///
    /// # Errors
    /// If a variable is missing or not valid, or if the crate was built without the feature of the
    /// location. The error names the variable; of values it has none but the name of a file.
    #[cfg(any(feature = "s3", feature = "azure", feature = "gcs", feature = "http-store"))]
    pub fn connect(
        location: &Location,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectError> {
        remote::connect(location, &environment)
    }

    /// Puts the root at a prefix. Keys outside of it are never asked for.
    #[must_use]
    pub fn prefix(mut self, prefix: Name) -> Self {
        self.reach.prefix = Some(prefix);
        self
    }

    /// Runs all requests by a function of the host, which must poll each future that it gets to its
    /// end. The default polls them in the task of the caller.
    ///
    /// ```
    /// # use std::{future::Future, pin::Pin};
    /// # use object_store::memory::InMemory;
    /// use smooth_origin::storage::Bucket;
    /// # struct Handle;
    /// # impl Handle {
    /// #     fn spawn(&self, work: Pin<Box<dyn Future<Output = ()> + Send>>) {
    /// #         std::thread::spawn(move || smooth_origin::origin::block_on(work));
    /// #     }
    /// # }
    /// # let (store, handle) = (InMemory::new(), Handle);
    ///
    /// // With `handle` of the type `tokio::runtime::Handle`:
    /// let bucket = Bucket::new(store).run_by(move |work| {
    ///     handle.spawn(work);
    /// });
    /// ```
    #[must_use]
    pub fn run_by(
        mut self,
        run: impl Fn(Pinned<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.reach.runner = Runner::by(run);
        self
    }

    /// Sets how many names a folder may have that is listed; listing a longer one fails. The default
    /// is 100,000.
    #[must_use]
    pub fn max_listed(mut self, names: usize) -> Self {
        self.max_listed = names;
        self
    }

    /// Treats objects as files that are written to in place, as a web server's are: an origin then
    /// does not trust a version that is younger than its
    /// [`settling_time`](crate::origin::OriginBuilder::settling_time), by the clock of the server.
    /// [`look_again`](Self::look_again) says which of them are compared after each read. Versions of objects in S3,
    /// Azure Blob Storage and Google Cloud Storage are replaced as a whole, which is the default.
    #[must_use]
    pub fn written_in_place(mut self, is_written_in_place: bool) -> Self {
        self.reach.is_written_in_place = is_written_in_place;
        self
    }

    /// Sets which objects that are [written in place](Self::written_in_place) are looked at once more
    /// after each read, by a request for one byte: those that changed less than this ago, by the clock
    /// of their server. The default is 10 minutes. [`Duration::MAX`] means all objects, zero none.
    ///
    /// A server takes the ETag of an answer from the file as it is before it sends the first byte. If
    /// the file is written to while it is sent, the answer has old bytes, then new ones, and nothing in
    /// it says so. The second look then finds another ETag, and the read fails with
    /// [`ChangedError`](super::ChangedError).
    ///
    /// By default, an upload that stops and goes on is noticed, and what has been there for long costs
    /// no more than one request per read. The one read during which a file that has been there for long
    /// begins to be rewritten may be a mix. If files are rewritten in place, set [`Duration::MAX`]; if
    /// new ones are always renamed into place, zero. A server must not keep what it knows of a file
    /// (`open_file_cache` of nginx).
    ///
    /// ```
    /// # use object_store::memory::InMemory;
    /// # let store = InMemory::new();
    /// use std::time::Duration;
    /// use smooth_origin::storage::Bucket;
    ///
    /// let bucket = Bucket::new(store).written_in_place(true).look_again(Duration::MAX);
    /// # let _ = bucket;
    /// ```
    #[must_use]
    pub fn look_again(mut self, younger_than: Duration) -> Self {
        self.reach.look_again = younger_than;
        self
    }

    /// Gives sentences for the operator's log to a function of the host, each one once: if the store
    /// turns out to have neither ETags nor versions, and if it gives another ETag with each answer, so
    /// that an object changes three times within a minute while it is read.
    ///
    /// ```
    /// # use object_store::memory::InMemory;
    /// use smooth_origin::storage::Bucket;
    ///
    /// let bucket = Bucket::new(InMemory::new()).notify_by(|sentence| eprintln!("{sentence}"));
    /// # let _ = bucket;
    /// ```
    #[must_use]
    pub fn notify_by(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.reach.notice = Notice::by(tell);
        self
    }

    /// Lists a page of the names of all objects, those in folders included, in the order of the store: the
    /// first one for `None`, or the one that [`ListedPage::next`] of the page before leads to. A page is one
    /// request, so a walk through any number of objects takes no more memory than a page, and can end at any
    /// time. Keys that are no [`Name`]s are left out.
    ///
    /// ```no_run
    /// # async fn count(bucket: smooth_origin::storage::Bucket) -> std::io::Result<usize> {
    /// let (mut count, mut next) = (0, None);
    /// loop {
    ///     let page = bucket.list_page(next).await?;
    ///     count += page.names.len();
    ///     next = page.next;
    ///     if next.is_none() {
    ///         return Ok(count);
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] if the store does not list page by page: servers of files do not, and
    /// neither do stores of [`new`](Self::new). Also if the store gives the token that it was asked with
    /// again, so that the walk would never end.
    pub async fn list_page(&self, next: Option<String>) -> io::Result<ListedPage> {
        let Some(pages) = self.pages.clone() else {
            let sentence = "the store does not list page by page";
            return Err(io::Error::new(io::ErrorKind::Unsupported, sentence));
        };
        let prefix = self.reach.path(None)?;
        let page = self.reach.runner.run(async move {
            listing::page(&*pages, &prefix, next).await.map_err(io::Error::from)
        });
        let (keys, next) = page.await?;
        Ok(ListedPage {
            names: keys.iter().filter_map(|key| self.reach.below(key)).collect(),
            next,
        })
    }

    /// One request, where the requests run.
    async fn get(&self, path: &Path, range: GetRange) -> io::Result<Result<Got, Problem>> {
        let Reach { store, runner, .. } = &self.reach;
        let answer = get::get(store.clone(), path.clone(), range, GetOptions::default());
        runner.run(async move { Ok(answer.await) }).await
    }

    async fn head(&self, path: &Path) -> io::Result<Result<Seen, Problem>> {
        let Reach { store, runner, .. } = &self.reach;
        let look = get::head(store.clone(), path.clone());
        runner.run(async move { Ok(look.await) }).await
    }

    /// The last bytes, if the store gives them by their number alone.
    async fn suffix(&self, path: &Path, len: u64) -> Option<Got> {
        if len == 0 || !self.gives_suffixes.load(Ordering::Relaxed) {
            return None;
        }
        match self.get(path, GetRange::Suffix(len)).await {
            Ok(Ok(got)) => Some(got),
            Ok(Err(Problem::Told(io::ErrorKind::Unsupported, _))) => {
                self.gives_suffixes.store(false, Ordering::Relaxed);
                None
            }
            _ => None,
        }
    }

    fn object(&self, path: Path, pin: Pin) -> BucketObject {
        BucketObject { reach: self.reach.clone(), path, pin }
    }

    fn stat_of(&self, seen: &Seen) -> io::Result<Stat> {
        Ok(pinned(seen)?.stat(self.reach.is_written_in_place))
    }

    /// An object that gave no first byte: it may have none.
    async fn open_empty(&self, path: Path, problem: Problem) -> io::Result<Opening<BucketObject>> {
        let may_be_empty = match &problem {
            Problem::Range => true,
            Problem::Told(kind, _) => {
                matches!(kind, io::ErrorKind::Other | io::ErrorKind::Unsupported)
            }
            Problem::Missing | Problem::Changed | Problem::SlowDown(_) | Problem::NoBucket => false,
        };
        if may_be_empty
            && let Ok(seen) = self.head(&path).await?
            && seen.meta.size == 0
        {
            let stat = self.stat_of(&seen)?;
            return Ok(Opening::new(self.object(path, pinned(&seen)?), stat));
        }
        Err(problem.into())
    }
}

fn pinned(seen: &Seen) -> io::Result<Pin> {
    Pin::new(seen).ok_or_else(|| {
        let sentence = "the store gives neither an ETag nor a time of the last change, so that changes \
                        cannot be noticed: switch on ETag or Last-Modified in the server";
        io::Error::new(io::ErrorKind::Unsupported, sentence)
    })
}

impl Store for Bucket {
    type Source = BucketObject;

    async fn open(&self, name: &Name) -> io::Result<BucketObject> {
        Ok(self.open_with(name, Ends::default()).await?.source)
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<BucketObject>> {
        let path = self.reach.path(Some(name))?;
        // One byte tells as much as none, and every store can give it.
        let head = self.get(&path, GetRange::Bounded(0..ends.head.clamp(1, MAX_END)));
        let (head, tail) = join(head, self.suffix(&path, ends.tail.min(MAX_END))).await;
        let head = match head? {
            Ok(head) => head,
            Err(problem) => return self.open_empty(path, problem).await,
        };
        let (pin, age) = (pinned(&head.seen)?, pin::age(&head.seen));
        let stat = pin.stat(self.reach.is_written_in_place);
        if !pin.is_named() {
            self.reach.notice.no_versions();
        }
        let (head_range, tail_range) = ends.ranges(pin.size);
        // The two answers are of one version, or the second one is not used.
        let mut last = tail
            .filter(|tail| pin.is(&tail.seen.meta) && tail.range == tail_range)
            .map(|tail| tail.bytes);
        let mut first = Some(head.bytes);
        if ends.tail > 0 && head.range == (0..pin.size) {
            last = first.as_ref().map(|all| all.slice(tail_range.start as usize..));
        }
        if head.range != head_range {
            first = (ends.head == 0).then(bytes::Bytes::new);
        }
        self.reach.notice.opened(&path, &pin);
        let object = self.object(path, pin);
        object.look_again(age).await?;
        Ok(Opening::new(object, stat).with_ends(first, last))
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        let path = self.reach.path(Some(name))?;
        match self.head(&path).await? {
            Ok(seen) => self.stat_of(&seen),
            // The answer to a HEAD has no body to say why. Some servers know no HEAD at all.
            Err(Problem::Told(..)) => self.open(name).await?.stat().await,
            Err(problem) => Err(problem.into()),
        }
    }

    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let path = self.reach.path(folder)?;
        let (store, pages, most) = (self.reach.store.clone(), self.pages.clone(), self.max_listed);
        let listed = self.reach.runner.run(async move {
            let listed = match pages {
                Some(pages) => listing::paged(&*pages, &path, most).await,
                None => listing::whole(&*store, &path, most).await,
            };
            listed.map_err(io::Error::from)
        });
        let keys = listed.await?;
        Ok(keys.iter().filter_map(|key| self.reach.name(key, folder)).collect())
    }
}

impl fmt::Debug for Bucket {
    /// The store itself is not shown: it may have keys in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("prefix", &self.reach.prefix).finish_non_exhaustive()
    }
}
