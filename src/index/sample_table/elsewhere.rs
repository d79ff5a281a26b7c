//! Tracks whose samples are in other files.

use crate::bmff::{Body, Boxes};

/// Returns whether a `trak` has samples in another file: an entry of its `dref` is of another one. What
/// cannot be read is of this one.
///
/// Spec: ISO/IEC 14496-12, 8.7.2.
pub(crate) fn is_elsewhere(trak: &Boxes) -> bool {
    let minf = trak.path(&[*b"mdia", *b"minf"]);
    let dinf = minf.and_then(|minf| minf.list.iter().find(|item| item.header.kind == *b"dinf"));
    let Some(Body::Other(dinf)) = dinf.map(|item| &item.body) else { return false };
    // The header of `dref`, version, flags and a count of entries.
    let Some(mut entries) = dinf.get(16..).filter(|_| dinf[4..8] == *b"dref") else { return false };
    // Size, type, version and flags.
    while let Some(entry) = entries.first_chunk::<12>() {
        if entry[11] & 1 == 0 {
            return true;
        }
        let len = entry.first_chunk().map_or(0, |size| u32::from_be_bytes(*size));
        entries = entries.get(len.max(12) as usize..).unwrap_or_default();
    }
    false
}
