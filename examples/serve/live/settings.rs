//! The `.isml` files below the served folders: each makes a publishing point.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use common::log::{Level, log};
use smooth_origin::base::Limits;
use smooth_origin::live::PointOptions;
use smooth_origin::manifest::PublishingPointFile;
use smooth_origin::{Error, Name};

/// A publishing point that a file makes.
pub(super) struct Setting {
    pub(super) name: Name,
    /// The file, or the reason why it cannot be read.
    pub(super) file: Result<PublishingPointFile, String>,
    path: PathBuf,
}

/// Folders deeper than this are not looked into, as by the list of presentations.
const DEPTH: usize = 8;

/// No more files and folders than these are looked at.
const MAX_ENTRIES: usize = 200_000;

/// Finds the files below folders, each with the beginning of its URLs.
pub(super) fn find(folders: &[(String, PathBuf)]) -> Vec<Setting> {
    let (mut found, mut left) = (Vec::new(), MAX_ENTRIES);
    for (prefix, folder) in folders {
        // The listing reports folders that cannot be read.
        let _ = walk(folder, prefix, DEPTH, &mut left, &mut found);
    }
    found.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
    found
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    left: &mut usize,
    found: &mut Vec<Setting>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        let file = entry.file_name();
        let Some(file) = file.to_str().filter(|file| !file.starts_with('.')) else { continue };
        let (kind, path) = (entry.file_type()?, entry.path());
        if kind.is_dir() {
            if depth > 0 {
                let _ = walk(&path, &format!("{prefix}{file}/"), depth - 1, left, found);
            }
        } else if kind.is_file()
            && file.to_ascii_lowercase().ends_with(".isml")
            && let Ok(name) = Name::new(&format!("{prefix}{file}"))
        {
            found.push(Setting { name, file: read(&path), path });
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<PublishingPointFile, String> {
    let limits = Limits::default();
    let len = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if len > limits.server_manifest {
        return Err(format!("it has {len} bytes, and at most {} are read", limits.server_manifest));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    PublishingPointFile::parse(&bytes, &limits).map_err(|error: Error| error.to_string())
}

impl Setting {
    /// The options of the point: those of all, but for what the file says. `None` if it cannot be read.
    pub(super) fn options(&self, of_each: &PointOptions) -> Option<PointOptions> {
        self.file.as_ref().ok().map(|file| of_each.clone().with_file(file))
    }

    /// Returns the faults of the file, in sentences.
    pub(super) fn faults(&self) -> Vec<String> {
        let shown = self.path.display();
        match &self.file {
            Err(why) => {
                vec![format!("{shown} cannot be read, and makes no publishing point: {why}")]
            }
            Ok(file) => {
                let unread = file.unread();
                unread.map(|name| format!("{shown}: the value of {name} makes no sense")).collect()
            }
        }
    }

    /// Returns a sentence about the settings that change nothing here.
    fn unused(&self) -> Option<String> {
        let file = self.file.as_ref().ok()?;
        let mut names: Vec<_> = PointOptions::unused_settings(file).collect();
        if !file.references.is_empty() {
            names.push("ref");
        }
        let shown = self.path.display();
        (!names.is_empty())
            .then(|| format!("{shown}: these settings change nothing: {}", names.join(", ")))
    }

    /// Tells the log about faults and what changes nothing.
    pub(super) fn tell(&self) {
        for fault in self.faults() {
            log(Level::Error, fault);
        }
        if let Some(unused) = self.unused() {
            log(Level::Warn, unused);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_and_their_faults_are_told() {
        let root = std::env::temp_dir().join(format!("isml-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("events/.hidden")).unwrap();
        let write = |name: &str, text: &str| fs::write(root.join(name), text).unwrap();
        let smil = |metas: &str| format!("<smil><head>{metas}</head><body/></smil>");
        write("events/News.ISML", &smil("<meta name='lookaheadChunks' content='x'/>"));
        write("a.isml", &smil("<meta name='archivePath' content='D:'/>"));
        write("broken.isml", "<smil>");
        write("film.ism", "<smil/>");
        write("events/.hidden/b.isml", "<smil/>");
        let found = find(&[("films/".into(), root.clone())]);
        fs::remove_dir_all(&root).unwrap();
        let names: Vec<_> = found.iter().map(|setting| setting.name.as_str()).collect();
        assert_eq!(names, ["films/a.isml", "films/broken.isml", "films/events/News.ISML"]);
        let of_each = PointOptions::default();
        let made: Vec<_> =
            found.iter().map(|setting| setting.options(&of_each).is_some()).collect();
        assert_eq!(made, [true, false, true]);
        let faults: Vec<_> = found.iter().map(|setting| setting.faults().len()).collect();
        assert_eq!(faults, [0, 1, 1]);
        assert!(found[0].unused().unwrap().ends_with("change nothing: archivePath"));
        assert_eq!(found[2].unused(), None);
    }
}
