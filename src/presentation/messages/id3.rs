//! Tags of ID3.

/// Returns the length of the tag that begins with these bytes. `None` if they are none.
///
/// Spec: ID3 tag version 2.4.0, main structure, 3.1 and 3.4.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let [b'I', b'D', b'3', _, _, flags, a, b, c, d, ..] = *bytes else { return None };
    let size = [a, b, c, d].into_iter().try_fold(0, |size: usize, byte| {
        // Seven bits of each byte count.
        (byte < 0x80).then_some(size << 7 | usize::from(byte))
    })?;
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + size + footer)
}
