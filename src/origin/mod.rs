//! Floor 7: from a request's path to a reply, over a store: opened presentations are kept, looked
//! after, and opened again when their files change.

mod block_on;
mod body;
mod cache;
mod clock;
mod drive;
mod handles;
mod opened;
mod path;

use std::sync::Arc;
use std::time::Duration;

pub use block_on::block_on;
pub use body::Body;
pub use clock::Clock;
pub use opened::Opened;

use cache::{Cache, CacheOptions};
use handles::Handles;

use crate::base::{Error, ErrorKind, Name, ReadErrorKind, Step};
use crate::output::mss::{self, Request};
use crate::presentation::{OpenOptions, Reply};
use crate::storage::{AnyStore, Store};

/// An origin: answers requests for the presentations of a store.
///
/// Nothing here needs a runtime: the futures run on any, or on none ([`block_on`]).
///
/// ```
/// # #[cfg(feature = "fs")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smooth_origin::origin::{Answer, Origin, block_on};
/// use smooth_origin::storage::LocalStore;
///
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata");
/// let origin = Origin::new(LocalStore::new(root)?);
/// let answer = block_on(origin.answer("/ladder/ladder.ism/Manifest"))?;
/// let Answer::Reply(served) = answer else { panic!("a manifest is no redirect") };
/// let mut body = served.body();
/// while let Some(bytes) = block_on(body.next()) {
///     println!("{} bytes", bytes?.len());
/// }
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "fs"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct Origin {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: AnyStore,
    cache: Cache,
    handles: Arc<Handles>,
    clock: Clock,
    options: OpenOptions,
}

/// How an [`Origin`] is set up.
#[derive(Clone, Debug)]
pub struct OriginBuilder {
    store: AnyStore,
    clock: Clock,
    options: OpenOptions,
    cache: CacheOptions,
    handles: Option<usize>,
}

/// What a request is answered with.
#[derive(Debug)]
#[non_exhaustive]
pub enum Answer {
    /// A reply, with the presentation that it is of.
    Reply(Served),
    /// What is asked for lies at this URL, relative to the request's.
    Redirect(String),
}

/// A reply that can be sent.
#[derive(Clone, Debug)]
pub struct Served {
    reply: Reply,
    opened: Arc<Opened>,
}

impl Served {
    /// What it is, how long, and in which pieces.
    pub fn reply(&self) -> &Reply {
        &self.reply
    }

    /// The presentation that it is of.
    pub fn opened(&self) -> &Arc<Opened> {
        &self.opened
    }

    /// The bytes.
    pub fn body(&self) -> Body {
        Body::new(Arc::clone(&self.opened), &self.reply)
    }
}

impl Origin {
    /// Over a store, with the defaults of [`OriginBuilder`].
    pub fn new(store: impl Store) -> Self {
        Self::builder(store).build()
    }

    /// Over a store, with options.
    pub fn builder(store: impl Store) -> OriginBuilder {
        OriginBuilder {
            store: AnyStore::new(store),
            clock: Clock::default(),
            options: OpenOptions::default(),
            cache: CacheOptions::default(),
            handles: None,
        }
    }

    /// Answers a request for `path`: the path of a URL, percent-encoded, without query. The
    /// presentation is the first of its segments that ends in `.ism` or `.isml` and can be opened.
    ///
    /// # Errors
    /// [`ErrorKind::status`] has the HTTP status of each.
    pub async fn answer(&self, path: &str) -> Result<Answer, Error> {
        let mut error = Error::request("path", ErrorKind::NoPresentation);
        for found in path::presentations(path) {
            let path::Found { name, rest } = found?;
            match self.answer_in(&name, rest).await {
                // A folder of that name is walked on: ffmpeg makes such.
                Err(none) if matches!(none.kind, ErrorKind::NoPresentation) => error = none,
                answer => return answer,
            }
        }
        Err(error)
    }

    /// The answer for the rest of a path, in the presentation of this name. Where a file is found
    /// to have changed while the answer is made, it is made once more, from what lies there now.
    async fn answer_in(&self, name: &str, rest: &str) -> Result<Answer, Error> {
        let opened = self.inner.cache.get(&self.inner, name).await?;
        match self.answer_of(&opened, rest).await {
            Err(_) if opened.is_stale() => {
                let opened = self.inner.cache.get(&self.inner, name).await?;
                self.answer_of(&opened, rest).await
            }
            answer => answer,
        }
    }

    async fn answer_of(&self, opened: &Arc<Opened>, rest: &str) -> Result<Answer, Error> {
        let request = Request::parse(rest)?;
        if request == Request::Presentation {
            let folder =
                if rest.is_empty() { opened.presentation().name().file_name() } else { "" };
            return Ok(Answer::Redirect(path::manifest_of(folder)));
        }
        let reply = match mss::answer(opened.presentation(), &request)? {
            Step::Ready(reply) => reply,
            step => drive::answer(step, opened).await?,
        };
        Ok(Answer::Reply(Served { reply, opened: Arc::clone(opened) }))
    }

    /// The presentation whose server manifest has this name, opened now or before.
    ///
    /// # Errors
    /// As [`open`](crate::presentation::open).
    pub async fn open(&self, name: &Name) -> Result<Arc<Opened>, Error> {
        self.inner.cache.get(&self.inner, name.as_str()).await
    }
}

impl OriginBuilder {
    /// How presentations are opened; default [`OpenOptions::default`].
    pub fn open_options(mut self, options: OpenOptions) -> Self {
        self.options = options;
        self
    }

    /// Bytes of memory for opened presentations; default 256 MiB. The least used go first.
    pub fn cache_bytes(mut self, bytes: u64) -> Self {
        self.cache.bytes = bytes;
        self
    }

    /// How old what is known of a presentation may be before its files are looked at again, and
    /// how long a failed opening is kept; default 5 s.
    pub fn revalidate_after(mut self, age: Duration) -> Self {
        self.cache.revalidate_after = age;
        self
    }

    /// How long a presentation is served as it was while its files, which have changed, give more
    /// findings than before: a set that arrives file by file; default 30 s.
    pub fn replace_grace(mut self, grace: Duration) -> Self {
        self.cache.replace_grace = grace;
        self
    }

    /// Openings at one time; default 128. More are refused as busy.
    pub fn max_openings(mut self, openings: usize) -> Self {
        self.cache.max_openings = openings;
        self
    }

    /// Files held open at one time, over all presentations; default a quarter of what the process
    /// may open. The least used are closed, and opened again when they are needed.
    pub fn max_open_files(mut self, files: usize) -> Self {
        self.handles = Some(files);
        self
    }

    /// The clock that ages are measured by; default the system's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The origin.
    pub fn build(self) -> Origin {
        let handles = self.handles.unwrap_or_else(handles::default_capacity);
        Origin {
            inner: Arc::new(Inner {
                store: self.store,
                cache: Cache::new(self.cache),
                handles: Arc::new(Handles::new(handles)),
                clock: self.clock,
                options: self.options,
            }),
        }
    }
}

/// Marks a presentation as out of date when one of its files has changed under a request, or is not
/// what was believed.
fn note_change(opened: &Opened, error: &Error) {
    if let ErrorKind::Read(read) = &error.kind
        && matches!(read.kind, ReadErrorKind::Changed | ReadErrorKind::Gone)
    {
        opened.set_stale();
    }
    // So is what an index that lies has led to: without belief in it, there may be more.
    if !opened.presentation().distrusted().is_empty() {
        opened.set_stale();
    }
}
