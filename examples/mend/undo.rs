//! Writing changes so that they can be taken back, whenever the run ends.
//!
//! An undo file, `film.ism.undo` beside the server manifest, first keeps all bytes that are replaced:
//!
//! | Bytes | Meaning |
//! |---|---|
//! | `smooth-origin undo 1\n` | what it is |
//! | 4, and a name | a file, relative to the folder of the server manifest |
//! | 1 | whether it existed |
//! | 8, 8, 8 | first byte that is replaced, number of old bytes from there on, number of new ones |
//! | 8 | XXH3 of the new bytes |
//! | the old bytes | |
//! | 8 | XXH3 of all that the undo file has of this file so far |
//! | ... | the next file |
//! | 4 | 0 |
//! | `done\n` | everything has been written |
//! | `undoing\n` | it is being taken back |
//!
//! Numbers are big-endian. The file has its name only when it is whole and stored.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use smooth_origin::package::mend::Change;
use xxhash_rust::xxh3::Xxh3;

use crate::disk::Disk;

const MAGIC: &[u8] = b"smooth-origin undo 1\n";
const DONE: &[u8] = b"done\n";
const UNDOING: &[u8] = b"undoing\n";
const PART: usize = 1 << 20;

/// How far a run came that left an undo file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was ended in the middle: files may be old, new or between.
    Begun,
    /// All is written.
    Done,
    /// It is being taken back.
    Undoing,
}

/// A file, as an undo file keeps it.
struct Entry {
    name: String,
    existed: bool,
    at: u64,
    old_len: u64,
    new_len: u64,
    new_hash: u64,
    /// Where the old bytes are in the undo file.
    bytes: u64,
}

/// The path of the undo file of a server manifest.
pub(crate) fn path_of(manifest: &Path) -> PathBuf {
    with(manifest, ".undo")
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

/// Keeps what is replaced, then writes the changes to files below `root`.
pub(crate) fn write(disk: &Disk, root: &Path, undo: &Path, changes: &[Change]) -> io::Result<()> {
    let unfinished = with(undo, ".unfinished");
    let mut file = disk.create(&unfinished)?;
    disk.write(&mut file, MAGIC)?;
    for change in changes {
        keep(disk, root, &mut file, change)?;
    }
    disk.write(&mut file, &0_u32.to_be_bytes())?;
    disk.sync(&file)?;
    disk.rename(&unfinished, undo)?;
    for change in changes {
        let path = root.join(change.file.as_str());
        match change.at {
            0 => replace(disk, &path, |file| disk.write(file, &change.bytes))?,
            at => {
                let mut file = disk.open_at(&path, at)?;
                disk.write(&mut file, &change.bytes)?;
                disk.set_len(&file, at + change.bytes.len() as u64)?;
                disk.sync(&file)?;
            }
        }
    }
    disk.append(undo, DONE)
}

fn keep(disk: &Disk, root: &Path, file: &mut File, change: &Change) -> io::Result<()> {
    let name = change.file.as_str().as_bytes();
    let old_len = change.size.map_or(0, |size| size - change.at);
    let mut head = (name.len() as u32).to_be_bytes().to_vec();
    head.extend(name);
    head.push(change.size.is_some().into());
    let hash = xxhash_rust::xxh3::xxh3_64(&change.bytes);
    for number in [change.at, old_len, change.bytes.len() as u64, hash] {
        head.extend(number.to_be_bytes());
    }
    disk.write(file, &head)?;
    let mut hash = Xxh3::new();
    hash.update(&head);
    if change.size.is_some() {
        let mut from = File::open(root.join(change.file.as_str()))?;
        from.seek(SeekFrom::Start(change.at))?;
        each_part(&mut from, old_len, |part| {
            hash.update(part);
            disk.write(file, part)
        })?;
    }
    disk.write(file, &hash.digest().to_be_bytes())
}

/// Gives `each` the next bytes of a file, part by part.
fn each_part(
    from: &mut impl Read,
    mut len: u64,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; PART.min(usize::try_from(len).unwrap_or(PART))];
    while len > 0 {
        let part = &mut buffer[..PART.min(usize::try_from(len).unwrap_or(PART))];
        from.read_exact(part)?;
        each(part)?;
        len -= part.len() as u64;
    }
    Ok(())
}

/// Writes a whole file under another name, then renames it.
fn replace(
    disk: &Disk,
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let unfinished = with(path, ".unfinished");
    let mut file = disk.create(&unfinished)?;
    if let Ok(metadata) = path.metadata() {
        file.set_permissions(metadata.permissions())?;
    }
    write(&mut file)?;
    disk.sync(&file)?;
    disk.rename(&unfinished, path)
}

