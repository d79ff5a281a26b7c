//! The kind of a file by its first bytes, whatever its name is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use smooth_origin::base::Cursor;
use smooth_origin::bmff::Header;

use crate::other_file::is_server_manifest;

/// Kind of a file, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// No bytes.
    Empty,
    /// Boxes of ISO base media.
    Mp4 {
        /// The file has a `moof`.
        is_fragmented: bool,
    },
    /// An MPD of DASH.
    Mpd,
    /// A playlist of HLS.
    Playlist,
    /// A client manifest of Smooth Streaming.
    ClientManifest,
    /// A page in HTML.
    Html,
    /// A text or anything else.
    Other,
}

/// Number of bytes at the start of a text that are looked at.
const START: u64 = 4096;

/// More boxes at the top of a file are not looked at: a film of a day with ten tracks has fewer.
const MAX_BOXES: usize = 1_000_000;

/// [`MAX_BOXES`] for files that have the name of a server manifest, of which a folder may have very many.
const MAX_BOXES_OF_MISNAMED: usize = 1000;

impl FileKind {
    /// Returns the kind of a file; `None` if it is no regular file or cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let mut start = Vec::new();
        open(path)?.take(START).read_to_end(&mut start).ok()?;
        if start.is_empty() {
            return Some(Self::Empty);
        }
        if let Some(is_fragmented) = boxes(path) {
            return Some(Self::Mp4 { is_fragmented });
        }
        // UTF-16 has a NUL byte in each ASCII character.
        start.retain(|byte| *byte != 0);
        let text = String::from_utf8_lossy(&start);
        let text = text.trim_start_matches(|c: char| !c.is_ascii() || c.is_whitespace());
        Some(match text {
            _ if text.starts_with("#EXTM3U") => Self::Playlist,
            _ if text.contains("<MPD") => Self::Mpd,
            _ if text.contains("<SmoothStreamingMedia") => Self::ClientManifest,
            _ if is_html(text) => Self::Html,
            _ => Self::Other,
        })
    }
}

/// Returns whether a text begins as pages in HTML do, behind comments and the declaration of XML.
fn is_html(mut text: &str) -> bool {
    loop {
        text = text.trim_start();
        let end = match text {
            _ if text.starts_with("<!--") => "-->",
            _ if text.starts_with("<?") => "?>",
            _ => break,
        };
        let Some((_, rest)) = text.split_once(end) else { return false };
        text = rest;
    }
    let begins = |with: &str| {
        text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
            && text[with.len()..].starts_with([' ', '>', '/', '\t', '\n', '\r'])
    };
    begins("<!doctype html") || begins("<html") || begins("<head")
}

/// A regular file, opened: others may wait for a writer.
pub(crate) fn open(path: &Path) -> Option<File> {
    path.metadata().ok().filter(|metadata| metadata.is_file())?;
    File::open(path).ok()
}

/// Looks at the boxes at the top of a file, up to its first `moof`, and returns whether it has one. `None`
/// where it does not begin with one that ISO base media files begin with (ISO/IEC 14496-12, 4.3).
fn boxes(path: &Path) -> Option<bool> {
    let mut boxes = Boxes::of(path)?;
    let firsts = [b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide"];
    let first = boxes.next()?;
    if !firsts.iter().any(|known| first.kind == **known) {
        return None;
    }
    let mut all = std::iter::once(first).chain(boxes);
    Some(all.any(|header| header.kind == *b"moof"))
}

/// Returns the offset of the box within which a file of ISO base media ends before its time.
pub(crate) fn cut_off_in(path: &Path) -> Option<u64> {
    let length = open(path)?.metadata().ok()?.len();
    let mut boxes = Boxes::of(path)?;
    // The end of the boxes that are whole.
    let mut end = 0_u64;
    for header in boxes.by_ref() {
        // A box without a size goes to the end of the file.
        match end.checked_add(header.total()?) {
            Some(next) if next <= length => end = next,
            _ => return Some(end),
        }
    }
    (end > 0 && end < length && boxes.left > 0).then_some(end)
}

/// The headers of the boxes at the top of a file.
struct Boxes {
    file: File,
    at: Option<u64>,
    left: usize,
}

impl Boxes {
    fn of(path: &Path) -> Option<Self> {
        let left = match is_server_manifest(path) {
            true => MAX_BOXES_OF_MISNAMED,
            false => MAX_BOXES,
        };
        Some(Self { file: open(path)?, at: Some(0), left })
    }
}

impl Iterator for Boxes {
    type Item = Header;

    fn next(&mut self) -> Option<Header> {
        let at = self.at.take()?;
        self.left = self.left.checked_sub(1)?;
        let mut start = Vec::new();
        self.file.seek(SeekFrom::Start(at)).ok()?;
        self.file.by_ref().take(32).read_to_end(&mut start).ok()?;
        let header = Header::parse(&mut Cursor::new(&start.into(), at)).ok()?;
        self.at = header.total().and_then(|total| at.checked_add(total));
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_known_by_their_beginning() {
        for text in [
            "<!DOCTYPE html><title>x</title>",
            "  \n<html lang='en'>",
            "<?xml version='1.0'?><!-- x --><html>",
            "<!-- saved from -->\n<!doctype HTML PUBLIC \"x\">",
            "<head>",
        ] {
            assert!(is_html(text), "{text}");
        }
        for text in ["", "<", "<!--", "<smil>", "<htmlx>", "<!doctype smil>", "<header>", "é<html>"]
        {
            assert!(!is_html(text), "{text}");
        }
    }
}
