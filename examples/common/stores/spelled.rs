//! Names in other letter case than the keys of a store.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use smooth_origin::base::Name;
use smooth_origin::storage::{Ends, Opening, Stat, Store};

/// A store that has a file by its name in any letter case, as folders have: if there is no such key, the
/// keys beside it are looked at. The folders of a name are as they are.
pub(super) struct Spelled<S, B> {
    store: S,
    /// This store again, which gives up soon: clients invent names, and wait for these lists.
    brief: B,
    listed: Mutex<Listed>,
    turns: [tokio::sync::Mutex<()>; TURNS],
}

/// The last folders that were listed.
#[derive(Default)]
struct Listed {
    folders: HashMap<Option<String>, Folder>,
    order: VecDeque<Option<String>>,
    /// The time at which a list failed, if none has succeeded since.
    failed: Option<Instant>,
}

#[derive(Clone)]
struct Folder {
    at: Instant,
    /// Names by their small letters; `None` if two differ in letter case alone.
    names: Names,
}

type Names = Arc<HashMap<String, Option<Name>>>;

/// Folders that are listed at the same time.
const TURNS: usize = 16;

/// Time for which a list counts. Names that clients invent cost one list of their folder in this time.
const COUNTS_FOR: Duration = Duration::from_secs(10);

/// Lists that are kept.
const MOST_LISTED: usize = 64;

/// Names of a folder that are kept; files of longer ones are found by their exact names alone.
const MOST_NAMES: usize = 10_000;

impl<S: Store, B: Store> Spelled<S, B> {
    pub(super) fn new(store: S, brief: B) -> Self {
        Self { store, brief, listed: Mutex::default(), turns: Default::default() }
    }

    /// Returns the key that differs from a name in letter case.
    async fn other_spelling(&self, name: &Name) -> Option<Name> {
        let folder = folder(name);
        if folder.as_deref().is_some_and(is_of_fragments) {
            return None;
        }
        let names = match self.known(&folder) {
            Some(known) => known,
            None => {
                // Of several that miss names of one folder, the first one lists it.
                let _turn = self.turns[turn(&folder)].lock().await;
                match self.known(&folder) {
                    Some(known) => known,
                    None => self.list(folder).await,
                }
            }
        };
        names.get(&name.as_str().to_lowercase()).cloned().flatten().filter(|key| key != name)
    }

    fn known(&self, folder: &Option<String>) -> Option<Names> {
        let listed = self.listed();
        let known = listed.folders.get(folder)?;
        (known.at.elapsed() < COUNTS_FOR).then(|| known.names.clone())
    }

    fn listed(&self) -> MutexGuard<'_, Listed> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists a folder. One that cannot be listed has no names for a while, so that it is not asked for again
    /// at once.
    async fn list(&self, folder: Option<String>) -> Names {
        let path = folder.as_deref().and_then(|folder| Name::new(folder).ok());
        let listed = Box::pin(self.brief.list(path.as_ref())).await;
        let failed = listed.is_err().then(Instant::now);
        let keys = listed.unwrap_or_default();
        let mut names = HashMap::new();
        for key in keys.into_iter().take(MOST_NAMES) {
            names
                .entry(key.as_str().to_lowercase())
                .and_modify(|known| *known = None)
                .or_insert(Some(key));
        }
        let names = Arc::new(names);
        let mut listed = self.listed();
        listed.failed = failed;
        let kept = Folder { at: Instant::now(), names: names.clone() };
        if listed.folders.insert(folder.clone(), kept).is_none() {
            listed.order.push_back(folder);
        }
        if listed.order.len() > MOST_LISTED
            && let Some(oldest) = listed.order.pop_front()
        {
            listed.folders.remove(&oldest);
        }
        names
    }
}

/// Returns whether a folder has the name of a presentation. It may be one of fragments, whose names are exact,
/// but is asked for with each name of a presentation that is not there.
fn is_of_fragments(folder: &str) -> bool {
    let lower = folder.to_ascii_lowercase();
    lower.ends_with(".ism") || lower.ends_with(".isml")
}

