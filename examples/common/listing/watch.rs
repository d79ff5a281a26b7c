//! Notices that a served folder is gone, as when a disk is not mounted any more, and that it is back.

use std::path::PathBuf;

use crate::log::{Level, log};
use crate::roots::Roots;

/// The served folders, and whether they are there.
pub(super) struct Watch(Vec<Folder>);

struct Folder {
    path: PathBuf,
    is_gone: bool,
}

impl Watch {
    pub(super) fn new(roots: &Roots) -> Self {
        let paths = roots.as_slice().iter().map(|root| root.folder.clone());
        Self(paths.map(|path| Folder { path, is_gone: false }).collect())
    }

    /// Logs each change since the last call.
    pub(super) fn look(&mut self) {
        for folder in &mut self.0 {
            let is_gone = !folder.path.is_dir();
            if is_gone == std::mem::replace(&mut folder.is_gone, is_gone) {
                continue;
            }
            let path = folder.path.display();
            match is_gone {
                true => log(
                    Level::Error,
                    format_args!(
                        "the folder {path} is gone: what is open stays served, other requests are \
                         answered with 503; put it back, or mount its disk again"
                    ),
                ),
                false => log(Level::Info, format_args!("the folder {path} is back")),
            }
        }
    }
}
