//! Finding the `mdat` that follows a `moof`.

use bytes::Bytes;

use crate::base::{Cursor, Error, ErrorKind};
use crate::bmff::Header;

/// Maximum bytes of other boxes between a `moof` and its `mdat`.
const MAX_BETWEEN: u64 = 64 << 10;

/// Number of bytes that hold any header.
pub(super) const HEADER: u64 = 32;

/// Reads the header `at` bytes into the fragment; `None` if `block` ends before the header does.
pub(super) fn header_at(
    block: &Bytes,
    start: u64,
    at: u64,
    room: u64,
) -> Result<Option<Header>, Error> {
    let left = (block.len() as u64).saturating_sub(at);
    if left < HEADER.min(room.saturating_sub(at)) {
        return Ok(None);
    }
    let mut cursor = Cursor::new(block, start);
    cursor.take(at as usize)?;
    Header::parse(&mut cursor).map(Some)
}

/// Returns the size of the box `at` bytes into the fragment, which must end within `room`.
pub(super) fn total(header: &Header, start: u64, at: u64, room: u64) -> Result<u64, Error> {
    let has = room.saturating_sub(at);
    let needs = header.total().unwrap_or(has);
    if needs > has {
        let error = Error::at(start + at, ErrorKind::Truncated { needs, has });
        return Err(error.inside(header.kind));
    }
    Ok(needs)
}

/// The search result after a `moof`, with offsets from its start.
pub(super) enum Behind {
    /// The next `mdat`: where its payload begins, and where it ends.
    Mdat { payload: u64, len: u64 },
    /// The header of a box ends here, beyond the bytes that were read.
    Needs(u64),
}

/// Finds the next `mdat`.
pub(super) fn mdat_behind(
    block: &Bytes,
    start: u64,
    moof_len: u64,
    room: u64,
) -> Result<Behind, Error> {
    let mut at = moof_len;
    loop {
        let missing =
            ErrorKind::Missing { what: "`mdat` behind its `moof`", clause: "[MS-SSTR] 2.2.4" };
        if at >= room || at > moof_len + MAX_BETWEEN {
            return Err(Error::at(start + at, missing));
        }
        let Some(header) = header_at(block, start, at, room)? else {
            return Ok(Behind::Needs(at + HEADER));
        };
        match &header.kind.0 {
            b"mdat" if header.total().is_none() => {
                let kind = ErrorKind::NotSliceable("an `mdat` that reaches to the end of its file");
                return Err(Error::at(start + at, kind));
            }
            b"mdat" => {
                let len = total(&header, start, at, room)?;
                return Ok(Behind::Mdat { payload: at + header.len(), len: at + len });
            }
            b"moof" | b"mfra" => return Err(Error::at(start + at, missing)),
            _ => at += total(&header, start, at, room)?,
        }
    }
}
