//! Memory that an allocator needs in addition to what is asked for.

/// Bytes that an allocator takes for a piece of memory of `len` bytes: a word beside it, and all
/// rounded up to 16, as glibc's does. Nothing for an empty one, which is none.
pub(crate) const fn piece(len: usize) -> usize {
    match len {
        0 => 0,
        1..=24 => 32,
        _ => (len + 8).next_multiple_of(16),
    }
}

/// Returns the same for a piece that `Arc`s share, which also holds two counts.
pub(crate) const fn shared_piece(len: usize) -> usize {
    piece(2 * size_of::<usize>() + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_a_word_longer_and_a_multiple_of_sixteen() {
        let pieces = [0, 1, 24, 25, 40, 41, 4096].map(piece);
        assert_eq!(pieces, [0, 32, 32, 48, 48, 64, 4112]);
    }
}
