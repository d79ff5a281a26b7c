//! Notices that a served folder is gone, as when a disk is not mounted any more, and that it is back.

use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use crate::log::{Level, log};
use crate::roots::Roots;

/// Time between two looks.
const LOOK_EACH: Duration = Duration::from_secs(10);

/// A thread that looks at the served folders themselves, whatever is listed. It ends when this is dropped.
pub(super) struct Watch(SyncSender<()>);

/// The served folders, and whether they are there.
struct Folders(Vec<Folder>);

struct Folder {
    path: PathBuf,
    is_gone: bool,
}

impl Watch {
    pub(super) fn start(roots: &Roots) -> Self {
        // One waiting look is enough.
        let (now, asked) = sync_channel(1);
        let mut folders = Folders::new(roots);
        let watch = move || {
            loop {
                match asked.recv_timeout(LOOK_EACH) {
                    Ok(()) | Err(RecvTimeoutError::Timeout) => folders.look(),
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("watch".into()).spawn(watch) {
            log(
                Level::Error,
                format_args!("nobody will notice that a served folder is gone: {error}"),
            );
        }
        Self(now)
    }

    /// Looks soon.
    pub(super) fn look(&self) {
        let _ = self.0.try_send(());
    }
}

impl Folders {
    fn new(roots: &Roots) -> Self {
        let paths = roots.only_folders().map(PathBuf::from);
        Self(paths.map(|path| Folder { path, is_gone: false }).collect())
    }

    /// Logs each change since the last call.
    fn look(&mut self) {
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
                        "the folder {path} is gone: if it was renamed, its files are served from where \
                         they are now; if not, what is open stays served, and other requests get 503; \
                         /readyz answers 503 until it is back: rename it back, mount its disk again, or \
                         name another folder in the configuration and reload"
                    ),
                ),
                false => {
                    log(Level::Info, format_args!("the folder {path} is back, and served again"))
                }
            }
        }
    }
}
