//! Reading the outermost boxes of a fragment or a file, and no media.

use bytes::{Bytes, BytesMut};
use smooth_origin::base::{Cursor, Error};
use smooth_origin::bmff::Header;
use smooth_origin::origin::Served;

/// A file that can be read in ranges.
pub(super) struct Stored {
    served: Served,
    size: u64,
}

/// The part of a file whose boxes are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The fragment that starts at a byte: up to the end of its `mdat`.
    Fragment {
        /// First byte of its `moof`.
        start: u64,
    },
    /// The boxes before the first fragment, and the index at the end.
    Ends,
}

/// An outermost box.
pub(super) struct Top {
    /// First byte in the file.
    pub(super) offset: u64,
    /// Number of bytes by its header, or up to the end of the file.
    pub(super) size: u64,
    /// Its first bytes: all, unless it is media or long.
    pub(super) bytes: Bytes,
}

/// Maximum number of outermost boxes.
const MOST_TOPS: usize = 64;

/// Maximum bytes that are read of all boxes.
const MOST_BYTES: u64 = 4 << 20;

/// Bytes of media that are read, to be shown.
const OF_MEDIA: u64 = 96;

/// Bytes of the longest header.
const HEADER: u64 = 32;

/// Bytes that one read gives at least: a `moof` is seldom longer.
const BLOCK: u64 = 16 << 10;

impl Stored {
    pub(super) fn of(served: Served) -> Self {
        let size = served.reply().length();
        Self { served, size }
    }

    /// Number of bytes of the file.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// # Errors
    /// The file cannot be read.
    pub(super) async fn read(&self, extent: Extent) -> Result<Vec<Top>, Error> {
        let start = match extent {
            Extent::Fragment { start } => start,
            Extent::Ends => 0,
        };
        let (mut tops, mut room) = (Vec::new(), MOST_BYTES);
        let mut at = start;
        while at < self.size && tops.len() < MOST_TOPS {
            let top = self.top(at, room).await?;
            room = room.saturating_sub(top.bytes.len() as u64);
            let kind = top.kind();
            at = at.saturating_add(top.size.max(1));
            let is_fragment = extent != Extent::Ends;
            if !is_fragment && [Some(*b"moof"), Some(*b"mdat")].contains(&kind) {
                tops.extend(self.index(room).await?);
                break;
            }
            let is_broken = kind.is_none();
            tops.push(top);
            if is_broken || is_fragment && kind == Some(*b"mdat") {
                break;
            }
        }
        Ok(tops)
    }

    /// Returns the box that starts at a byte, with `room` of its bytes at most.
    async fn top(&self, at: u64, room: u64) -> Result<Top, Error> {
        let mut bytes = self.range(at, BLOCK).await?;
        let rest = self.size - at;
        let header = Header::parse(&mut Cursor::new(&bytes, at)).ok();
        let size = header.and_then(|header| header.total()).unwrap_or(rest);
        let wanted = match header.map(|header| header.kind.0) {
            Some(kind) if kind == *b"mdat" => OF_MEDIA,
            Some(_) => size.min(room.max(HEADER)),
            None => HEADER,
        };
        if wanted > bytes.len() as u64 {
            bytes = self.range(at, wanted).await?;
        }
        bytes.truncate(wanted.min(size) as usize);
        Ok(Top { offset: at, size, bytes })
    }

    /// Returns the `mfra` at the end of the file, if there is one.
    ///
    /// Spec: ISO/IEC 14496-12, 8.8.9.
    async fn index(&self, room: u64) -> Result<Option<Top>, Error> {
        let Some(at) = self.size.checked_sub(4) else { return Ok(None) };
        let last = self.range(at, 4).await?;
        let Ok(size) = <[u8; 4]>::try_from(&*last) else { return Ok(None) };
        let start = self.size.checked_sub(u32::from_be_bytes(size).into());
        let Some(start) = start.filter(|&start| start < at) else { return Ok(None) };
        let top = self.top(start, room).await?;
        Ok((top.kind() == Some(*b"mfra")).then_some(top))
    }

    /// Returns up to `len` bytes from a byte on.
    async fn range(&self, at: u64, len: u64) -> Result<Bytes, Error> {
        let end = at.saturating_add(len).min(self.size);
        let mut body = self.served.body_of(at.min(end)..end);
        let mut bytes = BytesMut::new();
        while let Some(more) = body.next().await {
            bytes.extend_from_slice(&more?);
        }
        Ok(bytes.freeze())
    }
}

impl Top {
    /// Returns the type, if there is a header.
    fn kind(&self) -> Option<[u8; 4]> {
        Header::parse(&mut Cursor::new(&self.bytes, 0)).ok()?;
        self.bytes.get(4..8)?.try_into().ok()
    }
}
