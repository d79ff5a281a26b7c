//! Links that are not followed: where each leads, and what serves what is behind it.

use std::path::{Path, PathBuf};

use crate::Trouble;

/// Explains why the way to a file or folder below a served folder is not followed. `None` if no link is in
/// the way.
pub fn explain(root: &Path, path: &Path) -> Option<Trouble> {
    let below = path.strip_prefix(root).ok()?;
    let mut link = root.to_owned();
    below.components().find_map(|part| {
        link.push(part);
        let is_link = link.symlink_metadata().is_ok_and(|about| about.is_symlink());
        is_link.then(|| of_link(root, &link, link == path)).flatten()
    })
}

/// Explains one link; `None` if it is followed.
fn of_link(root: &Path, link: &Path, is_last: bool) -> Option<Trouble> {
    let it = match is_last {
        true => "it is".to_owned(),
        false => format!("its folder {} is", link.display()),
    };
    let folder = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    let own = folder.canonicalize().unwrap_or_else(|_| root.to_owned());
    let target = match link.canonicalize() {
        Ok(target) => target,
        Err(error) => {
            let Trouble { reason, advice } = Trouble::of(link, &error);
            let reason = match is_last {
                true => reason,
                false => format!("{}: {reason}", link.display()),
            };
            return Some(Trouble { reason, advice });
        }
    };
    let shown = target.display();
    if target.starts_with(&own) {
        let is_relative = link.read_link().is_ok_and(|text| text.is_relative());
        return (!is_relative).then(|| {
            Trouble::advised(
                format!(
                    "{it} an absolute link, which is not followed, although it stays in the folder"
                ),
                format!(
                    "make it relative (`ln -sfnr {shown} {}`), or let `serve` follow it with \
                     `--links-into {}`",
                    link.display(),
                    own.display()
                ),
            )
        });
    }
    let folder = match target.is_dir() {
        true => Some(target.clone()),
        false => target.parent().filter(|_| target.is_file()).map(PathBuf::from),
    };
    Some(match folder {
        Some(folder) => Trouble::advised(
            format!("{it} a link that leads out of the folder, to {shown}, so it is not followed"),
            format!(
                "let `serve` follow it with `--links-into {}`, or put the files themselves there",
                folder.display()
            ),
        ),
        None => Trouble::advised(
            format!("{it} a link to {shown}, which is neither a file nor a folder"),
            "put a file in its place",
        ),
    })
}
