//! The archive of what encoders push.

use std::fs;
use std::io;
use std::path::Path;

use common::Failure;
use smooth_origin::Name;
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{LiveOptions, LivePoints};
use smooth_origin::storage::LocalArchive;

/// Makes publishing points with an archive in a folder, and those that the archive knows.
///
/// # Errors
/// The folder cannot be used, or has an event that cannot go on.
pub(super) async fn recovered(
    folder: &Path,
    options: LiveOptions,
    of_each: &PointOptions,
) -> Result<LivePoints, Failure> {
    let failed = |error: io::Error| Failure::system("--live-archive cannot be used", error);
    let archive = LocalArchive::new(folder).map_err(failed)?.offload(|write| {
        tokio::task::spawn_blocking(write);
    });
    let points = LivePoints::new(options.archive(archive));
    let mut names = Vec::new();
    find_points(folder, "", DEPTH, &mut names).map_err(failed)?;
    for name in names {
        let recovered = points.recover(name.clone(), of_each.clone()).await;
        recovered.map_err(|error| {
            let why = format!("{name}: {error}; move its .journal away to begin without the event");
            failed(io::Error::other(why))
        })?;
    }
    Ok(points)
}

/// Folders below the archive that may have publishing points.
const DEPTH: u32 = 8;

/// Finds the publishing points that have a journal.
fn find_points(folder: &Path, prefix: &str, depth: u32, names: &mut Vec<Name>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name();
        let Some(file) = file.to_str() else { continue };
        let path = format!("{prefix}{file}");
        if entry.file_type()?.is_dir() {
            if depth > 0 {
                find_points(&entry.path(), &format!("{path}/"), depth - 1, names)?;
            }
        } else if let Some(stem) = path.strip_suffix(".journal") {
            names.extend(Name::new(&format!("{stem}.isml")));
        }
    }
    Ok(())
}
