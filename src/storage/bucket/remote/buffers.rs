//! Memory for answers, which is used again. To get fresh memory from the system costs twice as much as to
//! copy an answer into it.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// The buffers of a store that are free.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers(Arc<Mutex<Free>>);

#[derive(Debug, Default)]
struct Free {
    /// The one that came back last at the end: the caches of the processor may still have it.
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
}

/// A buffer in use, which comes back when the last part of its bytes is dropped.
struct Lent {
    buffer: Vec<u8>,
    home: Buffers,
}

/// Bytes of all free buffers. Those that came back first give way.
const MOST: usize = 16 << 20;

/// Shorter buffers are left to the allocator.
const LEAST: usize = 64 << 10;

/// A buffer is longer than what it is taken for by such a part at most: it may be kept for long, and counts as
/// what it has in it.
const SPARE: usize = 8;

impl Buffers {
    /// An empty buffer with room for so many bytes.
    pub(super) fn take(&self, bytes: usize) -> Vec<u8> {
        let fits = bytes..=bytes.saturating_add(bytes / SPARE);
        let mut free = self.free();
        let found = free.buffers.iter().rposition(|buffer| fits.contains(&buffer.capacity()));
        let Some(buffer) = found.and_then(|place| free.buffers.remove(place)) else {
            drop(free);
            return Vec::with_capacity(bytes);
        };
        free.bytes -= buffer.capacity();
        buffer
    }

    /// The bytes in a buffer.
    pub(super) fn lend(&self, buffer: Vec<u8>) -> Bytes {
        if !(LEAST..=MOST).contains(&buffer.capacity()) {
            return buffer.into();
        }
        Bytes::from_owner(Lent { buffer, home: self.clone() })
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut free = self.free();
        free.bytes += buffer.capacity();
        free.buffers.push_back(buffer);
        let mut too_many = Vec::new();
        while free.bytes > MOST
            && let Some(oldest) = free.buffers.pop_front()
        {
            free.bytes -= oldest.capacity();
            too_many.push(oldest);
        }
        // The system takes them back without others that wait.
        drop(free);
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.home.give_back(mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(buffers: &Buffers, bytes: usize) -> Bytes {
        let mut buffer = buffers.take(bytes);
        assert!(buffer.is_empty(), "nothing of an earlier answer is in it");
        buffer.resize(bytes, 7);
        buffers.lend(buffer)
    }

    #[test]
    fn a_buffer_is_used_again_once_all_its_bytes_are_dropped() {
        let buffers = Buffers::default();
        let first = filled(&buffers, 100_000);
        let (place, part) = (first.as_ptr(), first.slice(10..20));
        drop(first);
        let second = filled(&buffers, 100_000);
        assert_ne!(second.as_ptr(), place, "a part of it is in use");
        drop(part);
        assert_eq!(filled(&buffers, 90_000).as_ptr(), place);
        assert_eq!(second, vec![7; 100_000]);
    }

    #[test]
    fn a_buffer_is_neither_too_short_nor_much_too_long() {
        let buffers = Buffers::default();
        drop(filled(&buffers, 100_000));
        let others = [100_001, 80_000].map(|bytes| filled(&buffers, bytes));
        assert_eq!(buffers.free().bytes, 100_000);
        drop(others);
        assert_eq!(buffers.free().buffers.len(), 3);
        drop(filled(&buffers, LEAST - 1));
        assert_eq!(buffers.free().buffers.len(), 3);
    }

    #[test]
    fn free_buffers_are_bounded() {
        let buffers = Buffers::default();
        let long = (0..20).map(|_| filled(&buffers, 1 << 20)).collect::<Vec<_>>();
        drop(long);
        assert_eq!(buffers.free().bytes, MOST);
        drop(filled(&buffers, MOST));
        assert_eq!(buffers.free().buffers.len(), 1);
        drop(filled(&buffers, MOST + 1));
        assert_eq!(buffers.free().bytes, MOST);
    }
}