/// Returns how far the run came that left this undo file; `None` if there is none.
pub(crate) fn state(undo: &Path) -> io::Result<Option<State>> {
    match File::open(undo) {
        Ok(file) => Ok(Some(read(file)?.1)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read(file: File) -> io::Result<(Vec<Entry>, State)> {
    let damaged =
        |what: &str| io::Error::new(ErrorKind::InvalidData, format!("the undo file {what}"));
    let mut file = BufReader::new(file);
    let mut magic = vec![0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(damaged("is of another program or version"));
    }
    let mut entries = Vec::new();
    loop {
        let mut len = [0; 4];
        file.read_exact(&mut len)?;
        let len = u32::from_be_bytes(len);
        if len == 0 {
            break;
        }
        if len > 4096 {
            return Err(damaged("has a name that is too long"));
        }
        let mut name = vec![0; len as usize];
        file.read_exact(&mut name)?;
        let name = String::from_utf8(name).map_err(|_| damaged("has a name that is none"))?;
        // It must not lead anywhere else.
        smooth_origin::Name::new(&name).map_err(|_| damaged("has a name that leads elsewhere"))?;
        let mut existed = [0];
        file.read_exact(&mut existed)?;
        let mut number = || {
            let mut number = [0; 8];
            file.read_exact(&mut number).map(|()| u64::from_be_bytes(number))
        };
        let (at, old_len, new_len, new_hash) = (number()?, number()?, number()?, number()?);
        let bytes = file.stream_position()?;
        let mut hash = Xxh3::new();
        hash.update(&len.to_be_bytes());
        hash.update(name.as_bytes());
        hash.update(&existed);
        for number in [at, old_len, new_len, new_hash] {
            hash.update(&number.to_be_bytes());
        }
        each_part(&mut file, old_len, |part| {
            hash.update(part);
            Ok(())
        })?;
        let mut stored = [0; 8];
        file.read_exact(&mut stored)?;
        if hash.digest() != u64::from_be_bytes(stored) {
            return Err(damaged(&format!("is damaged: the bytes of {name} have another checksum")));
        }
        let existed = existed[0] != 0;
        entries.push(Entry { name, existed, at, old_len, new_len, new_hash, bytes });
    }
    let mut marks = Vec::new();
    file.take(64).read_to_end(&mut marks)?;
    let has = |mark: &[u8]| marks.windows(mark.len()).any(|window| window == mark);
    let state = match (has(UNDOING), has(DONE)) {
        (true, _) => State::Undoing,
        (false, true) => State::Done,
        (false, false) => State::Begun,
    };
    Ok((entries, state))
}

/// Puts everything back as it was, and removes the undo file.
///
/// # Errors
/// [`ErrorKind::InvalidData`] if a file was changed after it had been mended: nothing is put back.
pub(crate) fn restore(disk: &Disk, root: &Path, undo: &Path) -> io::Result<usize> {
    let (entries, state) = read(File::open(undo)?)?;
    if state == State::Done {
        for entry in &entries {
            if !is_as_written(root, entry)? {
                let what = format!("{} was changed after it had been mended", entry.name);
                return Err(io::Error::new(ErrorKind::InvalidData, what));
            }
        }
    }
    if state != State::Undoing {
        disk.append(undo, UNDOING)?;
    }
    let mut from = File::open(undo)?;
    for entry in entries.iter().rev() {
        let path = root.join(&entry.name);
        from.seek(SeekFrom::Start(entry.bytes))?;
        let mut old =
            |file: &mut File| each_part(&mut from, entry.old_len, |part| disk.write(file, part));
        if !entry.existed {
            disk.remove(&path)?;
        } else if entry.at == 0 {
            replace(disk, &path, old)?;
        } else {
            let mut file = disk.open_at(&path, entry.at)?;
            old(&mut file)?;
            disk.set_len(&file, entry.at + entry.old_len)?;
            disk.sync(&file)?;
        }
        disk.remove(&with(&path, ".unfinished"))?;
    }
    disk.remove(&with(undo, ".unfinished"))?;
    disk.remove(undo)?;
    Ok(entries.len())
}

/// Returns whether the end of a file is what was written.
fn is_as_written(root: &Path, entry: &Entry) -> io::Result<bool> {
    let mut file = match File::open(root.join(&entry.name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    if file.metadata()?.len() != entry.at + entry.new_len {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(entry.at))?;
    let mut hash = Xxh3::new();
    each_part(&mut file, entry.new_len, |part| {
        hash.update(part);
        Ok(())
    })?;
    Ok(hash.digest() == entry.new_hash)
}
