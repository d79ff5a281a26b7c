//! Files that are media because a server manifest beside them names them.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quick_cache::sync::Cache;

use super::offload::{SMALL, give_way};
use super::read::{Access, Patience};
use crate::base::{Limits, Name, ReadErrorKind};
use crate::manifest::ServerManifest;
use crate::storage::spelling::folded;
use crate::storage::{Ends, Opening};

/// The files that the server manifests of each folder name, for folders that were asked about.
#[derive(Debug)]
pub(super) struct NamedMedia {
    /// Created when the first file is read, because most origins are never asked for such a file.
    folders: OnceLock<Cache<Option<Name>, (Duration, Named)>>,
    /// Time for which an entry is used.
    age: Duration,
}

/// The files that the server manifests of one folder name.
#[derive(Clone, Debug, Default)]
struct Named {
    /// Folded names: a store may ignore how names are spelled.
    files: Arc<HashSet<String>>,
    /// Set if there is a manifest that cannot be read, or the folder cannot be listed.
    perhaps_more: bool,
}

/// Number of folders that are remembered.
const FOLDERS: usize = 1024;

/// Largest number of server manifests in one folder that are read.
const MANIFESTS: usize = 1024;

/// Number of folders, from that of the file upwards, whose manifests are read. A `src` seldom names
/// a folder at all.
const LEVELS: usize = 4;

impl NamedMedia {
    pub(super) fn new(age: Duration) -> Self {
        Self { folders: OnceLock::new(), age }
    }

    /// Returns whether a server manifest in the file's folder, or in one above, names the file. Also
    /// `true` if that is not known of its own folder.
    pub(super) async fn has(&self, file: &Name, access: &Access, limits: &Limits) -> bool {
        let key = folded(file.as_str());
        let mut folder = file.folder();
        if let Some(asked) = &folder {
            // The folder is read once, however many spellings of its name clients use.
            folder = access.stored_name(asked).await.or(folder);
        }
        let patience = Patience::default();
        for level in 0..LEVELS {
            let named = self.of_folder(&folder, access, limits, &patience).await;
            if named.files.contains(&*key) || level == 0 && named.perhaps_more {
                return true;
            }
            match folder {
                Some(below) => folder = below.folder(),
                None => return false,
            }
        }
        false
    }

    async fn of_folder(
        &self,
        folder: &Option<Name>,
        access: &Access,
        limits: &Limits,
        patience: &Patience,
    ) -> Named {
        let now = access.host.clock.now();
        let folders = self.folders.get_or_init(|| Cache::new(FOLDERS));
        if let Some((read, named)) = folders.get(folder)
            && now.saturating_sub(read) < self.age
        {
            return named;
        }
        let named = read_folder(folder.as_ref(), access, limits, patience).await;
        folders.insert(folder.clone(), (now, named.clone()));
        named
    }
}

/// Reads the server manifests of a folder.
async fn read_folder(
    folder: Option<&Name>,
    access: &Access,
    limits: &Limits,
    patience: &Patience,
) -> Named {
    let unknown = Named { perhaps_more: true, ..Named::default() };
    let manifests: Vec<_> = match access.list(folder).await {
        Ok(names) => names.into_iter().filter(is_server_manifest).collect(),
        Err(error) if error.kind == ReadErrorKind::Gone => return Named::default(),
        Err(_) => return unknown,
    };
    if manifests.len() > MANIFESTS {
        return unknown;
    }
    let (mut files, mut perhaps_more) = (HashSet::new(), false);
    let mut parsed = 0;
    for name in manifests {
        // Many small manifests take as long as a large one.
        if parsed > SMALL {
            give_way().await;
            parsed = 0;
        }
        let Some(manifest) = read_manifest(&name, access, limits, patience, &mut parsed).await
        else {
            perhaps_more = true;
            continue;
        };
        let named = manifest.tracks.iter().filter_map(|track| track.src());
        let named = named.chain(manifest.client_manifest());
        // A reference that leaves the root is not opened by the presentation either.
        let both = |src| [name.beside(src).ok(), name.beside_otherwise(src)];
        let named = named.flat_map(both).flatten();
        files.extend(named.map(|name| folded(name.as_str()).into_owned()));
    }
    Named { files: Arc::new(files), perhaps_more }
}

/// Reads a server manifest, and adds its bytes to `parsed`.
async fn read_manifest(
    name: &Name,
    access: &Access,
    limits: &Limits,
    patience: &Patience,
    parsed: &mut u64,
) -> Option<ServerManifest> {
    let ends = Ends::new(limits.server_manifest, 0);
    let Opening { source, stat, head, .. } = access.open(name, ends, patience).await.ok()?;
    if stat.size > limits.server_manifest {
        return None;
    }
    *parsed += stat.size;
    let text = match head {
        Some(whole) => whole,
        None => access.read(&source, 0..stat.size).await.ok()?,
    };
    if stat.size <= SMALL {
        return ServerManifest::parse(&text, limits).ok();
    }
    let limits = limits.clone();
    let parse = move || ServerManifest::parse(&text, &limits).ok();
    access.host.offload.run(parse).await.ok()?
}

fn is_server_manifest(name: &Name) -> bool {
    let name = name.file_name().to_ascii_lowercase();
    name.ends_with(".ism") || name.ends_with(".isml")
}
