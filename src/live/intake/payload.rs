//! The payload of a fragment while it arrives.

use bytes::Bytes;

use super::chunks::Chunk;
use super::fragment::Plan;
use super::unit::Arrived;

/// A fragment whose samples are arriving. Its memory grows with them, and is at most twice as much as has
/// arrived (or [`FIRST`]); each byte is copied once, but for those that the allocator moves.
#[derive(Debug)]
pub(super) struct Filling {
    plan: Plan,
    /// The head, and the payload so far. Of a payload that is not taken as it is: the payload alone.
    bytes: Vec<u8>,
    /// Bytes when all is there.
    total: usize,
}

/// Bytes that are reserved at once.
const FIRST: usize = 256 << 10;

impl Filling {
    pub(super) fn new(plan: Plan, payload: usize) -> Self {
        let mut filling = match plan.samples {
            None => Self { total: plan.head.len() + payload, bytes: Vec::new(), plan },
            Some(_) => Self { total: payload, bytes: Vec::new(), plan },
        };
        if filling.plan.samples.is_none() {
            let head = filling.plan.head.clone();
            filling.push(&head);
        }
        filling
    }

    /// See [`Plan::chunk`].
    pub(super) fn chunk(&self) -> Option<Chunk> {
        self.plan.chunk
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let needs = self.bytes.len() + bytes.len();
        if needs > self.bytes.capacity() {
            let capacity = (2 * needs).max(FIRST).min(self.total).max(needs);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns the fragment, all of whose bytes are there.
    pub(super) fn finish(self) -> Arrived {
        let bytes: Bytes = match &self.plan.samples {
            None => self.bytes.into(),
            Some(ranges) => {
                let samples = || ranges.iter().filter_map(|range| self.bytes.get(range.clone()));
                let len = samples().map(<[u8]>::len).sum::<usize>();
                let mut bytes = Vec::with_capacity(self.plan.head.len() + len);
                bytes.extend_from_slice(&self.plan.head);
                samples().for_each(|sample| bytes.extend_from_slice(sample));
                bytes.into()
            }
        };
        Arrived { bytes, ..self.plan.arrived }
    }

    /// Bytes of memory that it takes.
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(samples: Option<Vec<std::ops::Range<usize>>>) -> Plan {
        let arrived = Arrived {
            track_id: 1,
            time: 0,
            has_time: true,
            has_short_time: false,
            duration: 1,
            bytes: Bytes::new(),
            moof: 4,
            is_key: true,
            sequence: 1,
        };
        Plan { arrived, head: Bytes::from_static(b"head"), samples, chunk: None }
    }

    #[test]
    fn memory_grows_with_the_bytes_that_came_and_not_with_the_size_that_was_claimed() {
        let mut filling = Filling::new(plan(None), 1 << 30);
        assert_eq!(filling.memory(), FIRST);
        let piece = vec![7; 100_000];
        for number in 1..=50 {
            filling.push(&piece);
            assert!(filling.memory() <= FIRST.max(2 * (4 + number * piece.len())), "{number}");
        }
        let mut filling = Filling::new(plan(None), 10);
        filling.push(b"0123456789");
        assert_eq!(filling.memory(), 14);
        assert_eq!(filling.finish().bytes, b"head0123456789"[..]);
    }

    #[test]
    fn samples_that_are_a_part_of_the_payload_are_cut_out_of_it() {
        let mut filling = Filling::new(plan(Some(vec![6..8, 1..3])), 10);
        filling.push(b"0123456789");
        assert_eq!(filling.finish().bytes, b"head6712"[..]);
    }
}
