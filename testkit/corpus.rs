//! Files of a folder, and the boxes that a file is made of: for the tests that read real media.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use smooth_origin::base::Cursor;
use smooth_origin::bmff::Header;

/// Name (below `root`) and content of every file that ends in one of these, in order of name.
pub fn files(root: &Path, endings: &[&str]) -> Vec<(String, Bytes)> {
    let mut found = Vec::new();
    collect(root, root, endings, &mut found);
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, endings: &[&str], found: &mut Vec<(String, Bytes)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, endings, found);
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push((name, fs::read(path).unwrap().into()));
        }
    }
}

/// Offset, type and bytes of each box of a file, header included.
pub fn top_level(file: &Bytes) -> Vec<(u64, [u8; 4], Bytes)> {
    let mut boxes = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let left = file.slice(at..);
        let header = Header::parse(&mut Cursor::new(&left, at as u64)).unwrap();
        let len = header.total().map_or(left.len(), |len| len as usize);
        boxes.push((at as u64, header.kind.0, left.slice(..len)));
        at += len;
    }
    boxes
}

/// The boxes of one type, with their offsets.
pub fn all(file: &Bytes, kind: &[u8; 4]) -> Vec<(u64, Bytes)> {
    let boxes = top_level(file).into_iter().filter(|(_, found, _)| found == kind);
    boxes.map(|(offset, _, bytes)| (offset, bytes)).collect()
}
