//! The origin and its service, as both servers set them up.

use std::path::Path;

use smooth_origin::origin::{self, Event, Origin, OriginBuilder};
use smooth_origin::presentation::OpenOptions;
use smooth_origin::service::{Caching, Cors, PassedFiles, ServiceOptions};
use smooth_origin::storage::{LocalStore, Mounts};

use crate::formats::Format;
use crate::log::{Level, log};
use crate::roots::{Root, Roots};
use crate::{Arguments, Failure, Memory};

/// The origin of these folders.
///
/// # Errors
/// A folder cannot be opened.
pub(crate) fn build(
    roots: &Roots,
    arguments: &Arguments,
    memory: Memory,
) -> Result<Origin, Failure> {
    let mut builder = open_all(roots, arguments)?
        // Opening a large title does not hold up other requests of its worker.
        .offload(|work| drop(tokio::task::spawn_blocking(work)))
        .on_event(|event| log(level(event), event))
        .revalidate_after(arguments.revalidate_after())
        .settling_time(arguments.settling_time)
        .fragment_cache_bytes(memory.fragments);
    if arguments.no_event_streams {
        builder = builder.open_options(OpenOptions::default().without_event_streams());
    }
    if let Some(bytes) = memory.bodies {
        builder = builder.body_bytes(bytes);
    }
    Ok(builder.build())
}

/// The level of an event in the log. That a presentation was opened is said by the list.
fn level(event: &Event<'_>) -> Level {
    match event.level() {
        origin::Level::Error => Level::Error,
        origin::Level::Warn => Level::Warn,
        _ => Level::Debug,
    }
}

/// An origin over one folder, or over several below their prefixes.
fn open_all(roots: &Roots, arguments: &Arguments) -> Result<OriginBuilder, Failure> {
    if let [Root { prefix: None, folder }] = roots.as_slice() {
        return Ok(Origin::builder(open(folder, arguments)?));
    }
    let mut mounts = Mounts::new().ignore_case(!arguments.exact_names);
    for Root { prefix, folder } in roots.as_slice() {
        let store = open(folder, arguments)?;
        mounts = mounts
            .mount(prefix.as_deref().unwrap_or_default(), store)
            .map_err(|error| Failure::Usage(error.to_string()))?;
    }
    Ok(Origin::builder(mounts))
}

/// One folder, as it is served.
fn open(folder: &Path, arguments: &Arguments) -> Result<LocalStore, Failure> {
    let mut store = open_folder(folder)?
        .ignore_case(!arguments.exact_names)
        // A read that waits for the disk does not hold up other requests of its worker.
        .cold_reads(|read| async { tokio::task::spawn_blocking(read).await? });
    for target in &arguments.links_into {
        store = store
            .links_into(target)
            .map_err(|error| Failure::System(format!("links cannot lead into {error}")))?;
    }
    Ok(store)
}

fn open_folder(folder: &Path) -> Result<LocalStore, Failure> {
    LocalStore::new(folder).map_err(|error| {
        let advice = match folder.parent().filter(|_| folder.is_file()) {
            Some(parent) => format!("; name its folder: {}", parent.display()),
            None => String::new(),
        };
        Failure::System(format!("cannot serve the folder {error}{advice}"))
    })
}

/// Every feature of the service is on.
///
/// # Errors
/// A listed origin is none that browsers send.
pub(crate) fn service_options(arguments: &Arguments) -> Result<ServiceOptions, Failure> {
    let caching = match arguments.immutable {
        true => Caching::default().content_never_changes(),
        false => Caching::default(),
    };
    let origins = &arguments.allow_origin;
    let cors = match origins.is_empty() || origins.iter().any(|origin| origin == "*") {
        true => Cors::any(),
        false => Cors::origins(origins).map_err(|error| Failure::Usage(error.to_string()))?,
    };
    let formats = arguments.formats();
    Ok(ServiceOptions::default()
        .smooth(formats.contains(&Format::Smooth))
        .dash(formats.contains(&Format::Dash))
        .hls(formats.contains(&Format::Hls))
        .caching(caching)
        .cors(cors)
        .cross_domain_policies(true)
        .files(PassedFiles::all())
        .text_xml(arguments.text_xml)
        .compression(true))
}
