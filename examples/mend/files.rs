//! The files of a presentation on disk.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use common::{Failure, Trouble};
use smooth_origin::base::{FileEnds, Got, Name, ReadError, ReadErrorKind, Want};

/// Endings of the names of media.
const MEDIA: [&str; 5] = ["ismv", "isma", "ismt", "mp4", "cmfv"];

/// The presentation that is named: its folder, its server manifest, and media that may belong to it.
pub(crate) struct Target {
    pub(crate) root: PathBuf,
    pub(crate) manifest: Name,
    pub(crate) media: Vec<Name>,
}

impl Target {
    /// Finds what a path names: a server manifest, a media file, or a folder.
    pub(crate) fn of(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let unreadable = |error: io::Error| {
            Failure::System(format!("{shown} cannot be read: {}", Trouble::of(path, &error)))
        };
        let unnamed = || Failure::Usage(format!("{shown}: give a name in UTF-8 that ends in .ism"));
        if path.is_dir() {
            let names = names(path).map_err(unreadable)?;
            let manifests: Vec<&String> =
                names.iter().filter(|name| has_end(name, &["ism"])).collect();
            let all = || names.iter().filter(|name| has_end(name, &MEDIA));
            let manifest = match manifests[..] {
                [one] => one.clone(),
                [] => match all().next() {
                    Some(media) => format!("{}.ism", stem(media)),
                    None => {
                        return Err(Failure::System(format!("{shown} has no .ism and no media")));
                    }
                },
                _ => {
                    return Err(Failure::Usage(format!(
                        "{shown} has {} presentations: name one, such as {}",
                        manifests.len(),
                        path.join(manifests[0]).display()
                    )));
                }
            };
            let media = all().filter_map(|name| Name::new(name).ok()).collect();
            let manifest = Name::new(&manifest).map_err(|_| unnamed())?;
            return Ok(Self { root: path.to_owned(), manifest, media });
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let root = folder.unwrap_or(Path::new(".")).to_owned();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(unnamed)?;
        let is_media = has_end(name, &MEDIA);
        if !is_media && !has_end(name, &["ism"]) {
            return Err(Failure::Usage(format!(
                "{shown}: give an .ism, a media file (.ismv, .isma, .ismt, .mp4), or a folder"
            )));
        }
        if is_media {
            // Its folder must have it.
            path.metadata().map_err(unreadable)?;
        }
        let (beginning, others) = (stem(name), names(&root).map_err(unreadable)?);
        let manifest = if is_media { format!("{beginning}.ism") } else { name.to_owned() };
        if is_media
            && !others.contains(&manifest)
            && let Some(other) = others.iter().find(|name| has_end(name, &["ism"]))
        {
            return Err(Failure::Usage(format!(
                "{shown} may belong to {}: name that; or name {}, to have one made",
                root.join(other).display(),
                root.join(manifest).display()
            )));
        }
        // `film_720.ismv` and `film-en.isma` are of `film.ism`, and `film2.ismv` is not.
        let is_candidate = |other: &&String| {
            let rest = other.strip_prefix(beginning).unwrap_or("x");
            has_end(other, &MEDIA) && rest.starts_with(|c: char| !c.is_alphanumeric())
        };
        let media = others.iter().filter(is_candidate);
        let media = media.filter_map(|name| Name::new(name).ok()).collect();
        let manifest = Name::new(&manifest).map_err(|_| unnamed())?;
        Ok(Self { root, manifest, media })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.root.join(self.manifest.as_str())
    }
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn has_end(name: &str, ends: &[&str]) -> bool {
    let is_end = |end: &str| ends.iter().any(|known| known.eq_ignore_ascii_case(end));
    name.rsplit_once('.').is_some_and(|(_, end)| is_end(end))
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir()? {
        names.extend(entry?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

/// Files that were opened, by number.
pub(crate) struct Files {
    root: PathBuf,
    opened: Vec<Option<(Name, File, Metadata)>>,
}

/// A file that was written less long ago may be written still.
const RECENT: Duration = Duration::from_secs(10);

impl Files {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), opened: Vec::new() }
    }

    pub(crate) fn get(&mut self, want: &Want) -> Result<Got, ReadError> {
        match want {
            Want::Open { file, name, head, tail } => {
                let path = self.root.join(name.as_str());
                // Opening a pipe would wait for its writer.
                let metadata = path.metadata().map_err(failed)?;
                if !metadata.is_file() {
                    return Err(ReadError::new(ReadErrorKind::Gone));
                }
                let of = File::open(&path).map_err(failed)?;
                let metadata = of.metadata().map_err(failed)?;
                let size = metadata.len();
                let first = read(&of, 0, size.min(*head))?;
                let last = size.min(*tail);
                let last = read(&of, size - last, last)?;
                let at = file.index();
                self.opened.resize_with(self.opened.len().max(at + 1), || None);
                self.opened[at] = Some((name.clone(), of, metadata));
                Ok(Got::Opened(FileEnds::new(size, first.into(), last.into())))
            }
            Want::Range { file, range } => match self.opened.get(file.index()) {
                Some(Some((_, of, _))) => {
                    Ok(Got::Range(read(of, range.start, range.end - range.start)?.into()))
                }
                _ => Err(ReadError::new(ReadErrorKind::Gone)),
            },
            Want::List { .. } => Ok(Got::Listed(None)),
            _ => Err(ReadError::new(ReadErrorKind::Gone)),
        }
    }

    /// Checks that no file was written while it was read, and none a moment before.
    pub(crate) fn check_at_rest(&self, even_if_recent: bool) -> Result<(), Failure> {
        for (name, _, before) in self.opened.iter().flatten() {
            let path = self.root.join(name.as_str());
            let shown = path.display();
            let state = |of: &Metadata| (of.len(), of.modified().ok());
            if path.metadata().map_or(true, |now| state(&now) != state(before)) {
                return Err(Failure::System(format!(
                    "{shown} was changed meanwhile: mend it when its recording or its copy has ended"
                )));
            }
            let age =
                before.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
            if !even_if_recent && age.is_none_or(|age| age < RECENT) {
                return Err(Failure::System(format!(
                    "{shown} was written a moment ago, and may be written still: wait {} seconds, or \
                     give --even-if-recent if nothing writes it",
                    RECENT.as_secs()
                )));
            }
        }
        Ok(())
    }
}

fn failed(error: io::Error) -> ReadError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadErrorKind::Gone,
        _ => ReadErrorKind::Transient,
    };
    let mut failed = ReadError::new(kind);
    failed.source = Some(Arc::new(error));
    failed
}

/// Reads so many bytes from an offset on. The budgets of the library bound them.
fn read(mut file: &File, from: u64, len: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    file.seek(SeekFrom::Start(from)).map_err(failed)?;
    file.read_exact(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
