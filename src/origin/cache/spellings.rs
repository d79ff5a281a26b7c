//! Names that clients spell differently from the store.

use std::sync::OnceLock;
use std::time::Duration;

use quick_cache::sync::Cache;

use crate::base::{Name, ReadErrorKind};
use crate::origin::read::Access;
use crate::presentation::bare_media_of;

/// The stored names, by the names that were asked for.
#[derive(Debug)]
pub(super) struct Spellings {
    /// Created with the first entry: most stores have one spelling of each name.
    known: OnceLock<Cache<Name, (Duration, Name)>>,
    /// Time for which a stored name is used.
    age: Duration,
}

/// Number of names that are remembered.
const NAMES: usize = 4096;

impl Spellings {
    pub(super) fn new(age: Duration) -> Self {
        Self { known: OnceLock::new(), age }
    }

    /// The stored name, if it was found out recently.
    pub(super) fn known(&self, name: &str, now: Duration) -> Option<Name> {
        let (asked, stored) = self.known.get()?.get(name)?;
        (now.saturating_sub(asked) < self.age).then_some(stored)
    }

    /// Asks the store for the stored name; `None` if it is the name that the client uses.
    /// With `is_bare`, the name may be that of a media file without a server manifest.
    pub(super) async fn stored(
        &self,
        access: &Access,
        name: &Name,
        is_bare: bool,
        now: Duration,
    ) -> Option<Name> {
        if let Some(stored) = self.known(name.as_str(), now) {
            return Some(stored);
        }
        let stored = match access.stored_name(name).await {
            None if is_bare => stored_bare(access, name).await,
            stored => stored,
        };
        let stored = stored.filter(|stored| stored != name)?;
        let known = self.known.get_or_init(|| Cache::new(NAMES));
        known.insert(name.clone(), (now, stored.clone()));
        Some(stored)
    }
}

/// Returns the name of the presentation of a media file, as the store spells the file.
async fn stored_bare(access: &Access, name: &Name) -> Option<Name> {
    let media = bare_media_of(name)?;
    if !name.as_str().ends_with(".ism") {
        // A server manifest may end in `.ISM`.
        let stat = access.stat_of(name).await;
        stat.err().filter(|error| error.kind == ReadErrorKind::Gone)?;
    }
    let media = access.stored_name(&media).await.unwrap_or(media);
    Name::new(&format!("{media}.ism")).ok()
}
