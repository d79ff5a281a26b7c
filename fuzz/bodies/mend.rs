//! Mending ends; it keeps every byte in front of the end of what is whole; and what was mended needs no
//! mending.

use smooth_origin::base::{ErrorGroup, Name};
use smooth_origin::package::mend::{ChangeKind, MendOptions, Mending, mend as step};

use super::container::Container;
use super::opening::{Files, drive, limits};

/// Batches of a mending: each walk takes one a read.
const BATCHES: usize = 4096;

/// Mends the files of an input twice.
pub(super) fn mend(container: &Container) {
    if !container.failing.is_empty() || container.manifest.is_some() {
        return;
    }
    let Some(mending) = plan(container) else { return };
    let mut after = container.clone();
    for change in mending.changes() {
        let is_text =
            matches!(change.kind, ChangeKind::ClientManifest | ChangeKind::ServerManifest);
        assert_eq!(change.at == 0, is_text, "{change:?}");
        let size = container.file(change.file.as_str()).map(|bytes| bytes.len() as u64);
        assert_eq!(size, change.size, "{change:?}");
        assert!(change.at <= size.unwrap_or(0), "{change:?}");
        let file = match change.file.as_str() {
            "film.ism" => &mut after.server,
            "film.ismc" => after.client.get_or_insert_default(),
            "1.ismv" => after.media[0].get_or_insert_default(),
            "2.ismv" => after.media[1].get_or_insert_default(),
            "3.ismv" => after.media[2].get_or_insert_default(),
            // A client manifest of another name has no place here.
            _ => return,
        };
        file.truncate(change.at as usize);
        file.extend(&change.bytes);
    }
    if !mending.changes().is_empty() {
        let again = plan(&after).expect("it was mended");
        assert!(again.changes().is_empty(), "{mending:#?}\n{again:#?}");
    }
}

fn plan(container: &Container) -> Option<Mending> {
    let files = Files::new(container.clone());
    let mut options = MendOptions::default();
    options.limits = limits();
    options.media = ["1.ismv", "2.ismv", "3.ismv"].map(|name| Name::new(name).unwrap()).to_vec();
    match drive(step(Name::new("film.ism").unwrap(), options), BATCHES, |want| files.get(want)) {
        Ok(mending) => Some(mending),
        Err(error) => {
            assert_ne!(error.kind.group(), ErrorGroup::Misuse, "{error}");
            None
        }
    }
}
