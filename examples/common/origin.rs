//! The origin, as both servers set it up.

use std::path::Path;

use smooth_origin::origin::{LivePoints, Origin, OriginBuilder};
use smooth_origin::storage::{AnyStore, IndexFolder, LocalStore, Mounts, Store};

use crate::place::Place;
use crate::roots::{Root, Roots};
use crate::{Arguments, Failure, Memory, Trouble, cache_folder};

/// The origin of these folders. Its events are lines of the log, its numbers are metrics if a recorder
/// was installed before.
///
/// # Errors
/// A folder cannot be opened.
pub(crate) fn build(
    roots: &Roots,
    arguments: &Arguments,
    memory: Memory,
    live: Option<LivePoints>,
) -> Result<Origin, Failure> {
    let builder = builder(roots, arguments, memory)?;
    let builder = match live {
        Some(points) => builder.live(points),
        None => builder,
    };
    let builder = match arguments.origin.index_folder() {
        Some(folder) => {
            cache_folder::check(folder, "--index-folder")?;
            builder.index_store(IndexFolder::new(folder))
        }
        None => builder,
    };
    let builder = builder.read_ahead(arguments.stores.read_ahead, |read| {
        // A read that nobody can run is left out.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(read));
        }
    });
    Ok(builder.trace_events().record_metrics("main").build())
}

/// The builder of the origin of these folders, without a log, and without the index files of the server: it
/// writes nothing.
///
/// # Errors
/// A folder cannot be opened.
pub(crate) fn builder(
    roots: &Roots,
    arguments: &Arguments,
    memory: Memory,
) -> Result<OriginBuilder, Failure> {
    let opened = open_all(roots, arguments)?;
    // Each read of a store is a round trip. Folders beside a store are then read in the same way: it costs
    // them memory within the same bounds, and no time.
    let opened = if roots.has_stores() { opened.remote_store() } else { opened };
    let mut builder = arguments
        .origin
        .apply(opened)
        // Opening a large title does not hold up other requests of its worker.
        .offload(|work| drop(tokio::task::spawn_blocking(work)))
        .fragment_cache_bytes(memory.fragments);
    if let Some(bytes) = memory.bodies {
        builder = builder.body_bytes(bytes);
    }
    Ok(builder)
}

/// An origin over one folder or store, or over several below their prefixes.
fn open_all(roots: &Roots, arguments: &Arguments) -> Result<OriginBuilder, Failure> {
    match (roots.as_slice(), roots.has_stores()) {
        ([Root { prefix: None, place: Place::Folder(folder) }], _) => {
            Ok(Origin::builder(open(folder, arguments)?))
        }
        (all, false) => {
            mounted(all, arguments, |root| open(root.folder().unwrap_or(Path::new("")), arguments))
        }
        ([root @ Root { prefix: None, .. }], true) => {
            Ok(Origin::builder(open_any(root, arguments)?))
        }
        (all, true) => mounted(all, arguments, |root| open_any(root, arguments)),
    }
}

/// An origin over several, each below its prefix.
fn mounted<S: Store>(
    roots: &[Root],
    arguments: &Arguments,
    open: impl Fn(&Root) -> Result<S, Failure>,
) -> Result<OriginBuilder, Failure> {
    let mut mounts = Mounts::new().ignore_case(!arguments.exact_names);
    for root in roots {
        mounts = mounts
            .mount(root.prefix.as_deref().unwrap_or_default(), open(root)?)
            .map_err(|error| Failure::Usage(error.to_string()))?;
    }
    Ok(Origin::builder(mounts))
}

/// A folder or a store.
fn open_any(root: &Root, arguments: &Arguments) -> Result<AnyStore, Failure> {
    match &root.place {
        Place::Folder(folder) => Ok(AnyStore::new(open(folder, arguments)?)),
        #[cfg(feature = "remote")]
        Place::Store(url) => {
            crate::stores::open(url, &arguments.store_options(), arguments.exact_names)
        }
        #[cfg(not(feature = "remote"))]
        Place::Store(url) => Err(Failure::Usage(format!("this program has no store as {url}"))),
    }
}

/// One folder, as it is served.
fn open(folder: &Path, arguments: &Arguments) -> Result<LocalStore, Failure> {
    let mut store = open_folder(folder)?
        .ignore_case(!arguments.exact_names)
        // A read that waits for the disk does not hold up other requests of its worker.
        .cold_reads(|read| async { tokio::task::spawn_blocking(read).await? });
    for target in &arguments.links_into {
        store = store.links_into(target).map_err(|error| {
            let what = format!("links cannot lead into {}", target.display());
            Failure::system(what, Trouble::of(target, &error))
        })?;
    }
    Ok(store)
}

fn open_folder(folder: &Path) -> Result<LocalStore, Failure> {
    LocalStore::new(folder).map_err(|error| {
        Failure::system(
            format_args!("cannot serve the folder {}", folder.display()),
            Trouble::of(folder, &error),
        )
    })
}
