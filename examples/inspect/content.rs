//! The sort of a file by its first bytes, whatever its name is.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use smooth_origin::base::Cursor;
use smooth_origin::bmff::Header;

/// Kind of a file, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
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
    /// A text or anything else.
    Other,
}

/// Number of bytes at the start of a text that are looked at.
const START: u64 = 4096;

/// More boxes at the top of a file are not looked at: a film of a day with ten tracks has fewer.
const MAX_BOXES: usize = 1_000_000;

impl Content {
    /// Returns the sort of a file; `None` if it is no regular file or cannot be read.
    pub(crate) fn of(path: &Path) -> Option<Self> {
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
            _ => Self::Other,
        })
    }
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
        Some(Self { file: open(path)?, at: Some(0), left: MAX_BOXES })
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
