//! The origin and its service, as both servers set them up.

use std::io;
use std::path::Path;

use smooth_origin::origin::Origin;
use smooth_origin::service::{Caching, Cors, PassedFiles, ServiceOptions};
use smooth_origin::storage::LocalStore;

use crate::roots::{Root, Roots};
use crate::{Arguments, Failure, Memory};

/// The origin of these folders.
///
/// # Errors
/// Where a folder cannot be opened.
pub(crate) fn build(
    roots: &Roots,
    arguments: &Arguments,
    memory: Memory,
) -> Result<Origin, Failure> {
    let mut builder = Origin::builder(store(roots)?)
        .revalidate_after(arguments.revalidate_after())
        .fragment_cache_bytes(memory.fragments);
    if let Some(bytes) = memory.bodies {
        builder = builder.body_bytes(bytes);
    }
    Ok(builder.build())
}

/// The store of all folders.
fn store(roots: &Roots) -> Result<LocalStore, Failure> {
    match roots.as_slice() {
        [Root { prefix: None, folder }] => open(folder),
        _ => Err(Failure::Usage(
            "folders under a prefix cannot be served yet: name one folder, without a prefix".into(),
        )),
    }
}

fn open(folder: &Path) -> Result<LocalStore, Failure> {
    local(folder).map_err(|error| {
        let advice = match folder.parent().filter(|_| folder.is_file()) {
            Some(parent) => format!("; name its folder: {}", parent.display()),
            None => String::new(),
        };
        let what = format!("cannot serve the folder {}", folder.display());
        Failure::system(what, format_args!("{error}{advice}"))
    })
}

/// One folder, as it is served.
fn local(folder: &Path) -> io::Result<LocalStore> {
    // A read that waits for the disk does not hold up other requests of its worker.
    Ok(LocalStore::new(folder)?
        .cold_reads(|read| async { tokio::task::spawn_blocking(read).await? }))
}

/// Every feature of the service is on.
pub(crate) fn service_options(arguments: &Arguments) -> ServiceOptions {
    let caching = match arguments.immutable {
        true => Caching::default().content_never_changes(),
        false => Caching::default(),
    };
    let origins = &arguments.allow_origin;
    let cors = match origins.is_empty() || origins.iter().any(|origin| origin == "*") {
        true => Cors::any(),
        false => Cors::origins(origins.iter().cloned()),
    };
    ServiceOptions::default()
        .caching(caching)
        .cors(cors)
        .cross_domain_policies(true)
        .files(PassedFiles::all())
        .text_xml(arguments.text_xml)
        .compression(true)
}