/// The turn that is waited for before a folder is listed.
fn turn(folder: &Option<String>) -> usize {
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    (hasher.finish() % TURNS as u64) as usize
}

fn folder(name: &Name) -> Option<String> {
    name.as_str().rsplit_once('/').map(|(folder, _)| folder.to_owned())
}

fn is_missing<T>(result: &io::Result<T>) -> bool {
    matches!(result, Err(error) if error.kind() == ErrorKind::NotFound)
}

impl<S: Store, B: Store> Store for Spelled<S, B> {
    type Source = S::Source;

    async fn open(&self, name: &Name) -> io::Result<S::Source> {
        let result = Box::pin(self.store.open(name)).await;
        match is_missing(&result) {
            true => match Box::pin(self.other_spelling(name)).await {
                Some(key) => Box::pin(self.store.open(&key)).await,
                None => result,
            },
            false => result,
        }
    }

    async fn open_with(&self, name: &Name, ends: Ends) -> io::Result<Opening<S::Source>> {
        let result = Box::pin(self.store.open_with(name, ends)).await;
        match is_missing(&result) {
            true => match Box::pin(self.other_spelling(name)).await {
                Some(key) => Box::pin(self.store.open_with(&key, ends)).await,
                None => result,
            },
            false => result,
        }
    }

    async fn stat(&self, name: &Name) -> io::Result<Stat> {
        let result = Box::pin(self.store.stat(name)).await;
        match is_missing(&result) {
            true => match Box::pin(self.other_spelling(name)).await {
                Some(key) => Box::pin(self.store.stat(&key)).await,
                None => result,
            },
            false => result,
        }
    }

    /// A name that is missing may be that of a folder of fragments, which is listed next.
    async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
        let failed = self.listed().failed;
        match failed.is_some_and(|at| at.elapsed() < COUNTS_FOR) {
            true => self.brief.list(folder).await,
            false => self.store.list(folder).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use smooth_origin::origin::block_on;
    use smooth_origin::storage::{MemoryObject, MemoryStore};

    use super::*;

    /// A store that may fail to list, and counts how often it was asked to.
    #[derive(Clone, Default)]
    struct Lists {
        objects: MemoryStore,
        fails: bool,
        asked: Arc<Mutex<usize>>,
    }

    impl Store for Lists {
        type Source = MemoryObject;

        async fn open(&self, name: &Name) -> io::Result<MemoryObject> {
            self.objects.open(name).await
        }

        async fn stat(&self, name: &Name) -> io::Result<Stat> {
            self.objects.stat(name).await
        }

        async fn list(&self, folder: Option<&Name>) -> io::Result<Vec<Name>> {
            *self.asked.lock().unwrap() += 1;
            match self.fails {
                true => Err(ErrorKind::TimedOut.into()),
                false => self.objects.list(folder).await,
            }
        }
    }

    impl Lists {
        fn asked(&self) -> usize {
            *self.asked.lock().unwrap()
        }
    }

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_missing_name_is_not_waited_for_with_patience_while_lists_fail() {
        let (patient, brief) = (Lists::default(), Lists { fails: true, ..Lists::default() });
        let store = Spelled::new(patient.clone(), brief.clone());
        assert!(is_missing(&block_on(store.open(&name("a.ism")))));
        assert!(block_on(Store::list(&store, Some(&name("a.ism")))).is_err());
        assert_eq!((patient.asked(), brief.asked()), (0, 2));
    }

    #[test]
    fn a_folder_is_listed_with_patience_while_lists_succeed() {
        let objects = MemoryStore::new();
        objects.put(name("Film.ism"), Vec::from("x"));
        let brief = Lists { objects: objects.clone(), ..Lists::default() };
        let patient = Lists { objects, ..Lists::default() };
        let store = Spelled::new(patient.clone(), brief.clone());
        assert!(block_on(store.open(&name("film.ism"))).is_ok());
        assert!(block_on(Store::list(&store, None)).is_ok());
        assert_eq!((patient.asked(), brief.asked()), (1, 1));
    }
}
